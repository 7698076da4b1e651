//! A transaction: a cheap copy of the state that becomes the state when its rule succeeds.

use std::{ops::Deref, sync::Arc};

use jiff::Timestamp;

use super::{
    state::{Change, Commit, RowChange, State, Stored},
    table::Conflict,
};
use crate::core::ids::IdGenerator;

/// How many rows of one kind wait for their end at most. Anybody can make such rows, by starting sign-ins or by wrong
/// steps in them: without a limit strangers would fill the memory, above all under a frozen clock.
pub(crate) const MOST_EXPIRING: usize = 10_000;

/// A row that is of no use from some time on: codes, started sign-ins.
pub(crate) trait Expiring: Stored {
    fn expires_at(&self) -> Timestamp;
}

/// Which environment a transaction changes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Of<'a> {
    pub(crate) environment_id: &'a str,
    pub(crate) environment_name: &'a str,
    pub(crate) client_id: &'a str,
    /// Where whoever asked for it reaches the emulator, without a trailing slash. None: nobody asked over HTTP.
    pub(crate) base_url: Option<&'a str>,
}

/// Reads like the [`State`] as changed so far; what is not committed leaves no trace.
#[derive(Debug)]
pub(crate) struct Transaction<'a> {
    of: Of<'a>,
    state: State,
    changes: Vec<Change>,
    now: Timestamp,
    ids: &'a mut IdGenerator,
}

impl<'a> Transaction<'a> {
    pub(crate) fn new(of: Of<'a>, state: State, now: Timestamp, ids: &'a mut IdGenerator) -> Self {
        Self {
            of,
            state,
            changes: Vec::new(),
            now,
            ids,
        }
    }

    /// `environment_…`
    pub(crate) fn environment_id(&self) -> &'a str {
        self.of.environment_id
    }

    /// The name that people see: that of the settings, else the environment's own.
    pub(crate) fn shown_name(&self) -> &str {
        self.settings().branding.shown_name(self.of.environment_name)
    }

    /// `client_…`
    pub(crate) fn client_id(&self) -> &'a str {
        self.of.client_id
    }

    /// Where links in e-mails lead, without a trailing slash. None where no client says how it reaches the emulator.
    pub(crate) fn base_url(&self) -> Option<&'a str> {
        self.of.base_url
    }

    /// The environment's time at the start of the transaction.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// A new id with this prefix.
    pub(crate) fn id(&mut self, prefix: &str) -> String {
        self.ids.id(prefix, self.now)
    }

    /// A new ULID, the part of an id behind its prefix.
    pub(crate) fn ulid(&mut self) -> String {
        self.ids.ulid(self.now).to_string()
    }

    /// `length` random letters and digits.
    pub(crate) fn token(&mut self, length: usize) -> String {
        self.ids.token(length)
    }

    /// `N` random bytes.
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        self.ids.bytes()
    }

    /// Eight random letters that are easily typed.
    pub(crate) fn user_code(&mut self) -> String {
        self.ids.user_code()
    }

    /// Six random digits.
    pub(crate) fn code(&mut self) -> String {
        self.ids.code()
    }

    /// Inserts the row, or replaces the one with the same id.
    pub(crate) fn put<R: Stored>(&mut self, row: R) -> Result<Arc<R>, Conflict> {
        let row = Arc::new(row);
        let table = R::table_mut(&mut self.state);
        let place = table.place_for(row.id());
        table.put(place, Arc::clone(&row))?;
        self.changes.push(R::change(RowChange::Put {
            place,
            row: Arc::clone(&row),
        }));
        Ok(row)
    }

    /// Deletes the row with this id, where there is one.
    pub(crate) fn delete<R: Stored>(&mut self, id: &str) -> Option<Arc<R>> {
        let deleted = R::table_mut(&mut self.state).delete(id)?;
        self.changes
            .push(R::change(RowChange::Delete { id: id.to_owned() }));
        Some(deleted)
    }

    /// Inserts a row that is of no use for long, and deletes those whose time is over, so that they do not pile up. Beyond
    /// [`MOST_EXPIRING`] the oldest one goes, whatever its time.
    ///
    /// It looks at the oldest rows only, and at a few of them: a call costs the same however many rows there are.
    pub(crate) fn put_expiring<R: Expiring>(&mut self, row: R) -> Result<Arc<R>, Conflict> {
        let table = R::table(&self.state);
        let surplus = (table.len() + 1).saturating_sub(MOST_EXPIRING);
        let expired: Vec<String> = table
            .iter()
            .enumerate()
            .take_while(|(at, row)| *at < surplus || row.expires_at() <= self.now)
            .take(8)
            .map(|(_, row)| row.id().to_owned())
            .collect();
        for id in expired {
            self.delete::<R>(&id);
        }
        self.put(row)
    }

    /// The row with this id, unless its time is over.
    pub(crate) fn unexpired<R: Expiring>(&self, id: &str) -> Option<&Arc<R>> {
        R::table(&self.state)
            .get(id)
            .filter(|row| row.expires_at() > self.now)
    }

    /// Runs a part of a rule. If it refuses, what it changed is undone, and the rest of the transaction goes on.
    pub(crate) fn attempt<T, E>(&mut self, part: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        let (state, changes) = (self.state.clone(), self.changes.len());
        let outcome = part(self);
        if outcome.is_err() {
            self.state = state;
            self.changes.truncate(changes);
        }
        outcome
    }

    /// The state and the commit that leads to it; nothing where nothing was changed.
    pub(crate) fn finish(mut self) -> Option<(State, Commit)> {
        if self.changes.is_empty() {
            return None;
        }
        self.state.sequence += 1;
        let commit = Commit {
            sequence: self.state.sequence,
            at: self.now,
            changes: self.changes,
        };
        Some((self.state, commit))
    }
}

impl Deref for Transaction<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}
