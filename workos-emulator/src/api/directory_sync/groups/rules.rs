//! How directory groups and their members come, change and go, each with its event.

use std::{collections::HashSet, sync::Arc};

use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    super::{
        DirectoryError,
        directories::{self, Directory, DirectoryCounts, GroupRole},
        members::{self, DirectoryGroupMember},
        previous,
        settings::ScimProfile,
        users::{self, DirectoryUserBody},
    },
    BY_DIRECTORY, BY_IDP_ID, BY_NAME, DirectoryGroup, DirectoryGroupBody, find,
};
use crate::{
    api::authorization::roles,
    server::error::ApiError,
    store::{State, Transaction, group},
};

/// A directory group to be made.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewDirectoryGroup {
    /// Only a seed, or an import, gives an id.
    pub(crate) id: Option<String>,
    /// `externalId`; without one, the name.
    pub(crate) idp_id: Option<String>,
    pub(crate) name: String,
    /// The SCIM resource, without `id`, `meta`, `schemas` and `members`.
    pub(crate) attributes: Map<String, Value>,
    /// Ids of directory users. Those that are not in the directory are left out.
    pub(crate) members: Vec<String>,
    /// The slug of the role that its members have.
    pub(crate) role: Option<String>,
}

/// Adds a group to a directory, then its members.
pub(crate) fn create(
    tx: &mut Transaction<'_>,
    directory: &Directory,
    new: NewDirectoryGroup,
) -> Result<Arc<DirectoryGroup>, DirectoryError> {
    // As it is in this transaction: it may have changed since the caller saw it, or be gone.
    let directory = &Arc::clone(directories::find(tx, &directory.id)?);
    check_name(&new.name)?;
    let idp_id = new.idp_id.filter(|id| !id.trim().is_empty());
    let idp_id = idp_id.unwrap_or_else(|| new.name.clone());
    let key = group(&[&directory.id, &idp_id]);
    if is_strict(tx) && tx.directory_groups.find(BY_IDP_ID, &key).is_some() {
        return Err(DirectoryError::GroupIdTaken(idp_id));
    }
    check_role(tx, directory, new.role.as_deref())?;
    let mapped = || role_of(directory, &new.name);
    let group = DirectoryGroup {
        role: new.role.clone().or_else(mapped),
        id: new.id.unwrap_or_else(|| tx.id("directory_group")),
        directory_id: directory.id.clone(),
        organization_id: directory.organization_id.clone(),
        idp_id,
        name: new.name,
        attributes: new.attributes,
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    let group = tx.put(group)?;
    count(tx, &directory.id, |groups| groups + 1)?;
    tx.emit("dsync.group.created", &group.body())?;
    for user_id in new.members {
        add_member(tx, &group.id, &user_id)?;
    }
    Ok(Arc::clone(find(tx, &group.id)?))
}

/// Gives a group another name and other attributes; its `idp_id` stays. What an application sees no difference in has no
/// event.
pub(crate) fn update(
    tx: &mut Transaction<'_>,
    id: &str,
    name: String,
    attributes: Map<String, Value>,
) -> Result<Arc<DirectoryGroup>, DirectoryError> {
    check_name(&name)?;
    let before = Arc::clone(find(tx, id)?);
    if before.name == name && before.attributes == attributes {
        return Ok(before);
    }
    let group = tx.put(DirectoryGroup {
        name,
        attributes,
        version: before.version + 1,
        updated_at: tx.now(),
        ..DirectoryGroup::clone(&before)
    })?;
    if let Some(updated) = previous::updated(&value(&before.body())?, value(&group.body())?) {
        tx.emit("dsync.group.updated", &updated)?;
    }
    Ok(group)
}

/// Maps a group to a role, or to none: its members have the role from now on.
pub(crate) fn set_role(
    tx: &mut Transaction<'_>,
    id: &str,
    role: Option<String>,
) -> Result<Arc<DirectoryGroup>, DirectoryError> {
    let before = Arc::clone(find(tx, id)?);
    if before.role == role {
        return Ok(before);
    }
    let directory = Arc::clone(directories::find(tx, &before.directory_id)?);
    check_role(tx, &directory, role.as_deref())?;
    let members: Vec<_> = members::of_group(tx, id).map(str::to_owned).collect();
    let told = users::before_change(tx, &directory, members)?;
    let group = tx.put(DirectoryGroup {
        role,
        ..DirectoryGroup::clone(&before)
    })?;
    users::after_change(tx, &directory, told)?;
    Ok(group)
}

/// Gives the groups of a directory the roles that it now names, and takes those that it named no longer.
pub(crate) fn map_roles(
    tx: &mut Transaction<'_>,
    before: &Directory,
    after: &Directory,
) -> Result<(), ApiError> {
    let names = before.group_roles.iter().chain(&after.group_roles);
    let names: HashSet<_> = names.map(|GroupRole { name, .. }| name.to_lowercase()).collect();
    let mut names: Vec<_> = names.into_iter().collect();
    names.sort();
    for name in names {
        let groups = tx.directory_groups.group(BY_NAME, &group(&[&after.id, &name]));
        let ids: Vec<_> = groups.map(|group| group.id.clone()).collect();
        for id in ids {
            set_role(tx, &id, role_of(after, &name))?;
        }
    }
    Ok(())
}

/// Adds a user to a group; one that is in it already changes nothing, and neither does one that is not in the directory.
pub(crate) fn add_member(
    tx: &mut Transaction<'_>,
    group_id: &str,
    user_id: &str,
) -> Result<(), DirectoryError> {
    let group = Arc::clone(find(tx, group_id)?);
    let user = tx.directory_users.get(user_id).cloned();
    let Some(user) = user.filter(|user| user.directory_id == group.directory_id) else {
        return Ok(());
    };
    if members::is_member(tx, group_id, user_id) {
        return Ok(());
    }
    let directory = Arc::clone(directories::find(tx, &group.directory_id)?);
    let told = users::before_change(tx, &directory, group.role.as_ref().map(|_| user.id.clone()))?;
    tx.put(DirectoryGroupMember {
        id: members::member_id(group_id, user_id),
        group_id: group_id.to_owned(),
        user_id: user_id.to_owned(),
        group_place: tx.directory_groups.place(group_id).unwrap_or_default(),
        user_place: tx.directory_users.place(user_id).unwrap_or_default(),
        listed: user.is_listed(),
    })?;
    touch(tx, group_id)?;
    if user.is_listed() {
        emit_member(tx, "dsync.group.user_added", group_id, user_id)?;
    }
    users::after_change(tx, &directory, told)
}

/// Takes a user out of a group; one that is not in it changes nothing.
pub(crate) fn remove_member(
    tx: &mut Transaction<'_>,
    group_id: &str,
    user_id: &str,
) -> Result<(), DirectoryError> {
    let group = Arc::clone(find(tx, group_id)?);
    if !members::is_member(tx, group_id, user_id) {
        return Ok(());
    }
    let directory = Arc::clone(directories::find(tx, &group.directory_id)?);
    let told = users::before_change(tx, &directory, group.role.as_ref().map(|_| user_id.to_owned()))?;
    tx.delete::<DirectoryGroupMember>(&members::member_id(group_id, user_id));
    touch(tx, group_id)?;
    if users::find(tx, user_id)?.is_listed() {
        emit_member(tx, "dsync.group.user_removed", group_id, user_id)?;
    }
    users::after_change(tx, &directory, told)
}

/// Makes these users the members of a group, and no others: removals come first.
pub(crate) fn set_members(
    tx: &mut Transaction<'_>,
    group_id: &str,
    user_ids: &[String],
) -> Result<(), DirectoryError> {
    find(tx, group_id)?;
    let wanted: HashSet<&str> = user_ids.iter().map(String::as_str).collect();
    let surplus: Vec<_> = members::of_group(tx, group_id)
        .filter(|id| !wanted.contains(id))
        .map(str::to_owned)
        .collect();
    for user_id in surplus {
        remove_member(tx, group_id, &user_id)?;
    }
    for user_id in user_ids {
        add_member(tx, group_id, user_id)?;
    }
    Ok(())
}

/// Deletes a group. "`dsync.group.user_removed` events will not be sent for the members in the deleted group"
/// (<https://workos.com/docs/directory-sync/understanding-events>).
pub(crate) fn delete(tx: &mut Transaction<'_>, id: &str) -> Result<(), DirectoryError> {
    let group = Arc::clone(find(tx, id)?);
    let directory = Arc::clone(directories::find(tx, &group.directory_id)?);
    let members: Vec<_> = members::of_group(tx, id).map(str::to_owned).collect();
    let of_role = group.role.as_ref().map(|_| members.clone());
    let told = users::before_change(tx, &directory, of_role.into_iter().flatten())?;
    for user_id in members {
        tx.delete::<DirectoryGroupMember>(&members::member_id(id, &user_id));
    }
    tx.delete::<DirectoryGroup>(id);
    count(tx, &group.directory_id, |groups| groups.saturating_sub(1))?;
    tx.emit("dsync.group.deleted", &group.body())?;
    users::after_change(tx, &directory, told)
}

/// Drops the groups of a deleted directory, and their members, without events: up to `most` rows. How many it were.
pub(crate) fn forget(tx: &mut Transaction<'_>, directory_id: &str, most: usize) -> usize {
    let mut dropped = 0;
    while dropped < most {
        let next = tx.directory_groups.group(BY_DIRECTORY, directory_id).next();
        let Some(id) = next.map(|group| group.id.clone()) else {
            break;
        };
        let members = members::of_group(tx, &id).take(most - dropped);
        let members: Vec<_> = members.map(str::to_owned).collect();
        dropped += members.len();
        for user_id in members {
            tx.delete::<DirectoryGroupMember>(&members::member_id(&id, &user_id));
        }
        if dropped < most {
            tx.delete::<DirectoryGroup>(&id);
            dropped += 1;
        }
    }
    dropped
}

/// Gives a group whose members change its next version. Its `updated_at` stays, as in production.
pub(crate) fn touch(tx: &mut Transaction<'_>, id: &str) -> Result<(), DirectoryError> {
    let group = find(tx, id)?;
    let group = DirectoryGroup {
        version: group.version + 1,
        ..DirectoryGroup::clone(group)
    };
    tx.put(group)?;
    Ok(())
}

/// Records that a user came into a group, or went.
pub(crate) fn emit_member(
    tx: &mut Transaction<'_>,
    event: &str,
    group_id: &str,
    user_id: &str,
) -> Result<(), DirectoryError> {
    #[derive(Serialize)]
    struct Member<'a> {
        directory_id: &'a str,
        user: DirectoryUserBody<'a>,
        group: DirectoryGroupBody<'a>,
    }
    let (group, user) = (
        Arc::clone(find(tx, group_id)?),
        Arc::clone(users::find(tx, user_id)?),
    );
    let directory = Arc::clone(directories::find(tx, &group.directory_id)?);
    let data = Member {
        directory_id: &directory.id,
        user: user.body(tx, &directory),
        group: group.body(),
    };
    tx.emit(event, &data)?;
    Ok(())
}

/// Whether WorkOS's own rules count.
fn is_strict(state: &State) -> bool {
    state.settings().scim_profile == ScimProfile::WorkOs
}

fn check_name(name: &str) -> Result<(), DirectoryError> {
    if name.trim().is_empty() {
        return Err(DirectoryError::DisplayNameRequired);
    }
    Ok(())
}

fn check_role(state: &State, directory: &Directory, role: Option<&str>) -> Result<(), DirectoryError> {
    let Some(slug) = role else {
        return Ok(());
    };
    if roles::find(state, &directory.organization_id, slug).is_some() {
        return Ok(());
    }
    let message = format!("Role '{slug}' is not a valid role.");
    Err(ApiError::new(422, "invalid_role", message).into())
}

/// The role that a directory names for groups of this name, in any case.
fn role_of(directory: &Directory, name: &str) -> Option<String> {
    let name = name.to_lowercase();
    let mut roles = directory.group_roles.iter();
    let found = roles.find(|mapping| mapping.name.to_lowercase() == name)?;
    Some(found.role.clone())
}

fn count(tx: &mut Transaction<'_>, directory_id: &str, change: impl Fn(u64) -> u64) -> Result<(), ApiError> {
    let counts = directories::counts(tx, directory_id);
    tx.put(DirectoryCounts {
        groups: change(counts.groups),
        ..counts
    })?;
    Ok(())
}

fn value(body: &impl Serialize) -> Result<Value, ApiError> {
    serde_json::to_value(body).map_err(|error| ApiError::message(500, error.to_string()))
}
