//! SAML in the browser: off to the identity provider with a request, and back with a response.
//!
//! The response comes by a form of the identity provider's page ([`consume_saml_response`]). From there the browser is sent
//! on to [`finish_saml`], to which it brings the cookie of its sign-in: browsers leave it away where another site posts.

use url::form_urlencoded;

use super::{callback::finish_unsolicited, consent::SESSION, find, finish};
use crate::{
    api::sso::{
        certificates, connections,
        connections::Connection,
        identity_provider::Refusal,
        saml::{
            self, IdentityProvider, ServiceProvider, TrustedKeys,
            answer::{self, SamlAnswer},
            metadata,
            request::{self, NewRequest},
            response::{self, Expected},
        },
        sign_in::{Purpose, SsoSession, Stage},
        traces::{self, StepName},
    },
    api::user_management::authorize::session::AuthorizationSession,
    core::secret::Secret,
    hosted::{error, identity_provider},
    server::{call::Call, error::ApiError, operation::Answer, reply::Reply},
    store::State,
};

/// Where the browser fetches the answer.
pub(in crate::hosted) const FINISH: &str = "/sso/saml/finish";

/// Where a request is made, for the browser to take it to the identity provider.
pub(super) fn start_url(call: &Call, session: &SsoSession) -> String {
    let state = call.environment.state();
    let connection = state.connections.get(&session.connection_id);
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", &call.environment.client_id)
        .append_pair(SESSION, &session.id)
        .finish();
    let external_key = connection.map_or("", |connection| &connection.external_key);
    format!("{}/sso/saml/{external_key}/start?{query}", call.base_url())
}

/// `GET /sso/saml/{external_key}/start`: on to the identity provider.
pub(in crate::hosted) fn start_saml(call: Call) -> Answer {
    Box::pin(async move { start(&call).await })
}

async fn start(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let session = find(call, call.query.get(SESSION).unwrap_or_default());
    let connection = of_key(call, &state);
    let (Some(session), Some(connection)) = (session, connection) else {
        return error::sign_in_not_found(call);
    };
    if session.connection_id != connection.id || session.stage != Stage::Away {
        return error::sign_in_not_found(call);
    }
    let sso_url = match IdentityProvider::of(connection) {
        IdentityProvider::Test => identity_provider::sso_url(call, &connection.id),
        IdentityProvider::Foreign { sso_url, .. } => sso_url,
        IdentityProvider::Unread { metadata_url } => {
            match metadata::import(&call.environment, &connection.id, &metadata_url).await {
                Ok(read) => read.sso_url,
                Err(reason) => {
                    return finish(call, &session, |tx| {
                        traces::step(tx, &session.id, StepName::Departure, false, &reason)
                            .map_err(|error| Refusal::Failed(error.to_string()))?;
                        Err(Refusal::Failed(reason))
                    });
                }
            }
        }
    };
    let url = request(call, &session, connection, &sso_url)?;
    Ok(Reply::redirect(302, url).header("Cache-Control", "no-store"))
}

/// The request of a sign-in, on its way to this address. The trace tells of it.
fn request(
    call: &Call,
    session: &SsoSession,
    connection: &Connection,
    sso_url: &str,
) -> Result<String, ApiError> {
    let state = call.environment.state();
    let provider = ServiceProvider::of(connection, &call.base_url());
    let id = request::id(&session.id, &session.state);
    let new = NewRequest {
        id: &id,
        issue_instant: NewRequest::instant(call.environment.clock.now()),
        sso_url,
        acs_url: &provider.acs_url,
        issuer: &provider.entity_id,
        force_authn: reauthenticates(&state, session),
    };
    let key = certificates::of_requests(&state, &connection.id);
    let key = key.and_then(|certificate| certificate.private_key.as_ref());
    let url = new.redirect_url(session.state.expose(), key)?;
    let signed = if key.is_some() { "signed" } else { "unsigned" };
    let again = if new.force_authn { ", ForceAuthn" } else { "" };
    let detail = format!("AuthnRequest {id} by HTTP-Redirect, {signed}{again}, to {sso_url}.");
    call.environment
        .transact(|tx| traces::step(tx, &session.id, StepName::Departure, true, detail))?;
    Ok(url)
}

/// Whether the application wants the person to authenticate now.
fn reauthenticates(state: &State, session: &SsoSession) -> bool {
    let asks = |session: &AuthorizationSession| session.request.max_age.is_some();
    match &session.purpose {
        Purpose::AuthKit {
            authorization_session_id,
        } => state
            .authorization_sessions
            .get(authorization_session_id)
            .is_some_and(|session| asks(session)),
        Purpose::Profile { .. } | Purpose::Unsolicited { .. } | Purpose::Test { .. } => false,
    }
}

/// `GET /sso/saml/metadata/{external_key}`: what the identity provider of a connection has to know of WorkOS.
///
/// Assumption: where production has it is not documented.
pub(in crate::hosted) fn show_sp_metadata(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let Some(connection) = of_key(call, &state) else {
        return error::saml_connection_not_found(call);
    };
    let signing = certificates::of_requests(&state, &connection.id).into_iter();
    let encryption = certificates::of_encryption(&state, &connection.id);
    let metadata = metadata::of_service_provider(
        &ServiceProvider::of(connection, &call.base_url()),
        signing.map(|certificate| certificate.value.as_str()),
        encryption.map(|certificate| certificate.value.as_str()),
    )?;
    Ok(Reply::xml("application/samlmetadata+xml", metadata))
}

fn of_key<'a>(call: &Call, state: &'a State) -> Option<&'a Connection> {
    let connection = connections::by_external_key(state, call.param("external_key"))?;
    saml::is_spoken(connection).then_some(connection)
}

/// `POST /sso/saml/acs/{external_key}`: the assertion consumer service, by the HTTP POST binding (SAML bindings, section 3.5).
pub(in crate::hosted) fn consume_saml_response(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let Some(connection) = of_key(call, &state) else {
        return error::saml_connection_not_found(call);
    };
    let field = |name: &str| call.raw_body().get(name).and_then(serde_json::Value::as_str);
    let now = call.environment.clock.now();
    let expected = Expected {
        service_provider: ServiceProvider::of(connection, &call.base_url()),
        idp_entity_id: match IdentityProvider::of(connection) {
            IdentityProvider::Test => Some(identity_provider::entity_id(call, &connection.id)),
            IdentityProvider::Foreign { entity_id, .. } => entity_id,
            IdentityProvider::Unread { .. } => None,
        },
        trusted: TrustedKeys::of(&state, connection, now),
        decryption_keys: saml::decryption_keys(&state, connection),
        now,
    };
    let checked = response::check(field("SAMLResponse").unwrap_or_default(), &expected);
    let relay_state = field("RelayState").map(str::to_owned);
    let code = call
        .environment
        .transact(|tx| answer::keep(tx, connection, checked, relay_state))?;
    let Some(code) = code else {
        return error::sign_in_not_found(call);
    };
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", &call.environment.client_id)
        .append_pair("answer", code.expose())
        .finish();
    Ok(
        Reply::redirect(303, format!("{}{FINISH}?{query}", call.base_url()))
            .header("Cache-Control", "no-store"),
    )
}

/// `GET /sso/saml/finish`: the browser that has the sign-in fetches the answer.
pub(in crate::hosted) fn finish_saml(call: &Call) -> Result<Reply, ApiError> {
    let code = call.query.get("answer").unwrap_or_default();
    let state = call.environment.state();
    let Some(present) = state.saml_answers.get(&Secret::digest(code)) else {
        return error::sign_in_not_found(call);
    };
    let connection_id = present.connection_id.as_str();
    let Some(session_id) = &present.session_id else {
        return finish_unsolicited(
            call,
            connection_id,
            |tx| {
                let answer = answer::fetch(tx, code)?;
                let relay_state = answer.relay_state.clone();
                Some((answer, relay_state))
            },
            |tx, session, answer: SamlAnswer| answer.traced(tx, &session.id),
        );
    };
    let session = find(call, session_id)
        .filter(|session| session.connection_id == connection_id && session.stage == Stage::Away);
    match session {
        Some(session) => finish(call, &session, |tx| match answer::fetch(tx, code) {
            Some(answer) => answer.traced(tx, &session.id),
            None => Err(Refusal::Untrusted("its time to be fetched is over.".to_owned())),
        }),
        None => {
            call.environment.transact(|tx| {
                let is_open = tx.sso_sessions.get(session_id).is_some();
                if answer::fetch(tx, code).is_none() || !is_open {
                    return Ok(());
                }
                let detail = "The response came to another browser than the one that asked.";
                traces::step(tx, session_id, StepName::Correlation, false, detail)
            })?;
            error::sign_in_not_found(call)
        }
    }
}
