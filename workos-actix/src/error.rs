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

use crate::{AuthKit, navigation, page, return_path::ReturnPath};

/// Why there is no signed-in user.
///
/// As a response it is a redirect to sign-in for a browser that navigates, and JSON with `code` and `message` for
/// everyone else.
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
    /// There is a session, but WorkOS (or the session store) cannot be reached to check it: 503, still signed in.
    #[error("the sign-in cannot be checked at the moment")]
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
}

/// The way to the sign-in page and back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInRedirect {
    status: StatusCode,
    location: String,
}

impl SignInRedirect {
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

impl AuthError {
    /// For a request that nobody signed in for.
    pub(crate) fn sign_in_required(authkit: &AuthKit, head: &RequestHead) -> Self {
        let redirect = navigation::is_navigation(head).then(|| sign_in_redirect(authkit, head));
        Self::SignInRequired { redirect }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::MissingMiddleware => "authkit_middleware_missing",
            Self::SignInRequired { .. } => "sign_in_required",
            Self::Unavailable { .. } => "authentication_unavailable",
        }
    }
}

fn sign_in_redirect(authkit: &AuthKit, head: &RequestHead) -> SignInRedirect {
    let sign_in = &authkit.config().paths.sign_in;
    let is_read = matches!(head.method, Method::GET | Method::HEAD);
    // What was posted cannot be posted again after sign-in, and its page may not exist for GET.
    let return_path = if is_read {
        head.uri.path_and_query().map(PathAndQuery::as_str)
    } else {
        None
    };
    let query = return_path.and_then(ReturnPath::parse).map(|path| {
        form_urlencoded::Serializer::new(String::new())
            .append_pair("return_to", path.as_str())
            .finish()
    });
    SignInRedirect {
        status: if is_read {
            StatusCode::TEMPORARY_REDIRECT
        } else {
            StatusCode::SEE_OTHER
        },
        location: query.map_or_else(|| sign_in.clone(), |query| format!("{sign_in}?{query}")),
    }
}

impl ResponseError for AuthError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::MissingMiddleware => StatusCode::INTERNAL_SERVER_ERROR,
            Self::SignInRequired {
                redirect: Some(redirect),
            } => redirect.status,
            Self::SignInRequired { redirect: None } => StatusCode::UNAUTHORIZED,
            Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        match self {
            Self::MissingMiddleware => tracing::error!("{self}"),
            Self::SignInRequired {
                redirect: Some(redirect),
            } => {
                return response
                    .insert_header((LOCATION, redirect.location.as_str()))
                    .finish();
            }
            Self::SignInRequired { redirect: None } => {
                response.insert_header((WWW_AUTHENTICATE, "Bearer"));
            }
            Self::Unavailable { retry_after } => {
                response.insert_header((RETRY_AFTER, retry_after.as_secs().max(1)));
            }
        }
        page::json_error(&mut response, self.code(), &self.to_string())
    }
}
