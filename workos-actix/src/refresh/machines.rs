//! One exchange of a refresh token, however many machines are asked for it.
//!
//! Everything about one token stands under one key, named by the token's hash:
//!
//! - nothing: whoever puts `taken …` there first may ask WorkOS;
//! - `taken <who>`: somebody asks. It runs out if they die;
//! - `settled <sealed>`: what WorkOS answered, for the grace time.

use std::{sync::Arc, time::Duration};

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
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);
/// Between attempts to tell the other machines what WorkOS has answered.
const PUBLISH_PAUSE: Duration = Duration::from_millis(250);

const TAKEN: &str = "taken ";
const SETTLED: &str = "settled ";

/// What the other machines know, and are told.
#[derive(Debug, Clone)]
pub(super) struct Machines {
    state: AnySharedState,
    sealer: Arc<CookieSealer>,
    randomness: Arc<dyn Randomness>,
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
    pub(super) fn new(state: AnySharedState, sealer: CookieSealer, randomness: Arc<dyn Randomness>) -> Self {
        Self {
            state,
            sealer: Arc::new(sealer),
            randomness,
        }
    }

    /// Waits until it is this machine's turn, or another one has an answer.
    pub(super) async fn turn(&self, token: &Fingerprint) -> Turn {
        let ticket = Ticket {
            key: format!("refresh:{}", URL_SAFE_NO_PAD.encode(token)),
            value: format!("{TAKEN}{}", unguessable(self.randomness.as_ref())),
        };
        match self.wait_for(ticket).await {
            Ok(turn) => turn,
            Err(error) => {
                tracing::warn!(%error, "a refresh is due and cannot be agreed on with other machines; the session is kept");
                Turn::Unknown
            }
        }
    }

    async fn wait_for(&self, ticket: Ticket) -> Result<Turn, SharedStateError> {
        let deadline = Instant::now() + PATIENCE;
        let mut pause = FIRST_PAUSE;
        loop {
            if self.state.set_if_absent(&ticket.key, &ticket.value, TURN).await? {
                return Ok(Turn::Ours(ticket));
            }
            match self.state.get(&ticket.key).await?.as_deref() {
                // Ours after all: the answer that said so was lost, and the question repeated.
                Some(value) if value == ticket.value => return Ok(Turn::Ours(ticket)),
                Some(value) => {
                    if let Some(sealed) = value.strip_prefix(SETTLED) {
                        return Ok(self.open(&ticket.key, sealed));
                    }
                }
                // Given back between the two questions.
                None => {}
            }
            if Instant::now() + pause > deadline {
                tracing::warn!("another machine takes too long for a refresh; the session is kept");
                return Ok(Turn::Unknown);
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
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
            None => self.state.delete_if_equal(&ticket.key, &ticket.value).await.map(drop),
        };
        if let Err(error) = concluded {
            tracing::warn!(%error, "the other machines cannot be told about a refresh");
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
            Outcome::Rotated(state) => Session::from_state(state).map(|session| Refreshed::Rotated(session.into())),
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
