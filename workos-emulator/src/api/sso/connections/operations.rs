//! The operations on connections.
//!
//! Sources: `Connection` in WorkOS's OpenAPI document; for creating and changing, which that does not have yet, the models
//! of the official `workos` crate, 3.5.0.

use std::sync::Arc;

use serde::Deserialize;

use super::{
    AttributeMaps, BY_ORGANIZATION, BY_TYPE, Connection, ConnectionChanges, ConnectionState, NewConnection,
    ProtocolOptions, find,
    options::{NewOidc, NewSaml, OidcChanges, SamlChanges},
    rules,
};
use crate::{
    api::{
        organizations::BY_DOMAIN,
        sso::{
            certificates::{self, Issued},
            connection_type::{self, Protocol},
        },
    },
    server::{body::Patch, call::Call, error::ApiError, reply::Reply},
    store::{List, Select},
};

/// `POST /connections`
#[derive(Debug, Deserialize)]
struct CreateConnection {
    organization_id: String,
    name: Option<String>,
    external_id: Option<String>,
    connection_type: Option<String>,
    attribute_maps: Option<AttributeMaps>,
    saml_options: Option<NewSaml>,
    oidc_options: Option<NewOidc>,
}

/// `PATCH /connections/{id}`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct UpdateConnection {
    name: Option<String>,
    external_id: Patch<String>,
    connection_type: Option<String>,
    attribute_maps: Option<MapChanges>,
    saml_options: Option<SamlChanges>,
    oidc_options: Option<OidcChanges>,
}

/// What is left out stays; null goes back to the usual name.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MapChanges {
    standard_attributes: StandardChanges,
    custom_attributes: std::collections::BTreeMap<String, Option<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StandardChanges {
    idp_id: Patch<String>,
    email: Patch<String>,
    first_name: Patch<String>,
    last_name: Patch<String>,
    groups: Patch<String>,
    name: Patch<String>,
}

impl MapChanges {
    fn applied_to(self, maps: &AttributeMaps) -> AttributeMaps {
        let mut maps = maps.clone();
        let standard = &mut maps.standard_attributes;
        let changes = self.standard_attributes;
        changes.idp_id.apply_to(&mut standard.idp_id);
        changes.email.apply_to(&mut standard.email);
        changes.first_name.apply_to(&mut standard.first_name);
        changes.last_name.apply_to(&mut standard.last_name);
        changes.groups.apply_to(&mut standard.groups);
        changes.name.apply_to(&mut standard.name);
        for (name, theirs) in self.custom_attributes {
            match theirs {
                Some(theirs) => drop(maps.custom_attributes.insert(name, theirs)),
                None => drop(maps.custom_attributes.remove(&name)),
            }
        }
        maps
    }
}

/// `GET /connections`. `search` is a part of the name, in any case; what does not match is passed over.
pub(crate) fn list_connections(call: &Call) -> Result<Reply, ApiError> {
    let given = |name| call.query.get(name).filter(|value| !value.is_empty());
    let state = call.environment.state();
    let kind = given("connection_type").map(|slug| {
        connection_type::by_slug(slug).ok_or_else(|| {
            let message =
                format!("'{slug}' is no connection type; they are called OktaSAML, GenericOIDC, ….");
            ApiError::invalid_field("connection_type", "invalid_enum_value", message)
        })
    });
    let kind = kind.transpose()?.map(|kind| kind.slug);
    let organization_id = given("organization_id").map(str::to_owned);
    let of_domain: Option<Vec<String>> = given("domain").map(|domain| {
        let organizations = state.organizations.group(BY_DOMAIN, &domain.to_lowercase());
        organizations
            .map(|organization| organization.id.clone())
            .collect()
    });
    let search = given("search").map(str::to_lowercase);
    // The narrowest index first; the filter does the rest.
    let select = match (&organization_id, &of_domain, kind) {
        (Some(id), _, _) => Select::group(BY_ORGANIZATION, id),
        (None, Some(ids), _) => Select::groups(BY_ORGANIZATION, ids.iter().map(String::as_str)),
        (None, None, Some(kind)) => Select::group(BY_TYPE, kind),
        (None, None, None) => Select::all(),
    };
    let select = select.filter(move |connection: &Connection| {
        let is_of = |ids: &Vec<String>| {
            connection
                .organization_id
                .as_ref()
                .is_some_and(|id| ids.contains(id))
        };
        kind.is_none_or(|kind| connection.connection_type == kind)
            && of_domain.as_ref().is_none_or(is_of)
            && search
                .as_ref()
                .is_none_or(|search| connection.name.to_lowercase().contains(search))
    });
    let page = select.page(&state.connections, &call.page()?)?;
    Reply::ok(&List {
        data: page
            .data
            .iter()
            .map(|connection| connection.body(&state))
            .collect(),
        before: page.before,
        after: page.after,
    })
}

/// `GET /connections/{id}`
pub(crate) fn get_connection(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    Reply::ok(&find(&state, call.param("id"))?.body(&state))
}

/// `POST /connections`. Slow: it makes the keys that the request does not bring.
///
/// Assumption: a metadata document is not fetched here; whoever federates reads it.
pub(crate) fn create_connection(call: &Call) -> Result<Reply, ApiError> {
    let request: CreateConnection = call.body()?;
    let connection_type = federated(request.connection_type.as_deref())?;
    let (options, issued, protocol) = match (request.saml_options, request.oidc_options) {
        (Some(saml), None) => (
            ProtocolOptions::Saml(saml.check()?),
            Issued::with(&call.environment, &saml.certificates())?,
            Protocol::Saml,
        ),
        (None, Some(oidc)) => (
            ProtocolOptions::Oidc(oidc.check()?),
            Issued::default(),
            Protocol::Oidc,
        ),
        (Some(_), Some(_)) => {
            let message = "saml_options and oidc_options exclude each other.";
            return Err(ApiError::invalid_field(
                "oidc_options",
                "mutually_exclusive",
                message,
            ));
        }
        (None, None) => {
            let message = "Send saml_options or oidc_options.";
            return Err(ApiError::invalid_field("saml_options", "required", message));
        }
    };
    let connection_type = checked_protocol(connection_type, protocol)?;
    let new = NewConnection {
        name: request.name,
        state: ConnectionState::Validating,
        external_id: request.external_id,
        options,
        attribute_maps: request.attribute_maps.unwrap_or_default(),
        ..NewConnection::active(Some(request.organization_id), connection_type)
    };
    let connection = call.environment.transact(|tx| {
        let connection = rules::create(tx, new)?;
        issued.add(tx, &connection.id)?;
        Ok::<_, ApiError>(Arc::clone(find(tx, &connection.id)?))
    })?;
    Reply::created(&connection.body(&call.environment.state()))
}

/// `PATCH /connections/{id}`
pub(crate) fn update_connection(call: &Call) -> Result<Reply, ApiError> {
    let request: UpdateConnection = call.body()?;
    let connection_type = federated(request.connection_type.as_deref())?.map(str::to_owned);
    let id = call.param("id");
    let connection = call.environment.transact(|tx| {
        let present = Arc::clone(find(tx, id)?);
        let kind = connection_type.as_deref().unwrap_or(&present.connection_type);
        let protocol = connection_type::by_slug(kind).map(|kind| kind.protocol);
        let options = changed_options(
            &present.options,
            protocol,
            request.saml_options,
            request.oidc_options,
        )?;
        let changes = ConnectionChanges {
            name: request.name,
            connection_type: connection_type.clone(),
            external_id: request.external_id,
            options,
            attribute_maps: request
                .attribute_maps
                .map(|changes| changes.applied_to(&present.attribute_maps)),
            ..ConnectionChanges::default()
        };
        rules::update(tx, id, changes)
    })?;
    Reply::ok(&connection.body(&call.environment.state()))
}

/// `DELETE /connections/{id}`
pub(crate) fn delete_connection(call: &Call) -> Result<Reply, ApiError> {
    call.environment
        .transact(|tx| rules::delete(tx, call.param("id")))?;
    Reply::empty(204)
}

/// Only SAML and OpenID Connect connections are made by the API.
fn federated(wanted: Option<&str>) -> Result<Option<&'static str>, ApiError> {
    let Some(wanted) = wanted else { return Ok(None) };
    match connection_type::by_slug(wanted).filter(|kind| kind.is_federated()) {
        Some(kind) => Ok(Some(kind.slug)),
        None => {
            let message =
                format!("'{wanted}' is no type of SAML or OIDC connections, like OktaSAML or GenericOIDC.");
            Err(ApiError::invalid_field(
                "connection_type",
                "invalid_enum_value",
                message,
            ))
        }
    }
}

/// The type, which follows from the options where it is not given.
fn checked_protocol(wanted: Option<&'static str>, protocol: Protocol) -> Result<&'static str, ApiError> {
    let Some(wanted) = wanted else {
        return Ok(match protocol {
            Protocol::Oidc => "GenericOIDC",
            _ => "GenericSAML",
        });
    };
    if connection_type::by_slug(wanted).is_some_and(|kind| kind.protocol == protocol) {
        return Ok(wanted);
    }
    let message = format!("The options are not those of a connection of type {wanted}.");
    Err(ApiError::invalid_field("connection_type", "invalid", message))
}

fn changed_options(
    present: &ProtocolOptions,
    protocol: Option<Protocol>,
    saml: Option<SamlChanges>,
    oidc: Option<OidcChanges>,
) -> Result<Option<ProtocolOptions>, ApiError> {
    let wrong = |field: &str| {
        let message = format!("The connection is of another kind than {field}.");
        Err(ApiError::invalid_field(field, "invalid", message))
    };
    match (saml, oidc, protocol) {
        (None, None, _) => Ok(None),
        (Some(changes), None, Some(Protocol::Saml)) => {
            let present = match present {
                ProtocolOptions::Saml(options) => options.clone(),
                _ => super::options::SamlOptions::default(),
            };
            present
                .changed(changes)
                .map(|options| Some(ProtocolOptions::Saml(options)))
        }
        (None, Some(changes), Some(Protocol::Oidc)) => match present {
            ProtocolOptions::Oidc(options) => options
                .changed(changes)
                .map(|options| Some(ProtocolOptions::Oidc(options))),
            _ => OidcChanges::begun(changes).map(|options| Some(ProtocolOptions::Oidc(options))),
        },
        (Some(_), None, _) => wrong("saml_options"),
        (_, Some(_), _) => wrong("oidc_options"),
    }
}

impl NewSaml {
    /// The certificates that the request brings, and those that it leaves to WorkOS.
    fn certificates(&self) -> certificates::Wanted<'_> {
        certificates::Wanted {
            idp_signing: self.idp_signing_certs.as_deref().unwrap_or_default(),
            sp_signing: self.sp_signing_key_pair.as_ref(),
            sp_encryption: self.sp_encryption_key_pairs.as_deref().unwrap_or_default(),
        }
    }
}
