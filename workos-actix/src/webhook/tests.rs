use actix_web::{
    App,
    http::StatusCode,
    test::{TestRequest, call_service, init_service, read_body},
    web,
};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

use super::{signature::Signature, *};
use crate::clock::testing::TestClock;

const NOW: u64 = 1_700_000_000;
const BODY: &str = r#"{"object":"event","id":"event_1","event":"dsync.user.created","data":{"id":"directory_user_1"},"created_at":"2023-11-14T22:13:20.000Z"}"#;

fn mac(secret: &str, millis: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{millis}.").as_bytes());
    mac.update(body);
    mac.finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn header(secret: &str, millis: i64, body: &str) -> String {
    format!("t={millis}, v1={}", mac(secret, millis, body.as_bytes()))
}

fn millis() -> i64 {
    i64::try_from(NOW).unwrap() * 1000
}

fn config() -> (WebhookConfig, TestClock) {
    let clock = TestClock::at_seconds(NOW);
    (WebhookConfig::new("secret").clock(clock.clone()), clock)
}

#[test]
fn the_published_vector_verifies() {
    let published = "32850522003ebbce01a416e5d5df8ec8354a96e921cac7d0ebbaeef5732bdaea";
    assert_eq!(mac("secret", 1_700_000_000_000, b"body"), published);
    let header = format!("t=1700000000000, v1={published}");
    let signature = Signature::parse(&header).unwrap();
    assert!(signature.is_of(b"body", "secret"));
    assert_eq!(sign("secret", 1_700_000_000_000, b"body"), published);
    assert!(!signature.is_of(b"body", "Secret"));
}

#[test]
fn a_signed_event_is_accepted_and_read() {
    let (config, _) = config();
    let webhook = config
        .verify(&header("secret", millis(), BODY), BODY.as_bytes())
        .unwrap();
    assert_eq!(
        (webhook.id.as_str(), webhook.event.as_str()),
        ("event_1", "dsync.user.created")
    );
    assert_eq!(webhook.created_at, "2023-11-14T22:13:20.000Z");
    assert_eq!(webhook.data, json!({ "id": "directory_user_1" }));
    #[derive(Deserialize)]
    struct DirectoryUser {
        id: String,
    }
    assert_eq!(webhook.data::<DirectoryUser>().unwrap().id, "directory_user_1");
    assert!(webhook.data::<Vec<String>>().is_err());
}

#[test]
fn tampered_bodies_and_foreign_secrets_are_refused() {
    let (config, _) = config();
    let tampered = BODY.replace("directory_user_1", "directory_user_2");
    let result = config.verify(&header("secret", millis(), BODY), tampered.as_bytes());
    assert_eq!(result, Err(WebhookError::SignatureMismatch));
    let result = config.verify(&header("other", millis(), BODY), BODY.as_bytes());
    assert_eq!(result, Err(WebhookError::SignatureMismatch));
    // The timestamp is signed too.
    let moved = header("secret", millis() - 500_000, BODY)
        .replace(&(millis() - 500_000).to_string(), &millis().to_string());
    assert_eq!(
        config.verify(&moved, BODY.as_bytes()),
        Err(WebhookError::SignatureMismatch)
    );
    // An empty secret verifies nothing.
    let empty = WebhookConfig::new("").clock(TestClock::at_seconds(NOW));
    assert_eq!(
        empty.verify(&header("", millis(), BODY), BODY.as_bytes()),
        Err(WebhookError::SignatureMismatch)
    );
}

#[test]
fn stale_and_early_signatures_are_refused() {
    let (config, _) = config();
    for offset in [-180_001, 180_001] {
        let result = config.verify(&header("secret", millis() + offset, BODY), BODY.as_bytes());
        assert_eq!(
            result,
            Err(WebhookError::Stale {
                tolerance: Duration::from_secs(180)
            }),
            "{offset}"
        );
    }
    for offset in [-180_000, 180_000] {
        config
            .verify(&header("secret", millis() + offset, BODY), BODY.as_bytes())
            .unwrap();
    }
}

#[test]
fn replays_are_refused_and_retries_are_not() {
    let (config, clock) = config();
    let replayed = Err(WebhookError::Replayed { id: "event_1".into() });
    let first = header("secret", millis(), BODY);
    config.verify(&first, BODY.as_bytes()).unwrap();
    assert_eq!(config.clone().verify(&first, BODY.as_bytes()), replayed);
    // The same signed request in another dress.
    let padded = format!("v1={}, {first},v2=x", mac("unknown", 1, b""));
    assert_eq!(config.verify(&padded, BODY.as_bytes()), replayed);
    let shouted = first.to_uppercase().replace("T=", "t=").replace("V1=", "v1=");
    assert_eq!(config.verify(&shouted, BODY.as_bytes()), replayed);
    // WorkOS tries again: the same event, signed anew.
    clock.advance(Duration::from_secs(60));
    config
        .verify(&header("secret", millis() + 60_000, BODY), BODY.as_bytes())
        .unwrap();
    // As long as the signature lasts, the memory does.
    clock.advance(Duration::from_secs(120));
    assert_eq!(config.verify(&first, BODY.as_bytes()), replayed);
}

#[test]
fn a_refused_delivery_leaves_no_trace() {
    let (config, _) = config();
    let header = header("secret", millis(), BODY);
    assert!(config.verify(&header, b"{}").is_err());
    config.verify(&header, BODY.as_bytes()).unwrap();
}

#[test]
fn secrets_can_be_rotated() {
    let (config, _) = config();
    let config = config.or_secret("next");
    config
        .verify(&header("secret", millis(), BODY), BODY.as_bytes())
        .unwrap();
    config
        .verify(&header("next", millis() - 1, BODY), BODY.as_bytes())
        .unwrap();
    // While WorkOS signs with both, either match is enough; one delivery it stays.
    let both = format!(
        "{}, v1={}",
        header("secret", millis() - 2, BODY),
        mac("next", millis() - 2, BODY.as_bytes())
    );
    config.verify(&both, BODY.as_bytes()).unwrap();
    let one = header("next", millis() - 2, BODY);
    assert_eq!(
        config.verify(&one, BODY.as_bytes()),
        Err(WebhookError::Replayed { id: "event_1".into() })
    );
}

#[test]
fn unknown_header_parts_are_ignored_and_malformed_headers_refused() {
    let (config, _) = config();
    let odd = format!("{}, v2=abc, x, =", header("secret", millis(), BODY));
    config.verify(&odd, BODY.as_bytes()).unwrap();
    let valid = "0".repeat(64);
    for header in [
        String::new(),
        "t=1".to_owned(),
        format!("v1={valid}"),
        format!("t=,v1={valid}"),
        format!("t=-1,v1={valid}"),
        format!("t=+1,v1={valid}"),
        format!("t=1e3,v1={valid}"),
        format!("t=99999999999999999999999,v1={valid}"),
        format!("t=1,t=2,v1={valid}"),
        "t=1,v1=".to_owned(),
        format!("t=1,v1={}", "g".repeat(64)),
        format!("t=1,v1={}", "é".repeat(32)),
        format!("t=1,{}", vec![format!("v1={valid}"); 9].join(",")),
    ] {
        let result = config.verify(&header, BODY.as_bytes());
        assert!(
            matches!(result, Err(WebhookError::MalformedSignature(_))),
            "{header}: {result:?}"
        );
    }
}

#[test]
fn a_signed_body_that_is_no_event_is_malformed() {
    let (config, _) = config();
    for body in ["", "[]", "{\"id\":1}", "\"x\""] {
        let result = config.verify(&header("secret", millis(), body), body.as_bytes());
        assert!(matches!(result, Err(WebhookError::Malformed(_))), "{body}");
    }
}

#[test]
fn debug_shows_no_secret() {
    let config = WebhookConfig::new("whsec_hidden");
    assert!(!format!("{config:?}").contains("hidden"));
}

async fn status(config: Option<WebhookConfig>, request: TestRequest) -> (StatusCode, serde_json::Value) {
    let route = web::post().to(|webhook: Webhook| async move { webhook.id });
    let mut app = App::new().route("/", route);
    if let Some(config) = config {
        app = app.app_data(config);
    }
    let app = init_service(app).await;
    let response = call_service(&app, request.to_request()).await;
    let status = response.status();
    let body = read_body(response).await;
    (
        status,
        serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).into()),
    )
}

#[actix_web::test]
async fn the_extractor_answers_by_cause() {
    let post = || TestRequest::post().uri("/").set_payload(BODY);
    let signed = |body: &str| post().insert_header(("WorkOS-Signature", header("secret", millis(), body)));

    let (code, body) = status(Some(config().0), signed(BODY)).await;
    assert_eq!((code, body), (StatusCode::OK, json!("event_1")));

    for (config, request, expected, cause) in [
        (None, signed(BODY), 500, "webhook_config_missing"),
        (Some(config().0), post(), 400, "webhook_signature_missing"),
        (
            Some(config().0),
            post().insert_header(("WorkOS-Signature", "x")),
            400,
            "webhook_signature_malformed",
        ),
        (
            Some(config().0),
            signed("other"),
            401,
            "webhook_signature_mismatch",
        ),
        (
            Some(config().0.max_bytes(10)),
            signed(BODY),
            413,
            "webhook_too_large",
        ),
        (
            Some(WebhookConfig::new("secret")),
            signed(BODY),
            401,
            "webhook_stale",
        ),
    ] {
        let (code, body) = status(config, request).await;
        assert_eq!((code.as_u16(), body["code"].as_str()), (expected, Some(cause)));
    }
    let non_ascii = actix_web::http::header::HeaderValue::from_bytes(b"t=1,\xff").unwrap();
    let (code, _) = status(
        Some(config().0),
        post().insert_header(("WorkOS-Signature", non_ascii)),
    )
    .await;
    assert_eq!(code, StatusCode::BAD_REQUEST);
}

#[actix_web::test]
async fn an_event_is_extracted_as_its_type_or_is_to_come_again() {
    async fn of(body: &'static str) -> Result<Event, WebhookError> {
        let request = TestRequest::post()
            .insert_header(("WorkOS-Signature", header("secret", millis(), body)))
            .app_data(Data::new(config().0))
            .to_http_request();
        Event::from_request(
            &request,
            &mut Payload::from(web::Bytes::from_static(body.as_bytes())),
        )
        .await
    }
    let unknown = of(r#"{"id": "event_1", "event": "tomorrow.invented", "data": {"a": 1}}"#).await;
    assert!(matches!(unknown, Ok(Event::Unknown(webhook)) if webhook.data == json!({"a": 1})));
    let error = of(BODY).await.unwrap_err();
    assert!(matches!(&error, WebhookError::UnexpectedShape { event, .. } if event == "dsync.user.created"));
    assert_eq!(
        actix_web::ResponseError::status_code(&error),
        StatusCode::INTERNAL_SERVER_ERROR
    );
}
