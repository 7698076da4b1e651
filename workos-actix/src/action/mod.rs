//! Actions: WorkOS asks the app before it lets somebody sign in or register.

mod error;
mod payload;
mod response;

use std::{future::Future, ops::Deref, pin::Pin, sync::Arc, time::Duration};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Data};
use workos::SecretString;

pub use self::{
    error::ActionError,
    payload::{ActionPayload, AnyAction, AuthenticationAction, RegisteringUser, UserRegistrationAction},
    response::ActionResponse,
};
use crate::{
    clock::{Clock, unix_millis},
    config::{ConfigError, secret_from_env},
    counted,
    shared_state::{AnySharedState, SharedState},
    webhook::{Incoming, SignedRequests, WebhookError},
};

const DEFAULT_TOLERANCE: Duration = Duration::from_secs(30);

/// How Actions are verified, and their answers signed. Hand it to the app once, made outside of the closure of
/// `HttpServer::new`:
///
/// ```no_run
/// use actix_web::{App, HttpServer, web};
/// use workos_actix::{Action, ActionConfig, ActionResponse, UserRegistrationAction};
///
/// async fn may_register(action: Action<UserRegistrationAction>) -> ActionResponse {
///     match action.user_data.email.ends_with("@disposable.example") {
///         true => action.deny("Please use the address of your company."),
///         false => action.allow(),
///     }
/// }
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = ActionConfig::from_env()?;
/// HttpServer::new(move || {
///     App::new().app_data(config.clone()).route("/actions/registration", web::post().to(may_register))
/// })
/// # .bind(("127.0.0.1", 8080))?.run().await?; Ok(()) }
/// ```
///
/// Each Action of the WorkOS dashboard has a URL and a secret of its own; [`or_secret`](Self::or_secret) takes the second.
/// Clones share the memory of requests that were already accepted.
///
/// Source: <https://workos.com/docs/authkit/actions>.
#[derive(Debug, Clone)]
pub struct ActionConfig {
    requests: SignedRequests,
}

impl ActionConfig {
    /// Verifies and signs with the secret of an Action, whole, as the WorkOS dashboard shows it.
    #[must_use]
    pub fn new(secret: impl Into<String>) -> Self {
        Self {
            requests: SignedRequests::new(secret, DEFAULT_TOLERANCE),
        }
    }

    /// Verifies and signs with the secret in the environment variable `WORKOS_ACTIONS_SECRET`.
    ///
    /// # Errors
    /// When the variable is not set, with where to find the secret.
    pub fn from_env() -> Result<Self, ConfigError> {
        let found_at = "the page of the Action under Actions in the WorkOS dashboard";
        secret_from_env("WORKOS_ACTIONS_SECRET", found_at).map(Self::new)
    }

    /// Accepts another secret too: for a second Action, or while a secret is rotated. The answer is signed with the secret
    /// that signed the request.
    #[must_use]
    pub fn or_secret(mut self, secret: impl Into<String>) -> Self {
        self.requests.secrets.push(SecretString::new(secret));
        self
    }

    /// How old (or early) a signature may be: 30 seconds by default, as in WorkOS's kits.
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

    /// How long a body may take to arrive: 10 seconds by default.
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

    /// Remembers accepted requests together with other machines, so that one that was accepted on one of them is a replay
    /// on all. While the shared state cannot be reached, requests are answered with 503.
    #[must_use]
    pub fn shared_state(mut self, state: impl SharedState + 'static) -> Self {
        self.requests.share(AnySharedState::new(state));
        self
    }

    async fn receive<T: ActionPayload>(
        &self,
        signature: &str,
        body: &[u8],
    ) -> Result<Action<T>, ActionError> {
        let proof = self.requests.check(signature, body)?;
        let action: AnyAction =
            serde_json::from_slice(body).map_err(|error| WebhookError::Malformed(error.to_string()))?;
        let id = action.id().to_owned();
        let object = action.response_object();
        let payload = T::of(action)?;
        if !self.requests.is_first_anywhere(&proof).await? {
            return Err(WebhookError::Replayed { id }.into());
        }
        Ok(Action {
            payload,
            object,
            secret: proof.secret.clone(),
            clock: Arc::clone(&self.requests.clock),
        })
    }
}

/// A verified question of WorkOS, as a handler argument: [`AuthenticationAction`], [`UserRegistrationAction`], or
/// [`AnyAction`] where one route takes both.
///
/// Whatever the handler returns must be [`allow`](Self::allow) or [`deny`](Self::deny) of this very action, because the answer
/// is signed with its secret. On any other answer WorkOS does what the dashboard says about errors: by default it denies.
#[derive(Debug)]
pub struct Action<T> {
    payload: T,
    /// What the answer is called.
    object: &'static str,
    secret: SecretString,
    clock: Arc<dyn Clock>,
}

impl<T> Action<T> {
    /// Lets the person sign in or register.
    pub fn allow(&self) -> ActionResponse {
        ActionResponse::allow(self.object, &self.secret, unix_millis(self.clock.as_ref()))
    }

    /// Refuses. WorkOS shows the message to the person: at most 500 characters, of which the rest is cut off; none when it is
    /// empty.
    pub fn deny(&self, message: &str) -> ActionResponse {
        ActionResponse::deny(
            self.object,
            &self.secret,
            unix_millis(self.clock.as_ref()),
            message,
        )
    }
}

impl<T> Deref for Action<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.payload
    }
}

impl<T: ActionPayload> FromRequest for Action<T> {
    type Error = ActionError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ActionError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let config = request
            .app_data::<ActionConfig>()
            .or_else(|| request.app_data::<Data<ActionConfig>>().map(Data::get_ref))
            .cloned();
        let incoming = Incoming::of(request, payload);
        Box::pin(async move {
            let received = async {
                let config = config.ok_or(ActionError::MissingConfig)?;
                let (signature, body) = incoming.read(&config.requests).await?;
                config.receive(&signature, &body).await
            };
            let received = received.await;
            counted::action(received.as_ref().map_or_else(ActionError::reason, |_| "accepted"));
            received
        })
    }
}

#[cfg(test)]
mod tests;
