//! `/_emulate/keys/rotate`: another key signs access tokens from now on.

use serde::Deserialize;
use serde_json::json;

use crate::{
    api::user_management::signing_keys::SigningKeys,
    core::keys::{KeyError, KeySet, SigningKey},
    server::{call::Call, error::ApiError, reply::Reply},
};

/// `POST /_emulate/keys/rotate` `{signing_key?, kid?}`: without a key a new one is made, which takes a while. Tokens of
/// the old key still verify: it stays published.
pub(super) fn rotate_keys(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct RotateKeys {
        /// PEM
        signing_key: Option<String>,
        kid: Option<String>,
    }
    let RotateKeys { signing_key, kid } = call.body()?;
    let next = match &signing_key {
        Some(pem) => SigningKey::from_pem(pem, kid),
        None => SigningKey::generate(kid),
    };
    let next = next.map_err(|error| refused(&error))?;
    let keys = call.environment.transact(|tx| {
        let mut keys = KeySet::clone(tx.keys());
        keys.rotate(next).map_err(|error| refused(&error))?;
        Ok::<_, ApiError>(tx.put(SigningKeys(keys))?)
    })?;
    Reply::ok(&json!({"kid": keys.0.current().kid(), "keys": keys.0.jwks().keys}))
}

/// The error's text never has key material.
fn refused(error: &KeyError) -> ApiError {
    let field = match error {
        KeyError::Kid | KeyError::KidInUse(_) => "kid",
        _ => "signing_key",
    };
    ApiError::invalid_field(field, "invalid_signing_key", format!("{error}."))
}
