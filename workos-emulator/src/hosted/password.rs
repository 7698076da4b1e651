//! Sign-in with a password, by the person whose e-mail address was asked for before.

use serde::Deserialize;

use super::{
    chrome, forgot_password, page,
    pages::{Form, PasswordPage},
    sign_in,
    visit::{self, Visit},
};
use crate::{
    api::user_management::{
        authenticate::{method::AuthenticationMethod, password, sign_in::SignIn},
        authorize::session,
    },
    server::{call::Call, error::ApiError, reply::Reply},
};

pub(crate) const PATH: &str = "/authkit/password";

/// The same for a wrong password and an unknown e-mail: who has an account here is nobody's business.
const REFUSED: &str = "Incorrect email or password.";

/// `GET /authkit/password`
pub(super) fn show_password(call: &Call) -> Result<Reply, ApiError> {
    visit::show(call, |visit| form(visit, 200, None))
}

/// `POST /authkit/password`
pub(super) fn submit_password(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Fields {
        password: String,
    }
    visit::submit(call, |visit| {
        let Fields { password } = call.body()?;
        let Some(email) = &visit.session.email else {
            return Ok(visit.to(sign_in::PATH));
        };
        let device = visit.device();
        let checked = password::check(&call.environment.state(), email, &password);
        visit.step(
            |tx| {
                let Ok(user) = password::conclude(tx, &checked, &device)? else {
                    return Ok(Err(REFUSED));
                };
                let sign_in = SignIn::new(&user.id, AuthenticationMethod::Password, device);
                session::go_on(tx, &visit.session, sign_in).map(Ok)
            },
            |refusal| form(visit, 400, Some(refusal)),
        )
    })
}

fn form(visit: &Visit<'_>, status: u16, error: Option<&str>) -> Result<Reply, ApiError> {
    let Some(email) = &visit.session.email else {
        return Ok(visit.to(sign_in::PATH));
    };
    page(
        status,
        &PasswordPage {
            chrome: chrome(&visit.call.environment),
            form: Form {
                action: PATH,
                hidden: &visit.hidden(),
            },
            email,
            error,
            forgot_password_url: &visit.url(forgot_password::PATH),
            sign_in_url: &visit.url(sign_in::PATH),
        },
    )
}
