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
        users::{self, User},
    },
    server::{call::Call, error::ApiError, reply::Reply},
    store::State,
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
        let Some(sign_in) = &visit.session.authenticated else {
            return error::sign_in_not_found(call);
        };
        let Fields { code, decision } = call.body()?;
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
                if email_verification::redeem(tx, &user, &code, &visit.device())?.is_err() {
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

/// Who signs in.
fn signing_in<'a>(visit: &Visit<'_>, state: &'a State) -> Option<&'a User> {
    let sign_in = visit.session.authenticated.as_ref()?;
    state.users.get(&sign_in.user_id).map(AsRef::as_ref)
}

fn form(visit: &Visit<'_>, status: u16, error: Option<&str>) -> Result<Reply, ApiError> {
    let state = visit.call.environment.state();
    let Some(user) = signing_in(visit, &state) else {
        return error::sign_in_not_found(visit.call);
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
            email: &user.email,
            submit: "Verify",
            error,
            sent_again: visit.is_again(),
            sign_in_url: &visit.url(sign_in::PATH),
            password_url: None,
        },
    )
}
