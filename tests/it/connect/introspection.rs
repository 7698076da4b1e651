//! Introspection, userinfo, and the tokens of machines.

use serde_json::{Value, json};
use workos_emulator::ConnectApplication;

use super::{EMAIL, World, inactive, keys, oauth_refusal, refused};
use crate::http;

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
