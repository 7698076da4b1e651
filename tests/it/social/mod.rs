//! Social login: from the application to AuthKit, to the page that stands in for a provider, and all the way back.

mod attacks;
mod pages;
mod sign_in;

use reqwest::{Method, Url, header::HeaderMap};
use serde_json::Value;
use workos::{
    UserManagementAuthenticationProvider as Provider,
    models::AuthenticateResponse,
    user_management::{AuthenticateWithCodeParams, GetAuthorizationUrlParams},
};
use workos_emulator::Emulator;

use crate::{
    browser::{Browser, Page},
    http, sdk,
};

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse battery";
const CALLBACK: &str = "http://localhost:3000/callback";

pub(crate) async fn settings(emulator: &Emulator, changes: Value) {
    let (status, body) = http::call(emulator, Method::PATCH, "/_emulate/settings", &changes).await;
    assert_eq!(status, 200, "{body}");
}

pub(crate) fn authorize(
    emulator: &Emulator,
    provider: Provider,
    change: impl FnOnce(&mut GetAuthorizationUrlParams),
) -> String {
    let mut params = GetAuthorizationUrlParams::new(CALLBACK);
    params.provider = Some(provider);
    params.state = Some("a b+c&d=é".to_owned());
    change(&mut params);
    sdk::client(emulator)
        .user_management()
        .get_authorization_url(params)
        .unwrap()
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    let found = url.query_pairs().find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned())
}

/// The page from its form with the buttons of providers on.
pub(crate) fn provider_buttons(page: &Page) -> Page {
    let at = page
        .text
        .find("class=\"providers\"")
        .unwrap_or_else(|| panic!("{}", page.text));
    let start = page.text[..at].rfind("<form ").unwrap();
    Page {
        url: page.url.clone(),
        status: page.status,
        headers: HeaderMap::new(),
        text: page.text[start..].to_owned(),
    }
}

/// Answers the stand-in, follows AuthKit, and stops where the application would take over.
pub(crate) async fn answer(browser: &Browser, stand_in: &Page, fields: &[(&str, &str)]) -> Page {
    let answered = browser.submit_and_stop(stand_in, fields).await;
    assert_eq!(answered.status, 303, "{}", answered.text);
    let callback = answered.location();
    assert!(callback.path().starts_with("/authkit/oauth/"), "{callback}");
    browser.step(callback.as_str()).await
}

/// The code that the application gets, with its state as it was.
pub(crate) fn code(page: &Page) -> String {
    let back = page.location();
    assert!(back.as_str().starts_with(CALLBACK), "{back}");
    assert_eq!(parameter(&back, "state").as_deref(), Some("a b+c&d=é"));
    parameter(&back, "code").unwrap_or_else(|| panic!("{back}"))
}

pub(crate) async fn redeem(emulator: &Emulator, code: String) -> Result<AuthenticateResponse, workos::Error> {
    sdk::client(emulator)
        .user_management()
        .authenticate_with_code(AuthenticateWithCodeParams::new(code))
        .await
}

async fn events(emulator: &Emulator, name: &str) -> Vec<Value> {
    let path = format!("/events?events={name}");
    let (_, list) = http::call(emulator, Method::GET, &path, &Value::Null).await;
    let data = list["data"].as_array().unwrap();
    data.iter().map(|event| event["data"].clone()).collect()
}
