//! The waitlist: what takes the place of sign-up while only invited people may sign up.
//!
//! Source: <https://workos.com/docs/authkit/waitlist>.

use serde::Deserialize;

use super::{
    chrome, page,
    pages::{
        Form, TextField,
        waitlist::{WaitlistDonePage, WaitlistPage},
    },
    sign_in, sign_up,
    visit::{self, Visit},
};
use crate::{
    api::user_management::{
        authorize::session,
        waitlists::{self, NewWaitlistEntry},
    },
    server::{call::Call, error::ApiError, reply::Reply},
};

pub(crate) const PATH: &str = "/authkit/waitlist";
pub(crate) const DONE: &str = "/authkit/waitlist/joined";

/// Whether people who are not invited may join it.
pub(super) fn is_open(call: &Call) -> bool {
    call.environment.state().settings().waitlist
}

/// `GET /authkit/waitlist`
pub(super) fn show_waitlist(call: &Call) -> Result<Reply, ApiError> {
    visit::show(call, |visit| {
        if !is_open(call) {
            return Ok(visit.to(sign_in::PATH));
        }
        form(
            visit,
            200,
            visit.session.email.as_deref().unwrap_or_default(),
            &[],
        )
    })
}

/// `POST /authkit/waitlist`: ends in the same way for an address that has an account, or is on the list already.
pub(super) fn submit_waitlist(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Fields {
        email: String,
    }
    visit::submit(call, |visit| {
        if !is_open(call) {
            return Ok(visit.to(sign_in::PATH));
        }
        let Fields { email } = call.body()?;
        let new = NewWaitlistEntry {
            email: email.clone(),
            send_confirmation_email: true,
            ..NewWaitlistEntry::default()
        };
        let joined = call.environment.transact(|tx| {
            if visit.is_current(tx) {
                session::identified(tx, &visit.session, email.trim())?;
            }
            match waitlists::join(tx, new) {
                Err(refusal) if refusal.code() != Some("user_already_exists") => Err(refusal),
                Ok(_) | Err(_) => Ok(()),
            }
        });
        match joined {
            Ok(()) => Ok(visit.to(DONE)),
            Err(refusal) if refusal.status >= 500 => Err(refusal),
            Err(_) => {
                let problem = "Enter an email address, like name@company.com.";
                form(visit, 400, &email, &[problem.to_owned()])
            }
        }
    })
}

/// `GET /authkit/waitlist/joined`
pub(super) fn show_waitlist_joined(call: &Call) -> Result<Reply, ApiError> {
    visit::show(call, |visit| {
        let Some(email) = &visit.session.email else {
            return Ok(visit.to(PATH));
        };
        page(
            200,
            &WaitlistDonePage {
                chrome: chrome(&call.environment),
                email,
                sign_in_url: &visit.url(sign_in::PATH),
            },
        )
    })
}

/// Where people go who have no account.
pub(super) fn or_sign_up(visit: &Visit<'_>) -> Option<(&'static str, &'static str)> {
    if sign_up::is_allowed(visit) {
        Some((sign_up::PATH, "Sign up"))
    } else if is_open(visit.call) {
        Some((PATH, "Join the waitlist"))
    } else {
        None
    }
}

fn form(visit: &Visit<'_>, status: u16, email: &str, problems: &[String]) -> Result<Reply, ApiError> {
    page(
        status,
        &WaitlistPage {
            chrome: chrome(&visit.call.environment),
            form: Form {
                action: PATH,
                hidden: &visit.hidden(),
            },
            email: TextField {
                value: email,
                problems,
            },
            sign_in_url: &visit.url(sign_in::PATH),
        },
    )
}
