//! Sign-in with a password, by the person whose e-mail address was asked for before.

use serde::Deserialize;

use super::{
    chrome, forgot_password, magic_auth, page, page_with_script,
    pages::{Form, PasswordPage},
    passkey, sign_in,
    visit::{self, Visit},
};
use crate::{
    api::user_management::{
        self,
        authenticate::{method::AuthenticationMethod, password, sign_in::SignIn},
        authorize::session,
    },
    server::{call::Call, error::ApiError, reply::Reply},
};

pub(crate) const PATH: &str = "/authkit/password";

/// The same for a wrong password and an unknown e-mail: who has an account here is nobody's business.
const REFUSED: &str = "Incorrect email or password.";
pub(super) const TOO_MANY_ATTEMPTS: &str = "Too many attempts. Wait a minute, and try again.";

/// `GET /authkit/password`
pub(super) fn show_password(call: &Call) -> Result<Reply, ApiError> {
    visit::show(call, |visit| {
        if is_on(call) {
            form(visit, 200, None)
        } else {
            Ok(visit.to(sign_in::PATH))
        }
    })
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
        let Some(email) = visit.session.email.as_ref().filter(|_| is_on(call)) else {
            return Ok(visit.to(sign_in::PATH));
        };
        let device = visit.device();
        let checked = password::check(&call.environment.state(), email, &password);
        visit.step(
            |tx| {
                let user = match password::conclude(tx, &checked, &device) {
                    Ok(Ok(user)) => user,
                    Ok(Err(_)) => return Ok(Err(REFUSED)),
                    Err(refusal) if refusal.status == 429 => return Ok(Err(TOO_MANY_ATTEMPTS)),
                    Err(refusal) => return Err(refusal),
                };
                let sign_in = SignIn::new(&user.id, AuthenticationMethod::Password, device);
                session::go_on(tx, &visit.session, sign_in).map(Ok)
            },
            |refusal| form(visit, 400, Some(refusal)),
        )
    })
}

/// Whether the environment has passwords switched on.
pub(super) fn is_on(call: &Call) -> bool {
    call.environment.state().settings().sign_in_methods.password
}

fn form(visit: &Visit<'_>, status: u16, error: Option<&str>) -> Result<Reply, ApiError> {
    let Some(email) = &visit.session.email else {
        return Ok(visit.to(sign_in::PATH));
    };
    let hidden = visit.hidden();
    let codes = user_management::magic_auth::is_on(&visit.call.environment.state());
    let passkey = passkey::choice(visit, &hidden);
    let page = if passkey.is_some() { page_with_script } else { page };
    page(
        status,
        &PasswordPage {
            chrome: chrome(&visit.call.environment),
            form: Form {
                action: PATH,
                hidden: &hidden,
            },
            email,
            error,
            forgot_password_url: &visit.url(forgot_password::PATH),
            passkey,
            sign_in_url: &visit.url(sign_in::PATH),
            code_form: codes.then_some(Form {
                action: magic_auth::PATH,
                hidden: &hidden,
            }),
        },
    )
}
