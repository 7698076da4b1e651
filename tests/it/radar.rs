//! Sign-ins that Radar holds up, through the SDK.

use reqwest::Method;
use serde_json::{Value, json};
use workos::user_management::{
    AuthenticateWithPasswordParams, AuthenticateWithRadarEmailChallengeParams,
    AuthenticateWithRadarSmsChallengeParams, CreateRadarChallengeParams,
};
use workos_emulator::Emulator;

use crate::{http, sdk};

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse battery";
const PHONE: &str = "+15555550123";

/// An emulator that challenges Ada, and what it answers to her password.
async fn challenged(channel: &str) -> (Emulator, Value) {
    let emulator = Emulator::start().await.unwrap();
    emulator.user(EMAIL).password(PASSWORD).create().unwrap();
    let setting = json!({ "radar_challenge": channel });
    let (status, _) = http::call(&emulator, Method::PATCH, "/_emulate/settings", &setting).await;
    assert_eq!(status, 200);
    let params = AuthenticateWithPasswordParams::new(EMAIL, PASSWORD);
    let refused = sdk::client(&emulator)
        .user_management()
        .authenticate_with_password(params)
        .await;
    let refused = sdk::refused(refused);
    assert_eq!(refused.status, 403);
    (emulator, serde_json::from_slice(&refused.raw_body).unwrap())
}

#[actix_web::test]
async fn a_code_by_email_lets_her_in() {
    let (emulator, refused) = challenged("email").await;
    assert_eq!(refused["code"], "radar_challenge");
    let sdk = sdk::client(&emulator);
    let text = |name: &str| refused[name].as_str().unwrap();
    let challenge = sdk
        .user_management()
        .get_radar_challenge(text("radar_challenge_id"))
        .await
        .unwrap();
    assert_eq!(
        (challenge.type_.as_str(), challenge.email.as_str()),
        ("email", EMAIL)
    );
    let message = emulator.mailbox().last_to(EMAIL).unwrap();
    assert_eq!(message.code(), Some(challenge.code.expose()));
    let answer = AuthenticateWithRadarEmailChallengeParams::new(
        challenge.code.expose(),
        &challenge.id,
        text("pending_authentication_token"),
    );
    let signed_in = sdk
        .user_management()
        .authenticate_with_radar_email_challenge(answer)
        .await
        .unwrap();
    assert_eq!(signed_in.user.email, EMAIL);
}

#[actix_web::test]
async fn a_code_by_sms_lets_her_in() {
    let (emulator, refused) = challenged("sms").await;
    assert_eq!(refused["code"], "radar_sign_up_challenge");
    let sdk = sdk::client(&emulator);
    let token = refused["pending_authentication_token"].as_str().unwrap();
    let wanted = json!({
        "user_id": refused["user"]["id"], "pending_authentication_token": token, "phone_number": PHONE,
    });
    let wanted = CreateRadarChallengeParams::new(serde_json::from_value(wanted).unwrap());
    let sent = sdk
        .user_management()
        .create_radar_challenge(wanted)
        .await
        .unwrap();
    assert_eq!(sent.phone_number, PHONE);
    let message = emulator.mailbox().last_to(PHONE).unwrap();
    let mut answer = AuthenticateWithRadarSmsChallengeParams::new(message.code().unwrap(), token);
    answer.verification_id = Some(sent.verification_id);
    answer.phone_number = Some(PHONE.to_owned());
    let signed_in = sdk
        .user_management()
        .authenticate_with_radar_sms_challenge(answer)
        .await
        .unwrap();
    assert_eq!(signed_in.user.email, EMAIL);
}
