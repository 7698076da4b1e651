//! Access tokens: their claims, and JSON Web Tokens signed with RS256 (RFC 7519, RFC 7515).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::keys::{KeyError, SigningKey};

/// The claims of an AuthKit access token, as WorkOS documents and real tokens have them. There is no `aud`.
///
/// Times are whole seconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct AccessTokenClaims {
    pub(crate) iss: String,
    /// The user's id.
    pub(crate) sub: String,
    /// The session's id.
    pub(crate) sid: String,
    pub(crate) jti: String,
    pub(crate) iat: i64,
    pub(crate) exp: i64,
    /// When the user last signed in; a refresh does not move it.
    pub(crate) auth_time: i64,
    pub(crate) client_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) org_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) roles: Option<Vec<String>>,
    /// Always present, and empty when the role has none.
    #[serde(default)]
    pub(crate) permissions: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) entitlements: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) feature_flags: Option<Vec<String>>,
    /// Who impersonates the user, as WorkOS's reference documents it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) act: Option<Actor>,
    /// The same, as the session helper of the `workos` crate reads it. The documentation and that crate disagree, so an
    /// impersonated session's token carries both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) impersonator: Option<Impersonator>,
    /// What a JWT template adds. Here apart, and in the token like the other claims, of which it may replace any but the
    /// reserved ones: Supabase wants a `role` of its own (<https://supabase.com/docs/guides/auth/third-party/workos>).
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) extra: Map<String, Value>,
}

/// The `act` claim (RFC 8693).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Actor {
    /// The impersonator's e-mail address.
    pub(crate) sub: String,
}

/// Who impersonates, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Impersonator {
    pub(crate) email: String,
    pub(crate) reason: Option<String>,
}

impl AccessTokenClaims {
    /// The access token, signed with this key.
    pub(crate) fn sign(&self, key: &SigningKey) -> Result<String, KeyError> {
        let mut claims = serde_json::to_value(self)?;
        if let Some(claims) = claims.as_object_mut() {
            claims.remove("extra");
            claims.extend(self.extra.clone());
        }
        key.sign(&claims)
    }
}

impl SigningKey {
    /// A token with these claims, signed with this key.
    pub(crate) fn sign(&self, claims: &impl Serialize) -> Result<String, KeyError> {
        let mut token = self.token_header().to_owned();
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(claims)?, &mut token);
        let signature = self.sign_bytes(token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

mod verify;

#[cfg(test)]
mod tests;
