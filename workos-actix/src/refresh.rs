//! Refreshing sessions, and moving them to another organization: once, however many requests ask.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use moka::future::Cache;
use tokio::sync::watch;
use workos::{Client, SecretString, user_management::AuthenticateWithRefreshTokenParams};

use crate::{
    clock::{Clock, unix_seconds},
    credential::Session,
    digest::{Fingerprint, fingerprint},
};

/// Requests that still carry the old cookie get the settled result this long. WorkOS itself replays a rotation for
/// about the same time.
const GRACE_SECONDS: i64 = 30;
const MAX_SETTLED: u64 = 100_000;
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(5);
/// How often a request begins again when others with the same token come first.
const MAX_TURNS: usize = 8;
const UNAVAILABLE: Refreshed = Refreshed::Unavailable {
    retry_after: DEFAULT_RETRY_AFTER,
};

/// What became of a refresh token.
#[derive(Debug, Clone)]
pub(crate) enum Refreshed {
    Rotated(Arc<Session>),
    /// WorkOS does not let the session into the organization; it goes on where it was, and the token is still good.
    Refused {
        code: String,
    },
    /// WorkOS says that the session is over.
    Ended {
        code: String,
    },
    /// Nobody knows: the session must be kept.
    Unavailable {
        retry_after: Duration,
    },
}

/// An exchange that is done.
#[derive(Debug, Clone)]
struct Exchange {
    outcome: Refreshed,
    /// Where it was to lead, if not to where the session was last.
    organization_id: Option<String>,
    at: i64,
}

/// Exchanges refresh tokens at WorkOS.
///
/// - Concurrent requests with one token share one exchange.
/// - Late requests get the settled result for [`GRACE_SECONDS`].
/// - The exchange runs in a task of its own: a client that disconnects cannot cut it in half, which would lose the new
///   refresh token.
/// - A switch to another organization is an exchange like any other: no second one with the same token runs beside it.
#[derive(Debug, Clone)]
pub(crate) struct Refresher {
    client: WorkOsClient,
    clock: Arc<dyn Clock>,
    in_flight: Arc<Mutex<InFlight>>,
    settled: Cache<Fingerprint, Exchange>,
}

type InFlight = HashMap<Fingerprint, watch::Receiver<Option<Exchange>>>;

/// The SDK's client has no `Debug`.
#[derive(Clone)]
struct WorkOsClient(Client);

impl std::fmt::Debug for WorkOsClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

impl Refresher {
    pub(crate) fn new(client: Client, clock: Arc<dyn Clock>) -> Self {
        let memory = Duration::from_secs(GRACE_SECONDS.unsigned_abs() * 2);
        Self {
            client: WorkOsClient(client),
            clock,
            in_flight: Arc::default(),
            settled: Cache::builder()
                .max_capacity(MAX_SETTLED)
                .time_to_live(memory)
                .build(),
        }
    }

    /// The outcome for a refresh token, from WorkOS or from a moment ago. Wherever the session is by then: a switch that
    /// came first counts.
    pub(crate) async fn refresh(&self, refresh_token: &SecretString) -> Refreshed {
        for _ in 0..MAX_TURNS {
            match self.exchanged(refresh_token, None).await.outcome {
                // That was a switch which came first. It left the token as it was.
                Refreshed::Refused { .. } => {}
                outcome => return outcome,
            }
        }
        UNAVAILABLE
    }

    /// The same, and into an organization. Whoever has the token rotated meanwhile, the switch goes on with its successor.
    pub(crate) async fn switch(&self, refresh_token: &SecretString, organization_id: &str) -> Refreshed {
        let mut token = refresh_token.clone();
        for _ in 0..MAX_TURNS {
            let exchange = self.exchanged(&token, Some(organization_id)).await;
            let is_ours = exchange.organization_id.as_deref() == Some(organization_id);
            match exchange.outcome {
                Refreshed::Rotated(session) if !is_ours => token = session.refresh_token.clone(),
                Refreshed::Refused { .. } if !is_ours => {}
                // The session is over, or the token was exchanged out of our sight (on another machine): WorkOS replays
                // that, but not into another organization.
                Refreshed::Refused { code } if code == "invalid_grant" => match self.refresh(&token).await {
                    Refreshed::Rotated(session) => token = session.refresh_token.clone(),
                    outcome => return outcome,
                },
                outcome => return outcome,
            }
        }
        UNAVAILABLE
    }

    /// The exchange of a token: one that is under way or settled, whatever it was for, else one for `organization_id`.
    async fn exchanged(&self, refresh_token: &SecretString, organization_id: Option<&str>) -> Exchange {
        let key = fingerprint(&[refresh_token.expose().as_bytes()]);
        let mut flight = self.join_or_start(key, refresh_token, organization_id);
        match flight
            .wait_for(Option::is_some)
            .await
            .map(|exchange| exchange.clone())
        {
            Ok(Some(exchange)) => exchange,
            // The worker that ran the exchange has shut down.
            _ => self.exchange_now(
                organization_id.map(str::to_owned),
                Refreshed::Unavailable {
                    retry_after: Duration::ZERO,
                },
            ),
        }
    }

    fn join_or_start(
        &self,
        key: Fingerprint,
        refresh_token: &SecretString,
        organization_id: Option<&str>,
    ) -> watch::Receiver<Option<Exchange>> {
        let mut in_flight = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = in_flight.get(&key) {
            return flight.clone();
        }
        let (sender, receiver) = watch::channel(None);
        in_flight.insert(key, receiver.clone());
        // A runtime that shuts down drops the task at once, and with it the landing, which takes the lock.
        drop(in_flight);
        let landing = Landing {
            in_flight: Arc::clone(&self.in_flight),
            key,
        };
        let (refresher, refresh_token) = (self.clone(), refresh_token.clone());
        let organization_id = organization_id.map(str::to_owned);
        tokio::spawn(async move {
            let exchange = refresher.settle(key, refresh_token, organization_id).await;
            // First out of the map, where the result is already settled, then to those who wait.
            drop(landing);
            sender.send_replace(Some(exchange));
        });
        receiver
    }

    /// The settled result if there is one, else the exchange. Looked up inside the flight, so that a request that came
    /// between two flights finds what the first one left.
    async fn settle(
        &self,
        key: Fingerprint,
        refresh_token: SecretString,
        organization_id: Option<String>,
    ) -> Exchange {
        if let Some(settled) = self.settled.get(&key).await
            && unix_seconds(self.clock.as_ref()) < settled.at.saturating_add(GRACE_SECONDS)
        {
            return settled;
        }
        let outcome = self.ask(refresh_token, organization_id.clone()).await;
        let exchange = self.exchange_now(organization_id, outcome);
        if matches!(exchange.outcome, Refreshed::Rotated(_) | Refreshed::Ended { .. }) {
            self.settled.insert(key, exchange.clone()).await;
        }
        exchange
    }

    fn exchange_now(&self, organization_id: Option<String>, outcome: Refreshed) -> Exchange {
        Exchange {
            outcome,
            organization_id,
            at: unix_seconds(self.clock.as_ref()),
        }
    }

    async fn ask(&self, refresh_token: SecretString, organization_id: Option<String>) -> Refreshed {
        let is_switch = organization_id.is_some();
        let params = AuthenticateWithRefreshTokenParams {
            organization_id,
            ..AuthenticateWithRefreshTokenParams::new(refresh_token)
        };
        match self
            .client
            .0
            .user_management()
            .authenticate_with_refresh_token(params)
            .await
        {
            Ok(response) => {
                tracing::debug!(user.id = %response.user.id, "session refreshed");
                Refreshed::Rotated(Arc::new(response.into()))
            }
            Err(error) => {
                let outcome = classify(&error, is_switch);
                match &outcome {
                    Refreshed::Ended { code } => tracing::info!(%code, "WorkOS ended the session"),
                    Refreshed::Refused { code } => tracing::info!(%code, "WorkOS refused the organization"),
                    _ => tracing::warn!(%error, "the session could not be refreshed; it is kept"),
                }
                outcome
            }
        }
    }
}

/// Takes the flight out of the map, also when the task is dropped.
struct Landing {
    in_flight: Arc<Mutex<InFlight>>,
    key: Fingerprint,
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.in_flight
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
}

/// Whether a failure says that the session is over, or only that we do not know.
///
/// WorkOS documents `invalid_grant`, `sso_required` and `mfa_enrollment` as the end of a session, and network faults,
/// 408, 429 and 5xx as passing. A refusal of our own credentials is no fault of the user and also keeps the session;
/// every other refusal of the exchange ends it, because repeating it cannot help. A refusal of a switch is about the
/// organization, and ends nothing.
fn classify(error: &workos::Error, is_switch: bool) -> Refreshed {
    let unavailable = |retry_after: Option<Duration>| Refreshed::Unavailable {
        retry_after: retry_after.unwrap_or(DEFAULT_RETRY_AFTER),
    };
    let Some(api) = error.api() else {
        return unavailable(None);
    };
    let code = api.code.as_deref().unwrap_or_default();
    let refused = |code: &str| {
        let code = code.to_owned();
        if is_switch {
            Refreshed::Refused { code }
        } else {
            Refreshed::Ended { code }
        }
    };
    match (api.status, code) {
        (408 | 429 | 500.., _) => unavailable(api.retry_after),
        (_, "invalid_grant" | "sso_required" | "mfa_enrollment") => refused(code),
        (_, "invalid_client" | "unauthorized_client") | (401, _) => unavailable(None),
        (400..=499, _) => refused(code),
        _ => unavailable(None),
    }
}

#[cfg(test)]
mod tests {
    use workos::{ApiError, Error};

    use super::*;

    fn api_error(status: u16, code: &str, retry_after: Option<u64>) -> Error {
        Error::Api(Box::new(ApiError {
            status,
            code: (!code.is_empty()).then(|| code.to_owned()),
            message: String::new(),
            request_id: None,
            retry_after: retry_after.map(Duration::from_secs),
            headers: Default::default(),
            raw_body: Default::default(),
        }))
    }

    #[test]
    fn only_a_clear_word_from_workos_ends_a_session() {
        for (status, code) in [
            (400, "invalid_grant"),
            (401, "invalid_grant"),
            (400, "sso_required"),
            (400, "mfa_enrollment"),
            (403, "mfa_enrollment"),
            (400, "organization_not_found"),
            (422, ""),
        ] {
            let error = api_error(status, code, None);
            assert!(
                matches!(classify(&error, false), Refreshed::Ended { .. }),
                "{status} {code}"
            );
            assert!(
                matches!(classify(&error, true), Refreshed::Refused { code: told } if told == code),
                "{status} {code}"
            );
        }
        for (status, code) in [
            (500, ""),
            (502, "invalid_grant"),
            (503, ""),
            (408, ""),
            (429, "too_many_requests"),
            (401, ""),
            (400, "invalid_client"),
            (302, ""),
        ] {
            for is_switch in [false, true] {
                assert!(
                    matches!(
                        classify(&api_error(status, code, None), is_switch),
                        Refreshed::Unavailable { .. }
                    ),
                    "{status} {code}"
                );
            }
        }
    }

    #[test]
    fn retry_after_is_passed_on() {
        let Refreshed::Unavailable { retry_after } = classify(&api_error(429, "", Some(17)), false) else {
            panic!()
        };
        assert_eq!(retry_after, Duration::from_secs(17));
    }
}
