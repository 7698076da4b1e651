//! Sign-in, and sign-up, with a code that was sent to the person's e-mail address.

use serde::Deserialize;

use super::{
    chrome, error, page,
    pages::{Form, code::CodePage},
    password, sign_in,
    visit::{self, Visit},
};
use crate::{
    api::user_management::{
        authenticate::{method::AuthenticationMethod, sign_in::SignIn},
        authorize::session,
        magic_auth,
        users::NewUser,
    },
    server::{call::Call, error::ApiError, reply::Reply},
    store::Transaction,
};

pub(crate) const PATH: &str = "/authkit/magic-auth";

/// The same for every code that is not taken, and for an address that got none: who has an account here is nobody's
/// business.
const REFUSED: &str = "This code is wrong, too old, or was used before. Check it, or send a new one.";
pub(super) const TOO_MANY_CODES: &str = "You asked for too many codes. Wait a minute, and try again.";
const NOT_DELIVERABLE: &str = "We cannot send email to this address. Change it, and try again.";

/// `GET /authkit/magic-auth`
pub(super) fn show_magic_auth(call: &Call) -> Result<Reply, ApiError> {
    visit::show(call, |visit| form(visit, 200, None))
}

/// `POST /authkit/magic-auth`
pub(super) fn submit_magic_auth(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Fields {
        code: String,
        decision: String,
    }
    visit::submit(call, |visit| {
        let Some(email) = asked(visit) else {
            return Ok(visit.to(sign_in::PATH));
        };
        let Fields { code, decision } = call.body()?;
        match decision.as_str() {
            // From the password page.
            "code" => return send_now(visit, email, visit.to(PATH)),
            "send" => return send_now(visit, email, visit.to_again(PATH)),
            _ => {}
        }
        let device = visit.device();
        visit.step(
            |tx| {
                let user = match magic_auth::redeem(tx, email, &typed(&code), &device) {
                    Ok(Ok(user)) => user,
                    Ok(Err(_)) => return Ok(Err(REFUSED)),
                    Err(refusal) if refusal.status == 429 => return Ok(Err(password::TOO_MANY_ATTEMPTS)),
                    Err(refusal) => return Err(refusal),
                };
                let sign_in = SignIn::new(&user.id, AuthenticationMethod::MagicAuth, device);
                session::go_on(tx, &visit.session, sign_in).map(Ok)
            },
            |refusal| form(visit, 400, Some(refusal)),
        )
    })
}

/// A code as people type it: `123 456`.
pub(super) fn typed(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace() && *c != '-').collect()
}

/// Whose code is asked for; nobody's where nobody said who they are, or codes are switched off.
fn asked<'a>(visit: &'a Visit<'_>) -> Option<&'a str> {
    let email = visit.session.email.as_deref()?;
    magic_auth::is_on(&visit.call.environment.state()).then_some(email)
}

/// Sends a code to `email`, or does as if: says what to tell the person, where there is something to tell that is the same
/// for an address that is known and for one that is not.
pub(super) fn send(
    tx: &mut Transaction<'_>,
    visit: &Visit<'_>,
    email: &str,
    named: NewUser,
) -> Result<Result<(), &'static str>, ApiError> {
    let invitation = visit.session.request.invitation.as_deref();
    let link = visit.link(PATH);
    let Err(refusal) = magic_auth::send(tx, email, named, invitation, Some(&link)) else {
        return Ok(Ok(()));
    };
    match refusal.code() {
        _ if refusal.status == 429 => Ok(Err(TOO_MANY_CODES)),
        Some("email_domain_not_deliverable") => Ok(Err(NOT_DELIVERABLE)),
        // It was counted like one that was sent.
        Some("sign_up_not_allowed") => Ok(Ok(())),
        _ => Err(refusal),
    }
}

/// To the page that asks for the code, after [`send`].
pub(super) fn sent(visit: &Visit<'_>, outcome: Result<(), &'static str>) -> Result<Reply, ApiError> {
    match outcome {
        Ok(()) => Ok(visit.to(PATH)),
        Err(problem) => form(visit, 400, Some(problem)),
    }
}

fn send_now(visit: &Visit<'_>, email: &str, then: Reply) -> Result<Reply, ApiError> {
    let outcome = visit.call.environment.transact(|tx| {
        if !visit.is_current(tx) {
            return Ok(None);
        }
        send(tx, visit, email, NewUser::default()).map(Some)
    })?;
    match outcome {
        Some(Ok(())) => Ok(then),
        Some(Err(problem)) => form(visit, 400, Some(problem)),
        None => error::sign_in_not_found(visit.call),
    }
}

fn form(visit: &Visit<'_>, status: u16, error: Option<&str>) -> Result<Reply, ApiError> {
    let Some(email) = asked(visit) else {
        return Ok(visit.to(sign_in::PATH));
    };
    let password_url = visit.url(password::PATH);
    page(
        status,
        &CodePage {
            chrome: chrome(&visit.call.environment),
            form: Form {
                action: PATH,
                hidden: &visit.hidden(),
            },
            title: "Check your email",
            email,
            submit: "Sign in",
            error,
            sent_again: visit.is_again(),
            sign_in_url: &visit.url(sign_in::PATH),
            password_url: password::is_on(visit.call).then_some(&password_url),
        },
    )
}
