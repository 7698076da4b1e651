//! Why a sign-in was not completed.

use std::{error::Error, sync::Arc};

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, RETRY_AFTER},
    },
};
use thiserror::Error;

use crate::{AuthError, page};

/// Why a sign-in was not completed. Nobody is signed in by it; who was signed in before still is.
///
/// `Display` is a sentence for the person. With the words of the provider, which are whatever the callback's query says
/// and may be a stranger's: in HTML write [`message_html`](Self::message_html).
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum SignInError {
    /// The callback has neither a code nor an error: 400.
    #[error("The sign-in response is incomplete.")]
    Malformed,
    /// This browser holds nothing of the sign-in that comes back: 400.
    #[error(
        "This sign-in was not started in this browser, was started too long ago, or is already completed."
    )]
    UnknownAttempt,
    /// AuthKit or an identity provider says no, by `error` and `error_description`: 401, or 502 and 503 for
    /// `server_error` and `temporarily_unavailable`. Both texts are as they came, without control characters and cut at
    /// 300 characters.
    #[error("{}", .description.as_deref().unwrap_or("The sign-in was refused."))]
    Provider {
        /// `error`, such as `access_denied`.
        code: String,
        /// `error_description`.
        description: Option<String>,
    },
    /// WorkOS refuses the code: 401.
    #[error("WorkOS did not accept the sign-in.")]
    Rejected {
        /// WorkOS's reason, such as `invalid_grant`.
        code: String,
    },
    /// WorkOS's answer, or a token in it, is not acceptable; the log says why: 502.
    #[error("WorkOS answered in a way that cannot be used.")]
    BadAnswer,
    /// WorkOS cannot be reached: 503.
    #[error("WorkOS cannot be reached. Try again in a moment.")]
    Unavailable,
    /// The app's [`on_success`](crate::AuthKitBuilder::on_success) failed with this, or redirects to what is no URL: 500.
    #[error("The sign-in could not be completed here. Try again in a moment.")]
    Hook(#[source] Arc<dyn Error + Send + Sync>),
    /// Another site's page sent what only a page of this site may: 403. See
    /// [`trusted_origins`](crate::AuthKitBuilder::trusted_origins).
    #[error("Another site may not sign you in.")]
    CrossOrigin,
    /// The app keeps a session although it has switched sessions off: nobody would read the cookie. A mistake in the app:
    /// 500.
    #[error(
        "There are no sessions here: the app has switched them off by `without_sessions()`, and `save_session` needs them. \
         Remove the one or the other."
    )]
    WithoutSessions,
    /// The app does not wrap the AuthKit middleware around this route. A mistake in the app: 500.
    #[error("{}", AuthError::MissingMiddleware)]
    MissingMiddleware,
}

/// A small page: whoever signs in is a person. Handlers take a `Result` to answer themselves.
impl ResponseError for SignInError {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status());
        response.insert_header((CACHE_CONTROL, "no-store"));
        match self {
            Self::MissingMiddleware => return AuthError::MissingMiddleware.error_response(),
            Self::Unavailable => {
                response.insert_header((RETRY_AFTER, "5"));
            }
            _ => {}
        }
        page::error_page(&mut response, "Sign-in", &self.to_string(), ("/", "Back"))
    }
}

impl SignInError {
    /// What a program makes of it: `invalid_request`, `invalid_state`, `bad_gateway`, `temporarily_unavailable`,
    /// `sign_in_hook_failed`, `sessions_switched_off`, or the code of the provider or of WorkOS.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Malformed => "invalid_request",
            Self::UnknownAttempt => "invalid_state",
            Self::Provider { code, .. } | Self::Rejected { code } => code,
            Self::BadAnswer => "bad_gateway",
            Self::Unavailable => "temporarily_unavailable",
            Self::Hook(_) => "sign_in_hook_failed",
            Self::CrossOrigin => "cross_origin_request",
            Self::WithoutSessions => "sessions_switched_off",
            Self::MissingMiddleware => "authkit_middleware_missing",
        }
    }

    /// What the metrics call it: nothing that comes from outside.
    pub(crate) fn outcome(&self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownAttempt => "unknown_attempt",
            Self::Provider { .. } => "provider",
            Self::Rejected { .. } => "rejected",
            Self::BadAnswer => "bad_answer",
            Self::Unavailable => "unavailable",
            Self::Hook(_) => "hook",
            Self::CrossOrigin => "cross_origin",
            Self::WithoutSessions => "without_sessions",
            Self::MissingMiddleware => "middleware_missing",
        }
    }

    /// The status of the answer, unless it is a redirect.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Malformed | Self::UnknownAttempt => StatusCode::BAD_REQUEST,
            Self::Provider { code, .. } => match code.as_str() {
                "server_error" => StatusCode::BAD_GATEWAY,
                "temporarily_unavailable" => StatusCode::SERVICE_UNAVAILABLE,
                _ => StatusCode::UNAUTHORIZED,
            },
            Self::Rejected { .. } => StatusCode::UNAUTHORIZED,
            Self::BadAnswer => StatusCode::BAD_GATEWAY,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::CrossOrigin => StatusCode::FORBIDDEN,
            Self::Hook(_) | Self::WithoutSessions | Self::MissingMiddleware => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }

    /// The sentence for the person, escaped: it can stand in an element or in a quoted attribute.
    #[must_use]
    pub fn message_html(&self) -> String {
        page::escape(&self.to_string()).into_owned()
    }

    /// The error of the app's own hook, to be downcast.
    ///
    /// ```
    /// # #[derive(Debug)] struct Deactivated;
    /// # impl std::fmt::Display for Deactivated {
    /// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("deactivated") }
    /// # }
    /// # impl std::error::Error for Deactivated {}
    /// fn is_deactivated(error: &workos_actix::SignInError) -> bool {
    ///     error.hook_error().is_some_and(|error| error.is::<Deactivated>())
    /// }
    /// ```
    #[must_use]
    pub fn hook_error(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        match self {
            Self::Hook(error) => Some(error.as_ref()),
            _ => None,
        }
    }
}
