//! Verification of e-mail addresses by a code. Source: <https://workos.com/docs/authkit/email-verification>.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;

use super::{
    authenticate::method,
    one_time_code::CodeRefusal,
    rate_limit::{self, Limit},
    sent_code::{Purpose, SentCode},
    sessions::Device,
    users::{self, User, UserChanges},
};
use crate::{
    mail::{self, Mail},
    server::{call::Call, error::ApiError, reply::Reply},
    store::Transaction,
};

/// A code that verifies an address.
pub(crate) type EmailVerification = SentCode<ForEmailVerification>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ForEmailVerification {}

impl Purpose for ForEmailVerification {
    const OBJECT: &'static str = "email_verification";
}

/// The kind of its events: `authentication.email_verification_succeeded`.
const EVENT: &str = "email_verification";

/// Sends a code. The mail has a link where there is a page that waits for the code.
pub(crate) fn send(
    tx: &mut Transaction<'_>,
    user: &User,
    link: Option<&str>,
) -> Result<Arc<EmailVerification>, ApiError> {
    rate_limit::count(tx, Limit::EmailVerification, &user.id)?;
    let sent = EmailVerification::create(tx, &user.id, &user.email)?;
    tx.emit("email_verification.created", &sent.event())?;
    let mail = Mail {
        kind: "email_verification",
        to: &sent.email,
        subject: "Verify your email address",
        lead: "Type this code to verify that this address is yours.",
        code: Some(sent.code.value.expose()),
        link: link.map(|url| ("Enter the code", url)),
        note: "The code works once, for 10 minutes. If you did not ask for it, ignore this email.",
        ..Mail::default()
    };
    mail::send(tx, mail)?;
    Ok(sent)
}

/// The code that a sign-in waits for: a new one, or, for who tries again and again, the last one as long as it is good.
///
/// Assumption: production is not seen to refuse such sign-ins because of the limit on codes.
pub(crate) fn demand(
    tx: &mut Transaction<'_>,
    user: &User,
    link: Option<&str>,
) -> Result<Arc<EmailVerification>, ApiError> {
    let open = EmailVerification::current(tx, &user.id)
        .filter(|sent| sent.email == user.email && sent.code.is_open(tx.now()))
        .cloned();
    match (send(tx, user, link), open) {
        (Err(refusal), Some(open)) if refusal.status == 429 => Ok(open),
        (outcome, _) => outcome,
    }
}

/// Takes a code, and gives the user with the address verified; tells by an event how it went.
///
/// A code counts for the address that it was sent to: after a change of address it is a wrong one.
pub(crate) fn redeem(
    tx: &mut Transaction<'_>,
    user: &User,
    code: &str,
    device: &Device,
) -> Result<Result<Arc<User>, CodeRefusal>, ApiError> {
    match EmailVerification::take(tx, &user.id, &user.email, code)? {
        Ok(_) => {
            method::step_succeeded(tx, EVENT, user, device)?;
            verified(tx, user).map(Ok)
        }
        Err(reason) => {
            let refusal = reason.at_sign_in(&user.email);
            let why = (refusal.code().unwrap_or_default(), refusal.description());
            method::step_failed(tx, EVENT, &user.email, Some(&user.id), device, why)?;
            Ok(Err(reason))
        }
    }
}

/// The user with the address verified, which is told once.
pub(crate) fn verified(tx: &mut Transaction<'_>, user: &User) -> Result<Arc<User>, ApiError> {
    if user.email_verified {
        return users::find(tx, &user.id).cloned();
    }
    let changes = UserChanges {
        email_verified: Some(true),
        ..UserChanges::default()
    };
    users::update(tx, &user.id, changes)
}

/// `GET /user_management/email_verification/{id}`
pub(crate) fn get_email_verification(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    Reply::ok(&EmailVerification::find(&state, "Email verification", call.param("id"))?.body())
}

/// `POST /user_management/users/{id}/email_verification/send`
pub(crate) fn send_verification_email(call: &Call) -> Result<Reply, ApiError> {
    let user = call.environment.transact(|tx| {
        let user = Arc::clone(users::find(tx, call.param("id"))?);
        if user.email_verified {
            return Err(ApiError::bad_request(
                "email_already_verified",
                "The email of this user is verified already.",
            ));
        }
        send(tx, &user, None)?;
        Ok(user)
    })?;
    Reply::ok(&json!({"user": user}))
}

/// `POST /user_management/users/{id}/email_verification/confirm`
///
/// Assumption: a code that was guessed at too often is answered like one that is too old, as either way a new one is
/// needed; the API's description has no code of its own for it.
pub(crate) fn verify_email(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    struct VerifyEmail {
        code: String,
    }
    let VerifyEmail { code } = call.body()?;
    let outcome = call.environment.transact(|tx| {
        let user = Arc::clone(users::find(tx, call.param("id"))?);
        if user.email_verified {
            return Err(ApiError::bad_request(
                "email_previously_verified",
                "The email of this user was verified before.",
            ));
        }
        redeem(tx, &user, &code, &Device::default())
    })?;
    let user = outcome.map_err(|reason| {
        let (code, message) = match reason {
            CodeRefusal::Incorrect => ("email_verification_code_incorrect", "The code is incorrect."),
            CodeRefusal::PreviouslyUsed => (
                "email_verification_code_previously_used",
                "The code was used already.",
            ),
            CodeRefusal::Expired | CodeRefusal::TooManyAttempts => (
                "email_verification_code_expired",
                "The code has expired. Send a new one.",
            ),
        };
        ApiError::bad_request(code, message)
    })?;
    Reply::ok(&json!({"user": user}))
}
