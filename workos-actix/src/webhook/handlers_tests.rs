use std::{
    error::Error,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use actix_web::{
    App,
    dev::ServiceResponse,
    http::StatusCode,
    test::{TestRequest, call_service, init_service, read_body_json},
    web::Data,
};
use serde_json::Value;
use tokio::sync::{Notify, Semaphore};
use workos::{DsyncGroupCreated, DsyncGroupDeleted};

use super::*;
use crate::{clock::testing::TestClock, webhook::sign};

const NOW: u64 = 1_700_000_000;
const SECRET: &str = "whsec_1";

fn config() -> WebhookConfig {
    WebhookConfig::new(SECRET).clock(TestClock::at_seconds(NOW))
}

fn handlers() -> WebhookHandlers {
    WebhookHandlers::new(config())
}

fn event(id: &str, name: &str) -> String {
    let group = json!({"object": "directory_group", "id": "directory_group_1", "idp_id": "1", "directory_id": "directory_1",
        "organization_id": "org_1", "name": "Pilots", "created_at": "2026-01-01T12:00:00.000Z",
        "updated_at": "2026-01-01T12:00:00.000Z"});
    json!({"id": id, "event": name, "created_at": "2026-01-01T12:00:00.000Z", "data": group}).to_string()
}

/// A delivery of an event, signed so many milliseconds from now.
fn delivery(id: &str, name: &str, offset: i64) -> TestRequest {
    let body = event(id, name);
    let at = i64::try_from(NOW).unwrap() * 1000 + offset;
    let signature = format!("t={at}, v1={}", sign(SECRET, at, body.as_bytes()));
    TestRequest::post()
        .uri("/hooks")
        .insert_header(("WorkOS-Signature", signature))
        .set_payload(body)
}

/// What happened in an app with these handlers, delivery by delivery.
async fn answers(handlers: &WebhookHandlers, deliveries: Vec<TestRequest>) -> Vec<(u16, Value)> {
    let seen = Data::new(Seen::default());
    answers_of(handlers, &seen, deliveries).await
}

async fn answers_of(
    handlers: &WebhookHandlers,
    seen: &Data<Seen>,
    deliveries: Vec<TestRequest>,
) -> Vec<(u16, Value)> {
    let app = App::new()
        .app_data(seen.clone())
        .route("/hooks", handlers.route());
    let app = init_service(app).await;
    let mut answers = Vec::new();
    for delivery in deliveries {
        answers.push(answer(call_service(&app, delivery.to_request()).await).await);
    }
    answers
}

async fn answer<B: actix_web::body::MessageBody>(response: ServiceResponse<B>) -> (u16, Value) {
    (response.status().as_u16(), read_body_json(response).await)
}

fn must_not_run(why: &str) {
    panic!("{why}");
}

fn ok() -> (u16, Value) {
    (200, json!({ "ok": true }))
}

/// The status and the code of a refusal.
fn code(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["code"].as_str().unwrap())
}

/// What handlers saw.
#[derive(Default)]
struct Seen(Mutex<Vec<String>>);

impl Seen {
    fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

#[actix_web::test]
async fn an_event_goes_to_the_handlers_of_its_kind_in_order_else_to_otherwise() {
    let handlers = handlers()
        .on(|event: DsyncGroupCreated, seen: Data<Seen>| async move {
            seen.note(format!("typed {} {}", event.id, event.data.name));
        })
        .on_event(
            "dsync.group.created",
            |webhook: Webhook, seen: Data<Seen>| async move {
                seen.note(format!("raw {}", webhook.event));
            },
        )
        .on_events(
            ["dsync.group.deleted", "dsync.group.updated"],
            |event: Event, seen: Data<Seen>, request: HttpRequest| async move {
                let is_deletion = matches!(event, Event::DsyncGroupDeleted(_));
                seen.note(format!("enum {is_deletion} at {}", request.path()));
            },
        )
        .otherwise(|webhook: Webhook, seen: Data<Seen>| async move {
            seen.note(format!("other {}", webhook.event));
        });
    assert_eq!(
        handlers.events(),
        [
            "dsync.group.created",
            "dsync.group.deleted",
            "dsync.group.updated"
        ]
    );
    let seen = Data::new(Seen::default());
    let deliveries = vec![
        delivery("event_1", "dsync.group.created", 0),
        delivery("event_2", "dsync.group.deleted", 0),
        delivery("event_3", "tomorrow.invented", 0),
    ];
    assert_eq!(answers_of(&handlers, &seen, deliveries).await, [ok(), ok(), ok()]);
    assert_eq!(
        seen.take(),
        [
            "typed event_1 Pilots",
            "raw dsync.group.created",
            "enum true at /hooks",
            "other tomorrow.invented"
        ]
    );
}

#[actix_web::test]
async fn what_nobody_handles_is_taken() {
    let handlers = handlers().on(|_: DsyncGroupCreated| async { must_not_run("it is not of this kind") });
    let deliveries = vec![
        delivery("event_1", "dsync.group.deleted", 0),
        delivery("event_2", "tomorrow.invented", 0),
    ];
    assert_eq!(answers(&handlers, deliveries).await, [ok(), ok()]);
}

#[actix_web::test]
async fn an_event_is_handled_once_however_often_it_is_delivered() {
    let seen = Data::new(Seen::default());
    let handlers =
        handlers().on(|event: DsyncGroupCreated, seen: Data<Seen>| async move { seen.note(event.id) });
    let deliveries = || {
        vec![
            delivery("event_1", "dsync.group.created", 0),
            delivery("event_1", "dsync.group.created", 0),
            delivery("event_1", "dsync.group.created", 1),
            delivery("event_2", "dsync.group.created", 0),
        ]
    };
    assert_eq!(
        answers_of(&handlers, &seen, deliveries()).await,
        [ok(), ok(), ok(), ok()]
    );
    // Another worker.
    assert_eq!(answers_of(&handlers.clone(), &seen, deliveries()).await.len(), 4);
    assert_eq!(seen.take(), ["event_1", "event_2"]);
}

#[actix_web::test]
async fn a_handler_that_fails_is_called_again_with_those_before_it() {
    let calls = Arc::new(AtomicUsize::new(0));
    let seen = Data::new(Seen::default());
    let failing = {
        let calls = Arc::clone(&calls);
        move |_: Webhook| {
            let call = calls.fetch_add(1, Ordering::SeqCst);
            async move {
                match call {
                    0 => Err("the database password is hunter2"),
                    _ => Ok(()),
                }
            }
        }
    };
    let handlers = handlers()
        .on(|_: DsyncGroupCreated, seen: Data<Seen>| async move { seen.note("first") })
        .on_event("dsync.group.created", failing)
        .on(|_: DsyncGroupCreated, seen: Data<Seen>| async move { seen.note("last") });
    // The same signed request too: it is the event that counts.
    let deliveries = (0..3)
        .map(|_| delivery("event_1", "dsync.group.created", 0))
        .collect();
    let answers = answers_of(&handlers, &seen, deliveries).await;
    assert_eq!(code(&answers[0]), (500, "webhook_handler_failed"));
    assert_eq!(answers[0].1["detail"], "event_1 could not be handled");
    assert_eq!(answers[1..], [ok(), ok()]);
    assert_eq!(seen.take(), ["first", "first", "last"]);
}

#[actix_web::test]
async fn a_panic_is_a_failure_and_is_survived() {
    let calls = Arc::new(AtomicUsize::new(0));
    let handler = {
        let calls = Arc::clone(&calls);
        move |_: DsyncGroupCreated| {
            let call = calls.fetch_add(1, Ordering::SeqCst);
            async move {
                tokio::task::yield_now().await;
                assert!(
                    call > 0,
                    "the first call panics, and this stands in the output of the test"
                );
            }
        }
    };
    let deliveries = (0..2)
        .map(|_| delivery("event_1", "dsync.group.created", 0))
        .collect();
    let answers = answers(&handlers().on(handler), deliveries).await;
    assert_eq!(code(&answers[0]), (500, "webhook_handler_failed"));
    assert_eq!(answers[1], ok());
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[actix_web::test]
async fn a_handler_that_takes_too_long_has_failed() {
    let handlers = handlers()
        .timeout(Duration::from_millis(5))
        .on(|_: DsyncGroupCreated| std::future::pending::<()>());
    let deliveries = (0..2)
        .map(|_| delivery("event_1", "dsync.group.created", 0))
        .collect();
    let answers = answers(&handlers, deliveries).await;
    // Released each time, not in progress.
    for answer in &answers {
        assert_eq!(code(answer), (500, "webhook_handler_failed"));
    }
}

#[actix_web::test]
async fn what_an_extractor_or_a_type_refuses_is_to_come_again() {
    struct Missing;
    let handlers = handlers()
        .on(|_: DsyncGroupCreated, _: Data<Missing>| async { must_not_run("there is no such data") })
        .on_event("dsync.group.updated", |_: DsyncGroupDeleted| async {})
        .on_event("user.created", |_: Event| async { must_not_run("it is no user") });
    let deliveries = vec![
        delivery("event_1", "dsync.group.created", 0),
        // The type is what is read, whatever the name.
        delivery("event_2", "dsync.group.updated", 0),
        delivery("event_3", "user.created", 0),
        delivery("event_3", "user.created", 0),
    ];
    let answers = answers(&handlers, deliveries).await;
    assert_eq!(code(&answers[0]), (500, "webhook_handler_failed"));
    assert_eq!(answers[1], ok());
    assert_eq!(code(&answers[2]), (500, "webhook_unexpected_shape"));
    assert_eq!(
        answers[2].1["detail"],
        "user.created (event_3) has an unexpected shape: missing field `email`"
    );
    assert_eq!(answers[2], answers[3]);
}

#[actix_web::test]
async fn a_duplicate_beside_its_original_is_postponed_and_never_taken() {
    let (gate, begun) = (Arc::new(Semaphore::new(0)), Arc::new(Notify::new()));
    let calls = Arc::new(AtomicUsize::new(0));
    let handler = {
        let (gate, begun, calls) = (Arc::clone(&gate), Arc::clone(&begun), Arc::clone(&calls));
        move |_: Webhook| {
            let (gate, begun) = (Arc::clone(&gate), Arc::clone(&begun));
            let call = calls.fetch_add(1, Ordering::SeqCst);
            async move {
                begun.notify_one();
                gate.acquire().await.unwrap().forget();
                if call == 0 {
                    Err("the first one fails")
                } else {
                    Ok(())
                }
            }
        }
    };
    let handlers = handlers().on_event("dsync.group.created", handler);
    let app = init_service(App::new().route("/hooks", handlers.route())).await;
    let send = |offset| {
        call_service(
            &app,
            delivery("event_1", "dsync.group.created", offset).to_request(),
        )
    };
    let original = async { answer(send(0).await).await };
    let duplicate = async {
        begun.notified().await;
        let response = send(1).await;
        assert_eq!(response.headers().get("retry-after").unwrap(), "5");
        let answer = answer(response).await;
        gate.add_permits(1);
        answer
    };
    let (original, duplicate) = tokio::join!(original, duplicate);
    assert_eq!(code(&original), (500, "webhook_handler_failed"));
    assert_eq!(code(&duplicate), (503, "webhook_in_progress"));
    gate.add_permits(1);
    assert_eq!(answer(send(2).await).await, ok());
    assert_eq!(answer(send(3).await).await, ok());
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[actix_web::test]
async fn many_duplicates_at_once_are_handled_once() {
    let seen = Data::new(Seen::default());
    let handlers = handlers().on(|event: DsyncGroupCreated, seen: Data<Seen>| async move {
        tokio::task::yield_now().await;
        seen.note(event.id);
    });
    let app = App::new()
        .app_data(seen.clone())
        .route("/hooks", handlers.route());
    let app = init_service(app).await;
    let deliveries = (0..50).map(|offset| {
        let request = delivery("event_1", "dsync.group.created", offset).to_request();
        Box::pin(call_service(&app, request))
    });
    let statuses: Vec<_> = at_once(deliveries)
        .await
        .iter()
        .map(|response| response.status().as_u16())
        .collect();
    assert_eq!(seen.take(), ["event_1"]);
    assert!(statuses.contains(&200), "{statuses:?}");
    assert!(
        statuses.iter().all(|status| [200, 503].contains(status)),
        "{statuses:?}"
    );
}

/// The outputs of futures that all run at the same time.
async fn at_once<F: Future + Unpin>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<_> = futures.collect();
    let mut outputs = Vec::new();
    std::future::poll_fn(|context| {
        running.retain_mut(|future| match Pin::new(future).poll(context) {
            Poll::Ready(output) => {
                outputs.push(output);
                false
            }
            Poll::Pending => true,
        });
        if running.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    outputs
}

#[actix_web::test]
async fn a_handler_runs_to_its_end_when_the_client_hangs_up() {
    let (gate, begun, ended) = (
        Arc::new(Semaphore::new(0)),
        Arc::new(Notify::new()),
        Arc::new(Notify::new()),
    );
    let handler = {
        let (gate, begun, ended) = (Arc::clone(&gate), Arc::clone(&begun), Arc::clone(&ended));
        move |_: DsyncGroupCreated| {
            let (gate, begun, ended) = (Arc::clone(&gate), Arc::clone(&begun), Arc::clone(&ended));
            async move {
                begun.notify_one();
                gate.acquire().await.unwrap().forget();
                ended.notify_one();
            }
        }
    };
    let handlers = handlers().on(handler);
    let app = init_service(App::new().route("/hooks", handlers.route())).await;
    let send = || call_service(&app, delivery("event_1", "dsync.group.created", 0).to_request());
    tokio::select! {
        _ = send() => panic!("the handler has not ended"),
        () = begun.notified() => {}
    }
    gate.add_permits(1);
    ended.notified().await;
    // It was handled: a second call would wait at the gate for ever.
    while send().await.status() == StatusCode::SERVICE_UNAVAILABLE {}
    assert_eq!(answer(send().await).await, ok());
}

#[actix_web::test]
async fn requests_that_workos_did_not_sign_reach_no_handler() {
    let handlers = handlers().otherwise(|_: Webhook| async { must_not_run("it is not WorkOS's") });
    let unsigned = TestRequest::post()
        .uri("/hooks")
        .set_payload(event("event_1", "user.created"));
    let forged = delivery("event_1", "user.created", 0).set_payload(event("event_2", "user.created"));
    let stale = delivery("event_1", "user.created", -180_001);
    let answers = answers(&handlers, vec![unsigned, forged, stale]).await;
    assert_eq!(code(&answers[0]), (400, "webhook_signature_missing"));
    assert_eq!(code(&answers[1]), (401, "webhook_signature_mismatch"));
    assert_eq!(code(&answers[2]), (401, "webhook_stale"));
    let app = init_service(App::new().route("/hooks", handlers.route())).await;
    let get = TestRequest::get().uri("/hooks").to_request();
    assert_eq!(call_service(&app, get).await.status(), StatusCode::NOT_FOUND);
}

/// Claims that cannot be had, completed or released, as the text says.
struct Broken(&'static str);

impl Broken {
    fn unless(&self, what: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
        if self.0 == what {
            Err("the store is gone".into())
        } else {
            Ok(())
        }
    }
}

impl EventClaims for Broken {
    async fn claim(&self, _: &str) -> Result<Claim, Box<dyn Error + Send + Sync>> {
        self.unless("claim").map(|()| Claim::Fresh)
    }

    async fn complete(&self, _: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.unless("complete")
    }

    async fn release(&self, _: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.unless("release")
    }
}

#[actix_web::test]
async fn claims_that_are_gone_lose_nothing() {
    let seen = Data::new(Seen::default());
    let with = |broken| {
        handlers()
            .claims(Broken(broken))
            .on(|_: DsyncGroupCreated, seen: Data<Seen>| async move { seen.note("created") })
            .on(|_: DsyncGroupDeleted| async { Err("it fails") })
    };
    let created = || vec![delivery("event_1", "dsync.group.created", 0)];
    let deleted = || vec![delivery("event_2", "dsync.group.deleted", 0)];

    let unclaimed = answers_of(&with("claim"), &seen, created()).await.remove(0);
    assert_eq!(code(&unclaimed), (503, "webhook_claims_unavailable"));
    assert_eq!(seen.take(), [""; 0]);

    // What was handled does not come again because it cannot be noted.
    assert_eq!(answers_of(&with("complete"), &seen, created()).await, [ok()]);
    assert_eq!(seen.take(), ["created"]);

    let unreleased = answers_of(&with("release"), &seen, deleted()).await.remove(0);
    assert_eq!(code(&unreleased), (500, "webhook_handler_failed"));
}

#[test]
fn debug_shows_no_secret() {
    let shown = format!("{:?}", handlers().on(|_: DsyncGroupCreated| async {}));
    assert!(
        !shown.contains(SECRET) && shown.contains("dsync.group.created"),
        "{shown}"
    );
}
