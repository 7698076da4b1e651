//! What an OpenID provider says of itself (OpenID Connect Discovery 1.0 section 3, RFC 8414 section 2).

use serde::Deserialize;
use url::Url;

use super::super::outbound;
use crate::core::jws::Algorithm;

/// The places of an OpenID provider, each of which may be called, and what it can do.
#[derive(Debug, Clone)]
pub(crate) struct Metadata {
    pub(crate) issuer: String,
    pub(crate) authorization_endpoint: Url,
    pub(crate) token_endpoint: Url,
    pub(crate) jwks_uri: Url,
    pub(crate) userinfo_endpoint: Option<Url>,
    pub(crate) end_session_endpoint: Option<Url>,
    pub(crate) scopes: Vec<String>,
    /// Empty where it does not say.
    pub(crate) signing_algorithms: Vec<Algorithm>,
    /// Empty where it does not say.
    pub(crate) token_authentication_methods: Vec<String>,
    /// It names itself in its answers (RFC 9207).
    pub(crate) names_itself: bool,
}

/// The document as it is sent.
#[derive(Debug, Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    end_session_endpoint: Option<String>,
    #[serde(default)]
    scopes_supported: Vec<String>,
    #[serde(default)]
    id_token_signing_alg_values_supported: Vec<String>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

const WELL_KNOWN: [&str; 2] = [
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
];

/// Whose document stands at an address: an issuer with what is well known behind it, or, as RFC 8414 section 3.1 has it,
/// between its host and its path.
fn issuer_of(discovery_endpoint: &str) -> Option<String> {
    let address = Url::parse(discovery_endpoint).ok()?;
    if address.query().is_some() {
        // Which environment of an emulator is meant, say: the issuer is the same.
        let (without, _) = discovery_endpoint.split_once('?')?;
        return issuer_of(without);
    }
    WELL_KNOWN.iter().find_map(|known| {
        if let Some(issuer) = discovery_endpoint.strip_suffix(known) {
            return Some(issuer.to_owned());
        }
        let (origin, path) = discovery_endpoint.split_once(known)?;
        path.starts_with('/').then(|| format!("{origin}{path}"))
    })
}

impl Metadata {
    /// Reads the document that stood at `discovery_endpoint`. The error says what is wrong with it.
    ///
    /// It counts only for the issuer at whose address it stands (OpenID Connect Discovery 1.0 section 4.3): otherwise one
    /// provider could speak for another. That an issuer ends with a slash does not show in the address.
    pub(super) fn read(discovery_endpoint: &str, json: &[u8]) -> Result<Self, String> {
        let document: Document = serde_json::from_slice(json)
            .map_err(|error| format!("{discovery_endpoint} is no discovery document: {error}."))?;
        let expected = issuer_of(discovery_endpoint).ok_or_else(|| {
            format!(
                "The discovery endpoint {discovery_endpoint} does not end with {}.",
                WELL_KNOWN[0]
            )
        })?;
        let issuer = document.issuer;
        if issuer != expected && issuer.strip_suffix('/') != Some(&expected) {
            return Err(format!(
                "The document at {discovery_endpoint} is for the issuer {issuer}, and not for {expected}."
            ));
        }
        let algorithms = document.id_token_signing_alg_values_supported;
        Ok(Self {
            issuer,
            authorization_endpoint: outbound::checked(&document.authorization_endpoint)?,
            token_endpoint: outbound::checked(&document.token_endpoint)?,
            jwks_uri: outbound::checked(&document.jwks_uri)?,
            userinfo_endpoint: document
                .userinfo_endpoint
                .map(|address| outbound::checked(&address))
                .transpose()?,
            end_session_endpoint: document
                .end_session_endpoint
                .map(|address| outbound::checked(&address))
                .transpose()?,
            scopes: document.scopes_supported,
            signing_algorithms: algorithms
                .iter()
                .filter_map(|name| Algorithm::by_name(name))
                .collect(),
            token_authentication_methods: document.token_endpoint_auth_methods_supported,
            names_itself: document.authorization_response_iss_parameter_supported,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn document(issuer: &str) -> Value {
        json!({
            "issuer": issuer,
            "authorization_endpoint": "https://idp.acme.io/authorize",
            "token_endpoint": "https://idp.acme.io/token",
            "jwks_uri": "https://idp.acme.io/jwks",
            "id_token_signing_alg_values_supported": ["none", "HS256", "ES256"],
        })
    }

    fn read(at: &str, document: &Value) -> Result<Metadata, String> {
        Metadata::read(at, document.to_string().as_bytes())
    }

    #[test]
    fn a_document_counts_for_the_issuer_at_whose_address_it_stands() {
        for (at, issuer) in [
            (
                "https://idp.acme.io/.well-known/openid-configuration",
                "https://idp.acme.io",
            ),
            (
                "https://idp.acme.io/.well-known/openid-configuration",
                "https://idp.acme.io/",
            ),
            (
                "https://idp.acme.io/realms/a/.well-known/openid-configuration",
                "https://idp.acme.io/realms/a",
            ),
            (
                "https://idp.acme.io/.well-known/oauth-authorization-server/a",
                "https://idp.acme.io/a",
            ),
            (
                "https://idp.acme.io/.well-known/openid-configuration?client_id=x",
                "https://idp.acme.io",
            ),
        ] {
            let metadata = read(at, &document(issuer)).unwrap();
            assert_eq!(metadata.issuer, issuer);
            assert_eq!(metadata.signing_algorithms, [Algorithm::Es256]);
        }
        for (at, issuer) in [
            (
                "https://idp.acme.io/.well-known/openid-configuration",
                "https://idp.evil.io",
            ),
            (
                "https://idp.acme.io/.well-known/openid-configuration",
                "https://idp.acme.io/a",
            ),
            (
                "https://idp.acme.io/.well-known/openid-configuration",
                "https://IDP.acme.io",
            ),
            (
                "https://idp.acme.io/.well-known/openid-configuration",
                "https://idp.acme.io//",
            ),
            (
                "https://idp.acme.io/a/.well-known/openid-configuration",
                "https://idp.acme.io",
            ),
            ("https://idp.acme.io/configuration", "https://idp.acme.io"),
            (
                "https://idp.acme.io/.well-known/openid-configurations",
                "https://idp.acme.io",
            ),
        ] {
            assert!(read(at, &document(issuer)).is_err(), "{at} {issuer}");
        }
    }

    #[test]
    fn every_place_in_it_may_be_called() {
        let at = "https://idp.acme.io/.well-known/openid-configuration";
        for endpoint in [
            "authorization_endpoint",
            "token_endpoint",
            "jwks_uri",
            "userinfo_endpoint",
            "end_session_endpoint",
        ] {
            for address in ["http://idp.acme.io/", "javascript:alert(1)", ""] {
                let mut document = document("https://idp.acme.io");
                document[endpoint] = address.into();
                assert!(read(at, &document).is_err(), "{endpoint} {address}");
            }
            if !["userinfo_endpoint", "end_session_endpoint"].contains(&endpoint) {
                let mut document = document("https://idp.acme.io");
                document.as_object_mut().unwrap().remove(endpoint);
                assert!(read(at, &document).is_err(), "{endpoint}");
            }
        }
    }
}
