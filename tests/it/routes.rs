//! What the emulator answers outside of its operations.

use serde_json::{Value, json};
use workos_emulator::Emulator;

use crate::sdk::{self, refusal};

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    assert!(response.headers().contains_key("x-request-id"));
    (response.status().as_u16(), response.json().await.unwrap())
}

#[actix_web::test]
async fn an_operation_that_is_not_built_says_so_by_name() {
    let emulator = Emulator::start().await.unwrap();
    let outcome = sdk::client(&emulator)
        .vault()
        .list_kv(workos::vault::ListKvParams::default())
        .await;
    assert_eq!(refusal(outcome), (501, "not_implemented".to_owned()));
}

#[actix_web::test]
async fn strangers_and_mistakes_get_the_right_status() {
    let emulator = Emulator::start().await.unwrap();
    let url = emulator.url();
    let http = reqwest::Client::builder().build().unwrap();
    let key = "sk_test_default";
    let (status, body) = answer(http.get(format!("{url}/organizations"))).await;
    assert_eq!((status, body), (401, json!({"message": "Unauthorized"})));
    let (status, _) = answer(
        http.get(format!("{url}/organizations"))
            .bearer_auth("sk_test_wrong"),
    )
    .await;
    assert_eq!(status, 401);
    let (status, _) = answer(http.get(format!("{url}/nowhere")).bearer_auth(key)).await;
    assert_eq!(status, 404);
    let (status, body) = answer(http.patch(format!("{url}/organizations")).bearer_auth(key)).await;
    assert_eq!((status, &body["code"]), (405, &json!("method_not_allowed")));
    let post = || http.post(format!("{url}/organizations")).bearer_auth(key);
    let (status, _) = answer(post().body("{").header("content-type", "application/json")).await;
    assert_eq!(status, 400);
    let (status, _) = answer(post().body("name").header("content-type", "text/plain")).await;
    assert_eq!(status, 415);
    let (status, body) = answer(post().json(&json!({"name": 1}))).await;
    assert_eq!((status, &body["errors"][0]["field"]), (422, &json!("name")));
    let (status, _) = answer(post().json(&json!({"name": "x".repeat(2_000_000)}))).await;
    assert_eq!(status, 413);
}
