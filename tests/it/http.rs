//! Plain HTTP to an emulator, for what the SDK does not send and what it does not show.

use reqwest::{Client, ClientBuilder, Method, RequestBuilder, redirect::Policy};
use serde_json::Value;
use workos_emulator::EmulatedEnvironment;

/// Sets up a client for loopback. Reading the system's certificates would take most of a test's time.
pub(crate) fn builder() -> ClientBuilder {
    Client::builder().no_proxy().tls_certs_only([])
}

/// A client that goes where it is told to, and no further.
pub(crate) fn client() -> Client {
    builder().redirect(Policy::none()).build().unwrap()
}

/// Status and JSON body of the answer; null where it has none.
pub(crate) async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    let body = if text.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status}, not JSON: {text}"))
    };
    (status, body)
}

/// Calls an operation of the environment, or of its control API; null is no body.
pub(crate) async fn call(
    environment: &EmulatedEnvironment,
    method: Method,
    path: &str,
    body: &Value,
) -> (u16, Value) {
    let url = format!("{}{path}", environment.url());
    let request = client().request(method, url).bearer_auth(environment.api_key());
    answer(if body.is_null() {
        request
    } else {
        request.json(body)
    })
    .await
}

/// The names and the data of all events of the environment, in order; up to a hundred.
pub(crate) async fn events(environment: &EmulatedEnvironment) -> Vec<(String, Value)> {
    let path = "/events?limit=100&order=asc";
    let (status, mut list) = call(environment, Method::GET, path, &Value::Null).await;
    assert_eq!(status, 200, "{list}");
    let events = list["data"].as_array_mut().unwrap().iter_mut();
    events
        .map(|event| (event["event"].as_str().unwrap().to_owned(), event["data"].take()))
        .collect()
}
