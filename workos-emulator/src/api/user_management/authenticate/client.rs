//! The application that asks for tokens, and the proof that it is the one.

use std::sync::Arc;

use serde::Deserialize;

use crate::{
    server::{api_key, call::Call, error::ApiError},
    store::State,
};

/// A known application of the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) id: String,
    /// `iss` of the access tokens that it gets.
    pub(crate) issuer: String,
    /// It sent its secret, and the right one. A public client has none, and proves itself by PKCE.
    pub(crate) authenticated: bool,
}

impl Client {
    /// The client of an `authenticate` request. A secret that is sent must be right, wherever one is needed or not.
    pub(crate) fn identify(call: &Call) -> Result<Self, ApiError> {
        #[derive(Deserialize)]
        struct Credentials {
            client_id: String,
            client_secret: Option<String>,
        }
        let Credentials {
            client_id,
            client_secret,
        } = call.body()?;
        Self::of(call, &client_id, client_secret.as_deref())
    }

    /// The client with this id, and with this secret if it sent one.
    pub(crate) fn of(call: &Call, client_id: &str, client_secret: Option<&str>) -> Result<Self, ApiError> {
        let invalid = || ApiError::oauth("invalid_client", "Invalid client ID or secret.");
        let environment = call.registry.by_client_id(client_id).ok_or_else(invalid)?;
        // A client id in the query may have named another environment: what is proved here counts in its own only.
        if !Arc::ptr_eq(&environment, &call.environment) {
            return Err(invalid());
        }
        if client_secret.is_some_and(|secret| !api_key::is_valid(&environment, secret)) {
            return Err(invalid());
        }
        Ok(Self {
            authenticated: client_secret.is_some(),
            ..Self::new(&environment.state(), &call.base_url(), client_id)
        })
    }

    /// A client that is known but not authenticated.
    pub(crate) fn new(state: &State, base_url: &str, id: &str) -> Self {
        Self {
            id: id.to_owned(),
            issuer: issuer(state, base_url, id),
            authenticated: false,
        }
    }

    /// Refuses clients without a secret, for grants that are not for public ones.
    pub(crate) fn require_secret(&self) -> Result<(), ApiError> {
        if self.authenticated {
            return Ok(());
        }
        Err(ApiError::invalid_field(
            "client_secret",
            "required",
            "client_secret is required.",
        ))
    }
}

/// `iss` of the environment's access tokens: as set, else as environments since mid-2025 have it.
pub(crate) fn issuer(state: &State, base_url: &str, client_id: &str) -> String {
    let own = || format!("{base_url}/user_management/{client_id}");
    state.settings().issuer.clone().unwrap_or_else(own)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{api::user_management::authenticate::fixture::Fixture, environment::Environment};

    /// `POST …/authenticate?client_id=<victim's>` with the client id and the secret of an environment of one's own.
    #[test]
    fn the_secret_of_one_environment_opens_no_other() {
        let (own, victim) = (Fixture::new(), Arc::new(Environment::for_tests()));
        let body = json!({"client_id": own.environment.client_id, "client_secret": "sk_test_app"});
        let mut call = own.call("", body);
        assert!(Client::identify(&call).unwrap().authenticated);
        call.environment = victim;
        let refused = Client::identify(&call).unwrap_err();
        assert_eq!((refused.status, refused.code()), (400, Some("invalid_client")));
    }
}
