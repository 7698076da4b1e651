//! Events: what happened, in the same commit as the change itself.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::{
    core::clock,
    server::error::ApiError,
    store::{Index, Record, Transaction},
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
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
}

/// All events by time.
pub(crate) const BY_TIME: Index<Event> = Index::ordered("time", |event| {
    vec![("".into(), event.created_at.as_millisecond())]
});
/// Events of one name by time.
pub(crate) const BY_NAME: Index<Event> = Index::ordered("name", |event| {
    vec![(event.event.as_str().into(), event.created_at.as_millisecond())]
});

impl Record for Event {
    const INDEXES: &'static [Index<Self>] = &[BY_TIME, BY_NAME];

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
}

impl Event {
    pub(crate) fn body(&self) -> EventBody<'_> {
        EventBody {
            id: &self.id,
            event: &self.event,
            data: &self.data,
            created_at: self.created_at,
        }
    }
}

impl Transaction<'_> {
    /// Records an event of this transaction, for `GET /events` and for the webhook endpoints that want it.
    pub(crate) fn emit(&mut self, name: &str, data: &impl Serialize) -> Result<Arc<Event>, ApiError> {
        #[derive(Deserialize)]
        struct Named {
            object: Option<String>,
            id: Option<String>,
            organization_id: Option<String>,
        }
        let failed = |error: serde_json::Error| ApiError::message(500, error.to_string());
        let data = to_raw_value(data).map_err(failed)?;
        let named: Named = serde_json::from_str(data.get()).map_err(failed)?;
        let organization_id = match named.object.as_deref() {
            Some("organization") => named.id,
            _ => named.organization_id,
        };
        let event = Event {
            id: self.id("event"),
            event: name.to_owned(),
            organization_id,
            data,
            created_at: self.now(),
        };
        Ok(self.put(event)?)
    }
}
