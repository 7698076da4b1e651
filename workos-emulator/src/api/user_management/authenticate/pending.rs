//! Sign-ins through the API that wait for their next step, each known by its `pending_authentication_token`.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{client::Client, sign_in::SignIn};
use crate::{
    core::{clock, secret::Secret},
    server::error::ApiError,
    store::{Expiring, Index, Record, Transaction},
};

/// A sign-in that waits for its next step. Its id is the digest of the `pending_authentication_token`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PendingAuthentication {
    pub(super) id: String,
    client_id: String,
    pub(crate) sign_in: SignIn,
    #[serde(with = "clock::timestamp")]
    expires_at: Timestamp,
}

const BY_USER: Index<PendingAuthentication> = Index::ordered("user", |pending| {
    vec![(pending.sign_in.user_id.as_str().into(), 0)]
});

impl Record for PendingAuthentication {
    const INDEXES: &'static [Index<Self>] = &[BY_USER];

    fn id(&self) -> &str {
        &self.id
    }
}

impl Expiring for PendingAuthentication {
    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

/// Keeps a sign-in for its next step, and gives the token that it is continued with.
pub(super) fn begin(tx: &mut Transaction<'_>, client: &Client, sign_in: SignIn) -> Result<Secret, ApiError> {
    let token = tx.token(25);
    let lifetime = SignedDuration::from_secs(tx.settings().pending_authentication_lifetime.into());
    tx.put_expiring(PendingAuthentication {
        id: Secret::digest(&token),
        client_id: client.id.clone(),
        sign_in,
        expires_at: clock::saturating_add(tx.now(), lifetime),
    })?;
    Ok(Secret::new(token))
}

/// The sign-in that this client may continue with `token`. Who goes on with it deletes it: each token is good for one
/// step (an assumption), but a step that is refused may be tried again.
pub(super) fn find(
    tx: &Transaction<'_>,
    client: &Client,
    token: &str,
) -> Result<Arc<PendingAuthentication>, ApiError> {
    known(tx, token)
        .ok()
        .filter(|pending| pending.client_id == client.id)
        .ok_or_else(invalid)
}

/// The sign-in that waits with `token`, for operations that need an API key instead of a client.
pub(crate) fn known(tx: &Transaction<'_>, token: &str) -> Result<Arc<PendingAuthentication>, ApiError> {
    tx.unexpired::<PendingAuthentication>(&Secret::digest(token))
        .cloned()
        .ok_or_else(invalid)
}

/// Forgets the sign-ins of a user.
pub(super) fn forget(tx: &mut Transaction<'_>, user_id: &str) {
    let found = tx.pending_authentications.group(BY_USER, user_id);
    let ids: Vec<_> = found.map(|pending| pending.id.clone()).collect();
    for id in ids {
        tx.delete::<PendingAuthentication>(&id);
    }
}

/// The refusal of a token with which no sign-in waits for this.
pub(crate) fn invalid() -> ApiError {
    ApiError::bad_request(
        "invalid_pending_authentication_token",
        "The pending authentication token is invalid or has expired.",
    )
}
