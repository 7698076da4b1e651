//! Signing out: of the session, of this browser alone, or everywhere.

use std::{fmt, rc::Rc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, StatusCode},
};
use serde::Deserialize;
use url::Url;
use workos::{
    RevokeSession, UserSessionsStatus,
    user_management::{GetLogoutUrlParams, ListSessionsParams, RevokeSessionParams},
};

use crate::{
    AuthError, AuthKit, AuthUser,
    context::{RequestAuth, SessionChange},
    return_path::ReturnPath,
    routes,
};

const PAGE: i64 = 100;

/// What ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scope {
    /// The session, here and at WorkOS.
    #[default]
    Session,
    /// The cookie of this browser; WorkOS is told nothing.
    Here,
    /// Every session of the person.
    Everywhere,
}

/// A sign-out, made by [`AuthKit::sign_out`].
#[must_use = "call `redirect`"]
pub struct SignOut<'a> {
    authkit: &'a AuthKit,
    request: &'a HttpRequest,
    scope: Scope,
    return_to: Option<ReturnPath>,
}

impl fmt::Debug for SignOut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignOut")
            .field("scope", &self.scope)
            .field("return_to", &self.return_to)
            .finish_non_exhaustive()
    }
}

impl AuthKit {
    /// Signs out, in a handler of your own; the [routes](Self::routes) do it for forms and links.
    ///
    /// It changes state: let such a handler be reached by `POST` from your own pages only.
    ///
    /// ```
    /// use actix_web::{HttpRequest, HttpResponse, web};
    /// use workos_actix::{AuthError, AuthKit};
    ///
    /// /// After a change of the password.
    /// async fn sign_out_everywhere(
    ///     request: HttpRequest,
    ///     authkit: web::Data<AuthKit>,
    /// ) -> Result<HttpResponse, AuthError> {
    ///     authkit.sign_out(&request).everywhere().return_to("/bye").redirect().await
    /// }
    /// ```
    pub fn sign_out<'a>(&'a self, request: &'a HttpRequest) -> SignOut<'a> {
        SignOut {
            authkit: self,
            request,
            scope: Scope::Session,
            return_to: None,
        }
    }

    /// Ends all sessions of the signed-in person at WorkOS but that of the request; answers how many there were.
    ///
    /// Copies of their cookies die at once, here and on all machines of a
    /// [shared state](crate::AuthKitBuilder::shared_state); access tokens that are already out elsewhere live on until they
    /// expire (minutes). Without a user, and for who impersonates somebody, nothing ends.
    ///
    /// ```
    /// use actix_web::{HttpRequest, web};
    /// use workos_actix::{AuthError, AuthKit};
    ///
    /// async fn end_other_sessions(request: HttpRequest, authkit: web::Data<AuthKit>) -> Result<String, AuthError> {
    ///     let ended = authkit.sign_out_elsewhere(&request).await?;
    ///     Ok(format!("{ended} other browsers are signed out."))
    /// }
    /// ```
    ///
    /// # Errors
    /// [`AuthError::Unavailable`] when WorkOS cannot be asked, or only for some; [`AuthError::MissingMiddleware`].
    pub async fn sign_out_elsewhere(&self, request: &HttpRequest) -> Result<usize, AuthError> {
        self.end_others(&RequestAuth::of(request)?).await
    }

    async fn end_others(&self, auth: &Rc<RequestAuth>) -> Result<usize, AuthError> {
        // Only who is signed in now: an old cookie must not end sessions that are newer.
        let Some(user) = auth.user()?.filter(|user| user.impersonator().is_none()) else {
            return Ok(0);
        };
        let unavailable = |error: workos::Error| {
            tracing::error!(%error, user.id = %user.id(), "the other sessions cannot be ended");
            let retry_after = error.api().and_then(|api| api.retry_after);
            AuthError::Unavailable {
                retry_after: retry_after.unwrap_or(Duration::from_secs(5)),
            }
        };
        let others = self.other_sessions(&user).await.map_err(unavailable)?;
        for session_id in &others {
            let params = RevokeSessionParams::new(RevokeSession {
                session_id: session_id.clone(),
            });
            match self.client().user_management().revoke_session(params).await {
                Ok(()) => {}
                // Somebody else was faster.
                Err(error) if error.api().is_some_and(|api| [400, 404].contains(&api.status)) => {}
                Err(error) => return Err(unavailable(error)),
            }
            if let Err(error) = self.verified().end(session_id).await {
                tracing::error!(%error, "other machines do not know of the sign-out yet");
            }
        }
        Ok(others.len())
    }

    /// All of them before the first ends: the list moves while sessions end.
    async fn other_sessions(&self, user: &AuthUser) -> Result<Vec<String>, workos::Error> {
        let mut params = ListSessionsParams {
            limit: Some(PAGE),
            ..Default::default()
        };
        let mut others = Vec::new();
        loop {
            let user_management = self.client().user_management();
            let page = user_management.list_sessions(user.id(), params.clone()).await?;
            let active = page.data.into_iter().filter(|session| {
                session.status == UserSessionsStatus::Active && session.id != user.session_id()
            });
            others.extend(active.map(|session| session.id));
            match page.list_metadata.after {
                Some(after) if !after.is_empty() => params.after = Some(after),
                _ => return Ok(others),
            }
        }
    }
}

impl SignOut<'_> {
    pub(crate) fn scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Only the cookie of this browser goes, and copies of it die with it; the session at WorkOS lives on, and
    /// the next sign-in from this browser may ask nothing.
    pub fn here_only(self) -> Self {
        self.scope(Scope::Here)
    }

    /// Every session of the person ends at WorkOS, in all browsers and apps of the environment. Access tokens that are
    /// already out elsewhere live on until they expire (minutes).
    ///
    /// Who impersonates somebody ends the impersonation alone.
    pub fn everywhere(self) -> Self {
        self.scope(Scope::Everywhere)
    }

    /// The page to see afterwards: a path of this site, which must be among the sign-out redirects of the WorkOS dashboard.
    /// Anything else is ignored.
    pub fn return_to(mut self, path: impl AsRef<str>) -> Self {
        self.return_to = routes::return_path(self.authkit, Some(path.as_ref()));
        self
    }

    /// Ends the session here, and answers the redirect that ends it at WorkOS.
    ///
    /// Works with an expired session too, and while WorkOS is unreachable. Where WorkOS has nothing to end, the redirect
    /// leads to [`return_to`](Self::return_to), to
    /// [`after_sign_out`](crate::AuthKitBuilder::after_sign_out), or to `/`.
    ///
    /// # Errors
    /// [`AuthError::Unavailable`] when WorkOS cannot be asked to end the other sessions, or the session store what there is to
    /// end: the person is still signed in, and may try again. [`AuthError::MissingMiddleware`].
    pub async fn redirect(self) -> Result<HttpResponse, AuthError> {
        let auth = RequestAuth::of(self.request)?;
        if auth.is_out_of_reach() {
            return Err(AuthError::unavailable());
        }
        if self.scope == Scope::Everywhere {
            // This one is for the redirect, which ends AuthKit's own cookie with it.
            self.authkit.end_others(&auth).await?;
        }
        Ok(self.leave(&auth))
    }

    /// Ends the session of this browser; the others have ended, if they are to.
    pub(crate) fn leave(self, auth: &RequestAuth) -> HttpResponse {
        let session_id = auth.session_id();
        auth.change_session(SessionChange::End);
        let location = session_id
            .filter(|_| self.scope != Scope::Here)
            .and_then(|id| self.logout_url(id))
            .unwrap_or_else(|| self.local_page());
        let is_read = matches!(*self.request.method(), Method::GET | Method::HEAD);
        let status = if is_read {
            StatusCode::TEMPORARY_REDIRECT
        } else {
            StatusCode::SEE_OTHER
        };
        routes::redirect(status, &location)
    }

    /// At WorkOS, which wants an absolute URL: one of the sign-out redirects in its dashboard.
    fn logout_url(&self, session_id: String) -> Option<String> {
        let return_to = match &self.return_to {
            Some(path) => self.authkit.absolute(self.request, path),
            None => self.authkit.config().paths.after_sign_out.clone(),
        };
        let params = GetLogoutUrlParams {
            return_to: return_to.map(String::from),
            ..GetLogoutUrlParams::new(session_id)
        };
        let url = self.authkit.client().user_management().get_logout_url(params);
        url.ok().filter(|url| Url::parse(url).is_ok())
    }

    fn local_page(&self) -> String {
        let after_sign_out = &self.authkit.config().paths.after_sign_out;
        match (&self.return_to, after_sign_out) {
            (Some(path), _) => path.to_string(),
            (None, Some(url)) => url.as_str().to_owned(),
            (None, None) => "/".to_owned(),
        }
    }
}
