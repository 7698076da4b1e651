//! Where a request's credentials come from.

mod kind;
mod profiles;
mod session;
mod store;

pub use self::kind::CredentialKind;
pub(crate) use self::{
    profiles::Profiles,
    session::{LoadedSession, Session, SessionCookie, SessionError},
    store::AnySessionStore,
};
