use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair},
};
use serde_json::json;

use super::*;

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn token(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", encoded(header), encoded(claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

fn keys(keys: &[Value]) -> PublishedKeys {
    PublishedKeys::parse(json!({"keys": keys}).to_string().as_bytes()).unwrap()
}

fn rsa_jwk(pair: &RsaKeyPair, kid: &str) -> Value {
    let components = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
    json!({
        "kty": "RSA", "kid": kid,
        "n": URL_SAFE_NO_PAD.encode(components.n), "e": URL_SAFE_NO_PAD.encode(components.e),
    })
}

fn rsa_sign(pair: &RsaKeyPair, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
    let encoding: &'static dyn signature::RsaEncoding = match algorithm {
        Algorithm::Rs384 => &signature::RSA_PKCS1_SHA384,
        Algorithm::Rs512 => &signature::RSA_PKCS1_SHA512,
        Algorithm::Ps256 => &signature::RSA_PSS_SHA256,
        Algorithm::Ps384 => &signature::RSA_PSS_SHA384,
        Algorithm::Ps512 => &signature::RSA_PSS_SHA512,
        _ => &signature::RSA_PKCS1_SHA256,
    };
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(encoding, &SystemRandom::new(), message, &mut signature)
        .unwrap();
    signature
}

fn verify(token: &str, keys: &PublishedKeys) -> Result<Map<String, Value>, SignatureError> {
    Signed::parse(token)?.verify(keys)
}

#[test]
fn every_algorithm_of_rsa_counts_for_itself() {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let set = keys(&[rsa_jwk(&pair, "a")]);
    let all = Algorithm::ALL
        .into_iter()
        .filter(|algorithm| algorithm.curve().is_none());
    for algorithm in all {
        let header = json!({"alg": algorithm.name(), "kid": "a"});
        let claims = json!({"sub": "ada"});
        let good = token(&header, &claims, |message| rsa_sign(&pair, algorithm, message));
        assert_eq!(verify(&good, &set).unwrap()["sub"], "ada", "{}", algorithm.name());
        let other = if algorithm == Algorithm::Rs256 {
            Algorithm::Ps256
        } else {
            Algorithm::Rs256
        };
        let bad = token(&header, &claims, |message| rsa_sign(&pair, other, message));
        assert_eq!(verify(&bad, &set), Err(SignatureError::Wrong));
    }
}

#[test]
fn curves_have_their_own_keys() {
    let curves = [
        (Algorithm::Es256, &signature::ECDSA_P256_SHA256_FIXED_SIGNING),
        (Algorithm::Es384, &signature::ECDSA_P384_SHA384_FIXED_SIGNING),
        (Algorithm::Es512, &signature::ECDSA_P521_SHA512_FIXED_SIGNING),
    ];
    let mut set = Vec::new();
    let mut tokens = Vec::new();
    for (algorithm, parameters) in curves {
        let pair = EcdsaKeyPair::generate(parameters).unwrap();
        let (crv, length) = algorithm.curve().unwrap();
        let point = pair.public_key().as_ref();
        let (x, y) = point[1..].split_at(length);
        set.push(json!({
            "kty": "EC", "crv": crv, "use": "sig",
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
        }));
        tokens.push(token(
            &json!({"alg": algorithm.name()}),
            &json!({"crv": crv}),
            |message| {
                pair.sign(&SystemRandom::new(), message)
                    .unwrap()
                    .as_ref()
                    .to_vec()
            },
        ));
    }
    let pair = Ed25519KeyPair::generate().unwrap();
    let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
    set.push(json!({"kty": "OKP", "crv": "Ed25519", "x": x}));
    tokens.push(token(
        &json!({"alg": "EdDSA"}),
        &json!({"crv": "Ed25519"}),
        |message| pair.sign(message).as_ref().to_vec(),
    ));
    // A key of an unknown kind is in nobody's way.
    set.push(json!({"kty": "AKP", "alg": "ML-DSA-44"}));
    set.push(json!("no key"));
    let set = keys(&set);
    for (token, crv) in tokens.iter().zip(["P-256", "P-384", "P-521", "Ed25519"]) {
        assert_eq!(verify(token, &set).unwrap()["crv"], crv);
        let (message, _) = token.rsplit_once('.').unwrap();
        assert_eq!(
            verify(&format!("{message}.AAAA"), &set),
            Err(SignatureError::Wrong)
        );
    }
}

#[test]
fn neither_no_signature_nor_a_shared_secret_comes_as_far_as_a_key() {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let set = keys(&[rsa_jwk(&pair, "a")]);
    let claims = json!({"sub": "ada"});
    for alg in ["none", "None", "nOnE"] {
        let bare = token(&json!({"alg": alg, "kid": "a"}), &claims, |_| Vec::new());
        assert_eq!(verify(&bare, &set), Err(SignatureError::Unsigned), "{alg}");
    }
    let confused = token(&json!({"alg": "HS256", "kid": "a"}), &claims, |message| {
        use aws_lc_rs::hmac;
        let key = hmac::Key::new(hmac::HMAC_SHA256, pair.public_key().as_ref());
        hmac::sign(&key, message).as_ref().to_vec()
    });
    assert_eq!(
        verify(&confused, &set),
        Err(SignatureError::Symmetric("HS256".to_owned()))
    );
    let odd = token(&json!({"alg": "RS1"}), &claims, |_| Vec::new());
    assert_eq!(
        verify(&odd, &set),
        Err(SignatureError::NotAllowed("RS1".to_owned()))
    );
}

#[test]
fn the_key_is_the_one_that_the_token_names() {
    let (one, two) = (
        RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
        RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
    );
    let set = keys(&[rsa_jwk(&one, "1"), rsa_jwk(&two, "2")]);
    let signed = |header: &Value| {
        token(header, &json!({}), |message| {
            rsa_sign(&two, Algorithm::Rs256, message)
        })
    };
    assert!(verify(&signed(&json!({"alg": "RS256", "kid": "2"})), &set).is_ok());
    assert_eq!(
        verify(&signed(&json!({"alg": "RS256", "kid": "1"})), &set),
        Err(SignatureError::Wrong)
    );
    assert_eq!(
        verify(&signed(&json!({"alg": "RS256", "kid": "3"})), &set),
        Err(SignatureError::UnknownKey("3".to_owned()))
    );
    assert_eq!(
        verify(&signed(&json!({"alg": "RS256"})), &set),
        Err(SignatureError::NoKeyId(2))
    );
    // A key that is for something else is none.
    let mut other = rsa_jwk(&two, "2");
    for (name, value) in [
        ("use", json!("enc")),
        ("alg", json!("RS512")),
        ("key_ops", json!(["encrypt"])),
    ] {
        other[name] = value;
        assert_eq!(
            verify(
                &signed(&json!({"alg": "RS256", "kid": "2"})),
                &keys(&[other.clone()])
            ),
            Err(SignatureError::UnknownKey("2".to_owned())),
            "{name}"
        );
        other = rsa_jwk(&two, "2");
    }
}

#[test]
fn what_is_no_token_is_told_apart() {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let set = keys(&[rsa_jwk(&pair, "a")]);
    for text in [
        "",
        "a.b",
        "a.b.c",
        "e30.e30.",
        "a.b.c.d",
        &"a".repeat(LONGEST + 1),
    ] {
        assert_eq!(verify(text, &set), Err(SignatureError::Malformed), "{text:.10}");
    }
    let critical = json!({"alg": "RS256", "kid": "a", "crit": ["b64"], "b64": false});
    let extended = token(&critical, &json!({}), |message| {
        rsa_sign(&pair, Algorithm::Rs256, message)
    });
    assert_eq!(verify(&extended, &set), Err(SignatureError::Critical));
    assert!(PublishedKeys::parse(b"[]").is_none() && PublishedKeys::parse(b"<html>").is_none());
}
