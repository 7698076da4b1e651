//! Who wants to sign in? The first page asks for the e-mail address alone; how its owner proves to be who is a matter of
//! the pages behind it.

use serde::Deserialize;

use super::{
    chrome, error, invitation, page,
    pages::{Form, SignInPage},
    password,
    visit::{self, Visit},
    waitlist,
};
use crate::{
    api::user_management::authorize::session,
    server::{call::Call, error::ApiError, reply::Reply},
};

pub(crate) const PATH: &str = "/authkit/sign-in";

/// `GET /authkit/sign-in`
pub(super) fn show_sign_in(call: &Call) -> Result<Reply, ApiError> {
    visit::show(call, |visit| {
        form(
            visit,
            200,
            visit.session.email.as_deref().unwrap_or_default(),
            None,
        )
    })
}

/// `POST /authkit/sign-in`: goes on in the same way for an address that is known and for one that is not.
pub(super) fn submit_sign_in(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Fields {
        email: String,
    }
    visit::submit(call, |visit| {
        let Fields { email } = call.body()?;
        let email = email.trim();
        if !is_email(email) {
            return form(
                visit,
                400,
                email,
                Some("Enter an email address, like name@company.com."),
            );
        }
        if let Some(refusal) = invitation::refusal(visit, email) {
            return form(visit, 400, email, Some(&refusal));
        }
        let session = call.environment.transact(|tx| {
            if !visit.is_current(tx) {
                return Ok(None);
            }
            session::identified(tx, &visit.session, email).map(Some)
        })?;
        match session {
            Some(_) => Ok(visit.to(password::PATH)),
            None => error::sign_in_not_found(call),
        }
    })
}

/// What a page can take for an address. Whether somebody has it is not for this page to tell.
fn is_email(text: &str) -> bool {
    const LONGEST: usize = 254; // RFC 5321 section 4.5.3.1.3
    text.len() <= LONGEST
        && text
            .split_once('@')
            .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
}

fn form(visit: &Visit<'_>, status: u16, email: &str, error: Option<&str>) -> Result<Reply, ApiError> {
    let sign_up = waitlist::or_sign_up(visit).map(|(path, label)| (visit.url(path), label));
    page(
        status,
        &SignInPage {
            chrome: chrome(&visit.call.environment),
            invitation: invitation::sentence(visit).as_deref(),
            form: Form {
                action: PATH,
                hidden: &visit.hidden(),
            },
            email,
            error,
            sign_up: sign_up.as_ref().map(|(url, label)| (url.as_str(), *label)),
        },
    )
}
