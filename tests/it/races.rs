//! Many at once: what works once works once.

use reqwest::{Method, Url};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use workos_emulator::{EmulatedEnvironment, Emulator};

use crate::http::{self, call};

const MANY: usize = 20;

/// Sends the same request many times at once.
async fn all_at_once(
    environment: &EmulatedEnvironment,
    path: &'static str,
    body: &Value,
) -> Vec<(u16, Value)> {
    let mut requests = JoinSet::new();
    for _ in 0..MANY {
        let (environment, body) = (environment.clone(), body.clone());
        requests.spawn_local(async move { call(&environment, Method::POST, path, &body).await });
    }
    requests.join_all().await
}

fn succeeded(answers: &[(u16, Value)]) -> Vec<&Value> {
    let successes = answers.iter().filter(|(status, _)| *status < 300);
    successes.map(|(_, body)| body).collect()
}

fn grant(members: Value) -> Value {
    let mut body = json!({"client_id": "client_emulate", "client_secret": "sk_test_default"});
    body.as_object_mut()
        .unwrap()
        .extend(members.as_object().unwrap().clone());
    body
}

#[actix_web::test]
async fn one_of_many_gets_the_email_address() {
    let emulator = Emulator::start().await.unwrap();
    let body = json!({"email": "ada@example.com"});
    let answers = all_at_once(&emulator, "/user_management/users", &body).await;
    assert_eq!(succeeded(&answers).len(), 1);
    let refused = answers
        .iter()
        .filter(|(_, body)| body["code"] == "user_creation_error")
        .count();
    assert_eq!(refused, MANY - 1);
    let (_, users) = call(&emulator, Method::GET, "/user_management/users", &Value::Null).await;
    assert_eq!(users["data"].as_array().unwrap().len(), 1);
    let (_, events) = call(&emulator, Method::GET, "/events", &Value::Null).await;
    assert_eq!(events["data"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn one_of_many_gets_tokens_for_a_code() {
    let emulator = Emulator::start().await.unwrap();
    emulator.user("ada@example.com").create().unwrap();
    let query = [
        ("client_id", emulator.client_id()),
        ("response_type", "code"),
        ("provider", "authkit"),
        ("login_hint", "ada@example.com"),
        ("redirect_uri", "http://localhost:3000/callback"),
    ];
    let url = format!("{}/user_management/authorize", emulator.url());
    let request = http::client().get(Url::parse_with_params(&url, query).unwrap());
    let response = request.send().await.unwrap();
    let callback = Url::parse(response.headers()["location"].to_str().unwrap()).unwrap();
    let (_, code) = callback.query_pairs().find(|(name, _)| name == "code").unwrap();
    let body = grant(json!({"grant_type": "authorization_code", "code": code}));
    let answers = all_at_once(&emulator, "/user_management/authenticate", &body).await;
    assert_eq!(succeeded(&answers).len(), 1);
    let refused = answers
        .iter()
        .filter(|(_, body)| body["error"] == "invalid_grant")
        .count();
    assert_eq!(refused, MANY - 1);
}

#[actix_web::test]
async fn many_get_the_same_pair_for_a_refresh_token() {
    let emulator = Emulator::start().await.unwrap();
    let ada = emulator.user("ada@example.com").create().unwrap();
    let tokens = emulator.sign_in(&ada).await.unwrap();
    let body = grant(json!({"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}));
    let answers = all_at_once(&emulator, "/user_management/authenticate", &body).await;
    let successes = succeeded(&answers);
    assert_eq!(successes.len(), MANY);
    assert!(successes.iter().all(|pair| *pair == successes[0]));
    let (_, events) = call(
        &emulator,
        Method::GET,
        "/events?events=session.created",
        &Value::Null,
    )
    .await;
    assert_eq!(events["data"].as_array().unwrap().len(), 1);
}
