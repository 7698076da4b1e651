//! Authentication challenges. Source: <https://workos.com/docs/reference/mfa/challenge>.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    factors::{self, AuthenticationFactor, FactorKind},
    totp_factor,
};
use crate::{
    api::user_management::one_time_code::{CodeRefusal, OneTimeCode},
    core::clock,
    mail::{self, Mail},
    server::{call::Call, error::ApiError, reply::Reply},
    store::{Expiring, Index, Record, State, Transaction},
};

/// A challenge, as kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AuthenticationChallenge {
    pub(crate) id: String,
    pub(crate) factor_id: String,
    /// The code that answers it. None: an authenticator app makes it.
    code: Option<OneTimeCode>,
    /// It was answered; it is good once.
    verified: bool,
    #[serde(with = "clock::timestamp")]
    created_at: Timestamp,
}

/// The challenges of a factor.
const BY_FACTOR: Index<AuthenticationChallenge> = Index::ordered("factor", |challenge| {
    vec![(challenge.factor_id.as_str().into(), 0)]
});

impl Record for AuthenticationChallenge {
    const INDEXES: &'static [Index<Self>] = &[BY_FACTOR];
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.id
    }
}

/// How long a challenge still says that its time is over.
const AFTERLIFE: SignedDuration = SignedDuration::from_hours(1);

/// Those of authenticator apps have no end, and make room for newer ones only.
impl Expiring for AuthenticationChallenge {
    fn expires_at(&self) -> Timestamp {
        match &self.code {
            Some(code) => clock::saturating_add(code.expires_at, AFTERLIFE),
            None => Timestamp::MAX,
        }
    }
}

/// A challenge as the API shows it.
#[derive(Debug, Serialize)]
#[serde(tag = "object", rename = "authentication_challenge")]
pub(super) struct ChallengeBody<'a> {
    id: &'a str,
    #[serde(with = "clock::timestamp::option", skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    /// Only where the application brings it to the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    authentication_factor_id: &'a str,
    #[serde(with = "clock::timestamp")]
    created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    updated_at: Timestamp,
}

impl AuthenticationChallenge {
    /// Whether its code is sent to the person; an app makes it otherwise.
    pub(crate) fn is_by_message(&self) -> bool {
        self.code.is_some()
    }

    pub(super) fn body(&self, factor: &AuthenticationFactor) -> ChallengeBody<'_> {
        let code = self.code.as_ref();
        ChallengeBody {
            id: &self.id,
            expires_at: code.map(|code| code.expires_at),
            code: match factor.kind {
                FactorKind::GenericOtp => code.map(|code| code.value.expose()),
                FactorKind::Sms { .. } | FactorKind::Totp(_) => None,
            },
            authentication_factor_id: &self.factor_id,
            created_at: self.created_at,
            // What is shown of it never changes.
            updated_at: self.created_at,
        }
    }
}

/// The challenge with this id, or the refusal.
pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Arc<AuthenticationChallenge>, ApiError> {
    state
        .authentication_challenges
        .get(id)
        .ok_or_else(|| ApiError::not_found("Authentication challenge", id))
}

/// Where the code goes in the text of an SMS.
const PLACE_OF_CODE: &str = "{{code}}";

/// Challenges a factor.
///
/// Assumptions: SMS go to the mailbox, where other messages go; a text without the code is refused.
pub(super) fn create(
    tx: &mut Transaction<'_>,
    factor: &AuthenticationFactor,
    sms_template: Option<&str>,
) -> Result<Arc<AuthenticationChallenge>, ApiError> {
    let code = match &factor.kind {
        FactorKind::Totp(_) => None,
        FactorKind::GenericOtp => Some(OneTimeCode::new(tx)),
        FactorKind::Sms { phone_number } => {
            let code = OneTimeCode::new(tx);
            let template = sms_template.unwrap_or("Your verification code is {{code}}.");
            send_sms(tx, phone_number, template, code.value.expose())?;
            Some(code)
        }
    };
    let challenge = AuthenticationChallenge {
        id: tx.id("auth_challenge"),
        factor_id: factor.id.clone(),
        code,
        verified: false,
        created_at: tx.now(),
    };
    Ok(tx.put_expiring(challenge)?)
}

fn send_sms(tx: &mut Transaction<'_>, to: &str, template: &str, code: &str) -> Result<(), ApiError> {
    if !template.contains(PLACE_OF_CODE) {
        let message = "sms_template must contain {{code}}, where the code is to stand.";
        return Err(ApiError::invalid_field("sms_template", "invalid", message));
    }
    let mail = Mail {
        kind: "sms",
        to,
        subject: "Your verification code",
        lead: &template.replace(PLACE_OF_CODE, code),
        code: Some(code),
        note: "The code works once, for 10 minutes.",
        ..Mail::default()
    };
    mail::send(tx, mail).map(drop)
}

/// Why an answer is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnswerRefusal {
    Code(CodeRefusal),
    /// The challenge was answered before.
    Answered,
}

/// Answers a challenge. It stays answered, and a wrong code is counted.
pub(crate) fn answer(
    tx: &mut Transaction<'_>,
    challenge: &AuthenticationChallenge,
    given: &str,
) -> Result<Result<(), AnswerRefusal>, ApiError> {
    if challenge.verified {
        return Ok(Err(AnswerRefusal::Answered));
    }
    let mut challenge = challenge.clone();
    let taken = match &mut challenge.code {
        Some(code) if tx.now() >= code.expires_at => Err(CodeRefusal::Expired),
        Some(code) => code.take(given, tx.now()),
        None => {
            let factor = Arc::clone(factors::find(tx, &challenge.factor_id)?);
            totp_factor::take(tx, &[factor], given)?
        }
    };
    challenge.verified = taken.is_ok();
    tx.put(challenge)?;
    Ok(taken.map_err(AnswerRefusal::Code))
}

/// Deletes the challenges of a factor that goes.
pub(super) fn delete_of_factor(tx: &mut Transaction<'_>, factor_id: &str) {
    let challenges = tx.authentication_challenges.group(BY_FACTOR, factor_id);
    let ids: Vec<String> = challenges.map(|challenge| challenge.id.clone()).collect();
    for id in ids {
        tx.delete::<AuthenticationChallenge>(&id);
    }
}

/// `POST /auth/factors/{id}/challenge`
pub(crate) fn challenge_factor(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    struct ChallengeFactor {
        sms_template: Option<String>,
    }
    let ChallengeFactor { sms_template } = call.body()?;
    let (factor, challenge) = call.environment.transact(|tx| {
        let factor = Arc::clone(factors::find(tx, call.param("id"))?);
        let challenge = create(tx, &factor, sms_template.as_deref())?;
        Ok::<_, ApiError>((factor, challenge))
    })?;
    Reply::created(&challenge.body(&factor))
}

/// `POST /auth/challenges/{id}/verify`. A wrong code is no refusal: it is told by `valid`.
///
/// Source of the refusals: <https://workos.com/docs/mfa>.
pub(crate) fn verify_challenge(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    struct VerifyChallenge {
        code: String,
    }
    #[derive(Serialize)]
    struct Body<'a> {
        challenge: ChallengeBody<'a>,
        valid: bool,
    }
    let VerifyChallenge { code } = call.body()?;
    let id = call.param("id");
    let (factor, challenge, answered) = call.environment.transact(|tx| {
        let challenge = Arc::clone(find(tx, id)?);
        let factor = Arc::clone(factors::find(tx, &challenge.factor_id)?);
        let answered = answer(tx, &challenge, &code)?;
        Ok::<_, ApiError>((factor, challenge, answered))
    })?;
    let valid = match answered {
        Ok(()) => true,
        Err(AnswerRefusal::Code(CodeRefusal::Incorrect | CodeRefusal::PreviouslyUsed)) => false,
        Err(refusal) => return Err(refused(id, refusal)),
    };
    Reply::created(&Body {
        challenge: challenge.body(&factor),
        valid,
    })
}

fn refused(id: &str, refusal: AnswerRefusal) -> ApiError {
    let (status, code, what) = match refusal {
        AnswerRefusal::Answered => (
            422,
            "authentication_challenge_previously_verified",
            "has already been verified",
        ),
        AnswerRefusal::Code(CodeRefusal::Expired) => (422, "authentication_challenge_expired", "has expired"),
        AnswerRefusal::Code(_) => (
            400,
            "one_time_code_too_many_attempts",
            "has had too many failed attempts",
        ),
    };
    let message = format!("The authentication challenge '{id}' {what}.");
    ApiError::new(status, code, message)
}
