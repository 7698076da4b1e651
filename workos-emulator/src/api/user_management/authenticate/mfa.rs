//! The gate of the second factor, and the `mfa-totp` grant.
//!
//! Source: <https://workos.com/docs/authkit/mfa>.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::{
    Attempt,
    client::Client,
    method,
    pending::{self, PendingAuthentication},
    sign_in::{self, Authentication, NextStep, SignIn, next_step as next_step_of},
    user_body,
};
use crate::{
    api::{
        multi_factor_auth::{
            challenges::{self, AnswerRefusal},
            factors::{self, NewTotp},
            totp_factor,
        },
        user_management::{
            one_time_code::CodeRefusal,
            radar_challenges::user_mismatch,
            sessions::{AuthMethod, Device},
            users::User,
        },
    },
    control::settings::Mfa,
    core::totp::TotpSecret,
    server::{call::Call, error::ApiError},
    store::{State, Transaction},
};

/// Whether a second factor has to be enrolled, or shown, before the sign-in goes on.
pub(super) fn next_step(state: &State, user: &User, sign_in: &SignIn) -> Option<NextStep> {
    match state.settings().mfa {
        Mfa::Off => None,
        Mfa::Optional => missing(state, user, sign_in).filter(|step| *step == NextStep::ChallengeFactor),
        Mfa::Required => missing(state, user, sign_in),
    }
}

/// The step that is missing where a second factor is demanded, be it by an organization. Nothing is where the sign-in has
/// shown one, or needs none.
pub(crate) fn missing(state: &State, user: &User, sign_in: &SignIn) -> Option<NextStep> {
    if sign_in.second_factor || !needs_second_factor(sign_in) {
        return None;
    }
    Some(if factors::totp_of_user(state, &user.id).is_empty() {
        NextStep::EnrollFactor
    } else {
        NextStep::ChallengeFactor
    })
}

/// Whether one factor alone has been checked, and by us.
///
/// Sources: <https://workos.com/docs/authkit/mfa> (not SSO), <https://workos.com/docs/authkit/passkeys> (a passkey is both
/// factors). Assumption: social sign-in and Magic Auth need one, as those pages except nothing else.
fn needs_second_factor(sign_in: &SignIn) -> bool {
    let by_method = match sign_in.method.of_session() {
        AuthMethod::MagicCode | AuthMethod::Oauth | AuthMethod::Password => true,
        AuthMethod::CrossAppAuth
        | AuthMethod::ExternalAuth
        | AuthMethod::Impersonation
        | AuthMethod::MigratedSession
        | AuthMethod::Passkey
        | AuthMethod::Sso => false,
    };
    by_method && sign_in.impersonator.is_none()
}

/// The refusal of a sign-in that waits for a second factor to be enrolled.
pub(super) fn enrollment_required(
    tx: &mut Transaction<'_>,
    client: &Client,
    sign_in: SignIn,
    user: &User,
) -> Result<ApiError, ApiError> {
    let token = pending::begin(tx, client, sign_in)?;
    let message = "The user must enroll in MFA to finish authenticating.";
    Ok(ApiError::step_up("mfa_enrollment", message, token.expose()).with("user", user_body(user)))
}

/// The refusal of a sign-in that waits for a second factor to be shown.
pub(super) fn challenge_required(
    tx: &mut Transaction<'_>,
    client: &Client,
    sign_in: SignIn,
    user: &User,
) -> Result<ApiError, ApiError> {
    let token = pending::begin(tx, client, sign_in)?;
    let factors = factors::totp_of_user(tx, &user.id);
    let references: Vec<Value> = factors.iter().map(|factor| factor.reference()).collect();
    let message = "The user must complete an MFA challenge to finish authenticating.";
    Ok(ApiError::step_up("mfa_challenge", message, token.expose())
        .with("authentication_factors", references)
        .with("user", user_body(user)))
}

/// The refusal to take a session somewhere that demands a second factor, which it has not shown.
///
/// Assumption: of the refusals of MFA, only this one is documented for sessions; so it stands for a factor that is there and
/// was not shown, too.
pub(crate) fn session_refused() -> ApiError {
    ApiError::oauth(
        "mfa_enrollment",
        "The organization requires MFA: the user must sign in to it with a second factor.",
    )
}

/// `grant_type: urn:workos:oauth:grant-type:mfa-totp`
#[derive(Deserialize)]
struct Request {
    code: String,
    authentication_challenge_id: String,
    pending_authentication_token: String,
}

pub(super) fn grant(call: &Call, client: &Client) -> Result<Authentication, ApiError> {
    client.require_secret()?;
    let request: Request = call.body()?;
    let device: Device = call.body()?;
    call.environment
        .transact(|tx| conclude(tx, client, &request, device))?
}

/// Continues a sign-in whose second factor is shown; a wrong code is counted.
///
/// Assumption: a token of a sign-in that waits for something else is no token for this.
fn conclude(
    tx: &mut Transaction<'_>,
    client: &Client,
    request: &Request,
    device: Device,
) -> Attempt<Authentication> {
    let pending = pending::find(tx, client, &request.pending_authentication_token)?;
    let user = tx.users.get(&pending.sign_in.user_id).cloned();
    let user = user
        .filter(|user| waits_for_factor(tx, user, &pending.sign_in))
        .ok_or_else(pending::invalid)?;
    let challenge = Arc::clone(challenges::find(tx, &request.authentication_challenge_id)?);
    if factors::find(tx, &challenge.factor_id)?.user_id.as_ref() != Some(&user.id) {
        return Err(user_mismatch());
    }
    // AuthKit's users have no other kind.
    if challenge.is_by_message() {
        return Err(ApiError::not_found("Authentication challenge", &challenge.id));
    }
    let device = device.or(&pending.sign_in.device);
    if let Err(refusal) = challenges::answer(tx, &challenge, &request.code)? {
        let (code, message) = reason(refusal, &user.email);
        method::step_failed(tx, "mfa", &user.email, Some(&user.id), &device, (code, &message))?;
        return Ok(Err(ApiError::bad_request(code, message)));
    }
    method::step_succeeded(tx, "mfa", &user, &device)?;
    tx.delete::<PendingAuthentication>(&pending.id);
    let sign_in = SignIn {
        device,
        second_factor: true,
        ..pending.sign_in.clone()
    };
    sign_in::sign_in(tx, client, sign_in)
}

fn waits_for_factor(tx: &Transaction<'_>, user: &User, sign_in: &SignIn) -> bool {
    let step = next_step_of(tx, user, sign_in, tx.now());
    sign_in.radar_challenge.is_none()
        && matches!(step, Ok(NextStep::EnrollFactor | NextStep::ChallengeFactor))
}

fn reason(refusal: AnswerRefusal, email: &str) -> (&'static str, String) {
    let (code, what) = match refusal {
        AnswerRefusal::Code(CodeRefusal::Incorrect) => ("invalid_one_time_code", "is incorrect"),
        AnswerRefusal::Code(CodeRefusal::PreviouslyUsed) | AnswerRefusal::Answered => {
            ("one_time_code_previously_used", "was used already")
        }
        AnswerRefusal::Code(CodeRefusal::Expired) => ("one_time_code_expired", "has expired"),
        AnswerRefusal::Code(CodeRefusal::TooManyAttempts) => (
            "one_time_code_too_many_attempts",
            "has had too many failed attempts",
        ),
    };
    (code, format!("One-time code for '{email}' {what}."))
}

/// Takes a code of one of the user's authenticator apps, with the event that tells of it.
pub(crate) fn show_factor(
    tx: &mut Transaction<'_>,
    user: &User,
    code: &str,
    device: &Device,
) -> Result<Result<(), CodeRefusal>, ApiError> {
    let factors = factors::totp_of_user(tx, &user.id);
    let taken = totp_factor::take(tx, &factors, code)?;
    tell(tx, user, device, taken)?;
    Ok(taken)
}

/// Enrolls an authenticator app, if `code` shows that it has the secret. That code is used then.
pub(crate) fn enroll_factor(
    tx: &mut Transaction<'_>,
    user: &User,
    secret: &TotpSecret,
    code: &str,
    device: &Device,
) -> Result<Result<(), CodeRefusal>, ApiError> {
    let step = secret.step_of(code, tx.now());
    let taken = step.map(drop).ok_or(CodeRefusal::Incorrect);
    tell(tx, user, device, taken)?;
    if step.is_some() {
        let new = NewTotp {
            secret: Some(secret.clone()),
            last_step: step,
            ..NewTotp::default()
        };
        factors::enroll_totp(tx, user, new)?;
    }
    Ok(taken)
}

fn tell(
    tx: &mut Transaction<'_>,
    user: &User,
    device: &Device,
    taken: Result<(), CodeRefusal>,
) -> Result<(), ApiError> {
    let Err(refusal) = taken else {
        return method::step_succeeded(tx, "mfa", user, device);
    };
    let (code, message) = reason(AnswerRefusal::Code(refusal), &user.email);
    method::step_failed(tx, "mfa", &user.email, Some(&user.id), device, (code, &message))
}

#[cfg(test)]
mod tests;
