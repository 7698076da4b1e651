//! A webhook that one machine has accepted is a replay on the other, and an event is handled by one of them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_web::{
    App,
    test::{TestRequest, call_service, init_service},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use workos_actix::{Webhook, WebhookConfig, WebhookError, WebhookHandlers};

use super::{Data, Machines, RedisServer, eventually};
use crate::fake_workos::TestClock;

const BODY: &str = r#"{"id":"event_1","event":"user.created","data":{}}"#;

fn signature(millis: i64) -> String {
    signature_of(millis, BODY)
}

fn signature_of(millis: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(b"secret").unwrap();
    mac.update(format!("{millis}.{body}").as_bytes());
    let hex: String = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("t={millis}, v1={hex}")
}

#[actix_web::test]
async fn a_delivery_is_accepted_once_by_all_machines_together() {
    let mut redis = RedisServer::start(Data::Kept);
    let clock = TestClock::new();
    let now = clock.seconds() * 1000;
    let (one, other) = (redis.connect().await, redis.connect().await);
    let first = WebhookConfig::new("secret")
        .clock(clock.clone())
        .shared_state(one);
    let second = WebhookConfig::new("secret").clock(clock).shared_state(other);
    let replayed = Err(WebhookError::Replayed { id: "event_1".into() });
    first.receive(&signature(now), BODY.as_bytes()).await.unwrap();
    for machine in [&second, &first] {
        assert_eq!(machine.receive(&signature(now), BODY.as_bytes()).await, replayed);
    }
    // WorkOS tries again: signed anew.
    second
        .receive(&signature(now + 1), BODY.as_bytes())
        .await
        .unwrap();

    // Nobody can tell: WorkOS is asked to try again, soon.
    redis.freeze();
    let another = signature(now + 2);
    let answer = first.receive(&another, BODY.as_bytes());
    let answer = tokio::time::timeout(Duration::from_secs(3), answer).await;
    assert_eq!(answer.expect("it does not hang"), Err(WebhookError::Unavailable));
    redis.thaw();
    redis.kill();
    let answer = second.receive(&signature(now + 3), BODY.as_bytes()).await;
    assert_eq!(answer, Err(WebhookError::Unavailable));
    redis.restart();
    eventually("it is accepted", Duration::from_secs(5), async || {
        second.receive(&signature(now + 3), BODY.as_bytes()).await.is_ok()
    })
    .await;
    for machine in [&first, &second] {
        assert_eq!(machine.receive(&signature(now), BODY.as_bytes()).await, replayed);
    }
}

/// What the handlers of one machine answer to a delivery.
async fn answer(handlers: &WebhookHandlers, millis: i64, body: &str) -> u16 {
    let app = init_service(App::new().route("/", handlers.route())).await;
    let request = TestRequest::post()
        .uri("/")
        .insert_header(("workos-signature", signature_of(millis, body)))
        .set_payload(body.to_owned());
    call_service(&app, request.to_request()).await.status().as_u16()
}

#[actix_web::test]
async fn an_event_is_handled_once_by_all_machines_together() {
    let mut redis = RedisServer::start(Data::Kept);
    let clock = TestClock::new();
    let now = clock.seconds() * 1000;
    let handled = Arc::new(AtomicUsize::new(0));
    let machine = |state| {
        let (clock, handled) = (clock.clone(), Arc::clone(&handled));
        let config = WebhookConfig::new("secret").clock(clock).shared_state(state);
        WebhookHandlers::new(config).on_event("user.created", move |_: Webhook| {
            let number = handled.fetch_add(1, Ordering::Relaxed);
            async move {
                if number == 0 {
                    Err("the first one fails")
                } else {
                    Ok(())
                }
            }
        })
    };
    let (first, second) = (machine(redis.connect().await), machine(redis.connect().await));
    assert_eq!(answer(&first, now, BODY).await, 500);
    assert_eq!(answer(&second, now + 1, BODY).await, 200);
    for (number, machine) in [&first, &second, &first].into_iter().enumerate() {
        let later = now + 2 + i64::try_from(number).unwrap();
        assert_eq!(answer(machine, later, BODY).await, 200);
    }
    assert_eq!(handled.load(Ordering::Relaxed), 2);
    redis.kill();
    assert_eq!(answer(&first, now + 9, BODY).await, 503);
    redis.restart();
    eventually("it is known again", Duration::from_secs(5), async || {
        answer(&first, now + 9, BODY).await == 200
    })
    .await;
    assert_eq!(handled.load(Ordering::Relaxed), 2);
}

#[actix_web::test]
async fn a_session_that_workos_has_revoked_ends_on_all_machines() {
    let Machines {
        mut redis,
        first,
        second,
    } = Machines::start(Data::Kept).await;
    let mut browser = first.signed_in().await;
    let copy = second.takes_over(&browser);
    let session = browser.fetch("/me").await.json()["session"].clone();
    let config = WebhookConfig::new("secret").clock(first.clock.clone());
    let handlers = WebhookHandlers::new(config).ends_sessions(&first.authkit);
    let event = |id: &str, session: &str| {
        format!(r#"{{"id":"{id}","event":"session.revoked","data":{{"id":"{session}"}}}}"#)
    };
    let revoked = event("event_1", session.as_str().unwrap());
    let now = first.clock.seconds() * 1000;
    assert_eq!(answer(&handlers, now, &revoked).await, 200);
    assert_eq!(browser.fetch("/me").await.status, 401);
    eventually("the other machine knows", Duration::from_secs(5), async || {
        copy.clone().fetch("/me").await.status == 401
    })
    .await;
    // Not taken while the other machines cannot be told: WorkOS delivers it again.
    redis.kill();
    assert_eq!(answer(&handlers, now, &event("event_2", "session_9")).await, 500);
    redis.restart();
    eventually("it is taken", Duration::from_secs(5), async || {
        answer(&handlers, now, &event("event_2", "session_9")).await == 200
    })
    .await;
}
