//! Whatever is sent to an operation, the answer is a refusal that says what is wrong, or a success; never a 5xx.

mod good_requests;

use reqwest::RequestBuilder;
use serde_json::{Value, json};
use workos_emulator::Emulator;

use self::good_requests::good_requests;
use crate::{
    http,
    routes::{method, operations, with_unknown_ids},
};

#[actix_web::test]
async fn every_operation_with_a_body_is_in_the_list_of_good_requests() {
    let (_emulator, requests) = good_requests().await;
    let served: Vec<_> = operations()
        .filter(|operation| operation.served && matches!(operation.method, "POST" | "PUT" | "PATCH"))
        .collect();
    for operation in served {
        let fits = |path: &str| {
            let (wanted, given) = (operation.path.split('/'), path.split('/'));
            let same = |(wanted, given): (&str, &str)| wanted.starts_with('{') || wanted == given;
            wanted.clone().count() == given.clone().count() && wanted.zip(given).all(same)
        };
        let found = requests
            .iter()
            .any(|(method, path, _)| *method == operation.method && fits(path));
        assert!(found, "{} {} is to be added", operation.method, operation.path);
    }
}

#[actix_web::test]
async fn no_body_whatever_is_a_500() {
    let (emulator, requests) = good_requests().await;
    let http = http::client();
    let nested = "[".repeat(100_000);
    let json = Some("application/json");
    let form = Some("application/x-www-form-urlencoded");
    let bodies: [(Option<&str>, &[u8], Option<u16>); 19] = [
        (json, b"{", Some(400)),
        (json, b"{\"name\":", Some(400)),
        (json, b"{\"name\": 1e999999}", Some(400)),
        (json, b"\xff\xfe{}", Some(400)),
        (json, b"{\"name\": \"\\ud800\"}", Some(400)),
        (json, nested.as_bytes(), Some(400)),
        (json, b"", None),
        (json, b"[]", None),
        (json, b"null", None),
        (json, b"true", None),
        (json, b"\"name\"", None),
        (json, b"{\"name\": \"a\", \"name\": \"b\"}", None),
        (None, b"{}", None),
        (form, b"%ff%fe=%00&&==&a[]=1&a=2&%", None),
        (form, b"{\"name\": 1}", None),
        (Some("text/plain"), b"name", Some(415)),
        (Some("multipart/form-data; boundary=x"), b"--x--", Some(415)),
        (Some("application/xml"), b"<a/>", Some(415)),
        (Some("\u{7f}"), b"{}", None),
    ];
    let huge = format!("{{\"name\": \"{}\"}}", "x".repeat(2_000_000));
    for (verb, path, _) in &requests {
        let url = format!("{}{path}", emulator.url());
        let request = || http.request(method(verb), &url).bearer_auth("sk_test_default");
        for (content_type, body, expected) in &bodies {
            let Some(request) = with_content_type(request(), *content_type) else {
                continue;
            };
            let (status, answer) = http::answer(request.body(body.to_vec())).await;
            let what = format!(
                "{verb} {path} {content_type:?} {:.40}",
                String::from_utf8_lossy(body)
            );
            assert!(status < 500, "{what}: {status} {answer}");
            assert!(
                expected.is_none_or(|expected| status == expected),
                "{what}: {status} {answer}"
            );
            if status >= 400 {
                assert!(
                    answer["message"].is_string() || answer["error"].is_string(),
                    "{what}: {answer}"
                );
            }
        }
        let (status, _) = http::answer(
            request()
                .header("content-type", "application/json")
                .body(huge.clone()),
        )
        .await;
        assert_eq!(status, 413, "{verb} {path}");
    }
}

/// The request with this content type; none where it is one that no client can send.
fn with_content_type(request: RequestBuilder, content_type: Option<&str>) -> Option<RequestBuilder> {
    match content_type.map(reqwest::header::HeaderValue::from_str) {
        None => Some(request),
        Some(Ok(value)) => Some(request.header("content-type", value)),
        Some(Err(_)) => None,
    }
}

#[actix_web::test]
async fn no_member_of_a_body_whatever_is_a_500() {
    let (emulator, requests) = good_requests().await;
    let http = http::client();
    let values = [
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(u64::MAX),
        json!(f64::MAX),
        json!(""),
        json!(" "),
        json!("\0"),
        json!("ü💥\u{202e}\r\nSet-Cookie: a=b"),
        json!("x".repeat(10_000)),
        json!([]),
        json!([null]),
        json!([""]),
        json!(["x", 1]),
        json!({}),
        json!({"a": null}),
        json!({"a": {"a": "x"}}),
        json!([{"domain": 1, "state": null}]),
        json!([{"domain": "\0", "state": "verified"}]),
    ];
    for (verb, path, good) in &requests {
        for name in good.as_object().unwrap().keys() {
            for value in &values {
                let mut body = good.clone();
                body[name] = value.clone();
                let request = http.request(method(verb), format!("{}{path}", emulator.url()));
                let request = request.bearer_auth("sk_test_default").json(&body);
                let (status, answer) = http::answer(request).await;
                assert!(
                    status < 500,
                    "{verb} {path} {name}={value:.60}: {status} {answer}"
                );
                if status >= 400 {
                    let explained = answer["message"].is_string() || answer["error"].is_string();
                    assert!(explained, "{verb} {path} {name}: {answer}");
                }
            }
        }
    }
}

#[actix_web::test]
async fn no_query_whatever_is_a_500() {
    let emulator = Emulator::start().await.unwrap();
    let http = http::client();
    let gets = operations().filter(|operation| operation.served && operation.method == "GET");
    for operation in gets {
        for query in [
            "limit=0",
            "limit=101",
            "limit=-1",
            "limit=x",
            "limit=",
            "limit=99999999999999999999",
            "order=up",
            "order=",
            "before=x",
            "after=x",
            "before=x&after=y",
            "after=%00",
            "after=%ff",
            "statuses=x",
            "statuses[]=",
            "events=x",
            "events[]=",
            "range_start=x",
            "range_start=2026-13-45",
            "range_end=99999-01-01T00:00:00Z",
            "organization_id=x",
            "user_id=%ff%00",
            "email=%",
            "session_id=%00",
            "return_to=javascript:alert(1)",
            "client_id=x",
            "client_id=client_emulate&redirect_uri=x&response_type=code",
            "&&&==&a=b=c",
        ] {
            let url = format!("{}{}?{query}", emulator.url(), with_unknown_ids(operation.path));
            let response = http
                .get(url)
                .bearer_auth(emulator.api_key())
                .send()
                .await
                .unwrap();
            let status = response.status().as_u16();
            assert!(status < 500, "GET {}?{query}: {status}", operation.path);
        }
    }
}
