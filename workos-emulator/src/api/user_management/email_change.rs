//! Change of a user's e-mail address, confirmed by a code that is sent to the new one.
//!
//! Source: the API's description of `POST /user_management/users/{id}/email_change/send`.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;

use super::{
    memberships,
    one_time_code::CodeRefusal,
    rate_limit::{self, Limit},
    sent_code::{Purpose, SentCode},
    users::{self, User, UserChanges},
};
use crate::{
    core::clock,
    mail::{self, Mail},
    server::{call::Call, error::ApiError, reply::Reply},
    store::{State, Transaction},
};

/// A code that changes an address; its `email` is the new one.
pub(crate) type EmailChange = SentCode<ForEmailChange>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ForEmailChange {}

impl Purpose for ForEmailChange {
    const OBJECT: &'static str = "email_change";
}

/// Sends a code to the address that a user wants to have.
fn send(tx: &mut Transaction<'_>, user: &User, new_email: &str) -> Result<Arc<EmailChange>, ApiError> {
    let new_email = users::email::normalized(new_email)
        .ok_or_else(|| ApiError::new(422, "invalid_email", "This email is not valid."))?;
    if !is_allowed(tx, &user.id) {
        return Err(not_allowed());
    }
    if new_email == user.email {
        return Err(ApiError::conflict(
            "email_change_not_needed",
            "The user has this email already.",
        ));
    }
    if users::find_by_email(tx, &new_email).is_some() {
        return Err(not_available());
    }
    rate_limit::count(tx, Limit::EmailChange, &user.id)?;
    let sent = EmailChange::create(tx, &user.id, &new_email)?;
    let mail = Mail {
        kind: "email_change",
        to: &sent.email,
        subject: "Confirm your new email address",
        lead: "Type this code to make this the address of your account.",
        code: Some(sent.code.value.expose()),
        note: "The code works once, for 10 minutes. If you did not ask for it, ignore this email.",
        ..Mail::default()
    };
    mail::send(tx, mail)?;
    Ok(sent)
}

/// Gives the user the new address, if the code is right. It is verified: whoever has the code reads its mail.
///
/// Assumptions: a change that was made already is answered so to who knows its code, and to others as if nothing waited;
/// an address that somebody took in the meantime leaves the code as it was.
fn confirm(
    tx: &mut Transaction<'_>,
    user: &User,
    code: &str,
) -> Result<Result<Arc<User>, ApiError>, ApiError> {
    let pending = EmailChange::current(tx, &user.id).cloned();
    let Some(pending) = pending.filter(|pending| !pending.code.is_used() || pending.code.value.matches(code))
    else {
        return Err(ApiError::conflict(
            "no_pending_email_change",
            "No change of this user's email waits for a code.",
        ));
    };
    if let Err(reason) = EmailChange::take(tx, &user.id, &pending.email, code)? {
        return Ok(Err(refused(reason)));
    }
    if !is_allowed(tx, &user.id) {
        return Err(not_allowed());
    }
    if users::find_by_email(tx, &pending.email).is_some_and(|other| other.id != user.id) {
        return Err(not_available());
    }
    let changes = UserChanges {
        email: Some(pending.email.clone()),
        email_verified: Some(true),
        ..UserChanges::default()
    };
    users::update(tx, &user.id, changes).map(Ok)
}

fn refused(reason: CodeRefusal) -> ApiError {
    let (status, code, message) = match reason {
        CodeRefusal::Incorrect => (400, "email_change_code_incorrect", "The code is incorrect."),
        CodeRefusal::Expired => (400, "email_change_code_expired", "The code has expired."),
        CodeRefusal::PreviouslyUsed => (
            409,
            "email_change_code_previously_used",
            "The code was used already.",
        ),
        CodeRefusal::TooManyAttempts => (
            429,
            "email_change_too_many_attempts",
            "The code has had too many failed attempts. Send a new one.",
        ),
    };
    ApiError::new(status, code, message)
}

/// Assumption: the address of somebody whom a directory provisions is changed in the directory, and nowhere else.
pub(crate) fn is_allowed(state: &State, user_id: &str) -> bool {
    !memberships::active_of_user(state, user_id).any(|membership| membership.is_directory_managed(state))
}

fn not_allowed() -> ApiError {
    ApiError::conflict(
        "email_change_not_allowed",
        "A directory manages this user: change the email there.",
    )
}

fn not_available() -> ApiError {
    ApiError::conflict("email_not_available", "This email is not available.")
}

/// `POST /user_management/users/{id}/email_change/send`
pub(crate) fn send_email_change(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    struct SendEmailChange {
        new_email: String,
    }
    let SendEmailChange { new_email } = call.body()?;
    let (user, sent) = call.environment.transact(|tx| {
        let user = Arc::clone(users::find(tx, call.param("id"))?);
        let sent = send(tx, &user, &new_email)?;
        Ok::<_, ApiError>((user, sent))
    })?;
    Reply::ok(&json!({
        "object": "email_change",
        "user": user,
        "new_email": sent.email,
        "expires_at": clock::iso8601(sent.code.expires_at),
        "created_at": clock::iso8601(sent.created_at),
    }))
}

/// `POST /user_management/users/{id}/email_change/confirm`
pub(crate) fn confirm_email_change(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    struct ConfirmEmailChange {
        code: String,
    }
    let ConfirmEmailChange { code } = call.body()?;
    let user = call.environment.transact(|tx| {
        let user = Arc::clone(users::find(tx, call.param("id"))?);
        confirm(tx, &user, &code)
    })??;
    Reply::ok(&json!({"object": "email_change_confirmation", "user": user}))
}

#[cfg(test)]
mod tests;
