//! The key of the WorkOS in memory: made at random, once in a process, and never shown.

use std::sync::LazyLock;

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

const KEY_ID: &str = "key_of_this_test";
/// The DER before the modulus of 2048 bits in `SEQUENCE { INTEGER n, INTEGER e }`.
const BEFORE_MODULUS: usize = 9;
const MODULUS: usize = 256;

#[expect(clippy::expect_used, reason = "nothing is given that could be wrong")]
static KEY: LazyLock<RsaKeyPair> =
    LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).expect("there is randomness for a key"));

/// The JWKS document.
pub(crate) fn key_set() -> String {
    let public = KEY.public_key().as_ref();
    let modulus = public.get(BEFORE_MODULUS..BEFORE_MODULUS + MODULUS);
    let modulus = URL_SAFE_NO_PAD.encode(modulus.unwrap_or_default());
    json!({ "keys": [{ "kty": "RSA", "alg": "RS256", "use": "sig", "kid": KEY_ID, "n": modulus, "e": "AQAB" }] })
        .to_string()
}

/// A JWT with these claims.
#[expect(clippy::expect_used, reason = "nothing is given that could be wrong")]
pub(super) fn sign(claims: &Value) -> String {
    let encode = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": KEY_ID });
    let signed = format!("{}.{}", encode(&header), encode(claims));
    let mut signature = vec![0; KEY.public_modulus_len()];
    KEY.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        signed.as_bytes(),
        &mut signature,
    )
    .expect("the buffer is as long as the modulus");
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}
