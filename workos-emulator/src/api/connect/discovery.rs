//! What OAuth and OpenID Connect clients find out by themselves. The members are those that AuthKit domains have in
//! production, without the ones of what is not served. Source: <https://workos.com/docs/reference/workos-connect/metadata>.
//!
//! All environments of an emulator are at the same address. The documents are the default one's, unless `client_id` names
//! another: tokens, codes and client ids say by themselves whose they are, and `jwks_uri` tells where the keys are.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{access_tokens, registration::METHODS, scopes};
use crate::server::{call::Call, error::ApiError, reply::Reply};

/// What both documents have.
fn metadata(call: &Call) -> Value {
    let base_url = call.base_url();
    let endpoint = |name: &str| format!("{base_url}/oauth2/{name}");
    let own_keys = match Arc::ptr_eq(call.registry.default_environment(), &call.environment) {
        true => String::new(),
        false => format!("?client_id={}", call.environment.client_id),
    };
    json!({
        "issuer": access_tokens::issuer(call),
        "authorization_endpoint": endpoint("authorize"),
        "device_authorization_endpoint": endpoint("device_authorization"),
        "introspection_endpoint": endpoint("introspection"),
        "jwks_uri": format!("{}{own_keys}", endpoint("jwks")),
        "token_endpoint": endpoint("token"),
        "response_types_supported": ["code"],
        "scopes_supported": scopes::BUILT_IN,
    })
}

/// `GET /.well-known/oauth-authorization-server` (RFC 8414)
pub(crate) fn get_oauth_authorization_server(call: &Call) -> Result<Reply, ApiError> {
    let mut document = metadata(call);
    document["code_challenge_methods_supported"] = json!(["S256"]);
    document["grant_types_supported"] = json!([
        "authorization_code",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:device_code"
    ]);
    document["response_modes_supported"] = json!(["query"]);
    document["token_endpoint_auth_methods_supported"] = json!(METHODS);
    if call
        .environment
        .state()
        .settings()
        .connect
        .dynamic_client_registration
    {
        document["registration_endpoint"] = format!("{}/oauth2/register", call.base_url()).into();
    }
    Reply::ok(&document)
}

/// `GET /.well-known/openid-configuration` (OpenID Connect Discovery 1.0 section 3)
pub(crate) fn get_openid_configuration(call: &Call) -> Result<Reply, ApiError> {
    let mut document = metadata(call);
    document["grant_types_supported"] = json!([
        "authorization_code",
        "client_credentials",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:device_code"
    ]);
    document["id_token_signing_alg_values_supported"] = json!(["RS256"]);
    document["subject_types_supported"] = json!(["public"]);
    document["token_endpoint_auth_methods_supported"] =
        json!(["none", "client_secret_basic", "client_secret_post"]);
    document["userinfo_endpoint"] = format!("{}/oauth2/userinfo", call.base_url()).into();
    Reply::ok(&document)
}

/// `GET /oauth2/jwks`: the keys that sign all tokens of the environment.
pub(crate) fn get_jwks(call: &Call) -> Result<Reply, ApiError> {
    Reply::ok(&call.environment.state().keys().jwks())
}
