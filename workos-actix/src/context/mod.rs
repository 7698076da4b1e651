//! Who sent a request, shared by everything that handles it.

mod auth_context;
mod auth_ext;
mod request_auth;

pub use self::{auth_context::AuthContext, auth_ext::AuthExt};
pub(crate) use self::{
    auth_context::Credential,
    request_auth::{AuthState, RequestAuth, SessionChange},
};
