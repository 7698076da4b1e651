//! `/_emulate/webhooks`: the log of deliveries, and sending by hand. `/_emulate/events`: events by hand.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    api::events::{Event, EventBody, catalogue},
    environment::Environment,
    server::{call::Call, error::ApiError, reply::Reply},
    store::{List, Page, Select, State},
    webhooks::outbox::{self, Attempt, BY_ENDPOINT, BY_EVENT, Delivery, DeliveryStatus},
};

/// How many deliveries are listed unless `limit` says otherwise.
const DEFAULT_LIMIT: usize = 100;

/// A delivery with what is sent and every attempt.
#[derive(Debug, Serialize)]
struct DeliveryWithAttempts<'a> {
    #[serde(flatten)]
    delivery: &'a Delivery,
    request_body: Option<EventBody<'a>>,
    attempts: Vec<&'a Attempt>,
}

impl<'a> DeliveryWithAttempts<'a> {
    fn new(state: &'a State, delivery: &'a Delivery) -> Self {
        Self {
            delivery,
            request_body: state.events.get(&delivery.event_id).map(|event| event.body()),
            attempts: outbox::attempts(state, &delivery.id).map(AsRef::as_ref).collect(),
        }
    }
}

/// Which deliveries are wanted.
#[derive(Debug, Default)]
struct Filter<'a> {
    endpoint_id: Option<&'a str>,
    event: Option<&'a str>,
    status: Option<DeliveryStatus>,
}

fn list(state: &State, filter: &Filter<'_>, page: &Page) -> Result<List<Arc<Delivery>>, ApiError> {
    let select = match (filter.endpoint_id, filter.event) {
        (Some(endpoint_id), _) => Select::group(BY_ENDPOINT, endpoint_id),
        (None, Some(event)) => Select::group(BY_EVENT, event),
        (None, None) => Select::all(),
    };
    let select = select.filter(|delivery: &Delivery| {
        filter.event.is_none_or(|event| delivery.event == event)
            && filter.status.is_none_or(|status| delivery.status == status)
    });
    Ok(select.page(&state.deliveries, page)?)
}

/// `GET /_emulate/webhooks/deliveries`: newest first.
pub(crate) fn list_deliveries(call: &Call) -> Result<Reply, ApiError> {
    let query = |name| call.query.get(name).filter(|value| !value.is_empty());
    let filter = Filter {
        endpoint_id: query("endpoint_id"),
        event: query("event"),
        status: query("status").map(status).transpose()?,
    };
    let mut page = call.page()?;
    if query("limit").is_none() {
        page.limit = DEFAULT_LIMIT;
    }
    let state = call.environment.state();
    let deliveries = list(&state, &filter, &page)?;
    let shown = deliveries.data.iter();
    let shown = shown.map(|delivery| DeliveryWithAttempts::new(&state, delivery));
    Reply::ok(&List {
        data: shown.collect(),
        before: deliveries.before,
        after: deliveries.after,
    })
}

fn status(text: &str) -> Result<DeliveryStatus, ApiError> {
    DeliveryStatus::deserialize(&json!(text)).map_err(|_| {
        ApiError::invalid_field(
            "status",
            "invalid_enum_value",
            "status must be pending, delivered or failed.",
        )
    })
}

/// `POST /_emulate/webhooks/deliveries/{id}/resend`: the delivery, on its way again.
pub(crate) fn resend_delivery(call: &Call) -> Result<Reply, ApiError> {
    Reply::ok(
        &call
            .environment
            .transact(|tx| outbox::resend(tx, call.param("id")))?,
    )
}

/// `POST /_emulate/webhooks/flush`: how many deliveries are being sent now.
pub(crate) fn flush_webhooks(call: &Call) -> Result<Reply, ApiError> {
    let pending = call.environment.transact(outbox::flush)?;
    Reply::ok(&json!({"pending": pending}))
}

/// `POST /_emulate/events`
#[derive(Debug, Deserialize)]
struct EmitEvent {
    event: String,
    data: Map<String, Value>,
    context: Option<Map<String, Value>>,
}

/// `POST /_emulate/events`: emits an event of the catalogue with the data given; nothing else changes.
pub(crate) fn emit_event(call: &Call) -> Result<Reply, ApiError> {
    let EmitEvent { event, data, context } = call.body()?;
    let event = emit(&call.environment, &event, &data, context.as_ref())?;
    Reply::created(&event.body())
}

fn emit(
    environment: &Environment,
    event: &str,
    data: &Map<String, Value>,
    context: Option<&Map<String, Value>>,
) -> Result<Arc<Event>, ApiError> {
    if catalogue::find(event).is_none() {
        let message = format!("WorkOS has no event {event}.");
        return Err(ApiError::invalid_field("event", "unknown_event_type", message));
    }
    environment.transact(|tx| match context {
        Some(context) => tx.emit_with_context(event, data, context),
        None => tx.emit(event, data),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::webhooks::{self as endpoints, CreateWebhookEndpoint},
        webhooks::outbox::Outcome,
    };

    fn endpoint(environment: &Environment, url: &str) -> String {
        let new = CreateWebhookEndpoint {
            endpoint_url: url.to_owned(),
            ..Default::default()
        };
        let endpoint = environment.transact(|tx| endpoints::create(tx, new)).unwrap();
        endpoint.id.clone()
    }

    #[test]
    fn finds_deliveries_and_shows_their_attempts() {
        let environment = Environment::for_tests();
        let (first, second) = (
            endpoint(&environment, "http://localhost/1"),
            endpoint(&environment, "http://localhost/2"),
        );
        let data = Map::from_iter([("id".to_owned(), json!("user_1"))]);
        let event = emit(&environment, "user.created", &data, None).unwrap();
        emit(&environment, "user.deleted", &data, None).unwrap();
        let sent = environment
            .state()
            .deliveries
            .find(BY_ENDPOINT, &first)
            .unwrap()
            .clone();
        let accepted = Outcome {
            response_status: Some(200),
            ..Outcome::default()
        };
        environment
            .transact(|tx| outbox::record(tx, &sent.id, accepted))
            .unwrap();

        let state = environment.state();
        let count = |filter: Filter<'_>| list(&state, &filter, &Page::default()).unwrap().data.len();
        assert_eq!(count(Filter::default()), 4);
        let of = |endpoint_id, event, status| Filter {
            endpoint_id,
            event,
            status,
        };
        assert_eq!(count(of(Some(&second), None, None)), 2);
        assert_eq!(count(of(None, Some("user.created"), None)), 2);
        assert_eq!(count(of(Some(&first), None, Some(DeliveryStatus::Pending))), 1);
        assert_eq!(
            count(of(
                Some(&second),
                Some("user.created"),
                Some(DeliveryStatus::Delivered)
            )),
            0
        );

        let delivery = find(&state, &sent.id);
        let shown = json!(DeliveryWithAttempts::new(&state, &delivery));
        assert_eq!(shown["status"], "delivered");
        assert_eq!(shown["request_body"], json!(event.body()));
        assert_eq!(shown["attempts"][0]["response_status"], 200);
    }

    fn find(state: &State, id: &str) -> Arc<Delivery> {
        Arc::clone(outbox::find(state, id).unwrap())
    }

    #[test]
    fn emits_events_of_the_catalogue_only() {
        let environment = Environment::for_tests();
        let refused = emit(&environment, "user.creatd", &Map::new(), None).unwrap_err();
        assert_eq!(refused.body["errors"][0]["code"], "unknown_event_type");
        assert_eq!(environment.state().events.len(), 0);
        let odd = Map::from_iter([("organization_id".to_owned(), json!(5))]);
        let event = emit(&environment, "user.created", &odd, Some(&odd)).unwrap();
        assert_eq!(event.organization_id, None);
        assert_eq!(json!(event.body())["context"], json!(odd));
    }

    #[test]
    fn names_an_unknown_status() {
        assert_eq!(status("failed").unwrap(), DeliveryStatus::Failed);
        assert_eq!(status("lost").unwrap_err().status, 422);
    }
}
