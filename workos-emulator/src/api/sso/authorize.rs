//! `GET /sso/authorize`: where a sign-in through a connection begins.
//!
//! Source: <https://workos.com/docs/reference/sso/get-authorization-url>.

use std::sync::Arc;

use super::{
    connection_type::Protocol,
    connections::{self, Connection, ConnectionState},
    identity_provider::{self, Assertion, Person},
    profiles,
    sign_in::{self, Exit, Purpose},
};
use crate::{
    api::{
        organizations::BY_DOMAIN,
        user_management::{
            authenticate::oauth,
            authorize::{
                self,
                request::{
                    self, AuthorizationError, AuthorizationRequest, Callback, Goal, ProviderRequest, given,
                },
            },
            providers::{self, Provider},
            rate_limit::{self, Limit},
            redirect_uris, users,
        },
    },
    core::pkce::CodeChallenge,
    hosted,
    server::{
        call::{Call, Query},
        error::ApiError,
        reply::Reply,
    },
    store::{State, Transaction},
};

/// Whom a request sends people to.
#[derive(Debug, Clone)]
enum Selected {
    Connection(Arc<Connection>),
    Provider(&'static Provider),
}

/// `GET /sso/authorize`
///
/// A wrong client or redirect URI is told to the person at the browser, who is sent nowhere; all else to the application. A
/// thousand requests a minute are answered for each connection, as <https://workos.com/docs/reference/rate-limits> says.
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
    let (selected, code_challenge) = match read(&call.query, &state) {
        Ok(read) => read,
        Err(error) => return Ok(Reply::redirect(302, callback.with_error(&error))),
    };
    let subject = match &selected {
        Selected::Connection(connection) => connection.id.as_str(),
        Selected::Provider(provider) => provider.slug,
    };
    call.environment
        .transact(|tx| rate_limit::count(tx, Limit::SsoAuthorize, subject))?;
    let login_hint = given(&call.query, "login_hint").map(str::to_owned);
    match selected {
        Selected::Provider(provider) => {
            let goal = Goal::Profile {
                callback,
                code_challenge,
            };
            let request = AuthorizationRequest {
                provider: Some(ProviderRequest::of(&call.query, provider)),
                login_hint,
                ..AuthorizationRequest::for_goal(client_id, goal)
            };
            authorize::enter(call, request)
        }
        Selected::Connection(connection) => {
            let purpose = Purpose::Profile {
                client_id: client_id.to_owned(),
                callback,
                code_challenge,
            };
            go(call, &connection, purpose, login_hint)
        }
    }
}

/// Sends the browser to the identity provider, or signs in at once where nobody is at one and the stand-in answers.
fn go(
    call: &Call,
    connection: &Connection,
    purpose: Purpose,
    login_hint: Option<String>,
) -> Result<Reply, ApiError> {
    let device = authorize::device(call);
    let interactive = call.environment.state().settings().interactive;
    let spoken_to = identity_provider::provider(connection).is_spoken_to();
    if spoken_to || authorize::is_interactive(call, login_hint.as_deref(), interactive) {
        let session = call
            .environment
            .transact(|tx| sign_in::begin(tx, connection, purpose, login_hint, device))?;
        return Ok(hosted::sso::depart(call, &session, 302));
    }
    let exit = call.environment.transact(|tx| {
        let assertion = at_once(tx, connection, login_hint.as_deref());
        let session = sign_in::begin(tx, connection, purpose, login_hint, device)?;
        sign_in::at_once(tx, &session, assertion)
    })?;
    match exit {
        Exit::Leave(url) => Ok(Reply::redirect(302, url)),
        Exit::AuthKit { .. } | Exit::Portal(_) => {
            Err(ApiError::message(500, "The sign-in is not of sso/authorize."))
        }
    }
}

/// What the stand-in says when nobody is there to choose: the person with the hinted address, else the first one that it
/// knows, else somebody with an address at the organization's domain.
pub(crate) fn at_once(state: &State, connection: &Connection, login_hint: Option<&str>) -> Assertion {
    let hinted = login_hint.and_then(users::email::normalized);
    let known = match &hinted {
        Some(email) => profiles::by_email(state, &connection.id, email),
        None => profiles::of_connection(state, &connection.id).next(),
    };
    if let Some(profile) = known {
        return identity_provider::assertion(connection, &profile.person(), &profile.raw_attributes, None);
    }
    let email = hinted.unwrap_or_else(|| {
        let organization = connection.organization_id.as_deref();
        let organization = organization.and_then(|id| state.organizations.get(id));
        let domain = organization.and_then(|organization| organization.domains.first());
        format!(
            "somebody@{}",
            domain.map_or("example.com", |domain| &domain.domain)
        )
    });
    // The user's name, where there is one: an identity provider knows its people.
    let user = users::find_by_email(state, &email);
    let person = Person {
        idp_id: profiles::usual_idp_id(connection, &email),
        first_name: user.and_then(|user| user.first_name.clone()),
        last_name: user.and_then(|user| user.last_name.clone()),
        email,
        ..Person::default()
    };
    identity_provider::assertion(connection, &person, &serde_json::Map::new(), None)
}

fn read(query: &Query, state: &State) -> Result<(Selected, Option<CodeChallenge>), AuthorizationError> {
    request::check_response_type(query)?;
    let selected = select(query, state)?;
    Ok((selected, request::code_challenge(query)?))
}

/// Exactly one of `connection`, `organization`, `provider` and `domain` says where to.
///
/// Source of the codes: <https://workos.com/docs/reference/sso/get-authorization-url/error-codes>.
fn select(query: &Query, state: &State) -> Result<Selected, AuthorizationError> {
    let selectors = ["connection", "organization", "provider", "domain"];
    let given: Vec<_> = selectors
        .into_iter()
        .filter_map(|name| Some((name, given(query, name)?)))
        .collect();
    match given[..] {
        [("connection", id)] => by_id(state, id).map(Selected::Connection),
        [("organization", id)] => of_organization(state, id).map(Selected::Connection),
        [("provider", slug)] => of_provider(state, slug).map(Selected::Provider),
        [("domain", domain)] => of_domain(state, domain).map(Selected::Connection),
        [] => Err(AuthorizationError::new(
            "invalid_connection_selector",
            "A valid connection selector query parameter must be provided in order to correctly determine the proper \
             connection to return an authorization URL for. Valid connection selectors are either connection, \
             organization, or provider.",
        )),
        _ => Err(AuthorizationError::new(
            "ambiguous_connection_selector",
            "A connection could not be uniquely identified using the provided connection selector: send only one.",
        )),
    }
}

/// The connection with this id, if people can sign in through it.
pub(crate) fn by_id(state: &State, id: &str) -> Result<Arc<Connection>, AuthorizationError> {
    let connection = state.connections.get(id).ok_or_else(|| {
        AuthorizationError::new(
            "connection_invalid",
            format!("There is no connection for the provided ID: '{id}'."),
        )
    })?;
    // Social login has pages of its own.
    if connection.r#type().protocol == Protocol::OAuth {
        return Err(AuthorizationError::new(
            "connection_invalid",
            format!(
                "Send provider={} instead of the connection.",
                connection.connection_type
            ),
        ));
    }
    if connection.state.is_linked() {
        Ok(Arc::clone(connection))
    } else {
        Err(sign_in::unlinked())
    }
}

/// The one connection of an organization.
pub(crate) fn of_organization(state: &State, id: &str) -> Result<Arc<Connection>, AuthorizationError> {
    let invalid = |description: String| AuthorizationError::new("organization_invalid", description);
    if state.organizations.get(id).is_none() {
        return Err(invalid(format!(
            "There is no organization matching the provided ID: '{id}'."
        )));
    }
    let all: Vec<_> = connections::of_organization(state, id).collect();
    let linked = |state: &ConnectionState| state.is_linked();
    let mut usable = all.iter().filter(|connection| linked(&connection.state));
    match (usable.next(), usable.next(), all.is_empty()) {
        (Some(connection), None, _) => Ok(Arc::clone(connection)),
        (Some(_), Some(_), _) => Err(AuthorizationError::new(
            "ambiguous_connection_selector",
            "A connection could not be uniquely identified: the organization has several. Use the connection parameter.",
        )),
        (None, _, true) => Err(invalid("No connection associated with organization".to_owned())),
        (None, _, false) => Err(sign_in::unlinked()),
    }
}

fn of_provider(state: &State, slug: &str) -> Result<&'static Provider, AuthorizationError> {
    let Some(provider) = providers::by_slug(slug) else {
        return Err(AuthorizationError::new(
            "invalid_connection_selector",
            format!("WorkOS has no provider {slug}: send provider=GoogleOAuth or the like."),
        ));
    };
    let mut connections = connections::of_environment(state, provider.slug);
    match (connections.next(), connections.next()) {
        (Some(_), Some(_)) => Err(AuthorizationError::new(
            "connection_strategy_invalid",
            "The provider has multiple strategies associated per environment.",
        )),
        (Some(connection), None) if !connection.state.is_linked() => Err(sign_in::unlinked()),
        _ => Ok(provider),
    }
}

/// The deprecated selector.
fn of_domain(state: &State, domain: &str) -> Result<Arc<Connection>, AuthorizationError> {
    if !state.settings().sso_domain_selector {
        return Err(AuthorizationError::new(
            "domain_connection_selector_not_allowed",
            "The domain query parameter is no longer valid for this endpoint. Use organization or connection instead.",
        ));
    }
    let organizations = state.organizations.group(BY_DOMAIN, &domain.to_lowercase());
    let all: Vec<_> = organizations
        .flat_map(|organization| connections::of_organization(state, &organization.id))
        .collect();
    let mut usable = all.iter().filter(|connection| connection.state.is_linked());
    match (usable.next(), usable.next(), all.is_empty()) {
        (Some(connection), None, _) => Ok(Arc::clone(connection)),
        (Some(_), Some(_), _) => Err(AuthorizationError::new(
            "ambiguous_connection_selector",
            "A connection could not be uniquely identified: the domain has several. Use the connection parameter.",
        )),
        (None, _, true) => Err(AuthorizationError::new(
            "connection_domain_invalid",
            format!("There is no connection for the provided domain: '{domain}'."),
        )),
        (None, _, false) => Err(sign_in::unlinked()),
    }
}

/// Somebody came from a provider of social login, for an application that wants their profile.
///
/// Assumption: the environment has a connection to each provider as soon as somebody comes through it.
pub(crate) fn reach(
    tx: &mut Transaction<'_>,
    client_id: &str,
    callback: &Callback,
    code_challenge: Option<CodeChallenge>,
    arrival: oauth::Arrival,
) -> Result<String, ApiError> {
    let Some(provider) = providers::by_method(arrival.profile.account.provider) else {
        return Err(ApiError::message(500, "Nobody comes from there."));
    };
    let connection = connections::of_provider(tx, provider)?;
    let purpose = Purpose::Profile {
        client_id: client_id.to_owned(),
        callback: callback.clone(),
        code_challenge,
    };
    let person = Person {
        idp_id: arrival.profile.account.idp_id,
        email: arrival.profile.account.email,
        first_name: arrival.profile.first_name,
        last_name: arrival.profile.last_name,
        ..Person::default()
    };
    let session = sign_in::begin(tx, &connection, purpose, None, arrival.device)?;
    let assertion = identity_provider::assertion(&connection, &person, &serde_json::Map::new(), None);
    let exit = match sign_in::answer(tx, &session, Ok(assertion))? {
        Ok(profile) => sign_in::succeed_with(tx, &session, &profile, arrival.tokens)?,
        Err(error) => sign_in::fail(tx, &session, error)?,
    };
    match exit {
        Exit::Leave(url) => Ok(url),
        Exit::AuthKit { .. } | Exit::Portal(_) => {
            Err(ApiError::message(500, "The sign-in is not of sso/authorize."))
        }
    }
}
