//! Access tokens: their claims, and JSON Web Tokens signed with RS256 (RFC 7519, RFC 7515).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::keys::{KeyError, KeySet, SigningKey};

/// Longer tokens are refused unread. WorkOS's are at most a few kilobytes, as they have to fit into a cookie.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

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
    /// What a JWT template adds. It must not name a claim that has a field here, or the token names it twice.
    #[serde(flatten)]
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

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JwtError {
    #[error("not a JSON Web Token")]
    Malformed,
    #[error("not signed with RS256")]
    WrongAlgorithm,
    #[error("signed with an unknown key")]
    UnknownKey,
    #[error("the signature does not match")]
    WrongSignature,
    #[error("expired")]
    Expired,
    #[error("not valid yet")]
    NotYetValid,
    #[error("claims are missing or of the wrong type")]
    WrongClaims,
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

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

#[derive(Deserialize)]
struct Validity {
    exp: i64,
    nbf: Option<i64>,
}

impl KeySet {
    /// The claims of a token that one of these keys signed and that is valid at `now`, without leeway.
    ///
    /// Nothing of the claims is looked at before the signature is verified. Only RS256 is accepted, a key id is
    /// required, and so is `exp`; `nbf` is heeded where there is one. Issuer and audience are the caller's to check.
    pub(crate) fn verify<T: DeserializeOwned>(&self, token: &str, now: Timestamp) -> Result<T, JwtError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(JwtError::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(JwtError::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(JwtError::Malformed)?;

        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| JwtError::Malformed)?;
        if header.alg != "RS256" {
            return Err(JwtError::WrongAlgorithm);
        }
        if header.crit.is_some() {
            return Err(JwtError::Malformed); // RFC 7515 §4.1.11: extensions that we do not understand
        }
        let key = header
            .kid
            .and_then(|kid| self.public_key(&kid))
            .ok_or(JwtError::UnknownKey)?;
        if !key.verifies(signed.as_bytes(), &decode(signature)?) {
            return Err(JwtError::WrongSignature);
        }

        let claims = decode(claims)?;
        let validity: Validity = serde_json::from_slice(&claims).map_err(|_| JwtError::WrongClaims)?;
        let now = now.as_second();
        if now >= validity.exp {
            return Err(JwtError::Expired);
        }
        if validity.nbf.is_some_and(|not_before| now < not_before) {
            return Err(JwtError::NotYetValid);
        }
        serde_json::from_slice(&claims).map_err(|_| JwtError::WrongClaims)
    }
}

fn decode(part: &str) -> Result<Vec<u8>, JwtError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| JwtError::Malformed)
}

#[cfg(test)]
mod tests;
