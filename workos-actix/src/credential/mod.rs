//! Where a request's credentials come from.

mod api_keys;
mod authorization;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod iron;
mod kind;
mod kit_session;
mod pieces;
mod profiles;
mod session;
mod session_cookie;
mod store;

pub use self::kind::CredentialKind;
pub(crate) use self::{
    api_keys::{ApiKeyError, ApiKeys},
    authorization::bearer,
    pieces::SessionCookies,
    profiles::Profiles,
    session::{LoadedSession, Session},
    session_cookie::{SessionCookie, SessionError, SessionPlace},
    store::{AnySessionStore, StoredState},
};
