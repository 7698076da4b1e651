//! Why a delivery is refused.

use std::time::Duration;

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header::RETRY_AFTER},
};
use thiserror::Error;

use crate::{counted, page};

/// Why a webhook is refused. The response is problem details (RFC 9457) with a `code`.
///
/// WorkOS [delivers again](https://workos.com/docs/events/data-syncing/webhooks) whatever is not answered with 2xx: up to 6
/// times with exponential backoff, over 3 days (in staging for several minutes), and shows it in its dashboard.
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
    /// The body came too slowly: 408.
    #[error("the body did not arrive within {} seconds", .timeout.as_secs_f32())]
    TimedOut {
        /// The configured bound.
        timeout: Duration,
    },
    /// The event is known here, but its data is not what the SDK's model says: 500, so that WorkOS keeps the event until
    /// it can be read.
    #[error("{event} ({id}) has an unexpected shape: {reason}")]
    UnexpectedShape {
        /// The event id.
        id: String,
        /// The kind of event.
        event: String,
        /// What does not fit.
        reason: String,
    },
    /// A handler failed, panicked or took too long: 500. The log says why.
    #[error("{id} could not be handled")]
    HandlerFailed {
        /// The event id.
        id: String,
    },
    /// Another delivery of the event is being handled, and may fail yet: 503.
    #[error("{id} is being handled by another request")]
    InProgress {
        /// The event id.
        id: String,
    },
    /// The [`EventClaims`](crate::EventClaims) cannot tell whether the event was handled: 503.
    #[error("whether {id} was handled before is not known at the moment")]
    ClaimsUnavailable {
        /// The event id.
        id: String,
    },
    /// The [shared state](crate::WebhookConfig::shared_state) cannot be reached; the log says why: 503.
    #[error("whether this delivery was received before cannot be told at the moment")]
    Unavailable,
}

impl WebhookError {
    /// The `code` of the response: `webhook_signature_mismatch`, `webhook_stale`, ….
    #[must_use]
    pub fn code(&self) -> String {
        format!("webhook_{}", self.reason())
    }

    /// What follows `webhook_` or `action_` in the `code` of the response.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::MissingConfig => "config_missing",
            Self::MissingSignature => "signature_missing",
            Self::MalformedSignature(_) => "signature_malformed",
            Self::SignatureMismatch => "signature_mismatch",
            Self::Stale { .. } => "stale",
            Self::Replayed { .. } => "replayed",
            Self::Malformed(_) => "malformed",
            Self::TooLarge { .. } => "too_large",
            Self::Unreadable => "unreadable",
            Self::TimedOut { .. } => "timed_out",
            Self::UnexpectedShape { .. } => "unexpected_shape",
            Self::HandlerFailed { .. } => "handler_failed",
            Self::InProgress { .. } => "in_progress",
            Self::ClaimsUnavailable { .. } => "claims_unavailable",
            Self::Unavailable => "unavailable",
        }
    }
}

/// A delivery, counted.
pub(super) fn counted<T>(received: Result<T, WebhookError>) -> Result<T, WebhookError> {
    counted::webhook(
        received
            .as_ref()
            .map_or_else(WebhookError::reason, |_| "accepted"),
    );
    received
}

impl ResponseError for WebhookError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::MissingConfig | Self::UnexpectedShape { .. } | Self::HandlerFailed { .. } => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Self::MissingSignature | Self::MalformedSignature(_) | Self::Malformed(_) | Self::Unreadable => {
                StatusCode::BAD_REQUEST
            }
            Self::SignatureMismatch | Self::Stale { .. } => StatusCode::UNAUTHORIZED,
            Self::Replayed { .. } => StatusCode::CONFLICT,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TimedOut { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::InProgress { .. } | Self::ClaimsUnavailable { .. } | Self::Unavailable => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::MissingConfig | Self::UnexpectedShape { .. } => tracing::error!("{self}"),
            // The cause was logged where it happened.
            Self::HandlerFailed { .. } | Self::ClaimsUnavailable { .. } => {}
            Self::InProgress { .. } => tracing::info!("webhook postponed: {self}"),
            _ => tracing::warn!("webhook refused: {self}"),
        }
        let mut response = HttpResponse::build(self.status_code());
        if self.status_code() == StatusCode::SERVICE_UNAVAILABLE {
            response.insert_header((RETRY_AFTER, "5"));
        }
        page::problem(&mut response, &self.code(), &self.to_string())
    }
}
