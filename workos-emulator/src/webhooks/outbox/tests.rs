use std::time::Duration;

use serde_json::json;

use super::*;
use crate::{
    api::webhooks::{CreateWebhookEndpoint, EndpointStatus, UpdateWebhookEndpoint},
    control::settings::Settings,
    environment::Environment,
};

fn endpoint(environment: &Environment, events: &[&str]) -> Arc<WebhookEndpoint> {
    let count = environment.state().webhook_endpoints.len();
    let new = CreateWebhookEndpoint {
        endpoint_url: format!("http://localhost/{count}"),
        events: events.iter().map(|event| (*event).to_owned()).collect(),
        ..Default::default()
    };
    environment.transact(|tx| endpoints::create(tx, new)).unwrap()
}

fn emit(environment: &Environment, event: &str) {
    environment
        .transact(|tx| tx.emit(event, &json!({})).map(drop))
        .unwrap();
}

fn answered(status: u16) -> Outcome {
    Outcome {
        response_status: Some(status),
        ..Outcome::default()
    }
}

/// An attempt of this delivery that was answered so, and the delivery after it.
fn attempted(environment: &Environment, id: &str, status: u16) -> Arc<Delivery> {
    environment
        .transact(|tx| record(tx, id, answered(status)))
        .unwrap();
    delivery(environment, id)
}

fn delivery(environment: &Environment, id: &str) -> Arc<Delivery> {
    Arc::clone(find(&environment.state(), id).unwrap())
}

fn only(environment: &Environment) -> Arc<Delivery> {
    let state = environment.state();
    let mut all = state.deliveries.iter();
    let only = all.next().unwrap();
    assert!(all.next().is_none());
    Arc::clone(only)
}

#[test]
fn a_delivery_is_made_for_each_endpoint_that_wants_the_event() {
    let environment = Environment::for_tests();
    let users = endpoint(&environment, &["user.created"]);
    endpoint(&environment, &["session.created"]);
    let all = endpoint(&environment, &[]);
    emit(&environment, "user.created");
    emit(&environment, "vault.data.read");
    let state = environment.state();
    let told: Vec<_> = state
        .deliveries
        .iter()
        .map(|delivery| delivery.endpoint_id.as_str())
        .collect();
    assert_eq!(told, [&users.id, &all.id]);
    let event = state.events.iter().next().unwrap();
    assert!(
        state
            .deliveries
            .iter()
            .all(|delivery| delivery.event_id == event.id)
    );
}

#[test]
fn no_delivery_is_made_for_what_is_not_committed() {
    let environment = Environment::for_tests();
    endpoint(&environment, &[]);
    let refused = environment.transact(|tx| {
        tx.emit("user.created", &json!({}))?;
        Err::<(), _>(ApiError::message(400, "no"))
    });
    assert!(refused.is_err());
    assert_eq!(environment.state().deliveries.len(), 0);
}

#[test]
fn fails_after_the_last_retry_of_the_schedule() {
    let environment = Environment::for_tests();
    let settings = Settings {
        webhook_retries: vec![5, 30],
        ..Settings::default()
    };
    environment.transact(|tx| tx.put(settings).map(drop)).unwrap();
    endpoint(&environment, &[]);
    emit(&environment, "user.created");
    let id = only(&environment).id.clone();
    let due = |delivery: &Delivery| delivery.next_attempt_at.map(clock::iso8601);

    let first = attempted(&environment, &id, 500);
    assert_eq!(due(&first).as_deref(), Some("2026-01-15T12:00:05.000Z"));
    environment.clock.advance(Duration::from_secs(5));
    let second = attempted(&environment, &id, 404);
    assert_eq!(due(&second).as_deref(), Some("2026-01-15T12:00:35.000Z"));
    assert_eq!(second.status, DeliveryStatus::Pending);
    environment.clock.advance(Duration::from_secs(30));
    let third = attempted(&environment, &id, 302);
    assert_eq!((third.status, due(&third)), (DeliveryStatus::Failed, None));
    assert_eq!(third.failure.as_deref(), Some("3 attempts failed."));
    let state = environment.state();
    let statuses: Vec<_> = attempts(&state, &id)
        .map(|attempt| attempt.outcome.response_status)
        .collect();
    assert_eq!(statuses, [Some(500), Some(404), Some(302)]);
}

#[test]
fn the_default_schedule_ends_within_three_days() {
    let total: u32 = Settings::default().webhook_retries.iter().sum();
    assert!((2 * 24 * 3600..=3 * 24 * 3600).contains(&total), "{total}");
}

#[test]
fn any_2xx_is_success() {
    for status in [200, 201, 204, 299] {
        assert!(answered(status).is_success());
    }
    for status in [199, 301, 400, 500] {
        assert!(!answered(status).is_success());
    }
    assert!(!Outcome::default().is_success());
}

#[test]
fn what_waits_for_its_retry_stands_behind_what_is_due() {
    let environment = Environment::for_tests();
    let endpoint = endpoint(&environment, &[]);
    emit(&environment, "user.created");
    emit(&environment, "user.updated");
    // First attempts keep their order even where the clock goes back.
    environment.clock.set("2020-01-01T00:00:00Z".parse().unwrap());
    emit(&environment, "user.deleted");
    let next_is = |name: &str| {
        let delivery = next(&environment.state(), &endpoint.id).unwrap();
        assert_eq!(delivery.event, name);
        delivery.id.clone()
    };
    let failed = next_is("user.created");
    attempted(&environment, &failed, 500);
    attempted(&environment, &next_is("user.updated"), 200);
    attempted(&environment, &next_is("user.deleted"), 200);
    assert_eq!(next_is("user.created"), failed);
    attempted(&environment, &failed, 200);
    assert_eq!(next(&environment.state(), &endpoint.id), None);
}

#[test]
fn waiting_deliveries_fail_with_their_endpoint() {
    let environment = Environment::for_tests();
    let (disabled, deleted) = (endpoint(&environment, &[]), endpoint(&environment, &[]));
    emit(&environment, "user.created");
    let change = UpdateWebhookEndpoint {
        status: Some(EndpointStatus::Disabled),
        ..Default::default()
    };
    environment
        .transact(|tx| {
            endpoints::update(tx, &disabled.id, change)?;
            endpoints::delete(tx, &deleted.id)
        })
        .unwrap();
    let state = environment.state();
    let failures: Vec<_> = state
        .deliveries
        .iter()
        .map(|delivery| (delivery.status, delivery.failure.as_deref().unwrap()))
        .collect();
    assert_eq!(
        failures,
        [
            (DeliveryStatus::Failed, "The webhook endpoint was disabled."),
            (DeliveryStatus::Failed, "The webhook endpoint was deleted."),
        ]
    );
    let ids: Vec<_> = state
        .deliveries
        .iter()
        .map(|delivery| delivery.id.clone())
        .collect();
    let refusal = |id: &str| environment.transact(|tx| resend(tx, id)).unwrap_err();
    assert_eq!(refusal(&ids[0]).code(), Some("endpoint_disabled"));
    assert_eq!(refusal(&ids[1]).code(), Some("entity_not_found"));
    // An attempt that was under way may still succeed, but brings no retries.
    assert_eq!(
        attempted(&environment, &ids[0], 500).status,
        DeliveryStatus::Failed
    );
    assert_eq!(
        attempted(&environment, &ids[0], 200).status,
        DeliveryStatus::Delivered
    );
}

#[test]
fn resend_and_flush_make_deliveries_due_at_once() {
    let environment = Environment::for_tests();
    let endpoint = endpoint(&environment, &[]);
    emit(&environment, "user.created");
    let id = only(&environment).id.clone();
    attempted(&environment, &id, 500);
    assert!(delivery(&environment, &id).next_attempt_at.is_some());
    assert_eq!(environment.transact(flush).unwrap(), 1);
    assert_eq!(delivery(&environment, &id).next_attempt_at, None);

    assert_eq!(
        attempted(&environment, &id, 200).status,
        DeliveryStatus::Delivered
    );
    assert_eq!(next(&environment.state(), &endpoint.id), None);
    environment.transact(|tx| resend(tx, &id)).unwrap();
    let again = next(&environment.state(), &endpoint.id).unwrap();
    assert_eq!((again.id.as_str(), again.attempt_count), (id.as_str(), 2));
}

#[test]
fn an_attempt_of_a_delivery_that_is_gone_is_not_kept() {
    let environment = Environment::for_tests();
    environment
        .transact(|tx| record(tx, "delivery_1", answered(200)))
        .unwrap();
    assert_eq!(environment.state().attempts.len(), 0);
}

#[test]
fn finished_deliveries_and_attempts_do_not_pile_up() {
    let environment = Environment::for_tests();
    endpoint(&environment, &[]);
    let deliver_one = |tx: &mut Transaction<'_>| {
        let event = tx.emit("user.created", &json!({}))?;
        let id = tx.deliveries.iter().next_back().unwrap().id.clone();
        record(tx, &id, answered(200))?;
        Ok::<_, ApiError>((event, id))
    };
    let (_, oldest) = environment.transact(deliver_one).unwrap();
    environment
        .transact(|tx| (0..KEPT).try_for_each(|_| deliver_one(tx).map(drop)))
        .unwrap();
    let state = environment.state();
    assert!(state.deliveries.get(&oldest).is_none());
    assert_eq!((state.deliveries.len(), state.attempts.len()), (KEPT, KEPT));
    assert!(state.is_consistent());

    let newest = state.deliveries.iter().next_back().unwrap().id.clone();
    for _ in 0..KEPT_ATTEMPTS + 5 {
        attempted(&environment, &newest, 500);
    }
    assert_eq!(attempts(&environment.state(), &newest).count(), KEPT_ATTEMPTS);
}
