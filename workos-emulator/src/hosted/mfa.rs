//! The challenge of a person who has an authenticator app.

use std::sync::Arc;

use serde::Deserialize;

use super::{
    chrome, page,
    pages::{Form, mfa::MfaPage},
    sign_in,
    visit::{self, Visit},
};
use crate::{
    api::user_management::{
        authenticate::{
            mfa,
            sign_in::{NextStep, SignIn, next_step},
        },
        authorize::session,
        one_time_code::CodeRefusal,
        users::User,
    },
    server::{call::Call, error::ApiError, reply::Reply},
    store::{State, Transaction},
};

pub(crate) const PATH: &str = "/authkit/mfa";

/// What the pages' forms have.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    code: String,
}

impl Fields {
    /// The code as apps mean it: they show it in two groups, and people type what they see.
    pub(super) fn code(&self) -> String {
        let digits = self.code.chars().filter(|digit| !digit.is_whitespace());
        digits.collect()
    }
}

/// `GET /authkit/mfa`
pub(super) fn show_mfa(call: &Call) -> Result<Reply, ApiError> {
    visit::show(call, |visit| form(visit, 200, None))
}

/// `POST /authkit/mfa`
pub(super) fn submit_mfa(call: &Call) -> Result<Reply, ApiError> {
    visit::submit(call, |visit| {
        let code = call.body::<Fields>()?.code();
        let device = visit.device();
        visit.step(
            |tx| {
                let Some((user, sign_in)) = waiting(tx, visit, &NextStep::ChallengeFactor) else {
                    return Ok(Err(None));
                };
                match mfa::show_factor(tx, &user, &code, &device)? {
                    Ok(()) => go_on(tx, visit, sign_in).map(Ok),
                    Err(refusal) => Ok(Err(Some(refusal))),
                }
            },
            |refusal| form(visit, 400, refusal.map(refused)),
        )
    })
}

/// The person, if their sign-in waits for this step now.
pub(super) fn waiting(state: &State, visit: &Visit<'_>, step: &NextStep) -> Option<(Arc<User>, SignIn)> {
    let sign_in = visit.session.authenticated.as_ref()?;
    let user = state.users.get(&sign_in.user_id)?;
    let next = next_step(state, user, sign_in, visit.call.environment.clock.now()).ok()?;
    (next == *step).then(|| (Arc::clone(user), sign_in.clone()))
}

/// Goes on with the second factor shown.
pub(super) fn go_on(
    tx: &mut Transaction<'_>,
    visit: &Visit<'_>,
    sign_in: SignIn,
) -> Result<session::Step, ApiError> {
    let sign_in = SignIn {
        second_factor: true,
        ..sign_in
    };
    session::go_on(tx, &visit.session, sign_in)
}

/// What the page says to a code that is not taken.
pub(super) fn refused(refusal: CodeRefusal) -> &'static str {
    match refusal {
        CodeRefusal::Incorrect | CodeRefusal::Expired => {
            "This code is not right. Enter the one that your app shows now."
        }
        CodeRefusal::PreviouslyUsed => "This code was used already. Wait until your app shows the next one.",
        CodeRefusal::TooManyAttempts => "There were too many wrong codes. Wait 10 minutes, then try again.",
    }
}

fn form(visit: &Visit<'_>, status: u16, error: Option<&str>) -> Result<Reply, ApiError> {
    let state = visit.call.environment.state();
    let Some((user, _)) = waiting(&state, visit, &NextStep::ChallengeFactor) else {
        return Ok(visit.to(sign_in::PATH));
    };
    page(
        status,
        &MfaPage {
            chrome: chrome(&visit.call.environment),
            form: Form {
                action: PATH,
                hidden: &visit.hidden(),
            },
            email: &user.email,
            error,
            sign_in_url: &visit.url(sign_in::PATH),
        },
    )
}

#[cfg(test)]
mod tests;
