//! Sign-in with a passkey: a button on the pages that ask for e-mail address and password, and the script that lets the
//! browser do its part. Who runs no scripts does not see the button.

use std::sync::LazyLock;

use serde::Deserialize;

use super::{
    error,
    pages::{Form, passkey::PasskeyChoice},
    sign_in, style,
    visit::{self, Visit},
};
use crate::{
    api::user_management::{
        authenticate::{method::AuthenticationMethod, sign_in::SignIn},
        authorize::session,
        passkeys,
    },
    core::webauthn::RelyingParty,
    server::{call::Call, error::ApiError, reply::Reply},
};

pub(super) const PATH: &str = "/authkit/passkey";
pub(super) const OPTIONS: &str = "/authkit/passkey/options";

/// The script of the pages that have to do with passkeys, to be served at [`SCRIPT_PATH`].
pub(super) const SCRIPT: &str = include_str!("passkey.js");
pub(super) static SCRIPT_PATH: LazyLock<String> = LazyLock::new(|| style::versioned("passkey", SCRIPT, "js"));

/// The same for a passkey that nobody has and one that was misused.
const REFUSED: &str = "This passkey was not accepted. Try again, or sign in another way.";

/// What a page says of passkeys: nothing where they are off.
pub(super) fn choice<'a>(visit: &Visit<'_>, hidden: &'a [(&'a str, &'a str)]) -> Option<PasskeyChoice<'a>> {
    passkeys::is_enabled(&visit.call.environment.state()).then(|| PasskeyChoice {
        form: Form { action: PATH, hidden },
        options_path: OPTIONS,
        has_domain: relying_party(visit.call).is_some(),
        script_path: &SCRIPT_PATH,
    })
}

/// The relying party is the host that the browser sees.
pub(super) fn relying_party(call: &Call) -> Option<RelyingParty> {
    RelyingParty::of(&call.base_url())
}

/// `POST /authkit/passkey/options`: what the script hands to the browser.
pub(super) fn passkey_options(call: &Call) -> Result<Reply, ApiError> {
    visit::submit(call, |visit| {
        let options = call.environment.transact(|tx| {
            let relying_party =
                relying_party(call).filter(|_| passkeys::is_enabled(tx) && visit.is_current(tx));
            let Some(relying_party) = relying_party else {
                return Ok(None);
            };
            passkeys::begin_authentication(tx, &visit.session.id, &relying_party).map(Some)
        })?;
        answer_options(call, options)
    })
}

/// Options for the script, or the reason why there are none for somebody who came without it.
pub(super) fn answer_options(call: &Call, options: Option<serde_json::Value>) -> Result<Reply, ApiError> {
    match options {
        Some(options) => Ok(Reply::ok(&options)?.header("Cache-Control", "no-store")),
        None => error::sign_in_not_found(call),
    }
}

/// `POST /authkit/passkey`
///
/// A passkey is both factors at once. Source: <https://workos.com/docs/authkit/passkeys#multi-factor-auth>.
pub(super) fn submit_passkey(call: &Call) -> Result<Reply, ApiError> {
    visit::submit(call, |visit| {
        let Credential { credential } = call.body()?;
        let (Some(relying_party), Ok(response)) = (relying_party(call), serde_json::from_str(&credential))
        else {
            return again(visit);
        };
        let device = visit.device();
        visit.step(
            |tx| {
                if !passkeys::is_enabled(tx) {
                    return Ok(Err(()));
                }
                let id = &visit.session.id;
                let Ok(user) = passkeys::authenticate(tx, id, &relying_party, &response, &device)? else {
                    return Ok(Err(()));
                };
                let sign_in = SignIn {
                    second_factor: true,
                    ..SignIn::new(&user.id, AuthenticationMethod::Passkey, device)
                };
                session::go_on(tx, &visit.session, sign_in).map(Ok)
            },
            |()| again(visit),
        )
    })
}

/// What the script adds to the form: the browser's answer as JSON.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Credential {
    pub(super) credential: String,
}

fn again(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let email = visit.session.email.as_deref().unwrap_or_default();
    sign_in::form(visit, 400, email, Some(REFUSED))
}
