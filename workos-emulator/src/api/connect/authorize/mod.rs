//! `GET /oauth2/authorize`: where a sign-in for a Connect application begins. Source:
//! <https://workos.com/docs/reference/workos-connect/authorize>.

pub(crate) mod request;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use self::request::{Answer, ConnectRequest, Prompt};
use super::{
    access_tokens::Authorization,
    applications::{self, ConnectApplication},
    authorization_codes::{self, Binding},
    consents, standalone,
};
use crate::{
    api::user_management::{
        authenticate::{
            method::{self, AuthenticationMethod},
            sign_in::{NextStep, SignIn, next_step},
        },
        authorize::{
            self,
            request::{AuthorizationError, AuthorizationRequest, Callback, Goal},
            session::{self, Step},
        },
        device_authorization::{self, DeviceState},
        users::{self, User},
    },
    control::settings::Interactive,
    hosted,
    server::{call::Call, error::ApiError, reply::Reply},
    store::{State, Transaction},
};

/// `GET /oauth2/authorize`
///
/// A wrong client or redirect URI is told to the person at the browser, who is sent nowhere; all else to the application.
/// `organization_id` chooses an organization beforehand, which production's documentation does not list.
pub(crate) fn authorize(call: &Call) -> Result<Reply, ApiError> {
    let client_id = call.query.get("client_id").unwrap_or_default();
    let state = call.environment.state();
    let Some(application) = applications::by_client_id(&state, client_id) else {
        return hosted::error::unknown_application(call, client_id);
    };
    let Some(oauth) = application.oauth() else {
        return hosted::error::unknown_application(call, client_id);
    };
    let redirect_uri = call.query.get("redirect_uri").unwrap_or_default();
    let Some(redirect_uri) = oauth.allows(redirect_uri) else {
        return hosted::error::not_a_redirect_uri_of(call, application, redirect_uri);
    };
    let callback = Callback::new(&redirect_uri, &call.query);
    match parse(call, &state, &callback, application) {
        Ok((request, prompt)) => enter(call, request, prompt),
        Err(error) => Ok(Reply::redirect(302, callback.with_error(&error))),
    }
}

fn parse(
    call: &Call,
    state: &State,
    callback: &Callback,
    application: &ConnectApplication,
) -> Result<(AuthorizationRequest, Prompt), AuthorizationError> {
    let prompt = Prompt::read(&call.query)?;
    let connect = ConnectRequest::parse(&call.query, callback, application, state)?;
    let organization_id = request::given(&call.query, "organization_id");
    if let Some(id) = organization_id
        && state.organizations.get(id).is_none()
    {
        let description = format!("Organization not found: '{id}'.");
        return Err(AuthorizationError::new("organization_invalid", description));
    }
    let goal = Goal::Connect(Box::new(connect));
    let request = AuthorizationRequest {
        organization_id: organization_id.map(str::to_owned),
        login_hint: request::given(&call.query, "login_hint").map(str::to_owned),
        ..AuthorizationRequest::for_goal(&application.client_id, goal)
    };
    Ok((request, prompt))
}

/// Starts a sign-in on the pages, or at the application that does it instead of them; or makes it at once.
fn enter(call: &Call, request: AuthorizationRequest, prompt: Prompt) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let interactive = state.settings().interactive;
    if !authorize::shows_page(call, &request, interactive) {
        return at_once(call, &request, prompt, interactive);
    }
    if prompt.none {
        // The emulator's AuthKit remembers nobody.
        let error = AuthorizationError::new("login_required", "The person has to sign in.");
        return Ok(Reply::redirect(
            302,
            request.goal.failed(&request.client_id, &error),
        ));
    }
    if state.settings().connect.login_uri.is_some() {
        return standalone::begin(call, request);
    }
    let session = call.environment.transact(|tx| session::begin(tx, request))?;
    Ok(hosted::visit::first_page(call, &session))
}

/// Signs in without a page, as `authorize` of user management does. Where the person has to be asked something, the pages
/// do it, unless they are off: then the application has what it asks for.
fn at_once(
    call: &Call,
    request: &AuthorizationRequest,
    prompt: Prompt,
    interactive: Interactive,
) -> Result<Reply, ApiError> {
    let device = authorize::device(call);
    let step = call.environment.transact(|tx| {
        let failed = |error: &AuthorizationError| Step::Leave(request.goal.failed(&request.client_id, error));
        let user = match authorize::user_at_once(tx, request) {
            Ok(user) => user,
            Err(error) => return Ok(failed(&error)),
        };
        method::succeeded(tx, AuthenticationMethod::Password, &user, &device)?;
        let sign_in = SignIn::new(&user.id, AuthenticationMethod::Password, device);
        if interactive == Interactive::Never {
            return without_pages(tx, request, &user, sign_in).map(Step::Leave);
        }
        let session = session::begin(tx, request.clone())?;
        let step = session::go_on(tx, &session, sign_in)?;
        let refusal = match &step {
            _ if !prompt.none => return Ok(step),
            Step::Leave(_) => return Ok(step),
            Step::Page(..) => (
                "interaction_required",
                "The person has a step of the sign-in to make.",
            ),
            Step::Confirm(..) => ("consent_required", "The person has to be asked."),
        };
        session::end(tx, &session);
        Ok::<_, ApiError>(failed(&AuthorizationError::new(refusal.0, refusal.1)))
    })?;
    Ok(hosted::visit::enter(call, step))
}

/// A sign-in where nobody can be asked: it succeeds, or needs what only pages could get.
fn without_pages(
    tx: &mut Transaction<'_>,
    request: &AuthorizationRequest,
    user: &User,
    sign_in: SignIn,
) -> Result<String, ApiError> {
    let sign_in = sign_in.to(request.organization_id.as_deref());
    let error = match next_step(tx, user, &sign_in, tx.now()) {
        Ok(NextStep::Enter(organization_id)) => {
            return session::reach(tx, request, sign_in.to(organization_id.as_deref()));
        }
        Ok(NextStep::ChooseOrganization(_)) => AuthorizationError::new(
            "interaction_required",
            "The user is in several organizations: send organization_id.",
        ),
        Ok(_) => AuthorizationError::new(
            "interaction_required",
            "The person has a step of the sign-in to make, and pages are off.",
        ),
        Err(refusal) => AuthorizationError::new("access_denied", refusal.description()),
    };
    Ok(request.goal.failed(&request.client_id, &error))
}

/// The page that asks the person before the application gets what it asked for, unless it may have it already.
pub(crate) fn confirmation(
    state: &State,
    request: &ConnectRequest,
    sign_in: &SignIn,
) -> Option<&'static str> {
    let asks = match state.connect_applications.get(&request.application_id) {
        None => false, // It was deleted in between, which `reach` tells.
        Some(application) => {
            let subject = request.subject(sign_in);
            request.always_ask
                || !request.options.is_empty()
                || consents::is_needed(state, application, subject, &request.scopes)
        }
    };
    asks.then_some(hosted::consent::PATH)
}

/// Gives the application what it asked for, with what the person chose, and says where the browser goes.
pub(crate) fn reach(
    tx: &mut Transaction<'_>,
    client_id: &str,
    request: &ConnectRequest,
    sign_in: &SignIn,
    chosen: serde_json::Map<String, serde_json::Value>,
) -> Result<String, ApiError> {
    let user = Arc::clone(users::find(tx, &sign_in.user_id)?);
    applications::find(tx, &request.application_id)?;
    match &request.answer {
        Answer::Device { user_code } => {
            let state = DeviceState::Approved(Box::new(sign_in.clone()));
            if device_authorization::pending(tx, user_code, tx.now()).is_none() {
                return Ok(hosted::device::done(client_id, "expired"));
            }
            device_authorization::settle(tx, user_code, state)?;
            Ok(hosted::device::done(client_id, "confirmed"))
        }
        Answer::Code {
            callback,
            redirect_uri,
            code_challenge,
            nonce,
        } => {
            let consent = consents::record(tx, request.subject(sign_in), &request.scopes)?;
            // As after every sign-in, without a `user.updated`.
            tx.put(User {
                last_sign_in_at: Some(tx.now()),
                ..User::clone(&user)
            })?;
            let authorization = Authorization {
                scopes: request.scopes.clone(),
                resource: request.resource.clone(),
                claims: chosen,
                auth_time: request.tells_auth_time.then(|| tx.now().as_second()),
            };
            let binding = Binding {
                redirect_uri,
                code_challenge: code_challenge.clone(),
                nonce: nonce.clone(),
            };
            let code = authorization_codes::issue(tx, &consent, binding, authorization)?;
            Ok(callback.with_code(code.expose()))
        }
    }
}

/// Where the browser goes when the application does not get it.
pub(crate) fn failed(client_id: &str, request: &ConnectRequest, error: &AuthorizationError) -> String {
    match &request.answer {
        Answer::Code { callback, .. } => callback.with_error(error),
        Answer::Device { .. } => hosted::device::done(client_id, error.code()),
    }
}

/// The person does not let the application have it.
pub(crate) fn deny(
    tx: &mut Transaction<'_>,
    client_id: &str,
    request: &ConnectRequest,
) -> Result<String, ApiError> {
    if let Answer::Device { user_code } = &request.answer
        && device_authorization::pending(tx, user_code, tx.now()).is_some()
    {
        device_authorization::settle(tx, user_code, DeviceState::Denied)?;
    }
    let code = match &request.answer {
        Answer::Code { .. } => "access_denied",
        Answer::Device { .. } => "denied",
    };
    let error = AuthorizationError::new(code, "The user denied the request.");
    Ok(failed(client_id, request, &error))
}
