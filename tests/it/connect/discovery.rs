//! What clients find out by themselves, from wherever they ask.

use reqwest::Method;
use serde_json::{Value, json};
use workos::{CreateCorsOrigin, user_management::CreateCorsOriginParams};
use workos_emulator::Emulator;

use super::{CALLBACK, World};
use crate::{http, sdk};

async fn document(emulator: &Emulator, path: &str) -> Value {
    let (status, body) = http::answer(http::client().get(format!("{}{path}", emulator.url()))).await;
    assert_eq!(status, 200, "{body}");
    body
}

#[actix_web::test]
async fn the_documents_have_the_members_of_production() {
    let world = World::start().await;
    let url = world.emulator.url();
    let openid = document(&world.emulator, "/.well-known/openid-configuration").await;
    assert_eq!(
        openid,
        json!({
            "issuer": url,
            "authorization_endpoint": format!("{url}/oauth2/authorize"),
            "device_authorization_endpoint": format!("{url}/oauth2/device_authorization"),
            "grant_types_supported": [
                "authorization_code", "client_credentials", "refresh_token",
                "urn:ietf:params:oauth:grant-type:device_code",
            ],
            "id_token_signing_alg_values_supported": ["RS256"],
            "introspection_endpoint": format!("{url}/oauth2/introspection"),
            "jwks_uri": format!("{url}/oauth2/jwks"),
            "response_types_supported": ["code"],
            "scopes_supported": ["email", "offline_access", "openid", "profile"],
            "subject_types_supported": ["public"],
            "token_endpoint": format!("{url}/oauth2/token"),
            "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
            "userinfo_endpoint": format!("{url}/oauth2/userinfo"),
        })
    );
    let oauth = document(&world.emulator, "/.well-known/oauth-authorization-server").await;
    assert_eq!(oauth["issuer"], json!(url));
    assert_eq!(oauth["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(
        oauth["token_endpoint_auth_methods_supported"],
        json!(["none", "client_secret_post", "client_secret_basic"])
    );
    assert!(oauth.get("registration_endpoint").is_none(), "it is off");
    world
        .set(json!({"connect": {"dynamic_client_registration": true}}))
        .await;
    let oauth = document(&world.emulator, "/.well-known/oauth-authorization-server").await;
    assert_eq!(
        oauth["registration_endpoint"],
        json!(format!("{url}/oauth2/register"))
    );
    assert_eq!(
        document(&world.emulator, "/oauth2/jwks").await,
        document(
            &world.emulator,
            &format!("/sso/jwks/{}", world.emulator.client_id())
        )
        .await
    );
}

#[actix_web::test]
async fn pages_of_registered_origins_may_call_what_browsers_call() {
    const APP: &str = "https://app.example.com";
    let world = World::start().await;
    let params = CreateCorsOriginParams::new(CreateCorsOrigin {
        origin: APP.to_owned(),
    });
    let sdk = sdk::client(&world.emulator);
    sdk.user_management().create_cors_origin(params).await.unwrap();
    for (method, path, open) in [
        (Method::POST, "/oauth2/token", true),
        (Method::GET, "/oauth2/userinfo", true),
        (Method::GET, "/oauth2/jwks", true),
        (Method::POST, "/oauth2/register", true),
        (Method::POST, "/oauth2/device_authorization", true),
        (Method::GET, "/.well-known/openid-configuration", true),
        (Method::GET, "/.well-known/oauth-authorization-server", true),
        (Method::POST, "/oauth2/introspection", false),
        (Method::GET, "/authkit/consent", false),
    ] {
        for (origin, allowed) in [(APP, open), ("https://evil.example", false)] {
            let request = http::client().request(method.clone(), world.url(path));
            let response = request.header("origin", origin).send().await.unwrap();
            let header = response.headers().get("access-control-allow-origin");
            let expected = allowed.then(|| APP.parse().unwrap());
            assert_eq!(header, expected.as_ref(), "{method} {path} {origin}");
        }
    }
}

#[actix_web::test]
async fn each_environment_has_applications_of_its_own() {
    let world = World::start().await;
    let other = world.emulator.environment("other").unwrap();
    other.user("bob@example.com").create().unwrap();
    let application = other.connect_application("Other").redirect_uri(CALLBACK);
    let application = application.create().unwrap();
    // The client id says which environment is meant, wherever it stands.
    let hint = [("login_hint", "bob@example.com")];
    let url = world.authorize_url(&application, &hint);
    let response = http::client().get(url).send().await.unwrap();
    let callback = response.headers()["location"].to_str().unwrap().parse().unwrap();
    let code = super::parameter(&callback, "code").unwrap();
    let request = http::client()
        .post(world.url("/oauth2/token"))
        .basic_auth(&application.client_id, application.client_secret.as_deref())
        .form(&[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", CALLBACK),
        ]);
    let (status, tokens) = http::answer(request).await;
    assert_eq!(status, 200, "{tokens}");
    let claims = world.verified(&tokens["access_token"]).await;
    assert_eq!(claims["aud"], json!(other.client_id()));
    let (_, info) = world.userinfo(&tokens["access_token"]).await;
    assert_eq!(info["email"], "bob@example.com");
    let (_, jwks) = http::answer(http::client().get(world.url(&format!(
        "/.well-known/openid-configuration?client_id={}",
        other.client_id()
    ))))
    .await;
    assert!(
        jwks["jwks_uri"].as_str().unwrap().ends_with(other.client_id()),
        "{jwks}"
    );

    // A copy has its own client ids, as it has its own keys.
    let fork = world.emulator.fork("fork").unwrap();
    let path = "/connect/applications";
    let ids = async |environment| {
        let (_, list) = http::call(environment, Method::GET, path, &Value::Null).await;
        let list = list["data"].as_array().unwrap().clone();
        list.iter()
            .map(|one| (one["id"].clone(), one["client_id"].clone()))
            .collect::<Vec<_>>()
    };
    let (own, copied) = (ids(&world.emulator).await, ids(&fork).await);
    assert_eq!((own.len(), copied.len()), (2, 2));
    for ((own_id, own_client), (id, client)) in own.iter().zip(&copied) {
        assert_eq!(own_id, id);
        assert_ne!(own_client, client);
    }
}

#[actix_web::test]
async fn a_seed_brings_applications() {
    let seed = "
users: [{email: ada@example.com}]
organizations: [{name: Acme, memberships: [{email: ada@example.com}]}]
connectApplications:
  - {name: Robot, organization: Acme, client_id: robot, client_secret: hush, scopes: ['robots:run'], audience: 'https://api.example'}
  - {name: Forum, type: oauth, client_id: client_forum, client_secret: hush, redirect_uris: ['https://reports.example/callback']}
  - {name: Partner, type: oauth, organization: Acme, redirect_uris: ['https://reports.example/callback'], uses_pkce: true}
settings: {strict_client_id: true}
";
    let emulator = Emulator::builder().seed(seed).start().await.unwrap();
    assert_eq!(emulator.seeded()["connectApplications"], 3);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "robot"),
        ("client_secret", "hush"),
    ];
    let url = format!("{}/oauth2/token", emulator.url());
    let (status, tokens) = http::answer(http::client().post(&url).form(&form)).await;
    assert_eq!(status, 200, "{tokens}");
    assert_eq!(tokens["scope"], "robots:run");
    let (_, list) = http::call(&emulator, Method::GET, "/connect/applications", &Value::Null).await;
    let parties: Vec<_> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["name"].clone(),
                one["is_first_party"].clone(),
                one["uses_pkce"].clone(),
            )
        })
        .collect();
    assert_eq!(
        json!(parties),
        json!([
            ["Partner", false, true],
            ["Forum", true, false],
            ["Robot", null, null]
        ])
    );
    // Another environment cannot take a client id that this one has.
    let other = emulator.environment("other").unwrap();
    let refused = other
        .seed(
            "organizations: [{name: A}]\nconnectApplications: [{name: R, organization: A, client_id: robot}]",
        )
        .unwrap_err();
    assert!(
        refused.to_string().contains("connectApplications[0].client_id"),
        "{refused}"
    );
}
