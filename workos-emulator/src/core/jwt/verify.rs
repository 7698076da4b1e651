//! Verifies access tokens.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::core::keys::KeySet;

/// Longer tokens are refused unread. WorkOS's are at most a few kilobytes, as they have to fit into a cookie.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

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

pub(super) fn decode(part: &str) -> Result<Vec<u8>, JwtError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| JwtError::Malformed)
}
