//! Requests that WorkOS signs: webhooks, and Actions.

use std::{sync::Arc, time::Duration};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::ToStrError,
    web::{Bytes, Payload as Body},
};
use workos::SecretString;

use super::{WebhookError, replay::Deliveries, signature::Signature};
use crate::{
    clock::{Clock, SystemClock, unix_millis},
    digest::Fingerprint,
    shared_state::AnySharedState,
};

const HEADER: &str = "workos-signature";
const DEFAULT_MAX_BYTES: usize = 1024 * 1024;
const DEFAULT_BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// How the signed requests of an endpoint are told from all others.
#[derive(Debug, Clone)]
pub(crate) struct SignedRequests {
    pub(crate) secrets: Vec<SecretString>,
    pub(crate) tolerance: Duration,
    pub(crate) max_bytes: usize,
    pub(crate) body_timeout: Duration,
    pub(crate) clock: Arc<dyn Clock>,
    deliveries: Arc<Deliveries>,
}

/// What a genuine signature says.
#[derive(Debug)]
pub(crate) struct Proof<'a> {
    /// The secret that signed.
    pub(crate) secret: &'a SecretString,
    /// The same for every copy of the request.
    fingerprint: Fingerprint,
    /// Until when the signature is acceptable, in milliseconds since the epoch.
    acceptable_until: i64,
    /// The time of the check, in milliseconds since the epoch.
    now: i64,
}

impl SignedRequests {
    pub(crate) fn new(secret: impl Into<String>, tolerance: Duration) -> Self {
        Self {
            secrets: vec![SecretString::new(secret)],
            tolerance,
            max_bytes: DEFAULT_MAX_BYTES,
            body_timeout: DEFAULT_BODY_TIMEOUT,
            clock: Arc::new(SystemClock),
            deliveries: Arc::default(),
        }
    }

    /// The proof that one of the secrets signed this body, a short time ago.
    pub(crate) fn check(&self, signature: &str, body: &[u8]) -> Result<Proof<'_>, WebhookError> {
        if body.len() > self.max_bytes {
            return Err(self.too_large());
        }
        let signature = Signature::parse(signature)?;
        // An empty secret would be a key that everyone knows.
        let mut secrets = self.secrets.iter().filter(|secret| !secret.expose().is_empty());
        let secret = secrets
            .find(|secret| signature.is_of(body, secret.expose()))
            .ok_or(WebhookError::SignatureMismatch)?;
        let now = unix_millis(self.clock.as_ref());
        let tolerance = i64::try_from(self.tolerance.as_millis()).unwrap_or(i64::MAX);
        if now.abs_diff(signature.timestamp) > tolerance.unsigned_abs() {
            return Err(WebhookError::Stale {
                tolerance: self.tolerance,
            });
        }
        Ok(Proof {
            secret,
            fingerprint: signature.fingerprint(body),
            acceptable_until: signature.timestamp.saturating_add(tolerance),
            now,
        })
    }

    /// Remembers requests together with other machines.
    pub(crate) fn share(&mut self, state: AnySharedState) {
        self.deliveries = Arc::new(Deliveries::shared(state));
    }

    pub(crate) fn shared_state(&self) -> Option<&AnySharedState> {
        self.deliveries.shared_state()
    }

    /// Remembers a request; `false` when it came before, to this machine or another one.
    pub(crate) async fn is_first_anywhere(&self, proof: &Proof<'_>) -> Result<bool, WebhookError> {
        self.deliveries
            .accept_everywhere(proof.fingerprint, proof.acceptable_until, proof.now)
            .await
            .map_err(|error| {
                tracing::error!(%error, "whether a request was accepted before cannot be told");
                WebhookError::Unavailable
            })
    }

    /// Remembers a request in this process; `false` when it came before.
    pub(crate) fn is_first(&self, proof: &Proof<'_>) -> bool {
        self.deliveries
            .accept(proof.fingerprint, proof.acceptable_until, proof.now)
    }

    fn too_large(&self) -> WebhookError {
        WebhookError::TooLarge {
            max_bytes: self.max_bytes,
        }
    }
}

/// A request whose body has not been read.
pub(crate) struct Incoming {
    signature: Option<Result<String, ToStrError>>,
    body: Result<Body, actix_web::Error>,
}

impl Incoming {
    pub(crate) fn of(request: &HttpRequest, payload: &mut Payload) -> Self {
        let signature = request.headers().get(HEADER);
        Self {
            signature: signature.map(|value| value.to_str().map(str::to_owned)),
            body: Body::from_request(request, payload).into_inner(),
        }
    }

    /// The signature and the whole body: never more than the bound in memory, and never longer than the time it may take.
    pub(crate) async fn read(self, requests: &SignedRequests) -> Result<(String, Bytes), WebhookError> {
        let signature = self.signature.ok_or(WebhookError::MissingSignature)?;
        let signature = signature.map_err(|_| WebhookError::MalformedSignature("it is not text"))?;
        let body = self.body.map_err(|_| WebhookError::Unreadable)?;
        let read = body.to_bytes_limited(requests.max_bytes);
        match tokio::time::timeout(requests.body_timeout, read).await {
            Ok(Ok(Ok(body))) => Ok((signature, body)),
            Ok(Ok(Err(_))) => Err(WebhookError::Unreadable),
            Ok(Err(_)) => Err(requests.too_large()),
            Err(_) => Err(WebhookError::TimedOut {
                timeout: requests.body_timeout,
            }),
        }
    }
}
