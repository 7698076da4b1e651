//! What MCP clients need: they register themselves, and ask for tokens for one server.

use reqwest::Method;
use serde_json::{Value, json};
use workos::{
    models::CreateAuthkitOAuthResource,
    user_management::{CreateAuthkitOAuthResourceParams, ListAuthkitOAuthResourcesParams},
};
use workos_emulator::ConnectApplication;

use super::{CALLBACK, CHALLENGE, VERIFIER, World, error, oauth_refusal, parameter, refused};
use crate::{
    browser::Browser,
    http,
    sdk::{self, refused as sdk_refused},
};

const MCP: &str = "https://mcp.example.com/mcp";

async fn register(world: &World, metadata: &Value) -> (u16, Value) {
    http::answer(http::client().post(world.url("/oauth2/register")).json(metadata)).await
}

async fn add_resource(world: &World, uri: &str, default: bool) {
    let body = json!({"uri": uri, "default": default});
    let path = "/user_management/authkit_oauth_resources";
    let (status, body) = http::call(&world.emulator, Method::POST, path, &body).await;
    assert_eq!(status, 201, "{body}");
}

#[actix_web::test]
async fn an_application_registers_itself() {
    let world = World::start().await;
    let metadata = json!({
        "client_name": "Inspector", "redirect_uris": ["http://127.0.0.1:6274/callback", "cursor://mcp/callback"],
        "token_endpoint_auth_method": "none", "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"], "client_uri": "https://inspector.example",
    });
    assert_eq!(register(&world, &metadata).await.0, 404, "it is off");
    world
        .set(json!({"connect": {"dynamic_client_registration": true}}))
        .await;
    let (status, registered) = register(&world, &metadata).await;
    assert_eq!(status, 201, "{registered}");
    assert!(registered.get("client_secret").is_none());
    assert_eq!(registered["scope"], "email offline_access openid profile");
    assert_eq!(registered["redirect_uris"], metadata["redirect_uris"]);
    let (_, confidential) = register(&world, &json!({"redirect_uris": [CALLBACK]})).await;
    assert_eq!(confidential["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(confidential["client_secret_expires_at"], 0);
    assert!(confidential["client_secret"].as_str().unwrap().len() >= 32);

    let path = "/connect/applications?registration_types=dynamic";
    let (_, list) = http::call(&world.emulator, Method::GET, path, &Value::Null).await;
    assert_eq!(list["data"].as_array().unwrap().len(), 2);
    let inspector = &list["data"][1];
    assert_eq!(
        (
            &inspector["name"],
            &inspector["was_dynamically_registered"],
            &inspector["is_first_party"]
        ),
        (&json!("Inspector"), &json!(true), &json!(false))
    );
    assert!(inspector.get("organization_id").is_none());
    let both = "/connect/applications?registration_types=dynamic,authenticated";
    let (_, list) = http::call(&world.emulator, Method::GET, both, &Value::Null).await;
    assert_eq!(list["data"].as_array().unwrap().len(), 4);
}

#[actix_web::test]
async fn wrong_metadata_is_refused() {
    let world = World::start().await;
    world
        .set(json!({"connect": {"dynamic_client_registration": true}}))
        .await;
    for (with, error) in [
        (json!({"redirect_uris": []}), "invalid_redirect_uri"),
        (json!({"redirect_uris": null}), "invalid_redirect_uri"),
        (
            json!({"redirect_uris": ["javascript:alert(1)"]}),
            "invalid_redirect_uri",
        ),
        (json!({"redirect_uris": "x"}), "invalid_client_metadata"),
        (
            json!({"token_endpoint_auth_method": "private_key_jwt"}),
            "invalid_client_metadata",
        ),
        (json!({"grant_types": ["implicit"]}), "invalid_client_metadata"),
        (
            json!({"grant_types": ["refresh_token"]}),
            "invalid_client_metadata",
        ),
        (
            json!({"grant_types": ["authorization_code", "client_credentials"]}),
            "invalid_client_metadata",
        ),
        (json!({"response_types": ["token"]}), "invalid_client_metadata"),
        (json!({"scope": "openid reports:read"}), "invalid_client_metadata"),
        (json!({"client_name": 1}), "invalid_client_metadata"),
        (json!({"client_name": "x".repeat(300)}), "invalid_client_metadata"),
    ] {
        let mut metadata = json!({"redirect_uris": [CALLBACK]});
        metadata
            .as_object_mut()
            .unwrap()
            .extend(with.as_object().unwrap().clone());
        assert_eq!(
            oauth_refusal(register(&world, &metadata).await),
            refused(400, error),
            "{with}"
        );
    }
}

#[actix_web::test]
async fn resource_indicators_are_made_listed_and_deleted() {
    let world = World::start().await;
    let sdk = sdk::client(&world.emulator);
    let api = sdk.user_management();
    let create = async |uri: &str, default: Option<bool>| {
        let body = CreateAuthkitOAuthResource {
            uri: uri.to_owned(),
            default,
        };
        api.create_authkit_oauth_resource(CreateAuthkitOAuthResourceParams::new(body))
            .await
    };
    let made = create(MCP, Some(true)).await.unwrap();
    assert_eq!(
        (made.object.as_str(), made.default),
        ("authkit_oauth_resource", true)
    );
    assert!(made.id.starts_with("authkit_oauth_resource_"));
    let other = create("https://*.example.com/mcp", None).await.unwrap();
    assert!(!other.default);
    assert!(
        create("https://api.example.com", Some(true))
            .await
            .unwrap()
            .default
    );
    let params = ListAuthkitOAuthResourcesParams::default();
    let list = api.list_authkit_oauth_resources(params).await.unwrap();
    let listed: Vec<_> = list
        .data
        .iter()
        .map(|one| (one.uri.as_str(), one.default))
        .collect();
    assert_eq!(
        listed,
        [
            ("https://api.example.com", true),
            ("https://*.example.com/mcp", false),
            (MCP, false)
        ]
    );
    for (uri, default) in [
        (MCP, None),
        ("mcp", None),
        ("https://mcp.example.com/#x", None),
        ("https://*.example.org/mcp", Some(true)),
    ] {
        assert_eq!(sdk_refused(create(uri, default).await).status, 422, "{uri}");
    }
    api.delete_authkit_oauth_resource(&made.id).await.unwrap();
    assert_eq!(
        sdk_refused(api.delete_authkit_oauth_resource(&made.id).await).status,
        404
    );
}

#[actix_web::test]
async fn a_token_is_for_the_resource_that_was_asked_for() {
    let world = World::start().await;
    // As long as there are none, the parameter says nothing.
    let code = world.code(&world.first, &[("resource", MCP)]).await;
    let (_, tokens) = world.redeem(&world.first, &code).await;
    let claims = world.verified(&tokens["access_token"]).await;
    assert_eq!(claims["aud"], json!(world.emulator.client_id()));

    add_resource(&world, MCP, true).await;
    add_resource(&world, "https://*.tenants.example/mcp", false).await;
    let scope = ("scope", "openid offline_access");
    for resource in [MCP, "https://acme.tenants.example/mcp"] {
        let code = world.code(&world.first, &[("resource", resource), scope]).await;
        let exchange = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", CALLBACK),
            ("resource", resource),
        ];
        let (status, tokens) = world.token(&world.first, &exchange).await;
        assert_eq!(status, 200, "{tokens}");
        assert_eq!(
            world.verified(&tokens["access_token"]).await["aud"],
            json!(resource)
        );
        let refresh = tokens["refresh_token"].as_str().unwrap();
        let other = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh),
            ("resource", "https://other.tenants.example/mcp"),
        ];
        assert_eq!(
            oauth_refusal(world.token(&world.first, &other).await),
            refused(400, "invalid_target")
        );
        let (_, refreshed) = world.refresh(&world.first, &tokens["refresh_token"]).await;
        assert_eq!(
            world.verified(&refreshed["access_token"]).await["aud"],
            json!(resource)
        );
        assert_eq!(world.userinfo(&refreshed["access_token"]).await.0, 200);
    }
    let unknown = [("resource", "https://evil.example/mcp")];
    assert_eq!(
        error(&world.at_once(&world.first, &unknown).await),
        "invalid_target"
    );
    let plain = world.tokens(&world.first, "openid").await;
    let claims = world.verified(&plain["access_token"]).await;
    assert_eq!(
        claims["aud"],
        json!(world.emulator.client_id()),
        "the default is for others"
    );
}

/// The whole way of an MCP client: it registers, its user signs in and allows it, and the token is for the server.
#[actix_web::test]
async fn a_client_that_registered_itself_asks_and_gets_the_default_resource() {
    let world = World::start().await;
    world
        .set(json!({"connect": {"dynamic_client_registration": true}}))
        .await;
    add_resource(&world, MCP, true).await;
    let metadata = json!({
        "client_name": "Inspector", "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none",
    });
    let (_, registered) = register(&world, &metadata).await;
    let client_id = registered["client_id"].as_str().unwrap();
    let mut inspector: ConnectApplication = world.first.clone();
    inspector.client_id = client_id.to_owned();
    inspector.client_secret = None;
    let url = world.authorize_url(
        &inspector,
        &[("code_challenge", CHALLENGE), ("code_challenge_method", "S256")],
    );
    let browser = Browser::new();
    let page = world.consent_page(&browser, &url).await;
    for text in ["Allow Inspector", MCP, "registered itself"] {
        assert!(page.text.contains(text), "{text} in {}", page.text);
    }
    let callback = browser
        .submit_and_stop(&page, &[("decision", "allow")])
        .await
        .location();
    let code = parameter(&callback, "code").unwrap();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let (status, tokens) = world.token(&inspector, &form).await;
    assert_eq!(status, 200, "{tokens}");
    let claims = world.verified(&tokens["access_token"]).await;
    assert_eq!(claims["aud"], json!(MCP));
    let path = format!("/user_management/users/{}/authorized_applications", world.ada.id);
    let (_, list) = http::call(&world.emulator, Method::GET, &path, &Value::Null).await;
    assert_eq!(list["data"][0]["oauth_resource"], json!(MCP));
}
