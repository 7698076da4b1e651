//! An M2M application of a test.

use serde_json::{Map, Value, json};

use super::keys;
use crate::MachineTokens;

const ISSUER: &str = "https://testing.authkit.app";
const LIFETIME: i64 = 300;

/// The machine tokens that a [`TestMachine`] has, for [`AuthKitBuilder::machine_tokens`](crate::AuthKitBuilder::machine_tokens).
#[must_use]
pub fn machine_tokens() -> MachineTokens {
    MachineTokens::issued_by(ISSUER)
}

/// A machine of a test: an M2M application with an access token of its own.
#[derive(Debug, Clone)]
#[must_use = "a request has its token by `with_machine_token`"]
pub struct TestMachine {
    client_id: String,
    organization_id: Option<String>,
    scopes: Vec<String>,
    claims: Map<String, Value>,
}

impl TestMachine {
    /// By the client id of its application, `client_…`: others are none that WorkOS makes.
    pub fn new(client_id: impl Into<String>) -> Self {
        Self {
            client_id: client_id.into(),
            organization_id: None,
            scopes: Vec::new(),
            claims: Map::new(),
        }
    }

    /// The organization that it was made for, `org_…`.
    pub fn organization(mut self, id: impl Into<String>) -> Self {
        self.organization_id = Some(id.into());
        self
    }

    /// The scopes that it was granted.
    pub fn scopes<I: Into<String>>(mut self, scopes: impl IntoIterator<Item = I>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Another claim, or another value of any claim.
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    pub(super) fn access_token(&self, now: i64) -> String {
        let mut claims = json!({
            "iss": ISSUER, "sub": self.client_id, "jti": super::random(), "iat": now, "exp": now + LIFETIME,
            "scope": self.scopes.join(" "),
        });
        if let Some(object) = claims.as_object_mut() {
            if let Some(id) = &self.organization_id {
                object.insert("org_id".to_owned(), json!(id));
            }
            object.extend(self.claims.clone());
        }
        keys::sign(&claims)
    }
}
