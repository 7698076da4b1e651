//! Verification of e-mail addresses through the SDK, and on the hosted pages.

use reqwest::Method;
use serde_json::{Value, json};
use workos::{
    EmailVerificationCreatedData,
    user_management::{
        AuthenticateWithEmailVerificationParams, AuthenticateWithPasswordParams, VerifyEmailParams,
    },
};
use workos_emulator::Emulator;

use crate::{browser::Browser, http, sdk};

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse battery";

/// An emulator with Ada, whose address is not verified, and her id.
async fn emulator() -> (Emulator, String) {
    let emulator = Emulator::start().await.unwrap();
    let ada = emulator.user(EMAIL).password(PASSWORD).email_verified(false);
    let ada = ada.create().unwrap();
    (emulator, ada.id)
}

fn code(emulator: &Emulator) -> String {
    let message = emulator.mailbox().last_to(EMAIL).unwrap();
    assert_eq!(message.kind(), "email_verification");
    message.code().unwrap().to_owned()
}

/// What the gate answers to the right password.
async fn held_up(emulator: &Emulator) -> Value {
    let params = AuthenticateWithPasswordParams::new(EMAIL, PASSWORD);
    let refused = sdk::client(emulator)
        .user_management()
        .authenticate_with_password(params)
        .await;
    let refused = sdk::refused(refused);
    assert_eq!(
        (refused.status, refused.code.as_deref()),
        (403, Some("email_verification_required"))
    );
    serde_json::from_slice(&refused.raw_body).unwrap()
}

#[actix_web::test]
async fn a_sign_in_goes_on_with_the_code_of_the_mail() {
    let (emulator, _) = emulator().await;
    let gate = held_up(&emulator).await;
    assert_eq!(gate["email"], EMAIL);
    let sdk = sdk::client(&emulator);
    let users = sdk.user_management();
    let id = gate["email_verification_id"].as_str().unwrap();
    let verification = users.get_email_verification(id).await.unwrap();
    assert_eq!(verification.code.expose(), code(&emulator));
    let token = gate["pending_authentication_token"].as_str().unwrap();
    let answer = |code: &str| {
        users.authenticate_with_email_verification(AuthenticateWithEmailVerificationParams::new(code, token))
    };
    assert_eq!(
        sdk::refusal(answer("x").await),
        (400, "invalid_one_time_code".to_owned())
    );
    let signed_in = answer(&code(&emulator)).await.unwrap();
    assert!(signed_in.user.email_verified);
    let (_, events) = http::call(
        &emulator,
        Method::GET,
        "/events?events[]=email_verification.created",
        &Value::Null,
    )
    .await;
    let data: EmailVerificationCreatedData =
        serde_json::from_value(events["data"][0]["data"].clone()).unwrap();
    assert_eq!((data.id.as_str(), data.email.as_str()), (id, EMAIL));
}

#[actix_web::test]
async fn an_application_sends_and_confirms_by_itself() {
    let (emulator, ada) = emulator().await;
    let sdk = sdk::client(&emulator);
    let users = sdk.user_management();
    let sent = users.send_verification_email(&ada).await.unwrap();
    assert!(!sent.user.email_verified);
    let verify = |code: &str| {
        let body = serde_json::from_value(json!({ "code": code })).unwrap();
        users.verify_email(&ada, VerifyEmailParams::new(body))
    };
    assert_eq!(
        sdk::refusal(verify("x").await),
        (400, "email_verification_code_incorrect".to_owned())
    );
    let right = code(&emulator);
    assert!(verify(&right).await.unwrap().user.email_verified);
    assert_eq!(
        sdk::refusal(verify(&right).await),
        (400, "email_previously_verified".to_owned())
    );
    assert_eq!(
        sdk::refusal(users.send_verification_email(&ada).await),
        (400, "email_already_verified".to_owned())
    );
    let params = AuthenticateWithPasswordParams::new(EMAIL, PASSWORD);
    users.authenticate_with_password(params).await.unwrap();
}

#[actix_web::test]
async fn a_session_of_the_control_api_asks_for_no_verification() {
    let (emulator, _) = emulator().await;
    let (status, answer) = http::call(
        &emulator,
        Method::POST,
        "/_emulate/sign_in",
        &json!({ "email": EMAIL }),
    )
    .await;
    assert_eq!((status, &answer["user"]["email_verified"]), (200, &json!(false)));
    assert!(emulator.mailbox().all().is_empty());
}

#[actix_web::test]
async fn a_program_with_a_hint_is_let_in_without_a_page() {
    let (emulator, _) = emulator().await;
    let authorize = format!(
        "{}/user_management/authorize?response_type=code&provider=authkit&client_id={}\
         &redirect_uri=http://localhost:3000/callback&login_hint={EMAIL}",
        emulator.url(),
        emulator.client_id()
    );
    let response = http::client().get(authorize).send().await.unwrap();
    let location: reqwest::Url = response.headers()["location"].to_str().unwrap().parse().unwrap();
    let (_, code) = location.query_pairs().find(|(name, _)| name == "code").unwrap();
    let body = json!({
        "client_id": emulator.client_id(), "client_secret": emulator.api_key(),
        "grant_type": "authorization_code", "code": code,
    });
    let (status, answer) = http::call(&emulator, Method::POST, "/user_management/authenticate", &body).await;
    assert_eq!(
        (status, &answer["user"]["email"]),
        (200, &json!(EMAIL)),
        "{answer}"
    );
}

#[actix_web::test]
async fn a_browser_is_asked_for_the_code_before_it_goes_back() {
    let (emulator, _) = emulator().await;
    let browser = Browser::new();
    let authorize = format!(
        "{}/user_management/authorize?response_type=code&provider=authkit&client_id={}\
         &redirect_uri=http://localhost:3000/callback&state=s",
        emulator.url(),
        emulator.client_id()
    );
    let page = browser.visit(authorize).await;
    let page = browser.sign_in(&page, EMAIL, PASSWORD).await;
    assert_eq!(page.url.path(), "/authkit/verify-email");
    let message = emulator.mailbox().last_to(EMAIL).unwrap();
    assert_eq!(
        message.url(),
        Some(page.url.as_str()),
        "the link leads to this page"
    );
    let refused = browser.submit(&page, &[("code", "x")]).await;
    assert_eq!(refused.status, 400);
    let back = browser
        .submit_and_stop(&refused, &[("code", &code(&emulator))])
        .await;
    let location = back.location();
    assert!(
        location.path() == "/callback" && location.query().unwrap().contains("state=s"),
        "{location}"
    );
}
