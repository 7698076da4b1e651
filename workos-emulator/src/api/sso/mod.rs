//! Single sign-on. Source: <https://workos.com/docs/sso>.
//!
//! * [`connections`] – how an organization's people reach its identity provider, and the [`certificates`] of SAML.
//! * [`identity_provider`] – what an identity provider says of somebody: an assertion, or a refusal. Whatever speaks to one
//!   (the stand-in of the hosted pages, OpenID Connect, SAML) ends with one of these.
//! * [`oidc`] – OpenID Connect, as the relying party; [`outbound`] – requests to identity providers.
//! * [`saml`] – SAML's service provider, and the test identity provider of connections that have no other.
//! * [`sign_in`] – from the departure to the provider to the code for the application, whoever the provider is. Each step is
//!   told to the [`traces`].
//! * [`authorize`], [`token`], [`logout`] – the API that applications call.
//! * [`profiles`] – the people whom the identity providers know.

pub(crate) mod authorize;
pub(crate) mod certificates;
pub(crate) mod connection_type;
pub(crate) mod connections;
mod events;
pub(crate) mod identity_provider;
pub(crate) mod logout;
pub(crate) mod oidc;
pub(crate) mod outbound;
pub(crate) mod profiles;
pub(crate) mod saml;
pub(crate) mod sign_in;
pub(crate) mod token;
pub(crate) mod traces;
