//! The device flow of Connect applications.

use reqwest::Method;
use serde_json::{Value, json};
use workos_emulator::ConnectApplication;

use super::{EMAIL, PASSWORD, World, oauth_refusal, refused};
use crate::{browser::Browser, http};

const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn start(world: &World, application: &ConnectApplication, scope: &str) -> Value {
    let form = [("client_id", application.client_id.as_str()), ("scope", scope)];
    let (status, started) = world.post("/oauth2/device_authorization", &form).await;
    assert_eq!(status, 200, "{started}");
    started
}

async fn poll(world: &World, application: &ConnectApplication, started: &Value) -> (u16, Value) {
    let device_code = started["device_code"].as_str().unwrap();
    let form = [("grant_type", DEVICE_CODE), ("device_code", device_code)];
    world.token(application, &form).await
}

#[actix_web::test]
async fn a_code_is_confirmed_and_a_third_party_allowed() {
    let world = World::start().await;
    let started = start(&world, &world.third, "openid offline_access").await;
    assert_eq!(
        (&started["expires_in"], &started["interval"]),
        (&json!(300), &json!(5))
    );
    assert_eq!(
        oauth_refusal(poll(&world, &world.third, &started).await),
        refused(400, "authorization_pending")
    );
    let browser = Browser::new();
    let form = browser
        .visit(started["verification_uri_complete"].as_str().unwrap())
        .await;
    let page = browser.sign_in(&form, EMAIL, PASSWORD).await;
    assert_eq!(page.url.path(), "/authkit/device");
    let page = browser.submit(&page, &[("decision", "confirm")]).await;
    assert_eq!(page.url.path(), "/authkit/consent", "{}", page.text);
    assert!(page.text.contains("Allow Reports"));
    assert_eq!(
        oauth_refusal(poll(&world, &world.third, &started).await),
        refused(400, "slow_down"),
        "nothing is allowed yet"
    );
    let done = browser.submit(&page, &[("decision", "allow")]).await;
    assert!(done.text.contains("Your device is signed in"), "{}", done.text);
    let (status, tokens) = poll(&world, &world.third, &started).await;
    assert_eq!(status, 200, "{tokens}");
    assert_eq!(tokens["token_type"], "Bearer");
    let claims = world.verified(&tokens["access_token"]).await;
    assert_eq!(
        (&claims["sub"], &claims["org_id"]),
        (&json!(world.ada.id), &json!(world.acme.id))
    );
    assert_eq!(claims["aud"], json!(world.emulator.client_id()));
    assert_eq!(world.refresh(&world.third, &tokens["refresh_token"]).await.0, 200);
    assert_eq!(
        oauth_refusal(poll(&world, &world.third, &started).await),
        refused(400, "invalid_grant")
    );
}

#[actix_web::test]
async fn who_denies_the_consent_denies_the_device() {
    let world = World::start().await;
    let started = start(&world, &world.third, "openid").await;
    let browser = Browser::new();
    let form = browser
        .visit(started["verification_uri_complete"].as_str().unwrap())
        .await;
    let page = browser.sign_in(&form, EMAIL, PASSWORD).await;
    let page = browser.submit(&page, &[("decision", "confirm")]).await;
    let done = browser.submit(&page, &[("decision", "deny")]).await;
    assert!(done.text.contains("You denied it"), "{}", done.text);
    assert_eq!(
        oauth_refusal(poll(&world, &world.third, &started).await),
        refused(400, "access_denied")
    );
}

#[actix_web::test]
async fn ones_own_application_needs_no_consent() {
    let world = World::start().await;
    let started = start(&world, &world.first, "openid").await;
    let browser = Browser::new();
    let form = browser
        .visit(started["verification_uri_complete"].as_str().unwrap())
        .await;
    let page = browser.sign_in(&form, EMAIL, PASSWORD).await;
    let done = browser.submit(&page, &[("decision", "confirm")]).await;
    assert!(done.text.contains("Your device is signed in"), "{}", done.text);
    assert_eq!(poll(&world, &world.first, &started).await.0, 200);
}

#[actix_web::test]
async fn a_device_code_is_for_its_application_and_its_endpoint() {
    let world = World::start().await;
    let started = start(&world, &world.first, "openid").await;
    let path = format!(
        "/_emulate/device_authorizations/{}/approve",
        started["user_code"].as_str().unwrap()
    );
    let (status, _) = http::call(&world.emulator, Method::POST, &path, &json!({"email": EMAIL})).await;
    assert_eq!(status, 200);
    assert_eq!(
        oauth_refusal(poll(&world, &world.third, &started).await),
        refused(400, "invalid_grant")
    );
    // AuthKit's own endpoint begins no session with it.
    let body = json!({
        "grant_type": DEVICE_CODE, "client_id": world.first.client_id, "device_code": started["device_code"],
    });
    let request = http::client()
        .post(world.url("/user_management/authenticate"))
        .json(&body);
    assert_eq!(
        oauth_refusal(http::answer(request).await),
        refused(400, "invalid_grant")
    );
    // Nor is one of AuthKit's good for an application.
    let own = http::client()
        .post(world.url("/user_management/authorize/device"))
        .json(&json!({"client_id": world.first.client_id}));
    let (_, own) = http::answer(own).await;
    assert_eq!(
        oauth_refusal(poll(&world, &world.first, &own).await),
        refused(400, "invalid_grant")
    );
    assert_eq!(poll(&world, &world.first, &started).await.0, 200);
}

#[actix_web::test]
async fn what_is_wrong_is_told_to_the_program() {
    let world = World::start().await;
    let machine = world.emulator.connect_application("Robot").m2m(&world.acme);
    let machine = machine.create().unwrap();
    let ask = async |form: &[(&str, &str)]| world.post("/oauth2/device_authorization", form).await;
    assert_eq!(oauth_refusal(ask(&[]).await), refused(401, "invalid_client"));
    assert_eq!(
        oauth_refusal(ask(&[("client_id", "client_unknown")]).await),
        refused(401, "invalid_client")
    );
    assert_eq!(
        oauth_refusal(ask(&[("client_id", &machine.client_id)]).await),
        refused(400, "unauthorized_client")
    );
    let id = ("client_id", world.first.client_id.as_str());
    assert_eq!(
        oauth_refusal(ask(&[id, ("scope", "openid x:y")]).await),
        refused(400, "invalid_scope")
    );
    let started = start(&world, &world.first, "openid").await;
    world.advance(300);
    assert_eq!(
        oauth_refusal(poll(&world, &world.first, &started).await),
        refused(400, "expired_token")
    );
    world.set(json!({"device_authorization": false})).await;
    assert_eq!(oauth_refusal(ask(&[id]).await), refused(403, "access_denied"));
}
