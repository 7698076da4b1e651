//! `/_emulate/snapshots` and `/_emulate/reset`: an environment as it was.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    core::clock,
    environment::Snapshot,
    server::{call::Call, error::ApiError, reply::Reply},
};

/// A snapshot that is kept under an id.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct KeptSnapshot {
    id: String,
    name: Option<String>,
    #[serde(with = "clock::timestamp")]
    created_at: Timestamp,
    #[serde(skip)]
    snapshot: Snapshot,
}

/// The snapshots of an environment. They stand beside its state: a reset leaves them.
#[derive(Debug, Default)]
pub(crate) struct Snapshots(Mutex<Vec<KeptSnapshot>>);

impl Snapshots {
    fn with<T>(&self, run: impl FnOnce(&mut Vec<KeptSnapshot>) -> T) -> T {
        run(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn unknown(id: &str) -> ApiError {
    ApiError::not_found("Snapshot", id)
}

/// `POST /_emulate/reset`
pub(super) fn reset(call: &Call) -> Result<Reply, ApiError> {
    call.environment.reset();
    Reply::empty(204)
}

/// `GET /_emulate/snapshots`: oldest first.
pub(super) fn list_snapshots(call: &Call) -> Result<Reply, ApiError> {
    let kept = call.environment.snapshots.with(|kept| kept.clone());
    Reply::ok(&json!({"data": kept}))
}

/// `POST /_emulate/snapshots`
pub(super) fn create_snapshot(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    struct CreateSnapshot {
        name: Option<String>,
    }
    let CreateSnapshot { name } = call.body()?;
    let environment = &call.environment;
    let id = environment.transact(|tx| Ok::<_, ApiError>(tx.id("snapshot")))?;
    let kept = KeptSnapshot {
        id,
        name,
        created_at: environment.clock.now(),
        snapshot: environment.snapshot(),
    };
    environment.snapshots.with(|all| all.push(kept.clone()));
    Reply::created(&kept)
}

/// `POST /_emulate/snapshots/{id}/restore`
pub(super) fn restore_snapshot(call: &Call) -> Result<Reply, ApiError> {
    let id = call.param("id");
    let kept = call
        .environment
        .snapshots
        .with(|all| all.iter().find(|kept| kept.id == id).cloned())
        .ok_or_else(|| unknown(id))?;
    call.environment.restore(&kept.snapshot);
    Reply::empty(204)
}

/// `DELETE /_emulate/snapshots/{id}`
pub(super) fn delete_snapshot(call: &Call) -> Result<Reply, ApiError> {
    let id = call.param("id");
    let deleted = call.environment.snapshots.with(|all| {
        let before = all.len();
        all.retain(|kept| kept.id != id);
        all.len() < before
    });
    if deleted {
        Reply::empty(204)
    } else {
        Err(unknown(id))
    }
}
