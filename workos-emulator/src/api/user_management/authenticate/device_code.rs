//! The `device_code` grant: a program asks again and again until its user has confirmed the code (RFC 8628 section 3.4).
//!
//! Source of the answers: <https://workos.com/docs/reference/authkit/cli-auth/error-codes>.

use serde::Deserialize;

use super::{
    Attempt,
    client::Client,
    sign_in::{Authentication, SignIn, sign_in},
};
use crate::{
    api::{
        connect::device_authorization::ConnectDevice,
        user_management::{
            device_authorization::{self, DeviceAuthorization, DeviceState, INTERVAL},
            sessions::Device,
        },
    },
    server::{call::Call, error::ApiError},
    store::Transaction,
};

/// `grant_type: urn:ietf:params:oauth:grant-type:device_code`. The client is public.
#[derive(Deserialize)]
struct Request {
    device_code: String,
}

pub(super) fn grant(call: &Call, client: &Client) -> Result<Authentication, ApiError> {
    let request: Request = call.body()?;
    let device: Device = call.body()?;
    call.environment
        .transact(|tx| poll(tx, client, &request.device_code, device))?
}

fn poll(
    tx: &mut Transaction<'_>,
    client: &Client,
    device_code: &str,
    device: Device,
) -> Attempt<Authentication> {
    let approved = approved(tx, device_code, |found| {
        found.client_id == client.id && found.connect.is_none()
    })?;
    match approved {
        Ok(Approved { sign_in: begun, .. }) => {
            let device = device.or(&begun.device);
            sign_in(tx, client, SignIn { device, ..begun })
        }
        Err(refusal) => Ok(Err(refusal)),
    }
}

/// What a person confirmed.
#[derive(Debug, Clone)]
pub(crate) struct Approved {
    pub(crate) sign_in: SignIn,
    /// What a Connect application asked for.
    pub(crate) connect: Option<ConnectDevice>,
}

/// What a program polls for, once its user has confirmed it. Each poll is remembered, so that too early ones are told to
/// slow down; what was confirmed is given once, and to nobody for whom it is not.
pub(crate) fn approved(
    tx: &mut Transaction<'_>,
    device_code: &str,
    is_for_client: impl Fn(&DeviceAuthorization) -> bool,
) -> Attempt<Approved> {
    let now = tx.now();
    let found = device_authorization::by_device_code(tx, device_code)
        .filter(|found| is_for_client(found))
        .cloned();
    let Some(found) = found else {
        return Ok(Err(refused(
            "invalid_grant",
            "The device code is invalid or has already been used.",
        )));
    };
    match &found.state {
        DeviceState::Denied => {
            return Ok(Err(refused(
                "access_denied",
                "The user denied the authorization request.",
            )));
        }
        _ if found.is_expired(now) => {
            return Ok(Err(refused("expired_token", "The device code has expired.")));
        }
        DeviceState::Approved(approved) => {
            tx.delete::<DeviceAuthorization>(&found.id);
            return Ok(Ok(Approved {
                sign_in: SignIn::clone(approved),
                connect: found.connect.clone(),
            }));
        }
        DeviceState::Pending => {}
    }
    let too_early = found
        .polled_at
        .is_some_and(|polled_at| now.duration_since(polled_at).as_secs() < i64::from(found.interval));
    let interval = if too_early {
        found.interval.saturating_add(INTERVAL)
    } else {
        found.interval
    };
    tx.put(DeviceAuthorization {
        interval,
        polled_at: Some(now),
        ..DeviceAuthorization::clone(&found)
    })?;
    Ok(Err(if too_early {
        refused(
            "slow_down",
            "The client is polling too frequently and should slow down.",
        )
    } else {
        let pending = "The authorization request is still pending as the user hasn't yet completed the user interaction flow.";
        refused("authorization_pending", pending)
    }))
}

fn refused(code: &str, description: &str) -> ApiError {
    ApiError::oauth(code, description)
}

#[cfg(test)]
mod tests;
