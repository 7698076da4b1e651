//! The pages of the device flow: a person signs in, and confirms the code that a program shows them.

use serde::Deserialize;
use url::form_urlencoded;

use super::{
    chrome, error, page,
    pages::{
        Form, TextField,
        device::{DeviceCodePage, DeviceDonePage},
    },
    sign_in,
    visit::{self, Visit},
};
use crate::{
    api::user_management::{
        authenticate::sign_in::SignIn,
        authorize::{
            request::{AuthorizationRequest, Goal},
            session::{self, Step},
        },
        device_authorization::{self, DeviceState},
    },
    server::{call::Call, error::ApiError, reply::Reply},
};

/// What programs tell people to open.
pub(crate) const START: &str = "/device";
pub(crate) const PATH: &str = "/authkit/device";
const DONE: &str = "/authkit/device/done";

/// `GET /device`: signs the person in first.
pub(super) fn start_device(call: &Call) -> Result<Reply, ApiError> {
    let client_id = call.query.get("client_id").unwrap_or(&call.environment.client_id);
    let request = AuthorizationRequest::for_goal(
        client_id,
        Goal::Device {
            user_code: call.query.get("user_code").map(str::to_owned),
            failures: 0,
        },
    );
    let session = call.environment.transact(|tx| session::begin(tx, request))?;
    Ok(visit::first_page(call, &session))
}

/// `GET /authkit/device`
pub(super) fn show_device(call: &Call) -> Result<Reply, ApiError> {
    visit::show(call, |visit| match asked(visit) {
        Some((user_code, sign_in)) => form(visit, sign_in, 200, user_code.unwrap_or_default(), &[]),
        None => error::sign_in_not_found(call),
    })
}

/// `POST /authkit/device`
pub(super) fn submit_device(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Fields {
        user_code: String,
        decision: String,
    }
    visit::submit(call, |visit| {
        let Some((_, sign_in)) = asked(visit) else {
            return error::sign_in_not_found(call);
        };
        let Fields { user_code, decision } = call.body()?;
        let (state, outcome) = match decision.as_str() {
            "deny" => (DeviceState::Denied, "denied"),
            _ => (DeviceState::Approved(Box::new(sign_in.clone())), "confirmed"),
        };
        visit.step(
            |tx| {
                let Some(pending) = device_authorization::pending(tx, &user_code, tx.now()).cloned() else {
                    return session::device_code_failed(tx, &visit.session).map(|over| match over {
                        Some(step) => Ok(step),
                        None => Err("This code is not known, was used already, or is too old."),
                    });
                };
                // A Connect application may have to be allowed what it asks for.
                if let (DeviceState::Approved(_), Some(asked)) = (&state, &pending.connect) {
                    let goal = Goal::Connect(Box::new(asked.request(&pending)));
                    return session::go_on_to(tx, &visit.session, goal, sign_in.clone()).map(Ok);
                }
                device_authorization::settle(tx, &user_code, state)?;
                session::end(tx, &visit.session);
                Ok(Ok(Step::Leave(done(&visit.session.request.client_id, outcome))))
            },
            |refusal| form(visit, sign_in, 400, "", &[refusal.to_owned()]),
        )
    })
}

/// `GET /authkit/device/done`
pub(super) fn show_device_done(call: &Call) -> Result<Reply, ApiError> {
    let outcome = call.query.get("outcome").unwrap_or_default();
    let (title, text) = match outcome {
        "confirmed" => (
            "Your device is signed in",
            "You can close this window and go back to your device.",
        ),
        "denied" => (
            "Your device was not signed in",
            "You denied it. You can close this window.",
        ),
        "too_many_attempts" => (
            "Your device was not signed in",
            "Too many codes were wrong. Start again on your device.",
        ),
        _ => (
            "Your device was not signed in",
            "Your account may not sign in this way. You can close this window.",
        ),
    };
    page(
        200,
        &DeviceDonePage {
            chrome: chrome(&call.environment),
            title,
            text,
            succeeded: outcome == "confirmed",
        },
    )
}

/// Where the browser goes when it is over.
pub(crate) fn done(client_id: &str, outcome: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", client_id)
        .append_pair("outcome", outcome)
        .finish();
    format!("{DONE}?{query}")
}

/// The code that the link had, and who has signed in to confirm it.
fn asked<'a>(visit: &'a Visit<'_>) -> Option<(Option<&'a str>, &'a SignIn)> {
    match &visit.session.request.goal {
        Goal::Device { user_code, .. } => Some((user_code.as_deref(), visit.session.authenticated.as_ref()?)),
        _ => None,
    }
}

fn form(
    visit: &Visit<'_>,
    sign_in: &SignIn,
    status: u16,
    user_code: &str,
    problems: &[String],
) -> Result<Reply, ApiError> {
    let state = visit.call.environment.state();
    let Some(user) = state.users.get(&sign_in.user_id) else {
        return error::sign_in_not_found(visit.call);
    };
    let now = visit.call.environment.clock.now();
    let given = device_authorization::pending(&state, user_code, now);
    let stale = ["The code of this link is not known, was used already, or is too old.".to_owned()];
    let problems = match given {
        None if !user_code.is_empty() => &stale,
        _ => problems,
    };
    let user_code = given.map(|authorization| authorization.shown_user_code());
    page(
        status,
        &DeviceCodePage {
            chrome: chrome(&visit.call.environment),
            form: Form {
                action: PATH,
                hidden: &visit.hidden(),
            },
            email: &user.email,
            user_code: user_code.as_deref(),
            field: TextField { value: "", problems },
            sign_in_url: &visit.url(sign_in::PATH),
        },
    )
}
