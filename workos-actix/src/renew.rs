//! Renewing a session on request: new tokens ahead of time, or for another organization.

use actix_web::{HttpRequest, http::Method};

use crate::{
    AuthKit, AuthUser,
    context::{RequestAuth, SessionChange},
    credential::LoadedSession,
    error::{AuthError, SignInRedirect},
    navigation,
    return_path::ReturnPath,
    rotation::Rotation,
};

impl AuthKit {
    /// Moves the session of a request into another organization of the user.
    ///
    /// The response carries the new session cookie; the user returned, and everybody who asks later in the same request,
    /// is in the new organization, with the role and permissions there. The [route](Self::routes) does all of this for a
    /// form; this method is for handlers that decide the organization themselves. They change state, so let them be
    /// reached by `POST` from your own pages only.
    ///
    /// ```
    /// use actix_web::{HttpRequest, HttpResponse, web};
    /// use workos_actix::{AuthError, AuthKit};
    ///
    /// /// Opens a workspace: the person works in its organization from now on.
    /// async fn open_workspace(
    ///     request: HttpRequest,
    ///     organization_id: web::Path<String>,
    ///     authkit: web::Data<AuthKit>,
    /// ) -> Result<HttpResponse, AuthError> {
    ///     let user = authkit.switch_organization(&request, &organization_id).await?;
    ///     Ok(HttpResponse::Ok().body(format!("You are {} here.", user.role().unwrap_or("a guest"))))
    /// }
    /// ```
    ///
    /// Source: <https://workos.com/docs/authkit/sessions>, "Switching Organizations".
    ///
    /// # Errors
    /// - [`AuthError::OrganizationForbidden`] for an organization that the user is not an active member of, or that does
    ///   not exist; the answer does not tell which.
    /// - [`AuthError::OrganizationSignInRequired`] when the organization wants single sign-on or a second factor: a
    ///   redirect to AuthKit for the organization.
    /// - [`AuthError::Unavailable`] while WorkOS cannot be reached. In these three cases the session goes on where it was.
    /// - [`AuthError::SignInRequired`] without a session, or when it turns out to be over.
    /// - [`AuthError::SessionNotKept`] when the new session cannot be stored.
    /// - [`AuthError::MissingMiddleware`].
    pub async fn switch_organization(
        &self,
        request: &HttpRequest,
        organization_id: &str,
    ) -> Result<AuthUser, AuthError> {
        self.renew(request, Some(organization_id), own_path(request).as_ref())
            .await
    }

    /// Refreshes the session of a request although its access token is still good: after a change of the user's role,
    /// permissions or feature flags that the next page should know of.
    ///
    /// The response carries the new session cookie; the user returned, and everybody who asks later in the same request,
    /// is as WorkOS knows them now. Ordinary refreshing needs no call: the middleware does it.
    ///
    /// ```
    /// use actix_web::{HttpRequest, web};
    /// use workos_actix::{AuthError, AuthKit};
    ///
    /// async fn after_upgrade(request: HttpRequest, authkit: web::Data<AuthKit>) -> Result<String, AuthError> {
    ///     let user = authkit.refresh_session(&request).await?;
    ///     Ok(user.entitlements().join(", "))
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`switch_organization`](Self::switch_organization), without those about the organization.
    pub async fn refresh_session(&self, request: &HttpRequest) -> Result<AuthUser, AuthError> {
        self.renew(request, None, own_path(request).as_ref()).await
    }

    /// `return_to` is where a sign-in leads that turns out to be needed.
    pub(crate) async fn renew(
        &self,
        request: &HttpRequest,
        organization_id: Option<&str>,
        return_to: Option<&ReturnPath>,
    ) -> Result<AuthUser, AuthError> {
        let auth = RequestAuth::of(request)?;
        let head = request.head();
        let redirect = |organization_id: Option<&str>| {
            navigation::is_navigation(head)
                .then(|| SignInRedirect::new(self, head, return_to, organization_id))
        };
        let signed_out = || AuthError::SignInRequired {
            redirect: redirect(None),
        };
        auth.user()?.ok_or_else(signed_out)?;
        let old = auth.session().ok_or_else(signed_out)?;
        match self.rotate(&old, organization_id).await {
            Rotation::Done {
                context,
                session,
                cookie: Some(cookie),
            } => {
                self.forget_verified(request, &old);
                auth.renew(context, session, cookie);
                auth.user()?.ok_or_else(signed_out)
            }
            Rotation::Done { cookie: None, .. } => Err(AuthError::SessionNotKept),
            Rotation::Unproven { cookie, .. } => {
                if let Some(cookie) = cookie {
                    auth.change_session(SessionChange::Stored(cookie));
                }
                Err(AuthError::unavailable())
            }
            Rotation::Refused { code } if can_be_met(&code) => Err(AuthError::OrganizationSignInRequired {
                code,
                redirect: redirect(organization_id),
            }),
            Rotation::Refused { .. } => Err(AuthError::OrganizationForbidden),
            Rotation::Ended | Rotation::Unacceptable => {
                auth.change_session(SessionChange::End);
                Err(signed_out())
            }
            Rotation::Unavailable { retry_after } => Err(AuthError::Unavailable { retry_after }),
        }
    }

    /// The session has a successor: nobody should be known by the old one from memory.
    fn forget_verified(&self, request: &HttpRequest, old: &LoadedSession) {
        self.verified().forget(&old.session.credential());
        for value in self.session_cookie().values(request.headers()) {
            self.verified().forget(&value);
        }
    }
}

/// Whether the person can satisfy WorkOS's refusal by a sign-in for the organization.
///
/// WorkOS's own kits do so for `sso_required` and `mfa_enrollment`. Assumption: for the other requirements among its
/// [authentication errors](https://workos.com/docs/reference/authkit/authentication-errors), which a refresh may meet as
/// well, it is right too.
fn can_be_met(code: &str) -> bool {
    matches!(
        code,
        "sso_required"
            | "mfa_enrollment"
            | "mfa_challenge"
            | "email_verification_required"
            | "organization_authentication_methods_required"
    )
}

/// The page itself, where asking for it again is harmless.
fn own_path(request: &HttpRequest) -> Option<ReturnPath> {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let path = request.uri().path_and_query().filter(|_| is_read)?;
    ReturnPath::parse(path.as_str())
}
