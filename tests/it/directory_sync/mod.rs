//! Directory Sync through the SDK: what the control API, a seed and a test put into directories, and what an application
//! sees and hears of it.

mod changes;
mod provisioning;
mod refusals;
mod seed;

use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;
use workos_emulator::Emulator;

use crate::http::call;

/// Calls the control API and takes this status for an answer.
async fn control(emulator: &Emulator, method: Method, path: &str, body: &Value, status: u16) -> Value {
    let (answered, body) = call(emulator, method, &format!("/_emulate{path}"), body).await;
    assert_eq!(answered, status, "{path}: {body}");
    body
}

/// All events of directories, oldest first.
async fn events(emulator: &Emulator) -> Vec<Value> {
    let (_, list) = call(emulator, Method::GET, "/events?order=asc&limit=100", &Value::Null).await;
    let events = list["data"].as_array().unwrap().iter().cloned();
    events
        .filter(|event| event["event"].as_str().unwrap().starts_with("dsync."))
        .collect()
}

fn id(body: &Value) -> &str {
    body["id"].as_str().unwrap()
}

/// Reads an event as the SDK does, and finds nothing in it that the SDK does not know.
fn check<T: DeserializeOwned + serde::Serialize>(event: &Value) {
    let typed: T = serde_json::from_value(event.clone()).unwrap_or_else(|error| panic!("{error}: {event}"));
    let known = serde_json::to_value(typed).unwrap();
    for name in event["data"].as_object().unwrap().keys() {
        let shown = &event["data"][name];
        assert!(
            shown.is_null() || !known["data"][name].is_null(),
            "{name} of {event}"
        );
    }
}
