//! The tokens in the links to the Admin Portal: JSON Web Tokens signed with HS256, as production's look.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde::Serialize;
use sha2::Sha256;

use super::Access;
use crate::{core::secret::Secret, server::error::ApiError, store::Transaction};

/// A new token. Its key is thrown away: a token is good as long as its digest is known, and nobody can make another.
///
/// Assumption: the claims of production's tokens are not documented.
pub(super) fn issue(
    tx: &mut Transaction<'_>,
    access: &Access,
    expires_at: Timestamp,
) -> Result<Secret, ApiError> {
    #[derive(Serialize)]
    struct Claims<'a> {
        sub: &'a str,
        jti: String,
        iat: i64,
        exp: i64,
    }
    let claims = Claims {
        sub: &access.organization_id,
        jti: tx.ulid(),
        iat: tx.now().as_second(),
        exp: expires_at.as_second(),
    };
    let claims = serde_json::to_vec(&claims).map_err(|error| ApiError::message(500, error.to_string()))?;
    let mut token = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(claims, &mut token);
    let key: [u8; 32] = tx.bytes();
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length (RFC 2104)")]
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("any key is valid");
    mac.update(token.as_bytes());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(mac.finalize().into_bytes(), &mut token);
    Ok(Secret::new(token))
}
