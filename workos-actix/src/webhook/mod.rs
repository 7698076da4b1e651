//! Webhooks that WorkOS really sent.

mod error;
mod replay;
mod signature;

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    web::{Bytes, Data, Payload as Body},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use workos::SecretString;

pub use self::error::WebhookError;
use self::{replay::Deliveries, signature::Signature};
use crate::{
    clock::{Clock, SystemClock, unix_millis},
    digest::Fingerprint,
    shared_state::{AnySharedState, SharedState},
};

const HEADER: &str = "workos-signature";
const DEFAULT_TOLERANCE: Duration = Duration::from_secs(180);
const DEFAULT_MAX_BYTES: usize = 1024 * 1024;

/// How webhooks are verified. Hand it to the app once, made outside of the closure of `HttpServer::new`:
///
/// ```no_run
/// use actix_web::{App, HttpResponse, HttpServer, web};
/// use workos_actix::{Webhook, WebhookConfig};
///
/// async fn webhook(webhook: Webhook) -> HttpResponse {
///     if webhook.event == "dsync.user.created" {
///         // …
///     }
///     HttpResponse::Ok().finish()
/// }
///
/// # #[actix_web::main]
/// # async fn main() -> std::io::Result<()> {
/// let config = WebhookConfig::new("whsec_…");
/// HttpServer::new(move || {
///     App::new().app_data(config.clone()).route("/webhooks/workos", web::post().to(webhook))
/// })
/// # .bind(("127.0.0.1", 8080))?.run().await }
/// ```
///
/// Clones share the memory of deliveries that were already accepted.
#[derive(Debug, Clone)]
pub struct WebhookConfig {
    secrets: Vec<SecretString>,
    tolerance: Duration,
    max_bytes: usize,
    clock: Arc<dyn Clock>,
    deliveries: Arc<Deliveries>,
}

impl WebhookConfig {
    /// Verifies with the secret of a webhook endpoint, whole, as the WorkOS dashboard shows it (`whsec_` included).
    #[must_use]
    pub fn new(secret: impl Into<String>) -> Self {
        Self {
            secrets: vec![SecretString::new(secret)],
            tolerance: DEFAULT_TOLERANCE,
            max_bytes: DEFAULT_MAX_BYTES,
            clock: Arc::new(SystemClock),
            deliveries: Arc::default(),
        }
    }

    /// Accepts another secret too: while a secret is rotated, or for a second endpoint.
    #[must_use]
    pub fn or_secret(mut self, secret: impl Into<String>) -> Self {
        self.secrets.push(SecretString::new(secret));
        self
    }

    /// How old (or early) a signature may be: 180 seconds by default, as in WorkOS's kits.
    #[must_use]
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// The longest body, in bytes: 1 MiB by default.
    #[must_use]
    pub fn max_bytes(mut self, max_bytes: usize) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// Replaces the system clock: for tests.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Remembers accepted deliveries together with other machines, so that one that was accepted on one of them is a replay
    /// on all. Without it each process remembers its own.
    ///
    /// While the shared state cannot be reached, deliveries are answered with 503, and WorkOS tries again later.
    #[must_use]
    pub fn shared_state(mut self, state: impl SharedState + 'static) -> Self {
        self.deliveries = Arc::new(Deliveries::shared(AnySharedState::new(state)));
        self
    }

    /// Receives a delivery: the value of the `WorkOS-Signature` header and the body as it came. Verified, and accepted
    /// once.
    ///
    /// The extractor calls this; it is public for deliveries that come another way, such as through a queue.
    ///
    /// # Errors
    /// See [`WebhookError`]. A failed check leaves no trace; a second call with an accepted delivery is a replay.
    pub async fn receive(&self, signature: &str, body: &[u8]) -> Result<Webhook, WebhookError> {
        let delivery = self.check(signature, body)?;
        let accepted = self
            .deliveries
            .accept_everywhere(delivery.fingerprint, delivery.acceptable_until, delivery.now)
            .await
            .map_err(|error| {
                tracing::error!(%error, "whether a webhook was accepted before cannot be told");
                WebhookError::Unavailable
            })?;
        delivery.webhook_if(accepted)
    }

    /// [`receive`](Self::receive) without waiting: with a [`shared_state`](Self::shared_state), too, it knows only the
    /// replays of what this method has accepted in this process.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    pub fn verify(&self, signature: &str, body: &[u8]) -> Result<Webhook, WebhookError> {
        let delivery = self.check(signature, body)?;
        let accepted = self
            .deliveries
            .accept(delivery.fingerprint, delivery.acceptable_until, delivery.now);
        delivery.webhook_if(accepted)
    }

    /// Everything but whether it was accepted before.
    fn check(&self, signature: &str, body: &[u8]) -> Result<Delivery, WebhookError> {
        if body.len() > self.max_bytes {
            return Err(WebhookError::TooLarge {
                max_bytes: self.max_bytes,
            });
        }
        let signature = Signature::parse(signature)?;
        // An empty secret would be a key that everyone knows.
        let secrets = self
            .secrets
            .iter()
            .map(SecretString::expose)
            .filter(|secret| !secret.is_empty());
        if !signature.is_of(body, secrets) {
            return Err(WebhookError::SignatureMismatch);
        }
        let now = unix_millis(self.clock.as_ref());
        let tolerance = i64::try_from(self.tolerance.as_millis()).unwrap_or(i64::MAX);
        if now.abs_diff(signature.timestamp) > tolerance.unsigned_abs() {
            return Err(WebhookError::Stale {
                tolerance: self.tolerance,
            });
        }
        let webhook: Webhook =
            serde_json::from_slice(body).map_err(|error| WebhookError::Malformed(error.to_string()))?;
        Ok(Delivery {
            webhook,
            fingerprint: signature.fingerprint(body),
            acceptable_until: signature.timestamp.saturating_add(tolerance),
            now,
        })
    }
}

/// A delivery that is genuine and fresh. Times are milliseconds since the epoch.
struct Delivery {
    webhook: Webhook,
    fingerprint: Fingerprint,
    acceptable_until: i64,
    now: i64,
}

impl Delivery {
    fn webhook_if(self, accepted: bool) -> Result<Webhook, WebhookError> {
        if accepted {
            Ok(self.webhook)
        } else {
            Err(WebhookError::Replayed { id: self.webhook.id })
        }
    }
}

/// A verified webhook, as a handler argument.
///
/// WorkOS may deliver an event more than once and in any order: [`id`](Self::id) tells events apart. What is refused as
/// a replay is the same *signed request* again; a retry of WorkOS has the same event id and a new signature, and passes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Webhook {
    /// The event id, `event_…`.
    pub id: String,
    /// The kind of event, such as `dsync.user.created`.
    pub event: String,
    /// When the event happened: ISO 8601, UTC.
    #[serde(default)]
    pub created_at: String,
    /// What happened; its shape depends on [`event`](Self::event).
    #[serde(default)]
    pub data: Value,
    /// Who caused it, where WorkOS says so.
    #[serde(default)]
    pub context: Option<Value>,
}

impl Webhook {
    /// The data as a type of yours, or one of the SDK's [models](workos::models).
    ///
    /// # Errors
    /// When the data does not have this shape.
    pub fn data<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        T::deserialize(&self.data)
    }
}

impl FromRequest for Webhook {
    type Error = WebhookError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, WebhookError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let config = request
            .app_data::<WebhookConfig>()
            .or_else(|| request.app_data::<Data<WebhookConfig>>().map(Data::get_ref))
            .cloned();
        let signature = request
            .headers()
            .get(HEADER)
            .map(|value| value.to_str().map(str::to_owned));
        let body = Body::from_request(request, payload).into_inner();
        Box::pin(async move {
            let config = config.ok_or(WebhookError::MissingConfig)?;
            let signature = signature
                .ok_or(WebhookError::MissingSignature)?
                .map_err(|_| WebhookError::MalformedSignature("it is not text"))?;
            let body = body.map_err(|_| WebhookError::Unreadable)?;
            let body = read(body, config.max_bytes).await?;
            config.receive(&signature, &body).await
        })
    }
}

/// The whole body, but never more than the bound in memory.
async fn read(body: Body, max_bytes: usize) -> Result<Bytes, WebhookError> {
    match body.to_bytes_limited(max_bytes).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(WebhookError::Unreadable),
        Err(_) => Err(WebhookError::TooLarge { max_bytes }),
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
