//! The registry of handlers, and the route that WorkOS delivers to.

use std::{
    collections::HashMap,
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use actix_web::{
    HttpRequest, HttpResponse, Route,
    web::{self, Payload as Body},
};
use serde_json::json;

use super::{
    Claim, EventClaims, EventHandler, Incoming, TypedEvent, Webhook, WebhookConfig, WebhookError,
    claims::{DynEventClaims, MemoryClaims},
    error,
    event::Event,
    handler::Failure,
    shared_claims::SharedClaims,
};
use crate::{AuthKit, shared_state::AnySharedState};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(300);
const CLAIMS_TIMEOUT: Duration = Duration::from_secs(10);

type Work = Pin<Box<dyn Future<Output = Result<(), Failure>>>>;
type Handler = Arc<dyn Fn(&Webhook, &HttpRequest) -> Work + Send + Sync>;

/// Handlers of events, and the route that WorkOS delivers them to.
///
/// ```no_run
/// use actix_web::{App, HttpServer, web};
/// use workos_actix::{Webhook, WebhookConfig, WebhookHandlers, workos::{DsyncUserCreated, DsyncUserDeleted}};
///
/// # struct Database;
/// # type Failure = Box<dyn std::error::Error + Send + Sync>;
/// # impl Database {
/// #     async fn upsert(&self, _: &workos_actix::workos::DirectoryUser) -> Result<(), Failure> { Ok(()) }
/// #     async fn deactivate(&self, _: &str) -> Result<(), Failure> { Ok(()) }
/// # }
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let handlers = WebhookHandlers::new(WebhookConfig::from_env()?)
///     .on(|event: DsyncUserCreated, database: web::Data<Database>| async move {
///         database.upsert(&event.data).await
///     })
///     .on(|event: DsyncUserDeleted, database: web::Data<Database>| async move {
///         database.deactivate(&event.data.id).await
///     })
///     .otherwise(|webhook: Webhook| async move { println!("{} is not for us", webhook.event) });
/// let database = web::Data::new(Database);
/// HttpServer::new(move || {
///     App::new().app_data(database.clone()).route("/webhooks/workos", handlers.route())
/// })
/// # .bind(("127.0.0.1", 8080))?.run().await?; Ok(()) }
/// ```
///
/// Make it once, outside of the closure of `HttpServer::new`: clones share the memory of what was handled.
///
/// # What WorkOS is answered
///
/// WorkOS [delivers again](https://workos.com/docs/events/data-syncing/webhooks) whatever is not answered with 2xx: up to 6
/// times in three days.
///
/// | | status | delivered again |
/// |---|---|---|
/// | every handler of the event has succeeded, or there is none | 200 | no |
/// | the event was handled before | 200, and no handler is called | no |
/// | a handler has failed, panicked, or taken longer than [`timeout`](Self::timeout) | 500 | yes, and all of its handlers are called |
/// | the data does not fit the type of a handler | 500 | yes |
/// | another delivery of the event is being handled | 503 | yes |
/// | it is not known whether the event was handled | 503 | yes |
/// | signature missing or malformed, body no event or broken off | 400 | yes, in vain |
/// | wrong signature, or a stale one | 401 | yes, in vain |
/// | body too slow, body too long | 408, 413 | yes, in vain |
///
/// # Once, and in no order
///
/// An event is handled successfully once, by its id: see [`EventClaims`]. This is also what makes a replayed request
/// harmless. A handler that has done half of its work when it fails is called again with the same event: let it upsert.
/// WorkOS promises no order; compare `updated_at` with what you have. A handler runs to its end also when WorkOS hangs up.
#[derive(Clone)]
pub struct WebhookHandlers {
    config: WebhookConfig,
    claims: Claims,
    timeout: Duration,
    by_event: HashMap<String, Vec<Handler>>,
    otherwise: Option<Handler>,
}

impl fmt::Debug for WebhookHandlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookHandlers")
            .field("config", &self.config)
            .field("events", &self.events())
            .field("otherwise", &self.otherwise.is_some())
            .finish_non_exhaustive()
    }
}

impl WebhookHandlers {
    /// No handlers yet. The configuration says which requests are WorkOS's, and with a
    /// [`shared_state`](WebhookConfig::shared_state) which other processes remember with this one what was handled.
    #[must_use]
    pub fn new(config: WebhookConfig) -> Self {
        Self {
            claims: match config.requests.shared_state() {
                Some(state) => Claims::Shared(state.clone()),
                None => Claims::Of(Arc::new(MemoryClaims::default())),
            },
            config,
            timeout: DEFAULT_TIMEOUT,
            by_event: HashMap::new(),
            otherwise: None,
        }
    }

    /// Handles the events that the first argument of the handler is the type of. Several handlers of an event are called in
    /// the order in which they were added, until one fails.
    #[must_use]
    pub fn on<Args, H>(self, handler: H) -> Self
    where
        H: EventHandler<Args, Event: TypedEvent>,
    {
        self.on_event(<H::Event as TypedEvent>::NAME, handler)
    }

    /// Handles the events of this name, as [`Webhook`], [`Event`] or a type of yours.
    #[must_use]
    pub fn on_event<Args, H: EventHandler<Args>>(self, event: &str, handler: H) -> Self {
        self.on_events([event], handler)
    }

    /// Handles the events of these names with one handler.
    #[must_use]
    pub fn on_events<'a, Args, H: EventHandler<Args>>(
        mut self,
        events: impl IntoIterator<Item = &'a str>,
        handler: H,
    ) -> Self {
        let handler = erased(handler);
        for event in events {
            if !Event::NAMES.contains(&event) {
                tracing::warn!(
                    event,
                    "a webhook handler waits for an event that WorkOS is not known to have"
                );
            }
            let handlers = self.by_event.entry(event.to_owned()).or_default();
            handlers.push(Arc::clone(&handler));
        }
        self
    }

    /// Handles the events that no other handler is for. Without it they are taken, and change nothing.
    #[must_use]
    pub fn otherwise<Args, H: EventHandler<Args>>(mut self, handler: H) -> Self {
        self.otherwise = Some(erased(handler));
        self
    }

    /// Ends sessions here as soon as WorkOS tells that they are over: one at `session.revoked`, all of a user at
    /// `user.deleted`. Without it a copied cookie is good until its access token expires, a few minutes.
    ///
    /// Subscribe the endpoint to these two events. See [`AuthKit::end_session`] for what ends where.
    #[must_use]
    pub fn ends_sessions(self, authkit: &AuthKit) -> Self {
        let authkit = authkit.clone();
        self.on_events(["session.revoked", "user.deleted"], move |webhook: Webhook| {
            let authkit = authkit.clone();
            async move { authkit.end_sessions_by(&webhook).await }
        })
    }

    /// Remembers elsewhere than in this process what was handled.
    #[must_use]
    pub fn claims(mut self, claims: impl EventClaims) -> Self {
        self.claims = Claims::Of(Arc::new(claims));
        self
    }

    /// How long the handlers of an event may take together: 5 minutes by default. Then they are dropped, and have failed.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The names of the events that have a handler, in order: what the endpoint is to be subscribed to.
    #[must_use]
    pub fn events(&self) -> Vec<&str> {
        let mut events: Vec<_> = self.by_event.keys().map(String::as_str).collect();
        events.sort_unstable();
        events
    }

    /// The route, for `POST`: `App::new().route("/webhooks/workos", handlers.route())`.
    ///
    /// It needs no session: under [`require_auth`](crate::AuthKitBuilder::require_auth), name its path among the
    /// [`unauthenticated_paths`](crate::AuthKitBuilder::unauthenticated_paths).
    #[must_use]
    pub fn route(&self) -> Route {
        let handlers = Arc::new(self.clone());
        web::post().to(move |request: HttpRequest, body: Body| {
            let handlers = Arc::clone(&handlers);
            async move { error::counted(handlers.receive(request, body).await) }
        })
    }

    async fn receive(&self, request: HttpRequest, body: Body) -> Result<HttpResponse, WebhookError> {
        let incoming = Incoming::of(&request, &mut body.into_inner());
        let (signature, body) = incoming.read(&self.config.requests).await?;
        let webhook = self.config.verify_again(&signature, &body)?;
        let delivery = Delivery {
            handlers: self.handlers_of(&webhook.event),
            claims: self.claims.for_delivery(self.timeout),
            timeout: self.timeout,
            webhook,
            request,
        };
        if !delivery.handlers.is_empty() {
            let id = delivery.webhook.id.clone();
            // Run to its end whatever the client does: a claim is completed or released.
            let task = actix_web::rt::spawn(delivery.handle());
            task.await.unwrap_or(Err(WebhookError::HandlerFailed { id }))?;
        }
        Ok(HttpResponse::Ok().json(json!({ "ok": true })))
    }

    fn handlers_of(&self, event: &str) -> Vec<Handler> {
        match self.by_event.get(event) {
            Some(handlers) => handlers.clone(),
            None => self.otherwise.iter().cloned().collect(),
        }
    }
}

/// Who remembers what was handled.
#[derive(Clone)]
enum Claims {
    Of(Arc<dyn DynEventClaims>),
    Shared(AnySharedState),
}

impl Claims {
    fn for_delivery(&self, timeout: Duration) -> Arc<dyn DynEventClaims> {
        match self {
            Self::Of(claims) => Arc::clone(claims),
            Self::Shared(state) => Arc::new(SharedClaims::new(state.clone(), timeout)),
        }
    }
}

fn erased<Args, H: EventHandler<Args>>(handler: H) -> Handler {
    Arc::new(move |webhook, request| handler.handle(webhook, request))
}

/// A verified event on its way through its handlers.
struct Delivery {
    webhook: Webhook,
    request: HttpRequest,
    handlers: Vec<Handler>,
    claims: Arc<dyn DynEventClaims>,
    timeout: Duration,
}

impl Delivery {
    async fn handle(self) -> Result<(), WebhookError> {
        let id = self.webhook.id.as_str();
        let event = self.webhook.event.as_str();
        match bounded(self.claims.claim(id)).await {
            Ok(Claim::Fresh) => {}
            Ok(Claim::Done) => {
                tracing::debug!(id, event, "the webhook was handled before");
                return Ok(());
            }
            Ok(Claim::InProgress) => return Err(WebhookError::InProgress { id: id.to_owned() }),
            Err(error) => {
                tracing::error!(id, event, %error, "the webhook cannot be claimed");
                return Err(WebhookError::ClaimsUnavailable { id: id.to_owned() });
            }
        }
        let failure = match tokio::time::timeout(self.timeout, caught(self.call())).await {
            Ok(Ok(Ok(()))) => {
                // It was handled, so it must not come again only because that cannot be noted.
                if let Err(error) = bounded(self.claims.complete(id)).await {
                    tracing::error!(id, event, %error, "that the webhook was handled cannot be remembered");
                }
                tracing::debug!(id, event, "webhook handled");
                return Ok(());
            }
            Ok(Ok(Err(failure))) => failure,
            Ok(Err(Panicked)) => "the handler panicked".into(),
            Err(_) => format!("the handler took longer than {:?}", self.timeout).into(),
        };
        if let Err(error) = bounded(self.claims.release(id)).await {
            tracing::error!(id, event, %error, "the claim of the webhook cannot be released");
        }
        match failure.downcast::<WebhookError>() {
            Ok(error) if matches!(*error, WebhookError::UnexpectedShape { .. }) => Err(*error),
            Ok(error) => Err(self.failed(&*error)),
            Err(failure) => Err(self.failed(failure.as_ref())),
        }
    }

    async fn call(&self) -> Result<(), Failure> {
        for handler in &self.handlers {
            handler(&self.webhook, &self.request).await?;
        }
        Ok(())
    }

    fn failed(&self, error: &dyn std::error::Error) -> WebhookError {
        let Webhook { id, event, .. } = &self.webhook;
        tracing::error!(id, event, %error, "a webhook handler has failed; WorkOS will deliver the event again");
        WebhookError::HandlerFailed { id: id.clone() }
    }
}

/// What the claims answer, in bounded time.
async fn bounded<T>(answer: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::time::timeout(CLAIMS_TIMEOUT, answer)
        .await
        .unwrap_or_else(|_| Err("no answer in time".into()))
}

struct Panicked;

/// A future whose panic, which the panic hook has reported, is a value.
async fn caught<T>(future: impl Future<Output = T>) -> Result<T, Panicked> {
    let mut future = pin!(future);
    std::future::poll_fn(move |context| {
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(poll) => poll.map(Ok),
            Err(_) => Poll::Ready(Err(Panicked)),
        }
    })
    .await
}

#[cfg(test)]
#[path = "handlers_tests.rs"]
mod tests;
