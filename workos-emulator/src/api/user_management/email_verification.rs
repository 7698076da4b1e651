//! Verification of e-mail addresses by a code. Source: <https://workos.com/docs/authkit/email-verification>.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;

use super::{
    authenticate::in_progress,
    authenticate::method,
    identities,
    magic_auth::MagicAuth,
    one_time_code::CodeRefusal,
    passkeys, password_reset,
    rate_limit::{self, Limit},
    sent_code::{Purpose, SentCode},
    sessions::{self, Device},
    users::{self, User, UserChanges, password::Password},
};
use crate::{
    api::{connect::consents, multi_factor_auth::factors},
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
    by: Prover,
) -> Result<Result<Arc<User>, CodeRefusal>, ApiError> {
    match EmailVerification::take(tx, &user.id, &user.email, code)? {
        Ok(_) => {
            method::step_succeeded(tx, EVENT, user, device)?;
            verified_by(tx, user, by).map(Ok)
        }
        Err(reason) => {
            let refusal = reason.at_sign_in(&user.email);
            let why = (refusal.code().unwrap_or_default(), refusal.description());
            method::step_failed(tx, EVENT, &user.email, Some(&user.id), device, why)?;
            Ok(Err(reason))
        }
    }
}

/// Who shows that the address of an account is theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prover {
    /// Who has come in by what the account had before: its password, a passkey, an account at a provider.
    Holder,
    /// Anybody else: by a code in the mail, by an account at a provider that is not linked yet, by an invitation, …
    Newcomer,
}

/// The user with the address verified by a newcomer, which is told once.
pub(crate) fn verified(tx: &mut Transaction<'_>, user: &User) -> Result<Arc<User>, ApiError> {
    verified_by(tx, user, Prover::Newcomer)
}

fn verified_by(tx: &mut Transaction<'_>, user: &User, by: Prover) -> Result<Arc<User>, ApiError> {
    if user.email_verified {
        return users::find(tx, &user.id).cloned();
    }
    if by == Prover::Newcomer {
        take_over(tx, user)?;
    }
    let changes = UserChanges {
        email_verified: Some(true),
        ..UserChanges::default()
    };
    users::update(tx, &user.id, changes)
}

/// Gives an account to whoever has just shown that its address is theirs, and who had none of its credentials: see
/// [`drop_unproven`]. Sessions end as well.
pub(crate) fn take_over(tx: &mut Transaction<'_>, user: &User) -> Result<(), ApiError> {
    if user.email_verified {
        return Ok(());
    }
    drop_unproven(tx, user)?;
    sessions::revoke_all(tx, &user.id)
}

/// Takes away what an account got before anybody showed that its address is theirs, now that somebody who had none of it
/// shows it: the password, passkeys, factors, accounts at providers, sign-ins in progress, and what was allowed to Connect
/// applications.
///
/// Otherwise a stranger could sign up with the address of somebody who has no account yet, and be in theirs as soon as they
/// come, by Google or by a code ("classic-federated merge" and "unexpired session" in
/// <https://www.microsoft.com/en-us/research/publication/pre-hijacked-accounts-an-empirical-study-of-security-failures-in-user-account-creation-on-the-web/>).
///
/// Assumption: production does not say what becomes of a password that was set before. The owner of the address can reset it.
pub(crate) fn drop_unproven(tx: &mut Transaction<'_>, user: &User) -> Result<(), ApiError> {
    if user.email_verified {
        return Ok(());
    }
    tx.delete::<Password>(&user.id);
    password_reset::void(tx, &user.id)?;
    passkeys::forget(tx, &user.id);
    factors::delete_of_user(tx, &user.id)?;
    identities::delete_of_user(tx, &user.id);
    consents::delete_of_user(tx, &user.id)?;
    in_progress::end(tx, &user.id)
}

/// Makes what was sent to a former address of a user good for nothing, also if they come back to it.
pub(super) fn address_changed(tx: &mut Transaction<'_>, user_id: &str) -> Result<(), ApiError> {
    password_reset::void(tx, user_id)?;
    MagicAuth::void(tx, user_id)?;
    EmailVerification::void(tx, user_id)
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
/// needed; the API's description has no code of its own for it. The application knows who types the code: it is the holder
/// of the account.
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
        redeem(tx, &user, &code, &Device::default(), Prover::Holder)
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
