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
    api::user_management::{
        device_authorization::{self, DeviceAuthorization, DeviceState, INTERVAL},
        sessions::Device,
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

/// Each poll is remembered, so that too early ones are told to slow down; the sign-in is given once.
fn poll(
    tx: &mut Transaction<'_>,
    client: &Client,
    device_code: &str,
    device: Device,
) -> Attempt<Authentication> {
    let now = tx.now();
    let found = device_authorization::by_device_code(tx, device_code)
        .filter(|found| found.client_id == client.id)
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
            let device = device.or(&approved.device);
            let begun = SignIn::clone(approved);
            return sign_in(tx, client, SignIn { device, ..begun });
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
