//! The operations on directories.

use jiff::SignedDuration;
use serde_json::json;

use super::{BY_DOMAIN, BY_ORGANIZATION, Directory, DirectoryState, DirectoryType, find, rules};
use crate::{
    api::organizations,
    server::{call::Call, error::ApiError, reply::Reply},
    store::{List, Select},
};

/// `GET /directories`. `search` is a part of the name, in any case; what does not match is passed over.
pub(crate) fn list_directories(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let given = |name| call.query.get(name).filter(|value| !value.is_empty());
    let (organization_id, domain) = (given("organization_id"), given("domain").map(str::to_lowercase));
    let mut select = match (organization_id, &domain) {
        (Some(id), _) => {
            // The description of the API has this message as its example for the operation.
            organizations::find(&state, id)
                .map_err(|_| ApiError::message(422, format!("Organization not found: '{id}'.")))?;
            Select::group(BY_ORGANIZATION, id)
        }
        (None, Some(domain)) => Select::group(BY_DOMAIN, domain),
        (None, None) => Select::all(),
    };
    let search = given("search").map(str::to_lowercase);
    if search.is_some() || organization_id.is_some() {
        select = select.filter(move |directory: &Directory| {
            let has = |text: &Option<String>| text.as_deref().map(str::to_lowercase);
            search
                .as_ref()
                .is_none_or(|search| directory.name.to_lowercase().contains(search))
                && (domain.is_none() || has(&directory.domain) == domain)
        });
    }
    let page = select.page(&state.directories, &call.page()?)?;
    Reply::ok(&List {
        data: page.data.iter().map(|directory| directory.body(&state)).collect(),
        before: page.before,
        after: page.after,
    })
}

/// `GET /directories/{id}`
pub(crate) fn get_directory(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    Reply::ok(&find(&state, call.param("id"))?.body(&state))
}

/// `DELETE /directories/{id}`. Production answers 202 and goes on in the background; here it is done at once.
///
/// Assumption: the description of the API has no 404 for it, which is what an unknown directory gets all the same.
pub(crate) fn delete_directory(call: &Call) -> Result<Reply, ApiError> {
    call.environment
        .transact(|tx| rules::delete(tx, call.param("id")))?;
    Reply::empty(202)
}

/// How long a directory waits between two requests to synchronize it.
const SYNC_COOLDOWN: SignedDuration = SignedDuration::from_mins(5);

/// `POST /directories/{id}/sync`, of which the official SDKs alone tell: Google Workspace directories that are linked or
/// validating, once in five minutes.
///
/// The emulator asks no Google: what the directory holds is what it was given. Assumption: the codes of the refusals.
pub(crate) fn create_directory_sync(call: &Call) -> Result<Reply, ApiError> {
    call.environment.transact(|tx| {
        let directory = find(tx, call.param("id"))?;
        let now = tx.now();
        if directory.r#type != DirectoryType::Gsuite {
            let message = "Only Google Workspace directories can be synchronized on request; others push their changes.";
            return Err(ApiError::bad_request("directory_sync_not_supported", message));
        }
        if !matches!(directory.state, DirectoryState::Linked | DirectoryState::Validating) {
            let message = "Only directories that are linked or validating can be synchronized.";
            return Err(ApiError::bad_request("directory_not_linked", message));
        }
        let again_at = directory.sync_requested_at.map(|at| at + SYNC_COOLDOWN);
        if let Some(again_at) = again_at.filter(|at| *at > now) {
            let wait = again_at.duration_since(now);
            let seconds = wait.as_secs() + i64::from(wait.subsec_nanos() > 0);
            let message = "This directory was asked to synchronize less than five minutes ago.";
            return Err(ApiError::new(429, "directory_sync_rate_limited", message)
                .with("retry_after_seconds", seconds)
                .header("Retry-After", seconds.to_string()));
        }
        let directory = Directory {
            sync_requested_at: Some(now),
            ..Directory::clone(directory)
        };
        tx.put(directory)?;
        Ok(())
    })?;
    Reply::json(202, &json!({"status": "queued"}))
}
