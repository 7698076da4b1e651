//! The code of a provider, exchanged for tokens (OpenID Connect Core 1.0 section 3.1.3).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::json;
use url::form_urlencoded::{self, Serializer};

use super::{
    super::{
        connections::{OidcOptions, TokenAuthenticationMethod},
        outbound::{Answer, Request},
    },
    OidcRequest,
    metadata::Metadata,
};
use crate::{
    core::{keys::SigningKey, secret::Secret},
    environment::Environment,
    server::error::ApiError,
};

/// Life of a client assertion, in seconds.
const ASSERTION_LIFETIME: i64 = 60;

/// What a provider gives for a code.
#[derive(Debug)]
pub(super) struct Tokens {
    pub(super) access_token: Secret,
    pub(super) id_token: String,
}

/// Exchanges a code. The error says what the provider did.
pub(super) async fn redeem(
    environment: &Environment,
    options: &OidcOptions,
    metadata: &Metadata,
    request: &OidcRequest,
    code: &str,
) -> Result<Tokens, String> {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code")
        .append_pair("code", code)
        .append_pair("redirect_uri", &request.redirect_uri);
    if let Some(verifier) = &request.code_verifier {
        form.append_pair("code_verifier", verifier.expose());
    }
    let authorization = authenticate(environment, options, metadata, &mut form)?;
    let request = Request {
        url: &metadata.token_endpoint,
        authorization,
        form: Some(form.finish()),
    };
    let answer = environment.providers.outbound.send(request).await?;
    read(metadata, &answer)
}

/// Lets the provider see who asks: what is added to the form, or the value of `Authorization`.
fn authenticate(
    environment: &Environment,
    options: &OidcOptions,
    metadata: &Metadata,
    form: &mut Serializer<'_, String>,
) -> Result<Option<String>, String> {
    let client_id = &options.client_id;
    let secret = || {
        let secret = options.client_secret.as_ref().map(Secret::expose);
        secret.ok_or_else(|| "The connection has no client secret.".to_owned())
    };
    match method(options, metadata) {
        TokenAuthenticationMethod::ClientSecretBasic => {
            // Each is encoded as in a form, first (RFC 6749 section 2.3.1).
            let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let credentials = format!("{}:{}", encoded(client_id), encoded(secret()?));
            return Ok(Some(format!("Basic {}", STANDARD.encode(credentials))));
        }
        TokenAuthenticationMethod::ClientSecretPost => {
            form.append_pair("client_id", client_id)
                .append_pair("client_secret", secret()?);
        }
        TokenAuthenticationMethod::PrivateKeyJwt => {
            form.append_pair("client_id", client_id)
                .append_pair(
                    "client_assertion_type",
                    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                )
                .append_pair("client_assertion", &assertion(environment, options, metadata)?);
        }
    }
    Ok(None)
}

/// As the connection is set up; of the two ways to send a secret it is the one that the provider takes.
fn method(options: &OidcOptions, metadata: &Metadata) -> TokenAuthenticationMethod {
    use TokenAuthenticationMethod::{ClientSecretBasic, ClientSecretPost};
    let takes = |name: &str| {
        let methods = &metadata.token_authentication_methods;
        methods.iter().any(|method| method == name)
    };
    match options.token_authentication_method {
        ClientSecretBasic if takes("client_secret_post") && !takes("client_secret_basic") => ClientSecretPost,
        ClientSecretPost if takes("client_secret_basic") && !takes("client_secret_post") => ClientSecretBasic,
        method => method,
    }
}

/// A client assertion (RFC 7523 section 3). Its times are real ones, which the provider compares with its own.
fn assertion(
    environment: &Environment,
    options: &OidcOptions,
    metadata: &Metadata,
) -> Result<String, String> {
    let pair = options.jwt_signing_key_pair.as_ref().ok_or_else(|| {
        "The connection has no jwt_signing_key_pair, which private_key_jwt signs with.".to_owned()
    })?;
    let unusable = |error| format!("The jwt_signing_key_pair cannot be used: {error}.");
    let key = SigningKey::from_pem(pair.key.expose(), None).map_err(unusable)?;
    let jti = environment
        .transact(|tx| Ok::<_, ApiError>(tx.token(32)))
        .map_err(|error| error.explanation())?;
    let now = environment.clock.source_time().as_second();
    let claims = json!({
        "iss": options.client_id,
        "sub": options.client_id,
        "aud": metadata.token_endpoint.as_str(),
        "jti": jti,
        "iat": now,
        "exp": now + ASSERTION_LIFETIME,
    });
    key.sign(&claims).map_err(unusable)
}

fn read(metadata: &Metadata, answer: &Answer) -> Result<Tokens, String> {
    #[derive(Deserialize)]
    struct Body {
        access_token: Secret,
        id_token: Option<String>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Refused {
        error: String,
        error_description: String,
    }
    let endpoint = &metadata.token_endpoint;
    if answer.status != 200 {
        let Refused {
            error,
            error_description,
        } = serde_json::from_slice(&answer.body).unwrap_or_default();
        let said = [error, error_description]
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join(", ");
        let said = if said.is_empty() {
            "without saying why".to_owned()
        } else {
            said
        };
        return Err(format!("{endpoint} answered with {}: {said}.", answer.status));
    }
    let body: Body = serde_json::from_slice(&answer.body)
        .map_err(|error| format!("The answer of {endpoint} cannot be read: {error}."))?;
    Ok(Tokens {
        access_token: body.access_token,
        id_token: body
            .id_token
            .ok_or_else(|| format!("The answer of {endpoint} has no id_token."))?,
    })
}
