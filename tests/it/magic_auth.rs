//! Magic Auth through the SDK, and on the hosted pages.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use workos::{
    MagicAuthCreatedData,
    user_management::{AuthenticateWithMagicAuthParams, CreateMagicAuthParams},
};
use workos_emulator::Emulator;

use crate::{browser::Browser, http, sdk};

const EMAIL: &str = "ada@example.com";

async fn emulator() -> Emulator {
    let emulator = Emulator::start().await.unwrap();
    emulator.user(EMAIL).create().unwrap();
    emulator
}

fn create(email: &str) -> CreateMagicAuthParams {
    CreateMagicAuthParams::new(serde_json::from_value(json!({ "email": email })).unwrap())
}

#[actix_web::test]
async fn a_code_signs_in_once_and_for_ten_minutes() {
    let emulator = emulator().await;
    let sdk = sdk::client(&emulator);
    let users = sdk.user_management();
    let sent = users.create_magic_auth(create(EMAIL)).await.unwrap();
    let message = emulator.mailbox().last_to(EMAIL).unwrap();
    assert_eq!(
        (message.kind(), message.code()),
        ("magic_auth", Some(sent.code.expose()))
    );
    let got = users.get_magic_auth(&sent.id).await.unwrap();
    assert_eq!(
        (got.email.as_str(), got.code.expose(), &got.expires_at),
        (EMAIL, sent.code.expose(), &sent.expires_at)
    );
    let redeem =
        |code: &str| users.authenticate_with_magic_auth(AuthenticateWithMagicAuthParams::new(code, EMAIL));
    let signed_in = redeem(sent.code.expose()).await.unwrap();
    assert_eq!(signed_in.user.email, EMAIL);
    assert!(signed_in.user.last_sign_in_at.is_some());
    assert_eq!(
        sdk::refusal(redeem(sent.code.expose()).await),
        (400, "one_time_code_previously_used".to_owned())
    );
    let late = users.create_magic_auth(create(EMAIL)).await.unwrap();
    emulator.clock().advance(Duration::from_secs(600));
    assert_eq!(
        sdk::refusal(redeem(late.code.expose()).await),
        (400, "one_time_code_expired".to_owned())
    );
}

#[actix_web::test]
async fn who_is_new_signs_up_by_a_code() {
    let emulator = emulator().await;
    let sdk = sdk::client(&emulator);
    let users = sdk.user_management();
    let sent = users
        .create_magic_auth(create("grace@example.com"))
        .await
        .unwrap();
    let user = users.get_user(&sent.user_id).await.unwrap();
    assert_eq!(
        (user.email.as_str(), user.email_verified),
        ("grace@example.com", false)
    );
    let (_, events) = http::call(
        &emulator,
        Method::GET,
        "/events?events[]=magic_auth.created",
        &Value::Null,
    )
    .await;
    let data: MagicAuthCreatedData = serde_json::from_value(events["data"][0]["data"].clone()).unwrap();
    assert_eq!((&data.id, &data.user_id), (&sent.id, &sent.user_id));
    let redeem = AuthenticateWithMagicAuthParams::new(sent.code, "grace@example.com");
    let signed_in = users.authenticate_with_magic_auth(redeem).await.unwrap();
    assert!(signed_in.user.email_verified);
}

#[actix_web::test]
async fn the_limit_says_when_to_come_back() {
    let emulator = emulator().await;
    let sdk = sdk::client(&emulator);
    for _ in 0..3 {
        sdk.user_management()
            .create_magic_auth(create(EMAIL))
            .await
            .unwrap();
    }
    let refused = sdk::refused(sdk.user_management().create_magic_auth(create(EMAIL)).await);
    assert_eq!(refused.status, 429);
    let request = http::client()
        .post(format!("{}/user_management/magic_auth", emulator.url()))
        .bearer_auth(emulator.api_key())
        .json(&json!({ "email": EMAIL }));
    let response = request.send().await.unwrap();
    let seconds: u64 = response.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    emulator.clock().advance(Duration::from_secs(60));
    sdk.user_management()
        .create_magic_auth(create(EMAIL))
        .await
        .unwrap();
}

#[actix_web::test]
async fn a_browser_signs_in_with_the_code_of_the_mail() {
    let emulator = emulator().await;
    let setting = json!({"sign_in_methods": {"password": false}});
    let (status, _) = http::call(&emulator, Method::PATCH, "/_emulate/settings", &setting).await;
    assert_eq!(status, 200);
    let browser = Browser::new();
    let authorize = format!(
        "{}/user_management/authorize?response_type=code&provider=authkit&client_id={}\
         &redirect_uri=http://localhost:3000/callback&state=s",
        emulator.url(),
        emulator.client_id()
    );
    let page = browser.visit(authorize).await;
    let page = browser.submit(&page, &[("email", EMAIL)]).await;
    assert_eq!(page.url.path(), "/authkit/magic-auth");
    let message = emulator.mailbox().last_to(EMAIL).unwrap();
    assert_eq!(
        message.url(),
        Some(page.url.as_str()),
        "the link leads to this page"
    );
    let by_link = browser.visit(message.url().unwrap()).await;
    let code = message.code().unwrap();
    let back = browser.submit_and_stop(&by_link, &[("code", code)]).await;
    assert_eq!(back.status, 303);
    let location = back.location();
    assert_eq!(location.path(), "/callback");
    assert!(
        location.query_pairs().any(|(name, _)| name == "code"),
        "{location}"
    );
}
