//! One exchange of a refresh token, however many machines are asked for it.
//!
//! Everything about one token stands under one key, named by the token's hash:
//!
//! - nothing: whoever puts `taken …` there first may ask WorkOS;
//! - `taken <machine> <number>`: somebody asks. It runs out if they die;
//! - `settled <sealed>`: what WorkOS answered, for the grace time;
//! - `free`: whoever asked has no answer, and the next one may.
//!
//! A database that is restarted without its data forgets `taken`. So whoever asks goes on claiming it, and whoever waits
//! does not take silence for `free`.

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use super::{Exchange, GRACE_SECONDS, Refreshed};
use crate::{
    cookie::CookieSealer,
    credential::{Session, StoredState},
    digest::Fingerprint,
    random::{Randomness, unguessable},
    shared_state::{AnySharedState, SharedStateError},
    transport,
};

/// Longer than any exchange, so that nobody asks beside one that is still under way. Shorter than the time for which
/// WorkOS answers a repeated refresh with the same tokens: when a machine dies after WorkOS has answered it, the next one
/// gets that answer too.
const TURN: Duration = Duration::from_secs(transport::TIMEOUT.as_secs() + 5);
const GRACE: Duration = Duration::from_secs(GRACE_SECONDS.unsigned_abs());
const _: () = assert!(TURN.as_secs() < GRACE.as_secs());
/// Whoever waits longer is told 503. The turn of a machine that died is over by then.
const PATIENCE: Duration = Duration::from_secs(TURN.as_secs() + 1);
/// How long a restart of the database may take, for those who wait not to notice.
const TOLERANCE: Duration = Duration::from_secs(1);
const RENEWAL: Duration = Duration::from_millis(500);
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);
/// Between attempts to tell the other machines what WorkOS has answered.
const PUBLISH_PAUSE: Duration = Duration::from_millis(250);
/// Between attempts to take back a turn that may have been taken.
const WITHDRAWAL_PAUSE: Duration = Duration::from_secs(1);

const TAKEN: &str = "taken ";
const SETTLED: &str = "settled ";
const FREE: &str = "free";

/// What the other machines know, and are told.
#[derive(Debug, Clone)]
pub(super) struct Machines {
    state: AnySharedState,
    sealer: Arc<CookieSealer>,
    /// How the turns of this machine begin.
    own: Arc<str>,
    turns: Arc<AtomicU64>,
}

/// What a machine learns when it wants to exchange a token.
pub(super) enum Turn {
    /// It is its turn to ask WorkOS.
    Ours(Ticket),
    /// Another machine has.
    Settled(Exchange),
    /// Nobody can tell, or it takes too long.
    Unknown,
}

/// The right to ask WorkOS about a token, to be returned by [`Machines::conclude`].
pub(super) struct Ticket {
    key: String,
    value: String,
}

enum Sight {
    Ours,
    Taken,
    Settled(String),
    Nothing,
}

/// An [`Exchange`] as it is sealed.
#[derive(Serialize, Deserialize)]
struct Settled {
    organization_id: Option<String>,
    at: i64,
    outcome: Outcome,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Rotated(StoredState),
    Ended(String),
}

impl Machines {
    pub(super) fn new(state: AnySharedState, sealer: CookieSealer, randomness: &dyn Randomness) -> Self {
        Self {
            state,
            sealer: Arc::new(sealer),
            own: format!("{TAKEN}{} ", unguessable(randomness)).into(),
            turns: Arc::default(),
        }
    }

    /// Waits until it is this machine's turn, or another one has an answer. The machine itself asks about a token once at
    /// a time.
    pub(super) async fn turn(&self, token: &Fingerprint) -> Turn {
        let ticket = Ticket {
            key: format!("refresh:{}", URL_SAFE_NO_PAD.encode(token)),
            value: format!("{}{}", self.own, self.turns.fetch_add(1, Ordering::Relaxed)),
        };
        match self.wait_for(&ticket).await {
            Ok(Sight::Settled(sealed)) => self.open(&ticket.key, &sealed),
            Ok(_) => Turn::Ours(ticket),
            Err(error) => {
                tracing::warn!(%error, "a refresh is due and cannot be agreed on with other machines; the session is kept");
                tokio::spawn(self.clone().withdraw(ticket));
                Turn::Unknown
            }
        }
    }

    /// What is there when the waiting is over: an answer, or that the turn is ours.
    async fn wait_for(&self, ticket: &Ticket) -> Result<Sight, SharedStateError> {
        let deadline = Instant::now() + PATIENCE;
        let mut pause = FIRST_PAUSE;
        let mut taken_until = None;
        let mut failing_since = None;
        loop {
            let began = Instant::now();
            let is_taken = taken_until.is_some_and(|time| began < time);
            match self.look(ticket, is_taken).await {
                Ok(sight @ (Sight::Ours | Sight::Settled(_))) => return Ok(sight),
                Ok(Sight::Taken) => {
                    taken_until.get_or_insert(began + TURN);
                    failing_since = None;
                }
                Ok(Sight::Nothing) => failing_since = None,
                Err(error) => {
                    if failing_since.get_or_insert(began).elapsed() >= TOLERANCE {
                        return Err(error);
                    }
                }
            }
            if Instant::now() + pause > deadline {
                return Err(SharedStateError::new("another machine takes too long"));
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Takes the turn, unless somebody else has it.
    async fn look(&self, ticket: &Ticket, is_taken: bool) -> Result<Sight, SharedStateError> {
        if !is_taken && self.state.set_if_absent(&ticket.key, &ticket.value, TURN).await? {
            return Ok(Sight::Ours);
        }
        let Some(value) = self.state.get(&ticket.key).await? else {
            return Ok(Sight::Nothing);
        };
        if let Some(sealed) = value.strip_prefix(SETTLED) {
            return Ok(Sight::Settled(sealed.to_owned()));
        }
        // Nobody's, or ours after all: the answer to the question was lost, now or at an earlier attempt.
        if value == FREE || value.starts_with(&*self.own) {
            self.state.delete_if_equal(&ticket.key, &value).await?;
            let is_ours = self.state.set_if_absent(&ticket.key, &ticket.value, TURN).await?;
            return Ok(if is_ours { Sight::Ours } else { Sight::Taken });
        }
        Ok(Sight::Taken)
    }

    /// Asks WorkOS, and claims the turn all the while.
    pub(super) async fn hold<T>(&self, ticket: &Ticket, asking: impl Future<Output = T>) -> T {
        let mut asking = pin!(asking);
        loop {
            let renewal = async {
                sleep(RENEWAL).await;
                // If this fails, the next one may succeed.
                let _ = self.state.set_if_absent(&ticket.key, &ticket.value, TURN).await;
            };
            tokio::select! {
                biased;
                answer = &mut asking => return answer,
                () = renewal => {}
            }
        }
    }

    /// Tells the other machines what WorkOS has answered, or that the next one may ask.
    pub(super) async fn conclude(&self, ticket: Ticket, exchange: &Exchange) {
        let concluded = match self.seal(&ticket.key, exchange) {
            Some(settled) => {
                let deadline = Instant::now() + GRACE;
                let told = self.state.set(&ticket.key, &settled, GRACE).await;
                if told.is_err() {
                    tokio::spawn(self.clone().publish(ticket.key, settled, deadline));
                }
                told
            }
            // If this fails, the turn runs out by itself.
            None => self.give_back(&ticket).await,
        };
        if let Err(error) = concluded {
            tracing::warn!(%error, "the other machines cannot be told about a refresh");
        }
    }

    async fn give_back(&self, ticket: &Ticket) -> Result<(), SharedStateError> {
        if self.state.delete_if_equal(&ticket.key, &ticket.value).await? {
            self.state.set_if_absent(&ticket.key, FREE, TURN).await?;
        }
        Ok(())
    }

    /// Takes back a turn that may have been taken without an answer that says so, or may yet be, when a database that was
    /// silent reads what it was sent. Nobody should wait for it.
    async fn withdraw(self, ticket: Ticket) {
        let deadline = Instant::now() + TURN;
        let mut answers = 0;
        while answers < 2 && Instant::now() < deadline {
            sleep(WITHDRAWAL_PAUSE).await;
            match self.state.delete_if_equal(&ticket.key, &ticket.value).await {
                Ok(true) => return,
                Ok(false) => answers += 1,
                Err(_) => {}
            }
        }
    }

    /// Goes on trying to tell the other machines. One that has already asked WorkOS itself was given the same tokens.
    async fn publish(self, key: String, settled: String, deadline: Instant) {
        loop {
            sleep(PUBLISH_PAUSE).await;
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || self.state.set(&key, &settled, left).await.is_ok() {
                return;
            }
        }
    }

    /// An exchange for the others to see; `None` when it says nothing about the token. The key goes into the seal, so that
    /// the answer for one token is worthless as that for another.
    fn seal(&self, key: &str, exchange: &Exchange) -> Option<String> {
        let outcome = match &exchange.outcome {
            Refreshed::Rotated(session) => Outcome::Rotated(session.to_state().ok()?),
            Refreshed::Ended { code } => Outcome::Ended(code.clone()),
            Refreshed::Refused { .. } | Refreshed::Unavailable { .. } => return None,
        };
        let settled = Settled {
            organization_id: exchange.organization_id.clone(),
            at: exchange.at,
            outcome,
        };
        let json = serde_json::to_string(&settled).ok()?;
        Some(format!("{SETTLED}{}", self.sealer.seal(key, &json)))
    }

    fn open(&self, key: &str, sealed: &str) -> Turn {
        let opened = self.sealer.unseal(key, sealed);
        let settled = opened.and_then(|json| serde_json::from_str::<Settled>(&json).ok());
        let outcome = settled.as_ref().and_then(|settled| match &settled.outcome {
            Outcome::Rotated(state) => {
                Session::from_state(state).map(|session| Refreshed::Rotated(session.into()))
            }
            Outcome::Ended(code) => Some(Refreshed::Ended { code: code.clone() }),
        });
        let (Some(settled), Some(outcome)) = (settled, outcome) else {
            tracing::error!(
                "another machine's refresh cannot be read: give all of them the same WORKOS_COOKIE_PASSWORD and version, \
                 or a prefix of their own"
            );
            return Turn::Unknown;
        };
        Turn::Settled(Exchange {
            outcome,
            organization_id: settled.organization_id,
            at: settled.at,
        })
    }
}

#[cfg(test)]
#[path = "machines_tests.rs"]
mod tests;
