//! WorkOS API keys: what a customer's program sends, judged by WorkOS.
//!
//! Source: <https://workos.com/docs/authkit/api-keys>, "Validating API keys".

use std::{fmt, sync::Arc, time::Duration};

use moka::future::Cache;
use tokio::{sync::Semaphore, time::timeout};
use workos::{Client, ValidateApiKey, api_keys::CreateValidationParams};

use crate::{
    ApiKey,
    clock::{Clock, unix_seconds},
    counted,
    digest::{Fingerprint, fingerprint},
};

/// A key that WorkOS accepted is accepted this long without asking: so late, at most, does a revoked key stop working.
const ACCEPTED_SECONDS: i64 = 60;
/// A key that WorkOS does not know is refused this long without asking.
const REFUSED_SECONDS: i64 = 30;
/// How long it is remembered that a key was once good, so that strangers do not hold it up.
const REMEMBERED: Duration = Duration::from_secs(60 * 60);
const MAX_KEYS: u64 = 10_000;
/// Questions to WorkOS at a time, about keys that were good before, and about keys that nobody has seen. A flood of
/// made-up keys takes turns in the second lane, and cannot push what is in the first out of memory.
const ACQUAINTANCES_AT_A_TIME: usize = 32;
const STRANGERS_AT_A_TIME: usize = 4;
/// How long a request waits for its turn, and for the answer.
const MAX_WAIT: Duration = Duration::from_secs(2);
const MAX_ANSWER: Duration = Duration::from_secs(5);
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(5);

const PREFIX: &str = "sk_";
const MAX_BYTES: usize = 256;

/// Why a key is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ApiKeyError {
    /// WorkOS does not know it, or not any more.
    Unknown,
    /// WorkOS cannot be asked now.
    Unavailable { retry_after: Duration },
}

#[derive(Debug, Clone)]
struct Accepted {
    key: ApiKey,
    at: i64,
}

/// Validates keys, and remembers the answers for a short time, by the hash of the key.
pub(crate) struct ApiKeys {
    client: Client,
    clock: Arc<dyn Clock>,
    accepted: Cache<Fingerprint, Accepted>,
    refused: Cache<Fingerprint, i64>,
    acquaintances: Semaphore,
    strangers: Semaphore,
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeys").finish_non_exhaustive()
    }
}

impl ApiKeys {
    pub(crate) fn new(client: Client, clock: Arc<dyn Clock>) -> Self {
        Self {
            client,
            clock,
            accepted: Cache::builder()
                .max_capacity(MAX_KEYS)
                .time_to_live(REMEMBERED)
                .build(),
            refused: Cache::builder()
                .max_capacity(MAX_KEYS)
                .time_to_live(Duration::from_secs(REFUSED_SECONDS.unsigned_abs()))
                .build(),
            acquaintances: Semaphore::new(ACQUAINTANCES_AT_A_TIME),
            strangers: Semaphore::new(STRANGERS_AT_A_TIME),
        }
    }

    /// Whether a bearer credential is an API key, and not a token. Only the prefix is documented.
    pub(crate) fn is_one(credential: &str) -> bool {
        credential.starts_with(PREFIX)
    }

    /// The key, if WorkOS knows it. Requests with one key share one question.
    pub(crate) async fn validate(&self, value: &str) -> Result<ApiKey, ApiKeyError> {
        if !is_well_formed(value) {
            counted::api_key("unknown");
            return Err(ApiKeyError::Unknown);
        }
        let fingerprint = fingerprint(&[value.as_bytes()]);
        if let Some(at) = self.refused.get(&fingerprint).await
            && self.now() < at.saturating_add(REFUSED_SECONDS)
        {
            counted::api_key("cached");
            return Err(ApiKeyError::Unknown);
        }
        let known = self.accepted.get(&fingerprint).await;
        let lane = match &known {
            Some(known) if self.now() < known.at.saturating_add(ACCEPTED_SECONDS) => {
                counted::api_key("cached");
                return Ok(known.key.clone());
            }
            Some(_) => {
                self.accepted.invalidate(&fingerprint).await;
                &self.acquaintances
            }
            None => &self.strangers,
        };
        let asked = self
            .accepted
            .try_get_with(fingerprint, self.ask(lane, value))
            .await;
        counted::api_key(match asked.as_ref().map_err(AsRef::as_ref) {
            Ok(_) => "accepted",
            Err(ApiKeyError::Unknown) => "unknown",
            Err(ApiKeyError::Unavailable { .. }) => "unavailable",
        });
        match asked {
            Ok(accepted) => Ok(accepted.key),
            Err(error) => {
                match (&*error, known) {
                    (ApiKeyError::Unknown, _) => self.refused.insert(fingerprint, self.now()).await,
                    // Still no stranger when WorkOS is back.
                    (ApiKeyError::Unavailable { .. }, Some(known)) => {
                        self.accepted.insert(fingerprint, known).await;
                    }
                    (ApiKeyError::Unavailable { .. }, None) => {}
                }
                Err(ApiKeyError::clone(&error))
            }
        }
    }

    async fn ask(&self, lane: &Semaphore, value: &str) -> Result<Accepted, ApiKeyError> {
        let turn = timeout(MAX_WAIT, lane.acquire()).await;
        let Ok(Ok(_turn)) = turn else {
            tracing::warn!("too many API keys are being validated; this one has to come again");
            return Err(ApiKeyError::Unavailable {
                retry_after: Duration::from_secs(1),
            });
        };
        let params = CreateValidationParams::new(ValidateApiKey { value: value.into() });
        let answer = timeout(MAX_ANSWER, self.client.api_keys().create_validation(params)).await;
        let unavailable = |retry_after: Option<Duration>| ApiKeyError::Unavailable {
            retry_after: retry_after.unwrap_or(DEFAULT_RETRY_AFTER),
        };
        match answer {
            Ok(Ok(answer)) => {
                let key = answer.api_key.ok_or(ApiKeyError::Unknown)?;
                Ok(Accepted {
                    key: ApiKey::new(key, answer.agent_registration_id),
                    at: self.now(),
                })
            }
            // WorkOS does not even take it for a key.
            Ok(Err(error)) if matches!(error.status(), Some(400 | 404 | 422)) => Err(ApiKeyError::Unknown),
            Ok(Err(error)) => {
                tracing::warn!(%error, "an API key cannot be validated");
                Err(unavailable(error.api().and_then(|api| api.retry_after)))
            }
            Err(_) => {
                tracing::warn!("an API key cannot be validated: WorkOS does not answer in time");
                Err(unavailable(None))
            }
        }
    }

    fn now(&self) -> i64 {
        unix_seconds(self.clock.as_ref())
    }
}

fn is_well_formed(value: &str) -> bool {
    value.len() <= MAX_BYTES
        && value.len() > PREFIX.len()
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}
