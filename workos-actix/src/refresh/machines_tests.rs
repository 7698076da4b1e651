use actix_web::cookie::Key;
use serde_json::json;

use super::*;
use crate::{
    digest::fingerprint,
    random::SystemRandomness,
    shared_state::{
        SharedState,
        testing::{Mood, Moody},
    },
};

const PASSWORD: [u8; 32] = [1; 32];

fn machine(state: &Moody) -> Machines {
    machine_with(state, &PASSWORD)
}

fn machine_with(state: &Moody, password: &[u8]) -> Machines {
    let sealer = CookieSealer::new([Key::derive_from(password)].into());
    Machines::new(AnySharedState::new(state.clone()), sealer, &SystemRandomness)
}

fn token() -> Fingerprint {
    fingerprint(&[b"refresh_1"])
}

fn key() -> String {
    format!("refresh:{}", URL_SAFE_NO_PAD.encode(token()))
}

fn rotated() -> Exchange {
    let user = json!({
        "object": "user", "id": "user_1", "email": "ada@example.com", "email_verified": true,
        "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z",
    });
    let session = Session {
        access_token: "access_2".into(),
        refresh_token: "refresh_2".into(),
        user: serde_json::from_value(user).unwrap(),
        impersonator: None,
        authentication_method: None,
        unknown_user_members: None,
    };
    Exchange {
        outcome: Refreshed::Rotated(Arc::new(session)),
        organization_id: Some("org_1".into()),
        at: 7,
    }
}

fn unavailable() -> Exchange {
    Exchange {
        outcome: Refreshed::Unavailable {
            retry_after: Duration::from_secs(1),
        },
        ..rotated()
    }
}

async fn ours(machine: &Machines) -> Ticket {
    match machine.turn(&token()).await {
        Turn::Ours(ticket) => ticket,
        Turn::Settled(exchange) => panic!("settled: {exchange:?}"),
        Turn::Unknown => panic!("unknown"),
    }
}

async fn settled(machine: &Machines) -> Exchange {
    match machine.turn(&token()).await {
        Turn::Settled(exchange) => exchange,
        Turn::Ours(_) => panic!("ours"),
        Turn::Unknown => panic!("unknown"),
    }
}

#[tokio::test(start_paused = true)]
async fn one_machine_asks_and_the_others_get_the_answer() {
    let state = Moody::default();
    let ticket = ours(&machine(&state)).await;
    let others: Vec<_> = (0..3)
        .map(|_| {
            let machine = machine(&state);
            tokio::spawn(async move { settled(&machine).await })
        })
        .collect();
    sleep(Duration::from_secs(9)).await;
    machine(&state).conclude(ticket, &rotated()).await;
    for other in others {
        let exchange = other.await.unwrap();
        assert_eq!(
            (exchange.organization_id.as_deref(), exchange.at),
            (Some("org_1"), 7)
        );
        let Refreshed::Rotated(session) = exchange.outcome else {
            panic!()
        };
        assert_eq!(session.access_token.expose(), "access_2");
        assert_eq!(session.refresh_token.expose(), "refresh_2");
        assert_eq!(session.user.email, "ada@example.com");
    }
    sleep(GRACE - Duration::from_secs(1)).await;
    settled(&machine(&state)).await;
    sleep(Duration::from_secs(1)).await;
    ours(&machine(&state)).await;
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_session_is_an_answer_and_an_outage_is_none() {
    let state = Moody::default();
    let (first, second) = (machine(&state), machine(&state));
    let ticket = ours(&first).await;
    first.conclude(ticket, &unavailable()).await;
    let ticket = ours(&second).await;
    let ended = Exchange {
        outcome: Refreshed::Ended {
            code: "invalid_grant".into(),
        },
        ..rotated()
    };
    second.conclude(ticket, &ended).await;
    assert!(matches!(settled(&first).await.outcome, Refreshed::Ended { code } if code == "invalid_grant"));
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_dies_loses_its_turn() {
    let state = Moody::default();
    drop(ours(&machine(&state)).await);
    let began = Instant::now();
    let ticket = ours(&machine(&state)).await;
    let waited = began.elapsed();
    assert!(waited >= TURN && waited <= PATIENCE, "{waited:?}");
    // What it gives back is its own turn, not that of who came after it.
    sleep(TURN).await;
    let next = ours(&machine(&state)).await;
    machine(&state).conclude(ticket, &unavailable()).await;
    assert_eq!(state.memory.get(&key()).await.unwrap(), Some(next.value));
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_ever() {
    let state = Moody::default();
    let ticket = ours(&machine(&state)).await;
    let machine = machine(&state);
    // It takes longer than any exchange may.
    let renewed = state.memory.clone();
    renewed.set(&ticket.key, &ticket.value, GRACE).await.unwrap();
    let began = Instant::now();
    assert!(matches!(machine.turn(&token()).await, Turn::Unknown));
    assert!(began.elapsed() <= PATIENCE);
    for mood in [Mood::Away, Mood::Silent] {
        state.is(mood);
        let began = Instant::now();
        assert!(matches!(machine.turn(&token()).await, Turn::Unknown));
        assert!(began.elapsed() <= Duration::from_secs(3), "{mood:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_told_when_the_state_is_back() {
    let state = Moody::default();
    let ticket = ours(&machine(&state)).await;
    state.is(Mood::Away);
    machine(&state).conclude(ticket, &rotated()).await;
    sleep(Duration::from_secs(10)).await;
    assert!(matches!(machine(&state).turn(&token()).await, Turn::Unknown));
    state.is(Mood::Well);
    settled(&machine(&state)).await;
    // As long as it would have been there without the outage.
    sleep(GRACE - Duration::from_secs(10)).await;
    ours(&machine(&state)).await;
}

#[tokio::test(start_paused = true)]
async fn a_short_outage_is_waited_for() {
    let state = Moody::default();
    state.is(Mood::Away);
    let waiting = machine(&state);
    let waiting = tokio::spawn(async move { ours(&waiting).await });
    sleep(Duration::from_millis(500)).await;
    state.is(Mood::Well);
    waiting.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_state_that_forgets_starts_no_second_exchange() {
    let state = Moody::default();
    let first = machine(&state);
    let ticket = ours(&first).await;
    let waiting = machine(&state);
    let waiting = tokio::spawn(async move { settled(&waiting).await });
    sleep(Duration::from_secs(1)).await;
    state.memory.delete(&key()).await.unwrap();
    first.hold(&ticket, sleep(Duration::from_secs(8))).await;
    // Whoever comes only now finds it claimed again.
    assert_eq!(
        state.memory.get(&key()).await.unwrap().as_deref(),
        Some(ticket.value.as_str())
    );
    assert!(!waiting.is_finished());
    first.conclude(ticket, &rotated()).await;
    waiting.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn no_secret_is_readable_and_no_answer_fits_elsewhere() {
    let state = Moody::default();
    let ticket = ours(&machine(&state)).await;
    machine(&state).conclude(ticket, &rotated()).await;
    let dump = format!("{:?}", state.memory);
    for secret in ["refresh_1", "refresh_2", "access_2", "ada@example.com"] {
        assert!(!dump.contains(secret), "{dump}");
    }
    // With another password, and under the key of another token.
    assert!(matches!(
        machine_with(&state, &[2; 32]).turn(&token()).await,
        Turn::Unknown
    ));
    let other = fingerprint(&[b"refresh_9"]);
    let value = state.memory.get(&key()).await.unwrap().unwrap();
    let other_key = format!("refresh:{}", URL_SAFE_NO_PAD.encode(other));
    state.memory.set(&other_key, &value, GRACE).await.unwrap();
    assert!(matches!(machine(&state).turn(&other).await, Turn::Unknown));
}

#[tokio::test(start_paused = true)]
async fn a_turn_whose_confirmation_was_lost_is_recognised() {
    let state = Moody::default();
    let machine = machine(&state);
    // Of this attempt, whose question was repeated, and of an earlier one.
    let of_this = format!("{}0", machine.own);
    state.memory.set(&key(), &of_this, TURN).await.unwrap();
    assert_eq!(ours(&machine).await.value, of_this);
    assert_eq!(ours(&machine).await.value, format!("{}1", machine.own));
    let held = state.memory.get(&key()).await.unwrap();
    assert_eq!(held, Some(format!("{}1", machine.own)));
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_turn_that_was_taken_too_late() {
    let state = Moody::default();
    let first = machine(&state);
    state.is(Mood::Silent);
    assert!(matches!(first.turn(&token()).await, Turn::Unknown));
    // Now it reads what it was sent.
    state.is(Mood::Well);
    let late = format!("{}0", first.own);
    state.memory.set(&key(), &late, TURN).await.unwrap();
    let began = Instant::now();
    // Another machine need not wait until it runs out, once the first one has taken it back.
    sleep(WITHDRAWAL_PAUSE * 2).await;
    ours(&machine(&state)).await;
    assert!(began.elapsed() <= WITHDRAWAL_PAUSE * 2);
}
