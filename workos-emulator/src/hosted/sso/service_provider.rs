//! What an identity provider has to know of WorkOS, for a connection.

use crate::{
    api::sso::{connections::Connection, oidc, saml::ServiceProvider},
    server::call::Call,
};

/// The addresses of a connection.
pub(crate) struct Addresses {
    pub(crate) acs_url: String,
    pub(crate) entity_id: String,
    pub(crate) metadata_url: String,
    pub(crate) redirect_uri: String,
}

/// The addresses by which the identity provider of a connection knows WorkOS.
pub(crate) fn service_provider(call: &Call, connection: &Connection) -> Addresses {
    let (base_url, key) = (call.base_url(), &connection.external_key);
    let saml = ServiceProvider::of(connection, &base_url);
    Addresses {
        acs_url: saml.acs_url,
        entity_id: saml.entity_id,
        metadata_url: format!("{base_url}/sso/saml/metadata/{key}"),
        redirect_uri: oidc::redirect_uri(&base_url, connection),
    }
}
