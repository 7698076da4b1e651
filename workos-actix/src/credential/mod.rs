//! Where a request's credentials come from. Today: the session cookie.

mod iron;
mod kit_session;
mod pieces;
mod session;
mod session_cookie;
mod store;

pub(crate) use self::{
    pieces::SessionCookies,
    session::{LoadedSession, Session},
    session_cookie::{SessionCookie, SessionError, SessionPlace},
    store::AnySessionStore,
};
