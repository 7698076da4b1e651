//! What a browser sees that calls the emulator from the page of another site.

use reqwest::{Method, Response};
use serde_json::json;
use workos::user_management::{CreateCorsOriginParams, ListCorsOriginsParams};
use workos_emulator::{EmulatedEnvironment, Emulator};

use crate::{
    http,
    sdk::{self, refusal},
};

const APP: &str = "https://app.example.com";
const EVIL: &str = "https://evil.example";
const AUTHENTICATE: &str = "/user_management/authenticate";

async fn register(environment: &EmulatedEnvironment, origin: &str) {
    let body = workos::CreateCorsOrigin {
        origin: origin.to_owned(),
    };
    let sdk = sdk::client(environment);
    let params = CreateCorsOriginParams::new(body);
    let made = sdk.user_management().create_cors_origin(params).await.unwrap();
    assert_eq!(made.origin, origin);
}

async fn preflight(environment: &EmulatedEnvironment, method: &str, path: &str, origin: &str) -> Response {
    http::client()
        .request(Method::OPTIONS, format!("{}{path}", environment.url()))
        .header("origin", origin)
        .header("access-control-request-method", method)
        .header("access-control-request-headers", "content-type")
        .send()
        .await
        .unwrap()
}

async fn post(environment: &EmulatedEnvironment, origin: Option<&str>) -> Response {
    let body =
        json!({"grant_type": "refresh_token", "client_id": environment.client_id(), "refresh_token": "x"});
    let request = http::client()
        .post(format!("{}{AUTHENTICATE}", environment.url()))
        .json(&body);
    let request = match origin {
        Some(origin) => request.header("origin", origin),
        None => request,
    };
    request.send().await.unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    Some(response.headers().get(name)?.to_str().unwrap())
}

/// Whose pages may read the answer.
fn allowed(response: &Response) -> Option<&str> {
    let origin = header(response, "access-control-allow-origin");
    assert_ne!(origin, Some("*"));
    let with_credentials = header(response, "access-control-allow-credentials");
    assert_eq!(with_credentials, origin.map(|_| "true"));
    origin
}

#[actix_web::test]
async fn origins_are_registered_once_and_listed() {
    let emulator = Emulator::start().await.unwrap();
    register(&emulator, APP).await;
    register(&emulator, "http://localhost:3000").await;
    let sdk = sdk::client(&emulator);
    let list = sdk
        .user_management()
        .list_cors_origins(ListCorsOriginsParams::default())
        .await
        .unwrap();
    let origins: Vec<_> = list.data.iter().map(|row| row.origin.as_str()).collect();
    assert_eq!(origins, ["http://localhost:3000", APP]);
    let again = CreateCorsOriginParams::new(workos::CreateCorsOrigin {
        origin: APP.to_owned(),
    });
    let again = sdk.user_management().create_cors_origin(again).await;
    assert_eq!(refusal(again), (409, "duplicate_cors_origin".to_owned()));
    let path = "/user_management/cors_origins";
    for body in [
        json!({"origin": "https://example.com/app"}),
        json!({}),
        json!({"origin": 1}),
    ] {
        let (status, refused) = http::call(&emulator, Method::POST, path, &body).await;
        assert_eq!(
            (status, &refused["errors"][0]["property"]),
            (422, &json!("origin")),
            "{body}"
        );
        assert!(refused["errors"][0]["constraints"].is_object());
    }
}

#[actix_web::test]
async fn pages_of_a_registered_origin_may_call_what_browsers_call() {
    let emulator = Emulator::start().await.unwrap();
    register(&emulator, APP).await;
    let jwks = format!("/sso/jwks/{}", emulator.client_id());
    let discovery = format!(
        "/user_management/{}/.well-known/openid-configuration",
        emulator.client_id()
    );
    for (method, path) in [("POST", AUTHENTICATE), ("GET", &jwks), ("GET", &discovery)] {
        let answer = preflight(&emulator, method, path, APP).await;
        assert_eq!(
            (answer.status().as_u16(), allowed(&answer)),
            (204, Some(APP)),
            "{path}"
        );
        assert_eq!(header(&answer, "access-control-allow-methods"), Some(method));
        assert_eq!(
            header(&answer, "access-control-allow-headers"),
            Some("content-type")
        );
        assert_eq!(header(&answer, "vary"), Some("Origin"));

        let refused = preflight(&emulator, method, path, EVIL).await;
        assert_eq!(
            (refused.status().as_u16(), allowed(&refused)),
            (403, None),
            "{path}"
        );
        assert_eq!(header(&refused, "vary"), Some("Origin"));
    }
    // A refusal is an answer, which the page may read.
    let answer = post(&emulator, Some(APP)).await;
    assert_eq!((answer.status().as_u16(), allowed(&answer)), (400, Some(APP)));
    assert_eq!(header(&answer, "vary"), Some("Origin"));
    for origin in [None, Some(EVIL), Some("null"), Some("http://localhost:3000")] {
        let answer = post(&emulator, origin).await;
        assert_eq!(
            (answer.status().as_u16(), allowed(&answer)),
            (400, None),
            "{origin:?}"
        );
        assert_eq!(header(&answer, "vary"), Some("Origin"));
    }
}

#[actix_web::test]
async fn as_long_as_none_is_registered_this_machine_may() {
    let emulator = Emulator::start().await.unwrap();
    let local = "http://localhost:5173";
    let answer = preflight(&emulator, "POST", AUTHENTICATE, local).await;
    assert_eq!(allowed(&answer), Some(local));
    assert_eq!(allowed(&post(&emulator, Some(local)).await), Some(local));
    assert_eq!(allowed(&post(&emulator, Some(APP)).await), None);
}

#[actix_web::test]
async fn an_origin_of_one_environment_reads_no_answer_of_another() {
    let emulator = Emulator::start().await.unwrap();
    register(&emulator, "https://other.example").await;
    let own = emulator.environment("own").unwrap();
    register(&own, APP).await;
    // The preflight does not say which environment is meant.
    assert_eq!(
        preflight(&emulator, "POST", AUTHENTICATE, APP).await.status(),
        204
    );
    assert_eq!(allowed(&post(&own, Some(APP)).await), Some(APP));
    assert_eq!(allowed(&post(&emulator, Some(APP)).await), None);
}

#[actix_web::test]
async fn nothing_else_is_open_to_other_sites() {
    let emulator = Emulator::start().await.unwrap();
    register(&emulator, APP).await;
    for (method, path) in [
        ("GET", "/user_management/users"),
        ("POST", "/organizations"),
        ("GET", "/user_management/authorize"),
        ("POST", "/_emulate/reset"),
        ("PUT", AUTHENTICATE),
    ] {
        let answer = preflight(&emulator, method, path, APP).await;
        assert_eq!(
            (answer.status().as_u16(), allowed(&answer)),
            (405, None),
            "{method} {path}"
        );
    }
    // Without the question of a preflight, OPTIONS is a method like any other.
    let plain = http::client()
        .request(Method::OPTIONS, format!("{}{AUTHENTICATE}", emulator.url()))
        .header("origin", APP)
        .send()
        .await
        .unwrap();
    assert_eq!((plain.status().as_u16(), allowed(&plain)), (405, None));
    let users = http::client()
        .get(format!("{}/user_management/users", emulator.url()))
        .bearer_auth(emulator.api_key())
        .header("origin", APP)
        .send()
        .await
        .unwrap();
    assert_eq!((users.status().as_u16(), allowed(&users)), (200, None));
}
