//! `Require`: everything that is asked of whoever sends a request.

use std::time::Duration;

use actix_web::{HttpRequest, dev::RequestHead};

use crate::{AuthContext, AuthError, Requirement, context::RequestAuth};

/// What is asked of whoever sends a request: made by [`require`] or [`ensure_signed_in`].
///
/// Nobody is 401, or a redirect to sign-in for a browser that navigates; somebody who lacks something is 403 with the
/// [code](Requirement::code) of the first thing they lack, in the order in which it was asked; 503 is for when WorkOS is
/// needed and unreachable. [`on_refusal`](crate::AuthKitBuilder::on_refusal) answers differently.
///
/// | where | how |
/// |---|---|
/// | a scope or resource | `.wrap(require().permission("documents:write"))` |
/// | a handler's argument | [`Required<CanWrite>`](crate::Required), with a name for it |
/// | in the middle of a handler | [`require().role("admin").check(&request)?`](Self::check) |
/// | which route answers | `.guard(require().feature_flag("new-editor"))`, see below |
///
/// As one of Actix's [guards](actix_web::guard) it only chooses: whoever lacks something goes on to the next route, or to 404
/// where the guard stands on a resource or scope. That is right for a feature that must not be seen, and wrong for
/// permissions, where people should be told. A sign-in that cannot be checked at the moment counts as lacking.
#[derive(Debug, Clone, Default)]
#[must_use = "a requirement that nobody checks protects nothing: `.wrap(…)` it, or call `check`"]
pub struct Require {
    requirements: Vec<Requirement>,
    max_age: Option<Duration>,
}

/// Somebody, of whatever kind, and then what the methods add.
///
/// ```
/// use actix_web::{App, web};
/// use workos_actix::require;
///
/// # async fn index() -> &'static str { "" }
/// let app = App::new()
///     // .wrap(authkit.middleware()) goes around it
///     .service(web::scope("/billing").wrap(require().role("owner").not_impersonated()).route("/", web::get().to(index)))
///     .service(web::scope("/api").wrap(require().permission("documents:read")).route("/", web::get().to(index)));
/// ```
pub fn require() -> Require {
    Require::default()
}

/// A signed-in person: a navigating browser without one is redirected to sign-in, everyone else gets 401. The same as
/// `require().user()`.
///
/// ```
/// use actix_web::{App, web};
/// use workos_actix::ensure_signed_in;
///
/// # async fn index() -> &'static str { "" }
/// let app = App::new()
///     // .wrap(authkit.middleware()) goes around it
///     .service(web::scope("/app").wrap(ensure_signed_in()).route("/", web::get().to(index)));
/// ```
pub fn ensure_signed_in() -> Require {
    require().user()
}

impl Require {
    fn and(mut self, requirement: Requirement) -> Self {
        self.requirements.push(requirement);
        self
    }

    /// A person: no API key, and no machine.
    pub fn user(self) -> Self {
        self.and(Requirement::User)
    }

    /// The session cookie: no credential in `Authorization`.
    pub fn session(self) -> Self {
        self.and(Requirement::Session)
    }

    /// An organization, whichever.
    pub fn organization(self) -> Self {
        self.and(Requirement::Organization)
    }

    /// This organization, `org_…`, and no other.
    pub fn organization_id(self, id: impl Into<String>) -> Self {
        self.and(Requirement::OrganizationId(id.into()))
    }

    /// A role in the organization, by its slug. API keys and machines have none.
    pub fn role(self, role: impl Into<String>) -> Self {
        self.and(Requirement::Role(vec![role.into()]))
    }

    /// One of these roles. Nobody has one of none.
    pub fn any_role<I: Into<String>>(self, roles: impl IntoIterator<Item = I>) -> Self {
        self.and(Requirement::Role(owned(roles)))
    }

    /// A permission, by its slug: of the role, or of the API key.
    pub fn permission(self, permission: impl Into<String>) -> Self {
        self.and(Requirement::Permissions(vec![permission.into()]))
    }

    /// All of these permissions.
    pub fn permissions<I: Into<String>>(self, permissions: impl IntoIterator<Item = I>) -> Self {
        self.and(Requirement::Permissions(owned(permissions)))
    }

    /// One of these permissions. Nobody has one of none.
    pub fn any_permission<I: Into<String>>(self, permissions: impl IntoIterator<Item = I>) -> Self {
        self.and(Requirement::AnyPermission(owned(permissions)))
    }

    /// A feature flag that must be on, as the access token says: up to date since the last refresh.
    pub fn feature_flag(self, flag: impl Into<String>) -> Self {
        self.and(Requirement::FeatureFlag(flag.into()))
    }

    /// An entitlement of the organization, as the access token says.
    pub fn entitlement(self, entitlement: impl Into<String>) -> Self {
        self.and(Requirement::Entitlement(entitlement.into()))
    }

    /// Nobody who impersonates the person: for what support may look at and must not do.
    pub fn not_impersonated(self) -> Self {
        self.and(Requirement::NotImpersonated)
    }

    /// A person who proved who they are not longer ago than this. A browser that navigates is sent to AuthKit, which asks
    /// again, and comes back to the same page; everyone else gets 401 as RFC 9470 has it. See
    /// [`AuthKit::require_recent_auth`](crate::AuthKit::require_recent_auth).
    pub fn recent_auth(mut self, max_age: Duration) -> Self {
        self.max_age = Some(self.max_age.map_or(max_age, |shorter| shorter.min(max_age)));
        self.user()
    }

    /// Whoever sent the request, if they fulfil it all.
    ///
    /// ```
    /// use actix_web::HttpRequest;
    /// use workos_actix::{AuthError, require};
    ///
    /// async fn delete(request: HttpRequest) -> Result<String, AuthError> {
    ///     let auth = require().permission("documents:delete").not_impersonated().check(&request)?;
    ///     Ok(format!("deleted by {}", auth.subject()))
    /// }
    /// ```
    ///
    /// # Errors
    /// See [`AuthError`]; what is lacking is [`AuthError::Forbidden`], or [`AuthError::ReauthenticationRequired`].
    pub fn check(&self, request: &HttpRequest) -> Result<AuthContext, AuthError> {
        let auth = RequestAuth::of(request)?;
        self.check_auth(&auth, request.head())
    }

    pub(super) fn check_auth(
        &self,
        auth: &RequestAuth,
        head: &RequestHead,
    ) -> Result<AuthContext, AuthError> {
        let context = auth.require(head)?;
        if let Some(lacking) = self.requirements.iter().find(|one| !one.is_met_by(&context)) {
            return Err(AuthError::Forbidden {
                requirement: lacking.clone(),
            });
        }
        if let Some(max_age) = self.max_age {
            auth.authkit.check_recent_auth(head, &context, max_age)?;
        }
        Ok(context)
    }
}

fn owned<I: Into<String>>(items: impl IntoIterator<Item = I>) -> Vec<String> {
    items.into_iter().map(Into::into).collect()
}
