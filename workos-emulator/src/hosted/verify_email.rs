//! The page on which somebody who signs in or up shows that their e-mail address is theirs.

use serde::Deserialize;

use super::{
    chrome, error, magic_auth, page,
    pages::{Form, code::CodePage},
    sign_in,
    visit::{self, Visit},
};
use crate::{
    api::user_management::{
        authenticate::sign_in::{NextStep, SignIn, next_step},
        authorize::session,
        email_verification,
        rate_limit::{self, Limit},
        users::{self, User},
    },
    mail::{self, Mail},
    server::{call::Call, error::ApiError, reply::Reply},
    store::{State, Transaction},
};

pub(crate) const PATH: &str = "/authkit/verify-email";

const REFUSED: &str = "This code is wrong, too old, or was used before. Check it, or send a new one.";

/// `GET /authkit/verify-email`
pub(super) fn show_verify_email(call: &Call) -> Result<Reply, ApiError> {
    visit::show(call, |visit| form(visit, 200, None))
}

/// `POST /authkit/verify-email`
pub(super) fn submit_verify_email(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Fields {
        code: String,
        decision: String,
    }
    visit::submit(call, |visit| {
        let Fields { code, decision } = call.body()?;
        if visit.session.address_taken {
            return match decision.as_str() {
                "send" => tell_again(visit),
                _ => form(visit, 400, Some(REFUSED)),
            };
        }
        let Some(sign_in) = &visit.session.authenticated else {
            return error::sign_in_not_found(call);
        };
        if decision == "send" {
            return send_again(visit, sign_in);
        }
        visit.step(
            |tx| {
                let user = users::find(tx, &sign_in.user_id)?.clone();
                // It may have been verified elsewhere in the meantime.
                if next_step(tx, &user, sign_in, tx.now()) != Ok(NextStep::VerifyEmail) {
                    return session::go_on(tx, &visit.session, sign_in.clone()).map(Ok);
                }
                let code = magic_auth::typed(&code);
                if email_verification::redeem(tx, &user, &code, &visit.device(), sign_in.prover())?.is_err() {
                    return Ok(Err(REFUSED));
                }
                session::go_on(tx, &visit.session, sign_in.clone().with_verified_email()).map(Ok)
            },
            |refusal| form(visit, 400, Some(refusal)),
        )
    })
}

/// Sends the code that the page of this visit will ask for. Where that fails, the page offers to send another one.
pub(super) fn send_first_code(visit: &Visit<'_>) {
    if visit.session.address_taken {
        let _ = visit.call.environment.transact(|tx| tell_owner(tx, visit));
        return;
    }
    let Some(sign_in) = &visit.session.authenticated else {
        return;
    };
    let link = visit.link(PATH);
    let _ = visit.call.environment.transact(|tx| {
        let user = users::find(tx, &sign_in.user_id)?.clone();
        email_verification::demand(tx, &user, Some(&link))
    });
}

fn send_again(visit: &Visit<'_>, sign_in: &SignIn) -> Result<Reply, ApiError> {
    let link = visit.link(PATH);
    let outcome = visit.call.environment.transact(|tx| {
        if !visit.is_current(tx) {
            return Ok(None);
        }
        let user = users::find(tx, &sign_in.user_id)?.clone();
        match email_verification::send(tx, &user, Some(&link)) {
            Ok(_) => Ok(Some(Ok(()))),
            Err(refusal) if refusal.status == 429 => Ok(Some(Err(magic_auth::TOO_MANY_CODES))),
            Err(refusal) => Err(refusal),
        }
    })?;
    match outcome {
        Some(Ok(())) => Ok(visit.to_again(PATH)),
        Some(Err(problem)) => form(visit, 400, Some(problem)),
        None => error::sign_in_not_found(visit.call),
    }
}

/// In place of a code: tells whose address somebody signed up with that they have an account. It is limited like codes are.
fn tell_owner(tx: &mut Transaction<'_>, visit: &Visit<'_>) -> Result<(), ApiError> {
    rate_limit::count(tx, Limit::EmailVerification, &visit.session.id)?;
    let email = visit.session.email.as_deref().unwrap_or_default();
    let Some(user) = users::find_by_email(tx, email).cloned() else {
        return Ok(());
    };
    // Whoever asks does not get to see that its owner was told often enough, by other sign-ups.
    if rate_limit::count(tx, Limit::EmailVerification, &user.email).is_err() {
        return Ok(());
    }
    let link = visit.link(sign_in::PATH);
    let mail = Mail {
        kind: "account_exists",
        to: &user.email,
        subject: "You already have an account",
        lead: "Somebody signed up with this address, which has an account already. If it was you, sign in instead; if you have no password, or forgot it, reset it on the way.",
        link: Some(("Sign in", &link)),
        note: "If it was not you, ignore this email: nobody got into your account.",
        ..Mail::default()
    };
    mail::send(tx, mail).map(drop)
}

fn tell_again(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    match visit.call.environment.transact(|tx| tell_owner(tx, visit)) {
        Ok(()) => Ok(visit.to_again(PATH)),
        Err(refusal) if refusal.status == 429 => form(visit, 400, Some(magic_auth::TOO_MANY_CODES)),
        Err(refusal) => Err(refusal),
    }
}

/// Who signs in.
fn signing_in<'a>(visit: &Visit<'_>, state: &'a State) -> Option<&'a User> {
    let sign_in = visit.session.authenticated.as_ref()?;
    state.users.get(&sign_in.user_id).map(AsRef::as_ref)
}

fn form(visit: &Visit<'_>, status: u16, error: Option<&str>) -> Result<Reply, ApiError> {
    let state = visit.call.environment.state();
    let email = match signing_in(visit, &state) {
        Some(user) => user.email.clone(),
        None if visit.session.address_taken => {
            let typed = visit.session.email.as_deref().unwrap_or_default();
            users::email::normalized(typed).unwrap_or_default()
        }
        None => return error::sign_in_not_found(visit.call),
    };
    page(
        status,
        &CodePage {
            chrome: chrome(&visit.call.environment),
            form: Form {
                action: PATH,
                hidden: &visit.hidden(),
            },
            title: "Verify your email",
            email: &email,
            submit: "Verify",
            error,
            sent_again: visit.is_again(),
            sign_in_url: &visit.url(sign_in::PATH),
            password_url: None,
        },
    )
}
