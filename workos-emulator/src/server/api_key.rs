//! The secret API keys of an environment: `Authorization: Bearer sk_…`.

use std::sync::Arc;

use actix_web::http::header::HeaderMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    core::{clock, secret::Secret},
    environment::Environment,
    store::Record,
};

/// A key that may call the API of its environment. Its id is the digest of its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SecretKey {
    pub(crate) id: String,
    pub(crate) value: Secret,
    #[serde(with = "clock::timestamp::option")]
    pub(crate) expires_at: Option<Timestamp>,
}

impl SecretKey {
    pub(crate) fn new(value: &str) -> Self {
        Self {
            id: Secret::digest(value),
            value: Secret::new(value),
            expires_at: None,
        }
    }
}

impl Record for SecretKey {
    fn id(&self) -> &str {
        &self.id
    }
}

/// The bearer credential of a request.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, value) = headers.get("authorization")?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| value.trim())
}

/// Whether `given` is a key of the environment, and still valid.
pub(crate) fn is_valid(environment: &Arc<Environment>, given: &str) -> bool {
    let state = environment.state();
    let key = state.secret_keys.get(&Secret::digest(given));
    key.is_some_and(|key| {
        key.value.matches(given) && key.expires_at.is_none_or(|at| at > environment.clock.now())
    })
}
