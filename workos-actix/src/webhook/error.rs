//! Why a delivery is refused.

use std::time::Duration;

use actix_web::{HttpResponse, ResponseError, http::StatusCode};
use thiserror::Error;

use crate::page;

/// Why a webhook is refused. The response is JSON with `code` and `message`; WorkOS retries whatever is not 2xx.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// The app has no [`WebhookConfig`](crate::WebhookConfig): 500.
    #[error("webhooks are not configured: add `.app_data(WebhookConfig::new(\"whsec_…\"))` to the `App`")]
    MissingConfig,
    /// There is no `WorkOS-Signature` header: 400.
    #[error("the WorkOS-Signature header is missing")]
    MissingSignature,
    /// The header is not `t=<milliseconds>, v1=<hex>`: 400.
    #[error("the WorkOS-Signature header is malformed: {0}")]
    MalformedSignature(&'static str),
    /// The body was changed, or signed with another secret: 401.
    #[error("the signature does not match the body")]
    SignatureMismatch,
    /// The signature is too old, or from the future: 401.
    #[error("the signature is older or newer than {} seconds", .tolerance.as_secs())]
    Stale {
        /// The configured tolerance.
        tolerance: Duration,
    },
    /// This very request was accepted before: 409.
    #[error("this delivery of {id} was received before")]
    Replayed {
        /// The event id.
        id: String,
    },
    /// The body is signed, but is no event: 400.
    #[error("the body is not an event: {0}")]
    Malformed(String),
    /// The body is longer than allowed: 413.
    #[error("the body is longer than {max_bytes} bytes")]
    TooLarge {
        /// The configured bound.
        max_bytes: usize,
    },
    /// The body broke off: 400.
    #[error("the body cannot be read")]
    Unreadable,
    /// The [shared state](crate::WebhookConfig::shared_state) cannot be reached; the log says why: 503.
    #[error("whether this delivery was received before cannot be told at the moment")]
    Unavailable,
}

impl WebhookError {
    fn code(&self) -> &'static str {
        match self {
            Self::MissingConfig => "webhook_config_missing",
            Self::MissingSignature => "webhook_signature_missing",
            Self::MalformedSignature(_) => "webhook_signature_malformed",
            Self::SignatureMismatch => "webhook_signature_mismatch",
            Self::Stale { .. } => "webhook_stale",
            Self::Replayed { .. } => "webhook_replayed",
            Self::Malformed(_) => "webhook_malformed",
            Self::TooLarge { .. } => "webhook_too_large",
            Self::Unreadable => "webhook_unreadable",
            Self::Unavailable => "webhook_unavailable",
        }
    }
}

impl ResponseError for WebhookError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::MissingConfig => StatusCode::INTERNAL_SERVER_ERROR,
            Self::MissingSignature | Self::MalformedSignature(_) | Self::Malformed(_) | Self::Unreadable => {
                StatusCode::BAD_REQUEST
            }
            Self::SignatureMismatch | Self::Stale { .. } => StatusCode::UNAUTHORIZED,
            Self::Replayed { .. } => StatusCode::CONFLICT,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::MissingConfig => tracing::error!("{self}"),
            _ => tracing::warn!("webhook refused: {self}"),
        }
        page::json_error(
            &mut HttpResponse::build(self.status_code()),
            self.code(),
            &self.to_string(),
        )
    }
}
