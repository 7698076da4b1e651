//! Radar challenges: what somebody has to answer whose sign-in looks suspicious. Source:
//! <https://workos.com/docs/authkit/radar-integration>.
//!
//! Radar's verdicts are not there: the setting `radar_challenge` stands for them. A challenge goes out by e-mail at once, or
//! by SMS when the application has asked for a number.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    authenticate::pending,
    one_time_code::OneTimeCode,
    users::{self, User},
};
use crate::{
    core::{clock, phone_number},
    mail::{self, Mail},
    server::{call::Call, error::ApiError, reply::Reply},
    store::{Expiring, Record, State, Transaction},
};

/// By which way a code comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Channel {
    Email,
    Sms,
}

/// A challenge, as kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RadarChallenge {
    /// `radar_challenge_…` for one by e-mail, `vrf_…` for one by SMS.
    pub(crate) id: String,
    pub(crate) user_id: String,
    pub(crate) channel: Channel,
    /// An e-mail address or a phone number.
    pub(crate) to: String,
    pub(crate) code: OneTimeCode,
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    pub(crate) updated_at: Timestamp,
}

impl Record for RadarChallenge {
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.id
    }
}

/// How long a challenge still says that its code is too old.
const AFTERLIFE: SignedDuration = SignedDuration::from_hours(1);

impl Expiring for RadarChallenge {
    fn expires_at(&self) -> Timestamp {
        clock::saturating_add(self.code.expires_at, AFTERLIFE)
    }
}

/// The challenge of this channel, or the refusal.
pub(super) fn find<'a>(
    state: &'a State,
    channel: Channel,
    id: &str,
) -> Result<&'a Arc<RadarChallenge>, ApiError> {
    state
        .radar_challenges
        .get(id)
        .filter(|challenge| challenge.channel == channel)
        .ok_or_else(|| ApiError::not_found("Radar challenge", id))
}

/// Challenges a user by e-mail.
pub(super) fn challenge_by_email(
    tx: &mut Transaction<'_>,
    user: &User,
) -> Result<Arc<RadarChallenge>, ApiError> {
    let challenge = create(tx, user, Channel::Email, user.email.clone())?;
    let event = json!({
        "type": "email", "radar_challenge_id": challenge.id, "user_id": user.id, "email": user.email,
    });
    tx.emit("radar.challenge_created", &event)?;
    Ok(challenge)
}

/// Challenges a user by SMS, whose sign-in waits for it.
///
/// Assumptions: a token of another user's sign-in is `user_mismatch`, one of a sign-in that Radar does not hold up is no
/// token for this; the message goes to the mailbox, where other messages go.
fn challenge_by_sms(
    tx: &mut Transaction<'_>,
    wanted: SendRadarSmsChallenge,
) -> Result<Arc<RadarChallenge>, ApiError> {
    let SendRadarSmsChallenge {
        user_id,
        pending_authentication_token,
        phone_number,
    } = wanted;
    let user = Arc::clone(users::find(tx, &user_id)?);
    check_phone_number(&phone_number)?;
    let pending = pending::known(tx, &pending_authentication_token)?;
    if pending.sign_in.radar_challenge != Some(Channel::Sms) {
        return Err(pending::invalid());
    }
    if pending.sign_in.user_id != user_id {
        return Err(user_mismatch());
    }
    create(tx, &user, Channel::Sms, phone_number)
}

pub(super) fn user_mismatch() -> ApiError {
    ApiError::bad_request("user_mismatch", "The sign-in is that of another user.")
}

fn create(
    tx: &mut Transaction<'_>,
    user: &User,
    channel: Channel,
    to: String,
) -> Result<Arc<RadarChallenge>, ApiError> {
    let (prefix, kind) = match channel {
        Channel::Email => ("radar_challenge", "radar_challenge"),
        Channel::Sms => ("vrf", "radar_sms_challenge"),
    };
    let challenge = RadarChallenge {
        id: tx.id(prefix),
        user_id: user.id.clone(),
        channel,
        to,
        code: OneTimeCode::new(tx),
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    let mail = Mail {
        kind,
        to: &challenge.to,
        subject: "Confirm that it is you",
        lead: "Somebody is signing in as you. Type this code to confirm that it is you.",
        code: Some(challenge.code.value.expose()),
        note: "The code works once, for 10 minutes. If you are not signing in, change your password.",
        ..Mail::default()
    };
    mail::send(tx, mail)?;
    Ok(tx.put_expiring(challenge)?)
}

fn check_phone_number(number: &str) -> Result<(), ApiError> {
    if phone_number::is_e164(number) {
        return Ok(());
    }
    let message = "phone_number must be in the form of +15555550123.";
    Err(ApiError::invalid_field(
        "phone_number",
        "invalid_phone_number",
        message,
    ))
}

/// `POST /user_management/radar_challenges`
#[derive(Deserialize)]
struct SendRadarSmsChallenge {
    user_id: String,
    pending_authentication_token: String,
    phone_number: String,
}

/// `POST /user_management/radar_challenges`
pub(crate) fn create_radar_challenge(call: &Call) -> Result<Reply, ApiError> {
    let wanted = call.body()?;
    let challenge = call.environment.transact(|tx| challenge_by_sms(tx, wanted))?;
    Reply::created(&json!({"verification_id": challenge.id, "phone_number": challenge.to}))
}

/// `GET /user_management/radar_challenges/{id}`: those by e-mail, as an application may send the mail itself.
pub(crate) fn get_radar_challenge(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Serialize)]
    #[serde(tag = "object", rename = "radar_challenge")]
    struct Body<'a> {
        id: &'a str,
        r#type: Channel,
        user_id: &'a str,
        email: &'a str,
        #[serde(with = "clock::timestamp")]
        expires_at: Timestamp,
        #[serde(with = "clock::timestamp")]
        created_at: Timestamp,
        #[serde(with = "clock::timestamp")]
        updated_at: Timestamp,
        code: &'a str,
    }
    let state = call.environment.state();
    let challenge = find(&state, Channel::Email, call.param("id"))?;
    Reply::ok(&Body {
        id: &challenge.id,
        r#type: challenge.channel,
        user_id: &challenge.user_id,
        email: &challenge.to,
        expires_at: challenge.code.expires_at,
        created_at: challenge.created_at,
        updated_at: challenge.updated_at,
        code: challenge.code.value.expose(),
    })
}
