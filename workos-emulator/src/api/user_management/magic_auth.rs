//! Magic Auth: sign-in, and sign-up, with a code that comes by e-mail. Source: <https://workos.com/docs/authkit/magic-auth>.

use std::sync::Arc;

use serde::Deserialize;

use super::{
    authenticate::{
        Attempt,
        method::{self, AuthenticationMethod},
    },
    email_verification, invitations,
    one_time_code::CodeRefusal,
    rate_limit::{self, Limit},
    sent_code::{Purpose, SentCode},
    sessions::Device,
    users::{self, NewUser, User},
};
use crate::{
    core::secret::Secret,
    mail::{self, Mail},
    server::{call::Call, error::ApiError, reply::Reply},
    store::{State, Transaction},
};

/// A code to sign in with.
pub(crate) type MagicAuth = SentCode<ForMagicAuth>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ForMagicAuth {}

impl Purpose for ForMagicAuth {
    const OBJECT: &'static str = "magic_auth";
}

/// Sends a code. Who is new exists at once, with an address that is verified when the code is used; `named` has the names
/// that they gave. The mail has a link where there is a page that waits for the code. An invitation, by the digest of its
/// token, opens sign-up where it is closed.
///
/// Sources: seen in production, see <https://github.com/workos/emulate>, for users who are new.
pub(crate) fn send(
    tx: &mut Transaction<'_>,
    email: &str,
    named: NewUser,
    invitation: Option<&str>,
    link: Option<&str>,
) -> Result<Arc<MagicAuth>, ApiError> {
    check_method(tx)?;
    let email = users::email::normalized(email)
        .ok_or_else(|| ApiError::invalid_field("email", "invalid_email", "This email is not valid."))?;
    rate_limit::count(tx, Limit::MagicAuth, &email)?;
    users::email::check_deliverable(tx, &email)?;
    let user = match users::find_by_email(tx, &email).cloned() {
        Some(user) => user,
        None if invitations::opens_sign_up(tx, invitation, &email) => {
            users::create(tx, NewUser { email, ..named })?
        }
        None => return Err(sign_up_not_allowed()),
    };
    let sent = MagicAuth::create(tx, &user.id, &user.email)?;
    tx.emit("magic_auth.created", &sent.event())?;
    let mail = Mail {
        kind: "magic_auth",
        to: &sent.email,
        subject: "Your sign-in code",
        lead: "Type this code to sign in.",
        code: Some(sent.code.value.expose()),
        link: link.map(|url| ("Enter the code", url)),
        note: "The code works once, for 10 minutes. If you did not ask for it, ignore this email.",
        ..Mail::default()
    };
    mail::send(tx, mail)?;
    Ok(sent)
}

/// Takes a code, and gives the user who is in, with an address that is verified now.
///
/// An address that is unknown has got no code, and any code is a wrong one. Assumption: where nobody may sign up, the
/// application is told that.
pub(crate) fn redeem(
    tx: &mut Transaction<'_>,
    email: &str,
    code: &str,
    device: &Device,
) -> Attempt<Arc<User>> {
    check_method(tx)?;
    rate_limit::check(tx, Limit::Authenticate, email)?;
    let method = AuthenticationMethod::MagicAuth;
    let user = users::find_by_email(tx, email).cloned();
    let taken = match &user {
        Some(user) => MagicAuth::take(tx, &user.id, &user.email, code)?,
        None => Err(CodeRefusal::Incorrect),
    };
    let refusal = match (&user, taken) {
        (Some(user), Ok(_)) => {
            method::succeeded(tx, method, user, device)?;
            return email_verification::verified(tx, user).map(Ok);
        }
        (None, _) if !tx.settings().open_sign_up() => sign_up_not_allowed(),
        (_, taken) => taken.err().unwrap_or(CodeRefusal::Incorrect).at_sign_in(email),
    };
    rate_limit::count(tx, Limit::Authenticate, email)?;
    let reason = (refusal.code().unwrap_or_default(), refusal.description());
    let user_id = user.as_ref().map(|user| user.id.as_str());
    method::failed(tx, method, email, user_id, device, reason)?;
    Ok(Err(refusal))
}

/// Whether the environment has it switched on.
pub(crate) fn is_on(state: &State) -> bool {
    state.settings().sign_in_methods.magic_auth
}

fn check_method(state: &State) -> Result<(), ApiError> {
    if is_on(state) {
        return Ok(());
    }
    Err(ApiError::oauth(
        "authentication_method_not_allowed",
        "Magic Auth is switched off in this environment.",
    ))
}

fn sign_up_not_allowed() -> ApiError {
    ApiError::oauth(
        "sign_up_not_allowed",
        "No user has this email, and nobody may sign up in this environment.",
    )
}

/// `POST /user_management/magic_auth`. `ip_address`, `user_agent` and `signals_id` are for Radar, which is not here.
///
/// Assumption: an invitation that this address may not accept is `invitation_invalid` as well.
pub(crate) fn create_magic_auth(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    struct CreateMagicAuth {
        email: String,
        invitation_token: Option<Secret>,
    }
    let CreateMagicAuth {
        email,
        invitation_token,
    } = call.body()?;
    let token = invitation_token.as_ref().map(Secret::expose);
    let invitation = token.map(Secret::digest);
    let sent = call.environment.transact(|tx| {
        if let Some(token) = token
            && !invitations::open(tx, token, tx.now())?.is_for(&email)
        {
            return Err(invitations::invalid());
        }
        send(tx, &email, NewUser::default(), invitation.as_deref(), None)
    })?;
    Reply::created(&sent.body())
}

/// `GET /user_management/magic_auth/{id}`
pub(crate) fn get_magic_auth(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    Reply::ok(&MagicAuth::find(&state, "Magic Auth", call.param("id"))?.body())
}
