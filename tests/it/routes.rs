//! Every operation of the WorkOS API, and what the emulator answers to requests that are not right.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use workos_emulator::Emulator;

use crate::{
    http,
    sdk::{self, refusal},
};

/// One operation on a line: method, path, the SDK's name of it, and `served` where it is.
const OPERATIONS: &str = include_str!("operations.txt");
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

pub(crate) struct Operation {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    name: &'static str,
    pub(crate) served: bool,
}

pub(crate) fn operations() -> impl Iterator<Item = Operation> {
    OPERATIONS.lines().map(|line| {
        let mut columns = line.split(' ');
        let mut next = || columns.next();
        Operation {
            method: next().unwrap(),
            path: next().unwrap(),
            name: next().unwrap(),
            served: next() == Some("served"),
        }
    })
}

pub(crate) fn method(name: &str) -> Method {
    Method::from_bytes(name.as_bytes()).unwrap()
}

/// A path of the API with ids of things that are not there.
pub(crate) fn with_unknown_ids(path: &str) -> String {
    let segments = path.split('/').map(|segment| match segment.strip_prefix('{') {
        Some(_) => "unknown",
        None => segment,
    });
    segments.collect::<Vec<_>>().join("/")
}

async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    assert!(response.headers().contains_key("x-request-id"));
    (response.status().as_u16(), response.json().await.unwrap())
}

#[actix_web::test]
async fn every_operation_is_known_and_what_is_not_served_says_so_by_name() {
    let emulator = Emulator::start().await.unwrap();
    let http = http::client();
    assert_eq!(operations().count(), 266);
    for operation in operations() {
        let Operation {
            method: verb, path, ..
        } = operation;
        let url = format!("{}{}", emulator.url(), with_unknown_ids(path));
        let request = http.request(method(verb), url).bearer_auth(emulator.api_key());
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        assert!(response.headers().contains_key("x-request-id"), "{verb} {path}");
        let text = response.text().await.unwrap();
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        if operation.served {
            assert!(status < 500, "{verb} {path}: {status} {text}");
            assert_ne!(body["code"], "not_found", "{verb} {path} is not routed");
        } else {
            assert_eq!(
                (status, &body["code"]),
                (501, &json!("not_implemented")),
                "{verb} {path}: say in operations.txt that it is served"
            );
            assert_eq!(body["operation"], operation.name);
            assert!(
                body["message"].as_str().unwrap().contains(operation.name),
                "{body}"
            );
        }
    }
}

#[actix_web::test]
async fn the_sdk_reads_what_is_not_built() {
    let emulator = Emulator::start().await.unwrap();
    let outcome = sdk::client(&emulator)
        .vault()
        .list_kv(workos::vault::ListKvParams::default())
        .await;
    assert_eq!(refusal(outcome), (501, "not_implemented".to_owned()));
}

#[actix_web::test]
async fn a_wrong_method_is_405_and_names_the_right_ones() {
    let emulator = Emulator::start().await.unwrap();
    let http = http::client();
    let mut allowed = BTreeMap::<String, BTreeSet<&str>>::new();
    for operation in operations() {
        let path = with_unknown_ids(operation.path);
        let methods = allowed.entry(path).or_default();
        methods.insert(operation.method);
        if operation.method == "GET" {
            methods.insert("HEAD");
        }
    }
    for (path, allowed) in allowed {
        for wrong in METHODS.into_iter().filter(|method| !allowed.contains(method)) {
            let request = http.request(method(wrong), format!("{}{path}", emulator.url()));
            let response = request.bearer_auth(emulator.api_key()).send().await.unwrap();
            assert_eq!(response.status(), 405, "{wrong} {path}");
            // RFC 9110 section 15.5.6
            let named = response.headers()["allow"].to_str().unwrap().to_owned();
            assert_eq!(
                named.split(", ").collect::<BTreeSet<_>>(),
                allowed,
                "{wrong} {path}"
            );
            let body: Value = response.json().await.unwrap();
            assert_eq!(body["code"], "method_not_allowed");
        }
    }
}

#[actix_web::test]
async fn strangers_and_mistakes_get_the_right_status() {
    let emulator = Emulator::start().await.unwrap();
    let url = emulator.url();
    let http = http::client();
    let key = emulator.api_key();
    let (status, body) = answer(http.get(format!("{url}/organizations"))).await;
    assert_eq!((status, body), (401, json!({"message": "Unauthorized"})));
    let stranger = http
        .get(format!("{url}/organizations"))
        .bearer_auth("sk_test_wrong");
    assert_eq!(answer(stranger).await.0, 401);
    let nowhere = http.get(format!("{url}/nowhere")).bearer_auth(&key);
    assert_eq!(answer(nowhere).await.0, 404);
    let post = || http.post(format!("{url}/organizations")).bearer_auth(&key);
    let (status, _) = answer(post().body("{").header("content-type", "application/json")).await;
    assert_eq!(status, 400);
    let (status, body) = answer(post().json(&json!({"name": 1}))).await;
    assert_eq!((status, &body["errors"][0]["field"]), (422, &json!("name")));
}

#[actix_web::test]
async fn every_operation_that_needs_a_key_refuses_strangers_before_anything_else() {
    let emulator = Emulator::start().await.unwrap();
    let http = http::client();
    // What a browser or a public client calls, which has no API key.
    let open = [
        "/sso/authorize",
        "/sso/logout",
        "/sso/profile",
        "/sso/token",
        "/sso/jwks/{clientId}",
        "/user_management/authenticate",
        "/user_management/authorize",
        "/user_management/authorize/device",
        "/user_management/sessions/logout",
    ];
    for operation in operations().filter(|operation| !open.contains(&operation.path)) {
        let url = format!("{}{}", emulator.url(), with_unknown_ids(operation.path));
        let request = http.request(method(operation.method), url).body("{");
        assert_eq!(
            answer(request).await.0,
            401,
            "{} {}",
            operation.method,
            operation.path
        );
    }
}
