//! Requests as an attacker makes them: by hand.

use reqwest::Method;
use serde_json::{Value, json};
use workos_emulator::EmulatedEnvironment;

use crate::http;

/// Sends a grant with the environment's own credentials, unless `body` has others.
pub(super) async fn authenticate(environment: &EmulatedEnvironment, body: Value) -> (u16, Value) {
    let mut full = json!({"client_id": environment.client_id(), "client_secret": environment.api_key()});
    full.as_object_mut()
        .unwrap()
        .extend(body.as_object().unwrap().clone());
    let url = format!("{}/user_management/authenticate", environment.url());
    http::answer(http::client().post(url).json(&full)).await
}

/// The full name of one of WorkOS's own grants.
pub(super) fn grant(name: &str) -> String {
    format!("urn:workos:oauth:grant-type:{name}")
}

/// The code in a callback.
pub(super) fn code_of(callback: &str) -> String {
    let url = reqwest::Url::parse(callback).unwrap();
    let code = url.query_pairs().find(|(name, _)| name == "code");
    code.unwrap_or_else(|| panic!("{callback}")).1.into_owned()
}

/// Calls an operation that has to succeed.
pub(super) async fn post(environment: &EmulatedEnvironment, path: &str, body: Value) -> Value {
    let (status, answer) = http::call(environment, Method::POST, path, &body).await;
    assert!(status < 300, "{path}: {status} {answer}");
    answer
}
