//! `/_emulate/connections`: what an administrator does in the dashboard or the portal, and whom the identity provider knows.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    api::sso::{
        connection_type::{self, Protocol},
        connections::{
            self, AttributeMaps, Connection, ConnectionBody, ConnectionChanges, ConnectionState, GroupRole,
            NewConnection, NewOidc,
        },
        identity_provider::{self, Person},
        oidc,
        profiles::{self, Profile, ProfileBody},
        saml,
    },
    server::{call::Call, error::ApiError, reply::Reply},
    store::{State, Transaction},
};

/// Somebody whom the identity provider of a connection knows.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewProfile {
    pub(crate) email: String,
    #[serde(default)]
    pub(crate) first_name: Option<String>,
    #[serde(default)]
    pub(crate) last_name: Option<String>,
    /// Follows from the address unless given.
    #[serde(default)]
    pub(crate) idp_id: Option<String>,
    #[serde(default)]
    pub(crate) groups: Vec<String>,
    #[serde(default)]
    pub(crate) custom_attributes: Map<String, Value>,
    /// Beside those of the other fields.
    #[serde(default)]
    pub(crate) raw_attributes: Map<String, Value>,
}

/// `POST /_emulate/connections`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateConnection {
    organization_id: Option<String>,
    name: Option<String>,
    connection_type: Option<String>,
    external_key: Option<String>,
    /// What speaks to a real OpenID provider, instead of the stand-in.
    oidc_options: Option<NewOidc>,
    /// Whoever calls this vouches for them.
    #[serde(default)]
    domains: Vec<String>,
    state: Option<ConnectionState>,
    #[serde(default)]
    profiles: Vec<NewProfile>,
    #[serde(default)]
    group_roles: Vec<GroupRole>,
    #[serde(default)]
    attribute_maps: AttributeMaps,
    idp_initiated_sso: Option<bool>,
}

/// What `@workos/emulate` makes of a connection of no kind, unless it has an OpenID provider.
pub(crate) fn usual_type(has_oidc: bool) -> String {
    if has_oidc { "GenericOIDC" } else { "GenericSAML" }.to_owned()
}

/// `PATCH /_emulate/connections/{id}`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct UpdateConnection {
    name: Option<String>,
    connection_type: Option<String>,
    state: Option<ConnectionState>,
    domains: Vec<String>,
    group_roles: Option<Vec<GroupRole>>,
    attribute_maps: Option<AttributeMaps>,
    idp_initiated_sso: Option<bool>,
}

/// A connection, and what the API does not show of it.
#[derive(Debug, Serialize)]
struct Body<'a> {
    #[serde(flatten)]
    connection: ConnectionBody<'a>,
    external_key: &'a str,
    /// What an OpenID provider has to know.
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect_uri: Option<String>,
    /// SAML connections alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    saml: Option<SamlBody>,
    idp_initiated_sso: bool,
    group_roles: &'a [GroupRole],
    attribute_maps: &'a AttributeMaps,
    /// The stand-in's page where people begin at the identity provider.
    idp_url: String,
    profiles: Vec<ProfileBody<'a>>,
}

/// What the two sides of a SAML connection have to know of each other.
#[derive(Debug, Serialize)]
struct SamlBody {
    sp_entity_id: String,
    acs_url: String,
    sp_metadata_url: String,
    /// The test identity provider's, as long as the connection names no other.
    test_idp_metadata_url: String,
}

impl SamlBody {
    fn of(call: &Call, connection: &Connection) -> Self {
        let base_url = call.base_url();
        let saml::ServiceProvider { entity_id, acs_url } = saml::ServiceProvider::of(connection, &base_url);
        Self {
            sp_entity_id: entity_id,
            acs_url,
            sp_metadata_url: format!("{base_url}/sso/saml/metadata/{}", connection.external_key),
            test_idp_metadata_url: format!("{base_url}/idp/{}/metadata", connection.id),
        }
    }
}

/// How many profiles are shown with a connection.
const SHOWN: usize = 100;

fn body<'a>(call: &Call, state: &'a State, connection: &'a Connection) -> Result<Body<'a>, ApiError> {
    let shown = profiles::of_connection(state, &connection.id).take(SHOWN);
    let client_id = &call.environment.client_id;
    Ok(Body {
        connection: connection.body(state),
        external_key: &connection.external_key,
        redirect_uri: (connection.r#type().protocol == Protocol::Oidc)
            .then(|| oidc::redirect_uri(&call.base_url(), connection)),
        saml: saml::is_spoken(connection).then(|| SamlBody::of(call, connection)),
        idp_initiated_sso: connection.idp_initiated_sso,
        group_roles: &connection.group_roles,
        attribute_maps: &connection.attribute_maps,
        idp_url: format!("{}/idp/{}?client_id={client_id}", call.base_url(), connection.id),
        profiles: shown
            .map(|profile| profile.body(state))
            .collect::<Result<_, _>>()?,
    })
}

/// Lets the identity provider of a connection know somebody.
pub(crate) fn add_profile(
    tx: &mut Transaction<'_>,
    connection: &Connection,
    new: NewProfile,
) -> Result<Arc<Profile>, ApiError> {
    let person = Person {
        idp_id: new
            .idp_id
            .unwrap_or_else(|| profiles::usual_idp_id(connection, &new.email)),
        email: new.email,
        first_name: new.first_name,
        last_name: new.last_name,
        name: None,
        groups: new.groups,
        custom_attributes: new.custom_attributes,
    };
    if profiles::by_idp_id(tx, &connection.id, &person.idp_id).is_some() {
        let message = format!(
            "The identity provider knows somebody by '{}' already.",
            person.idp_id
        );
        return Err(ApiError::conflict("profile_already_exists", message));
    }
    let raw = identity_provider::assertion(connection, &person, &new.raw_attributes, None).attributes;
    profiles::record(tx, connection, person, raw)
}

/// `POST /_emulate/connections`
pub(super) fn create_connection(call: &Call) -> Result<Reply, ApiError> {
    let request: CreateConnection = call.body()?;
    let connection_type = request
        .connection_type
        .unwrap_or_else(|| usual_type(request.oidc_options.is_some()));
    let connection = call.environment.transact(|tx| {
        let new = NewConnection {
            name: request.name,
            state: request.state.unwrap_or(ConnectionState::Active),
            domains: request.domains,
            group_roles: request.group_roles,
            attribute_maps: request.attribute_maps,
            external_key: request.external_key,
            idp_initiated_sso: request.idp_initiated_sso.unwrap_or(true),
            ..NewConnection::active(request.organization_id, &connection_type)
        };
        let connection = connections::create(tx, new.with_oidc(request.oidc_options)?)?;
        for profile in request.profiles {
            add_profile(tx, &connection, profile)?;
        }
        Ok::<_, ApiError>(connection)
    })?;
    let state = call.environment.state();
    Reply::created(&body(call, &state, &connection)?)
}

/// `PATCH /_emulate/connections/{id}`
pub(super) fn update_connection(call: &Call) -> Result<Reply, ApiError> {
    let request: UpdateConnection = call.body()?;
    let connection = call.environment.transact(|tx| {
        let changes = ConnectionChanges {
            name: request.name,
            connection_type: request.connection_type,
            state: request.state,
            domains: request.domains,
            group_roles: request.group_roles,
            attribute_maps: request.attribute_maps,
            idp_initiated_sso: request.idp_initiated_sso,
            ..ConnectionChanges::default()
        };
        connections::update(tx, call.param("id"), changes)
    })?;
    let state = call.environment.state();
    Reply::ok(&body(call, &state, &connection)?)
}

/// `POST /_emulate/connections/{id}/profiles`
pub(super) fn create_profile(call: &Call) -> Result<Reply, ApiError> {
    let new: NewProfile = call.body()?;
    let profile = call.environment.transact(|tx| {
        let connection = Arc::clone(connections::find(tx, call.param("id"))?);
        if connection.connection_type == connection_type::PENDING {
            let message = "The connection has no type yet, so it has no identity provider.";
            return Err(ApiError::bad_request("connection_pending", message));
        }
        add_profile(tx, &connection, new)
    })?;
    let state = call.environment.state();
    Reply::created(&profile.body(&state)?)
}
