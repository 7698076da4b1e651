//! Single sign-on: from the application to the identity provider and back, by `sso/authorize` and through AuthKit.

mod application;
mod authkit;
mod identity_provider;

use reqwest::Url;
use serde_json::json;
use workos::{
    models::{SSOTokenResponse, TokenQuery},
    sso::{GetAuthorizationUrlParams, GetProfileAndTokenParams},
};
use workos_emulator::{Connection, Emulator, Organization, SsoProfile};

use crate::{
    browser::{Browser, Page},
    http, sdk,
};

const EMAIL: &str = "ada@acme.example";
const CALLBACK: &str = "http://localhost:3000/callback";

struct World {
    emulator: Emulator,
    acme: Organization,
    okta: Connection,
}

async fn world() -> World {
    let emulator = Emulator::start().await.unwrap();
    emulator.role("engineer").create().unwrap();
    let acme = emulator
        .organization("Acme")
        .domain("acme.example")
        .create()
        .unwrap();
    let ada = SsoProfile::new(EMAIL)
        .first_name("Ada")
        .last_name("Lovelace")
        .idp_id("00u1")
        .group("Engineering")
        .attribute("department", "Research");
    let okta = emulator
        .connection(&acme)
        .connection_type("OktaSAML")
        .group_role("Engineering", "engineer")
        .profile(ada)
        .create()
        .unwrap();
    World { emulator, acme, okta }
}

fn authorize(emulator: &Emulator, change: impl FnOnce(&mut GetAuthorizationUrlParams)) -> String {
    let mut params = GetAuthorizationUrlParams::new(CALLBACK);
    params.state = Some("a b+c&d=é".to_owned());
    change(&mut params);
    sdk::client(emulator).sso().get_authorization_url(params).unwrap()
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    let found = url.query_pairs().find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned())
}

/// Where a plain client is sent, which follows nothing.
async fn plain(url: &str) -> Url {
    let response = http::client().get(url).send().await.unwrap();
    assert_eq!(response.status(), 302);
    Url::parse(response.headers()["location"].to_str().unwrap()).unwrap()
}

fn code(back: &Url) -> String {
    assert!(back.as_str().starts_with(CALLBACK), "{back}");
    parameter(back, "code").unwrap_or_else(|| panic!("{back}"))
}

fn query(emulator: &Emulator, code: &str) -> TokenQuery {
    serde_json::from_value(json!({
        "client_id": emulator.client_id(), "client_secret": emulator.api_key(), "code": code,
        "grant_type": "authorization_code",
    }))
    .unwrap()
}

async fn redeem(emulator: &Emulator, code: &str) -> Result<SSOTokenResponse, workos::Error> {
    let params = GetProfileAndTokenParams::new(query(emulator, code));
    sdk::client(emulator).sso().get_profile_and_token(params).await
}

/// Answers the stand-in, and stops where the application would take over. That of a SAML connection has a form for WorkOS.
async fn answer(browser: &Browser, page: &Page, fields: &[(&str, &str)]) -> Page {
    let mut answered = browser.submit_and_stop(page, fields).await;
    if answered.status == 200 {
        answered = browser.submit_and_stop(&answered, &[]).await;
    }
    assert_eq!(answered.status, 303, "{}", answered.text);
    let callback = answered.location();
    let is_way_back = callback.path().starts_with("/sso/callback/") || callback.path() == "/sso/saml/finish";
    assert!(is_way_back, "{callback}");
    browser.step(callback.as_str()).await
}
