use jiff::Timestamp;
use serde_json::json;

use super::{
    verify::{JwtError, decode},
    *,
};
use crate::core::keys::KeySet;

/// Made with OpenSSL: `openssl dgst -sha256 -sign development_key.pem` over header and claims.
const SIGNED_BY_OPENSSL: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6InNzb19vaWRjX2tleV9wYWlyXzAxREVWRTEwUE1FTlQwMDAwMDAwMDAwMDAwIiwidHlwIjoiSldUIn0.\
    eyJzdWIiOiJ1c2VyXzAxIiwiZXhwIjoxNzY3MjI1NjAwfQ.tnafrAbnt9cXdYI8qzBkACXaDvg9bpjP2x7PnEm6M5fZhQeWdt-b4igN1eBBL\
    C1DiH-xTK18nwKLEv1Uy3PFs5QIaJDlmcPB_SstebA6vCJEXMKZFpTsjZNYFldPPzn_shOK-YjACVsxNW1l9EiqjFEeAjk4s3Tf87Z_VC5Pt\
    dq-qypr_Qr5bQzeMZeg8jAy6g0DAsn-VGxhu4HsQKVRsvJGaRPyzijJ6WLrVoS2n7LAv1_owzNSWoBQmMLqzs9jQya2n-Dvd25A1n9Pd6PL4\
    E3K_SlG4UjWjSU5aKgCyFyNy2ny0GpwarTTiq81g32cFjNeWKxO5-gkPudSjYA8Vg";

const EXPIRY: i64 = 1_767_225_600;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn keys() -> KeySet {
    KeySet::new(SigningKey::development())
}

fn verify(token: &str, now: i64) -> Result<Value, JwtError> {
    keys().verify(token, at(now))
}

fn claims() -> AccessTokenClaims {
    AccessTokenClaims {
        iss: "https://api.workos.com/user_management/client_01".to_owned(),
        sub: "user_01".to_owned(),
        sid: "session_01".to_owned(),
        jti: "01JTI".to_owned(),
        iat: EXPIRY - 300,
        exp: EXPIRY,
        auth_time: EXPIRY - 900,
        client_id: "client_01".to_owned(),
        org_id: None,
        role: None,
        roles: None,
        permissions: Vec::new(),
        entitlements: None,
        feature_flags: None,
        act: None,
        impersonator: None,
        extra: Map::new(),
    }
}

#[test]
fn signs_exactly_as_openssl_does() {
    #[derive(Serialize)]
    struct Claims {
        sub: &'static str,
        exp: i64,
    }
    let token = SigningKey::development()
        .sign(&Claims {
            sub: "user_01",
            exp: EXPIRY,
        })
        .unwrap();
    assert_eq!(token, SIGNED_BY_OPENSSL);
    assert_eq!(
        verify(&token, EXPIRY - 1),
        Ok(json!({ "sub": "user_01", "exp": EXPIRY }))
    );
}

#[test]
fn the_header_names_algorithm_key_and_type_in_this_order() {
    let token = SigningKey::development().sign(&claims()).unwrap();
    let header = decode(token.split('.').next().unwrap()).unwrap();
    assert_eq!(
        String::from_utf8(header).unwrap(),
        r#"{"alg":"RS256","kid":"sso_oidc_key_pair_01DEVE10PMENT0000000000000","typ":"JWT"}"#
    );
}

#[test]
fn absent_claims_are_left_out_but_permissions_never() {
    let token = SigningKey::development().sign(&claims()).unwrap();
    assert_eq!(
        verify(&token, EXPIRY - 1).unwrap(),
        json!({
            "iss": "https://api.workos.com/user_management/client_01", "sub": "user_01", "sid": "session_01",
            "jti": "01JTI", "iat": EXPIRY - 300, "exp": EXPIRY, "auth_time": EXPIRY - 900, "client_id": "client_01",
            "permissions": [],
        })
    );
}

#[test]
fn all_claims_survive_a_round_trip() {
    let mut full = claims();
    full.org_id = Some("org_01".to_owned());
    full.role = Some("admin".to_owned());
    full.roles = Some(vec!["admin".to_owned(), "billing".to_owned()]);
    full.permissions = vec!["posts:write".to_owned()];
    full.entitlements = Some(vec!["audit-logs".to_owned()]);
    full.feature_flags = Some(vec!["beta".to_owned()]);
    full.act = Some(Actor {
        sub: "admin@example.com".to_owned(),
    });
    full.impersonator = Some(Impersonator {
        email: "admin@example.com".to_owned(),
        reason: None,
    });
    full.extra.insert("plan".to_owned(), json!({ "name": "pro" }));
    let token = full.sign(&SigningKey::development()).unwrap();
    let read: AccessTokenClaims = keys().verify(&token, at(EXPIRY - 1)).unwrap();
    let extra = std::mem::take(&mut full.extra);
    assert_eq!(read, full);
    assert_eq!(extra.len(), 1);
    let raw = verify(&token, EXPIRY - 1).unwrap();
    assert_eq!(raw["act"], json!({ "sub": "admin@example.com" }));
    assert_eq!(
        raw["impersonator"],
        json!({ "email": "admin@example.com", "reason": null })
    );
    assert_eq!(raw["plan"]["name"], "pro");
}

#[test]
fn a_template_replaces_claims_and_none_stands_twice() {
    let mut claims = claims();
    claims.role = Some("admin".to_owned());
    claims.extra.insert("role".to_owned(), json!({ "name": "pro" }));
    claims.extra.insert("extra".to_owned(), json!(1));
    let kept = serde_json::to_string(&claims).unwrap();
    assert_eq!(serde_json::from_str::<AccessTokenClaims>(&kept).unwrap(), claims);
    let token = claims.sign(&SigningKey::development()).unwrap();
    let payload = decode(token.split('.').nth(1).unwrap()).unwrap();
    let payload = String::from_utf8(payload).unwrap();
    assert_eq!(payload.matches("\"role\"").count(), 1, "{payload}");
    let raw = verify(&token, EXPIRY - 1).unwrap();
    assert_eq!((&raw["role"]["name"], &raw["extra"]), (&json!("pro"), &json!(1)));
}

#[test]
fn verifies_with_nothing_but_the_published_modulus_and_exponent() {
    use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
    let jwks = serde_json::to_value(keys().jwks()).unwrap();
    let number = |name: &str| {
        URL_SAFE_NO_PAD
            .decode(jwks["keys"][0][name].as_str().unwrap())
            .unwrap()
    };
    let public = RsaPublicKeyComponents {
        n: number("n"),
        e: number("e"),
    };
    let token = SigningKey::development().sign(&claims()).unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    public
        .verify(
            &RSA_PKCS1_2048_8192_SHA256,
            signed.as_bytes(),
            &decode(signature).unwrap(),
        )
        .unwrap();
}

#[test]
fn a_token_ends_at_its_expiry() {
    assert!(verify(SIGNED_BY_OPENSSL, EXPIRY - 1).is_ok());
    assert_eq!(verify(SIGNED_BY_OPENSSL, EXPIRY), Err(JwtError::Expired));
    let early = SigningKey::development()
        .sign(&json!({ "exp": EXPIRY, "nbf": EXPIRY - 10 }))
        .unwrap();
    assert_eq!(verify(&early, EXPIRY - 11), Err(JwtError::NotYetValid));
    assert!(verify(&early, EXPIRY - 10).is_ok());
    let endless = SigningKey::development()
        .sign(&json!({ "sub": "user_01" }))
        .unwrap();
    assert_eq!(verify(&endless, EXPIRY), Err(JwtError::WrongClaims));
}

#[test]
fn tokens_of_a_previous_key_verify_and_those_of_a_strange_key_do_not() {
    let mut keys = keys();
    let next = SigningKey::generate(None).unwrap();
    let stranger = SigningKey::generate(Some(next.kid().to_owned())).unwrap();
    keys.rotate(next.clone()).unwrap();
    let verify = |token: &str| keys.verify::<Value>(token, at(EXPIRY - 1));
    assert!(verify(SIGNED_BY_OPENSSL).is_ok());
    assert!(verify(&next.sign(&claims()).unwrap()).is_ok());
    assert_eq!(
        verify(&stranger.sign(&claims()).unwrap()),
        Err(JwtError::WrongSignature)
    );
    let unknown = SigningKey::generate(None).unwrap().sign(&claims()).unwrap();
    assert_eq!(verify(&unknown), Err(JwtError::UnknownKey));
}

#[test]
fn forged_and_broken_tokens_are_refused() {
    let (signed, signature) = SIGNED_BY_OPENSSL.rsplit_once('.').unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let with_header = |value: Value| verify(&format!("{}.{payload}.{signature}", encode(value)), EXPIRY - 1);
    let kid = SigningKey::development().kid().to_owned();

    let tampered = encode(json!({ "sub": "user_02", "exp": EXPIRY }));
    assert_eq!(
        verify(&format!("{header}.{tampered}.{signature}"), EXPIRY - 1),
        Err(JwtError::WrongSignature)
    );
    assert_eq!(
        verify(&format!("{signed}."), EXPIRY - 1),
        Err(JwtError::WrongSignature)
    );
    for alg in ["none", "HS256", "RS512", "rs256"] {
        assert_eq!(
            with_header(json!({ "alg": alg, "kid": kid })),
            Err(JwtError::WrongAlgorithm)
        );
    }
    assert_eq!(with_header(json!({ "alg": "RS256" })), Err(JwtError::UnknownKey));
    assert_eq!(
        with_header(json!({ "alg": "RS256", "kid": "" })),
        Err(JwtError::UnknownKey)
    );
    assert_eq!(
        with_header(json!({ "alg": "RS256", "kid": kid, "crit": ["b64"] })),
        Err(JwtError::Malformed)
    );
    assert_eq!(with_header(json!({ "kid": kid })), Err(JwtError::Malformed));
    for broken in [
        "",
        ".",
        "..",
        "a.b",
        "é.é.é",
        &format!("{SIGNED_BY_OPENSSL}.x"),
        &format!("{SIGNED_BY_OPENSSL}="),
    ] {
        assert!(verify(broken, EXPIRY - 1).is_err(), "{broken}");
    }
    let oversized = SigningKey::development()
        .sign(&json!({ "exp": EXPIRY, "x": "x".repeat(20_000) }))
        .unwrap();
    assert_eq!(verify(&oversized, EXPIRY - 1), Err(JwtError::Malformed));
}
