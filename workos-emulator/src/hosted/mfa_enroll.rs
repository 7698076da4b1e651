//! Setting up an authenticator app, for a person who needs one.

use super::{
    chrome,
    mfa::{Fields, go_on, refused, waiting},
    page,
    pages::{Form, mfa::MfaEnrollPage},
    sign_in,
    visit::{self, Visit},
};
use crate::{
    api::{
        multi_factor_auth::{enrollments, factors},
        user_management::authenticate::{mfa, sign_in::NextStep},
    },
    server::{call::Call, error::ApiError, reply::Reply},
};

pub(crate) const PATH: &str = "/authkit/mfa/enroll";

/// `GET /authkit/mfa/enroll`
pub(super) fn show_mfa_enroll(call: &Call) -> Result<Reply, ApiError> {
    visit::show(call, |visit| form(visit, 200, None))
}

/// `POST /authkit/mfa/enroll`
pub(super) fn submit_mfa_enroll(call: &Call) -> Result<Reply, ApiError> {
    visit::submit(call, |visit| {
        let code = call.body::<Fields>()?.code();
        let device = visit.device();
        let session = &visit.session;
        visit.step(
            |tx| {
                let Some((user, sign_in)) = waiting(tx, visit, &NextStep::EnrollFactor) else {
                    return Ok(Err(None));
                };
                // Its page was never opened: the form was made up.
                let Some(begun) = enrollments::find(tx, &session.id, &user.id).cloned() else {
                    return Ok(Err(None));
                };
                if let Err(refusal) = mfa::enroll_factor(tx, &user, &begun.secret, &code, &device)? {
                    return Ok(Err(Some(refusal)));
                }
                enrollments::end(tx, &session.id);
                go_on(tx, visit, sign_in).map(Ok)
            },
            |refusal| form(visit, 400, refusal.map(refused)),
        )
    })
}

fn form(visit: &Visit<'_>, status: u16, error: Option<&str>) -> Result<Reply, ApiError> {
    let environment = &visit.call.environment;
    let session = &visit.session;
    let Some((user, _)) = waiting(&environment.state(), visit, &NextStep::EnrollFactor) else {
        return Ok(visit.to(sign_in::PATH));
    };
    let enrollment =
        environment.transact(|tx| enrollments::begin(tx, &session.id, &user.id, session.expires_at))?;
    let chrome = chrome(environment);
    let issuer = factors::default_issuer(&chrome.environment);
    let uri = factors::uri(&issuer, &user.email, &enrollment.secret)?;
    page(
        status,
        &MfaEnrollPage {
            form: Form {
                action: PATH,
                hidden: &visit.hidden(),
            },
            email: &user.email,
            qr_code: &factors::picture(&uri)?,
            secret: &in_groups(&enrollment.secret.expose()),
            app_url: &uri,
            error,
            sign_in_url: &visit.url(sign_in::PATH),
            chrome,
        },
    )
}

/// In groups of four, as people type it.
fn in_groups(secret: &str) -> String {
    let letters: Vec<char> = secret.chars().collect();
    let groups = letters.chunks(4).map(|group| group.iter().collect::<String>());
    groups.collect::<Vec<_>>().join(" ")
}
