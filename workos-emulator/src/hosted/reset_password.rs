//! The page behind the link of a password reset. It opens in any browser: the token is all that it takes.

use serde::Deserialize;
use url::{Url, form_urlencoded};

use super::{
    chrome, error, forgot_password, page,
    pages::{
        Form,
        reset_password::{PasswordChangedPage, ResetLinkOverPage, ResetPasswordPage},
    },
    password,
    visit::{self, SESSION},
};
use crate::{
    api::user_management::{
        password_reset::{self, Confirmed, ResetRefusal, TokenRefusal},
        redirect_uris,
    },
    core::secret::Secret,
    server::{call::Call, error::ApiError, reply::Reply},
    store::State,
};

pub(crate) const PATH: &str = "/authkit/reset-password";
pub(super) const DONE: &str = "/authkit/reset-password/done";

/// Where a mail leads, on the host that its reader uses.
pub(crate) fn address(token: &str, client_id: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("token", token)
        .append_pair("client_id", client_id)
        .finish();
    format!("{PATH}?{query}")
}

/// `GET /authkit/reset-password`
pub(super) fn show_reset_password(call: &Call) -> Result<Reply, ApiError> {
    let token = call.query.get("token").unwrap_or_default();
    let state = call.environment.state();
    if !password_reset::are_passwords_on(&state) {
        return over(call, token, &ResetRefusal::PasswordsOff);
    }
    match password_reset::find(&state, token, call.environment.clock.now()) {
        Ok(reset) => form(call, 200, token, &reset.email, &[]),
        Err(refusal) => over(call, token, &ResetRefusal::Token(refusal)),
    }
}

/// `POST /authkit/reset-password`
pub(super) fn submit_reset_password(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Fields {
        token: String,
        password: String,
    }
    if !call.is_same_origin() {
        return error::cross_site(call);
    }
    let Fields { token, password } = call.body()?;
    match password_reset::confirm(&call.environment, &token, &Secret::new(password))? {
        Ok(Confirmed { reset, .. }) => {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair("client_id", client_id(call));
            if let Some(id) = &reset.authorization_session_id {
                query.append_pair(SESSION, id);
            }
            let done = format!("{DONE}?{}", query.finish());
            Ok(Reply::redirect(303, done).header("Cache-Control", "no-store"))
        }
        Err(ResetRefusal::Password(problems)) => {
            let state = call.environment.state();
            let reset = password_reset::find(&state, &token, call.environment.clock.now());
            let email = reset.map_or("", |reset| &reset.email);
            let problems: Vec<_> = problems.into_iter().map(|problem| problem.explained()).collect();
            form(call, 400, &token, email, &problems)
        }
        Err(refusal) => over(call, &token, &refusal),
    }
}

/// `GET /authkit/reset-password/done`: the way on. In the browser that asked for the link, the sign-in goes on.
pub(super) fn show_password_changed(call: &Call) -> Result<Reply, ApiError> {
    let visit = visit::of(call, call.query.get(SESSION));
    let sign_in_url = visit.map(|visit| visit.url(password::PATH));
    let application_url = application(&call.environment.state());
    page(
        200,
        &PasswordChangedPage {
            chrome: chrome(&call.environment),
            sign_in_url: sign_in_url.as_deref(),
            application_url: application_url.as_deref(),
        },
    )
}

fn client_id(call: &Call) -> &str {
    &call.environment.client_id
}

/// The application's front page, where it is known: its homepage, or the site of its default redirect URI.
fn application(state: &State) -> Option<String> {
    let homepage = state.settings().homepage_url.as_deref();
    let homepage = homepage.and_then(|homepage| Url::parse(homepage).ok());
    let site = || redirect_uris::default(state)?.join("/").ok();
    let url = homepage.or_else(site)?;
    matches!(url.scheme(), "http" | "https").then(|| url.into())
}

fn form(call: &Call, status: u16, token: &str, email: &str, problems: &[String]) -> Result<Reply, ApiError> {
    page(
        status,
        &ResetPasswordPage {
            chrome: chrome(&call.environment),
            form: Form {
                action: PATH,
                hidden: &[("client_id", client_id(call)), ("token", token)],
            },
            email,
            password_problems: problems,
            password_hint: &call.environment.state().settings().password_policy.hint(),
        },
    )
}

/// The link does not lead to a new password, and why.
fn over(call: &Call, token: &str, refusal: &ResetRefusal) -> Result<Reply, ApiError> {
    let (title, why) = match refusal {
        ResetRefusal::Token(TokenRefusal::Expired) => (
            "This link has expired",
            "A link works for 15 minutes, and this one is older.",
        ),
        ResetRefusal::Token(TokenRefusal::Used) => (
            "This link has been used",
            "A link works once, and somebody has set a password with this one. If that was not you, ask for a new link.",
        ),
        ResetRefusal::Token(TokenRefusal::Replaced) => (
            "This link has been replaced",
            "A newer link was sent, or the account has changed since. Only the newest link works.",
        ),
        ResetRefusal::Token(TokenRefusal::Unknown) | ResetRefusal::Password(_) => (
            "This link is not complete",
            "Nobody was sent a link like this. Open it from the email, or copy all of it.",
        ),
        ResetRefusal::PasswordsOff => (
            "There are no passwords here",
            "This application does not let anybody sign in with a password any more.",
        ),
    };
    let state = call.environment.state();
    let can_ask_again = *refusal != ResetRefusal::PasswordsOff;
    let sign_in = password_reset::asked_in(&state, token).filter(|_| can_ask_again);
    let again_url = visit::of(call, sign_in).map(|visit| visit.url(forgot_password::PATH));
    page(
        400,
        &ResetLinkOverPage {
            chrome: chrome(&call.environment),
            title,
            why,
            can_ask_again,
            again_url: again_url.as_deref(),
            application_url: application(&state).as_deref(),
        },
    )
}
