//! Where a request's credentials come from. Today: the session cookie.

mod session;
mod store;

pub(crate) use self::{
    session::{LoadedSession, Session, SessionCookie, SessionError},
    store::{AnySessionStore, StoredState},
};
