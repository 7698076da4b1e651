//! Webhook endpoints: where events are sent to. How they are sent is in [`crate::webhooks`].
//!
//! Source: `/webhook_endpoints` of WorkOS's OpenAPI document, and
//! <https://workos.com/docs/events/data-syncing/webhooks>.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;

use super::events::catalogue;
use crate::{
    core::{clock, secret::Secret},
    server::{call::Call, error::ApiError, reply::Reply},
    store::{Index, Record, Select, State, Transaction},
    webhooks::outbox,
};

/// An endpoint, as kept and as shown. Its secret is part of what the API shows, each time.
///
/// Assumption: production may mask the secret after the creation; its API document does not say so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "object", rename = "webhook_endpoint")]
pub(crate) struct WebhookEndpoint {
    pub(crate) id: String,
    pub(crate) endpoint_url: String,
    pub(crate) secret: Secret,
    pub(crate) status: EndpointStatus,
    /// None of them: all that endpoints can subscribe to.
    pub(crate) events: Vec<String>,
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    pub(crate) updated_at: Timestamp,
}

/// Whether events are sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EndpointStatus {
    #[default]
    Enabled,
    Disabled,
}

/// By URL as browsers and HTTP clients understand it: `HTTP://Example.com` is `http://example.com/`.
const BY_URL: Index<WebhookEndpoint> = Index::unique("endpoint_url", |endpoint| {
    let url = Url::parse(&endpoint.endpoint_url);
    url.iter().map(|url| (url.as_str().into(), 0)).collect()
});

impl Record for WebhookEndpoint {
    const INDEXES: &'static [Index<Self>] = &[BY_URL];

    fn id(&self) -> &str {
        &self.id
    }
}

impl WebhookEndpoint {
    pub(crate) fn is_enabled(&self) -> bool {
        self.status == EndpointStatus::Enabled
    }

    /// Whether events of this name are sent to this endpoint.
    ///
    /// Assumption: no list means every event. The API's document allows an empty list and does not tell what it
    /// means; `@workos/emulate` and its seed files mean every event.
    pub(crate) fn wants(&self, event: &str) -> bool {
        let subscribed = if self.events.is_empty() {
            catalogue::is_subscribable(event)
        } else {
            self.events.iter().any(|wanted| wanted == event)
        };
        self.is_enabled() && subscribed
    }
}

/// `POST /webhook_endpoints`
#[derive(Debug, Default, Deserialize)]
pub(crate) struct CreateWebhookEndpoint {
    pub(crate) endpoint_url: String,
    pub(crate) events: Vec<String>,
    /// Only a seed disables a new endpoint, and gives its secret.
    #[serde(skip)]
    pub(crate) status: EndpointStatus,
    #[serde(skip)]
    pub(crate) secret: Option<Secret>,
}

/// `PATCH /webhook_endpoints/{id}`
#[derive(Debug, Default, Deserialize)]
pub(crate) struct UpdateWebhookEndpoint {
    pub(crate) endpoint_url: Option<String>,
    pub(crate) status: Option<EndpointStatus>,
    pub(crate) events: Option<Vec<String>>,
}

/// The endpoint with this id, or the refusal.
pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Arc<WebhookEndpoint>, ApiError> {
    state
        .webhook_endpoints
        .get(id)
        .ok_or_else(|| ApiError::not_found("Webhook Endpoint", id))
}

/// Creates an endpoint; it gets the events that happen from now on.
pub(crate) fn create(
    tx: &mut Transaction<'_>,
    new: CreateWebhookEndpoint,
) -> Result<Arc<WebhookEndpoint>, ApiError> {
    let events = checked_events(new.events)?;
    let secret = match new.secret {
        Some(secret) => secret,
        None => Secret::new(format!("whsec_{}", tx.token(25))),
    };
    let endpoint = WebhookEndpoint {
        id: tx.id("we"),
        endpoint_url: new.endpoint_url,
        secret,
        status: new.status,
        events,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    put(tx, endpoint)
}

/// Changes what is given. A disabled endpoint's waiting deliveries fail: it does not get them when it is enabled again.
pub(crate) fn update(
    tx: &mut Transaction<'_>,
    id: &str,
    changes: UpdateWebhookEndpoint,
) -> Result<Arc<WebhookEndpoint>, ApiError> {
    let before = Arc::clone(find(tx, id)?);
    let mut endpoint = WebhookEndpoint::clone(&before);
    if let Some(endpoint_url) = changes.endpoint_url {
        endpoint.endpoint_url = endpoint_url;
    }
    if let Some(events) = changes.events {
        endpoint.events = checked_events(events)?;
    }
    if let Some(status) = changes.status {
        endpoint.status = status;
    }
    if endpoint == *before {
        return Ok(before);
    }
    if !endpoint.is_enabled() {
        outbox::give_up(tx, id, "The webhook endpoint was disabled.")?;
    }
    endpoint.updated_at = tx.now();
    put(tx, endpoint)
}

/// Deletes an endpoint. Its deliveries stay in the log; those that wait fail.
pub(crate) fn delete(tx: &mut Transaction<'_>, id: &str) -> Result<(), ApiError> {
    find(tx, id)?;
    outbox::give_up(tx, id, "The webhook endpoint was deleted.")?;
    tx.delete::<WebhookEndpoint>(id);
    Ok(())
}

fn put(tx: &mut Transaction<'_>, endpoint: WebhookEndpoint) -> Result<Arc<WebhookEndpoint>, ApiError> {
    check_url(&endpoint.endpoint_url)?;
    tx.put(endpoint).map_err(|_| {
        let message = "A Webhook Endpoint with the same endpoint URL already exists.";
        ApiError::conflict("duplicate_endpoint", message)
    })
}

/// Production takes `https` only; the emulator sends to `http` too, for receivers on the developer's own machine.
fn check_url(endpoint_url: &str) -> Result<(), ApiError> {
    match Url::parse(endpoint_url) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(()),
        _ => Err(ApiError::new(
            422,
            "invalid_url",
            "endpoint_url must be an absolute http or https URL.",
        )),
    }
}

/// Without repetitions, or the refusal that names each unknown one.
fn checked_events(wanted: Vec<String>) -> Result<Vec<String>, ApiError> {
    let unknown: Vec<_> = wanted
        .iter()
        .filter(|name| !catalogue::is_subscribable(name))
        .map(|name| {
            let message = match catalogue::find(name) {
                Some(_) => format!("{name} comes through GET /events only."),
                None => format!("Invalid enum value. WorkOS has no event {name}."),
            };
            json!({"code": "unknown_event_type", "message": message})
        })
        .collect();
    if !unknown.is_empty() {
        let refused = ApiError::new(422, "invalid_request_parameters", "Validation failed.");
        return Err(refused.with("errors", unknown));
    }
    let mut events: Vec<String> = Vec::new();
    for name in wanted {
        if !events.contains(&name) {
            events.push(name);
        }
    }
    Ok(events)
}

/// `GET /webhook_endpoints`
pub(crate) fn list_webhook_endpoints(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    Reply::ok(&Select::all().page(&state.webhook_endpoints, &call.page()?)?)
}

/// `POST /webhook_endpoints`
pub(crate) fn create_webhook_endpoint(call: &Call) -> Result<Reply, ApiError> {
    let new = call.body()?;
    Reply::created(&call.environment.transact(|tx| create(tx, new))?)
}

/// `PATCH /webhook_endpoints/{id}`
pub(crate) fn update_webhook_endpoint(call: &Call) -> Result<Reply, ApiError> {
    let changes = call.body()?;
    Reply::ok(
        &call
            .environment
            .transact(|tx| update(tx, call.param("id"), changes))?,
    )
}

/// `DELETE /webhook_endpoints/{id}`
pub(crate) fn delete_webhook_endpoint(call: &Call) -> Result<Reply, ApiError> {
    call.environment.transact(|tx| delete(tx, call.param("id")))?;
    Reply::empty(204)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::environment::Environment;

    fn new(endpoint_url: &str, events: &[&str]) -> CreateWebhookEndpoint {
        CreateWebhookEndpoint {
            endpoint_url: endpoint_url.to_owned(),
            events: events.iter().map(|event| (*event).to_owned()).collect(),
            ..Default::default()
        }
    }

    #[test]
    fn shows_its_secret_to_the_api_and_to_nobody_else() {
        let environment = Environment::for_tests();
        let wanted = new("https://example.com/webhooks", &["user.created", "user.created"]);
        let endpoint = environment.transact(|tx| create(tx, wanted)).unwrap();
        let secret = endpoint.secret.expose();
        assert!(secret.starts_with("whsec_"));
        assert_eq!(secret.len(), "whsec_".len() + 25);
        assert!(!format!("{endpoint:?}").contains(secret));
        assert_eq!(
            json!(*endpoint),
            json!({
                "object": "webhook_endpoint",
                "id": endpoint.id,
                "endpoint_url": "https://example.com/webhooks",
                "secret": secret,
                "status": "enabled",
                "events": ["user.created"],
                "created_at": "2026-01-15T12:00:00.000Z",
                "updated_at": "2026-01-15T12:00:00.000Z",
            })
        );
        assert!(endpoint.id.starts_with("we_"));
    }

    #[test]
    fn takes_http_urls_once_each() {
        let environment = Environment::for_tests();
        let create = |url: &str| environment.transact(|tx| create(tx, new(url, &[])));
        let first = create("http://127.0.0.1:9/hook").unwrap();
        let second = create("https://example.com").unwrap();
        for same in ["http://127.0.0.1:9/hook", "HTTPS://EXAMPLE.com:443/"] {
            let refused = create(same).unwrap_err();
            assert_eq!(
                (refused.status, refused.code()),
                (409, Some("duplicate_endpoint")),
                "{same}"
            );
        }
        for wrong in [
            "",
            "/hook",
            "example.com",
            "ftp://example.com",
            "javascript:alert(1)",
            "http://",
        ] {
            let refused = create(wrong).unwrap_err();
            assert_eq!(
                (refused.status, refused.code()),
                (422, Some("invalid_url")),
                "{wrong}"
            );
        }
        let moved = UpdateWebhookEndpoint {
            endpoint_url: Some(first.endpoint_url.clone()),
            ..Default::default()
        };
        let refused = environment
            .transact(|tx| update(tx, &second.id, moved))
            .unwrap_err();
        assert_eq!(refused.code(), Some("duplicate_endpoint"));
        assert_eq!(
            environment.state().webhook_endpoints.get(&second.id),
            Some(&second)
        );
    }

    #[test]
    fn names_every_event_that_cannot_be_had() {
        let environment = Environment::for_tests();
        let wanted = new(
            "http://localhost",
            &["user.created", "user.creatd", "vault.data.read"],
        );
        let refused = environment.transact(|tx| create(tx, wanted)).unwrap_err();
        assert_eq!(
            (refused.status, refused.code()),
            (422, Some("invalid_request_parameters"))
        );
        assert_eq!(
            refused.body["errors"],
            json!([
                {"code": "unknown_event_type", "message": "Invalid enum value. WorkOS has no event user.creatd."},
                {"code": "unknown_event_type", "message": "vault.data.read comes through GET /events only."},
            ])
        );
    }

    #[test]
    fn wants_what_it_subscribed_to() {
        let environment = Environment::for_tests();
        let create =
            |url: &str, events: &[&str]| environment.transact(|tx| create(tx, new(url, events))).unwrap();
        let users = create("http://localhost/users", &["user.created"]);
        assert!(users.wants("user.created"));
        assert!(!users.wants("user.deleted"));
        let all = create("http://localhost/all", &[]);
        assert!(all.wants("user.deleted"));
        assert!(!all.wants("vault.data.read"));
        let disabled = UpdateWebhookEndpoint {
            status: Some(EndpointStatus::Disabled),
            ..Default::default()
        };
        let all = environment.transact(|tx| update(tx, &all.id, disabled)).unwrap();
        assert!(!all.wants("user.deleted"));
    }

    #[test]
    fn updates_what_is_given_and_keeps_the_secret() {
        let environment = Environment::for_tests();
        let endpoint = environment
            .transact(|tx| create(tx, new("http://localhost", &["user.created"])))
            .unwrap();
        environment.clock.advance(Duration::from_secs(1));
        let update = |changes| {
            environment
                .transact(|tx| update(tx, &endpoint.id, changes))
                .unwrap()
        };
        assert_eq!(
            update(UpdateWebhookEndpoint::default()),
            endpoint,
            "nothing changed"
        );
        let changed = update(UpdateWebhookEndpoint {
            events: Some(vec!["user.deleted".to_owned()]),
            ..Default::default()
        });
        assert_eq!(changed.events, ["user.deleted"]);
        assert_eq!(changed.secret, endpoint.secret);
        assert_eq!(clock::iso8601(changed.updated_at), "2026-01-15T12:00:01.000Z");
    }

    #[test]
    fn is_gone_once_deleted() {
        let environment = Environment::for_tests();
        let endpoint = environment
            .transact(|tx| create(tx, new("http://localhost", &[])))
            .unwrap();
        environment.transact(|tx| delete(tx, &endpoint.id)).unwrap();
        let refused = environment.transact(|tx| delete(tx, &endpoint.id)).unwrap_err();
        assert_eq!((refused.status, refused.code()), (404, Some("entity_not_found")));
        environment
            .transact(|tx| create(tx, new("http://localhost", &[])))
            .unwrap();
    }
}
