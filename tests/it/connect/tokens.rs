//! The token endpoint, introspection and userinfo.

use reqwest::Method;
use serde_json::{Value, json};
use workos_emulator::ConnectApplication;

use super::{CALLBACK, CHALLENGE, EMAIL, VERIFIER, World, inactive, oauth_refusal, parameter, refused};
use crate::http;

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

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
async fn a_public_application_proves_itself_by_pkce() {
    let world = World::start().await;
    let public = world
        .emulator
        .connect_application("App")
        .redirect_uri(CALLBACK)
        .public();
    let public = public.create().unwrap();
    assert_eq!(public.client_secret, None);
    let pkce = [("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];
    let exchange = async |code: &str, verifier: &str| {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", verifier),
        ];
        world.token(&public, &form).await
    };
    let code = world.code(&public, &pkce).await;
    assert_eq!(exchange(&code, VERIFIER).await.0, 200);
    for verifier in ["", CHALLENGE, &VERIFIER.replace('d', "e")] {
        let code = world.code(&public, &pkce).await;
        assert_eq!(
            oauth_refusal(exchange(&code, verifier).await),
            refused(400, "invalid_grant"),
            "{verifier}"
        );
        assert_eq!(
            oauth_refusal(exchange(&code, VERIFIER).await),
            refused(400, "invalid_grant"),
            "the attempt used the code up"
        );
    }
    // A confidential application may use it as well, and then has to.
    let code = world.code(&world.first, &pkce).await;
    assert_eq!(
        oauth_refusal(world.redeem(&world.first, &code).await),
        refused(400, "invalid_grant")
    );
    let code = world.code(&world.first, &[]).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    assert_eq!(
        oauth_refusal(world.token(&world.first, &form).await),
        refused(400, "invalid_grant"),
        "nothing asked for a verifier"
    );
}

#[actix_web::test]
async fn a_code_is_bound_and_short_lived() {
    let world = World::start().await;
    world.set(json!({"interactive": "never"})).await;
    let invalid = refused(400, "invalid_grant");
    let code = world.code(&world.first, &[]).await;
    assert_eq!(oauth_refusal(world.redeem(&world.third, &code).await), invalid);
    let (status, _) = world.redeem(&world.first, &code).await;
    assert_eq!(status, 200, "a stranger's attempt does not use it up");

    let code = world.code(&world.first, &[]).await;
    let elsewhere = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", "https://reports.example/other"),
    ];
    assert_eq!(
        oauth_refusal(world.token(&world.first, &elsewhere).await),
        invalid
    );
    assert_eq!(oauth_refusal(world.redeem(&world.first, &code).await), invalid);

    let code = world.code(&world.first, &[]).await;
    world.advance(599);
    assert_eq!(world.redeem(&world.first, &code).await.0, 200);
    let code = world.code(&world.first, &[]).await;
    world.advance(600);
    assert_eq!(oauth_refusal(world.redeem(&world.first, &code).await), invalid);
    assert_eq!(
        oauth_refusal(world.redeem(&world.first, "made-up").await),
        invalid
    );
}

/// RFC 6749 section 4.1.2.
#[actix_web::test]
async fn a_code_that_comes_twice_ends_the_tokens_it_was_redeemed_for() {
    let world = World::start().await;
    let other = world.tokens(&world.first, "openid offline_access").await;
    let code = world
        .code(&world.first, &[("scope", "openid offline_access")])
        .await;
    let (_, tokens) = world.redeem(&world.first, &code).await;
    let (_, refreshed) = world.refresh(&world.first, &tokens["refresh_token"]).await;
    for tokens in [&tokens, &refreshed] {
        assert_eq!(world.userinfo(&tokens["access_token"]).await.0, 200);
    }
    assert_eq!(
        oauth_refusal(world.redeem(&world.first, &code).await),
        refused(400, "invalid_grant")
    );
    for tokens in [&tokens, &refreshed] {
        assert_eq!(world.userinfo(&tokens["access_token"]).await.0, 401);
        assert_eq!(
            world.introspect(&world.first, &tokens["access_token"]).await,
            inactive()
        );
    }
    assert_eq!(
        oauth_refusal(world.refresh(&world.first, &refreshed["refresh_token"]).await),
        refused(400, "invalid_grant")
    );
    // What came from another code goes on.
    assert_eq!(world.userinfo(&other["access_token"]).await.0, 200);
    assert_eq!(world.refresh(&world.first, &other["refresh_token"]).await.0, 200);
}

#[actix_web::test]
async fn refresh_tokens_rotate() {
    let world = World::start().await;
    world.emulator.clock().freeze();
    let first = world
        .tokens(&world.first, "openid offline_access reports:read")
        .await;
    let (status, second) = world.refresh(&world.first, &first["refresh_token"]).await;
    assert_eq!(status, 200, "{second}");
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    let claims = world.verified(&second["access_token"]).await;
    assert_eq!(claims["sid"], world.verified(&first["access_token"]).await["sid"]);
    assert!(world.verified(&second["id_token"]).await.get("nonce").is_none());

    // Whoever lost the answer gets it again, for half a minute.
    world.advance(29);
    let (_, again) = world.refresh(&world.first, &first["refresh_token"]).await;
    assert_eq!(again, second);
    world.advance(1);
    let late = oauth_refusal(world.refresh(&world.first, &first["refresh_token"]).await);
    assert_eq!(late, refused(400, "invalid_grant"));
    // That ends nothing, unless it is set.
    let (status, third) = world.refresh(&world.first, &second["refresh_token"]).await;
    assert_eq!(status, 200);
    world.set(json!({"refresh_token_reuse_ends_session": true})).await;
    world.advance(30);
    assert_eq!(
        oauth_refusal(world.refresh(&world.first, &second["refresh_token"]).await),
        refused(400, "invalid_grant")
    );
    assert_eq!(
        oauth_refusal(world.refresh(&world.first, &third["refresh_token"]).await),
        refused(400, "invalid_grant")
    );
    assert_eq!(world.userinfo(&third["access_token"]).await.0, 401);
}

#[actix_web::test]
async fn a_refresh_token_is_bound_and_not_for_ever() {
    let world = World::start().await;
    world
        .set(json!({"interactive": "never", "session_inactivity": 1000, "session_lifetime": 2500}))
        .await;
    let tokens = world
        .tokens(&world.first, "openid offline_access reports:read")
        .await;
    let invalid = refused(400, "invalid_grant");
    assert_eq!(
        oauth_refusal(world.refresh(&world.third, &tokens["refresh_token"]).await),
        invalid
    );
    let asked = async |scope: &str| {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
            ("scope", scope),
        ];
        world.token(&world.first, &form).await
    };
    assert_eq!(
        oauth_refusal(asked("openid email").await),
        refused(400, "invalid_scope")
    );
    let (status, narrow) = asked("reports:read").await;
    assert_eq!((status, &narrow["scope"]), (200, &json!("reports:read")));
    assert!(narrow.get("id_token").is_none());
    let (_, whole) = world.refresh(&world.first, &narrow["refresh_token"]).await;
    assert_eq!(
        whole["scope"], "offline_access openid reports:read",
        "the authorization is as wide as before"
    );

    world.advance(999);
    let (status, next) = world.refresh(&world.first, &whole["refresh_token"]).await;
    assert_eq!(status, 200);
    world.advance(1000);
    assert_eq!(
        oauth_refusal(world.refresh(&world.first, &next["refresh_token"]).await),
        invalid
    );
    assert_eq!(
        world.introspect(&world.first, &next["refresh_token"]).await,
        inactive()
    );
    let tokens = world.tokens(&world.first, "openid offline_access").await;
    let mut token = tokens["refresh_token"].clone();
    for _ in 0..2 {
        world.advance(999);
        token = world.refresh(&world.first, &token).await.1["refresh_token"].clone();
    }
    world.advance(502);
    assert_eq!(
        oauth_refusal(world.refresh(&world.first, &token).await),
        invalid,
        "its longest life is over"
    );
}

async fn machine_token(world: &World, machine: &ConnectApplication, scope: &str) -> (u16, Value) {
    let form = [("grant_type", "client_credentials"), ("scope", scope)];
    world.token(machine, &form).await
}

#[actix_web::test]
async fn a_machine_gets_a_token_for_its_organization() {
    let world = World::start().await;
    let machine = world.emulator.connect_application("Robot").m2m(&world.acme);
    let machine = machine.scopes(["robots:run", "reports:read"]).create().unwrap();
    let (status, tokens) = machine_token(&world, &machine, "").await;
    assert_eq!(status, 200, "{tokens}");
    assert_eq!(
        keys(&tokens),
        ["access_token", "expires_in", "scope", "token_type"]
    );
    let claims = world.verified(&tokens["access_token"]).await;
    assert_eq!(
        keys(&claims),
        ["exp", "iat", "iss", "jti", "org_id", "scope", "sub"]
    );
    assert_eq!(claims["sub"], json!(machine.client_id));
    assert_eq!(claims["org_id"], json!(world.acme.id));
    assert_eq!(claims["scope"], "reports:read robots:run");
    let (_, narrow) = machine_token(&world, &machine, "robots:run").await;
    assert_eq!(narrow["scope"], "robots:run");
    for scope in ["openid", "reports:write"] {
        assert_eq!(
            oauth_refusal(machine_token(&world, &machine, scope).await),
            refused(400, "invalid_scope")
        );
    }
    assert_eq!(
        oauth_refusal(machine_token(&world, &world.first, "").await),
        refused(400, "unauthorized_client")
    );
    assert_eq!(
        oauth_refusal(world.redeem(&machine, "x").await),
        refused(400, "unauthorized_client")
    );
    let mut without = machine.clone();
    without.client_secret = None;
    assert_eq!(
        oauth_refusal(machine_token(&world, &without, "").await),
        refused(401, "invalid_client")
    );

    let seen = world.introspect(&machine, &tokens["access_token"]).await;
    assert_eq!(
        keys(&seen),
        [
            "active",
            "client_id",
            "exp",
            "iat",
            "iss",
            "org_id",
            "scope",
            "sub",
            "token_type"
        ]
    );
    assert_eq!(
        oauth_refusal(world.userinfo(&tokens["access_token"]).await),
        refused(401, "invalid_token")
    );
    world.advance(300);
    assert_eq!(
        world.introspect(&machine, &tokens["access_token"]).await,
        inactive()
    );
}

#[actix_web::test]
async fn introspection_tells_what_a_token_is_good_for() {
    let world = World::start().await;
    let tokens = world.tokens(&world.first, "openid offline_access").await;
    let access = world.introspect(&world.first, &tokens["access_token"]).await;
    assert_eq!(
        keys(&access),
        [
            "active",
            "client_id",
            "exp",
            "iat",
            "iss",
            "jti",
            "org_id",
            "scope",
            "sid",
            "sub",
            "token_type"
        ]
    );
    assert_eq!(
        (&access["active"], &access["token_type"]),
        (&json!(true), &json!("access_token"))
    );
    let refresh = world.introspect(&world.first, &tokens["refresh_token"]).await;
    assert_eq!(
        keys(&refresh),
        [
            "active",
            "client_id",
            "iat",
            "iss",
            "org_id",
            "scope",
            "sub",
            "token_type"
        ]
    );
    assert_eq!(
        (&refresh["sub"], &refresh["token_type"]),
        (&json!(world.ada.id), &json!("refresh_token"))
    );

    // The environment itself may ask as well, a third party about its own tokens alone.
    let api_key = world.emulator.api_key();
    let form = [
        ("client_id", world.emulator.client_id()),
        ("client_secret", api_key.as_str()),
        ("token", tokens["access_token"].as_str().unwrap()),
    ];
    assert_eq!(world.post("/oauth2/introspection", &form).await.1["active"], true);
    assert_eq!(
        world.introspect(&world.third, &tokens["access_token"]).await,
        inactive()
    );

    world.refresh(&world.first, &tokens["refresh_token"]).await;
    assert_eq!(
        world.introspect(&world.first, &tokens["refresh_token"]).await,
        inactive(),
        "it was exchanged"
    );
    for token in [&tokens["id_token"], &json!("made-up"), &json!("a.b.c")] {
        assert_eq!(world.introspect(&world.first, token).await, inactive());
    }
    let session = world.emulator.sign_in(&world.ada).await.unwrap();
    assert_eq!(
        world.introspect(&world.first, &json!(session.access_token)).await,
        inactive(),
        "AuthKit's are none of Connect's"
    );
    world.advance(300);
    assert_eq!(
        world.introspect(&world.first, &tokens["access_token"]).await,
        inactive()
    );

    let id = ("client_id", world.first.client_id.as_str());
    let secret = ("client_secret", world.first.client_secret.as_deref().unwrap());
    assert_eq!(
        oauth_refusal(world.post("/oauth2/introspection", &[id, ("token", "x")]).await),
        refused(401, "invalid_client")
    );
    assert_eq!(
        oauth_refusal(world.post("/oauth2/introspection", &[id, secret]).await),
        refused(400, "invalid_request")
    );
}

#[actix_web::test]
async fn userinfo_tells_what_the_scopes_allow() {
    let world = World::start().await;
    let tokens = world.tokens(&world.first, "openid profile").await;
    let (status, info) = world.userinfo(&tokens["access_token"]).await;
    let name =
        json!({"sub": world.ada.id, "name": "Ada Lovelace", "given_name": "Ada", "family_name": "Lovelace"});
    assert_eq!((status, info), (200, name));
    let tokens = world.tokens(&world.first, "openid email").await;
    let by_post = http::client().post(world.url("/oauth2/userinfo"));
    let by_post = by_post.bearer_auth(tokens["access_token"].as_str().unwrap());
    let (_, info) = http::answer(by_post).await;
    assert_eq!(
        info,
        json!({"sub": world.ada.id, "email": EMAIL, "email_verified": true})
    );

    let nobody = http::client()
        .get(world.url("/oauth2/userinfo"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (nobody.status().as_u16(), &nobody.headers()["www-authenticate"]),
        (401, &"Bearer".parse().unwrap())
    );
    assert_eq!(
        nobody.json::<Value>().await.unwrap(),
        json!({"error": "unauthorized"})
    );
    let made_up = http::client()
        .get(world.url("/oauth2/userinfo"))
        .bearer_auth("a.b.c");
    let made_up = made_up.send().await.unwrap();
    let challenge = made_up.headers()["www-authenticate"].to_str().unwrap();
    assert!(
        challenge.starts_with("Bearer error=\"invalid_token\""),
        "{challenge}"
    );
    let without = world.tokens(&world.first, "reports:read").await;
    assert_eq!(
        oauth_refusal(world.userinfo(&without["access_token"]).await),
        refused(403, "insufficient_scope")
    );
    assert_eq!(
        oauth_refusal(world.userinfo(&tokens["id_token"]).await),
        refused(401, "invalid_token")
    );
    world.advance(300);
    assert_eq!(
        oauth_refusal(world.userinfo(&tokens["access_token"]).await),
        refused(401, "invalid_token")
    );
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
