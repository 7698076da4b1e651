//! Why an Action is refused.

use actix_web::{HttpResponse, ResponseError, http::StatusCode};
use thiserror::Error;

use crate::{WebhookError, page};

/// Why an Action is refused. The response is problem details (RFC 9457) with a `code`; WorkOS then does what the dashboard says about
/// errors of the Action: by default it denies.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ActionError {
    /// The app has no [`ActionConfig`](crate::ActionConfig): 500.
    #[error("Actions are not configured: add `.app_data(ActionConfig::new(\"…\"))` to the `App`")]
    MissingConfig,
    /// The request is about something else than the handler takes: 400. Each Action has a URL of its own in the dashboard.
    #[error("this is the endpoint of another Action: the request is about {0}")]
    OtherAction(&'static str),
    /// The request is refused for the same reasons, and with the same statuses, as a webhook.
    #[error(transparent)]
    Request(#[from] WebhookError),
}

impl ActionError {
    /// The `code` of the response: `action_signature_mismatch`, `action_other`, ….
    #[must_use]
    pub fn code(&self) -> String {
        format!("action_{}", self.reason())
    }

    /// What follows `action_` in the `code` of the response.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::MissingConfig => "config_missing",
            Self::OtherAction(_) => "other",
            Self::Request(error) => error.reason(),
        }
    }
}

impl ResponseError for ActionError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::MissingConfig => StatusCode::INTERNAL_SERVER_ERROR,
            Self::OtherAction(_) => StatusCode::BAD_REQUEST,
            Self::Request(error) => error.status_code(),
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::MissingConfig => tracing::error!("{self}"),
            _ => tracing::warn!("Action refused: {self}"),
        }
        page::problem(
            &mut HttpResponse::build(self.status_code()),
            &self.code(),
            &self.to_string(),
        )
    }
}
