//! Requirements as handler arguments.

use std::{
    future::{Ready, ready},
    marker::PhantomData,
    ops::Deref,
    time::Duration,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};

use super::{Require, require};
use crate::{AuthContext, AuthError};

/// A requirement with a name, for [`Required`].
pub trait Requires {
    /// What is required.
    fn require() -> Require;
}

/// Whoever sent the request, as a handler argument, and they fulfil `R`: 401, 403 and 503 as [`Require`] has them.
/// `Option<Required<R>>` is `None` instead.
///
/// ```
/// use workos_actix::{Require, Required, Requires, require};
///
/// struct CanWrite;
///
/// impl Requires for CanWrite {
///     fn require() -> Require {
///         require().permission("documents:write")
///     }
/// }
///
/// async fn write(auth: Required<CanWrite>) -> String {
///     format!("written by {}", auth.subject())
/// }
/// ```
///
/// A handler that needs the person as well takes both: `(user: AuthUser, _: Required<CanWrite>)`.
#[derive(Debug, Clone)]
pub struct Required<R>(AuthContext, PhantomData<fn() -> R>);

impl<R> Deref for Required<R> {
    type Target = AuthContext;

    fn deref(&self) -> &AuthContext {
        &self.0
    }
}

impl<R: Requires> FromRequest for Required<R> {
    type Error = AuthError;
    type Future = Ready<Result<Self, AuthError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(R::require().check(request).map(|auth| Self(auth, PhantomData)))
    }
}

/// For [`Required`]: the person themselves, and nobody who impersonates them.
#[derive(Debug, Clone, Copy)]
pub enum NotImpersonated {}

impl Requires for NotImpersonated {
    fn require() -> Require {
        require().user().not_impersonated()
    }
}

/// For [`Required`]: a person who proved who they are in the last `SECONDS`.
///
/// ```
/// use workos_actix::{AuthUser, RecentAuth, Required};
///
/// async fn change_iban(user: AuthUser, _: Required<RecentAuth<300>>) -> String {
///     format!("{} was at the keyboard five minutes ago", user.email())
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub enum RecentAuth<const SECONDS: u64> {}

impl<const SECONDS: u64> Requires for RecentAuth<SECONDS> {
    fn require() -> Require {
        require().recent_auth(Duration::from_secs(SECONDS))
    }
}
