//! What the trait promises, kept by a real Redis.

use std::time::Duration;

use tokio::{task::JoinSet, time::Instant};
use workos_actix::{LogPage, RedisSharedState, SharedState};

use super::{Data, RedisServer, eventually};

const MINUTE: Duration = Duration::from_secs(60);

#[actix_web::test]
async fn values_are_set_replaced_and_taken_away() {
    let server = RedisServer::start(Data::Lost);
    let state = server.connect().await;
    assert_eq!(state.get("a").await.unwrap(), None);
    assert!(!state.replace("a", "0", MINUTE).await.unwrap());
    assert!(state.set_if_absent("a", "1", MINUTE).await.unwrap());
    assert!(!state.set_if_absent("a", "2", MINUTE).await.unwrap());
    assert_eq!(state.get("a").await.unwrap().as_deref(), Some("1"));
    assert!(state.replace("a", "3", MINUTE).await.unwrap());
    assert!(!state.delete_if_equal("a", "1").await.unwrap());
    assert!(state.delete_if_equal("a", "3").await.unwrap());
    assert!(!state.delete_if_equal("a", "3").await.unwrap());
    state.set("a", "4\r\n é \0", MINUTE).await.unwrap();
    assert_eq!(
        state.clone().get("a").await.unwrap().as_deref(),
        Some("4\r\n é \0")
    );
    state.delete("a").await.unwrap();
    assert_eq!(state.get("a").await.unwrap(), None);

    // A time to live is one, also when it is replaced; no time at all is no error.
    state.set("b", "1", MINUTE).await.unwrap();
    assert!(state.replace("b", "1", Duration::from_millis(50)).await.unwrap());
    state.set("c", "1", Duration::ZERO).await.unwrap();
    eventually("the values are gone", Duration::from_secs(5), async || {
        state.get("b").await.unwrap().is_none() && state.get("c").await.unwrap().is_none()
    })
    .await;

    // Somebody else's app.
    let other = state.clone().prefix("other:");
    state.set("d", "mine", MINUTE).await.unwrap();
    assert_eq!(other.get("d").await.unwrap(), None);
}

#[actix_web::test]
async fn of_many_one_is_first() {
    let server = RedisServer::start(Data::Lost);
    let mut asking = JoinSet::new();
    for number in 0..50 {
        let state = server.connect().await;
        asking.spawn(async move {
            state
                .set_if_absent("a", &number.to_string(), MINUTE)
                .await
                .unwrap()
        });
    }
    let first = asking.join_all().await.into_iter().filter(|first| *first).count();
    assert_eq!(first, 1);
}

#[actix_web::test]
async fn a_log_is_read_page_by_page() {
    let server = RedisServer::start(Data::Lost);
    let state = server.connect().await;
    assert_eq!(state.read_log("log", None).await.unwrap(), LogPage::default());
    for number in 0..1500 {
        state.append("log", &number.to_string(), MINUTE).await.unwrap();
    }
    let (mut entries, mut position) = (Vec::new(), None);
    loop {
        let page = state.read_log("log", position.as_deref()).await.unwrap();
        if page.entries.is_empty() {
            break;
        }
        entries.extend(page.entries);
        position = page.position;
    }
    let expected: Vec<_> = (0..1500).map(|number| number.to_string()).collect();
    assert_eq!(entries, expected);
    state.append("log", "next", MINUTE).await.unwrap();
    let page = state.read_log("log", position.as_deref()).await.unwrap();
    assert_eq!(page.entries, ["next"]);
    state
        .append("log", "last", Duration::from_millis(50))
        .await
        .unwrap();
    eventually("the log is gone", Duration::from_secs(5), async || {
        state.read_log("log", None).await.unwrap().entries.is_empty()
    })
    .await;
}

#[actix_web::test]
async fn nobody_waits_for_a_redis_that_is_away_or_silent() {
    let mut server = RedisServer::start(Data::Kept);
    let state = server.connect().await;
    state.set("a", "1", MINUTE).await.unwrap();

    server.freeze();
    let began = Instant::now();
    assert!(state.get("a").await.is_err());
    assert!(RedisSharedState::connect(&server.url()).await.is_err());
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    server.thaw();
    eventually("it answers again", Duration::from_secs(5), async || {
        state
            .get("a")
            .await
            .is_ok_and(|value| value.as_deref() == Some("1"))
    })
    .await;

    server.kill();
    let began = Instant::now();
    for _ in 0..1000 {
        assert!(state.get("a").await.is_err());
    }
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    server.restart();
    eventually("it is back", Duration::from_secs(5), async || {
        state
            .get("a")
            .await
            .is_ok_and(|value| value.as_deref() == Some("1"))
    })
    .await;

    // A restart between two commands is not noticed at all.
    server.kill();
    server.restart();
    assert_eq!(state.get("a").await.unwrap().as_deref(), Some("1"));
}

#[actix_web::test]
async fn a_url_that_is_none_is_an_error_without_its_password() {
    let error = RedisSharedState::connect("http://user:hunter2@localhost")
        .await
        .unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
    let error = RedisSharedState::connect("redis://:hunter2@127.0.0.1:1")
        .await
        .unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
    let server = RedisServer::start(Data::Lost);
    assert!(!format!("{:?}", server.connect().await).contains(&server.url()));
}
