//! What an attacker tries.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    app::TestApp,
    fake_workos::{KID, NOW, modulus, sign, sign_with_header, unsigned},
};

#[actix_web::test]
async fn a_state_that_was_tampered_with_is_refused() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let callback = browser.authorize(&app.workos, "/auth/sign-in").await;
    for tampered in [format!("{callback}x"), callback.replace("state=", "state=x")] {
        let response = browser.clone().fetch(&tampered).await;
        assert_eq!(
            (response.status, response.json()["code"].as_str()),
            (400, Some("invalid_state"))
        );
    }
    assert_eq!(app.workos.counts().exchanges, 0);
}

#[actix_web::test]
async fn a_sign_in_belongs_to_the_browser_that_began_it() {
    let app = TestApp::start().await;
    let mut attacker = app.browser();
    let callback = attacker.authorize(&app.workos, "/auth/sign-in").await;
    // Login CSRF: the victim follows the attacker's callback link, with and without an attempt of their own.
    let mut victim = app.browser();
    assert_eq!(victim.fetch(&callback).await.status, 400);
    let own = victim.authorize(&app.workos, "/auth/sign-in").await;
    assert_eq!(victim.fetch(&callback).await.status, 400);
    // The attacker's cookie under the victim's name is sealed for another name.
    let (name, _) = victim
        .cookies
        .iter()
        .next()
        .map(|(name, value)| (name.clone(), value.clone()))
        .unwrap();
    let foreign = attacker.cookies.values().next().unwrap().clone();
    let mut spliced = victim.clone();
    spliced.cookies.insert(name, foreign);
    assert_eq!(spliced.fetch(&own).await.status, 400);
    // A foreign code under the victim's state fails at WorkOS: it is bound to the attacker's PKCE verifier.
    let code = |path: &str| {
        path.split("code=")
            .nth(1)
            .unwrap()
            .split('&')
            .next()
            .unwrap()
            .to_owned()
    };
    let crossed = own.replace(&code(&own), &code(&callback));
    let response = victim.fetch(&crossed).await;
    assert_eq!(
        (response.status, response.json()["code"].as_str()),
        (401, Some("invalid_grant"))
    );
    assert!(victim.session().is_none());
}

#[actix_web::test]
async fn a_callback_works_once_and_for_ten_minutes() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let callback = browser.authorize(&app.workos, "/auth/sign-in").await;
    let before = browser.clone();
    assert_eq!(browser.fetch(&callback).await.status, 307);
    assert_eq!(browser.fetch(&callback).await.status, 400, "the attempt is over");
    assert_eq!(
        before.clone().fetch(&callback).await.status,
        401,
        "and with its cookie kept, the code is used"
    );

    let mut slow = app.browser();
    let callback = slow.authorize(&app.workos, "/auth/sign-in").await;
    app.clock.advance(600);
    let response = slow.fetch(&callback).await;
    assert_eq!(
        (response.status, response.json()["code"].as_str()),
        (400, Some("invalid_state"))
    );
}

#[actix_web::test]
async fn sign_in_never_redirects_to_another_site() {
    let app = TestApp::start().await;
    for attack in [
        "https://evil.example",
        "//evil.example",
        "%2F%2Fevil.example",
        "/%5Cevil.example",
        "%5C%5Cevil.example",
        "/%09/evil.example",
        "/%0d%0aLocation:%20https://evil.example",
        "/..//evil.example",
        "/%252e%252e//evil.example",
        "/%2e//evil.example",
        "javascript:alert(1)",
        "/auth/sign-out",
        "/auth/sign-in?return_to=/x",
    ] {
        let mut browser = app.browser();
        let response = browser
            .sign_in(&app.workos, &format!("/auth/sign-in?return_to={attack}"))
            .await;
        assert_eq!((response.status, response.location()), (307, "/"), "{attack}");
    }
}

/// Signs in with a WorkOS whose tokens are forged in some way.
async fn sign_in_with(app: &TestApp, mint: impl Fn(Value) -> String + Send + Sync + 'static) -> u16 {
    app.workos.mint_with(mint);
    let mut browser = app.browser();
    let status = browser.sign_in(&app.workos, "/auth/sign-in").await.status;
    assert_eq!(browser.session().is_some(), status == 307);
    status
}

#[actix_web::test]
async fn forged_tokens_are_refused() {
    let app = TestApp::start().await;
    let with = |change: fn(&mut Value)| {
        move |mut claims: Value| {
            change(&mut claims);
            sign("RS256", KID, &claims)
        }
    };
    assert_eq!(
        sign_in_with(&app, |claims| sign("RS256", KID, &claims)).await,
        307,
        "the genuine one"
    );

    // No signature, a signature by "none", HMAC with the public key.
    assert_eq!(
        sign_in_with(&app, |claims| format!(
            "{}.",
            unsigned(&json!({ "alg": "none", "kid": KID }), &claims)
        ))
        .await,
        502
    );
    assert_eq!(sign_in_with(&app, |claims| sign("none", KID, &claims)).await, 502);
    let hmac = |claims: Value| {
        let signed = unsigned(&json!({ "alg": "HS256", "kid": KID }), &claims);
        let mut mac = Hmac::<Sha256>::new_from_slice(modulus().as_bytes()).unwrap();
        mac.update(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    };
    assert_eq!(sign_in_with(&app, hmac).await, 502);
    // Genuine signature, other algorithm in the header; no kid; critical extensions.
    assert_eq!(
        sign_in_with(&app, |claims| sign("RS512", KID, &claims)).await,
        502
    );
    assert_eq!(
        sign_in_with(&app, |claims| sign_with_header(
            &json!({ "alg": "RS256" }),
            &claims
        ))
        .await,
        502
    );
    let critical =
        |claims: Value| sign_with_header(&json!({ "alg": "RS256", "kid": KID, "crit": ["exp"] }), &claims);
    assert_eq!(sign_in_with(&app, critical).await, 502);
    // Claims changed after signing.
    let spliced = |claims: Value| {
        let genuine = sign("RS256", KID, &claims);
        let mut admin = claims;
        admin["role"] = json!("owner");
        let signature = genuine.rsplit_once('.').unwrap().1.to_owned();
        format!(
            "{}.{signature}",
            unsigned(&json!({ "alg": "RS256", "kid": KID }), &admin)
        )
    };
    assert_eq!(sign_in_with(&app, spliced).await, 502);
    // Expired, not yet valid, without expiry.
    assert_eq!(
        sign_in_with(&app, with(|claims| claims["exp"] = json!(NOW - 5))).await,
        502
    );
    assert_eq!(
        sign_in_with(&app, with(|claims| claims["nbf"] = json!(NOW + 60))).await,
        502
    );
    assert_eq!(
        sign_in_with(&app, with(|claims| claims["exp"] = Value::Null)).await,
        502
    );
    assert_eq!(
        sign_in_with(&app, with(|claims| claims["exp"] = json!("9999999999"))).await,
        502
    );
    for not_before in [
        json!(NOW as f64 + 60.5),
        json!("0"),
        json!(i64::MAX),
        json!(1e300),
    ] {
        let claims = move |mut claims: Value| {
            claims["nbf"] = not_before.clone();
            sign("RS256", KID, &claims)
        };
        assert_eq!(sign_in_with(&app, claims).await, 502);
    }
    for expires in [
        json!(NOW as f64 + 60.5),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e300),
        json!([NOW + 60]),
    ] {
        let claims = move |mut claims: Value| {
            claims["exp"] = expires.clone();
            sign("RS256", KID, &claims)
        };
        assert_eq!(sign_in_with(&app, claims).await, 502);
    }
    // Odd times that are no lie: no arithmetic overflows.
    for odd in [
        json!({"exp": i64::MAX}),
        json!({"iat": i64::MIN}),
        json!({"iat": i64::MAX}),
        json!({"auth_time": -1}),
    ] {
        let claims = move |mut claims: Value| {
            for (name, value) in odd.as_object().unwrap() {
                claims[name] = value.clone();
            }
            sign("RS256", KID, &claims)
        };
        assert_eq!(sign_in_with(&app, claims).await, 307);
    }
    // No token at all.
    for nonsense in ["", ".", "..", "...", "a.b.c", "é.é.é", "eyJhbGciOiJSUzI1NiJ9"] {
        assert_eq!(
            sign_in_with(&app, move |_| nonsense.to_owned()).await,
            502,
            "{nonsense:?}"
        );
    }
    assert_eq!(sign_in_with(&app, |_| "a".repeat(20_000)).await, 502);
}

#[actix_web::test]
async fn issuer_and_audience_are_checked_when_asked_for() {
    let app =
        TestApp::start_with(|builder| builder.issuers(["https://api.workos.com/"]).audiences(["api"])).await;
    let with = |aud: Value, iss: &'static str| {
        move |mut claims: Value| {
            claims["aud"] = aud.clone();
            claims["iss"] = json!(iss);
            sign("RS256", KID, &claims)
        }
    };
    assert_eq!(
        sign_in_with(&app, with(json!("api"), "https://api.workos.com")).await,
        307
    );
    assert_eq!(
        sign_in_with(&app, with(json!(["x", "api"]), "https://api.workos.com")).await,
        307
    );
    assert_eq!(
        sign_in_with(&app, with(json!("other"), "https://api.workos.com")).await,
        502
    );
    assert_eq!(
        sign_in_with(&app, with(Value::Null, "https://api.workos.com")).await,
        502
    );
    assert_eq!(
        sign_in_with(&app, with(json!("api"), "https://evil.example")).await,
        502
    );
}

#[actix_web::test]
async fn made_up_key_ids_do_not_flood_workos() {
    let app = TestApp::start().await;
    app.signed_in().await;
    assert_eq!(app.workos.counts().jwks, 1);
    app.clock.advance(60);
    let number = std::sync::atomic::AtomicUsize::new(0);
    app.workos.mint_with(move |claims| {
        let kid = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        sign("RS256", &format!("made_up_{kid}"), &claims)
    });
    for _ in 0..10 {
        assert_eq!(
            app.browser().sign_in(&app.workos, "/auth/sign-in").await.status,
            503
        );
    }
    assert_eq!(app.workos.counts().jwks, 2, "one more fetch for ten unknown keys");
    app.clock.advance(10);
    app.browser().sign_in(&app.workos, "/auth/sign-in").await;
    assert_eq!(app.workos.counts().jwks, 3);
}

#[actix_web::test]
async fn the_old_key_set_serves_on_while_workos_is_unreachable() {
    let app = TestApp::start().await;
    app.signed_in().await;
    app.workos.fail_jwks(Some(500));
    app.clock.advance(2 * 60 * 60);
    app.signed_in().await;
}

#[actix_web::test]
async fn sessions_are_bound_to_password_and_name() {
    let app = TestApp::start().await;
    let browser = app.signed_in().await;
    let session = browser.session().unwrap().clone();
    let other =
        TestApp::start_with(|builder| builder.cookie_password("another-password-of-32-characters")).await;
    let mut foreign = other.browser();
    foreign.cookies.insert("wos-session".into(), session.clone());
    assert_eq!(foreign.fetch("/me").await.status, 401);
    for cut in [1, session.len() / 2, session.len() - 4] {
        let mut truncated = app.browser();
        truncated
            .cookies
            .insert("wos-session".into(), session[..cut].to_owned());
        assert_eq!(truncated.fetch("/me").await.status, 401);
    }
}

#[actix_web::test]
async fn signing_in_again_replaces_the_session() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    let fixed = browser.session().cloned();
    browser.sign_in(&app.workos, "/auth/sign-in").await;
    assert_ne!(browser.session().cloned(), fixed);
    assert_eq!(browser.fetch("/me").await.json()["session"], "session_4");
}

#[actix_web::test]
async fn sessions_verified_with_a_withdrawn_key_are_verified_again() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    assert_eq!(browser.fetch("/me").await.json()["jti"], "jti_2");
    app.workos.publish("next_key");
    app.workos.mint_with(|claims| sign("RS256", "next_key", &claims));
    app.clock.advance(60);
    app.signed_in().await;
    // The cached verification no longer counts; a refresh brings a token of the new key.
    assert_eq!(browser.fetch("/me").await.json()["jti"], "jti_5");
    assert_eq!(app.workos.counts().refreshes, 1);
}

#[actix_web::test]
async fn nothing_secret_is_printed() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    let printed = format!("{:?} {}", app.authkit, browser.fetch("/debug").await.body);
    assert!(
        printed.contains("client_1") && printed.contains("user_1"),
        "{printed}"
    );
    for secret in ["sk_test_1", "0123456789abcdef", "eyJ", "refresh_2"] {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
}
