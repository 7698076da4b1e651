//! Refreshing sessions, and moving them to another organization: once, however many requests ask.

mod classify;
mod machines;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use moka::future::Cache;
use tokio::sync::watch;
use workos::{Client, SecretString, user_management::AuthenticateWithRefreshTokenParams};

use self::{
    classify::classify,
    machines::{Machines, Turn},
};
use crate::{
    clock::{Clock, unix_seconds},
    cookie::CookieSealer,
    counted::{self, Stopwatch},
    credential::Session,
    digest::{Fingerprint, fingerprint},
    random::Randomness,
    shared_state::AnySharedState,
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

impl Refreshed {
    fn as_str(&self) -> &'static str {
        match self {
            Self::Rotated(_) => "rotated",
            Self::Refused { .. } => "refused",
            Self::Ended { .. } => "ended",
            Self::Unavailable { .. } => "unavailable",
        }
    }
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
/// - With a shared state all of this holds for all machines together.
#[derive(Debug, Clone)]
pub(crate) struct Refresher {
    client: WorkOsClient,
    clock: Arc<dyn Clock>,
    machines: Option<Machines>,
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
            machines: None,
            in_flight: Arc::default(),
            settled: Cache::builder()
                .max_capacity(MAX_SETTLED)
                .time_to_live(memory)
                .build(),
        }
    }

    /// Agrees with other machines on who asks WorkOS.
    pub(crate) fn shared(
        mut self,
        state: AnySharedState,
        sealer: CookieSealer,
        randomness: &dyn Randomness,
    ) -> Self {
        self.machines = Some(Machines::new(state, sealer, randomness));
        self
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
            counted::shared_refresh("in_flight");
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
            counted::shared_refresh("settled");
            return settled;
        }
        let exchange = match &self.machines {
            None => self.ask(refresh_token, organization_id).await,
            Some(machines) => match machines.turn(&key).await {
                Turn::Ours(ticket) => {
                    let asking = self.ask(refresh_token, organization_id);
                    let exchange = machines.hold(&ticket, asking).await;
                    machines.conclude(ticket, &exchange).await;
                    exchange
                }
                Turn::Settled(exchange) => {
                    counted::shared_refresh("machine");
                    Exchange {
                        // The clock of the other machine may be ahead.
                        at: exchange.at.min(unix_seconds(self.clock.as_ref())),
                        ..exchange
                    }
                }
                Turn::Unknown => self.exchange_now(organization_id, UNAVAILABLE),
            },
        };
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

    async fn ask(&self, refresh_token: SecretString, organization_id: Option<String>) -> Exchange {
        let (is_switch, stopwatch) = (organization_id.is_some(), Stopwatch::start());
        let params = AuthenticateWithRefreshTokenParams {
            organization_id: organization_id.clone(),
            ..AuthenticateWithRefreshTokenParams::new(refresh_token)
        };
        let answer = self
            .client
            .0
            .user_management()
            .authenticate_with_refresh_token(params)
            .await;
        let outcome = match answer {
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
        };
        counted::refresh(outcome.as_str(), &stopwatch);
        self.exchange_now(organization_id, outcome)
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
