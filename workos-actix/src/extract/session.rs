//! `Session`: the browser's session, and what can be done with it.

use std::{
    future::{Ready, ready},
    rc::Rc,
};

use actix_web::{FromRequest, HttpRequest, HttpResponse, dev::Payload};

use crate::{AuthError, AuthUser, Requirement, context::RequestAuth};

/// The session of the browser that sent a request.
///
/// As a handler argument it requires one: nobody is 401 or a redirect to sign-in, a credential in `Authorization` is
/// 403 (`session_required`): it has no cookie that could be renewed.
///
/// ```
/// use actix_web::{HttpResponse, web};
/// use workos_actix::{AuthError, Session};
///
/// /// Opens a workspace: the person works in its organization from now on.
/// async fn open_workspace(session: Session, organization: web::Path<String>) -> Result<HttpResponse, AuthError> {
///     let user = session.switch_organization(&organization).await?;
///     Ok(HttpResponse::Ok().body(format!("You are {} here.", user.role().unwrap_or("a guest"))))
/// }
///
/// async fn leave(session: Session) -> HttpResponse {
///     session.sign_out(Some("/goodbye"))
/// }
/// ```
#[derive(Debug)]
pub struct Session {
    request: HttpRequest,
    auth: Rc<RequestAuth>,
    user: AuthUser,
}

impl Session {
    /// The id of the session at WorkOS, `session_…`.
    #[must_use]
    pub fn id(&self) -> &str {
        self.user.session_id()
    }

    /// Whose session it is, as of the beginning of the request.
    #[must_use]
    pub fn user(&self) -> &AuthUser {
        &self.user
    }

    /// Fetches new tokens although the access token is still good: after a change of the person's role or permissions
    /// that the next page should know of. The response carries the new cookie.
    ///
    /// # Errors
    /// As [`AuthKit::refresh_session`](crate::AuthKit::refresh_session).
    pub async fn refresh(&self) -> Result<AuthUser, AuthError> {
        self.auth.authkit.refresh_session(&self.request).await
    }

    /// Moves the session into another organization of the person's. The response carries the new cookie.
    ///
    /// # Errors
    /// As [`AuthKit::switch_organization`](crate::AuthKit::switch_organization).
    pub async fn switch_organization(&self, organization_id: &str) -> Result<AuthUser, AuthError> {
        let authkit = &self.auth.authkit;
        authkit.switch_organization(&self.request, organization_id).await
    }

    /// Ends the session here; the response redirects the browser to WorkOS, which ends it there and sends the browser
    /// to `return_to`, a path of this site, or where [`after_sign_out`](crate::AuthKitBuilder::after_sign_out) says.
    #[must_use = "return the response, so that the session ends at WorkOS too"]
    pub fn sign_out(self, return_to: Option<&str>) -> HttpResponse {
        let mut sign_out = self.auth.authkit.sign_out(&self.request);
        if let Some(path) = return_to {
            sign_out = sign_out.return_to(path);
        }
        sign_out.leave(&self.auth)
    }
}

impl FromRequest for Session {
    type Error = AuthError;
    type Future = Ready<Result<Self, AuthError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(RequestAuth::of(request).and_then(|auth| {
            let user = auth.require(request.head())?.known_user();
            Ok(Self {
                request: request.clone(),
                user: user.ok_or(AuthError::Forbidden {
                    requirement: Requirement::Session,
                })?,
                auth,
            })
        }))
    }
}
