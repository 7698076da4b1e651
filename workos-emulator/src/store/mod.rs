//! An environment's state: typed tables of rows, changed by transactions, read without waiting.
//!
//! * [`table`] – rows in order of creation, with declared unique and ordered indexes.
//! * [`select`] – one page of a table or of an index, in O(log n + page).
//! * [`state`] – the list of all tables: a new resource is one line there.
//! * [`document`] – a whole state as JSON, and back.
//! * [`transaction`] – changes that are seen together or not at all, and the [`Commit`] they make.

mod document;
mod select;
mod state;
mod table;
#[cfg(test)]
mod tests;
mod transaction;

#[cfg(test)]
pub(crate) use self::transaction::MOST_EXPIRING;
pub(crate) use self::{
    select::{List, Order, Page, Select, UnknownCursor},
    state::{State, Stored},
    table::{Conflict, Index, Record, group},
    transaction::{Expiring, Of, Transaction},
};
