//! The offer of a passkey, to people who have signed in without one.

use serde::Deserialize;

use super::{
    chrome, error, page_with_script,
    pages::{Form, passkey::PasskeyEnrollmentPage},
    passkey,
    visit::{self, Visit},
};
use crate::{
    api::user_management::{
        authenticate::sign_in::{NextStep, SignIn, next_step},
        authorize::session,
        passkeys,
        users::User,
    },
    server::{call::Call, error::ApiError, reply::Reply},
    store::State,
};

pub(crate) const PATH: &str = "/authkit/passkey/create";
pub(super) const OPTIONS: &str = "/authkit/passkey/create/options";

const REFUSED: &str = "The passkey was not created. Try again, or go on without one.";

/// `GET /authkit/passkey/create`
pub(super) fn show_passkey_enrollment(call: &Call) -> Result<Reply, ApiError> {
    visit::show(call, |visit| form(visit, 200, None))
}

/// `POST /authkit/passkey/create/options`: what the script hands to the browser.
pub(super) fn passkey_enrollment_options(call: &Call) -> Result<Reply, ApiError> {
    visit::submit(call, |visit| {
        let name = chrome(&call.environment).environment.into_owned();
        let options = call.environment.transact(|tx| {
            let asked = asked(tx, visit).filter(|_| visit.is_current(tx));
            let (Some((_, user)), Some(relying_party)) = (asked, passkey::relying_party(call)) else {
                return Ok(None);
            };
            passkeys::begin_registration(tx, &visit.session.id, &relying_party, &name, &user).map(Some)
        })?;
        passkey::answer_options(call, options)
    })
}

/// `POST /authkit/passkey/create`: with a passkey, or with the decision to have none.
pub(super) fn submit_passkey_enrollment(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Fields {
        decision: String,
    }
    visit::submit(call, |visit| {
        let Fields { decision } = call.body()?;
        let passkey::Credential { credential } = call.body()?;
        let relying_party = passkey::relying_party(call);
        visit.step(
            |tx| {
                let Some((sign_in, user)) = asked(tx, visit) else {
                    return Ok(Err(()));
                };
                match decision.as_str() {
                    "later" | "never" => passkeys::postpone(tx, &user.id, decision == "never")?,
                    _ => {
                        let (Some(relying_party), Ok(response)) =
                            (relying_party, serde_json::from_str(&credential))
                        else {
                            return Ok(Err(()));
                        };
                        let id = &visit.session.id;
                        if passkeys::register(tx, id, &relying_party, &user, &response)?.is_err() {
                            return Ok(Err(()));
                        }
                    }
                }
                session::go_on(tx, &visit.session, sign_in).map(Ok)
            },
            |()| form(visit, 400, Some(REFUSED)),
        )
    })
}

/// Who has passed every gate, and is offered a passkey now. With a password alone, where a second factor is missing,
/// nobody gets to make a key that opens everything.
fn asked(state: &State, visit: &Visit<'_>) -> Option<(SignIn, User)> {
    let sign_in = visit.session.authenticated.as_ref()?;
    let user = state.users.get(&sign_in.user_id)?;
    let now = visit.call.environment.clock.now();
    let passed = matches!(next_step(state, user, sign_in, now), Ok(NextStep::Enter(_)));
    let offered = passed && passkeys::is_offered(state, user, sign_in, now);
    offered.then(|| (sign_in.clone(), User::clone(user)))
}

fn form(visit: &Visit<'_>, status: u16, error: Option<&str>) -> Result<Reply, ApiError> {
    let Some((_, user)) = asked(&visit.call.environment.state(), visit) else {
        return error::sign_in_not_found(visit.call);
    };
    page_with_script(
        status,
        &PasskeyEnrollmentPage {
            chrome: chrome(&visit.call.environment),
            form: Form {
                action: PATH,
                hidden: &visit.hidden(),
            },
            options_path: OPTIONS,
            has_domain: passkey::relying_party(visit.call).is_some(),
            script_path: &passkey::SCRIPT_PATH,
            email: &user.email,
            error,
        },
    )
}
