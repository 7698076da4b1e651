//! A webhook that one machine has accepted is a replay on the other.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use workos_actix::{WebhookConfig, WebhookError};

use super::{Data, RedisServer};
use crate::fake_workos::TestClock;

const BODY: &str = r#"{"id":"event_1","event":"user.created","data":{}}"#;

fn signature(millis: i64) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(b"secret").unwrap();
    mac.update(format!("{millis}.{BODY}").as_bytes());
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
    super::eventually("it is accepted", Duration::from_secs(5), async || {
        second.receive(&signature(now + 3), BODY.as_bytes()).await.is_ok()
    })
    .await;
    for machine in [&first, &second] {
        assert_eq!(machine.receive(&signature(now), BODY.as_bytes()).await, replayed);
    }
}
