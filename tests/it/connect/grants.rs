//! Codes and refresh tokens: what they are bound to, and how they end.

use serde_json::json;

use super::{CALLBACK, CHALLENGE, VERIFIER, World, inactive, oauth_refusal, refused};

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

/// What is compared is the text, whatever a browser makes of it.
#[actix_web::test]
async fn a_redirect_uri_stays_as_it_was_written() {
    let world = World::start().await;
    for uri in [
        "https://bare.example",
        "com.example.app:/oauth",
        "https://a.example/%7e?x=1",
    ] {
        let application = world.emulator.connect_application("App").redirect_uri(uri);
        let application = application.create().unwrap();
        let code = world.code(&application, &[("redirect_uri", uri)]).await;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", uri),
        ];
        let (status, tokens) = world.token(&application, &form).await;
        assert_eq!(status, 200, "{uri}: {tokens}");
    }
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
