//! WorkOS Connect: other applications sign people in with their account here, and get tokens of their own. Source:
//! <https://workos.com/docs/authkit/connect>.
//!
//! * [`applications`], [`client_secrets`], [`resources`] – what the API sets up.
//! * [`authorize`], [`token`], [`device_authorization`], [`introspection`], [`userinfo`], [`registration`], [`discovery`] –
//!   the OAuth 2.0 and OpenID Connect endpoints of the AuthKit domain, which is the emulator's base URL.
//! * [`consents`] – what a person let an application have; every token of theirs hangs from one.
//! * [`standalone`] – people sign in at an application of yours instead of at AuthKit.
//!
//! Client ID metadata documents are not served, as the emulator fetches nothing that a stranger names.

pub(crate) mod access_tokens;
pub(crate) mod applications;
pub(crate) mod authorization_codes;
pub(crate) mod authorize;
pub(crate) mod authorized_applications;
pub(crate) mod client;
pub(crate) mod client_secrets;
pub(crate) mod consent_options;
pub(crate) mod consents;
pub(crate) mod device_authorization;
pub(crate) mod discovery;
#[cfg(test)]
mod fixture;
pub(crate) mod introspection;
pub(crate) mod redirect_uris;
pub(crate) mod registration;
pub(crate) mod resources;
pub(crate) mod scopes;
pub(crate) mod settings;
pub(crate) mod standalone;
pub(crate) mod token;
pub(crate) mod userinfo;
