//! Connections. Source: <https://workos.com/docs/reference/sso/connection>.
//!
//! * here – what a connection is, how it is shown, and how connections are found.
//! * [`options`] – what it takes to speak to an identity provider.
//! * [`configuration`] – how an administrator sets them up.
//! * [`checks`] – what is wrong with one that somebody wants.
//! * [`rules`] – how connections come to be, change and go.
//! * [`operations`] – the API's operations.

mod checks;
mod configuration;
mod operations;
mod options;
mod rules;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use self::{
    configuration::{Configuration, begin, configure},
    operations::{create_connection, delete_connection, get_connection, list_connections, update_connection},
    options::{KeyPair, NewOidc, OidcOptions, ProtocolOptions, SamlOptions, TokenAuthenticationMethod},
    rules::{
        ConnectionChanges, GroupRole, NewConnection, activate, create, delete, delete_of_organization,
        of_provider, roles_of, update,
    },
};
use super::{
    certificates::CertificateType,
    connection_type::{self, ConnectionType},
};
use crate::{
    core::clock,
    server::error::ApiError,
    store::{Index, Record, State, group},
};

/// Whether people can sign in through a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConnectionState {
    /// Nobody has said of what kind it is.
    RequiresType,
    /// Its configuration is not complete.
    Draft,
    Active,
    /// Configured, and waiting for its first sign-in.
    Validating,
    Inactive,
    Deleting,
}

impl ConnectionState {
    /// Whether the identity provider may be asked.
    pub(crate) fn is_linked(self) -> bool {
        matches!(self, Self::Active | Self::Validating)
    }

    fn status(self) -> &'static str {
        if self.is_linked() { "linked" } else { "unlinked" }
    }
}

/// What an identity provider calls the fields of a profile. What is not named has the name that is usual.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct AttributeMaps {
    pub(crate) standard_attributes: StandardAttributes,
    /// By the name of the custom attribute.
    pub(crate) custom_attributes: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct StandardAttributes {
    pub(crate) idp_id: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) first_name: Option<String>,
    pub(crate) last_name: Option<String>,
    pub(crate) groups: Option<String>,
    pub(crate) name: Option<String>,
}

/// A connection as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Connection {
    pub(crate) id: String,
    /// None: a provider of social login, for the whole environment.
    pub(crate) organization_id: Option<String>,
    /// One of [`connection_type::CONNECTION_TYPES`].
    pub(crate) connection_type: String,
    pub(crate) name: String,
    pub(crate) state: ConnectionState,
    /// What the addresses of the connection are made with, and its entity id.
    pub(crate) external_key: String,
    /// The application's own id of it.
    pub(crate) external_id: Option<String>,
    pub(crate) options: ProtocolOptions,
    pub(crate) attribute_maps: AttributeMaps,
    /// Whether people may begin at the identity provider.
    pub(crate) idp_initiated_sso: bool,
    pub(crate) group_roles: Vec<GroupRole>,
    /// The kinds of certificates that it has had: a further one of the kind renews it.
    pub(crate) certified: Vec<CertificateType>,
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    pub(crate) updated_at: Timestamp,
}

/// An organization's connections.
pub(crate) const BY_ORGANIZATION: Index<Connection> = Index::ordered("organization", |connection| {
    let organization_id = connection.organization_id.iter();
    organization_id.map(|id| (id.as_str().into(), 0)).collect()
});
/// Connections of one kind.
pub(crate) const BY_TYPE: Index<Connection> = Index::ordered("type", |connection| {
    vec![(connection.connection_type.as_str().into(), 0)]
});
/// Connections of the environment, which belong to no organization, of one kind.
const OF_ENVIRONMENT: Index<Connection> =
    Index::ordered("environment", |connection| match connection.organization_id {
        Some(_) => Vec::new(),
        None => vec![(connection.connection_type.as_str().into(), 0)],
    });
/// A connection by its place in the addresses of SAML.
const BY_EXTERNAL_KEY: Index<Connection> = Index::unique("external_key", |connection| {
    vec![(connection.external_key.as_str().into(), 0)]
});
const BY_EXTERNAL_ID: Index<Connection> = Index::unique("external_id", |connection| {
    let external_id = connection.external_id.iter();
    external_id.map(|id| (id.as_str().into(), 0)).collect()
});

impl Record for Connection {
    const INDEXES: &'static [Index<Self>] = &[
        BY_ORGANIZATION,
        BY_TYPE,
        OF_ENVIRONMENT,
        BY_EXTERNAL_KEY,
        BY_EXTERNAL_ID,
    ];

    fn id(&self) -> &str {
        &self.id
    }
}

/// A domain, as connections show it.
#[derive(Debug, Serialize)]
#[serde(tag = "object", rename = "connection_domain")]
struct ConnectionDomain<'a> {
    id: &'a str,
    domain: &'a str,
}

/// A connection as the API shows it.
#[derive(Debug, Serialize)]
#[serde(tag = "object", rename = "connection")]
pub(crate) struct ConnectionBody<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization_id: Option<&'a str>,
    connection_type: &'a str,
    name: &'a str,
    state: ConnectionState,
    status: &'static str,
    domains: Vec<ConnectionDomain<'a>>,
    #[serde(with = "clock::timestamp")]
    created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    updated_at: Timestamp,
}

impl Connection {
    /// Its kind. A row has one that is known.
    pub(crate) fn r#type(&self) -> &'static ConnectionType {
        connection_type::by_slug(&self.connection_type)
            .or_else(|| connection_type::by_slug(connection_type::PENDING))
            .unwrap_or(&connection_type::CONNECTION_TYPES[0])
    }

    /// Its domains are those of its organization.
    fn domains<'a>(&'a self, state: &'a State) -> Vec<ConnectionDomain<'a>> {
        let organization = self
            .organization_id
            .as_deref()
            .and_then(|id| state.organizations.get(id));
        let domains = organization.map_or(&[][..], |organization| &organization.domains);
        domains
            .iter()
            .map(|domain| ConnectionDomain {
                id: &domain.id,
                domain: &domain.domain,
            })
            .collect()
    }

    pub(crate) fn body<'a>(&'a self, state: &'a State) -> ConnectionBody<'a> {
        ConnectionBody {
            id: &self.id,
            organization_id: self.organization_id.as_deref(),
            connection_type: &self.connection_type,
            name: &self.name,
            state: self.state,
            status: self.state.status(),
            domains: self.domains(state),
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// The connection with this id, or the refusal.
pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Arc<Connection>, ApiError> {
    state
        .connections
        .get(id)
        .ok_or_else(|| ApiError::not_found("Connection", id))
}

/// The connection with this external key.
pub(crate) fn by_external_key<'a>(state: &'a State, key: &str) -> Option<&'a Arc<Connection>> {
    state.connections.find(BY_EXTERNAL_KEY, key)
}

/// An organization's connections through which people can sign in, the oldest first.
pub(crate) fn active_of<'a>(
    state: &'a State,
    organization_id: &str,
) -> impl Iterator<Item = &'a Arc<Connection>> {
    state
        .connections
        .group(BY_ORGANIZATION, organization_id)
        .filter(|connection| connection.state == ConnectionState::Active)
}

/// All of an organization's connections, whatever their state.
pub(crate) fn of_organization<'a>(
    state: &'a State,
    organization_id: &str,
) -> impl Iterator<Item = &'a Arc<Connection>> {
    state.connections.group(BY_ORGANIZATION, organization_id)
}

/// The environment's own connections to a provider of social login.
pub(crate) fn of_environment<'a>(state: &'a State, slug: &str) -> impl Iterator<Item = &'a Arc<Connection>> {
    state.connections.group(OF_ENVIRONMENT, slug)
}

/// A name under which rows of a connection are filed.
pub(crate) fn filed(connection_id: &str, name: &str) -> Arc<str> {
    group(&[connection_id, name])
}
