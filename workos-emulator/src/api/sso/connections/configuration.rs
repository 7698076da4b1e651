//! How an administrator sets a connection up, step by step: it is a draft until the identity provider is known.

use std::sync::Arc;

use super::{
    Connection, ConnectionChanges, ConnectionState, NewConnection, ProtocolOptions, find, of_organization,
    options::{NewSaml, OidcChanges, SamlChanges, SamlOptions},
    rules::{create, update},
};
use crate::{
    api::sso::{
        certificates::{self, Issued, Wanted},
        connection_type::{ConnectionType, Protocol},
    },
    core::secret::Secret,
    environment::Environment,
    server::{body::Patch, error::ApiError},
    store::{State, Transaction},
};

/// Where the identity provider is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Configuration {
    Oidc {
        discovery_endpoint: String,
        client_id: String,
        /// None: the one that is there.
        client_secret: Option<Secret>,
    },
    /// SAML metadata at an address that is read again when it changes.
    MetadataUrl(String),
    /// What stands in SAML metadata.
    Metadata {
        entity_id: String,
        sso_url: String,
        /// PEM
        certificates: Vec<String>,
    },
}

impl Configuration {
    fn protocol(&self) -> Protocol {
        match self {
            Self::Oidc { .. } => Protocol::Oidc,
            Self::MetadataUrl(_) | Self::Metadata { .. } => Protocol::Saml,
        }
    }
}

/// Makes a draft, or makes one of a connection of which nobody had said the kind. An organization that has a connection keeps
/// that: whoever sends the form twice does not get two. Takes up to two seconds for SAML, which has keys of its own.
pub(crate) fn begin(
    environment: &Environment,
    organization_id: &str,
    kind: &ConnectionType,
) -> Result<Arc<Connection>, ApiError> {
    if let Some(present) = decided(&environment.state(), organization_id) {
        return Ok(present);
    }
    let issued = match kind.protocol {
        Protocol::Saml => Issued::with(environment, &Wanted::default())?,
        _ => Issued::default(),
    };
    environment.transact(|tx| {
        if let Some(present) = decided(tx, organization_id) {
            return Ok(present);
        }
        let connection = match undecided(tx, organization_id) {
            Some(connection) => {
                let changes = ConnectionChanges {
                    connection_type: Some(kind.slug.to_owned()),
                    ..ConnectionChanges::default()
                };
                update(tx, &connection.id, changes)?
            }
            None => {
                let new = NewConnection {
                    state: ConnectionState::Draft,
                    ..NewConnection::active(Some(organization_id.to_owned()), kind.slug)
                };
                create(tx, new)?
            }
        };
        issued.add(tx, &connection.id)?;
        find(tx, &connection.id).cloned()
    })
}

fn decided(state: &State, organization_id: &str) -> Option<Arc<Connection>> {
    let mut connections = of_organization(state, organization_id);
    connections
        .find(|connection| connection.state != ConnectionState::RequiresType)
        .cloned()
}

fn undecided(state: &State, organization_id: &str) -> Option<Arc<Connection>> {
    of_organization(state, organization_id).next().cloned()
}

/// Tells a connection where its identity provider is. A draft waits for its first sign-in then.
///
/// Refusals name fields as `POST /connections` does: `saml_options.idp_sso_url`, ….
pub(crate) fn configure(
    tx: &mut Transaction<'_>,
    id: &str,
    configuration: Configuration,
) -> Result<Arc<Connection>, ApiError> {
    let present = Arc::clone(find(tx, id)?);
    if present.r#type().protocol != configuration.protocol() {
        let message = "The connection speaks another protocol.";
        return Err(ApiError::invalid_field("connection_type", "invalid", message));
    }
    let (options, certificates) = match configuration {
        Configuration::Oidc {
            discovery_endpoint,
            client_id,
            client_secret,
        } => {
            let changes = OidcChanges {
                discovery_endpoint: Some(discovery_endpoint),
                client_id: Some(client_id),
                client_secret,
                ..OidcChanges::default()
            };
            let options = match &present.options {
                ProtocolOptions::Oidc(options) => options.changed(changes)?,
                _ => changes.begun()?,
            };
            (ProtocolOptions::Oidc(options), None)
        }
        Configuration::MetadataUrl(url) => {
            let changes = SamlChanges {
                idp_metadata_url: Patch::Set(url),
                idp_entity_id: Patch::Clear,
                idp_sso_url: Patch::Clear,
                ..SamlChanges::default()
            };
            let options = saml(&present).changed(changes)?;
            (ProtocolOptions::Saml(options), Some(Vec::new()))
        }
        Configuration::Metadata {
            entity_id,
            sso_url,
            certificates,
        } => {
            let new = NewSaml {
                options: SamlOptions {
                    idp_metadata_url: None,
                    idp_entity_id: Some(entity_id),
                    idp_sso_url: Some(sso_url),
                    ..saml(&present)
                },
                idp_signing_certs: Some(certificates.clone()),
                ..NewSaml::default()
            };
            (ProtocolOptions::Saml(new.check()?), Some(certificates))
        }
    };
    if let Some(certificates) = certificates {
        certificates::replace_idp_signing(tx, id, &certificates)?;
    }
    let changes = ConnectionChanges {
        options: Some(options),
        ..ConnectionChanges::default()
    };
    update(tx, id, changes)
}

fn saml(connection: &Connection) -> SamlOptions {
    match &connection.options {
        ProtocolOptions::Saml(options) => options.clone(),
        _ => SamlOptions::default(),
    }
}
