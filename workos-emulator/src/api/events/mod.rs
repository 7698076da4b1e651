//! Events: what happened, in the same commit as the change itself. Source: <https://workos.com/docs/reference/events>.

pub(crate) mod catalogue;
mod list;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{
    Value,
    value::{RawValue, to_raw_value},
};

pub(crate) use self::list::list_events;
use crate::{
    core::clock,
    server::error::ApiError,
    store::{Index, Record, Transaction, group},
    webhooks,
};

/// An event as it is kept. Its data carries no secrets, as in production.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) id: String,
    /// The event's name: `user.created`.
    pub(crate) event: String,
    /// The organization that the data names.
    pub(crate) organization_id: Option<String>,
    pub(crate) data: Box<RawValue>,
    /// Who did it, and what was before, where the API says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) context: Option<Box<RawValue>>,
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
}

/// Events by time: under their organization and their name, and again with either of the two left open.
pub(crate) const BY_TIME: Index<Event> = Index::ordered("time", |event| {
    let organizations = [Some(""), event.organization_id.as_deref()];
    let groups = organizations
        .into_iter()
        .flatten()
        .flat_map(|organization| ["", event.event.as_str()].map(|name| group(&[organization, name])));
    let at = event.created_at.as_millisecond();
    groups.map(|group| (group, at)).collect()
});

impl Record for Event {
    const INDEXES: &'static [Index<Self>] = &[BY_TIME];

    fn id(&self) -> &str {
        &self.id
    }
}

/// The envelope of `GET /events` and of webhooks.
#[derive(Debug, Serialize)]
#[serde(tag = "object", rename = "event")]
pub(crate) struct EventBody<'a> {
    id: &'a str,
    event: &'a str,
    data: &'a RawValue,
    #[serde(serialize_with = "clock::timestamp::serialize")]
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<&'a RawValue>,
}

impl Event {
    pub(crate) fn body(&self) -> EventBody<'_> {
        EventBody {
            id: &self.id,
            event: &self.event,
            data: &self.data,
            created_at: self.created_at,
            context: self.context.as_deref(),
        }
    }
}

impl Transaction<'_> {
    /// Records an event of this transaction, for `GET /events` and for the webhook endpoints that want it.
    pub(crate) fn emit(&mut self, name: &str, data: &impl Serialize) -> Result<Arc<Event>, ApiError> {
        self.record(name, data, None, None)
    }

    /// The same for an event whose data does not name its organization.
    pub(crate) fn emit_in_organization(
        &mut self,
        organization_id: &str,
        name: &str,
        data: &impl Serialize,
    ) -> Result<Arc<Event>, ApiError> {
        self.record(name, data, Some(organization_id), None)
    }

    /// The same for an event that the API shows with a context.
    pub(crate) fn emit_with_context(
        &mut self,
        name: &str,
        data: &impl Serialize,
        context: &impl Serialize,
    ) -> Result<Arc<Event>, ApiError> {
        let context = to_raw_value(context).map_err(failed)?;
        self.record(name, data, None, Some(context))
    }

    fn record(
        &mut self,
        name: &str,
        data: &impl Serialize,
        organization_id: Option<&str>,
        context: Option<Box<RawValue>>,
    ) -> Result<Arc<Event>, ApiError> {
        let data = to_raw_value(data).map_err(failed)?;
        let organization_id = match organization_id {
            Some(id) => Some(id.to_owned()),
            None => organization_of(&serde_json::from_str(data.get()).map_err(failed)?),
        };
        let event = Event {
            id: self.id("event"),
            event: name.to_owned(),
            organization_id,
            data,
            context,
            created_at: self.now(),
        };
        let event = self.put(event)?;
        webhooks::outbox::enqueue(self, &event)?;
        Ok(event)
    }
}

/// Event data is plain data with string keys: this does not happen, and is no panic if it does.
#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn failed(error: serde_json::Error) -> ApiError {
    ApiError::message(500, error.to_string())
}

/// The organization that an event's data is about, or that one of its parts is about: `sso` of `authentication.sso_*`,
/// `user` and `group` of `dsync.group.*`, the owner of an API key.
fn organization_of(data: &Value) -> Option<String> {
    let direct = |object: &Value| {
        let is_organization = ["object", "type"]
            .iter()
            .any(|name| object[*name] == "organization");
        let member = if is_organization { "id" } else { "organization_id" };
        object[member].as_str().map(str::to_owned)
    };
    direct(data).or_else(|| data.as_object()?.values().find_map(direct))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::environment::Environment;

    #[test]
    fn knows_whose_event_it_is() {
        for data in [
            json!({"object": "organization", "id": "org_1"}),
            json!({"object": "session", "id": "session_1", "organization_id": "org_1"}),
            json!({"type": "sso", "sso": {"organization_id": "org_1", "connection_id": null}}),
            json!({"object": "api_key", "owner": {"type": "organization", "id": "org_1"}}),
        ] {
            assert_eq!(organization_of(&data).as_deref(), Some("org_1"), "{data}");
        }
        for data in [
            json!({"object": "user", "id": "user_1"}),
            json!({"organization_id": 5}),
            json!([]),
        ] {
            assert_eq!(organization_of(&data), None, "{data}");
        }
    }

    #[test]
    fn is_shown_in_the_order_in_which_it_was_written() {
        #[derive(Serialize)]
        struct Data {
            object: &'static str,
            id: &'static str,
        }
        let environment = Environment::for_tests();
        let data = Data {
            object: "user",
            id: "user_1",
        };
        let event = environment.transact(|tx| tx.emit("user.created", &data)).unwrap();
        assert_eq!(
            serde_json::to_string(&event.body()).unwrap(),
            format!(
                r#"{{"object":"event","id":"{}","event":"user.created","data":{{"object":"user","id":"user_1"}},"created_at":"2026-01-15T12:00:00.000Z"}}"#,
                event.id
            )
        );
    }
}
