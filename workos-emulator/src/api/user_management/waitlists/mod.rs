//! The waitlist: people who want to sign up while sign-up is closed.
//! Source: <https://workos.com/docs/authkit/waitlist>, <https://workos.com/docs/reference/authkit/waitlist>.
//!
//! * here – what a waitlist and its entries are, and how they are shown.
//! * [`rules`] – how people join, and are approved or denied.
//! * [`operations`] – the API's operations.
//!
//! Assumption: an environment has one waitlist, always, as no operation creates any; the setting `waitlist` says whether
//! people can join it on the sign-up page, and closes sign-up.

mod operations;
mod rules;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

pub(crate) use self::{
    operations::{
        create_waitlist_entry, create_waitlist_entry_approve, create_waitlist_entry_deny,
        delete_waitlist_entry, get_waitlist, list_waitlist_entries, list_waitlists,
    },
    rules::{NewWaitlistEntry, join},
};
use crate::{
    core::clock,
    server::error::ApiError,
    store::{Index, Record, State},
};

/// The waitlist of an environment. It comes and goes with it, so that there is nothing to keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "object", rename = "waitlist")]
struct Waitlist {
    id: String,
    #[serde(with = "clock::timestamp")]
    created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    updated_at: Timestamp,
}

impl Waitlist {
    /// As old as the environment, and with an id made of the environment's.
    fn of(environment_id: &str) -> Self {
        let ulid = environment_id.rsplit('_').next().unwrap_or_default();
        let made_at = Ulid::from_string(ulid).map_or(0, |ulid| ulid.timestamp_ms());
        let created_at = i64::try_from(made_at)
            .ok()
            .and_then(|at| Timestamp::from_millisecond(at).ok())
            .unwrap_or_default();
        Self {
            id: format!("waitlist_{ulid}"),
            created_at,
            updated_at: created_at,
        }
    }
}

/// What became of somebody on the waitlist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WaitlistState {
    Pending,
    Approved,
    Denied,
}

impl WaitlistState {
    const ALL: [Self; 3] = [Self::Pending, Self::Approved, Self::Denied];

    fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
        }
    }
}

/// Somebody on the waitlist, as kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WaitlistEntry {
    id: String,
    pub(crate) email: String,
    pub(crate) state: WaitlistState,
    #[serde(with = "clock::timestamp::option")]
    approved_at: Option<Timestamp>,
    /// What else they were asked.
    additional_fields: BTreeMap<String, String>,
    #[serde(with = "clock::timestamp")]
    created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    updated_at: Timestamp,
}

/// An address stands on the waitlist once.
const BY_EMAIL: Index<WaitlistEntry> = Index::unique("email", |entry| vec![(entry.email.as_str().into(), 0)]);
const BY_STATE: Index<WaitlistEntry> =
    Index::ordered("state", |entry| vec![(entry.state.as_str().into(), 0)]);

impl Record for WaitlistEntry {
    const INDEXES: &'static [Index<Self>] = &[BY_EMAIL, BY_STATE];

    fn id(&self) -> &str {
        &self.id
    }
}

/// An entry as the API shows it (`waitlist_entry`), and as events do (`waitlist_user`).
#[derive(Debug, Serialize)]
struct EntryBody<'a> {
    object: &'a str,
    id: &'a str,
    email: &'a str,
    state: WaitlistState,
    #[serde(with = "clock::timestamp::option")]
    approved_at: Option<Timestamp>,
    additional_fields: &'a BTreeMap<String, String>,
    waitlist_id: String,
    #[serde(with = "clock::timestamp")]
    created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    updated_at: Timestamp,
}

impl WaitlistEntry {
    fn body<'a>(&'a self, object: &'a str, environment_id: &str) -> EntryBody<'a> {
        EntryBody {
            object,
            id: &self.id,
            email: &self.email,
            state: self.state,
            approved_at: self.approved_at,
            additional_fields: &self.additional_fields,
            waitlist_id: Waitlist::of(environment_id).id,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// The entry with this id, or the refusal.
fn find<'a>(state: &'a State, id: &str) -> Result<&'a Arc<WaitlistEntry>, ApiError> {
    state
        .waitlist_entries
        .get(id)
        .ok_or_else(|| ApiError::not_found("Waitlist entry", id))
}
