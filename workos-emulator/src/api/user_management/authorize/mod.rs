//! `GET /user_management/authorize`: where a sign-in in a browser begins.
//!
//! Source: <https://workos.com/docs/reference/authkit/authentication/get-authorization-url>.

mod reauthentication;
pub(crate) mod request;
pub(crate) mod session;

use std::sync::Arc;

use self::request::{AuthorizationError, AuthorizationRequest, Callback, ProviderRequest};
use super::{
    authenticate::{
        authorization_code, method,
        oauth::{self, Arrival, Profile},
        sign_in::{SignIn, check_membership},
        sign_in_methods,
    },
    impersonation,
    providers::{self, Provider},
    redirect_uris,
    sessions::Device,
    users::{self, User},
};
use crate::{
    api::sso::{
        self, connections,
        sign_in::{Exit, Purpose},
    },
    control::settings::Interactive,
    hosted,
    server::{call::Call, error::ApiError, reply::Reply},
    store::{State, Transaction},
};

/// `GET /user_management/authorize`
///
/// A wrong client or redirect URI is told to the person at the browser, who is sent nowhere; all else to the application.
pub(crate) fn get_authorization_url(call: &Call) -> Result<Reply, ApiError> {
    let client_id = call.query.get("client_id").unwrap_or_default();
    if call.registry.by_client_id(client_id).is_none() {
        return hosted::error::unknown_client(call, client_id);
    }
    let state = call.environment.state();
    let redirect_uri = call.query.get("redirect_uri").unwrap_or_default();
    let Some(redirect_uri) = redirect_uris::allowed(&state, redirect_uri) else {
        return hosted::error::redirect_uri_not_allowed(call, redirect_uri);
    };
    let callback = Callback::new(&redirect_uri, &call.query);
    let now = call.environment.clock.now();
    match AuthorizationRequest::parse(&call.query, &callback, client_id, &state, now) {
        Ok(request) if hosted::impersonation::token(call).is_some() => resume_impersonation(call, request),
        Ok(request) if hosted::invitation::unclaimed_code(call).is_some() => resume_invited(call, request),
        Ok(request) => enter(call, request),
        Err(error) => Ok(Reply::redirect(302, callback.with_error(&error))),
    }
}

/// Lets a browser in as the user whom it impersonates, if it still does.
fn resume_impersonation(call: &Call, request: AuthorizationRequest) -> Result<Reply, ApiError> {
    let token = hosted::impersonation::token(call).unwrap_or_default();
    let url = call
        .environment
        .transact(|tx| match impersonation::resume(tx, token, device(call)) {
            Some(sign_in) => session::reach(tx, &request, sign_in).map(Some),
            None => Ok(None),
        })?;
    let reply = match url {
        Some(url) => Reply::redirect(302, url),
        None => enter(call, request)?,
    };
    Ok(reply.header("Set-Cookie", hosted::impersonation::removal(call)))
}

/// Lets a browser in whose sign-in by an invitation was complete, when the application asks for one of its own instead of
/// taking a code that it did not ask for.
fn resume_invited(call: &Call, request: AuthorizationRequest) -> Result<Reply, ApiError> {
    let code = hosted::invitation::unclaimed_code(call).unwrap_or_default();
    let url = call
        .environment
        .transact(|tx| match authorization_code::reclaim(tx, code) {
            Some(sign_in) => session::reach(tx, &request, sign_in).map(Some),
            None => Ok(None),
        })?;
    let reply = match url {
        Some(url) => Reply::redirect(302, url),
        None => enter(call, request)?,
    };
    Ok(reply.header("Set-Cookie", hosted::invitation::removal(call)))
}

/// Starts a sign-in on the pages, or makes it at once.
pub(crate) fn enter(call: &Call, request: AuthorizationRequest) -> Result<Reply, ApiError> {
    let interactive = call.environment.state().settings().interactive;
    if shows_page(call, &request, interactive) {
        show_page(call, request)
    } else {
        sign_in_at_once(call, &request)
    }
}

/// Whether there is somebody who can use a page.
pub(crate) fn shows_page(call: &Call, request: &AuthorizationRequest, interactive: Interactive) -> bool {
    is_interactive(call, request.login_hint.as_deref(), interactive) || leads_elsewhere(call, request)
}

/// Whether the request names a connection whose identity provider is not the emulator's to answer for.
fn leads_elsewhere(call: &Call, request: &AuthorizationRequest) -> bool {
    let state = call.environment.state();
    let connection = request
        .connection_id
        .as_deref()
        .and_then(|id| state.connections.get(id));
    connection.is_some_and(|connection| sso::identity_provider::provider(connection).is_spoken_to())
}

/// The same for whoever says, or does not say, who is to sign in.
pub(crate) fn is_interactive(call: &Call, login_hint: Option<&str>, interactive: Interactive) -> bool {
    match interactive {
        Interactive::Always => true,
        Interactive::Never => false,
        Interactive::Auto => is_navigation(call) || login_hint.is_none(),
    }
}

/// Whether a browser asks for a document, and not a program for a redirect.
fn is_navigation(call: &Call) -> bool {
    match call.header("sec-fetch-mode") {
        Some(mode) => mode == "navigate",
        None => call
            .header("accept")
            .is_some_and(|accept| accept.contains("text/html")),
    }
}

fn show_page(call: &Call, request: AuthorizationRequest) -> Result<Reply, ApiError> {
    if let Some(wanted) = &request.provider {
        let method = wanted.method;
        let session = call.environment.transact(|tx| {
            let session = session::begin(tx, request)?;
            session::depart(tx, &session, method)
        })?;
        return Ok(hosted::provider::depart_at_once(call, &session));
    }
    if let Some(id) = request.connection_id.clone() {
        let session = call.environment.transact(|tx| {
            let connection = connections::find(tx, &id)?.clone();
            let hint = request.login_hint.clone();
            let session = session::begin(tx, request)?;
            let purpose = Purpose::AuthKit {
                authorization_session_id: session.id.clone(),
            };
            sso::sign_in::begin(tx, &connection, purpose, hint, device(call))
        })?;
        return Ok(hosted::sso::depart(call, &session, 302));
    }
    let session = call.environment.transact(|tx| session::begin(tx, request))?;
    Ok(hosted::visit::first_page(call, &session))
}

/// Signs in without a page: the user of `login_hint`, else the first one, as `@workos/emulate` does.
fn sign_in_at_once(call: &Call, request: &AuthorizationRequest) -> Result<Reply, ApiError> {
    let device = device(call);
    if let Some(wanted) = &request.provider
        && let Some(provider) = providers::by_method(wanted.method)
    {
        let url = call
            .environment
            .transact(|tx| arrive_at_once(tx, request, wanted, provider, device))?;
        return Ok(Reply::redirect(302, url));
    }
    if let Some(id) = &request.connection_id {
        let url = call
            .environment
            .transact(|tx| arrive_by_connection(tx, request, id, device))?;
        return Ok(Reply::redirect(302, url));
    }
    let url = call.environment.transact(|tx| {
        let user = match user_at_once(tx, request) {
            Ok(user) => user,
            Err(error) => return Ok(request.goal.failed(&request.client_id, &error)),
        };
        let way_in = sign_in_methods::usual(tx, &user.id);
        method::succeeded(tx, way_in, &user, &device)?;
        // Who has several organizations and names none, or has a second factor, is asked when the code is redeemed.
        let sign_in = SignIn {
            skips_email_verification: true,
            ..SignIn::new(&user.id, way_in, device)
        };
        let sign_in = sign_in.to(request.organization_id.as_deref());
        let sign_in = SignIn {
            invitation: request.invitation.clone(),
            ..sign_in
        };
        session::reach(tx, request, sign_in)
    })?;
    Ok(Reply::redirect(302, url))
}

/// Comes from a provider without its page: as the user of `login_hint`, or as somebody new who has that address.
fn arrive_at_once(
    tx: &mut Transaction<'_>,
    request: &AuthorizationRequest,
    wanted: &ProviderRequest,
    provider: &Provider,
    device: Device,
) -> Result<String, ApiError> {
    let profile = match user_at_once(tx, request) {
        Ok(user) => Profile::of_user(tx, provider, &user),
        Err(error) => match request.login_hint.as_deref().and_then(users::email::normalized) {
            Some(email) => Profile::of_stranger(provider, &email),
            None => return Ok(request.goal.failed(&request.client_id, &error)),
        },
    };
    let tokens = oauth::tokens(tx, provider.method, provider.scopes(&wanted.scopes));
    let arrival = Arrival {
        profile,
        tokens,
        device,
        invitation: request.invitation.clone(),
    };
    session::reach(tx, request, arrival)
}

/// Comes through a connection without its identity provider's page.
fn arrive_by_connection(
    tx: &mut Transaction<'_>,
    request: &AuthorizationRequest,
    connection_id: &str,
    device: Device,
) -> Result<String, ApiError> {
    let connection = connections::find(tx, connection_id)?.clone();
    let hint = request.login_hint.clone();
    let assertion = sso::authorize::at_once(tx, &connection, hint.as_deref());
    let purpose = Purpose::AuthKit {
        authorization_session_id: String::new(),
    };
    let session = sso::sign_in::begin(tx, &connection, purpose, hint, device)?;
    match sso::sign_in::at_once(tx, &session, assertion)? {
        Exit::AuthKit {
            outcome: Ok(arrival), ..
        } => session::reach(tx, request, *arrival),
        Exit::AuthKit {
            outcome: Err(error), ..
        } => Ok(request.goal.failed(&request.client_id, &error)),
        Exit::Leave(url) => Ok(url),
        Exit::Portal(_) => Err(ApiError::message(500, "The sign-in is not AuthKit's.")),
    }
}

/// The user who is signed in without a page.
pub(crate) fn user_at_once(
    state: &State,
    request: &AuthorizationRequest,
) -> Result<Arc<User>, AuthorizationError> {
    let user = match &request.login_hint {
        Some(email) => users::find_by_email(state, email).ok_or_else(|| {
            AuthorizationError::new("user_not_found", format!("No user has the e-mail {email}."))
        })?,
        None => state
            .users
            .iter()
            .next()
            .ok_or_else(|| AuthorizationError::new("no_users", "The environment has no users."))?,
    };
    if let Some(organization_id) = &request.organization_id {
        check_membership(state, &user.id, organization_id)
            .map_err(|refusal| AuthorizationError::new("access_denied", refusal.description()))?;
    }
    Ok(Arc::clone(user))
}

/// The browser that makes this call. It is remembered with sessions and events, so its name has an end.
pub(crate) fn device(call: &Call) -> Device {
    const MAX_USER_AGENT: usize = 512;
    Device {
        ip_address: call.peer.map(|address| address.to_string()),
        user_agent: call
            .header("user-agent")
            .map(|name| name.get(..MAX_USER_AGENT).unwrap_or(name).to_owned()),
    }
}

#[cfg(test)]
mod tests;
