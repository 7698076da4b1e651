//! The `password` grant, and the check of a password that the hosted page makes too.

use std::sync::Arc;

use serde::Deserialize;

use super::{
    Attempt,
    client::Client,
    method::{self, AuthenticationMethod},
    sign_in::{Authentication, SignIn, sign_in},
    sign_in_methods,
};
use crate::{
    api::user_management::{
        rate_limit::{self, Limit},
        sessions::Device,
        users::{self, User},
    },
    core::password::PasswordHash,
    server::{call::Call, error::ApiError},
    store::{State, Transaction},
};

/// `grant_type: password`
#[derive(Deserialize)]
struct Request {
    email: String,
    password: String,
    invitation_token: Option<String>,
}

pub(super) fn grant(call: &Call, client: &Client) -> Result<Authentication, ApiError> {
    client.require_secret()?;
    let request: Request = call.body()?;
    let device: Device = call.body()?;
    let environment = &call.environment;
    if !sign_in_methods::is_on(&environment.state(), AuthenticationMethod::Password) {
        return Err(ApiError::new(
            403,
            "email_password_auth_disabled",
            "Email and password authentication is disabled.",
        ));
    }
    let checked = check(&environment.state(), &request.email, &request.password);
    environment.transact(|tx| {
        let user = match conclude(tx, &checked, &device)? {
            Ok(user) => user,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let begun = SignIn {
            radar_challenge: tx.settings().radar_challenge,
            ..SignIn::new(&user.id, AuthenticationMethod::Password, device)
        };
        sign_in(tx, client, begun.invited_by(request.invitation_token.as_deref()))
    })?
}

/// What a check of e-mail and password found.
#[derive(Debug)]
pub(crate) struct Checked {
    email: String,
    user_id: Option<String>,
    /// The hash that the password has; none where it is wrong.
    hash: Option<PasswordHash>,
}

/// Checks e-mail and password. It takes milliseconds, so it comes before the transaction; and as long for a user that does
/// not exist, or has no password, as for a wrong password.
pub(crate) fn check(state: &State, email: &str, password: &str) -> Checked {
    let user = users::find_by_email(state, email);
    let hash = user
        .and_then(|user| users::password::find(state, &user.id))
        .map_or_else(PasswordHash::decoy, PasswordHash::clone);
    Checked {
        email: email.to_owned(),
        user_id: user.map(|user| user.id.clone()),
        hash: hash.verify(password).then_some(hash),
    }
}

/// Records how a check ended, and gives the user if it ended well.
///
/// A wrong password is 400 `invalid_credentials`, as the API's description has it. An unknown e-mail is 404, which
/// integrators saw in production and the description allows for; only the application itself gets to see that, not who
/// sits at the hosted page. Too many failed attempts are refused before the password counts.
pub(crate) fn conclude(tx: &mut Transaction<'_>, checked: &Checked, device: &Device) -> Attempt<Arc<User>> {
    rate_limit::check(tx, Limit::Authenticate, &checked.email)?;
    let method = AuthenticationMethod::Password;
    let user_id = checked.user_id.as_deref();
    let user = user_id.and_then(|id| tx.users.get(id)).cloned();
    // The password may have been changed since it was checked.
    let present = user_id.and_then(|id| users::password::find(tx, id));
    if let Some(user) = &user
        && checked.hash.is_some()
        && checked.hash.as_ref() == present
    {
        method::succeeded(tx, method, user, device)?;
        return Ok(Ok(Arc::clone(user)));
    }
    let (reason, refusal) = if user.is_some() {
        let reason = ("invalid_credentials", "Invalid credentials.");
        (reason, ApiError::bad_request(reason.0, reason.1))
    } else {
        let reason = ("user_not_found", "No user has this e-mail.");
        (reason, ApiError::not_found("User", &checked.email))
    };
    rate_limit::count(tx, Limit::Authenticate, &checked.email)?;
    method::failed(tx, method, &checked.email, user_id, device, reason)?;
    Ok(Err(refusal))
}
