//! The gate of e-mail verification, and the grant that answers it.
//!
//! Source: <https://workos.com/docs/reference/authkit/authentication-errors/email-verification-required-error>.

use serde::Deserialize;

use super::{
    Attempt,
    client::Client,
    pending::{self, PendingAuthentication},
    sign_in::{self, Authentication, SignIn},
};
use crate::{
    api::user_management::{
        email_verification,
        rate_limit::{self, Limit},
        sessions::Device,
        users::{self, User},
    },
    server::{call::Call, error::ApiError},
    store::{State, Transaction},
};

/// Whether the address must be verified before the sign-in goes on.
///
/// It does not matter how the user came: ways in that prove an address, such as Magic Auth, verify it before they come
/// here. Who is impersonated is not at the browser, and cannot be asked.
pub(super) fn is_required(state: &State, user: &User, sign_in: &SignIn) -> bool {
    !user.email_verified
        && state.settings().email_verification
        && sign_in.impersonator.is_none()
        && !sign_in.skips_email_verification
}

/// The refusal of a sign-in that waits for the address to be verified. The code is on its way.
pub(super) fn required(
    tx: &mut Transaction<'_>,
    client: &Client,
    sign_in: SignIn,
    user: &User,
) -> Result<ApiError, ApiError> {
    let sent = match email_verification::demand(tx, user, None) {
        Ok(sent) => sent,
        // The credential was checked, and that is told.
        Err(refusal) => return Ok(refusal),
    };
    let token = pending::begin(tx, client, sign_in)?;
    let message = "Email ownership must be verified before authentication.";
    Ok(
        ApiError::step_up("email_verification_required", message, token.expose())
            .with("email", user.email.as_str())
            .with("email_verification_id", sent.id.as_str()),
    )
}

/// `grant_type: urn:workos:oauth:grant-type:email-verification:code`
#[derive(Deserialize)]
struct Request {
    code: String,
    pending_authentication_token: String,
}

pub(super) fn grant(call: &Call, client: &Client) -> Result<Authentication, ApiError> {
    client.require_secret()?;
    let request: Request = call.body()?;
    let device: Device = call.body()?;
    call.environment.transact(|tx| {
        let pending = pending::find(tx, client, &request.pending_authentication_token)?;
        conclude(tx, client, &pending, &request.code, device)
    })?
}

/// Continues a sign-in whose address is verified by `code`, towards its next gate; a wrong code is counted.
fn conclude(
    tx: &mut Transaction<'_>,
    client: &Client,
    pending: &PendingAuthentication,
    code: &str,
    device: Device,
) -> Attempt<Authentication> {
    let user = users::find(tx, &pending.sign_in.user_id)
        .map_err(|_| pending::invalid())?
        .clone();
    rate_limit::check(tx, Limit::Authenticate, &user.email)?;
    let device = device.or(&pending.sign_in.device);
    if let Err(reason) = email_verification::redeem(tx, &user, code, &device, pending.sign_in.prover())? {
        rate_limit::count(tx, Limit::Authenticate, &user.email)?;
        return Ok(Err(reason.at_sign_in(&user.email)));
    }
    tx.delete::<PendingAuthentication>(&pending.id);
    let sign_in = SignIn {
        device,
        ..pending.sign_in.clone()
    };
    sign_in::sign_in(tx, client, sign_in.with_verified_email())
}

#[cfg(test)]
mod tests;
