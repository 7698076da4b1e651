//! How directories come and go, each with its event.

use std::sync::Arc;

use super::{
    super::{groups, tokens, users},
    BY_EXTERNAL_KEY, BY_ORGANIZATION, Directory, DirectoryCounts, DirectoryRemains, DirectoryState,
    DirectoryType, GroupRole, find,
};
use crate::{
    api::{authorization::roles, organizations},
    server::{body::Patch, error::ApiError},
    store::{State, Transaction},
};

/// A directory to be made.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewDirectory {
    /// Only a seed gives an id.
    pub(crate) id: Option<String>,
    pub(crate) organization_id: String,
    pub(crate) name: String,
    pub(crate) domain: Option<String>,
    pub(crate) r#type: DirectoryType,
    pub(crate) state: DirectoryState,
    /// A random one, unless a seed or a test wants to know it beforehand.
    pub(crate) external_key: Option<String>,
    pub(crate) group_roles: Vec<GroupRole>,
}

/// What is to become of a directory.
#[derive(Debug, Default)]
pub(crate) struct DirectoryChanges {
    pub(crate) name: Option<String>,
    pub(crate) domain: Patch<String>,
    pub(crate) r#type: Option<DirectoryType>,
    pub(crate) state: Option<DirectoryState>,
    pub(crate) group_roles: Option<Vec<GroupRole>>,
}

/// Links an organization to a provider. A linked directory has its `dsync.activated`.
pub(crate) fn create(tx: &mut Transaction<'_>, new: NewDirectory) -> Result<Arc<Directory>, ApiError> {
    organizations::find(tx, &new.organization_id)?;
    let external_key = new.external_key.unwrap_or_else(|| tx.token(12));
    if tx.directories.find(BY_EXTERNAL_KEY, &external_key).is_some() {
        let message = format!("Another directory has the external_key '{external_key}'.");
        return Err(ApiError::conflict("external_key_already_used", message));
    }
    let directory = Directory {
        id: new.id.unwrap_or_else(|| tx.id("directory")),
        organization_id: new.organization_id,
        name: new.name,
        domain: new.domain,
        r#type: new.r#type,
        state: new.state,
        external_key,
        sync_requested_at: None,
        group_roles: new.group_roles,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    check(tx, &directory)?;
    // A seed may bring a directory back whose remains are still there.
    while tx.directory_remains.get(&directory.id).is_some() {
        go_on_deleting(tx);
    }
    let directory = tx.put(directory)?;
    tx.put(DirectoryCounts {
        id: directory.id.clone(),
        ..DirectoryCounts::default()
    })?;
    if directory.state == DirectoryState::Linked {
        emit_activated(tx, &directory)?;
    }
    Ok(directory)
}

/// Changes a directory. It is activated when it becomes linked; its other changes have no events, as in production.
pub(crate) fn update(
    tx: &mut Transaction<'_>,
    id: &str,
    changes: DirectoryChanges,
) -> Result<Arc<Directory>, ApiError> {
    let before = Arc::clone(find(tx, id)?);
    let mut directory = Directory::clone(&before);
    directory.name = changes.name.unwrap_or(directory.name);
    changes.domain.apply_to(&mut directory.domain);
    directory.r#type = changes.r#type.unwrap_or(directory.r#type);
    directory.state = changes.state.unwrap_or(directory.state);
    directory.group_roles = changes.group_roles.unwrap_or(directory.group_roles);
    if directory == *before {
        return Ok(before);
    }
    check(tx, &directory)?;
    directory.updated_at = tx.now();
    let directory = tx.put(directory)?;
    if directory.state == DirectoryState::Linked && before.state != DirectoryState::Linked {
        emit_activated(tx, &directory)?;
    }
    if directory.group_roles != before.group_roles {
        groups::map_roles(tx, &before, &directory)?;
    }
    Ok(directory)
}

/// Deletes a directory with all that it holds. The sole event is `dsync.deleted`, which has the state of before.
///
/// Organization memberships that it manages stay: "memberships aren't deactivated when a directory is deleted"
/// (<https://workos.com/docs/authkit/directory-provisioning>).
///
/// As in production it goes on in the background where the directory is large: nothing of a directory that is gone is
/// found, and the [timers](crate::timers) drop it in steps that hold up nobody for long.
pub(crate) fn delete(tx: &mut Transaction<'_>, id: &str) -> Result<(), ApiError> {
    let directory = Arc::clone(find(tx, id)?);
    tokens::forget(tx, id);
    tx.delete::<DirectoryCounts>(id);
    tx.delete::<Directory>(id);
    tx.emit("dsync.deleted", &directory.event_data())?;
    if !forget(tx, id) {
        tx.put(DirectoryRemains { id: id.to_owned() })?;
    }
    Ok(())
}

/// How many rows of a deleted directory are dropped in one transaction.
const STEP: usize = if cfg!(test) { 3 } else { 5_000 };

/// Drops a step of what a deleted directory held. Whether it was the last one.
fn forget(tx: &mut Transaction<'_>, id: &str) -> bool {
    let dropped = groups::forget(tx, id, STEP);
    dropped + users::forget(tx, id, STEP - dropped) < STEP
}

/// Goes on with the deletion of a directory, where there is one to go on with.
pub(crate) fn go_on_deleting(tx: &mut Transaction<'_>) {
    let id = tx
        .directory_remains
        .iter()
        .next()
        .map(|remains| remains.id.clone());
    if let Some(id) = id
        && forget(tx, &id)
    {
        tx.delete::<DirectoryRemains>(&id);
    }
}

/// Deletes every directory of an organization that is being deleted, as when each is deleted by hand.
pub(crate) fn delete_of_organization(
    tx: &mut Transaction<'_>,
    organization_id: &str,
) -> Result<(), ApiError> {
    let directories = tx.directories.group(BY_ORGANIZATION, organization_id);
    let ids: Vec<_> = directories.map(|directory| directory.id.clone()).collect();
    ids.iter().try_for_each(|id| delete(tx, id))
}

fn emit_activated(tx: &mut Transaction<'_>, directory: &Directory) -> Result<(), ApiError> {
    let data = serde_json::to_value(directory.activated_data(tx))
        .map_err(|error| ApiError::message(500, error.to_string()))?;
    tx.emit("dsync.activated", &data).map(drop)
}

/// Checks the texts of a directory, and that its roles are there.
fn check(state: &State, directory: &Directory) -> Result<(), ApiError> {
    if directory.name.trim().is_empty() {
        return Err(ApiError::invalid_field(
            "name",
            "required",
            "name must not be empty.",
        ));
    }
    let key = &directory.external_key;
    if !(9..=16).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let message = "external_key has 9 to 16 letters and digits.";
        return Err(ApiError::invalid_field(
            "external_key",
            "invalid_external_key",
            message,
        ));
    }
    for GroupRole { role, .. } in &directory.group_roles {
        if roles::find(state, &directory.organization_id, role).is_none() {
            let message = format!("Role '{role}' is not a valid role.");
            return Err(ApiError::new(422, "invalid_role", message));
        }
    }
    Ok(())
}
