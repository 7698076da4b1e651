//! A response that was checked, on its way to the browser that waits for it.
//!
//! Identity providers post responses from their own pages, so that browsers leave the cookie of the sign-in away. The answer
//! is therefore kept for the moment, under a code, and the browser is sent to fetch it: then it brings the cookie.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    request,
    response::{Accepted, Check, Checked},
};
use crate::{
    api::sso::{
        connections::Connection,
        identity_provider::{Assertion, Refusal},
        sign_in::SsoSession,
        traces::{self, StepName},
    },
    core::{clock, secret::Secret},
    server::error::ApiError,
    store::{Expiring, Record, State, Transaction},
};

/// How long a browser has to fetch an answer.
const LIFETIME: SignedDuration = SignedDuration::from_mins(2);

/// An answer. Its id is the digest of its code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SamlAnswer {
    id: String,
    pub(crate) connection_id: String,
    /// The sign-in that asked. None: nobody did.
    pub(crate) session_id: Option<String>,
    pub(crate) relay_state: Option<String>,
    checks: Vec<Check>,
    outcome: Result<Assertion, Refusal>,
    #[serde(with = "clock::timestamp")]
    expires_at: Timestamp,
}

impl Record for SamlAnswer {
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.id
    }
}

impl Expiring for SamlAnswer {
    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

/// An assertion that was used: it is good once. Its id is the digest of the connection's and its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ConsumedAssertion {
    id: String,
    #[serde(with = "clock::timestamp")]
    expires_at: Timestamp,
}

impl Record for ConsumedAssertion {
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.id
    }
}

impl Expiring for ConsumedAssertion {
    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

/// Whom a response is for.
enum For {
    Session(Arc<SsoSession>),
    /// Nobody asked for it.
    Nobody,
    /// A sign-in that is not there, any more.
    Unknown,
}

impl For {
    /// By the request that it says it answers, else by the `RelayState`, which is the state of the sign-in that asked. Whether
    /// that is true is another question: this says only who is told.
    fn of(state: &State, connection: &Connection, checked: &Checked, relay_state: Option<&str>) -> Self {
        let by_request = checked.in_response_to.as_deref().map(request::session_id_in);
        let is_lost = checked.outcome.is_err() && checked.in_response_to.is_none();
        let by_state = relay_state.filter(|_| is_lost).map(SsoSession::id_in);
        let session_id = match (by_request, by_state.filter(|id| !id.is_empty())) {
            (Some(None), _) => return Self::Unknown,
            (Some(Some(id)), _) | (None, Some(id)) => id,
            (None, None) => return Self::Nobody,
        };
        let session = state.sso_sessions.get(session_id);
        match session.filter(|session| session.connection_id == connection.id) {
            Some(session) => Self::Session(Arc::clone(session)),
            None => Self::Unknown,
        }
    }
}

/// Keeps the answer that a response is. The code fetches it; there is none where the sign-in that it answers is not there.
pub(crate) fn keep(
    tx: &mut Transaction<'_>,
    connection: &Connection,
    checked: Checked,
    relay_state: Option<String>,
) -> Result<Option<Secret>, ApiError> {
    let session = match For::of(tx, connection, &checked, relay_state.as_deref()) {
        For::Session(session) => Some(session),
        For::Nobody => None,
        For::Unknown => return Ok(None),
    };
    let Checked {
        mut checks, outcome, ..
    } = checked;
    let mut check = |step, outcome: Result<&str, &str>| {
        let passed = outcome.is_ok();
        let (Ok(detail) | Err(detail)) = outcome;
        checks.push(Check {
            step,
            passed,
            detail: detail.to_owned(),
        });
        outcome
            .map(drop)
            .map_err(|detail| Refusal::Untrusted(detail.to_owned()))
    };
    let outcome = match outcome {
        Err(refusal) => Err(refusal),
        Ok(accepted) => check(StepName::Replay, consume(tx, connection, &accepted)?)
            .and_then(|()| match &session {
                Some(session) => check(
                    StepName::Correlation,
                    correlated(session, &accepted, relay_state.as_deref()),
                ),
                None => Ok(()),
            })
            .map(|()| accepted.assertion),
    };
    let code = tx.token(32);
    tx.put_expiring(SamlAnswer {
        id: Secret::digest(&code),
        connection_id: connection.id.clone(),
        session_id: session.map(|session| session.id.clone()),
        relay_state,
        checks,
        outcome,
        expires_at: clock::saturating_add(tx.now(), LIFETIME),
    })?;
    Ok(Some(Secret::new(code)))
}

/// Uses an assertion up.
fn consume(
    tx: &mut Transaction<'_>,
    connection: &Connection,
    accepted: &Accepted,
) -> Result<Result<&'static str, &'static str>, ApiError> {
    let id = Secret::digest(&format!("{} {}", connection.id, accepted.assertion_id));
    if tx.unexpired::<ConsumedAssertion>(&id).is_some() {
        return Ok(Err("The assertion was used before."));
    }
    tx.put_expiring(ConsumedAssertion {
        id,
        expires_at: accepted.expires_at,
    })?;
    Ok(Ok("The assertion was not used before."))
}

/// Whether an assertion answers the request of this sign-in.
fn correlated(
    session: &SsoSession,
    accepted: &Accepted,
    relay_state: Option<&str>,
) -> Result<&'static str, &'static str> {
    let request_id = request::id(&session.id, &session.state);
    if accepted.in_response_to.as_deref() != Some(&request_id) {
        return Err("It answers another request than the one of this sign-in.");
    }
    if !relay_state.is_some_and(|given| session.state.matches(given)) {
        return Err("Its RelayState is not the one that the request was sent with.");
    }
    Ok("It answers the request of this sign-in, with its RelayState.")
}

/// The answer with this code, once.
pub(crate) fn fetch(tx: &mut Transaction<'_>, code: &str) -> Option<SamlAnswer> {
    let now = tx.now();
    let answer = tx.delete::<SamlAnswer>(&Secret::digest(code))?;
    (answer.expires_at > now).then(|| SamlAnswer::clone(&answer))
}

impl SamlAnswer {
    /// What it says, once its checks stand in the trace of a sign-in.
    pub(crate) fn traced(self, tx: &mut Transaction<'_>, session_id: &str) -> Result<Assertion, Refusal> {
        for check in self.checks {
            traces::step(tx, session_id, check.step, check.passed, check.detail)
                .map_err(|error| Refusal::Failed(error.to_string()))?;
        }
        self.outcome
    }
}
