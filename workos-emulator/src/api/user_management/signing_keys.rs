//! The keys that sign the environment's access tokens, and the documents that publish them.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::authenticate::client::issuer;
use crate::{
    core::keys::{KeySet, SigningKey},
    server::{call::Call, error::ApiError, reply::Reply},
    store::{Record, State},
};

/// The one row of its table; without it the development key signs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct SigningKeys(pub(crate) KeySet);

static DEVELOPMENT: LazyLock<KeySet> = LazyLock::new(|| KeySet::new(SigningKey::development()));

impl Record for SigningKeys {
    fn id(&self) -> &str {
        "signing_keys"
    }
}

impl State {
    /// The keys of the environment's access tokens.
    pub(crate) fn keys(&self) -> &KeySet {
        self.signing_keys
            .get("signing_keys")
            .map_or(&DEVELOPMENT, |row| &row.0)
    }
}

/// A JSON Web Token with these claims, signed with the environment's key.
pub(crate) fn sign(state: &State, claims: &impl Serialize) -> Result<String, ApiError> {
    let token = state.keys().current().sign(claims);
    token.map_err(|error| ApiError::message(500, error.to_string()))
}

/// `GET /sso/jwks/{clientId}`. All client ids of an environment have the same keys.
pub(crate) fn get_jwks(call: &Call) -> Result<Reply, ApiError> {
    check_client(call, call.param("clientId"))?;
    Reply::ok(&call.environment.state().keys().jwks())
}

/// `GET /user_management/{client_id}/.well-known/openid-configuration` (OpenID Connect Discovery 1.0 section 3), at the
/// place that follows from the issuer of newer environments.
pub(crate) fn get_openid_configuration(call: &Call) -> Result<Reply, ApiError> {
    let client_id = call.param("client_id");
    check_client(call, client_id)?;
    let base_url = call.base_url();
    Reply::ok(&json!({
        "issuer": issuer(&call.environment.state(), &base_url, client_id),
        "authorization_endpoint": format!("{base_url}/user_management/authorize"),
        "token_endpoint": format!("{base_url}/user_management/authenticate"),
        "jwks_uri": format!("{base_url}/sso/jwks/{client_id}"),
        "end_session_endpoint": format!("{base_url}/user_management/sessions/logout"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "none"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }))
}

fn check_client(call: &Call, client_id: &str) -> Result<(), ApiError> {
    match call.registry.by_client_id(client_id) {
        Some(_) => Ok(()),
        None => Err(ApiError::not_found("Client", client_id)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::Value;

    use super::*;
    use crate::environment::Environment;

    fn answer(
        operation: fn(&Call) -> Result<Reply, ApiError>,
        params: &[(&str, &str)],
    ) -> Result<Value, u16> {
        let call = Call::for_tests(&Arc::new(Environment::for_tests()), params, "", Value::Null);
        let reply = operation(&call).map_err(|refused| refused.status)?;
        Ok(serde_json::from_slice(&reply.body).unwrap())
    }

    #[test]
    fn publishes_the_key_that_signs() {
        let jwks = answer(get_jwks, &[("clientId", "client_app")]).unwrap();
        assert_eq!(jwks["keys"][0]["kid"], SigningKey::development().kid());
        assert_eq!(jwks["keys"].as_array().unwrap().len(), 1);
        assert_eq!(jwks["keys"][0]["d"], Value::Null);
        assert_eq!(answer(get_jwks, &[("clientId", "app")]), Err(404));
    }

    #[test]
    fn describes_itself_under_its_issuer() {
        let found = answer(get_openid_configuration, &[("client_id", "client_app")]).unwrap();
        assert_eq!(found["issuer"], "http://localhost/user_management/client_app");
        assert_eq!(found["jwks_uri"], "http://localhost/sso/jwks/client_app");
        assert_eq!(
            answer(get_openid_configuration, &[("client_id", "app")]),
            Err(404)
        );
    }
}
