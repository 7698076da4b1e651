//! A stranger has made an account with somebody else's address, and waits in it for its owner.

use reqwest::Method;
use serde_json::{Value, json};
use workos::UserManagementAuthenticationProvider as Provider;
use workos_emulator::Emulator;

use super::wire::{authenticate, code_of, grant, post};
use crate::{
    browser::{Browser, Page},
    http,
    social::{authorize, settings},
};

const VICTIM: &str = "victim@example.com";
const STRANGERS: &str = "the stranger waits inside";
const NEW: &str = "nine patient windmills";

/// What the stranger has.
struct Stranger {
    browser: Browser,
    /// The hosted page at which the sign-up waits for the code.
    waiting: Page,
    /// The same at the API.
    pending: String,
    refresh_token: String,
    factor: String,
    user_id: String,
}

async fn stranger(emulator: &Emulator) -> Stranger {
    let browser = Browser::new();
    let page = browser
        .visit(authorize(emulator, Provider::Authkit, |params| {
            params.screen_hint = Some(workos::enums::UserManagementAuthenticationScreenHint::SignUp);
        }))
        .await;
    let waiting = browser
        .submit(&page, &[("email", VICTIM), ("password", STRANGERS)])
        .await;
    assert!(waiting.text.contains("Verify your email"), "{}", waiting.text);
    let (status, held) = password(emulator).await;
    assert_eq!(
        (status, &held["code"]),
        (403, &json!("email_verification_required"))
    );
    // Before verification was switched on, the stranger has been inside.
    settings(emulator, json!({"email_verification": false})).await;
    let (status, inside) = password(emulator).await;
    assert_eq!(status, 200, "{inside}");
    settings(emulator, json!({"email_verification": null})).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let user_id = text(&inside["user"]["id"]);
    let path = format!("/user_management/users/{user_id}/auth_factors");
    let (status, factor) = http::call(emulator, Method::POST, &path, &json!({"type": "totp"})).await;
    assert!(status < 300, "{factor}");
    Stranger {
        browser,
        waiting,
        pending: text(&held["pending_authentication_token"]),
        refresh_token: text(&inside["refresh_token"]),
        factor: text(&factor["authentication_factor"]["id"]),
        user_id,
    }
}

async fn password(emulator: &Emulator) -> (u16, Value) {
    authenticate(
        emulator,
        json!({"grant_type": "password", "email": VICTIM, "password": STRANGERS}),
    )
    .await
}

/// Whatever the stranger has is good for nothing.
async fn assert_gone(emulator: &Emulator, stranger: &Stranger, how: &str) {
    let (status, answer) = password(emulator).await;
    assert_eq!(
        (status, &answer["code"]),
        (400, &json!("invalid_credentials")),
        "{how}"
    );
    let refreshed = json!({"grant_type": "refresh_token", "refresh_token": stranger.refresh_token});
    let (status, answer) = authenticate(emulator, refreshed).await;
    assert!(
        status == 400 && answer["access_token"].is_null(),
        "{how}: {answer}"
    );
    let code = json!({
        "grant_type": grant("email-verification:code"), "code": "000000",
        "pending_authentication_token": stranger.pending,
    });
    let (_, answer) = authenticate(emulator, code).await;
    assert_eq!(answer["code"], "invalid_pending_authentication_token", "{how}");
    let page = stranger
        .browser
        .submit(&stranger.waiting, &[("code", "000000")])
        .await;
    assert!(
        page.status == 400 && page.text.contains("This sign-in is over"),
        "{how}: {} {}",
        page.status,
        page.text
    );
    let path = format!("/auth/factors/{}", stranger.factor);
    let (status, _) = http::call(emulator, Method::GET, &path, &Value::Null).await;
    assert_eq!(status, 404, "{how}");
    let path = format!("/user_management/users/{}/sessions", stranger.user_id);
    let (_, sessions) = http::call(emulator, Method::GET, &path, &Value::Null).await;
    let sessions = sessions["data"].as_array().unwrap();
    assert!(
        sessions
            .iter()
            .all(|session| session["auth_method"] != "password"),
        "{how}: {sessions:?}"
    );
}

#[actix_web::test]
async fn who_proves_the_address_by_google_finds_nobody_else_in_the_account() {
    let emulator = Emulator::start().await.unwrap();
    let stranger = stranger(&emulator).await;
    let url = authorize(&emulator, Provider::GoogleOAuth, |params| {
        params.login_hint = Some(VICTIM.to_owned());
    });
    let back = http::client().get(url).send().await.unwrap();
    let back = back.headers()["location"].to_str().unwrap().to_owned();
    let code = json!({"grant_type": "authorization_code", "code": code_of(&back)});
    let (status, victim) = authenticate(&emulator, code).await;
    assert_eq!(
        (status, &victim["user"]["id"]),
        (200, &json!(stranger.user_id)),
        "{victim}"
    );
    assert_eq!(victim["user"]["email_verified"], true);
    assert_gone(&emulator, &stranger, "google").await;
    let path = format!("/user_management/users/{}/identities", stranger.user_id);
    let (_, identities) = http::call(&emulator, Method::GET, &path, &Value::Null).await;
    assert_eq!(
        identities.as_array().unwrap().len(),
        1,
        "the victim's own: {identities}"
    );
}

#[actix_web::test]
async fn who_proves_the_address_by_a_code_finds_nobody_else_in_the_account() {
    let emulator = Emulator::start().await.unwrap();
    let stranger = stranger(&emulator).await;
    let path = "/user_management/magic_auth";
    let (_, sent) = http::call(&emulator, Method::POST, path, &json!({"email": VICTIM})).await;
    let code = json!({"grant_type": grant("magic-auth:code"), "email": VICTIM, "code": sent["code"]});
    let (status, victim) = authenticate(&emulator, code).await;
    assert_eq!(
        (status, &victim["user"]["id"]),
        (200, &json!(stranger.user_id)),
        "{victim}"
    );
    assert_gone(&emulator, &stranger, "magic auth").await;
}

#[actix_web::test]
async fn who_proves_the_address_by_a_reset_finds_nobody_else_in_the_account() {
    let emulator = Emulator::start().await.unwrap();
    let stranger = stranger(&emulator).await;
    let path = "/user_management/password_reset";
    let (_, sent) = http::call(&emulator, Method::POST, path, &json!({"email": VICTIM})).await;
    let confirm = json!({"token": sent["password_reset_token"], "new_password": NEW});
    let path = "/user_management/password_reset/confirm";
    let (status, answer) = http::call(&emulator, Method::POST, path, &confirm).await;
    assert_eq!(status, 200, "{answer}");
    assert_gone(&emulator, &stranger, "reset").await;
    let own = json!({"grant_type": "password", "email": VICTIM, "password": NEW});
    assert_eq!(authenticate(&emulator, own).await.0, 200);
}

/// An account at a provider that takes every address is shown to be theirs by a code, and the password goes as well.
#[actix_web::test]
async fn who_proves_the_address_on_the_way_from_github_finds_nobody_else_in_the_account() {
    let emulator = Emulator::start().await.unwrap();
    let stranger = stranger(&emulator).await;
    emulator.clock().advance(std::time::Duration::from_secs(61));
    let url = authorize(&emulator, Provider::GitHubOAuth, |params| {
        params.login_hint = Some(VICTIM.to_owned());
    });
    let back = http::client().get(url).send().await.unwrap();
    let back = back.headers()["location"].to_str().unwrap().to_owned();
    let code = json!({"grant_type": "authorization_code", "code": code_of(&back)});
    let (status, held) = authenticate(&emulator, code).await;
    assert_eq!(
        (status, &held["code"]),
        (403, &json!("email_verification_required")),
        "{held}"
    );
    assert_eq!(password(&emulator).await.0, 403, "nothing is proved yet");
    let mail = emulator.mailbox().last_to(VICTIM).unwrap();
    let code = json!({
        "grant_type": grant("email-verification:code"), "code": mail.code().unwrap(),
        "pending_authentication_token": held["pending_authentication_token"],
    });
    let (status, victim) = authenticate(&emulator, code).await;
    assert_eq!(
        (status, &victim["user"]["id"]),
        (200, &json!(stranger.user_id)),
        "{victim}"
    );
    assert_gone(&emulator, &stranger, "github").await;
}

#[actix_web::test]
async fn who_is_invited_finds_nobody_else_in_the_account() {
    let emulator = Emulator::start().await.unwrap();
    let uri = json!({"uri": "http://localhost:3000/callback"});
    post(&emulator, "/user_management/redirect_uris", uri).await;
    let stranger = stranger(&emulator).await;
    let acme = emulator.organization("Acme").create().unwrap();
    let body = json!({"email": VICTIM, "organization_id": acme.id});
    let sent = post(&emulator, "/user_management/invitations", body).await;
    let browser = Browser::new();
    let page = browser
        .visit(sent["accept_invitation_url"].as_str().unwrap())
        .await;
    let page = browser.submit(&page, &[]).await;
    assert!(page.text.contains("Sign in"), "{}", page.text);
    let page = browser.visit(page.link("Sign up").as_str()).await;
    let back = browser
        .submit_and_stop(&page, &[("email", VICTIM), ("password", NEW)])
        .await;
    let code = json!({"grant_type": "authorization_code", "code": code_of(back.location().as_str())});
    let (status, victim) = authenticate(&emulator, code).await;
    assert_eq!(
        (status, &victim["user"]["id"]),
        (200, &json!(stranger.user_id)),
        "{victim}"
    );
    assert_eq!(victim["organization_id"], acme.id);
    let (status, answer) = password(&emulator).await;
    assert_eq!((status, &answer["code"]), (400, &json!("invalid_credentials")));
    let refreshed = json!({"grant_type": "refresh_token", "refresh_token": stranger.refresh_token});
    assert_eq!(authenticate(&emulator, refreshed).await.0, 400);
    let own = json!({"grant_type": "password", "email": VICTIM, "password": NEW});
    assert_eq!(authenticate(&emulator, own).await.0, 200);
}

/// The rule is about strangers: who signs up with a password and shows the address keeps it.
#[actix_web::test]
async fn who_has_the_password_and_the_mail_keeps_both() {
    let emulator = Emulator::start().await.unwrap();
    let own = stranger(&emulator).await;
    let mail = emulator.mailbox().last_to(VICTIM).unwrap();
    let back = own
        .browser
        .submit_and_stop(&own.waiting, &[("code", mail.code().unwrap())])
        .await;
    // There is a second factor by now.
    assert_eq!(back.location().path(), "/authkit/mfa", "{}", back.text);
    let (status, answer) = password(&emulator).await;
    assert_eq!(
        (status, &answer["code"]),
        (403, &json!("mfa_challenge")),
        "{answer}"
    );
    let refreshed = json!({"grant_type": "refresh_token", "refresh_token": own.refresh_token});
    assert_eq!(authenticate(&emulator, refreshed).await.0, 200);
}
