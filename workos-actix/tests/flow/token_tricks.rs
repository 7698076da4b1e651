//! Tokens that bring their own keys, say a thing twice, or are as large as they can be.

use std::net::TcpListener;

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};

use crate::{
    bearer_attacks::refusal,
    bearer_tokens::{accepting, claims, token, with},
    fake_workos::{KID, LIFETIME, NOW, sign, sign_text, unsigned},
};

const SIGNATURE: Option<&str> = Some("the signature of the token is not accepted");
const MALFORMED: Option<&str> = Some("the token is malformed");

/// A key of the attacker's: signs whatever it is given, and can be published anywhere.
struct ForeignKey(RsaKeyPair);

impl ForeignKey {
    fn new() -> Self {
        Self(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    fn jwk(&self, kid: &str) -> Value {
        let modulus = URL_SAFE_NO_PAD.encode(&self.0.public_key().as_ref()[9..265]);
        json!({ "kty": "RSA", "alg": "RS256", "use": "sig", "kid": kid, "n": modulus, "e": "AQAB" })
    }

    fn sign(&self, header: &Value) -> String {
        let signed = unsigned(header, &claims());
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
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

#[actix_web::test]
async fn keys_that_a_token_brings_along_are_neither_used_nor_fetched() {
    let app = accepting().await;
    let key = ForeignKey::new();
    // Whoever asks here would leave a connection.
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let url = format!("http://{}/jwks", elsewhere.local_addr().unwrap());
    for kid in [KID, "mine"] {
        for extra in [
            json!({}),
            json!({ "jwk": key.jwk(kid) }),
            json!({ "jku": url }),
            json!({ "x5u": url }),
            json!({ "jku": url, "jwk": key.jwk(kid), "x5c": ["MIIB"], "x5t": "AA" }),
            json!({ "iss": url, "cty": "JWT", "zip": "DEF" }),
        ] {
            let mut header = extra;
            header["alg"] = json!("RS256");
            header["kid"] = json!(kid);
            let refused = refusal(&app, &key.sign(&header)).await;
            assert_eq!(refused.as_deref(), SIGNATURE, "{header}");
        }
    }
    assert!(elsewhere.accept().is_err(), "nothing was fetched from there");
}

#[actix_web::test]
async fn key_ids_are_names_and_never_places() {
    let app = accepting().await;
    assert_eq!(refusal(&app, &token(&claims())).await, None);
    for kid in [
        "../../../../etc/passwd",
        "..%2f..%2fetc%2fpasswd",
        "/dev/null",
        "file:///dev/null",
        "https://evil.example/jwks",
        "' UNION SELECT 'secret' --",
        "client_1/../../oauth2",
        "\u{0}",
        "\r\nX: y",
        "sso_oidc_key_pair_1 ",
        "SSO_OIDC_KEY_PAIR_1",
        "ｓso_oidc_key_pair_1",
    ] {
        let refused = refusal(&app, &sign("RS256", kid, &claims())).await;
        assert_eq!(refused.as_deref(), SIGNATURE, "{kid:?}");
    }
    let long = sign("RS256", &"k".repeat(8_000), &claims());
    assert_eq!(refusal(&app, &long).await.as_deref(), SIGNATURE);
    assert_eq!(app.workos.counts().jwks, 1, "the set is ten seconds old at most");
}

/// A genuine signature under claims that are written like this.
fn written(claims: &str) -> String {
    let header = json!({ "alg": "RS256", "kid": KID }).to_string();
    sign_text(&format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    ))
}

/// The usual claims and something more at their end.
fn and(more: &str) -> String {
    let usual = claims().to_string();
    written(&format!("{},{more}}}", usual.trim_end_matches('}')))
}

#[actix_web::test]
async fn who_a_token_is_about_is_said_once() {
    let app = accepting().await;
    for twice in [
        r#""sub":"user_2""#,
        r#""sub":"user_1""#,
        r#""\u0073ub":"user_2""#,
        r#""sid":"session_2""#,
        r#""exp":9999999999"#,
        r#""org_id":"org_2""#,
        r#""role":"owner""#,
        r#""permissions":["everything"]"#,
        r#""iss":"https://evil.example""#,
        r#""act":null,"act":{"sub":"x"}"#,
    ] {
        assert_eq!(refusal(&app, &and(twice)).await.as_deref(), MALFORMED, "{twice}");
    }
    // Of other claims the last one counts, which RFC 7519 section 4 leaves to choose.
    let audience = refusal(&app, &and(r#""aud":null,"aud":"somebody else""#)).await;
    assert_eq!(audience.as_deref(), Some("the token is for another audience"));
    let not_before = refusal(&app, &and(r#""nbf":0,"nbf":1900000000"#)).await;
    assert_eq!(not_before.as_deref(), Some("the token is not valid yet"));
    assert_eq!(refusal(&app, &and(r#""plan":"free","plan":"large""#)).await, None);
}

#[actix_web::test]
async fn numbers_that_no_clock_shows_are_refused_or_harmless() {
    let app = accepting().await;
    let without_expiry = with(&json!({ "exp": null })).to_string();
    let expiring = |exp: &str| {
        let claims = without_expiry.trim_end_matches('}');
        written(&format!(r#"{claims},"exp":{exp}}}"#))
    };
    for exp in [
        "1e400",
        "99999999999999999999999999",
        "9223372036854775808",
        "1.8e10",
        "-0.0",
        "true",
        "\"Infinity\"",
        "NaN",
        "0x7fffffff",
        "{}",
        "null",
    ] {
        assert_eq!(refusal(&app, &expiring(exp)).await.as_deref(), MALFORMED, "{exp}");
    }
    for exp in ["0", "-1", "-9223372036854775808"] {
        let refused = refusal(&app, &expiring(exp)).await;
        assert_eq!(refused.as_deref(), Some("the token has expired"), "{exp}");
    }
    assert_eq!(refusal(&app, &expiring("9223372036854775807")).await, None);
    for nbf in ["1e308", "9223372036854775807", "18446744073709551615"] {
        let refused = refusal(&app, &and(&format!(r#""nbf":{nbf}"#))).await;
        assert_eq!(refused.as_deref(), Some("the token is not valid yet"), "{nbf}");
    }
    assert_eq!(refusal(&app, &and(r#""nbf":-1e308"#)).await, None);
}

#[actix_web::test]
async fn nesting_has_a_limit_and_the_stack_stands() {
    let app = accepting().await;
    let nested = |open: &str, close: &str, depth: usize| {
        and(&format!(r#""x":{}0{}"#, open.repeat(depth), close.repeat(depth)))
    };
    assert_eq!(refusal(&app, &nested("[", "]", 50)).await, None);
    for depth in [200, 2_000, 5_000] {
        assert_eq!(
            refusal(&app, &nested("[", "]", depth)).await.as_deref(),
            MALFORMED
        );
    }
    assert_eq!(
        refusal(&app, &nested("{\"a\":", "}", 1_500)).await.as_deref(),
        MALFORMED
    );
    let unclosed = written(&"[".repeat(10_000));
    assert_eq!(refusal(&app, &unclosed).await.as_deref(), MALFORMED);
    let header = URL_SAFE_NO_PAD.encode("{\"alg\":".repeat(1_000));
    assert_eq!(
        refusal(&app, &sign_text(&format!("{header}.e30")))
            .await
            .as_deref(),
        MALFORMED
    );
}

/// A token has one spelling: a second one would be another entry in a cache, or in somebody's list of revoked ones.
#[actix_web::test]
async fn a_token_has_one_spelling() {
    let app = accepting().await;
    let genuine = token(&claims());
    let parts: Vec<_> = genuine.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else {
        panic!("three parts")
    };
    assert_eq!(refusal(&app, &genuine).await, None);
    let raw = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut other_last = (*signature).to_owned();
    let last = other_last.pop().unwrap();
    // The last character carries two bits of 256 bytes; the other four are nothing.
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let at = alphabet.find(last).unwrap();
    other_last.push(char::from(alphabet.as_bytes()[at + 1]));
    let mut spellings = vec![
        format!("{header}.{payload}.{other_last}"),
        format!("{header}.{payload}.{signature}=="),
        format!("{genuine}="),
        format!("{header}=.{payload}.{signature}"),
        format!(".{genuine}"),
        format!("{genuine}."),
        format!("{header}..{payload}.{signature}"),
        format!("{header}.{payload}.{signature}.{signature}"),
    ];
    let standard = STANDARD_NO_PAD.encode(&raw);
    if standard != *signature {
        spellings.push(format!("{header}.{payload}.{standard}"));
    }
    for spelling in spellings {
        assert_eq!(refusal(&app, &spelling).await.as_deref(), MALFORMED, "{spelling}");
    }
    // Shorter and longer signatures are none.
    for bytes in [
        &raw[1..],
        &raw[..255],
        &[&raw[..], &[0]].concat(),
        &[&[0], &raw[..]].concat(),
        &[],
    ] {
        let changed = format!("{header}.{payload}.{}", URL_SAFE_NO_PAD.encode(bytes));
        assert_eq!(
            refusal(&app, &changed).await.as_deref(),
            SIGNATURE,
            "{} bytes",
            bytes.len()
        );
    }
}

#[actix_web::test]
async fn one_bit_is_enough() {
    let app = accepting().await;
    let genuine = token(&claims());
    for at in (0..genuine.len()).step_by(7) {
        let mut changed = genuine.clone().into_bytes();
        // Another letter of the same alphabet.
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        if changed != genuine {
            assert!(refusal(&app, &changed).await.is_some(), "{at}");
        }
    }
    assert_eq!(refusal(&app, &genuine).await, None, "until {}", NOW + LIFETIME);
}
