//! Deliveries and attempts: who is still to be told, who was, and how it went.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    api::{
        events::Event,
        webhooks::{self as endpoints, WebhookEndpoint},
    },
    core::clock,
    server::error::ApiError,
    store::{Index, Record, State, Transaction},
};

/// How many finished deliveries are kept for inspection, with their attempts; the oldest go first.
pub(crate) const KEPT: usize = 10_000;

/// How many deliveries wait at most, so that a receiver that is down does not fill the memory. Beyond it the
/// endpoint's oldest one fails.
pub(crate) const MOST_WAITING: usize = 100_000;

/// How many attempts of one delivery are kept; the oldest go first.
const KEPT_ATTEMPTS: usize = 100;

/// One event for one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "object", rename = "webhook_delivery")]
pub(crate) struct Delivery {
    pub(crate) id: String,
    pub(crate) endpoint_id: String,
    pub(crate) event_id: String,
    /// The event's name.
    pub(crate) event: String,
    pub(crate) status: DeliveryStatus,
    /// Attempts made so far.
    pub(crate) attempt_count: u32,
    /// When the next attempt is due; while pending, null is at once.
    #[serde(with = "clock::timestamp::option")]
    pub(crate) next_attempt_at: Option<Timestamp>,
    /// Why no further attempt is made.
    pub(crate) failure: Option<String>,
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DeliveryStatus {
    /// An attempt is due, or under way.
    Pending,
    /// An attempt was answered with 2xx.
    Delivered,
    /// No attempt was, and none will be made.
    Failed,
}

/// One request of a delivery, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "object", rename = "webhook_attempt")]
pub(crate) struct Attempt {
    pub(crate) id: String,
    pub(crate) delivery_id: String,
    #[serde(with = "clock::timestamp")]
    pub(crate) at: Timestamp,
    #[serde(flatten)]
    pub(crate) outcome: Outcome,
}

/// What was sent and what came back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) request_url: String,
    pub(crate) request_headers: BTreeMap<String, String>,
    pub(crate) response_status: Option<u16>,
    /// The beginning of the response's body.
    pub(crate) response_body: Option<String>,
    /// How long the receiver took, in real time.
    pub(crate) duration_ms: u64,
    /// Why there is no complete response.
    pub(crate) error: Option<String>,
}

impl Outcome {
    /// Production takes any 2xx.
    pub(crate) fn is_success(&self) -> bool {
        self.response_status
            .is_some_and(|status| (200..300).contains(&status))
    }
}

/// Pending deliveries of an endpoint. Those that are due at once come first, in order of their events; then those that
/// wait, in order of their time. So a failed event that waits for its retry does not hold up later ones.
pub(crate) const WAITING: Index<Delivery> = Index::ordered("waiting", |delivery| match delivery.status {
    DeliveryStatus::Pending => {
        let due = delivery.next_attempt_at.unwrap_or(Timestamp::MIN);
        vec![(delivery.endpoint_id.as_str().into(), due.as_millisecond())]
    }
    DeliveryStatus::Delivered | DeliveryStatus::Failed => Vec::new(),
});
const FINISHED: Index<Delivery> = Index::ordered("finished", |delivery| match delivery.status {
    DeliveryStatus::Pending => Vec::new(),
    DeliveryStatus::Delivered | DeliveryStatus::Failed => vec![("".into(), 0)],
});
pub(crate) const BY_ENDPOINT: Index<Delivery> = Index::ordered("endpoint_id", |delivery| {
    vec![(delivery.endpoint_id.as_str().into(), 0)]
});
pub(crate) const BY_EVENT: Index<Delivery> =
    Index::ordered("event", |delivery| vec![(delivery.event.as_str().into(), 0)]);

impl Record for Delivery {
    const INDEXES: &'static [Index<Self>] = &[WAITING, FINISHED, BY_ENDPOINT, BY_EVENT];
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.id
    }
}

const BY_DELIVERY: Index<Attempt> = Index::ordered("delivery_id", |attempt| {
    vec![(attempt.delivery_id.as_str().into(), 0)]
});

impl Record for Attempt {
    const INDEXES: &'static [Index<Self>] = &[BY_DELIVERY];
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.id
    }
}

/// The delivery with this id, or the refusal.
pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Arc<Delivery>, ApiError> {
    state
        .deliveries
        .get(id)
        .ok_or_else(|| ApiError::not_found("Webhook delivery", id))
}

/// The attempts of a delivery, oldest first.
pub(crate) fn attempts<'a>(
    state: &'a State,
    delivery_id: &str,
) -> impl Iterator<Item = &'a Arc<Attempt>> + use<'a> {
    state.attempts.group(BY_DELIVERY, delivery_id)
}

/// Makes a delivery of `event` for each endpoint that wants it.
pub(crate) fn enqueue(tx: &mut Transaction<'_>, event: &Event) -> Result<(), ApiError> {
    let wanting: Vec<_> = tx
        .webhook_endpoints
        .iter()
        .filter(|endpoint| endpoint.wants(&event.event))
        .map(|endpoint| endpoint.id.clone())
        .collect();
    for endpoint_id in wanting {
        if tx.deliveries.filed(WAITING) >= MOST_WAITING {
            drop_oldest(tx, &endpoint_id)?;
        }
        let delivery = Delivery {
            id: tx.id("delivery"),
            endpoint_id,
            event_id: event.id.clone(),
            event: event.event.clone(),
            status: DeliveryStatus::Pending,
            attempt_count: 0,
            next_attempt_at: None,
            failure: None,
            created_at: tx.now(),
        };
        tx.put(delivery)?;
    }
    Ok(())
}

fn drop_oldest(tx: &mut Transaction<'_>, endpoint_id: &str) -> Result<(), ApiError> {
    let oldest = tx.deliveries.find(WAITING, endpoint_id).cloned();
    match oldest {
        Some(oldest) => fail(
            tx,
            &oldest,
            &format!("More than {MOST_WAITING} deliveries were waiting."),
        ),
        None => Ok(()),
    }
}

/// The next delivery of an endpoint, and when it is due: no time is at once.
pub(crate) fn next(state: &State, endpoint_id: &str) -> Option<Arc<Delivery>> {
    state.deliveries.find(WAITING, endpoint_id).cloned()
}

/// Keeps an attempt, and decides how its delivery goes on. A delivery that is gone meanwhile (a reset) stays gone.
pub(crate) fn record(tx: &mut Transaction<'_>, delivery_id: &str, outcome: Outcome) -> Result<(), ApiError> {
    let Some(delivery) = tx.deliveries.get(delivery_id) else {
        return Ok(());
    };
    let mut delivery = Delivery::clone(delivery);
    delivery.attempt_count += 1;
    if outcome.is_success() {
        delivery.status = DeliveryStatus::Delivered;
        delivery.next_attempt_at = None;
        delivery.failure = None;
    } else if delivery.status == DeliveryStatus::Pending {
        match retry_after(tx, delivery.attempt_count) {
            Some(wait) => delivery.next_attempt_at = Some(clock::saturating_add(tx.now(), wait)),
            None => {
                delivery.status = DeliveryStatus::Failed;
                delivery.next_attempt_at = None;
                delivery.failure = Some(format!("{} attempts failed.", delivery.attempt_count));
            }
        }
    }
    let attempt = Attempt {
        id: tx.id("attempt"),
        delivery_id: delivery.id.clone(),
        at: tx.now(),
        outcome,
    };
    tx.put(attempt)?;
    tx.put(delivery)?;
    let kept: Vec<_> = attempts(tx, delivery_id)
        .map(|attempt| attempt.id.clone())
        .collect();
    for id in kept.iter().rev().skip(KEPT_ATTEMPTS) {
        tx.delete::<Attempt>(id);
    }
    prune(tx);
    Ok(())
}

/// The wait before the attempt that follows the `made`th one.
fn retry_after(state: &State, made: u32) -> Option<SignedDuration> {
    let at = usize::try_from(made).ok()?.checked_sub(1)?;
    let seconds = *state.settings().webhook_retries.get(at)?;
    Some(SignedDuration::from_secs(seconds.into()))
}

/// Sends a delivery again, at once, whatever became of it. If that fails, the retries that are left follow.
pub(crate) fn resend(tx: &mut Transaction<'_>, id: &str) -> Result<Arc<Delivery>, ApiError> {
    let mut delivery = Delivery::clone(find(tx, id)?);
    if !endpoints::find(tx, &delivery.endpoint_id)?.is_enabled() {
        let message = "The webhook endpoint is disabled: enable it to send to it.";
        return Err(ApiError::conflict("endpoint_disabled", message));
    }
    delivery.status = DeliveryStatus::Pending;
    delivery.next_attempt_at = None;
    delivery.failure = None;
    Ok(tx.put(delivery)?)
}

/// Lets every delivery that waits for its time be sent now. How many wait for an answer then.
pub(crate) fn flush(tx: &mut Transaction<'_>) -> Result<usize, ApiError> {
    for delivery in waiting(tx, None) {
        if delivery.next_attempt_at.is_some() {
            tx.put(Delivery {
                next_attempt_at: None,
                ..Delivery::clone(&delivery)
            })?;
        }
    }
    Ok(tx.deliveries.filed(WAITING))
}

/// Fails what waits for an endpoint.
pub(crate) fn give_up(tx: &mut Transaction<'_>, endpoint_id: &str, failure: &str) -> Result<(), ApiError> {
    for delivery in waiting(tx, Some(endpoint_id)) {
        fail(tx, &delivery, failure)?;
    }
    prune(tx);
    Ok(())
}

fn fail(tx: &mut Transaction<'_>, delivery: &Delivery, failure: &str) -> Result<(), ApiError> {
    tx.put(Delivery {
        status: DeliveryStatus::Failed,
        next_attempt_at: None,
        failure: Some(failure.to_owned()),
        ..delivery.clone()
    })?;
    Ok(())
}

/// What waits, for one endpoint or for all.
fn waiting(state: &State, endpoint_id: Option<&str>) -> Vec<Arc<Delivery>> {
    let of = |endpoint: &Arc<WebhookEndpoint>| endpoint_id.is_none_or(|id| id == endpoint.id);
    state
        .webhook_endpoints
        .iter()
        .filter(|endpoint| of(endpoint))
        .flat_map(|endpoint| state.deliveries.group(WAITING, &endpoint.id))
        .cloned()
        .collect()
}

/// Forgets the oldest finished deliveries beyond [`KEPT`], with their attempts.
fn prune(tx: &mut Transaction<'_>) {
    while tx.deliveries.filed(FINISHED) > KEPT
        && let Some(oldest) = tx.deliveries.find(FINISHED, "")
    {
        let id = oldest.id.clone();
        let of_it: Vec<_> = attempts(tx, &id).map(|attempt| attempt.id.clone()).collect();
        for attempt in of_it {
            tx.delete::<Attempt>(&attempt);
        }
        tx.delete::<Delivery>(&id);
    }
}

#[cfg(test)]
mod tests;
