//! The `organization-selection` grant: the choice that a sign-in may have to wait for.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    client::Client,
    method::AuthenticationMethod,
    sign_in::{self, Authentication, SignIn},
};
use crate::{
    api::user_management::sessions::Device,
    core::{clock, secret::Secret},
    server::{call::Call, error::ApiError},
    store::{Expiring, Record, Transaction},
};

/// A sign-in that waits for its next step. Its id is the digest of the `pending_authentication_token`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PendingAuthentication {
    id: String,
    client_id: String,
    user_id: String,
    method: AuthenticationMethod,
    #[serde(with = "clock::timestamp")]
    expires_at: Timestamp,
}

impl Record for PendingAuthentication {
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
pub(super) fn begin(
    tx: &mut Transaction<'_>,
    client: &Client,
    user_id: &str,
    method: AuthenticationMethod,
) -> Result<Secret, ApiError> {
    let token = tx.token(25);
    let lifetime = SignedDuration::from_secs(tx.settings().pending_authentication_lifetime.into());
    tx.put_expiring(PendingAuthentication {
        id: Secret::digest(&token),
        client_id: client.id.clone(),
        user_id: user_id.to_owned(),
        method,
        expires_at: clock::saturating_add(tx.now(), lifetime),
    })?;
    Ok(Secret::new(token))
}

/// `grant_type: urn:workos:oauth:grant-type:organization-selection`
#[derive(Deserialize)]
struct Request {
    pending_authentication_token: String,
    organization_id: String,
}

pub(super) fn grant(call: &Call, client: &Client) -> Result<Authentication, ApiError> {
    client.require_secret()?;
    let request: Request = call.body()?;
    let device: Device = call.body()?;
    call.environment
        .transact(|tx| select(tx, client, &request, device))
}

/// Continues a sign-in in the chosen organization. The token is used up only if that succeeds: who chooses wrongly may
/// choose again (an assumption; its single use is one as well).
fn select(
    tx: &mut Transaction<'_>,
    client: &Client,
    request: &Request,
    device: Device,
) -> Result<Authentication, ApiError> {
    let id = Secret::digest(&request.pending_authentication_token);
    let pending = tx
        .unexpired::<PendingAuthentication>(&id)
        .filter(|pending| pending.client_id == client.id)
        .cloned()
        .ok_or_else(|| {
            ApiError::bad_request(
                "invalid_pending_authentication_token",
                "The pending authentication token is invalid or has expired.",
            )
        })?;
    tx.delete::<PendingAuthentication>(&id);
    sign_in::sign_in(
        tx,
        client,
        SignIn {
            user_id: &pending.user_id,
            organization_id: Some(&request.organization_id),
            method: pending.method,
            device,
        },
    )?
}

#[cfg(test)]
mod tests;
