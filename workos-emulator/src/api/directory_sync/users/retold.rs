//! Changes that reach many users at once, by a role of their group or a setting of the environment: each user who looks
//! different afterwards has its `dsync.user.updated`.

use std::sync::Arc;

use serde_json::Value;

use super::{
    super::{DirectoryError, directories::Directory, previous},
    DirectoryUser, find,
    rules::shown,
};
use crate::{
    server::error::ApiError,
    store::{State, Transaction},
};

/// What applications see of some users before such a change.
pub(crate) struct Told(Vec<(String, Value)>);

/// Takes down what applications see of these users of a directory now.
pub(crate) fn before_change(
    state: &State,
    directory: &Directory,
    user_ids: impl IntoIterator<Item = String>,
) -> Result<Told, ApiError> {
    let mut told = Vec::new();
    for id in user_ids {
        if let Some(user) = state.directory_users.get(&id)
            && let Some(body) = shown(state, directory, user)?
        {
            told.push((id, body));
        }
    }
    Ok(Told(told))
}

/// Tells of those who look different now.
///
/// Assumption: production's event for a role that came with a group is not documented; an application that keeps the roles
/// of directory users has no other way to learn of it.
pub(crate) fn after_change(
    tx: &mut Transaction<'_>,
    directory: &Directory,
    told: Told,
) -> Result<(), DirectoryError> {
    for (id, before) in told.0 {
        let user = Arc::clone(find(tx, &id)?);
        let differs = match shown(tx, directory, &user)? {
            Some(after) => previous::updated(&before, after).is_some(),
            None => false,
        };
        if !differs {
            continue;
        }
        let user = tx.put(DirectoryUser {
            version: user.version + 1,
            updated_at: tx.now(),
            ..DirectoryUser::clone(&user)
        })?;
        if let Some(after) = shown(tx, directory, &user)?
            && let Some(updated) = previous::updated(&before, after)
        {
            tx.emit("dsync.user.updated", &updated)?;
        }
    }
    Ok(())
}
