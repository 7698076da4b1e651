//! Deliveries to receivers on loopback. The tests wait for requests and commits, never for time.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tokio::task::JoinHandle;

use super::{
    deliverer::{deliver, deliver_all, due},
    outbox::{self, Attempt, Delivery, DeliveryStatus},
    receiver::{Received, Receiver},
    sender::{self, Sender},
    signature, wait_for_delivery, wait_for_event,
};
use crate::{
    api::webhooks::{self as endpoints, CreateWebhookEndpoint, WebhookEndpoint},
    control::settings::Settings,
    environment::Environment,
    server::registry::{Options, Registry},
    store::State,
};

/// Longer than any test takes.
const FOREVER: Duration = Duration::from_secs(600);

fn subscribe(environment: &Environment, url: &str) -> Arc<WebhookEndpoint> {
    let new = CreateWebhookEndpoint {
        endpoint_url: url.to_owned(),
        ..Default::default()
    };
    environment.transact(|tx| endpoints::create(tx, new)).unwrap()
}

fn emit(environment: &Environment, event: &str, id: &str) {
    environment
        .transact(|tx| tx.emit(event, &json!({"object": "user", "id": id})).map(drop))
        .unwrap();
}

fn retries(environment: &Environment, webhook_retries: &[u32]) {
    let settings = Settings {
        webhook_retries: webhook_retries.to_vec(),
        ..Settings::default()
    };
    environment.transact(|tx| tx.put(settings).map(drop)).unwrap();
}

fn start(environment: &Arc<Environment>) -> JoinHandle<()> {
    let sender = Sender::new(sender::TIMEOUT);
    tokio::spawn(deliver(Arc::clone(environment), Arc::new(sender)))
}

/// The state as soon as `reached` holds.
async fn when(environment: &Environment, reached: impl Fn(&State) -> bool) -> Arc<State> {
    let mut commits = environment.commits();
    loop {
        commits.borrow_and_update();
        let state = environment.state();
        if reached(&state) {
            return state;
        }
        commits.changed().await.unwrap();
    }
}

/// The only delivery, once so many of its attempts are recorded.
async fn after_attempts(environment: &Environment, count: u32) -> (Arc<Delivery>, Vec<Arc<Attempt>>) {
    let only = |state: &State| Arc::clone(state.deliveries.iter().next().unwrap());
    let state = when(environment, |state| only(state).attempt_count == count).await;
    let delivery = only(&state);
    let attempts = outbox::attempts(&state, &delivery.id).cloned().collect();
    (delivery, attempts)
}

#[tokio::test]
async fn sends_the_signed_envelope_of_get_events() {
    let environment = Arc::new(Environment::for_tests());
    let mut receiver = Receiver::start();
    let endpoint = subscribe(&environment, &receiver.url);
    // Receivers check the signature's time against their own clocks, which nobody moved.
    let real_time = environment.clock.now();
    environment.clock.advance(Duration::from_secs(3600));
    emit(&environment, "user.created", "user_1");
    start(&environment);

    let received = receiver.next().await;
    let state = environment.state();
    let event = state.events.iter().next().unwrap();
    assert_eq!(received.body, serde_json::to_string(&event.body()).unwrap());
    assert_eq!(received.headers["content-type"], "application/json");
    assert!(received.headers["user-agent"].starts_with("workos-emulator/"));
    assert_eq!(
        received.headers["workos-signature"],
        signature::sign(&endpoint.secret, real_time, received.body.as_bytes())
    );
    let signed = received.headers["workos-signature"].clone();
    received.answer(202, "thanks");

    let (delivery, attempts) = after_attempts(&environment, 1).await;
    assert_eq!(delivery.status, DeliveryStatus::Delivered);
    let outcome = &attempts[0].outcome;
    assert_eq!(outcome.request_url, receiver.url);
    assert_eq!(outcome.request_headers["WorkOS-Signature"], signed);
    assert_eq!(
        (outcome.response_status, outcome.response_body.as_deref()),
        (Some(202), Some("thanks"))
    );
    assert_eq!(outcome.error, None);
}

#[tokio::test]
async fn sends_to_one_endpoint_in_order_and_one_at_a_time() {
    let environment = Arc::new(Environment::for_tests());
    let mut receiver = Receiver::start();
    subscribe(&environment, &receiver.url);
    start(&environment);
    for number in 0..20 {
        emit(&environment, "user.created", &format!("user_{number}"));
    }
    for number in 0..20 {
        let received = receiver.next().await;
        let body: serde_json::Value = serde_json::from_str(&received.body).unwrap();
        assert_eq!(body["data"]["id"], format!("user_{number}"));
        assert_eq!(received.unanswered, 1, "no other request is under way");
        assert_eq!(received.connection, 0, "the connection is used again");
        received.answer(200, "{}");
    }
}

#[tokio::test]
async fn a_receiver_that_hangs_holds_up_nobody_else() {
    let environment = Arc::new(Environment::for_tests());
    let (mut hanging, mut quick) = (Receiver::start(), Receiver::start());
    subscribe(&environment, &hanging.url);
    subscribe(&environment, &quick.url);
    start(&environment);
    emit(&environment, "user.created", "user_1");
    let unanswered = hanging.next().await;
    emit(&environment, "user.created", "user_2");
    assert_eq!(quick.answer_next(200).await["data"]["id"], "user_1");
    assert_eq!(quick.answer_next(200).await["data"]["id"], "user_2");
    unanswered.answer(200, "");
    assert_eq!(hanging.answer_next(200).await["data"]["id"], "user_2");
}

#[tokio::test]
async fn retries_exactly_when_the_clock_says_so() {
    let environment = Arc::new(Environment::for_tests());
    let mut receiver = Receiver::start();
    retries(&environment, &[60, 3 * 24 * 3600]);
    subscribe(&environment, &receiver.url);
    start(&environment);
    emit(&environment, "user.created", "user_1");
    receiver.answer_next(500).await;
    after_attempts(&environment, 1).await;

    let due_now = || {
        let state = environment.state();
        due(&state, &Default::default(), environment.clock.now()).0.len()
    };
    environment.clock.advance(Duration::from_millis(59_999));
    assert_eq!(due_now(), 0);
    environment.clock.advance(Duration::from_millis(1));
    receiver.answer_next(500).await;
    after_attempts(&environment, 2).await;

    environment.clock.freeze(true);
    environment.clock.advance(Duration::from_secs(3 * 24 * 3600 - 1));
    assert_eq!(due_now(), 0);
    environment.clock.advance(Duration::from_secs(1));
    receiver.answer_next(500).await;
    let (delivery, attempts) = after_attempts(&environment, 3).await;
    assert_eq!(delivery.status, DeliveryStatus::Failed);
    assert_eq!(attempts.len(), 3);
}

#[tokio::test]
async fn a_failed_event_does_not_hold_up_later_ones() {
    let environment = Arc::new(Environment::for_tests());
    let mut receiver = Receiver::start();
    subscribe(&environment, &receiver.url);
    start(&environment);
    emit(&environment, "user.created", "user_1");
    emit(&environment, "user.created", "user_2");
    assert_eq!(receiver.answer_next(503).await["data"]["id"], "user_1");
    assert_eq!(receiver.answer_next(200).await["data"]["id"], "user_2");
    environment.transact(outbox::flush).unwrap();
    assert_eq!(receiver.answer_next(200).await["data"]["id"], "user_1");
}

#[tokio::test]
async fn what_was_under_way_is_sent_again_after_a_restart() {
    let environment = Arc::new(Environment::for_tests());
    let mut receiver = Receiver::start();
    subscribe(&environment, &receiver.url);
    emit(&environment, "user.created", "user_1");
    let first_run = start(&environment);
    let lost = receiver.next().await;
    first_run.abort();
    lost.closed().await;

    start(&environment);
    assert_eq!(receiver.answer_next(200).await["data"]["id"], "user_1");
    let (delivery, attempts) = after_attempts(&environment, 1).await;
    assert_eq!((delivery.status, attempts.len()), (DeliveryStatus::Delivered, 1));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let environment = Arc::new(Environment::for_tests());
    let mut receiver = Receiver::start();
    retries(&environment, &[]);
    subscribe(&environment, &receiver.url);
    start(&environment);
    emit(&environment, "user.created", "user_1");
    let received = receiver.next().await;
    received.write(&format!(
        "HTTP/1.1 307 X\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n",
        receiver.url
    ));
    let (delivery, attempts) = after_attempts(&environment, 1).await;
    assert_eq!(delivery.status, DeliveryStatus::Failed);
    assert_eq!(attempts[0].outcome.response_status, Some(307));
}

#[tokio::test]
async fn keeps_the_beginning_of_a_long_answer() {
    let environment = Arc::new(Environment::for_tests());
    let mut receiver = Receiver::start();
    subscribe(&environment, &receiver.url);
    start(&environment);
    emit(&environment, "user.created", "user_1");
    let received = receiver.next().await;
    // It is not read to its end: writing must not wait for that.
    std::thread::spawn(move || received.answer(200, &"é".repeat(5_000_000)));
    let (delivery, attempts) = after_attempts(&environment, 1).await;
    assert_eq!(delivery.status, DeliveryStatus::Delivered);
    assert_eq!(attempts[0].outcome.response_body, Some("é".repeat(2048)));
    emit(&environment, "user.created", "user_2");
    assert_eq!(receiver.answer_next(200).await["data"]["id"], "user_2");
}

#[tokio::test]
async fn says_why_nothing_came_back() {
    let sender = Sender::new(Duration::from_millis(20));
    let environment = Environment::for_tests();
    emit(&environment, "user.created", "user_1");
    let state = environment.state();
    let event = state.events.iter().next().unwrap();
    let now = environment.clock.now();

    let hanging = Receiver::start();
    let outcome = sender
        .send(&subscribe(&environment, &hanging.url), event, now)
        .await;
    assert!(outcome.error.unwrap().contains("timed out"));
    assert_eq!(outcome.response_status, None);

    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let refusing = subscribe(&environment, &format!("http://someone:pass@{free}/"));
    let error = sender.send(&refusing, event, now).await.error.unwrap();
    assert!(error.contains("refused"), "{error}");
    assert!(!error.contains("pass"), "{error}");
}

#[tokio::test]
async fn serves_environments_while_they_are_there() {
    let default = Arc::new(Environment::for_tests());
    let registry = Arc::new(Registry::new(default, Options::default()));
    let serving = tokio::spawn(deliver_all(Arc::clone(&registry)));
    let mut receiver = Receiver::start();
    let later = Arc::new(Environment::new(
        "later",
        None,
        Arc::new(|| "2026-01-16T12:00:00Z".parse().unwrap()),
        crate::core::ids::system_randomness(),
    ));
    registry.add(&later).unwrap();
    subscribe(&later, &receiver.url);
    emit(&later, "user.created", "user_1");
    let received = receiver.next().await;
    assert!(registry.remove(&later.id).is_ok());
    received.closed().await;
    assert_eq!(later.state().attempts.len(), 0);

    // Without the one who serves them nobody is sent to any more.
    registry.add(&later).unwrap();
    let received: Received = receiver.next().await;
    serving.abort();
    received.closed().await;
}

#[tokio::test]
async fn a_running_emulator_delivers() {
    let emulator = crate::Emulator::start().await.unwrap();
    let mut receiver = Receiver::start();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = async |path: &str, body: serde_json::Value| -> serde_json::Value {
        let request = client
            .post(format!("{}{path}", emulator.url()))
            .bearer_auth("sk_test_default")
            .json(&body);
        request.send().await.unwrap().json().await.unwrap()
    };
    let endpoint = post(
        "/webhook_endpoints",
        json!({"endpoint_url": receiver.url, "events": ["organization.created"]}),
    )
    .await;
    assert_eq!(endpoint["status"], "enabled");
    let organization = post("/organizations", json!({"name": "Acme"})).await;
    let received = receiver.next().await;
    let event: serde_json::Value = serde_json::from_str(&received.body).unwrap();
    assert_eq!(
        (&event["object"], &event["event"]),
        (&json!("event"), &json!("organization.created"))
    );
    assert_eq!(event["data"]["id"], organization["id"]);

    let listed: serde_json::Value = client
        .get(format!("{}/events?events=organization.created", emulator.url()))
        .bearer_auth("sk_test_default")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        listed,
        json!({"object": "list", "data": [event], "list_metadata": {"after": null}})
    );

    // It stops though a receiver has not answered.
    tokio::task::spawn_blocking(move || drop(emulator)).await.unwrap();
    received.closed().await;
}

#[tokio::test]
async fn waits_for_events_and_for_their_delivery() {
    let environment = Arc::new(Environment::for_tests());
    let mut receiver = Receiver::start();
    subscribe(&environment, &receiver.url);
    start(&environment);
    emit(&environment, "user.created", "user_1");
    let event = wait_for_event(&environment, "user.created", None, FOREVER)
        .await
        .unwrap();
    let (delivered, _) = tokio::join!(
        wait_for_delivery(&environment, "user.created", None, FOREVER),
        receiver.answer_next(200)
    );
    let delivered = delivered.unwrap();
    assert_eq!(delivered.event_id, event.id);

    let behind = wait_for_delivery(&environment, "user.created", Some(&delivered.id), Duration::ZERO);
    assert_eq!(behind.await, None);
    let (second, ()) = tokio::join!(
        wait_for_event(&environment, "user.created", Some(&event.id), FOREVER),
        async { emit(&environment, "user.created", "user_2") }
    );
    assert_ne!(second.unwrap().id, event.id);
}
