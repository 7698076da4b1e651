//! Where a request's credentials come from.

mod api_keys;
mod authorization;
mod kind;
mod profiles;
mod session;
mod store;

pub use self::kind::CredentialKind;
pub(crate) use self::{
    api_keys::{ApiKeyError, ApiKeys},
    authorization::bearer,
    profiles::Profiles,
    session::{LoadedSession, Session, SessionCookie, SessionError},
    store::{AnySessionStore, StoredState},
};
