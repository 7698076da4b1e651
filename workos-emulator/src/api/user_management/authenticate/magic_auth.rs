//! The `magic-auth:code` grant. Source: <https://workos.com/docs/reference/authkit/authentication/magic-auth>.

use serde::Deserialize;

use super::{
    client::Client,
    method::AuthenticationMethod,
    sign_in::{Authentication, SignIn, sign_in},
};
use crate::{
    api::user_management::{magic_auth, sessions::Device},
    server::{call::Call, error::ApiError},
};

/// `grant_type: urn:workos:oauth:grant-type:magic-auth:code`
#[derive(Deserialize)]
struct Request {
    email: String,
    code: String,
    invitation_token: Option<String>,
}

pub(super) fn grant(call: &Call, client: &Client) -> Result<Authentication, ApiError> {
    client.require_secret()?;
    let request: Request = call.body()?;
    let device: Device = call.body()?;
    call.environment.transact(|tx| {
        let user = match magic_auth::redeem(tx, &request.email, &request.code, &device)? {
            Ok(user) => user,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let begun = SignIn::new(&user.id, AuthenticationMethod::MagicAuth, device);
        sign_in(tx, client, begun.invited_by(request.invitation_token.as_deref()))
    })?
}

#[cfg(test)]
mod tests;
