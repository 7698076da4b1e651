//! The proof that an access token is genuine.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use super::{Claims, jwks::Jwks};
use crate::{config::TokenConfig, counted};

/// Real tokens stay under 4 KiB (a rendered JWT template under 3 KiB); more is not worth hashing.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// How far clocks may be apart, in seconds.
const LEEWAY: i64 = 5;

/// Why a token is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum TokenError {
    #[error("the token is malformed: {0}")]
    Malformed(&'static str),
    #[error("the token is signed with `{0}`; only RS256 is accepted")]
    Algorithm(String),
    #[error("the signature is wrong")]
    Signature,
    /// The key may be newer than our copy of the key set, which was fetched just now.
    #[error("the token is signed by a key that the key set does not have")]
    UnknownKey,
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    NotYetValid,
    #[error("the token's issuer `{actual}` is not among WORKOS_ISSUER ({expected})")]
    Issuer { actual: String, expected: String },
    #[error("the token's audience is not accepted")]
    Audience,
    #[error("the token is not about this session: {0}")]
    WrongSubject(&'static str),
    /// Says nothing about the token: the key set could not be fetched, or the shared state not be read.
    #[error("it cannot be checked: {0}")]
    Unavailable(String),
}

/// Verifies access tokens against the key set of the client.
#[derive(Debug)]
pub(crate) struct Verifier {
    pub(crate) jwks: Jwks,
    config: TokenConfig,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

impl Verifier {
    pub(crate) fn new(jwks: Jwks, config: TokenConfig) -> Self {
        Self { jwks, config }
    }

    /// The claims of a token that is signed by WorkOS and valid now.
    pub(crate) async fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        let verified = self.verify_uncounted(token).await;
        counted::verification(match &verified {
            Ok(_) => "verified",
            Err(TokenError::Expired) => "expired",
            Err(TokenError::Unavailable(_)) => "unavailable",
            Err(_) => "refused",
        });
        verified
    }

    async fn verify_uncounted(&self, token: &str) -> Result<Claims, TokenError> {
        let parts = TokenParts::of(token)?;
        let header: Header = decode(parts.header)?;
        // The key decides the algorithm, never the token: `none` and HMAC with the public key end here.
        if header.alg != "RS256" {
            return Err(TokenError::Algorithm(header.alg.chars().take(16).collect()));
        }
        if header.crit.is_some() {
            return Err(TokenError::Malformed("it has critical header parameters"));
        }
        let kid = header.kid.ok_or(TokenError::Malformed("it names no key"))?;
        let signature = URL_SAFE_NO_PAD
            .decode(parts.signature)
            .map_err(|_| TokenError::Malformed("the signature is not base64url"))?;
        let key = self.jwks.key(&kid).await?;
        key.verify_sig(parts.signed.as_bytes(), &signature)
            .map_err(|_| TokenError::Signature)?;

        let claims: Claims = decode(parts.payload)?;
        self.check(&claims)?;
        Ok(claims)
    }

    fn check(&self, claims: &Claims) -> Result<(), TokenError> {
        let now = self.jwks.now();
        if claims.exp.saturating_add(LEEWAY) <= now {
            return Err(TokenError::Expired);
        }
        if let Some(not_before) = claims.custom.get("nbf") {
            // A NumericDate may have a fraction (RFC 7519 section 2). What is none says that nothing is valid.
            let not_before = not_before
                .as_f64()
                .ok_or(TokenError::Malformed("nbf is not a number"))?;
            #[expect(clippy::cast_precision_loss, reason = "exact for as long as a token can live")]
            if not_before > now.saturating_add(LEEWAY) as f64 {
                return Err(TokenError::NotYetValid);
            }
        }
        let issuers = &self.config.issuers;
        let same = |issuer: &String| issuer.trim_end_matches('/') == claims.iss.trim_end_matches('/');
        if !issuers.is_empty() && !issuers.iter().any(same) {
            return Err(TokenError::Issuer {
                actual: claims.iss.clone(),
                expected: issuers.join(", "),
            });
        }
        if !self.config.audiences.is_empty() && !self.has_accepted_audience(claims) {
            return Err(TokenError::Audience);
        }
        Ok(())
    }

    fn has_accepted_audience(&self, claims: &Claims) -> bool {
        let accepted = |value: &Value| {
            value
                .as_str()
                .is_some_and(|aud| self.config.audiences.iter().any(|a| a == aud))
        };
        match claims.custom.get("aud") {
            Some(Value::Array(list)) => list.iter().any(accepted),
            Some(value) => accepted(value),
            None => false,
        }
    }
}

/// The session id a token names, **without proof**: for tokens out of our own encrypted session only.
pub(crate) fn unverified_session_id(token: &str) -> Option<String> {
    let subject = unverified_subject(token)?;
    Some(subject.sid).filter(|sid| !sid.is_empty())
}

/// Whom a token is about.
#[derive(Deserialize)]
pub(crate) struct Subject {
    pub(crate) sub: String,
    #[serde(default)]
    pub(crate) sid: String,
}

/// Whom a token says it is about, **without proof**.
pub(crate) fn unverified_subject(token: &str) -> Option<Subject> {
    decode(TokenParts::of(token).ok()?.payload).ok()
}

struct TokenParts<'a> {
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
    signed: &'a str,
}

impl<'a> TokenParts<'a> {
    fn of(token: &'a str) -> Result<Self, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Malformed("it is too long"));
        }
        let (signed, signature) = token
            .rsplit_once('.')
            .ok_or(TokenError::Malformed("it has no signature"))?;
        let (header, payload) = signed
            .split_once('.')
            .ok_or(TokenError::Malformed("it has no payload"))?;
        Ok(Self {
            header,
            payload,
            signature,
            signed,
        })
    }
}

fn decode<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, TokenError> {
    let json = URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| TokenError::Malformed("a part is not base64url"))?;
    serde_json::from_slice(&json).map_err(|_| TokenError::Malformed("a part is not the expected JSON"))
}
