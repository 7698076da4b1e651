//! Metadata (SAML metadata 2.0): how the two sides of a connection learn of each other.

use std::sync::Arc;

use askama::Template;
use base64::{Engine, engine::general_purpose::STANDARD};
use url::Url;

use super::{PROTOCOL, ServiceProvider};
use crate::{
    api::sso::{
        certificates,
        connections::{self, ConnectionChanges, ProtocolOptions, SamlOptions},
    },
    core::xml::{Document, Element, XmlError},
    environment::Environment,
    server::error::ApiError,
    store::Transaction,
};

const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";
const REDIRECT: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";

/// The longest metadata that is read, in bytes.
pub(crate) const LONGEST: usize = 1024 * 1024;

/// What an identity provider publishes of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IdpMetadata {
    pub(crate) entity_id: String,
    /// Where requests go by the HTTP redirect binding.
    pub(crate) sso_url: String,
    /// The certificates of its signing keys, as PEM; at least one.
    pub(crate) certificates: Vec<String>,
}

/// Why metadata cannot be used. The messages are for whoever uploaded them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MetadataError {
    #[error("the metadata are longer than {LONGEST} bytes")]
    TooLong,
    #[error("the metadata are no XML: {0}")]
    NoXml(#[from] XmlError),
    #[error(
        "there is no identity provider for SAML 2.0 in the metadata (those of a service provider have none)"
    )]
    NoIdentityProvider,
    #[error("there are several identity providers in the metadata; cut out the one that is meant")]
    Several,
    #[error("the identity provider has no entityID")]
    NoEntityId,
    #[error(
        "the identity provider has no SingleSignOnService with the HTTP-Redirect binding and an http(s) Location"
    )]
    NoSsoUrl,
    #[error("the identity provider has no signing certificate")]
    NoCertificate,
    #[error("a signing certificate cannot be used: {0}")]
    Certificate(String),
}

/// Reads the metadata of an identity provider: its `EntityDescriptor`, or an `EntitiesDescriptor` with one identity provider
/// in it.
///
/// Signatures and `validUntil` of metadata are not looked at: whoever uploads a file, or names an address, vouches for it.
pub(crate) fn parse_idp_metadata(xml: &str) -> Result<IdpMetadata, MetadataError> {
    if xml.len() > LONGEST {
        return Err(MetadataError::TooLong);
    }
    let document = Document::parse(xml.trim_start_matches('\u{feff}').trim_start())?;
    let speaks_saml2 = |role: &Element<'_>| {
        let protocols = role.attribute("protocolSupportEnumeration").unwrap_or_default();
        role.is(METADATA, "IDPSSODescriptor") && protocols.split_whitespace().any(|one| one == PROTOCOL)
    };
    let mut roles = document.elements().filter(speaks_saml2);
    let role = roles.next().ok_or(MetadataError::NoIdentityProvider)?;
    if roles.next().is_some() {
        return Err(MetadataError::Several);
    }
    let entity = role
        .parent()
        .filter(|parent| parent.is(METADATA, "EntityDescriptor"));
    let entity_id = entity
        .and_then(|entity| entity.attribute("entityID"))
        .map(str::trim)
        .filter(|id| !id.is_empty())
        .ok_or(MetadataError::NoEntityId)?;
    let sso_url = role
        .all(METADATA, "SingleSignOnService")
        .find(|service| service.attribute("Binding") == Some(REDIRECT))
        .and_then(|service| service.attribute("Location"))
        .map(str::trim)
        .filter(|url| is_http(url))
        .ok_or(MetadataError::NoSsoUrl)?;
    let mut certificates = Vec::new();
    let signing = role
        .all(METADATA, "KeyDescriptor")
        .filter(|key| key.attribute("use").is_none_or(|used| used == "signing"));
    for certificate in signing.flat_map(|key| certificates_in(&key)) {
        let pem =
            pem(&certificate).ok_or_else(|| MetadataError::Certificate("it is no base64".to_owned()))?;
        let pem =
            certificates::checked(&pem).map_err(|problem| MetadataError::Certificate(problem.to_string()))?;
        if !certificates.contains(&pem) {
            certificates.push(pem);
        }
    }
    if certificates.is_empty() {
        return Err(MetadataError::NoCertificate);
    }
    Ok(IdpMetadata {
        entity_id: entity_id.to_owned(),
        sso_url: sso_url.to_owned(),
        certificates,
    })
}

/// Reads the metadata at an address, and keeps what they say for the connection.
///
/// Assumption: they are read when somebody signs in who is the first one, or the first one since the address was changed.
pub(crate) async fn import(
    environment: &Environment,
    connection_id: &str,
    metadata_url: &str,
) -> Result<IdpMetadata, String> {
    let answer = environment.providers.fetch(metadata_url).await?;
    let unusable = |reason: String| format!("What {metadata_url} has cannot be used: {reason}.");
    let text = String::from_utf8(answer.body).map_err(|_| unusable("it is no UTF-8".to_owned()))?;
    let metadata = parse_idp_metadata(&text).map_err(|error| unusable(error.to_string()))?;
    let kept = environment.transact(|tx| keep(tx, connection_id, metadata_url, &metadata));
    kept.map_err(|error| unusable(error.to_string()))?;
    Ok(metadata)
}

fn keep(
    tx: &mut Transaction<'_>,
    connection_id: &str,
    metadata_url: &str,
    metadata: &IdpMetadata,
) -> Result<(), ApiError> {
    let connection = Arc::clone(connections::find(tx, connection_id)?);
    let ProtocolOptions::Saml(options) = &connection.options else {
        return Ok(());
    };
    if options.idp_metadata_url.as_deref() != Some(metadata_url) {
        return Ok(());
    }
    let changes = ConnectionChanges {
        options: Some(ProtocolOptions::Saml(SamlOptions {
            idp_entity_id: Some(metadata.entity_id.clone()),
            idp_sso_url: Some(metadata.sso_url.clone()),
            ..options.clone()
        })),
        ..ConnectionChanges::default()
    };
    certificates::replace_idp_signing(tx, connection_id, &metadata.certificates)?;
    connections::update(tx, connection_id, changes).map(drop)
}

fn is_http(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// The texts of the certificates of a key.
fn certificates_in<'d>(key: &Element<'d>) -> impl Iterator<Item = String> + use<'d> {
    let infos = key.first(SIGNATURE, "KeyInfo").into_iter();
    infos
        .flat_map(|info| info.all(SIGNATURE, "X509Data").collect::<Vec<_>>())
        .flat_map(|data| data.all(SIGNATURE, "X509Certificate").collect::<Vec<_>>())
        .filter_map(|certificate| certificate.text())
}

fn pem(base64: &str) -> Option<String> {
    let base64: String = base64.split_whitespace().collect();
    let der = STANDARD.decode(base64).ok()?;
    Some(crate::core::keys::encode_pem("CERTIFICATE", &der))
}

/// A certificate as it stands in XML: DER in base64, without the lines around it.
pub(crate) fn in_xml(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with("-----")).collect()
}

/// What the service provider of a connection publishes.
#[derive(Template)]
#[template(path = "saml/sp_metadata.xml")]
struct SpMetadata<'a> {
    entity_id: &'a str,
    acs_url: &'a str,
    /// As in [`in_xml`].
    signing: &'a [String],
    encryption: &'a [String],
}

/// The metadata of the service provider that WorkOS is for a connection. The certificates are PEM.
pub(crate) fn of_service_provider<'a>(
    provider: &ServiceProvider,
    signing: impl Iterator<Item = &'a str>,
    encryption: impl Iterator<Item = &'a str>,
) -> Result<String, ApiError> {
    let (signing, encryption): (Vec<_>, Vec<_>) =
        (signing.map(in_xml).collect(), encryption.map(in_xml).collect());
    rendered(&SpMetadata {
        entity_id: &provider.entity_id,
        acs_url: &provider.acs_url,
        signing: &signing,
        encryption: &encryption,
    })
}

/// What the test identity provider publishes.
#[derive(Template)]
#[template(path = "saml/idp_metadata.xml")]
struct TestIdpMetadata<'a> {
    entity_id: &'a str,
    sso_url: &'a str,
    certificate: &'a str,
    wants_signed_requests: bool,
}

/// The metadata of a test identity provider, whose address is its name.
pub(crate) fn of_test_idp(
    url: &str,
    certificate: &str,
    wants_signed_requests: bool,
) -> Result<String, ApiError> {
    rendered(&TestIdpMetadata {
        entity_id: url,
        sso_url: url,
        certificate: &in_xml(certificate),
        wants_signed_requests,
    })
}

/// A message as text. Templates of plain values do not fail.
pub(super) fn rendered(message: &impl Template) -> Result<String, ApiError> {
    message
        .render()
        .map_err(|error| ApiError::message(500, error.to_string()))
}
