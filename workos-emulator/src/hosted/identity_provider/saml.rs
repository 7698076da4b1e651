//! The test identity provider as SAML knows it: requests that come, and responses that the browser takes along, by a form
//! that sends itself.
//!
//! It answers WorkOS, and any other service provider whose assertion consumer service is at one of the environment's redirect
//! URIs: a test can check it with a SAML library of its own.

use std::sync::{Arc, LazyLock};

use super::Asked;
use crate::{
    api::{
        sso::{
            certificates,
            connections::Connection,
            saml::{
                self, IdentityProvider, ServiceProvider, metadata,
                request::{self, AuthnRequest, Parameters},
                test_idp::{self, Recipient, Said, TestIdp},
            },
            sign_in::SsoSession,
        },
        user_management::redirect_uris,
    },
    hosted::{
        chrome, error, page_with_script,
        pages::{Form, sso::SamlPostPage},
        style,
    },
    server::{call::Call, error::ApiError, reply::Reply},
    store::{Expiring, State},
};

/// The script of [`SamlPostPage`], to be served at [`SCRIPT_PATH`].
pub(in crate::hosted) const SCRIPT: &str = include_str!("post.js");
pub(in crate::hosted) static SCRIPT_PATH: LazyLock<String> =
    LazyLock::new(|| style::versioned("post", SCRIPT, "js"));

/// The name of the test identity provider of a connection, and its address.
pub(in crate::hosted) fn entity_id(call: &Call, connection_id: &str) -> String {
    format!("{}{}", call.base_url(), super::path(connection_id))
}

/// Where WorkOS's own requests go.
pub(in crate::hosted) fn sso_url(call: &Call, connection_id: &str) -> String {
    let client_id = &call.environment.client_id;
    format!("{}?client_id={client_id}", entity_id(call, connection_id))
}

/// A request as it came: by either binding, or by the page's own form.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Came {
    request: String,
    relay_state: String,
    algorithm: String,
    signature: String,
}

const FIELDS: [&str; 4] = ["SAMLRequest", "RelayState", "SigAlg", "Signature"];

impl Came {
    /// None: there is no request.
    pub(super) fn of<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        let [request, relay_state, algorithm, signature] =
            FIELDS.map(|name| get(name).unwrap_or_default().to_owned());
        (!request.is_empty()).then_some(Self {
            request,
            relay_state,
            algorithm,
            signature,
        })
    }

    /// What the page's forms take along.
    pub(super) fn hidden(&self) -> Vec<(&'static str, &str)> {
        let values = [&self.request, &self.relay_state, &self.algorithm, &self.signature];
        let fields = FIELDS.into_iter().zip(values.map(String::as_str));
        fields.filter(|(_, value)| !value.is_empty()).collect()
    }
}

/// Who asks, by SAML.
#[derive(Debug)]
pub(super) struct SamlAsked {
    /// None: nobody does.
    pub(super) came: Option<Came>,
    recipient: Recipient,
}

/// Whether the connection's provider is the test identity provider, as SAML knows it.
pub(super) fn speaks_for(connection: &Connection) -> bool {
    saml::is_spoken(connection) && IdentityProvider::of(connection) == IdentityProvider::Test
}

/// Who asks, and by which sign-in; or why the request is not answered.
pub(super) fn asked(
    call: &Call,
    state: &State,
    connection: &Connection,
    came: Option<Came>,
) -> Result<(SamlAsked, Option<Arc<SsoSession>>), String> {
    let provider = ServiceProvider::of(connection, &call.base_url());
    let Some(came) = came else {
        let recipient = Recipient {
            acs_url: provider.acs_url,
            audience: provider.entity_id,
            in_response_to: None,
        };
        return Ok((SamlAsked { came, recipient }, None));
    };
    let request = request::read(&came.request).map_err(|error| error.to_string())?;
    let session = if request.issuer == provider.entity_id {
        check_own(state, connection, &provider, &came, &request)?;
        Some(session_of(call, state, connection, &request).ok_or("the sign-in that it is of is over")?)
    } else {
        None
    };
    let acs_url = match &session {
        Some(_) => provider.acs_url,
        None => foreign_acs_url(state, &request)?,
    };
    let recipient = Recipient {
        acs_url,
        audience: request.issuer,
        in_response_to: Some(request.id),
    };
    Ok((
        SamlAsked {
            came: Some(came),
            recipient,
        },
        session,
    ))
}

/// WorkOS's own requests are for its own assertion consumer service, and signed where it has a key to sign with.
fn check_own(
    state: &State,
    connection: &Connection,
    provider: &ServiceProvider,
    came: &Came,
    request: &AuthnRequest,
) -> Result<(), String> {
    if let Some(acs_url) = request.acs_url.as_ref().filter(|url| **url != provider.acs_url) {
        let own = &provider.acs_url;
        return Err(format!(
            "it wants the answer at {acs_url}, but the service provider takes answers at {own}"
        ));
    }
    let parameters = Parameters {
        request: came.request.clone(),
        relay_state: came.relay_state.clone(),
    };
    match certificates::of_requests(state, &connection.id) {
        Some(certificate)
            if !parameters.is_signed_by(&certificate.value, &came.algorithm, &came.signature) =>
        {
            Err("it is not signed with the key of the service provider".to_owned())
        }
        _ => Ok(()),
    }
}

fn session_of(
    call: &Call,
    state: &State,
    connection: &Connection,
    request: &AuthnRequest,
) -> Option<Arc<SsoSession>> {
    let session = state.sso_sessions.get(request::session_id_in(&request.id)?)?;
    let fits = request::id(&session.id, &session.state) == request.id
        && session.connection_id == connection.id
        && session.expires_at() > call.environment.clock.now();
    fits.then(|| Arc::clone(session))
}

fn foreign_acs_url(state: &State, request: &AuthnRequest) -> Result<String, String> {
    let issuer = &request.issuer;
    let Some(wanted) = &request.acs_url else {
        return Err(format!(
            "{issuer} does not say where it takes the answer: AssertionConsumerServiceURL is missing"
        ));
    };
    let is_allowed = redirect_uris::allowed(state, wanted).is_some();
    is_allowed.then(|| wanted.clone()).ok_or_else(|| {
        format!(
            "the assertion consumer service of {issuer}, {wanted}, is none of the environment's redirect URIs"
        )
    })
}

/// `GET /idp/{connection_id}/metadata`
pub(in crate::hosted) fn show_idp_metadata(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let connection = state.connections.get(call.param("connection_id"));
    let Some(connection) = connection.filter(|connection| speaks_for(connection)) else {
        return error::identity_provider_not_asked(call);
    };
    let idp = TestIdp::of(&call.environment, &connection.id)?;
    let wants_signed_requests = certificates::of_requests(&state, &connection.id).is_some();
    let metadata = metadata::of_test_idp(
        &entity_id(call, &connection.id),
        &idp.certificate,
        wants_signed_requests,
    )?;
    Ok(Reply::xml("application/samlmetadata+xml", metadata))
}

/// Sends the browser to the service provider, with what is said.
pub(super) fn respond(
    call: &Call,
    asked: &Asked,
    saml: &SamlAsked,
    said: impl FnOnce(String) -> Said<'static>,
    typed_relay_state: &str,
) -> Result<Reply, ApiError> {
    let environment = &call.environment;
    let connection = &asked.connection;
    let idp = TestIdp::of(environment, &connection.id)?;
    let (id, assertion_id) = environment.transact(|tx| {
        let mut id = || format!("_{}", tx.token(32));
        Ok::<_, ApiError>((id(), id()))
    })?;
    let said = said(assertion_id);
    let response = test_idp::response(
        &idp,
        &entity_id(call, &connection.id),
        &saml.recipient,
        &said,
        &id,
        environment.clock.now(),
    )?;
    let response = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, response);
    let relay_state = match &saml.came {
        Some(came) => came.relay_state.as_str(),
        None => typed_relay_state,
    };
    let is_ours = saml.came.is_none() || asked.session.is_some();
    let mut hidden = vec![("SAMLResponse", response.as_str())];
    if !relay_state.is_empty() {
        hidden.push(("RelayState", relay_state));
    }
    if is_ours {
        // Forks of an environment have the same connections.
        hidden.push(("client_id", &environment.client_id));
    }
    page_with_script(
        200,
        &SamlPostPage {
            chrome: chrome(environment),
            provider: connection.r#type().name,
            service_provider: if is_ours {
                None
            } else {
                Some(&saml.recipient.audience)
            },
            form: Form {
                action: &saml.recipient.acs_url,
                hidden: &hidden,
            },
            script_path: &SCRIPT_PATH,
        },
    )
}
