//! Why a request is not let through, and how that is answered.

use std::time::Duration;

use actix_web::{
    HttpResponse, ResponseError,
    dev::RequestHead,
    http::{
        Method, StatusCode,
        header::{LOCATION, RETRY_AFTER, WWW_AUTHENTICATE},
        uri::PathAndQuery,
    },
};
use thiserror::Error;
use url::form_urlencoded;

use crate::{AuthKit, Requirement, navigation, page, path_pattern, return_path::ReturnPath};

/// Why there is no signed-in user.
///
/// As a response it is a redirect to sign-in for a browser that navigates, and for everyone else problem details
/// ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457), `application/problem+json`) with a `code` of ours to tell one
/// refusal from another:
///
/// ```json
/// {"type": "about:blank", "title": "Unauthorized", "status": 401, "detail": "sign-in required", "code": "sign_in_required"}
/// ```
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The app does not wrap the AuthKit middleware around this route. A mistake in the app: 500.
    #[error(
        "the AuthKit middleware is missing: add `.wrap(authkit.middleware())` to the `App`, outside of every scope \
         that uses `AuthUser`, `ensure_signed_in` or the AuthKit routes"
    )]
    MissingMiddleware,
    /// Nobody is signed in: 401 for programs, a redirect to sign-in for browsers.
    #[error("sign-in required")]
    SignInRequired {
        /// Where a browser is sent; `None` for a program.
        redirect: Option<SignInRedirect>,
    },
    /// The user proved who they are too long ago for this: a redirect to AuthKit, which asks again, for browsers, 401 for
    /// programs (RFC 9470). They are still signed in.
    #[error("a fresh sign-in is required")]
    ReauthenticationRequired {
        /// How long ago it may be.
        max_age: Duration,
        /// Where a browser is sent; `None` for a program.
        redirect: Option<SignInRedirect>,
    },
    /// There is a session, but WorkOS (or the session store) cannot be reached to check it: 503, still signed in.
    #[error("the sign-in cannot be checked at the moment")]
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
    /// The user is not an active member of the organization, or it does not exist: 403. They are still signed in where
    /// they were.
    #[error("you are not a member of this organization")]
    OrganizationForbidden,
    /// The organization wants single sign-on or a second factor before it lets the user in: a redirect to AuthKit for
    /// browsers, 403 for programs. They are still signed in where they were.
    #[error("this organization requires a sign-in of its own ({code})")]
    OrganizationSignInRequired {
        /// What WorkOS misses: `sso_required`, `mfa_enrollment`, …
        code: String,
        /// Where a browser is sent; `None` for a program.
        redirect: Option<SignInRedirect>,
    },
    /// It is known who sent the request, and that is not enough: 403.
    #[error("{requirement}")]
    Forbidden {
        /// What is missing.
        requirement: Requirement,
    },
    /// The credential in `Authorization` is not acceptable: 401 with `WWW-Authenticate: Bearer error="invalid_token"`
    /// (RFC 6750 section 3.1). A browser that navigates gets the same.
    #[error("the credential is not accepted: {description}")]
    InvalidToken {
        /// Why, in words that tell a stranger nothing.
        description: &'static str,
    },
    /// `Authorization` is not one header: 400 (RFC 6750 section 3.1, `invalid_request`).
    #[error("the request is malformed: {description}")]
    InvalidRequest {
        /// What is wrong.
        description: &'static str,
    },
    /// Another site sent a request that changes something, with the session cookie of the browser: 403.
    #[error("another site may not do this with your session")]
    CrossOrigin,
    /// The renewed session cannot be stored, in the cookie or in the session store; the log says why. 500.
    #[error("the session cannot be kept; the server's log says why")]
    SessionNotKept,
}

/// The way to the sign-in page and back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInRedirect {
    status: StatusCode,
    location: String,
}

impl SignInRedirect {
    /// To the sign-in route, for an organization if one is named, and back to `return_to`.
    pub(crate) fn new(
        authkit: &AuthKit,
        head: &RequestHead,
        return_to: Option<&ReturnPath>,
        organization_id: Option<&str>,
    ) -> Self {
        let config = authkit.config();
        let is_sign_up =
            organization_id.is_none() && path_pattern::matches_any(&config.sign_up_paths, head.uri.path());
        let route = if is_sign_up {
            &config.paths.sign_up
        } else {
            &config.paths.sign_in
        };
        let return_to = return_to.map(|path| ("return_to", path.as_str()));
        let organization_id = organization_id.map(|id| ("organization_id", id));
        Self::with(head, route, [return_to, organization_id].into_iter().flatten())
    }

    /// To AuthKit, which asks whoever signed in longer ago to do it again, and back to the page.
    pub(crate) fn to_reauthenticate(authkit: &AuthKit, head: &RequestHead, max_age: Duration) -> Self {
        let seconds = max_age.as_secs().to_string();
        let return_to = own_page(head);
        let return_to = return_to.as_ref().map(|path| ("return_to", path.as_str()));
        let max_age = Some(("max_age", seconds.as_str()));
        let sign_in = &authkit.config().paths.sign_in;
        Self::with(head, sign_in, [return_to, max_age].into_iter().flatten())
    }

    fn with<'a>(head: &RequestHead, route: &str, query: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(query)
            .finish();
        Self {
            status: if is_read(head) {
                StatusCode::TEMPORARY_REDIRECT
            } else {
                StatusCode::SEE_OTHER
            },
            location: if query.is_empty() {
                route.to_owned()
            } else {
                format!("{route}?{query}")
            },
        }
    }

    /// 307 for `GET` and `HEAD`, 303 for everything else.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The sign-in route, with `return_to` when the person can come back to the same page.
    #[must_use]
    pub fn location(&self) -> &str {
        &self.location
    }
}

fn is_read(head: &RequestHead) -> bool {
    matches!(head.method, Method::GET | Method::HEAD)
}

/// The page to come back to. What was posted cannot be posted again after sign-in, and its page may not exist for GET.
fn own_page(head: &RequestHead) -> Option<ReturnPath> {
    let path = head.uri.path_and_query().filter(|_| is_read(head));
    path.map(PathAndQuery::as_str).and_then(ReturnPath::parse)
}

impl AuthError {
    /// For a request that nobody signed in for.
    pub(crate) fn sign_in_required(authkit: &AuthKit, head: &RequestHead) -> Self {
        let return_to = own_page(head);
        let has_sign_in = authkit.config().sources.sessions;
        let redirect = (has_sign_in && navigation::is_navigation(head))
            .then(|| SignInRedirect::new(authkit, head, return_to.as_ref(), None));
        Self::SignInRequired { redirect }
    }

    /// WorkOS cannot be reached, and did not say for how long.
    pub(crate) fn unavailable() -> Self {
        Self::Unavailable {
            retry_after: Duration::from_secs(5),
        }
    }

    /// Where a browser is sent.
    pub(crate) fn redirect(&self) -> Option<&SignInRedirect> {
        match self {
            Self::SignInRequired { redirect }
            | Self::ReauthenticationRequired { redirect, .. }
            | Self::OrganizationSignInRequired { redirect, .. } => redirect.as_ref(),
            _ => None,
        }
    }

    /// The same for somebody who cannot follow it.
    pub(crate) fn without_redirect(&self) -> Self {
        let mut error = self.clone();
        if let Self::SignInRequired { redirect }
        | Self::ReauthenticationRequired { redirect, .. }
        | Self::OrganizationSignInRequired { redirect, .. } = &mut error
        {
            *redirect = None;
        }
        error
    }

    /// The `code` of the answer to a program: `sign_in_required`, `permission_required`, `invalid_token`, ….
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::MissingMiddleware => "authkit_middleware_missing",
            Self::SignInRequired { .. } => "sign_in_required",
            Self::ReauthenticationRequired { .. } => "reauthentication_required",
            Self::Unavailable { .. } => "authentication_unavailable",
            Self::OrganizationForbidden => "organization_forbidden",
            Self::OrganizationSignInRequired { code, .. } => code,
            Self::Forbidden { requirement } => requirement.code(),
            Self::InvalidToken { .. } => "invalid_token",
            Self::InvalidRequest { .. } => "invalid_request",
            Self::CrossOrigin => "cross_origin_request",
            Self::SessionNotKept => "session_not_kept",
        }
    }
}

impl ResponseError for AuthError {
    fn status_code(&self) -> StatusCode {
        if let Some(redirect) = self.redirect() {
            return redirect.status;
        }
        match self {
            Self::MissingMiddleware | Self::SessionNotKept => StatusCode::INTERNAL_SERVER_ERROR,
            Self::SignInRequired { .. }
            | Self::ReauthenticationRequired { .. }
            | Self::InvalidToken { .. } => StatusCode::UNAUTHORIZED,
            Self::InvalidRequest { .. } => StatusCode::BAD_REQUEST,
            Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::OrganizationForbidden
            | Self::OrganizationSignInRequired { .. }
            | Self::Forbidden { .. }
            | Self::CrossOrigin => StatusCode::FORBIDDEN,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if let Some(redirect) = self.redirect() {
            return response
                .insert_header((LOCATION, redirect.location.as_str()))
                .finish();
        }
        match self {
            Self::MissingMiddleware => tracing::error!("{self}"),
            Self::SignInRequired { .. } => {
                response.insert_header((WWW_AUTHENTICATE, "Bearer"));
            }
            Self::ReauthenticationRequired { max_age, .. } => {
                let seconds = max_age.as_secs();
                let challenge =
                    format!("Bearer error=\"insufficient_user_authentication\", max_age=\"{seconds}\"");
                response.insert_header((WWW_AUTHENTICATE, challenge));
            }
            Self::InvalidToken { description } | Self::InvalidRequest { description } => {
                let challenge = format!(
                    "Bearer error=\"{}\", error_description=\"{description}\"",
                    self.code()
                );
                response.insert_header((WWW_AUTHENTICATE, challenge));
            }
            Self::Unavailable { retry_after } => {
                response.insert_header((RETRY_AFTER, retry_after.as_secs().max(1)));
            }
            _ => {}
        }
        page::problem(&mut response, self.code(), &self.to_string())
    }
}
