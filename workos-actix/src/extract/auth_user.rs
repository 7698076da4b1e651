//! `AuthUser`: the signed-in user as a handler argument.

use std::{
    future::{Future, ready},
    pin::Pin,
    sync::Arc,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use workos::{SecretString, User};

use crate::{AccessToken, AuthContext, AuthError, Claims, Impersonator, context::RequestAuth};

/// The signed-in user.
///
/// As a handler argument it requires one: without, a navigating browser is redirected to sign-in and comes back
/// afterwards, and every other client gets 401. An API key or a machine is known, but no user: 403 with the code
/// `user_required`; [`AuthContext`] takes those too. `Option<AuthUser>` is `None` in all these cases (also while WorkOS is
/// unreachable and the session cannot be checked; [`AuthExt::auth`](crate::AuthExt::auth) tells them apart).
///
/// A session brings the profile along. For a bare [access token](crate::AuthKitBuilder::bearer_tokens), which has only the
/// user's id, WorkOS is asked for it, at most once in five minutes for each user: 401 when the user has been deleted, 503
/// while WorkOS is unreachable. Handlers that do not need the profile take [`AuthContext`], [`Claims`] or
/// [`OrganizationId`](crate::OrganizationId), for which nobody is asked.
///
/// Cloning it copies pointers.
///
/// ```
/// use workos_actix::AuthUser;
///
/// async fn me(user: AuthUser) -> String {
///     user.email().to_owned()
/// }
/// ```
#[derive(Debug, Clone)]
pub struct AuthUser {
    context: AuthContext,
    token: AccessToken,
    profile: Arc<User>,
}

impl AuthUser {
    pub(crate) fn new(context: AuthContext, token: AccessToken, profile: Arc<User>) -> Self {
        Self {
            context,
            token,
            profile,
        }
    }

    /// The user id, `user_…`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.profile.id
    }

    /// The e-mail address.
    #[must_use]
    pub fn email(&self) -> &str {
        &self.profile.email
    }

    /// The first name.
    #[must_use]
    pub fn first_name(&self) -> Option<&str> {
        self.profile.first_name.as_deref()
    }

    /// The last name.
    #[must_use]
    pub fn last_name(&self) -> Option<&str> {
        self.profile.last_name.as_deref()
    }

    /// The full name: as WorkOS has it, or made of first and last name. `None` without any.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        let user = &self.profile;
        let given = user.name.clone().filter(|name| !name.is_empty());
        given.or_else(|| {
            let parts: Vec<_> = [self.first_name(), self.last_name()]
                .into_iter()
                .flatten()
                .collect();
            (!parts.is_empty()).then(|| parts.join(" "))
        })
    }

    /// The whole user object, as of the last sign-in or refresh; with a bare access token, as of five minutes ago at most.
    #[must_use]
    pub fn user(&self) -> &User {
        &self.profile
    }

    /// The session id, `session_…`.
    #[must_use]
    pub fn session_id(&self) -> &str {
        &self.token.claims().sid
    }

    /// The organization the session is in, `org_…`.
    #[must_use]
    pub fn organization_id(&self) -> Option<&str> {
        self.token.claims().org_id.as_deref()
    }

    /// The role in the organization.
    #[must_use]
    pub fn role(&self) -> Option<&str> {
        self.token.claims().role.as_deref()
    }

    /// All roles in the organization, where the environment allows several.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        &self.token.claims().roles
    }

    /// The permissions of the role.
    #[must_use]
    pub fn permissions(&self) -> &[String] {
        &self.token.claims().permissions
    }

    /// The entitlements of the organization.
    #[must_use]
    pub fn entitlements(&self) -> &[String] {
        &self.token.claims().entitlements
    }

    /// The feature flags that are on.
    #[must_use]
    pub fn feature_flags(&self) -> &[String] {
        &self.token.claims().feature_flags
    }

    /// Whether the user has a role in the organization, be it the one or among all.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.context.has_role(role)
    }

    /// Whether the user's role has a permission.
    #[must_use]
    pub fn has_permission(&self, permission: &str) -> bool {
        self.context.has_permission(permission)
    }

    /// Whether the organization has an entitlement.
    #[must_use]
    pub fn has_entitlement(&self, entitlement: &str) -> bool {
        self.context.has_entitlement(entitlement)
    }

    /// Whether a feature flag is on.
    #[must_use]
    pub fn has_feature_flag(&self, flag: &str) -> bool {
        self.context.has_feature_flag(flag)
    }

    /// Who impersonates the user, if anyone.
    #[must_use]
    pub fn impersonator(&self) -> Option<&Impersonator> {
        self.context.impersonator()
    }

    /// The access token, redacted in `Debug`; `expose()` gives the text.
    #[must_use]
    pub fn access_token(&self) -> &SecretString {
        self.token.secret()
    }

    /// All claims of the access token.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        self.token.claims()
    }

    /// What is known of the request, whoever sent it: by which credential the user is known, for example.
    #[must_use]
    pub fn context(&self) -> &AuthContext {
        &self.context
    }
}

impl FromRequest for AuthUser {
    type Error = AuthError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, AuthError>>>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let person = RequestAuth::of(request).and_then(|auth| {
            let context = auth.require_person(request.head())?;
            Ok((auth, context))
        });
        match person {
            Ok((auth, context)) => match context.known_user() {
                Some(user) => Box::pin(ready(Ok(user))),
                None => Box::pin(async move { auth.authkit.with_profile(context).await }),
            },
            Err(error) => Box::pin(ready(Err(error))),
        }
    }
}
