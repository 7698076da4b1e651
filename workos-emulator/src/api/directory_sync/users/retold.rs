//! Changes that reach many users at once, by a role of their group or a setting of the environment: each user who looks
//! different afterwards has its `dsync.user.updated`.

use std::sync::Arc;

use serde_json::Value;

use super::{
    super::{
        DirectoryError, custom_attributes,
        directories::{self, Directory},
        previous, provisioning,
        settings::DirectorySync,
    },
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
        let user = tell(tx, directory, &user, &before)?;
        provisioning::follow(tx, directory, Some(&user), Some(&user))?;
    }
    Ok(())
}

/// Tells of every user whose `custom_attributes` have other values under the present settings than under `before`.
///
/// It looks at each user of the environment, in the transaction of the setting: production takes up to an hour for it.
pub(crate) fn after_settings_change(
    tx: &mut Transaction<'_>,
    before: &DirectorySync,
) -> Result<(), DirectoryError> {
    let of = |settings: &DirectorySync| {
        let predefined = settings.predefined_attributes.clone();
        (predefined, settings.custom_attributes.clone())
    };
    let now = tx.settings().directory_sync.clone();
    if of(before) == of(&now) {
        return Ok(());
    }
    let everybody = tx.directory_users.clone();
    for user in everybody.iter().filter(|user| user.is_listed()) {
        let mut was = custom_attributes::of(before, &user.attributes);
        let is = custom_attributes::of(&now, &user.attributes);
        if was == is {
            continue;
        }
        // Those of a deleted directory may not be dropped yet.
        let Ok(directory) = directories::find(tx, &user.directory_id).cloned() else {
            continue;
        };
        let Some(mut body) = shown(tx, &directory, user)? else {
            continue;
        };
        was.extend(user.given_attributes.clone());
        body["custom_attributes"] = was.into();
        let present = shown(tx, &directory, user)?;
        if present.is_some_and(|present| previous::updated(&body, present).is_some()) {
            let user = tell(tx, &directory, user, &body)?;
            provisioning::follow(tx, &directory, Some(&user), Some(&user))?;
        }
    }
    Ok(())
}

/// Keeps a user as changed now, and tells of it; `before` is what applications saw.
fn tell(
    tx: &mut Transaction<'_>,
    directory: &Directory,
    user: &DirectoryUser,
    before: &Value,
) -> Result<Arc<DirectoryUser>, ApiError> {
    let user = tx.put(DirectoryUser {
        version: user.version + 1,
        updated_at: tx.now(),
        ..user.clone()
    })?;
    if let Some(after) = shown(tx, directory, &user)?
        && let Some(updated) = previous::updated(before, after)
    {
        tx.emit("dsync.user.updated", &updated)?;
    }
    Ok(user)
}
