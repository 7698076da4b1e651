//! The way to a new password, for who cannot sign in with the old one.

use serde::Deserialize;

use super::{
    chrome, error, mailbox, page,
    pages::{
        Form,
        forgot_password::{ForgotPasswordPage, ForgotPasswordSentPage},
    },
    password, sign_in,
    visit::{self, Visit},
};
use crate::{
    api::user_management::{authorize::session, password_reset, users},
    server::{call::Call, error::ApiError, reply::Reply},
};

pub(crate) const PATH: &str = "/authkit/forgot-password";
pub(super) const SENT: &str = "/authkit/forgot-password/sent";

/// What the page says where an address is missing.
const NO_EMAIL: &str = "Enter an email address, like name@company.com.";

/// `GET /authkit/forgot-password`
pub(super) fn show_forgot_password(call: &Call) -> Result<Reply, ApiError> {
    visit::show(call, |visit| {
        if !password_reset::are_passwords_on(&call.environment.state()) {
            return Ok(visit.to(sign_in::PATH));
        }
        form(
            visit,
            200,
            visit.session.email.as_deref().unwrap_or_default(),
            None,
        )
    })
}

/// `POST /authkit/forgot-password`: answers in the same way for an address that is known and for one that is not.
pub(super) fn submit_forgot_password(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Fields {
        email: String,
    }
    visit::submit(call, |visit| {
        let Fields { email } = call.body()?;
        let email = email.trim();
        if users::email::normalized(email).is_none() {
            return form(visit, 400, email, Some(NO_EMAIL));
        }
        let base_url = call.base_url();
        let session = call.environment.transact(|tx| {
            if !visit.is_current(tx) {
                return Ok::<_, ApiError>(None);
            }
            // That there is no such user, or that they may not, is nobody's business here. A refusal has changed nothing.
            match password_reset::request(tx, email, &base_url, Some(&visit.session.id)) {
                Ok(_) => {}
                Err(refusal) if refusal.status < 500 => {}
                Err(failure) => return Err(failure),
            }
            session::identified(tx, &visit.session, email).map(Some)
        })?;
        match session {
            Some(_) => Ok(visit.to(SENT)),
            None => error::sign_in_not_found(call),
        }
    })
}

/// `GET /authkit/forgot-password/sent`
pub(super) fn show_forgot_password_sent(call: &Call) -> Result<Reply, ApiError> {
    visit::show(call, |visit| {
        let Some(email) = &visit.session.email else {
            return Ok(visit.to(PATH));
        };
        page(
            200,
            &ForgotPasswordSentPage {
                chrome: chrome(&call.environment),
                email,
                mailbox_url: &mailbox::address(call, Some(email)),
                again_url: &visit.url(PATH),
                back_url: &visit.url(password::PATH),
            },
        )
    })
}

fn form(visit: &Visit<'_>, status: u16, email: &str, error: Option<&str>) -> Result<Reply, ApiError> {
    page(
        status,
        &ForgotPasswordPage {
            chrome: chrome(&visit.call.environment),
            form: Form {
                action: PATH,
                hidden: &visit.hidden(),
            },
            email,
            error,
            back_url: &visit.url(sign_in::PATH),
        },
    )
}
