//! Forgotten passwords: through the SDK, and on the hosted pages in front of an app.

use reqwest::Method;
use serde_json::{Value, json};
use workos::{
    CreatePasswordReset, CreatePasswordResetToken, PasswordResetCreated, PasswordResetSucceeded,
    SessionRevoked, UserUpdated,
    user_management::{
        AuthenticateWithPasswordParams, AuthenticateWithRefreshTokenParams, ConfirmPasswordResetParams,
        ResetPasswordParams,
    },
};
use workos_emulator::Emulator;

use crate::{
    app::{PASSWORD, TestApp},
    browser::Browser,
    http,
    sdk::{self, refusal},
};

const EMAIL: &str = "ada@example.com";
const NEW: &str = "quiet lighthouse keeper";

fn for_email(email: &str) -> ResetPasswordParams {
    let body: CreatePasswordResetToken = serde_json::from_value(json!({"email": email})).unwrap();
    ResetPasswordParams::new(body)
}

fn with_token(token: &str, new_password: &str) -> ConfirmPasswordResetParams {
    let body = json!({"token": token, "new_password": new_password});
    let body: CreatePasswordReset = serde_json::from_value(body).unwrap();
    ConfirmPasswordResetParams::new(body)
}

async fn events_of(emulator: &Emulator) -> Vec<Value> {
    let (_, events) = http::call(emulator, Method::GET, "/events?limit=100", &Value::Null).await;
    events["data"].as_array().unwrap().clone()
}

#[actix_web::test]
async fn the_sdk_resets_a_password() {
    let emulator = Emulator::start().await.unwrap();
    let ada = emulator.user(EMAIL).password(PASSWORD).create().unwrap();
    let signed_in = emulator.sign_in(&ada).await.unwrap();
    let sdk = sdk::client(&emulator);
    let users = sdk.user_management();
    let before = events_of(&emulator).await.len();

    let reset = users.reset_password(for_email(" Ada@Example.com")).await.unwrap();
    assert_eq!(
        (reset.user_id.as_str(), reset.email.as_str()),
        (ada.id.as_str(), EMAIL)
    );
    let token = reset.password_reset_token.expose();
    let mail = emulator
        .mailbox()
        .wait_for(EMAIL)
        .kind("password_reset")
        .await
        .unwrap();
    assert_eq!(
        (mail.token(), mail.url()),
        (Some(token), Some(reset.password_reset_url.expose()))
    );
    assert!(
        mail.url()
            .unwrap()
            .starts_with(&format!("{}/authkit/reset-password?", emulator.url()))
    );
    assert!(mail.html().contains("Reset password") && mail.text().contains(token));
    let read = users.get_password_reset(&reset.id).await.unwrap();
    assert_eq!(read.password_reset_token.expose(), token);

    let weak = users.confirm_password_reset(with_token(token, "password")).await;
    let weak = sdk::refused(weak);
    assert_eq!(
        (weak.status, weak.code.as_deref()),
        (400, Some("password_reset_error"))
    );
    let body: Value = serde_json::from_slice(&weak.raw_body).unwrap();
    assert_eq!(body["errors"][0]["code"], "password_too_short");

    let answer = users
        .confirm_password_reset(with_token(token, NEW))
        .await
        .unwrap();
    assert!(answer.user.id == ada.id && answer.user.email_verified);
    let refresh = AuthenticateWithRefreshTokenParams::new(signed_in.refresh_token.as_str());
    assert_eq!(
        refusal(users.authenticate_with_refresh_token(refresh).await).0,
        400
    );
    let old = AuthenticateWithPasswordParams::new(EMAIL, PASSWORD);
    assert_eq!(refusal(users.authenticate_with_password(old).await).0, 400);
    let new = AuthenticateWithPasswordParams::new(EMAIL, NEW);
    assert_eq!(
        users.authenticate_with_password(new).await.unwrap().user.id,
        ada.id
    );

    let events = events_of(&emulator).await.split_off(before);
    let names: Vec<_> = events
        .iter()
        .map(|event| event["event"].as_str().unwrap())
        .collect();
    assert_eq!(
        names[..4],
        [
            "password_reset.created",
            "user.updated",
            "password_reset.succeeded",
            "session.revoked"
        ]
    );
    let created: PasswordResetCreated = serde_json::from_value(events[0].clone()).unwrap();
    let succeeded: PasswordResetSucceeded = serde_json::from_value(events[2].clone()).unwrap();
    assert_eq!(
        (created.data.id.as_str(), succeeded.data.id.as_str()),
        (reset.id.as_str(), reset.id.as_str())
    );
    let updated: UserUpdated = serde_json::from_value(events[1].clone()).unwrap();
    assert_eq!(updated.data.id, ada.id);
    let revoked: SessionRevoked = serde_json::from_value(events[3].clone()).unwrap();
    assert_eq!(revoked.data.id, signed_in.session_id);
    assert!(
        !events.iter().any(|event| event.to_string().contains(token)),
        "{events:?}"
    );

    for (token, expected) in [
        (token, (400, "password_reset_error")),
        ("unknown", (404, "entity_not_found")),
    ] {
        let refused = refusal(users.confirm_password_reset(with_token(token, NEW)).await);
        assert_eq!((refused.0, refused.1.as_str()), expected);
    }
    let nobody = refusal(users.reset_password(for_email("nobody@example.com")).await);
    assert_eq!(nobody, (404, "entity_not_found".to_owned()));
}

#[actix_web::test]
async fn a_token_of_one_environment_is_unknown_in_another() {
    let emulator = Emulator::start().await.unwrap();
    let other = emulator.environment("other").unwrap();
    for environment in [&*emulator, &other] {
        environment.user(EMAIL).create().unwrap();
    }
    let reset = sdk::client(&emulator)
        .user_management()
        .reset_password(for_email(EMAIL))
        .await;
    let token = reset.unwrap().password_reset_token.expose().to_owned();
    let refused = sdk::client(&other)
        .user_management()
        .confirm_password_reset(with_token(&token, NEW))
        .await;
    assert_eq!(refusal(refused), (404, "entity_not_found".to_owned()));
    assert!(other.mailbox().all().is_empty());
    // The link leads to the environment that sent it, whichever it is.
    let of_other = sdk::client(&other)
        .user_management()
        .reset_password(for_email(EMAIL))
        .await
        .unwrap();
    let browser = Browser::new();
    let page = browser.visit(of_other.password_reset_url.expose()).await;
    assert!(page.status == 200 && page.text.contains("other"), "{}", page.text);
    let done = browser.submit(&page, &[("password", NEW)]).await;
    assert!(done.text.contains("Your password was changed"), "{}", done.text);
    let new = AuthenticateWithPasswordParams::new(EMAIL, NEW);
    assert!(
        sdk::client(&other)
            .user_management()
            .authenticate_with_password(new)
            .await
            .is_ok()
    );
}

#[actix_web::test]
async fn two_confirmations_at_once_are_one() {
    let emulator = Emulator::start().await.unwrap();
    emulator.user(EMAIL).create().unwrap();
    let sdk = sdk::client(&emulator);
    let reset = sdk
        .user_management()
        .reset_password(for_email(EMAIL))
        .await
        .unwrap();
    let token = reset.password_reset_token.expose();
    let confirm = |password: &'static str| {
        let users = sdk.user_management();
        async move {
            users
                .confirm_password_reset(with_token(token, password))
                .await
                .is_ok()
        }
    };
    let (one, two) = tokio::join!(confirm(NEW), confirm("another quiet lighthouse"));
    assert!(one ^ two, "{one} {two}");
}

#[actix_web::test]
async fn a_person_who_forgot_their_password_comes_back_to_the_page_they_wanted() {
    let app = TestApp::start().await;
    let browser = Browser::new();
    let sign_in = browser.visit(app.path("/me")).await;
    let password = browser.submit(&sign_in, &[("email", EMAIL)]).await;
    let forgot = browser.visit(password.link("Forgot password?")).await;
    let sent = browser.submit(&forgot, &[("email", EMAIL)]).await;
    assert!(sent.text.contains("Check your email"), "{}", sent.text);

    let mail = app.emulator.mailbox().wait_for(EMAIL).await.unwrap();
    let link = mail.url().unwrap();
    assert!(
        link.starts_with(&sign_in.url.origin().ascii_serialization()),
        "{link}"
    );
    let reset = browser.visit(link).await;
    let changed = browser.submit(&reset, &[("password", NEW)]).await;
    let again = browser.visit(changed.link("Continue to sign in")).await;
    let page = browser.submit(&again, &[("password", NEW)]).await;
    assert_eq!(page.url.path(), "/me");
    assert_eq!(page.json()["email"], EMAIL);
}
