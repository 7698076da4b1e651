//! Sign-in with e-mail and password.

use serde::Deserialize;

use super::{
    chrome, error, page,
    pages::{Form, SignInPage},
    sign_up,
    visit::{self, Visit},
};
use crate::{
    api::user_management::{
        authenticate::{method::AuthenticationMethod, password},
        authorize::session::{self, Authenticated},
    },
    server::{call::Call, error::ApiError, reply::Reply},
};

pub(crate) const PATH: &str = "/authkit/sign-in";

/// The same for a wrong password and an unknown e-mail: who has an account here is nobody's business.
const REFUSED: &str = "Incorrect email or password.";

/// What becomes of a sent form.
enum Outcome {
    Accepted(session::Step),
    Refused,
    /// Another tab was faster.
    Over,
}

/// `GET /authkit/sign-in`
pub(super) fn show_sign_in(call: &Call) -> Result<Reply, ApiError> {
    visit::show(call, |visit| {
        let email = visit.session.request.login_hint.as_deref().unwrap_or_default();
        form(visit, 200, email, None)
    })
}

/// `POST /authkit/sign-in`
pub(super) fn submit_sign_in(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Fields {
        email: String,
        password: String,
    }
    visit::submit(call, |visit| {
        let Fields { email, password } = call.body()?;
        let email = email.trim();
        let device = visit.device();
        let checked = password::check(&call.environment.state(), email, &password);
        let outcome = call.environment.transact(|tx| {
            if !visit.is_current(tx) {
                return Ok(Outcome::Over);
            }
            let Ok(user) = password::conclude(tx, &checked, &device)? else {
                return Ok(Outcome::Refused);
            };
            let user = Authenticated {
                user_id: user.id.clone(),
                method: AuthenticationMethod::Password,
            };
            session::authenticated(tx, &visit.session, user, device).map(Outcome::Accepted)
        })?;
        match outcome {
            Outcome::Accepted(step) => Ok(visit.go(step)),
            Outcome::Refused => form(visit, 400, email, Some(REFUSED)),
            Outcome::Over => error::sign_in_not_found(call),
        }
    })
}

fn form(visit: &Visit<'_>, status: u16, email: &str, error: Option<&str>) -> Result<Reply, ApiError> {
    let sign_up_url = visit.url(sign_up::PATH);
    page(
        status,
        &SignInPage {
            chrome: chrome(&visit.call.environment),
            form: Form {
                action: PATH,
                hidden: &visit.hidden(),
            },
            email,
            error,
            sign_up_url: sign_up::is_allowed(visit.call).then_some(&sign_up_url),
        },
    )
}
