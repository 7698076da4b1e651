use super::*;
use crate::shared_state::testing::{Mood, Moody};

const MAX_AGE: Duration = Duration::from_secs(10);

fn machine(state: &Moody) -> EndedSessions {
    EndedSessions::new().shared(AnySharedState::new(state.clone()), MAX_AGE)
}

/// As long as it takes until everybody has read what is there.
const A_READING: Duration = Duration::from_millis(1100);

#[tokio::test]
async fn alone_everything_is_known() {
    let ended = EndedSessions::new();
    assert!(ended.is_known().await);
    ended.end("session_1").await.unwrap();
    assert!(ended.contains("session_1"));
    assert!(!ended.contains("session_2"));
    ended.revive("session_1").await.unwrap();
    assert!(!ended.contains("session_1"));
}

#[tokio::test(start_paused = true)]
async fn machines_learn_from_each_other() {
    let state = Moody::default();
    let (first, second) = (machine(&state), machine(&state));
    first.end("session_1").await.unwrap();
    assert!(first.contains("session_1"));
    // The first thing a machine does is to read.
    assert!(second.is_known().await);
    assert!(second.contains("session_1"));
    first.end("session_2").await.unwrap();
    sleep(A_READING).await;
    assert!(second.contains("session_2"));
    // Signed in again, at the machine that knows of the sign-out from the other.
    second.revive("session_1").await.unwrap();
    sleep(A_READING).await;
    assert!(!first.contains("session_1") && !second.contains("session_1"));
    assert!(first.contains("session_2") && second.contains("session_2"));
    // And before it could know.
    first.end("session_3").await.unwrap();
    second.revive("session_3").await.unwrap();
    sleep(A_READING).await;
    assert!(!first.contains("session_3") && !second.contains("session_3"));
    assert!(machine(&state).is_known().await);
}

#[tokio::test(start_paused = true)]
async fn what_is_too_old_is_no_knowledge() {
    for mood in [Mood::Away, Mood::Silent] {
        let state = Moody::default();
        let machine = machine(&state);
        assert!(machine.is_known().await);
        state.is(mood);
        sleep(MAX_AGE - A_READING).await;
        assert!(machine.is_known().await, "{mood:?}: a short outage");
        sleep(A_READING * 2).await;
        let began = Instant::now();
        assert!(!machine.is_known().await, "{mood:?}");
        assert!(began.elapsed() <= READING);
        state.is(Mood::Well);
        sleep(Duration::from_secs(5)).await;
        assert!(machine.is_known().await, "{mood:?}: back");
    }
}

#[tokio::test(start_paused = true)]
async fn old_knowledge_may_be_asked_for() {
    let state = Moody::default();
    let ended = EndedSessions::new().shared(AnySharedState::new(state.clone()), Duration::MAX);
    state.is(Mood::Away);
    assert!(!ended.is_known().await, "there has been none yet");
    state.is(Mood::Well);
    sleep(A_READING).await;
    assert!(ended.is_known().await);
    state.is(Mood::Away);
    sleep(MAX_AGE * 100).await;
    assert!(ended.is_known().await);
}

#[tokio::test(start_paused = true)]
async fn a_start_without_the_state_waits_a_little_and_not_for_ever() {
    let state = Moody::default();
    state.is(Mood::Silent);
    let ended = machine(&state);
    let began = Instant::now();
    assert!(!ended.is_known().await);
    assert!(began.elapsed() <= READING);
    state.is(Mood::Away);
    sleep(Duration::from_secs(5)).await;
    let began = Instant::now();
    assert!(!ended.is_known().await);
    assert_eq!(began.elapsed(), Duration::ZERO, "it is known to fail");
    assert!(ended.revive("session_1").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_told_is_told_later() {
    let state = Moody::default();
    let (first, second) = (machine(&state), machine(&state));
    assert!(first.is_known().await && second.is_known().await);
    state.is(Mood::Away);
    assert!(first.end("session_1").await.is_err());
    assert!(first.end("session_2").await.is_err());
    assert!(first.contains("session_1"));
    // A short outage: who signs in was not signed out, as far as anybody knows.
    second.revive("session_3").await.unwrap();
    assert!(first.revive("session_2").await.is_err());
    assert!(!second.contains("session_1"));
    state.is(Mood::Well);
    sleep(A_READING * 2).await;
    assert!(second.contains("session_1"));
    assert!(!second.contains("session_2"));
}

#[test]
fn another_worker_goes_on_reading() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap()
    };
    let state = Moody::default();
    let (first, second) = (machine(&state), machine(&state));
    let worker = runtime();
    worker.block_on(async { assert!(second.is_known().await) });
    drop(worker);
    runtime().block_on(async {
        first.end("session_1").await.unwrap();
        sleep(INTERVAL * 3).await;
        assert!(!second.contains("session_1"), "nobody reads");
        assert!(second.is_known().await);
        sleep(A_READING).await;
        assert!(second.contains("session_1"));
    });
}
