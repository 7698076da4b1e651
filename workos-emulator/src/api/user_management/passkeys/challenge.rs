//! Challenges: what an authenticator signs, once, for one sign-in.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::TIMEOUT;
use crate::{
    core::{clock, secret::Secret},
    server::error::ApiError,
    store::{Expiring, Record, Transaction},
};

/// The challenge that a sign-in in progress waits for an answer to. A new one takes the place of the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PasskeyChallenge {
    authorization_session_id: String,
    purpose: Purpose,
    value: Secret,
    #[serde(with = "clock::timestamp")]
    expires_at: Timestamp,
}

/// What it was made for: an answer is good for that alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Purpose {
    Registration,
    Authentication,
}

impl Record for PasskeyChallenge {
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.authorization_session_id
    }
}

impl Expiring for PasskeyChallenge {
    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

/// A new challenge for a sign-in in progress.
pub(super) fn begin(
    tx: &mut Transaction<'_>,
    authorization_session_id: &str,
    purpose: Purpose,
) -> Result<Secret, ApiError> {
    let lifetime = SignedDuration::from_millis(TIMEOUT.into());
    let challenge = PasskeyChallenge {
        authorization_session_id: authorization_session_id.to_owned(),
        purpose,
        value: Secret::new(tx.token(32)),
        expires_at: clock::saturating_add(tx.now(), lifetime),
    };
    tx.delete::<PasskeyChallenge>(authorization_session_id);
    Ok(tx.put_expiring(challenge)?.value.clone())
}

/// The challenge that an answer is for. It is used up, whatever the answer is worth.
pub(super) fn take(
    tx: &mut Transaction<'_>,
    authorization_session_id: &str,
    purpose: Purpose,
) -> Option<Secret> {
    let now = tx.now();
    tx.delete::<PasskeyChallenge>(authorization_session_id)
        .filter(|challenge| challenge.purpose == purpose && challenge.expires_at > now)
        .map(|challenge| challenge.value.clone())
}
