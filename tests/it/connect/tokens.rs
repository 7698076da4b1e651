//! The token endpoint: what tokens say, and who gets them.

use reqwest::Method;
use serde_json::{Value, json};

use super::{CALLBACK, EMAIL, World, keys, oauth_refusal, parameter, refused};
use crate::http;

#[actix_web::test]
async fn tokens_say_what_the_documentation_says() {
    let world = World::start().await;
    let code = world
        .code(&world.first, &[("nonce", "n-1"), ("max_age", "60")])
        .await;
    let (status, tokens) = world.redeem(&world.first, &code).await;
    assert_eq!(status, 200);
    assert_eq!(
        keys(&tokens),
        ["access_token", "expires_in", "id_token", "scope", "token_type"],
        "no refresh token without offline_access"
    );
    assert_eq!(
        (&tokens["token_type"], &tokens["expires_in"]),
        (&json!("bearer"), &json!(300))
    );
    let access = world.verified(&tokens["access_token"]).await;
    assert_eq!(access["iss"], json!(world.emulator.url()));
    assert_eq!(access["aud"], json!(world.emulator.client_id()));
    assert_eq!(access["sub"], json!(world.ada.id));
    assert_eq!(access["org_id"], json!(world.acme.id));
    assert_eq!(access["client_id"], json!(world.first.client_id));
    assert_eq!(access["scope"], "email openid profile");
    assert!(
        access["sid"]
            .as_str()
            .unwrap()
            .starts_with("authorized_connect_app_")
    );
    assert_eq!(
        access["exp"].as_i64().unwrap() - access["iat"].as_i64().unwrap(),
        300
    );
    assert_eq!(
        keys(&access),
        [
            "aud",
            "client_id",
            "exp",
            "iat",
            "iss",
            "jti",
            "org_id",
            "scope",
            "sid",
            "sub"
        ]
    );

    let id = world.verified(&tokens["id_token"]).await;
    assert_eq!(
        keys(&id),
        [
            "aud",
            "auth_time",
            "email",
            "email_verified",
            "exp",
            "family_name",
            "given_name",
            "iat",
            "iss",
            "name",
            "nonce",
            "sub"
        ]
    );
    assert_eq!(
        (&id["aud"], &id["nonce"]),
        (&json!(world.first.client_id), &json!("n-1"))
    );
    assert_eq!(
        (&id["email"], &id["email_verified"]),
        (&json!(EMAIL), &json!(true))
    );
    assert_eq!(id["name"], "Ada Lovelace");
    assert_eq!(id["auth_time"], id["iat"]);

    let plain = world.tokens(&world.first, "reports:read").await;
    assert!(plain.get("id_token").is_none(), "openid was not asked for");
    let bare = world.tokens(&world.first, "openid").await;
    let bare = world.verified(&bare["id_token"]).await;
    assert_eq!(keys(&bare), ["aud", "exp", "iat", "iss", "sub"]);
}

#[actix_web::test]
async fn the_jwt_template_applies_but_does_not_say_whose_token_it_is() {
    let world = World::start().await;
    let content = r#"{"email": {{ user.email }}, "sid": "x", "scope": "all", "org_id": "org_other", "urn:x": {{ organization.name }}}"#;
    let body = json!({"content": content});
    let (status, _) = http::call(
        &world.emulator,
        Method::PUT,
        "/user_management/jwt_template",
        &body,
    )
    .await;
    assert_eq!(status, 200);
    let tokens = world.tokens(&world.first, "openid").await;
    let claims = world.verified(&tokens["access_token"]).await;
    assert_eq!(
        (&claims["email"], &claims["urn:x"]),
        (&json!(EMAIL), &json!("Acme"))
    );
    assert_eq!(
        (&claims["scope"], &claims["org_id"]),
        (&json!("openid"), &json!(world.acme.id))
    );
    assert_ne!(claims["sid"], "x");
    assert_eq!(world.userinfo(&tokens["access_token"]).await.0, 200);

    let too_big = json!({"content": format!(r#"{{"a": "{}"}}"#, "x".repeat(4000))});
    http::call(
        &world.emulator,
        Method::PUT,
        "/user_management/jwt_template",
        &too_big,
    )
    .await;
    let code = world.code(&world.first, &[]).await;
    assert_eq!(
        oauth_refusal(world.redeem(&world.first, &code).await),
        refused(400, "token_too_big")
    );
}

#[actix_web::test]
async fn a_client_proves_itself_in_either_way_and_in_one_only() {
    let world = World::start().await;
    let application = &world.first;
    let secret = application.client_secret.as_deref().unwrap();
    let form = |code: &str| {
        vec![
            ("grant_type".to_owned(), "authorization_code".to_owned()),
            ("code".to_owned(), code.to_owned()),
            ("redirect_uri".to_owned(), CALLBACK.to_owned()),
        ]
    };
    let code = world.code(application, &[]).await;
    let request = || http::client().post(world.url("/oauth2/token"));
    let basic = request()
        .basic_auth(&application.client_id, Some(secret))
        .form(&form(&code));
    assert_eq!(http::answer(basic).await.0, 200);

    let code = world.code(application, &[]).await;
    let wrong = request()
        .basic_auth(&application.client_id, Some("wrong"))
        .form(&form(&code));
    let response = wrong.send().await.unwrap();
    assert_eq!(response.status(), 401);
    assert!(
        response.headers()["www-authenticate"]
            .to_str()
            .unwrap()
            .starts_with("Basic ")
    );
    assert_eq!(response.json::<Value>().await.unwrap()["error"], "invalid_client");
    let mut twice = form(&code);
    twice.push(("client_secret".to_owned(), secret.to_owned()));
    let twice = request()
        .basic_auth(&application.client_id, Some(secret))
        .form(&twice);
    assert_eq!(
        oauth_refusal(http::answer(twice).await),
        refused(400, "invalid_request")
    );
    let mut without = application.clone();
    without.client_secret = None;
    assert_eq!(
        oauth_refusal(world.redeem(&without, &code).await),
        refused(401, "invalid_client")
    );
    let mut foreign = application.clone();
    foreign.client_secret = world.third.client_secret.clone();
    assert_eq!(
        oauth_refusal(world.redeem(&foreign, &code).await),
        refused(401, "invalid_client"),
        "another application's secret"
    );
    // None of this has used the code up.
    let (status, tokens) = world.redeem(application, &code).await;
    assert_eq!(status, 200, "{tokens}");
}

#[actix_web::test]
async fn what_is_wrong_with_a_request_is_told_in_oauths_form() {
    let world = World::start().await;
    assert_eq!(
        oauth_refusal(world.token(&world.first, &[]).await),
        refused(400, "invalid_request")
    );
    for (form, error) in [
        (vec![("grant_type", "password")], "unsupported_grant_type"),
        (vec![("grant_type", "authorization_code")], "invalid_request"),
        (
            vec![("grant_type", "authorization_code"), ("code", "x")],
            "invalid_request",
        ),
        (vec![("grant_type", "refresh_token")], "invalid_request"),
        (
            vec![("grant_type", "urn:ietf:params:oauth:grant-type:device_code")],
            "invalid_request",
        ),
        (
            vec![("grant_type", "refresh_token"), ("grant_type", "refresh_token")],
            "invalid_request",
        ),
    ] {
        assert_eq!(
            oauth_refusal(world.token(&world.first, &form).await),
            refused(400, error),
            "{form:?}"
        );
    }
    let code = world.code(&world.first, &[]).await;
    let request = http::client().post(world.url("/oauth2/token")).form(&[
        ("grant_type", "authorization_code"),
        ("client_id", &world.first.client_id),
        ("client_secret", world.first.client_secret.as_deref().unwrap()),
        ("code", &code),
        ("redirect_uri", CALLBACK),
    ]);
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(parameter(&world.at_once(&world.first, &[]).await, "error"), None);
}
