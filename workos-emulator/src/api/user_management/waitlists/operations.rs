//! The operations on waitlists and their entries.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{BY_EMAIL, BY_STATE, Waitlist, WaitlistEntry, WaitlistState, rules, rules::NewWaitlistEntry};
use crate::{
    api::user_management::invitations::AcceptancePage,
    server::{call::Call, error::ApiError, reply::Reply},
    store::{List, Select},
};

/// What the API calls an entry.
const ENTRY: &str = "waitlist_entry";

fn waitlist(call: &Call) -> Waitlist {
    Waitlist::of(&call.environment.id)
}

/// The waitlist that the path names, or the refusal.
fn named(call: &Call) -> Result<Waitlist, ApiError> {
    let (id, waitlist) = (call.param("id"), waitlist(call));
    if waitlist.id == id {
        return Ok(waitlist);
    }
    Err(ApiError::not_found("Waitlist", id))
}

fn shown(call: &Call, entry: &WaitlistEntry, status: u16) -> Result<Reply, ApiError> {
    Reply::json(status, &entry.body(ENTRY, &call.environment.id))
}

/// `GET /user_management/waitlists`: all of them, without pages.
pub(crate) fn list_waitlists(call: &Call) -> Result<Reply, ApiError> {
    Reply::ok(&List {
        data: vec![waitlist(call)],
        before: None,
        after: None,
    })
}

/// `GET /user_management/waitlists/{id}`
pub(crate) fn get_waitlist(call: &Call) -> Result<Reply, ApiError> {
    Reply::ok(&named(call)?)
}

/// `GET /user_management/waitlists/{id}/entries`
pub(crate) fn list_waitlist_entries(call: &Call) -> Result<Reply, ApiError> {
    named(call)?;
    let given = |name| call.query.get(name).filter(|value: &&str| !value.is_empty());
    let state = given("state")
        .map(|name| {
            WaitlistState::ALL
                .into_iter()
                .find(|state| state.as_str() == name)
                .ok_or_else(|| {
                    let message = "state is pending, approved or denied.";
                    ApiError::invalid_field("state", "invalid_enum_value", message)
                })
        })
        .transpose()?;
    let email = given("email").map(|email| email.trim().to_lowercase());
    let select = match (&email, state) {
        (None, None) => Select::all(),
        (None, Some(state)) => Select::group(BY_STATE, state.as_str()),
        (Some(email), state) => Select::group(BY_EMAIL, email)
            .filter(move |entry: &WaitlistEntry| state.is_none_or(|state| entry.state == state)),
    };
    let rows = call.environment.state();
    let List { data, before, after } = select.page(&rows.waitlist_entries, &call.page()?)?;
    Reply::ok(&List {
        data: data
            .iter()
            .map(|entry| entry.body(ENTRY, &call.environment.id))
            .collect(),
        before,
        after,
    })
}

/// `POST /user_management/waitlists/{id}/entries`
///
/// Assumption: entries can be added while the setting `waitlist` is off, as before a launch.
pub(crate) fn create_waitlist_entry(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    struct CreateWaitlistEntry {
        email: String,
        additional_fields: Option<BTreeMap<String, String>>,
        send_confirmation_email: Option<bool>,
    }
    named(call)?;
    let body: CreateWaitlistEntry = call.body()?;
    let new = NewWaitlistEntry {
        email: body.email,
        additional_fields: body.additional_fields.unwrap_or_default(),
        send_confirmation_email: body.send_confirmation_email.unwrap_or_default(),
    };
    let entry = call.environment.transact(|tx| rules::join(tx, new))?;
    shown(call, &entry, 201)
}

/// `POST /user_management/waitlist_entries/{id}/approve`
pub(crate) fn create_waitlist_entry_approve(call: &Call) -> Result<Reply, ApiError> {
    let page = AcceptancePage::of(call);
    let entry = call
        .environment
        .transact(|tx| rules::approve(tx, &page, call.param("id")))?;
    shown(call, &entry, 200)
}

/// `POST /user_management/waitlist_entries/{id}/deny`
pub(crate) fn create_waitlist_entry_deny(call: &Call) -> Result<Reply, ApiError> {
    let entry = call
        .environment
        .transact(|tx| rules::deny(tx, call.param("id")))?;
    shown(call, &entry, 200)
}

/// `DELETE /user_management/waitlist_entries/{id}`
pub(crate) fn delete_waitlist_entry(call: &Call) -> Result<Reply, ApiError> {
    call.environment
        .transact(|tx| rules::delete(tx, call.param("id")))?;
    Reply::empty(204)
}
