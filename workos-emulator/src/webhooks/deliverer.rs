//! Takes what is due from the outbox and sends it: at the same time to different endpoints, one after the other to
//! each.
//!
//! It only looks at committed states and is woken by commits and by the clock, so deliveries that were waiting when the
//! emulator stopped, was reset or forked are found again. The API never waits for it.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;
use tokio::task::{self, JoinHandle, JoinSet};

use super::{
    outbox::{self, Delivery, Outcome},
    sender::{self, Sender},
};
use crate::{environment::Environment, server::registry::Registry, store::State};

/// Runs a deliverer for each environment, for as long as it is polled: those that are created later are found, and those
/// that are removed are let go.
pub(crate) async fn deliver_all(registry: Arc<Registry>) {
    let sender = Arc::new(Sender::new(sender::TIMEOUT));
    let mut changes = registry.changes();
    let mut running: HashMap<String, Running> = HashMap::new();
    loop {
        changes.borrow_and_update();
        let environments = registry.environments();
        let present: HashSet<_> = environments
            .iter()
            .map(|environment| environment.id.as_str())
            .collect();
        running.retain(|id, _| present.contains(id.as_str()));
        for environment in &environments {
            running.entry(environment.id.clone()).or_insert_with(|| {
                let deliver = deliver(Arc::clone(environment), Arc::clone(&sender));
                Running(tokio::spawn(deliver))
            });
        }
        // The registry is held here: its sender is not dropped.
        let _ = changes.changed().await;
    }
}

/// A task that ends when nobody holds it any more.
struct Running(JoinHandle<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Delivers the webhooks of one environment. What is under way ends with it.
pub(super) async fn deliver(environment: Arc<Environment>, sender: Arc<Sender>) {
    let mut commits = environment.commits();
    let mut attempts = JoinSet::new();
    // Endpoints that are being sent to.
    let mut busy: HashMap<task::Id, String> = HashMap::new();
    loop {
        commits.borrow_and_update();
        let state = environment.state();
        let sending: HashSet<_> = busy.values().map(String::as_str).collect();
        let (due, next) = due(&state, &sending, environment.clock.now());
        for delivery in due {
            let endpoint_id = delivery.endpoint_id.clone();
            let attempt = attempt(Arc::clone(&environment), Arc::clone(&sender), delivery);
            busy.insert(attempts.spawn(attempt).id(), endpoint_id);
        }
        let its_time = async {
            match next {
                Some(next) => environment.clock.wait_until(next).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = commits.changed() => {}
            Some(ended) = attempts.join_next_with_id() => {
                busy.remove(&ended.map_or_else(|error| error.id(), |(id, ())| id));
            }
            () = its_time => {}
        }
    }
}

/// The deliveries to send now, one for each endpoint that is free; and when the next one is due.
pub(super) fn due(
    state: &State,
    busy: &HashSet<&str>,
    now: Timestamp,
) -> (Vec<Arc<Delivery>>, Option<Timestamp>) {
    let mut due = Vec::new();
    let mut next: Option<Timestamp> = None;
    for endpoint in state.webhook_endpoints.iter() {
        if busy.contains(endpoint.id.as_str()) {
            continue;
        }
        let Some(delivery) = outbox::next(state, &endpoint.id) else {
            continue;
        };
        match delivery.next_attempt_at.filter(|at| *at > now) {
            Some(at) => next = Some(next.map_or(at, |next| next.min(at))),
            None => due.push(delivery),
        }
    }
    (due, next)
}

/// Sends a delivery once, and writes down what came of it.
async fn attempt(environment: Arc<Environment>, sender: Arc<Sender>, delivery: Arc<Delivery>) {
    let state = environment.state();
    let outcome = match (
        state.webhook_endpoints.get(&delivery.endpoint_id),
        state.events.get(&delivery.event_id),
    ) {
        (Some(endpoint), Some(event)) => {
            sender
                .send(endpoint, event, environment.clock.source_time())
                .await
        }
        // Deleted, or reset, since the delivery was taken.
        _ => Outcome {
            error: Some("The endpoint or the event is gone.".to_owned()),
            ..Outcome::default()
        },
    };
    let (event, id) = (&delivery.event, &delivery.id);
    match &outcome.error {
        _ if outcome.is_success() => tracing::debug!(event, id, "webhook delivered"),
        Some(error) => tracing::warn!(
            event,
            id,
            url = outcome.request_url,
            error,
            "webhook not delivered"
        ),
        None => {
            let status = outcome.response_status;
            tracing::warn!(
                event,
                id,
                url = outcome.request_url,
                status,
                "webhook not delivered"
            );
        }
    }
    if let Err(error) = environment.transact(|tx| outbox::record(tx, id, outcome)) {
        tracing::error!(%error, id, "the attempt could not be recorded");
    }
}
