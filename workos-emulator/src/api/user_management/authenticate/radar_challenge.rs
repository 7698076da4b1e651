//! The gate of Radar, and the grants that answer its challenges.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;

use super::{
    Attempt,
    client::Client,
    pending::{self, PendingAuthentication},
    sign_in::{self, Authentication, SignIn},
    user_body,
};
use crate::{
    api::user_management::{
        one_time_code::CodeRefusal,
        radar_challenges::{self, Channel, RadarChallenge, user_mismatch},
        sessions::Device,
        users::User,
    },
    server::{call::Call, error::ApiError},
    store::Transaction,
};

/// The refusal of a sign-in that Radar holds up.
///
/// Assumption: without a phone number that is known, a challenge by SMS is the one of a sign-up, for which the application
/// asks for the number.
pub(super) fn required(
    tx: &mut Transaction<'_>,
    client: &Client,
    channel: Channel,
    sign_in: SignIn,
    user: &User,
) -> Result<ApiError, ApiError> {
    let token = pending::begin(tx, client, sign_in)?;
    let (code, message) = match channel {
        Channel::Email => (
            "radar_challenge",
            "The user must type the code that was sent to them.",
        ),
        Channel::Sms => (
            "radar_sign_up_challenge",
            "The user must type a code that is sent to their phone.",
        ),
    };
    let refusal = ApiError::step_up(code, message, token.expose()).with("user", user_body(user));
    Ok(match channel {
        Channel::Email => {
            let challenge = radar_challenges::challenge_by_email(tx, user)?;
            refusal.with("radar_challenge_id", challenge.id.as_str())
        }
        Channel::Sms => refusal,
    })
}

/// `grant_type: urn:workos:oauth:grant-type:radar-email-challenge:code`
pub(super) fn email_grant(call: &Call, client: &Client) -> Result<Authentication, ApiError> {
    #[derive(Deserialize)]
    struct Request {
        radar_challenge_id: String,
    }
    client.require_secret()?;
    let Request { radar_challenge_id } = call.body()?;
    grant(call, client, |tx| {
        radar_challenges::find(tx, Channel::Email, &radar_challenge_id).cloned()
    })
}

/// `grant_type: urn:workos:oauth:grant-type:radar-sms-challenge:code`
///
/// Assumption: another number than the one that the code was sent to is a wrong code.
pub(super) fn sms_grant(call: &Call, client: &Client) -> Result<Authentication, ApiError> {
    #[derive(Deserialize)]
    struct Request {
        verification_id: Option<String>,
        phone_number: Option<String>,
    }
    client.require_secret()?;
    let Request {
        verification_id,
        phone_number,
    } = call.body()?;
    grant(call, client, |tx| {
        let missing = |code, name| ApiError::bad_request(code, format!("{name} is required."));
        let id = verification_id
            .as_deref()
            .ok_or_else(|| missing("verification_id_required", "verification_id"))?;
        let phone_number = phone_number
            .as_deref()
            .ok_or_else(|| missing("phone_number_required", "phone_number"))?;
        let challenge = radar_challenges::find(tx, Channel::Sms, id)?;
        if challenge.to != phone_number {
            return Err(CodeRefusal::Incorrect.at_sign_in(&challenge.to));
        }
        Ok(Arc::clone(challenge))
    })
}

/// What both grants have in common.
#[derive(Deserialize)]
struct Answer {
    code: String,
    pending_authentication_token: String,
}

fn grant(
    call: &Call,
    client: &Client,
    challenge: impl FnOnce(&Transaction<'_>) -> Result<Arc<RadarChallenge>, ApiError>,
) -> Result<Authentication, ApiError> {
    let answer: Answer = call.body()?;
    let device: Device = call.body()?;
    call.environment.transact(|tx| {
        let pending = pending::find(tx, client, &answer.pending_authentication_token)?;
        let challenge = challenge(tx)?;
        conclude(tx, client, &pending, &challenge, &answer.code, device)
    })?
}

/// Continues a sign-in whose challenge is answered; a wrong answer is counted.
fn conclude(
    tx: &mut Transaction<'_>,
    client: &Client,
    pending: &PendingAuthentication,
    challenge: &RadarChallenge,
    code: &str,
    device: Device,
) -> Attempt<Authentication> {
    // Not by another channel than the one that was wanted.
    if pending.sign_in.radar_challenge != Some(challenge.channel) {
        return Err(pending::invalid());
    }
    if pending.sign_in.user_id != challenge.user_id {
        return Err(user_mismatch());
    }
    let mut challenge = RadarChallenge::clone(challenge);
    let taken = challenge.code.take(code, tx.now());
    challenge.updated_at = tx.now();
    let challenge = tx.put(challenge)?;
    if let Err(reason) = taken {
        return Ok(Err(reason.at_sign_in(&challenge.to)));
    }
    tx.delete::<PendingAuthentication>(&pending.id);
    let sign_in = SignIn {
        device: device.or(&pending.sign_in.device),
        radar_challenge: None,
        ..pending.sign_in.clone()
    };
    tell(tx, &sign_in)?;
    sign_in::sign_in(tx, client, sign_in)
}

/// Tells of a sign-in that Radar had flagged, and whose challenge is answered.
///
/// Source: <https://workos.com/docs/events>. No control of Radar has flagged it: the setting has.
fn tell(tx: &mut Transaction<'_>, sign_in: &SignIn) -> Result<(), ApiError> {
    let Some(user) = tx.users.get(&sign_in.user_id).cloned() else {
        return Ok(());
    };
    let event = json!({
        "auth_method": sign_in.method.of_session(),
        "action": "login",
        "control": null,
        "blocklist_type": null,
        "ip_address": sign_in.device.ip_address,
        "user_agent": sign_in.device.user_agent,
        "user_id": user.id,
        "email": user.email,
    });
    tx.emit("authentication.radar_risk_detected", &event).map(drop)
}

#[cfg(test)]
mod tests;
