//! `WebhookHandlers` at the receiving end of real deliveries: typed, once each, delivered again when they failed; and sessions
//! that end here when they end at WorkOS.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_web::{App, web};
use reqwest::Method;
use serde_json::{Value, json};
use workos::{
    OrganizationCreated, RevokeSession, UserCreated, user_management::RevokeSessionParams,
    webhooks::CreateWebhookEndpointParams,
};
use workos_actix::{Event, Webhook, WebhookConfig, WebhookHandlers};
use workos_emulator::EmulatedEnvironment;

use crate::{
    app::{PASSWORD, TestApp},
    http::call,
    sdk, server,
};

/// Registers an endpoint for the events of these handlers, and serves them.
async fn receive(
    environment: &EmulatedEnvironment,
    events: &[&str],
    handlers: impl FnOnce(WebhookHandlers) -> WebhookHandlers,
) -> web::Data<Seen> {
    let (listener, url) = server::listen();
    let url = format!("{url}/webhooks/workos");
    let new = serde_json::from_value(json!({"endpoint_url": url, "events": events})).unwrap();
    let endpoint = sdk::client(environment)
        .webhooks()
        .create_webhook_endpoint(CreateWebhookEndpointParams::new(new))
        .await
        .unwrap();
    let handlers = handlers(WebhookHandlers::new(WebhookConfig::new(endpoint.secret.expose())));
    assert!(events.iter().all(|event| handlers.events().contains(event)));
    let seen = web::Data::new(Seen::default());
    let data = seen.clone();
    server::serve(listener, 2, move || {
        App::new()
            .app_data(data.clone())
            .route("/webhooks/workos", handlers.route())
    });
    seen
}

#[derive(Default)]
struct Seen(Mutex<Vec<String>>);

impl Seen {
    fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

#[actix_web::test]
async fn handlers_get_their_events_typed_in_order() {
    let app = TestApp::start().await;
    let seen = receive(
        &app.emulator,
        &["user.created", "organization.created"],
        |handlers| {
            handlers
            .on(|event: UserCreated, seen: web::Data<Seen>| async move { seen.note(event.data.email) })
            .on(|event: OrganizationCreated, seen: web::Data<Seen>| async move { seen.note(event.data.name) })
        },
    )
    .await;
    app.emulator.user("eve@example.com").create().unwrap();
    app.emulator.organization("Initech").create().unwrap();
    let mut webhooks = app.emulator.webhooks();
    webhooks.expect("user.created").await.unwrap();
    webhooks.expect("organization.created").await.unwrap();
    assert_eq!(seen.all(), ["eve@example.com", "Initech"]);
}

#[actix_web::test]
async fn what_failed_is_delivered_again_and_what_was_handled_is_not_handled_twice() {
    let app = TestApp::start().await;
    app.emulator.clock().freeze();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let failing_once = move |webhook: Webhook, seen: web::Data<Seen>| {
        let call = counted.fetch_add(1, Ordering::SeqCst);
        async move {
            if call == 0 {
                return Err("the database is away");
            }
            seen.note(webhook.id);
            Ok(())
        }
    };
    let seen = receive(&app.emulator, &["user.created"], |handlers| {
        handlers.on_event("user.created", failing_once)
    })
    .await;
    app.emulator.user("eve@example.com").create().unwrap();
    let delivery = delivery(&app.emulator, 1).await;
    assert_eq!(delivery["attempts"][0]["response_status"], 500);
    assert_eq!(seen.all(), [""; 0]);

    app.emulator.clock().advance(Duration::from_secs(5));
    let accepted = app.emulator.webhooks().expect("user.created").await.unwrap();
    assert_eq!(seen.all(), [accepted.id]);

    // Somebody presses "Resend" in the dashboard.
    let resend = format!(
        "/_emulate/webhooks/deliveries/{}/resend",
        delivery["id"].as_str().unwrap()
    );
    let (status, answer) = call(&app.emulator, Method::POST, &resend, &Value::Null).await;
    assert!(status < 300, "{answer}");
    let resent = self::delivery(&app.emulator, 3).await;
    assert_eq!(resent["attempts"][2]["response_status"], 200);
    assert_eq!(calls.load(Ordering::SeqCst), 2);
    assert_eq!(seen.all().len(), 1);
}

/// The only delivery, once there were so many attempts.
async fn delivery(environment: &EmulatedEnvironment, attempts: u64) -> Value {
    loop {
        let path = "/_emulate/webhooks/deliveries";
        let (_, mut list) = call(environment, Method::GET, path, &Value::Null).await;
        if list["data"][0]["attempt_count"].as_u64() >= Some(attempts) {
            return list["data"][0].take();
        }
    }
}

#[actix_web::test]
async fn a_session_that_is_revoked_at_workos_ends_here_at_once() {
    let app = TestApp::start().await;
    receive(&app.emulator, &["session.revoked"], |handlers| {
        handlers.ends_sessions(&app.authkit)
    })
    .await;
    let (browser, page) = app.signed_in().await;
    let (other, _) = app.signed_in().await;
    let (stolen, deaf_machine) = (browser.copy(&app.url), app.second_machine());
    let stolen_too = browser.copy(&deaf_machine);
    assert_eq!(stolen.fetch(app.path("/me")).await.status, 200);

    let session_id = page.json()["session"].as_str().unwrap().to_owned();
    sdk::client(&app.emulator)
        .user_management()
        .revoke_session(RevokeSessionParams::new(RevokeSession { session_id }))
        .await
        .unwrap();
    app.emulator.webhooks().expect("session.revoked").await.unwrap();
    assert_eq!(browser.fetch(app.path("/me")).await.status, 401);
    assert!(!browser.has_session(&app.url), "the cookie is removed");
    assert_eq!(stolen.fetch(app.path("/me")).await.status, 401);
    assert_eq!(
        other.fetch(app.path("/me")).await.status,
        200,
        "her other session goes on"
    );
    // What hears of no webhook believes the access token until it expires.
    let page = stolen_too.fetch(format!("{deaf_machine}/me")).await;
    assert_eq!(page.status, 200);

    // She can sign in again.
    let form = browser.visit(app.path("/me")).await;
    let page = browser.sign_in(&form, &app.ada.email, PASSWORD).await;
    assert_eq!(page.status, 200, "{}", page.text);
}

#[actix_web::test]
async fn every_session_of_a_user_who_is_deleted_ends_here_at_once() {
    let app = TestApp::start().await;
    receive(&app.emulator, &["user.deleted"], |handlers| {
        handlers.ends_sessions(&app.authkit)
    })
    .await;
    let (browser, _) = app.signed_in().await;
    let (other, _) = app.signed_in().await;
    sdk::client(&app.emulator)
        .user_management()
        .delete_user(&app.ada.id)
        .await
        .unwrap();
    app.emulator.webhooks().expect("user.deleted").await.unwrap();
    for browser in [browser, other] {
        assert_eq!(browser.fetch(app.path("/me")).await.status, 401);
    }
}

#[test]
fn the_emulator_and_the_types_have_the_same_catalogue() {
    let emulated: Vec<_> = crate::events::CATALOGUE.iter().map(|event| event.name).collect();
    assert_eq!(emulated, Event::NAMES);
}
