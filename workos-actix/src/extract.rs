//! `AuthUser`: the signed-in user as a handler argument.

use std::{
    future::{Ready, ready},
    sync::Arc,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::{Deserialize, Serialize};
use workos::{SecretString, User};

use crate::{
    Claims,
    context::{AuthContext, RequestAuth},
    error::AuthError,
};

/// The signed-in user.
///
/// As a handler argument it requires one: without, a navigating browser is redirected to sign-in and comes back
/// afterwards, and every other client gets 401. `Option<AuthUser>` is `None` instead (also while WorkOS is unreachable
/// and the session cannot be checked; [`AuthExt::auth`](crate::AuthExt::auth) tells the two apart).
///
/// Cloning it copies a pointer.
///
/// ```
/// use workos_actix::AuthUser;
///
/// async fn me(user: AuthUser) -> String {
///     user.email().to_owned()
/// }
/// ```
#[derive(Debug, Clone)]
pub struct AuthUser(Arc<AuthContext>);

/// The WorkOS dashboard user behind an impersonated session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Impersonator {
    /// The impersonator's e-mail address.
    pub email: String,
    /// Why, in the impersonator's words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
}

impl AuthUser {
    pub(crate) fn new(context: Arc<AuthContext>) -> Self {
        Self(context)
    }

    /// The user id, `user_…`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.user.id
    }

    /// The e-mail address.
    #[must_use]
    pub fn email(&self) -> &str {
        &self.0.user.email
    }

    /// The first name.
    #[must_use]
    pub fn first_name(&self) -> Option<&str> {
        self.0.user.first_name.as_deref()
    }

    /// The last name.
    #[must_use]
    pub fn last_name(&self) -> Option<&str> {
        self.0.user.last_name.as_deref()
    }

    /// The full name: as WorkOS has it, or made of first and last name. `None` without any.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        let user = &self.0.user;
        let given = user.name.clone().filter(|name| !name.is_empty());
        given.or_else(|| {
            let parts: Vec<_> = [self.first_name(), self.last_name()]
                .into_iter()
                .flatten()
                .collect();
            (!parts.is_empty()).then(|| parts.join(" "))
        })
    }

    /// The whole user object, as of the last sign-in or refresh.
    #[must_use]
    pub fn user(&self) -> &User {
        &self.0.user
    }

    /// The session id, `session_…`.
    #[must_use]
    pub fn session_id(&self) -> &str {
        &self.0.claims.sid
    }

    /// The organization the session is in, `org_…`.
    #[must_use]
    pub fn organization_id(&self) -> Option<&str> {
        self.0.claims.org_id.as_deref()
    }

    /// The role in the organization.
    #[must_use]
    pub fn role(&self) -> Option<&str> {
        self.0.claims.role.as_deref()
    }

    /// All roles in the organization, where the environment allows several.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        &self.0.claims.roles
    }

    /// The permissions of the role.
    #[must_use]
    pub fn permissions(&self) -> &[String] {
        &self.0.claims.permissions
    }

    /// The entitlements of the organization.
    #[must_use]
    pub fn entitlements(&self) -> &[String] {
        &self.0.claims.entitlements
    }

    /// The feature flags that are on.
    #[must_use]
    pub fn feature_flags(&self) -> &[String] {
        &self.0.claims.feature_flags
    }

    /// Who impersonates the user, if anyone.
    #[must_use]
    pub fn impersonator(&self) -> Option<&Impersonator> {
        self.0.impersonator.as_ref()
    }

    /// The access token, redacted in `Debug`; `expose()` gives the text.
    #[must_use]
    pub fn access_token(&self) -> &SecretString {
        &self.0.access_token
    }

    /// All claims of the access token.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.0.claims
    }

    /// The shared value behind this handle.
    #[must_use]
    pub fn context(&self) -> &Arc<AuthContext> {
        &self.0
    }
}

impl FromRequest for AuthUser {
    type Error = AuthError;
    type Future = Ready<Result<Self, AuthError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(require_user(request))
    }
}

fn require_user(request: &HttpRequest) -> Result<AuthUser, AuthError> {
    RequestAuth::of(request)?.require_user(request.head())
}
