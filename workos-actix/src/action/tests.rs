use std::time::UNIX_EPOCH;

use actix_web::{
    App,
    http::StatusCode,
    test::{TestRequest, call_service, init_service, read_body_json},
    web,
};
use serde_json::{Value, json};
use workos::{ActionSignedResponse, ActionType, ActionVerdict, ActionsHelper};

use super::*;
use crate::{clock::testing::TestClock, webhook::sign};

const NOW: u64 = 1_700_000_000;
const SECRET: &str = "actions_secret_1";

fn config() -> ActionConfig {
    ActionConfig::new(SECRET).clock(TestClock::at_seconds(NOW))
}

fn sdk() -> ActionsHelper {
    ActionsHelper::new().with_clock(|| UNIX_EPOCH + Duration::from_secs(NOW))
}

fn user() -> Value {
    json!({"object": "user", "id": "user_1", "email": "ada@example.com", "email_verified": true,
        "created_at": "2026-01-01T12:00:00.000Z", "updated_at": "2026-01-01T12:00:00.000Z"})
}

fn authentication() -> Value {
    let organization = json!({"object": "organization", "id": "org_1", "name": "Acme", "domains": [], "metadata": {},
        "created_at": "2026-01-01T12:00:00.000Z", "updated_at": "2026-01-01T12:00:00.000Z"});
    json!({"object": "authentication_action_context", "id": "action_1", "authentication_method": "Password",
        "user": user(), "organization": organization, "ip_address": "192.0.2.1", "user_agent": "a browser",
        "device_fingerprint": "fp_1", "issuer": "https://auth.example.com"})
}

fn registration() -> Value {
    json!({"object": "user_registration_action_context", "id": "action_2", "authentication_method": "Passkey2",
        "user_data": {"object": "user_data", "email": "eve@example.com", "first_name": null, "last_name": "E"},
        "ip_address": "192.0.2.1"})
}

/// A question, signed so many milliseconds from now.
fn question(secret: &str, body: &str, offset: i64) -> TestRequest {
    let at = i64::try_from(NOW).unwrap() * 1000 + offset;
    let signature = format!("t={at}, v1={}", sign(secret, at, body.as_bytes()));
    TestRequest::post()
        .uri("/sign-in")
        .insert_header(("WorkOS-Signature", signature))
        .set_payload(body.to_owned())
}

async fn ask(config: Option<ActionConfig>, request: TestRequest) -> (StatusCode, Value) {
    let sign_in = |action: Action<AuthenticationAction>| async move {
        if action.user.email.starts_with("eve") {
            return action.deny("Not you, Eve.");
        }
        assert_eq!(action.issuer.as_deref(), Some("https://auth.example.com"));
        assert_eq!(action.organization.as_ref().unwrap().name, "Acme");
        assert_eq!(action.device_fingerprint.as_deref(), Some("fp_1"));
        action.allow()
    };
    let registration = |action: Action<UserRegistrationAction>| async move {
        assert_eq!(action.user_data.first_name, None);
        action.deny(&action.user_data.email)
    };
    let either = |action: Action<AnyAction>| async move {
        match &*action {
            AnyAction::Authentication(_) => action.allow(),
            AnyAction::UserRegistration(_) => action.deny(""),
        }
    };
    let mut app = App::new()
        .route("/sign-in", web::post().to(sign_in))
        .route("/registration", web::post().to(registration))
        .route("/either", web::post().to(either));
    if let Some(config) = config {
        app = app.app_data(config);
    }
    let app = init_service(app).await;
    let response = call_service(&app, request.to_request()).await;
    let kind = if response.status().is_success() {
        "application/json"
    } else {
        "application/problem+json"
    };
    assert_eq!(response.headers().get("content-type").unwrap(), kind);
    (response.status(), read_body_json(response).await)
}

/// What the SDK signs for this verdict.
fn signed_by_sdk(action: ActionType, verdict: ActionVerdict, message: &str) -> Value {
    let response = sdk().sign_response(action, verdict, message, SECRET).unwrap();
    serde_json::to_value(response).unwrap()
}

#[actix_web::test]
async fn answers_are_those_of_the_official_sdk() {
    use ActionType::{Authentication, UserRegistration};
    let eve = authentication().to_string().replace("ada@", "eve@");
    for (path, body, expected) in [
        (
            "/sign-in",
            authentication().to_string(),
            signed_by_sdk(Authentication, ActionVerdict::Allow, ""),
        ),
        (
            "/sign-in",
            eve,
            signed_by_sdk(Authentication, ActionVerdict::Deny, "Not you, Eve."),
        ),
        (
            "/registration",
            registration().to_string(),
            signed_by_sdk(UserRegistration, ActionVerdict::Deny, "eve@example.com"),
        ),
        (
            "/either",
            authentication().to_string(),
            signed_by_sdk(Authentication, ActionVerdict::Allow, ""),
        ),
        (
            "/either",
            registration().to_string(),
            signed_by_sdk(UserRegistration, ActionVerdict::Deny, ""),
        ),
    ] {
        // The SDK takes the request, too.
        let request = question(SECRET, &body, 0);
        let http = request.to_http_request();
        let header = http.headers().get("workos-signature").unwrap().to_str().unwrap();
        sdk().verify_header(&body, header, SECRET).unwrap();
        let request = question(SECRET, &body, 0).uri(path);
        assert_eq!(
            ask(Some(config()), request).await,
            (StatusCode::OK, expected),
            "{path}"
        );
    }
}

#[test]
fn the_signature_is_over_the_payload_as_it_is_written() {
    let secret = SecretString::new(SECRET);
    let long = "🙂".repeat(251);
    for message in ["", "plain", "\"quoted\"\n\\ \u{7f}\u{1}\u{2028}<é>", &long] {
        let response = ActionResponse::deny(
            "authentication_action_response",
            &secret,
            1_700_000_000_000,
            message,
        );
        let json = response.json();
        let (_, rest) = json.split_once("\"payload\":").unwrap();
        let (payload, _) = rest.split_once(",\"signature\"").unwrap();
        let read: ActionSignedResponse = serde_json::from_str(json).unwrap();
        assert_eq!(
            read.signature,
            sign(SECRET, 1_700_000_000_000, payload.as_bytes())
        );
        let written = read.payload.error_message.unwrap_or_default();
        // 500 as JavaScript counts, and no half of a character.
        assert_eq!(
            written,
            if message == long {
                "🙂".repeat(250)
            } else {
                message.to_owned()
            }
        );
    }
}

#[actix_web::test]
async fn refusals_are_told_by_cause() {
    let body = authentication().to_string();
    let asked = |offset| question(SECRET, &body, offset);
    let config = config();
    for (config, request, status, cause) in [
        (None, asked(0), 500, "action_config_missing"),
        (Some(&config), asked(-30_001), 401, "action_stale"),
        (Some(&config), asked(30_001), 401, "action_stale"),
        (
            Some(&config),
            question("another", &body, 0),
            401,
            "action_signature_mismatch",
        ),
        (
            Some(&config),
            asked(0).set_payload(body.replace("ada", "eve")),
            401,
            "action_signature_mismatch",
        ),
        (
            Some(&config),
            TestRequest::post().uri("/sign-in"),
            400,
            "action_signature_missing",
        ),
        (Some(&config), question(SECRET, "{}", 0), 400, "action_malformed"),
        (
            Some(&config),
            question(
                SECRET,
                r#"{"object":"tomorrow_action_context","id":"action_1"}"#,
                0,
            ),
            400,
            "action_malformed",
        ),
        (Some(&config), asked(0).uri("/registration"), 400, "action_other"),
        // What is refused leaves no trace.
        (Some(&config), asked(0), 200, ""),
        (Some(&config), asked(0), 409, "action_replayed"),
        (Some(&config), asked(30_000), 200, ""),
        (Some(&config), asked(-30_000), 200, ""),
    ] {
        let (code, answer) = ask(config.cloned(), request).await;
        assert_eq!(
            (code.as_u16(), answer["code"].as_str().unwrap_or_default()),
            (status, cause)
        );
    }
    let small = ActionConfig::new(SECRET)
        .clock(TestClock::at_seconds(NOW))
        .max_bytes(20);
    let (code, answer) = ask(Some(small), asked(1)).await;
    assert_eq!(
        (code.as_u16(), &answer["code"]),
        (413, &json!("action_too_large"))
    );
}

#[actix_web::test]
async fn the_answer_is_signed_with_the_secret_that_asked() {
    let body = authentication().to_string();
    let config = ActionConfig::new("other")
        .or_secret(SECRET)
        .clock(TestClock::at_seconds(NOW));
    let (_, answer) = ask(Some(config.clone()), question(SECRET, &body, 0)).await;
    assert_eq!(
        answer,
        signed_by_sdk(ActionType::Authentication, ActionVerdict::Allow, "")
    );
    let (_, other) = ask(Some(config), question("other", &body, 1)).await;
    assert_eq!(other["payload"], answer["payload"]);
    let expected = sign(
        "other",
        i64::try_from(NOW).unwrap() * 1000,
        other["payload"].to_string().as_bytes(),
    );
    assert_eq!(other["signature"], expected);
}

#[actix_web::test]
async fn debug_shows_no_secret() {
    let body = authentication().to_string();
    let at = i64::try_from(NOW).unwrap() * 1000;
    let header = format!("t={at},v1={}", sign(SECRET, at, body.as_bytes()));
    let action: Action<AuthenticationAction> = config().receive(&header, body.as_bytes()).await.unwrap();
    assert!(!format!("{action:?}{:?}", config()).contains(SECRET));
}
