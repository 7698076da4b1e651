//! Webhooks that WorkOS really sent.

mod claims;
mod error;
mod event;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod handler;
mod handlers;
mod replay;
mod shared_claims;
mod signature;
mod signed_request;

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Data};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use workos::SecretString;

pub use self::{
    claims::{Claim, EventClaims},
    error::WebhookError,
    event::{Event, TypedEvent},
    handler::{EventHandler, FromWebhook, HandlerOutcome},
    handlers::WebhookHandlers,
};
pub(crate) use self::{
    signature::sign,
    signed_request::{Incoming, SignedRequests},
};
use crate::{
    clock::Clock,
    config::{ConfigError, secret_from_env},
    shared_state::{AnySharedState, SharedState},
};

const DEFAULT_TOLERANCE: Duration = Duration::from_secs(180);

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
/// For more than a few kinds of events, [`WebhookHandlers`] is shorter, and knows which events were handled.
///
/// Clones share the memory of deliveries that were already accepted.
#[derive(Debug, Clone)]
pub struct WebhookConfig {
    requests: SignedRequests,
}

impl WebhookConfig {
    /// Verifies with the secret of a webhook endpoint, whole, as the WorkOS dashboard shows it (`whsec_` included).
    #[must_use]
    pub fn new(secret: impl Into<String>) -> Self {
        Self {
            requests: SignedRequests::new(secret, DEFAULT_TOLERANCE),
        }
    }

    /// Verifies with the secret in the environment variable `WORKOS_WEBHOOK_SECRET`.
    ///
    /// # Errors
    /// When the variable is not set, with where to find the secret.
    pub fn from_env() -> Result<Self, ConfigError> {
        let found_at = "the page of the endpoint under Webhooks in the WorkOS dashboard (`whsec_…`)";
        secret_from_env("WORKOS_WEBHOOK_SECRET", found_at).map(Self::new)
    }

    /// Accepts another secret too: while a secret is rotated, or for a second endpoint.
    #[must_use]
    pub fn or_secret(mut self, secret: impl Into<String>) -> Self {
        self.requests.secrets.push(SecretString::new(secret));
        self
    }

    /// How old (or early) a signature may be: 180 seconds by default, as in WorkOS's kits.
    #[must_use]
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.requests.tolerance = tolerance;
        self
    }

    /// The longest body, in bytes: 1 MiB by default.
    #[must_use]
    pub fn max_bytes(mut self, max_bytes: usize) -> Self {
        self.requests.max_bytes = max_bytes;
        self
    }

    /// How long a body may take to arrive: 10 seconds by default. Actix itself bounds the head of a request only.
    #[must_use]
    pub fn body_timeout(mut self, timeout: Duration) -> Self {
        self.requests.body_timeout = timeout;
        self
    }

    /// Replaces the system clock: for tests.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.requests.clock = Arc::new(clock);
        self
    }

    /// Remembers accepted deliveries together with other machines, so that one that was accepted on one of them is a replay
    /// on all; with it [`WebhookHandlers`] remember handled events together, too. Without it each process remembers its own.
    ///
    /// While the shared state cannot be reached, deliveries are answered with 503, and WorkOS tries again later.
    #[must_use]
    pub fn shared_state(mut self, state: impl SharedState + 'static) -> Self {
        self.requests.share(AnySharedState::new(state));
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
        error::counted(self.receive_uncounted(signature, body).await)
    }

    async fn receive_uncounted(&self, signature: &str, body: &[u8]) -> Result<Webhook, WebhookError> {
        let proof = self.requests.check(signature, body)?;
        let webhook = Webhook::parse(body)?;
        if !self.requests.is_first_anywhere(&proof).await? {
            return Err(WebhookError::Replayed { id: webhook.id });
        }
        Ok(webhook)
    }

    /// [`receive`](Self::receive) without waiting: with a [`shared_state`](Self::shared_state), too, it knows only the
    /// replays of what this method has accepted in this process.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    pub fn verify(&self, signature: &str, body: &[u8]) -> Result<Webhook, WebhookError> {
        error::counted(self.verify_uncounted(signature, body))
    }

    fn verify_uncounted(&self, signature: &str, body: &[u8]) -> Result<Webhook, WebhookError> {
        let proof = self.requests.check(signature, body)?;
        let webhook = Webhook::parse(body)?;
        if !self.requests.is_first(&proof) {
            return Err(WebhookError::Replayed { id: webhook.id });
        }
        Ok(webhook)
    }

    /// Verifies a delivery without remembering it: for those who remember the event.
    fn verify_again(&self, signature: &str, body: &[u8]) -> Result<Webhook, WebhookError> {
        self.requests.check(signature, body)?;
        Webhook::parse(body)
    }

    /// The configuration of the app.
    fn of(request: &HttpRequest) -> Result<Self, WebhookError> {
        request
            .app_data::<Self>()
            .or_else(|| request.app_data::<Data<Self>>().map(Data::get_ref))
            .cloned()
            .ok_or(WebhookError::MissingConfig)
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

    fn parse(body: &[u8]) -> Result<Self, WebhookError> {
        serde_json::from_slice(body).map_err(|error| WebhookError::Malformed(error.to_string()))
    }
}

type Extracted<T> = Pin<Box<dyn Future<Output = Result<T, WebhookError>>>>;

impl FromRequest for Webhook {
    type Error = WebhookError;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        extract(request, payload, Ok)
    }
}

/// What a delivery is read as. It counts as accepted when it can be read.
fn extract<T: 'static>(
    request: &HttpRequest,
    payload: &mut Payload,
    read: fn(Webhook) -> Result<T, WebhookError>,
) -> Extracted<T> {
    let config = WebhookConfig::of(request);
    let incoming = Incoming::of(request, payload);
    Box::pin(async move {
        let received = async {
            let config = config?;
            let (signature, body) = incoming.read(&config.requests).await?;
            read(config.receive_uncounted(&signature, &body).await?)
        };
        error::counted(received.await)
    })
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
