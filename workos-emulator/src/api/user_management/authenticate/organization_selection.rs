//! The `organization-selection` grant: the choice that a sign-in may have to wait for.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Attempt,
    client::Client,
    pending::{self, PendingAuthentication},
    sign_in::{self, Authentication, OrganizationChoice, SignIn},
    user_body,
};
use crate::{
    api::user_management::{sessions::Device, users::User},
    server::{call::Call, error::ApiError},
    store::Transaction,
};

/// The refusal of a sign-in that waits for a choice.
pub(super) fn required(
    tx: &mut Transaction<'_>,
    client: &Client,
    sign_in: SignIn,
    user: &User,
    organizations: &[OrganizationChoice],
) -> Result<ApiError, ApiError> {
    let token = pending::begin(tx, client, sign_in)?;
    let refusal = ApiError::step_up(
        "organization_selection_required",
        "The user must choose an organization to finish their authentication.",
        token.expose(),
    );
    Ok(refusal
        .with("organizations", json!(organizations))
        .with("user", user_body(user)))
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
        .transact(|tx| select(tx, client, &request, device))?
}

/// Continues a sign-in in the chosen organization. The token is used up only if that succeeds, or leads to a further step
/// with a token of its own: who chooses wrongly may choose again (an assumption; its single use is one as well).
fn select(
    tx: &mut Transaction<'_>,
    client: &Client,
    request: &Request,
    device: Device,
) -> Attempt<Authentication> {
    let pending = pending::find(tx, client, &request.pending_authentication_token)?;
    tx.delete::<PendingAuthentication>(&pending.id);
    let sign_in = SignIn {
        device: device.or(&pending.sign_in.device),
        ..pending.sign_in.clone()
    };
    match sign_in::sign_in(tx, client, sign_in.to(Some(&request.organization_id)))? {
        Ok(authentication) => Ok(Ok(authentication)),
        Err(step)
            if step
                .body
                .get("pending_authentication_token")
                .is_some_and(Value::is_string) =>
        {
            Ok(Err(step))
        }
        // Assumption: this is the refusal of the API's description that has a message alone, and this grant's.
        Err(refusal) if refusal.code() == Some("sso_required") => {
            Err(ApiError::message(400, "Must use SSO for selected organization"))
        }
        Err(refusal) => Err(refusal),
    }
}

#[cfg(test)]
mod tests;
