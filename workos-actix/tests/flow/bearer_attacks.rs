//! What an attacker puts into `Authorization`.

use actix_web::{
    App,
    http::header::HeaderValue,
    test::{TestRequest, call_service, init_service, read_body_json},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    app::{TestApp, pages},
    bearer_tokens::{accepting, claims, token, with},
    fake_workos::{KID, NOW, modulus, sign, sign_text, sign_with_header, unsigned},
};

/// The description with which the token is refused, or `None` where it is not.
pub(crate) async fn refusal(app: &TestApp, token: &str) -> Option<String> {
    let response = app.browser().ask("/who", token).await;
    if response.status == 200 {
        return None;
    }
    assert_eq!(response.refusal(), (401, "invalid_token".to_owned()), "{token}");
    let challenge = response.header("www-authenticate");
    let description = challenge.split("error_description=\"").nth(1).unwrap();
    Some(description.trim_end_matches('"').to_owned())
}

#[actix_web::test]
async fn forged_tokens_are_refused() {
    let app = accepting().await;
    assert_eq!(refusal(&app, &token(&claims())).await, None, "the genuine one");
    let signature = "the signature of the token is not accepted";
    let hmac = {
        let signed = unsigned(&json!({ "alg": "HS256", "kid": KID }), &claims());
        let mut mac = Hmac::<Sha256>::new_from_slice(modulus().as_bytes()).unwrap();
        mac.update(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    };
    let genuine = token(&claims());
    let (_, of_genuine) = genuine.rsplit_once('.').unwrap();
    let admin = with(&json!({ "role": "owner" }));
    let spliced = format!(
        "{}.{of_genuine}",
        unsigned(&json!({ "alg": "RS256", "kid": KID }), &admin)
    );
    for forged in [
        format!("{}.", unsigned(&json!({ "alg": "none", "kid": KID }), &claims())),
        sign("none", KID, &claims()),
        sign("None", KID, &claims()),
        sign("RS512", KID, &claims()),
        sign("PS256", KID, &claims()),
        sign("HS256", KID, &claims()),
        hmac,
        spliced,
        sign("RS256", "unknown_key", &claims()),
        sign("RS256", "", &claims()),
    ] {
        assert_eq!(
            refusal(&app, &forged).await.as_deref(),
            Some(signature),
            "{forged}"
        );
    }
    let header = |text: &str| {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        sign_text(&format!("{}.{}", encode(text), encode(&claims().to_string())))
    };
    for malformed in [
        // Two key ids: whoever reads the other one sees another token.
        header(&format!(r#"{{"alg":"RS256","kid":"{KID}","kid":"other"}}"#)),
        header(&format!(r#"{{"alg":"RS256","kid":"other","kid":"{KID}"}}"#)),
        header(&format!(r#"{{"alg":"none","alg":"RS256","kid":"{KID}"}}"#)),
        header(r#"{"alg":"RS256"}"#),
        header(&format!(r#"{{"alg":"RS256","kid":["{KID}"]}}"#)),
        sign_with_header(&json!({ "alg": "RS256", "kid": KID, "crit": ["exp"] }), &claims()),
        sign_text(&format!("{}.e30", URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#))),
        format!("{genuine}.x"),
        format!("x.{genuine}"),
        genuine.replacen('.', "", 1),
        "...".to_owned(),
        "eyJhbGciOiJSUzI1NiJ9".to_owned(),
    ] {
        let refused = refusal(&app, &malformed).await;
        assert_eq!(refused.as_deref(), Some("the token is malformed"), "{malformed}");
    }
}

#[actix_web::test]
async fn genuine_tokens_for_something_else_are_refused() {
    let app = accepting().await;
    for (changes, description) in [
        (json!({ "exp": NOW - 5 }), "the token has expired"),
        (json!({ "nbf": NOW + 60 }), "the token is not valid yet"),
        (json!({ "nbf": "0" }), "the token is malformed"),
        (json!({ "exp": null }), "the token is malformed"),
        (json!({ "exp": "9999999999" }), "the token is malformed"),
        // Another application's; Connect's, for other people's applications; a widget's.
        (
            json!({ "client_id": "client_2" }),
            "the token is for another application",
        ),
        (json!({ "aud": "client_1" }), "the token is for another audience"),
        (
            json!({ "aud": ["client_1", "x"] }),
            "the token is for another audience",
        ),
        (json!({ "aud": 1 }), "the token is for another audience"),
        (json!({ "sid": null }), "the token is not that of a session"),
        (json!({ "sid": "" }), "the token is not that of a session"),
        (json!({ "sub": "" }), "the token is not that of a session"),
        (
            json!({ "sid": null, "sub": "client_9" }),
            "access tokens of machines are not accepted here",
        ),
    ] {
        let refused = refusal(&app, &token(&with(&changes))).await;
        assert_eq!(refused.as_deref(), Some(description), "{changes}");
    }
    assert_eq!(
        refusal(&app, &token(&with(&json!({ "client_id": "client_1" })))).await,
        None
    );
    assert_eq!(
        refusal(&app, "sk_1234567890").await.as_deref(),
        Some("API keys are not accepted here")
    );

    let app = TestApp::start_with(|builder| {
        let builder = builder.bearer_tokens().audiences(["api"]);
        builder.issuers(["https://api.workos.com/"])
    })
    .await;
    for (changes, description) in [
        (
            json!({ "aud": "api", "iss": "https://evil.example" }),
            "the token is from another issuer",
        ),
        (
            json!({ "aud": "api", "iss": null }),
            "the token is from another issuer",
        ),
        (json!({ "aud": "x" }), "the token is for another audience"),
        (json!({}), "the token is for another audience"),
    ] {
        let refused = refusal(&app, &token(&with(&changes))).await;
        assert_eq!(refused.as_deref(), Some(description), "{changes}");
    }
    assert_eq!(
        refusal(&app, &token(&with(&json!({ "aud": ["x", "api"] })))).await,
        None
    );
}

#[actix_web::test]
async fn made_up_key_ids_do_not_flood_workos() {
    let app = accepting().await;
    assert_eq!(app.browser().ask("/who", &token(&claims())).await.status, 200);
    app.clock.advance(60);
    let flood = (0..50).map(|number| {
        let (mut browser, token) = (
            app.browser(),
            sign("RS256", &format!("made_up_{number}"), &claims()),
        );
        actix_web::rt::spawn(async move { browser.ask("/who", &token).await.status })
    });
    for asked in flood.collect::<Vec<_>>() {
        assert_eq!(asked.await.unwrap(), 401);
    }
    assert_eq!(app.workos.counts().jwks, 2);
    assert_eq!(app.browser().ask("/who", &token(&claims())).await.status, 200);
}

#[actix_web::test]
async fn odd_headers_are_refused_and_do_no_harm() {
    let app = TestApp::start_with(|builder| builder.bearer_tokens().api_keys()).await;
    let service = init_service(App::new().wrap(app.authkit.middleware()).configure(pages)).await;
    let genuine = format!("Bearer {}", token(&claims()));
    let huge = [&b"Bearer "[..], &[b'a'; 100_000]].concat();
    let huge_key = [&b"Bearer sk_"[..], &[b'a'; 1000]].concat();
    let invalid = (401, "invalid_token");
    let cases: [(&[&[u8]], _); 14] = [
        (
            &[genuine.as_bytes(), genuine.as_bytes()],
            (400, "invalid_request"),
        ),
        (&[genuine.as_bytes(), b"Basic YTpi"], (400, "invalid_request")),
        (&[b"", genuine.as_bytes()], (400, "invalid_request")),
        (&[b"Bearer"], invalid),
        (&[b"Bearer "], invalid),
        (&[b"Bearer \xff\xfe"], invalid),
        (&[b"Bearer \xc3\xa9.\xc3\xa9.\xc3\xa9"], invalid),
        (&[b"Bearer a b c"], invalid),
        (&[b"Bearer a.b.c, Bearer d.e.f"], invalid),
        (&[b"bearer null"], invalid),
        (&[b"BEARER undefined"], invalid),
        (&[&huge], invalid),
        (&[&huge_key], invalid),
        (&[b"Bearer sk_"], invalid),
    ];
    for (values, (status, code)) in cases {
        let mut request = TestRequest::get().uri("/who");
        for value in values {
            request = request.append_header(("authorization", HeaderValue::from_bytes(value).unwrap()));
        }
        let response = call_service(&service, request.to_request()).await;
        assert_eq!(response.status(), status, "{values:?}");
        let challenge = response
            .headers()
            .get("www-authenticate")
            .unwrap()
            .to_str()
            .unwrap();
        assert!(
            challenge.starts_with(&format!("Bearer error=\"{code}\"")),
            "{challenge}"
        );
        let body: Value = read_body_json(response).await;
        assert_eq!(body["code"], code);
    }
    assert_eq!(app.workos.api().calls().validations, 0, "none of them is a key");
    for scheme in ["bearer", "BEARER", "bEaReR", "Bearer  "] {
        let value = genuine.replacen("Bearer", scheme, 1);
        let request = TestRequest::get()
            .uri("/who")
            .insert_header(("authorization", value));
        assert_eq!(
            call_service(&service, request.to_request()).await.status(),
            200,
            "{scheme}"
        );
    }
}
