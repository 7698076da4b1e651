//! An application asks for a fresh sign-in, and sees by `auth_time` that it got one.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use workos::{
    UserManagementAuthenticationProvider,
    models::{AuthenticateResponse, AuthenticationReauthenticationSucceededData},
    user_management::{
        AuthenticateWithCodeParams, AuthenticateWithRefreshTokenParams, GetAuthorizationUrlParams,
    },
};
use workos_emulator::Emulator;

use crate::{browser::Browser, http, sdk};

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse battery";
const CALLBACK: &str = "http://localhost:3000/callback";

struct Application {
    emulator: Emulator,
    sdk: workos::Client,
}

impl Application {
    /// With Ada, and with these organizations that she is in.
    async fn start(organizations: &[&str]) -> Self {
        let emulator = Emulator::start().await.unwrap();
        emulator.clock().freeze();
        let mut ada = emulator.user(EMAIL).password(PASSWORD);
        for name in organizations {
            ada = ada.member_of(&emulator.organization(*name).create().unwrap(), "member");
        }
        ada.create().unwrap();
        let sdk = sdk::client(&emulator);
        Self { emulator, sdk }
    }

    fn url(&self, with: &str) -> String {
        let mut params = GetAuthorizationUrlParams::new(CALLBACK);
        params.provider = Some(UserManagementAuthenticationProvider::Authkit);
        params.login_hint = Some(EMAIL.to_owned());
        let url = self.sdk.user_management().get_authorization_url(params);
        format!("{}{with}", url.unwrap())
    }

    /// Signs Ada in on the pages, whatever the browser has done before.
    async fn sign_in(&self, browser: &Browser, with: &str) -> AuthenticateResponse {
        let page = browser.visit(self.url(with)).await;
        assert_eq!(page.url.path(), "/authkit/sign-in", "a page asks, {with}");
        assert!(page.text.contains(EMAIL), "the hint is filled in");
        let mut page = browser.submit(&page, &[("email", EMAIL)]).await;
        page = browser.submit_and_stop(&page, &[("password", PASSWORD)]).await;
        let url = page.location();
        let (_, code) = url.query_pairs().find(|(name, _)| name == "code").unwrap();
        self.redeem(&code).await
    }

    async fn redeem(&self, code: &str) -> AuthenticateResponse {
        let params = AuthenticateWithCodeParams::new(code.to_owned());
        self.sdk
            .user_management()
            .authenticate_with_code(params)
            .await
            .unwrap()
    }

    fn advance(&self, seconds: u64) {
        self.emulator.clock().advance(Duration::from_secs(seconds));
    }

    async fn events(&self) -> Vec<(String, Value)> {
        let (_, list) = http::call(
            &self.emulator,
            Method::GET,
            "/events?order=asc&limit=100",
            &Value::Null,
        )
        .await;
        let events = list["data"].as_array().unwrap().iter();
        events
            .map(|event| (event["event"].as_str().unwrap().to_owned(), event["data"].clone()))
            .collect()
    }

    async fn reauthentications(&self) -> usize {
        let events = self.events().await;
        let name = "authentication.reauthentication_succeeded";
        events.iter().filter(|(event, _)| event == name).count()
    }
}

fn auth_time(response: &AuthenticateResponse) -> i64 {
    sdk::claims(&response.access_token)["auth_time"].as_i64().unwrap()
}

fn session(response: &AuthenticateResponse) -> Value {
    sdk::claims(&response.access_token)["sid"].clone()
}

#[actix_web::test]
async fn a_fresh_sign_in_moves_auth_time_and_is_told_of() {
    let app = Application::start(&[]).await;
    let browser = Browser::new();
    let first = app.sign_in(&browser, "").await;
    app.advance(600);
    let second = app.sign_in(&browser, "&max_age=300").await;
    assert_eq!(auth_time(&second), auth_time(&first) + 600);
    assert_ne!(session(&first), session(&second));

    let events = app.events().await;
    let names: Vec<_> = events.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "user.created",
        "authentication.password_succeeded",
        "session.created",
        "authentication.password_succeeded",
        "authentication.reauthentication_succeeded",
        "session.created",
    ];
    assert_eq!(names, expected);
    let mut data = events[4].1.clone();
    let parsed: AuthenticationReauthenticationSucceededData = serde_json::from_value(data.clone()).unwrap();
    assert_eq!(
        (parsed.user_id, parsed.email.as_str()),
        (first.user.id.clone(), EMAIL)
    );
    assert_eq!(parsed.ip_address.as_deref(), Some("127.0.0.1"));
    data.as_object_mut().unwrap().remove("ip_address");
    let rest = json!({
        "type": "reauthentication", "status": "succeeded", "user_agent": null,
        "user_id": first.user.id, "email": EMAIL,
    });
    assert_eq!(data, rest);

    // The session before goes on as it was.
    let params = AuthenticateWithRefreshTokenParams::new(first.refresh_token.expose());
    let refreshed = app
        .sdk
        .user_management()
        .authenticate_with_refresh_token(params)
        .await
        .unwrap();
    assert_eq!(
        (auth_time(&refreshed), session(&refreshed)),
        (auth_time(&first), session(&first))
    );
}

#[actix_web::test]
async fn only_what_is_too_old_is_renewed() {
    for (with, age, told) in [
        ("", 3600, 0),
        ("&max_age=300", 300, 0),
        ("&max_age=300", 301, 1),
        ("&max_age=0", 0, 1),
        ("&prompt=login", 0, 1),
        ("&prompt=login&max_age=9000", 1, 1),
        ("&prompt=consent", 3600, 0),
        ("&max_age=", 3600, 0),
    ] {
        let app = Application::start(&[]).await;
        let browser = Browser::new();
        app.sign_in(&browser, "").await;
        app.advance(age);
        app.sign_in(&browser, with).await;
        assert_eq!(app.reauthentications().await, told, "{with} after {age} s");
    }
}

#[actix_web::test]
async fn who_was_not_signed_in_signs_in_for_the_first_time() {
    let app = Application::start(&[]).await;
    let first = app.sign_in(&Browser::new(), "&max_age=0").await;
    assert_eq!(app.reauthentications().await, 0);
    let revoke = json!({"session_id": session(&first)});
    http::call(
        &app.emulator,
        Method::POST,
        "/user_management/sessions/revoke",
        &revoke,
    )
    .await;
    app.advance(1);
    app.sign_in(&Browser::new(), "&max_age=0").await;
    assert_eq!(app.reauthentications().await, 0);
    // The session of somebody who impersonates her is not hers.
    let app = Application::start(&[]).await;
    let wanted = json!({"email": EMAIL, "impersonator_email": "support@example.com", "reason": "A bug", "redirect_uri": CALLBACK});
    let (_, link) = http::call(&app.emulator, Method::POST, "/_emulate/impersonations", &wanted).await;
    let callback = Browser::new()
        .step(link["url"].as_str().unwrap())
        .await
        .location();
    let (_, code) = callback.query_pairs().find(|(name, _)| name == "code").unwrap();
    app.redeem(&code).await;
    app.sign_in(&Browser::new(), "&max_age=0").await;
    assert_eq!(app.reauthentications().await, 0);
}

#[actix_web::test]
async fn a_program_with_a_hint_is_signed_in_freshly_as_well() {
    let app = Application::start(&[]).await;
    let mut times = Vec::new();
    for _ in 0..2 {
        let answer = http::client().get(app.url("&max_age=60")).send().await.unwrap();
        let url = reqwest::Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
        let (_, code) = url.query_pairs().find(|(name, _)| name == "code").unwrap();
        times.push(auth_time(&app.redeem(&code).await));
        app.advance(61);
    }
    assert_eq!(times[1], times[0] + 61);
    assert_eq!(app.reauthentications().await, 1);
}

#[actix_web::test]
async fn neither_a_refresh_nor_another_organization_moves_auth_time() {
    let app = Application::start(&["Acme"]).await;
    let first = app.sign_in(&Browser::new(), "").await;
    let globex = app.emulator.organization("Globex").create().unwrap();
    let joined = json!({"user_id": first.user.id, "organization_id": globex.id});
    let path = "/user_management/organization_memberships";
    assert_eq!(
        http::call(&app.emulator, Method::POST, path, &joined).await.0,
        201
    );
    let mut token = first.refresh_token.expose().to_owned();
    for organization_id in [None, Some(globex.id.clone()), None] {
        app.advance(240);
        let mut params = AuthenticateWithRefreshTokenParams::new(token.as_str());
        params.organization_id = organization_id;
        let refreshed = app
            .sdk
            .user_management()
            .authenticate_with_refresh_token(params)
            .await
            .unwrap();
        assert_eq!(auth_time(&refreshed), auth_time(&first));
        token = refreshed.refresh_token.expose().to_owned();
    }
    assert_eq!(app.reauthentications().await, 0);
}

#[actix_web::test]
async fn a_max_age_that_is_none_is_told_to_the_application() {
    let app = Application::start(&[]).await;
    for max_age in ["-1", "1.5", "soon", "99999999999"] {
        let answer = http::client()
            .get(app.url(&format!("&max_age={max_age}")))
            .send()
            .await
            .unwrap();
        let location = answer.headers()["location"].to_str().unwrap();
        assert!(
            location.starts_with(&format!("{CALLBACK}?error=invalid_request&")),
            "{location}"
        );
    }
}
