//! Passkeys: a key on a person's device, in place of a password and of a second factor at once.
//!
//! They are made and used on the hosted pages alone, as in production; the API has no operation for them. Source:
//! <https://workos.com/docs/authkit/passkeys>.
//!
//! `passkey_progressive_enrollment`, which the API's description has among the refusals of `authenticate`, is given to
//! nobody here. Assumption: it is what AuthKit's own pages get, as who signs in through the API has no way to answer it.

mod authentication;
mod challenge;
mod offer;
mod registration;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use self::{
    authentication::{authenticate, begin_authentication},
    challenge::PasskeyChallenge,
    offer::{PasskeyReminder, is_offered, postpone},
    registration::{begin_registration, register},
};
use crate::{
    core::{
        clock,
        webauthn::{Base64Url, PublicKey},
    },
    store::{Index, Record, State, Transaction},
};

/// How long a browser waits for its person, in milliseconds, and a challenge for its answer. Source of the
/// recommendation: <https://www.w3.org/TR/webauthn-3/#sctn-timeout-recommended-range>.
const TIMEOUT: u32 = 300_000;

/// A passkey of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Passkey {
    id: String,
    user_id: String,
    /// The authenticator's name for it.
    credential_id: Base64Url,
    public_key: PublicKey,
    /// How many signatures the authenticator said to have made. Always 0 where it does not count.
    sign_count: u32,
    #[serde(with = "clock::timestamp")]
    created_at: Timestamp,
    #[serde(with = "clock::timestamp::option")]
    last_used_at: Option<Timestamp>,
}

const BY_CREDENTIAL: Index<Passkey> = Index::unique("credential", |passkey| {
    vec![(passkey.credential_id.encoded().into(), 0)]
});
const BY_USER: Index<Passkey> = Index::ordered("user", |passkey| vec![(passkey.user_id.as_str().into(), 0)]);

impl Record for Passkey {
    const INDEXES: &'static [Index<Self>] = &[BY_CREDENTIAL, BY_USER];

    fn id(&self) -> &str {
        &self.id
    }
}

/// Whether people may sign in with passkeys.
pub(crate) fn is_enabled(state: &State) -> bool {
    state.settings().sign_in_methods.passkey
}

/// Forgets the passkeys of a user who is gone.
pub(super) fn forget(tx: &mut Transaction<'_>, user_id: &str) {
    let ids: Vec<_> = tx
        .passkeys
        .group(BY_USER, user_id)
        .map(|passkey| passkey.id.clone())
        .collect();
    for id in ids {
        tx.delete::<Passkey>(&id);
    }
    tx.delete::<PasskeyReminder>(user_id);
}
