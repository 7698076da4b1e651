//! What it takes to speak to an identity provider. What stands here is what an OpenID Connect client or a SAML service
//! provider is set up with.
//!
//! Source: `CreateConnection` and `PatchConnection` of the official `workos` crate, 3.5.0.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    core::{keys::SigningKey, secret::Secret},
    server::{body::Patch, error::ApiError},
};

/// How the identity provider of a connection is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProtocolOptions {
    /// Nothing is set up: the stand-in is its identity provider.
    #[default]
    None,
    Saml(SamlOptions),
    Oidc(OidcOptions),
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SamlOptions {
    pub(crate) idp_metadata_url: Option<String>,
    pub(crate) acs_url: Option<String>,
    pub(crate) sp_entity_id: Option<String>,
    pub(crate) idp_entity_id: Option<String>,
    pub(crate) idp_sso_url: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OidcOptions {
    pub(crate) discovery_endpoint: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<Secret>,
    pub(crate) redirect_uri: Option<String>,
    pub(crate) pkce: bool,
    pub(crate) token_authentication_method: TokenAuthenticationMethod,
    pub(crate) jwt_signing_key_pair: Option<KeyPair>,
    pub(crate) id_token_signature_algorithm: Option<String>,
    pub(crate) fetch_user_info: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TokenAuthenticationMethod {
    #[default]
    ClientSecretBasic,
    ClientSecretPost,
    PrivateKeyJwt,
}

/// A private key and the certificate for it, both as PEM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyPair {
    pub(crate) key: Secret,
    pub(crate) cert: String,
}

/// `saml_options` of `POST /connections`
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct NewSaml {
    #[serde(flatten)]
    pub(super) options: SamlOptions,
    pub(super) idp_signing_certs: Option<Vec<String>>,
    pub(super) sp_signing_key_pair: Option<KeyPair>,
    pub(super) sp_encryption_key_pairs: Option<Vec<KeyPair>>,
}

/// `oidc_options` of `POST /connections`, of the control API and of seeds.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct NewOidc {
    discovery_endpoint: String,
    client_id: String,
    client_secret: Option<Secret>,
    redirect_uri: Option<String>,
    pkce: Option<bool>,
    token_authentication_method: Option<TokenAuthenticationMethod>,
    jwt_signing_key_pair: Option<KeyPair>,
    id_token_signature_algorithm: Option<String>,
    fetch_user_info: Option<bool>,
}

/// `saml_options` of `PATCH /connections/{id}`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SamlChanges {
    pub(super) idp_metadata_url: Patch<String>,
    pub(super) acs_url: Patch<String>,
    pub(super) sp_entity_id: Patch<String>,
    pub(super) idp_entity_id: Patch<String>,
    pub(super) idp_sso_url: Patch<String>,
}

/// `oidc_options` of `PATCH /connections/{id}`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct OidcChanges {
    pub(super) discovery_endpoint: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) client_secret: Option<Secret>,
    pub(super) redirect_uri: Patch<String>,
    pub(super) pkce: Option<bool>,
    pub(super) token_authentication_method: Option<TokenAuthenticationMethod>,
    pub(super) id_token_signature_algorithm: Option<String>,
    pub(super) fetch_user_info: Option<bool>,
}

fn check_url(field: &str, url: Option<&String>) -> Result<(), ApiError> {
    let is_http = |url: &String| {
        Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
    };
    if url.is_none_or(is_http) {
        return Ok(());
    }
    let message = format!("{field} must be a URL, like https://idp.example.com/….");
    Err(ApiError::invalid_field(field, "invalid_url", message))
}

fn required(field: &str, message: &str) -> ApiError {
    ApiError::invalid_field(field, "required", message)
}

impl NewSaml {
    /// The options, if they are enough to sign somebody in.
    pub(super) fn check(&self) -> Result<SamlOptions, ApiError> {
        let options = &self.options;
        options.check()?;
        let by_hand = options.idp_entity_id.is_some()
            || options.idp_sso_url.is_some()
            || self.idp_signing_certs.is_some();
        if options.idp_metadata_url.is_some() {
            if by_hand {
                return Err(mutually_exclusive());
            }
            return Ok(options.clone());
        }
        if options.idp_sso_url.is_none() {
            let message = "Send idp_metadata_url, or idp_sso_url and idp_signing_certs.";
            return Err(required("saml_options.idp_sso_url", message));
        }
        if self.idp_signing_certs.as_ref().is_none_or(Vec::is_empty) {
            let message = "idp_signing_certs has at least one certificate.";
            return Err(required("saml_options.idp_signing_certs", message));
        }
        Ok(options.clone())
    }
}

fn mutually_exclusive() -> ApiError {
    ApiError::invalid_field(
        "saml_options.idp_metadata_url",
        "mutually_exclusive",
        "idp_metadata_url and the fields of the identity provider exclude each other.",
    )
}

impl SamlOptions {
    fn check(&self) -> Result<(), ApiError> {
        check_url("saml_options.idp_metadata_url", self.idp_metadata_url.as_ref())?;
        check_url("saml_options.acs_url", self.acs_url.as_ref())?;
        check_url("saml_options.idp_sso_url", self.idp_sso_url.as_ref())
    }

    pub(super) fn changed(&self, changes: SamlChanges) -> Result<Self, ApiError> {
        let sets_fields =
            matches!(changes.idp_entity_id, Patch::Set(_)) || matches!(changes.idp_sso_url, Patch::Set(_));
        if matches!(changes.idp_metadata_url, Patch::Set(_)) && sets_fields {
            return Err(mutually_exclusive());
        }
        let mut options = self.clone();
        if matches!(changes.idp_metadata_url, Patch::Set(_)) {
            // What stood in other metadata counts no more: they are read when somebody signs in.
            options.idp_entity_id = None;
            options.idp_sso_url = None;
        }
        changes.idp_metadata_url.apply_to(&mut options.idp_metadata_url);
        changes.acs_url.apply_to(&mut options.acs_url);
        changes.sp_entity_id.apply_to(&mut options.sp_entity_id);
        changes.idp_entity_id.apply_to(&mut options.idp_entity_id);
        changes.idp_sso_url.apply_to(&mut options.idp_sso_url);
        options.check()?;
        Ok(options)
    }
}

impl NewOidc {
    /// A provider that knows WorkOS by a secret.
    pub(crate) fn with_secret(discovery_endpoint: String, client_id: String, client_secret: Secret) -> Self {
        Self {
            discovery_endpoint,
            client_id,
            client_secret: Some(client_secret),
            ..Self::default()
        }
    }

    pub(super) fn check(self) -> Result<OidcOptions, ApiError> {
        let options = OidcOptions {
            discovery_endpoint: self.discovery_endpoint,
            client_id: self.client_id,
            client_secret: self.client_secret,
            redirect_uri: self.redirect_uri,
            pkce: self.pkce.unwrap_or(true),
            token_authentication_method: self.token_authentication_method.unwrap_or_default(),
            jwt_signing_key_pair: self.jwt_signing_key_pair,
            id_token_signature_algorithm: self.id_token_signature_algorithm,
            fetch_user_info: self.fetch_user_info.unwrap_or_default(),
        };
        options.check()?;
        Ok(options)
    }
}

/// Those of OpenID Connect Core 1.0 section 3.1.3.7 that are made with a public key.
const ALGORITHMS: [&str; 10] = [
    "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA",
];

impl OidcOptions {
    fn check(&self) -> Result<(), ApiError> {
        check_url("oidc_options.discovery_endpoint", Some(&self.discovery_endpoint))?;
        check_url("oidc_options.redirect_uri", self.redirect_uri.as_ref())?;
        if self.client_id.trim().is_empty() {
            return Err(required("oidc_options.client_id", "client_id must not be empty."));
        }
        let algorithm = self.id_token_signature_algorithm.as_deref();
        if algorithm.is_some_and(|algorithm| !ALGORITHMS.contains(&algorithm)) {
            let message = format!(
                "id_token_signature_algorithm is one of {}.",
                ALGORITHMS.join(", ")
            );
            return Err(ApiError::invalid_field(
                "oidc_options.id_token_signature_algorithm",
                "invalid_enum_value",
                message,
            ));
        }
        if let Some(pair) = &self.jwt_signing_key_pair
            && let Err(error) = SigningKey::from_pem(pair.key.expose(), None)
        {
            let field = "oidc_options.jwt_signing_key_pair.key";
            return Err(ApiError::invalid_field(
                field,
                "invalid",
                format!("It cannot be used: {error}."),
            ));
        }
        let by_key = self.token_authentication_method == TokenAuthenticationMethod::PrivateKeyJwt;
        if !by_key && self.client_secret.is_none() {
            let message = "client_secret is required, unless the client authenticates with a key pair.";
            return Err(required("oidc_options.client_secret", message));
        }
        if by_key && self.client_secret.is_some() {
            return Err(ApiError::invalid_field(
                "oidc_options.client_secret",
                "not_allowed",
                "private_key_jwt authenticates with a key pair, not with a client_secret.",
            ));
        }
        if !by_key && self.jwt_signing_key_pair.is_some() {
            return Err(ApiError::invalid_field(
                "oidc_options.jwt_signing_key_pair",
                "not_allowed",
                "jwt_signing_key_pair is for private_key_jwt alone.",
            ));
        }
        Ok(())
    }

    pub(super) fn changed(&self, changes: OidcChanges) -> Result<Self, ApiError> {
        let mut options = self.clone();
        if let Some(method) = changes.token_authentication_method {
            if method == TokenAuthenticationMethod::PrivateKeyJwt {
                options.client_secret = None;
            } else {
                options.jwt_signing_key_pair = None;
            }
            options.token_authentication_method = method;
        }
        options.discovery_endpoint = changes.discovery_endpoint.unwrap_or(options.discovery_endpoint);
        options.client_id = changes.client_id.unwrap_or(options.client_id);
        options.client_secret = changes.client_secret.or(options.client_secret);
        changes.redirect_uri.apply_to(&mut options.redirect_uri);
        options.pkce = changes.pkce.unwrap_or(options.pkce);
        options.id_token_signature_algorithm = changes
            .id_token_signature_algorithm
            .or(options.id_token_signature_algorithm);
        options.fetch_user_info = changes.fetch_user_info.unwrap_or(options.fetch_user_info);
        options.check()?;
        Ok(options)
    }
}

impl OidcChanges {
    /// What a connection is set up with that had nothing before.
    pub(super) fn begun(self) -> Result<OidcOptions, ApiError> {
        let missing = |field: &str| required(field, "It is required where none is set up.");
        let new = NewOidc {
            discovery_endpoint: self
                .discovery_endpoint
                .ok_or_else(|| missing("oidc_options.discovery_endpoint"))?,
            client_id: self.client_id.ok_or_else(|| missing("oidc_options.client_id"))?,
            client_secret: self.client_secret,
            redirect_uri: match self.redirect_uri {
                Patch::Set(uri) => Some(uri),
                Patch::Keep | Patch::Clear => None,
            },
            pkce: self.pkce,
            token_authentication_method: self.token_authentication_method,
            jwt_signing_key_pair: None,
            id_token_signature_algorithm: self.id_token_signature_algorithm,
            fetch_user_info: self.fetch_user_info,
        };
        new.check()
    }
}
