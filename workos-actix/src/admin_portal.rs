//! The way to WorkOS's Admin Portal, for the IT department of the organization that the session is in.

use std::fmt;

use actix_web::{HttpRequest, HttpResponse, ResponseError, http::StatusCode};
use thiserror::Error;
use workos::{GenerateLink, GenerateLinkIntent, admin_portal::GenerateLinkParams};

use crate::{AuthContext, AuthError, AuthKit, context::RequestAuth, page, return_path::ReturnPath, routes};

/// A link into the Admin Portal, made by [`AuthKit::admin_portal`].
#[must_use = "call `redirect`"]
pub struct AdminPortal<'a> {
    authkit: &'a AuthKit,
    request: &'a HttpRequest,
    intent: GenerateLinkIntent,
    return_to: Option<ReturnPath>,
    success_to: Option<ReturnPath>,
}

impl fmt::Debug for AdminPortal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminPortal")
            .field("intent", &self.intent)
            .field("return_to", &self.return_to)
            .field("success_to", &self.success_to)
            .finish_non_exhaustive()
    }
}

impl AuthKit {
    /// Leads to WorkOS's Admin Portal, where the person sets up single sign-on, a directory, domains, … of the organization
    /// that the session is in. There is no way to name another one.
    ///
    /// Who may do that is for the app to decide: whoever has the link is an administrator there. The link lives for five
    /// minutes and is made for the user's id, by which
    /// [`revoke_link`](https://workos.com/docs/reference/admin-portal) takes it back.
    ///
    /// ```
    /// use actix_web::{HttpRequest, HttpResponse, web};
    /// use workos_actix::{AdminPortalError, AuthKit, AuthUser, workos::GenerateLinkIntent};
    ///
    /// /// `POST /settings/sso`
    /// async fn set_up_sso(
    ///     request: HttpRequest,
    ///     user: AuthUser,
    ///     authkit: web::Data<AuthKit>,
    /// ) -> Result<HttpResponse, AdminPortalError> {
    ///     if user.role() != Some("admin") {
    ///         return Ok(HttpResponse::Forbidden().finish());
    ///     }
    ///     let portal = authkit.admin_portal(&request, GenerateLinkIntent::SSO);
    ///     portal.return_to("/settings").success_to("/settings?sso=ready").redirect().await
    /// }
    /// ```
    ///
    /// Source: <https://workos.com/docs/admin-portal>.
    pub fn admin_portal<'a>(
        &'a self,
        request: &'a HttpRequest,
        intent: impl Into<GenerateLinkIntent>,
    ) -> AdminPortal<'a> {
        AdminPortal {
            authkit: self,
            request,
            intent: intent.into(),
            return_to: None,
            success_to: None,
        }
    }
}

impl AdminPortal<'_> {
    /// The page of this site that the portal's way back leads to. Without it: the one of the WorkOS dashboard.
    pub fn return_to(mut self, path: impl AsRef<str>) -> Self {
        self.return_to = routes::return_path(self.authkit, Some(path.as_ref()));
        self
    }

    /// The page of this site to see when everything is set up. Without it: the one of the WorkOS dashboard.
    pub fn success_to(mut self, path: impl AsRef<str>) -> Self {
        self.success_to = routes::return_path(self.authkit, Some(path.as_ref()));
        self
    }

    /// Sends the browser into the portal (303).
    ///
    /// # Errors
    /// [`AdminPortalError`].
    pub async fn redirect(self) -> Result<HttpResponse, AdminPortalError> {
        let auth = RequestAuth::of(self.request)?;
        let person = auth.require_person(self.request.head())?;
        let link = self.link(&person).await?;
        Ok(routes::redirect(StatusCode::SEE_OTHER, &link))
    }

    async fn link(self, person: &AuthContext) -> Result<String, AdminPortalError> {
        let organization = person.organization_id().ok_or(AdminPortalError::NoOrganization)?;
        let url = |path: Option<ReturnPath>| {
            path.and_then(|path| self.authkit.absolute(self.request, &path))
                .map(String::from)
        };
        let params = GenerateLinkParams::new(GenerateLink {
            organization: organization.to_owned(),
            intent: Some(self.intent),
            return_url: url(self.return_to),
            success_url: url(self.success_to),
            external_user_id: person.user_id().map(str::to_owned),
            it_contact_emails: None,
        });
        let portal = self.authkit.client().admin_portal().generate_link(params).await;
        portal
            .map(|portal| portal.link.into_inner())
            .map_err(AdminPortalError::WorkOs)
    }
}

/// Why nobody is led into the Admin Portal.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AdminPortalError {
    /// Nobody is signed in, or that cannot be known.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The session is in no organization: 403.
    #[error("the session is in no organization")]
    NoOrganization,
    /// WorkOS refuses, or cannot be reached: 502. The log says why.
    #[error("WorkOS made no link into the Admin Portal: {0}")]
    WorkOs(#[source] workos::Error),
}

impl ResponseError for AdminPortalError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Auth(error) => error.status_code(),
            Self::NoOrganization => StatusCode::FORBIDDEN,
            Self::WorkOs(_) => StatusCode::BAD_GATEWAY,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let (code, message) = match self {
            Self::Auth(error) => return error.error_response(),
            Self::NoOrganization => ("no_organization", "The session is in no organization."),
            Self::WorkOs(error) => {
                tracing::error!(%error, "no link into the Admin Portal");
                ("bad_gateway", "The Admin Portal cannot be opened at the moment.")
            }
        };
        page::problem(&mut HttpResponse::build(self.status_code()), code, message)
    }
}
