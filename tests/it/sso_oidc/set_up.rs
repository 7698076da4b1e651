//! How a connection is set up for a provider, and what becomes of it.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use workos_emulator::Emulator;

use super::{
    CALLBACK, Issuer, World, follow,
    issuer::{CLIENT_ID, CLIENT_KEY, CLIENT_SECRET},
    parameter,
};
use crate::{browser::Browser, http};

const EMAIL: &str = "ada@acme.example";

#[actix_web::test]
async fn the_options_of_a_connection_are_heeded() {
    let issuer = Issuer::start();
    let world = World::at(
        &issuer,
        &json!({"token_authentication_method": "client_secret_post", "pkce": false, "fetch_user_info": true}),
    )
    .await;
    let browser = Browser::new();
    let url = format!(
        "{}&login_hint={EMAIL}&domain_hint=acme.example",
        world.authorize_url()
    );
    let start = browser.step(&url).await.location();
    let asked = browser.step(start.as_str()).await.location();
    assert_eq!(
        parameter(&asked, "scope").as_deref(),
        Some("openid email profile groups")
    );
    assert_eq!(parameter(&asked, "login_hint").as_deref(), Some(EMAIL));
    assert_eq!(parameter(&asked, "code_challenge"), None);
    assert_eq!(parameter(&asked, "domain_hint"), None);
    assert_eq!(parameter(&asked, "client_id").as_deref(), Some(CLIENT_ID));
    let back = follow(&browser, asked.as_str()).await;
    assert_eq!(world.redeem(&back).await.profile.email, EMAIL);
    assert_eq!(
        issuer.calls(),
        ["discovery", "authorize", "token by post", "jwks", "userinfo"]
    );

    // A provider that takes the secret in one way gets it so.
    let issuer = Issuer::start();
    issuer.behave(|behaviour| {
        let methods = json!(["client_secret_post", "private_key_jwt"]);
        behaviour
            .metadata
            .insert("token_endpoint_auth_methods_supported".to_owned(), methods);
        behaviour
            .metadata
            .insert("scopes_supported".to_owned(), json!(["openid"]));
    });
    let world = World::at(&issuer, &json!({})).await;
    let back = world.sign_in(&Browser::new()).await;
    assert_eq!(world.redeem(&back).await.profile.email, EMAIL);
    assert!(issuer.calls().contains(&"token by post".to_owned()));
}

#[actix_web::test]
async fn a_key_pair_takes_the_place_of_the_secret() {
    let issuer = Issuer::start();
    let options = |key: &str| {
        json!({
            "client_secret": null, "token_authentication_method": "private_key_jwt",
            "jwt_signing_key_pair": {"key": key, "cert": "the provider has it"},
        })
    };
    let world = World::at(&issuer, &options(CLIENT_KEY)).await;
    // The times in it are real ones, whatever the environment's clock says; those of the ID token are not.
    world.emulator.clock().advance(Duration::from_secs(200));
    let back = world.sign_in(&Browser::new()).await;
    assert_eq!(world.redeem(&back).await.profile.email, EMAIL);
    assert!(issuer.calls().contains(&"token by assertion".to_owned()));

    let mut oidc = options("no key");
    oidc["discovery_endpoint"] = issuer.discovery_endpoint().into();
    oidc["client_id"] = CLIENT_ID.into();
    let new = json!({"organization_id": world.acme.id, "oidc_options": oidc});
    let (status, body) = http::call(&world.emulator, Method::POST, "/connections", &new).await;
    assert_eq!(
        (status, &body["errors"][0]["field"]),
        (422, &json!("oidc_options.jwt_signing_key_pair.key"))
    );
}

#[actix_web::test]
async fn people_are_signed_out_at_the_provider() {
    let issuer = Issuer::start();
    let end = format!("{}/end?theme=1", issuer.url);
    issuer.behave(|behaviour| {
        behaviour
            .metadata
            .insert("end_session_endpoint".to_owned(), json!(end));
    });
    let world = World::start("GenericOIDC", &issuer.discovery_endpoint(), &json!({})).await;
    http::call(
        &world.emulator,
        Method::PATCH,
        "/_emulate/settings",
        &json!({"sso_sign_in_consent": false}),
    )
    .await;
    let back = world.sign_in(&Browser::new()).await;
    let profile = world.redeem(&back).await.profile;
    let sign_out = async || {
        let body = json!({"profile_id": profile.id});
        let path = "/sso/logout/authorize";
        let (status, allowed) = http::call(&world.emulator, Method::POST, path, &body).await;
        assert_eq!(status, 201, "{allowed}");
        Browser::new().step(allowed["logout_url"].as_str().unwrap()).await
    };
    let out = sign_out().await.location();
    assert!(out.as_str().starts_with(&end), "{out}");
    assert_eq!(parameter(&out, "client_id").as_deref(), Some(CLIENT_ID));
    assert_eq!(parameter(&out, "logout_hint").as_deref(), Some("u-1"));
    // A provider that signs nobody out.
    issuer.behave(|_| {});
    world.emulator.clock().advance(Duration::from_secs(301));
    let refused = sign_out().await;
    assert_eq!(
        (refused.status, &refused.json()["error"]),
        (400, &json!("connection_invalid"))
    );
}

#[actix_web::test]
async fn an_issuer_that_can_be_nobodys_leaves_it_to_the_stand_in() {
    let discovery = "https://idp.acme.example/.well-known/openid-configuration";
    let world = World::start("OktaOIDC", discovery, &json!({})).await;
    let page = Browser::new().visit(world.authorize_url()).await;
    assert_eq!(
        page.url.path(),
        format!("/idp/{}", world.connection_id),
        "{}",
        page.text
    );
}

#[actix_web::test]
async fn a_seed_a_rust_test_and_the_control_api_set_it_up() {
    let issuer = Issuer::start();
    let discovery = issuer.discovery_endpoint();
    let seed = format!(
        "
organizations: [{{name: Acme}}]
connections:
  - name: Acme SSO
    organization: Acme
    domains: [acme.example]
    external_key: AcmeSeeded
    oidc_options: {{discovery_endpoint: '{discovery}', client_id: '{CLIENT_ID}', client_secret: '{CLIENT_SECRET}'}}
"
    );
    let emulator = Emulator::builder().seed(seed).start().await.unwrap();
    let globex = emulator.organization("Globex").create().unwrap();
    let embedded = emulator
        .connection(&globex)
        .oidc(&discovery, CLIENT_ID, CLIENT_SECRET)
        .external_key("GlobexEmbedded")
        .domain("globex.example")
        .create()
        .unwrap();
    let initech = emulator.organization("Initech").create().unwrap();
    let new = json!({
        "organization_id": initech.id, "connection_type": "EntraIdOIDC", "external_key": "InitechByControl",
        "domains": ["initech.example"],
        "oidc_options": {"discovery_endpoint": discovery, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
    });
    let connections = "/_emulate/connections";
    let (status, by_control) = http::call(&emulator, Method::POST, connections, &new).await;
    assert_eq!(status, 201, "{by_control}");
    let (_, all) = http::call(&emulator, Method::GET, "/connections", &Value::Null).await;
    let seeded = all["data"].as_array().unwrap().last().unwrap();
    for (id, key, kind, email) in [
        (&seeded["id"], "AcmeSeeded", "GenericOIDC", "ada@acme.example"),
        (
            &json!(embedded.id),
            "GlobexEmbedded",
            "GenericOIDC",
            "ada@globex.example",
        ),
        (
            &by_control["id"],
            "InitechByControl",
            "EntraIdOIDC",
            "ada@initech.example",
        ),
    ] {
        let id = id.as_str().unwrap();
        let path = format!("{connections}/{id}");
        let (_, shown) = http::call(&emulator, Method::PATCH, &path, &json!({})).await;
        assert_eq!(shown["connection_type"], kind);
        let redirect_uri = format!("{}/sso/oidc/{key}/callback", emulator.url());
        assert_eq!(shown["redirect_uri"], json!(redirect_uri));
        issuer.claim(&json!({"email": email}));
        let url = format!(
            "{}/sso/authorize?client_id={}&response_type=code&redirect_uri={CALLBACK}&connection={id}",
            emulator.url(),
            emulator.client_id()
        );
        let browser = Browser::new();
        let back = if kind == "GenericOIDC" {
            let page = browser.visit(&url).await;
            assert!(page.text.contains(email), "{}", page.text);
            browser
                .submit_and_stop(&page, &[("decision", "continue")])
                .await
                .location()
        } else {
            follow(&browser, &url).await
        };
        assert!(parameter(&back, "code").is_some(), "{back}");
    }
    for (change, field) in [
        (json!({"external_key": "a/b/../c"}), "external_key"),
        (json!({"connection_type": "OktaSAML"}), "oidc_options"),
        (
            json!({"oidc_options": {"discovery_endpoint": "x", "client_id": "y"}}),
            "oidc_options.discovery_endpoint",
        ),
    ] {
        let mut wrong = new.clone();
        wrong["domains"] = json!([]);
        for (name, value) in change.as_object().unwrap() {
            wrong[name] = value.clone();
        }
        let (status, body) = http::call(&emulator, Method::POST, connections, &wrong).await;
        assert_eq!(
            (status, &body["errors"][0]["field"]),
            (422, &json!(field)),
            "{body}"
        );
    }
    let wrong = seed_with_a_wrong_secret();
    let refused = Emulator::builder()
        .seed(wrong)
        .start()
        .await
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("oidc_options") && !refused.contains("hush"),
        "{refused}"
    );
}

fn seed_with_a_wrong_secret() -> &'static str {
    "
organizations: [{name: Acme}]
connections: [{name: A, organization: Acme, oidc_options: {client_id: 1, client_secret: hush}}]
"
}
