//! See `crate::fuzzing`.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    Claims,
    jwks::{self, Jwks},
    verify::{TokenError, Verifier, unverified_session_id},
};
use crate::{clock::Clock, config::TokenConfig, credential, fuzzing::two_parts};

const NOW: i64 = 1_800_000_000;

#[derive(Debug)]
struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(NOW.unsigned_abs())
    }
}

struct Fixture {
    key: RsaKeyPair,
    verifier: Verifier,
}

impl Fixture {
    fn get() -> &'static Self {
        static FIXTURE: OnceLock<Fixture> = OnceLock::new();
        FIXTURE.get_or_init(|| {
            let key = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
            let modulus = URL_SAFE_NO_PAD.encode(&key.public_key().as_ref()[9..265]);
            let document = json!({ "keys": [{ "kty": "RSA", "kid": "1", "n": modulus, "e": "AQAB" }] });
            let jwks = Jwks::of_document(document.to_string().as_bytes(), Arc::new(Fixed));
            let config = TokenConfig {
                issuers: vec!["https://a.example".to_owned()],
                audiences: vec!["api".to_owned()],
            };
            Self {
                key,
                verifier: Verifier::new(jwks, config),
            }
        })
    }

    fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        // It waits for nothing: the keys are known, and too new to be fetched again.
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(self.verifier.verify(token))
    }

    fn sign(&self, header: &[u8], claims: &[u8]) -> String {
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims)
        );
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                signed.as_bytes(),
                &mut signature,
            )
            .unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// A token as it comes; and, with header and claims apart by a line feed, one that is genuinely signed.
pub fn token(data: &[u8]) {
    let fixture = Fixture::get();
    if let Ok(text) = std::str::from_utf8(data) {
        assert!(fixture.verify(text).is_err(), "nobody can have signed it");
        let _ = unverified_session_id(text);
        let _ = jwks::parse(data);
    }
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(data) {
        headers.insert(AUTHORIZATION, value);
        if let Ok(Some(credential)) = credential::bearer(&headers) {
            assert!(!credential.is_empty() && credential.is_ascii());
        }
    }
    let Some((header, claims)) = two_parts(data) else {
        return;
    };
    let token = fixture.sign(header.as_bytes(), claims);
    let Ok(accepted) = fixture.verify(&token) else {
        return;
    };
    let header: Value = serde_json::from_str(header).unwrap();
    assert_eq!(
        (header["alg"].as_str(), header["kid"].as_str()),
        (Some("RS256"), Some("1"))
    );
    assert!(header.get("crit").is_none_or(Value::is_null));
    assert!(accepted.exp > NOW - 10);
    assert_eq!(accepted.iss.trim_end_matches('/'), "https://a.example");
    let said: Value = serde_json::from_slice(claims).unwrap();
    assert_eq!(said["sub"].as_str(), Some(accepted.sub.as_str()));
    let mut cut = token;
    cut.pop();
    assert!(fixture.verify(&cut).is_err());
}
