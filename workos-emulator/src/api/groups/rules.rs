//! How groups and their members come and go, each with its event.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{BY_GROUP, BY_MEMBERSHIP, BY_ORGANIZATION, Group, GroupMembership, find, membership_id};
use crate::{
    api::{organizations, user_management::memberships},
    server::{body::Patch, error::ApiError},
    store::Transaction,
};

/// `POST /organizations/{organizationId}/groups`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct NewGroup {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
}

/// `PATCH /organizations/{organizationId}/groups/{groupId}`
#[derive(Debug, Default, Deserialize)]
pub(super) struct UpdateGroup {
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) description: Patch<String>,
}

/// The data of `group.member_added` and `group.member_removed`.
#[derive(Debug, Serialize)]
struct MemberData<'a> {
    group_id: &'a str,
    organization_membership_id: &'a str,
}

/// Makes a group in an organization. Names need not be unique.
pub(crate) fn create(
    tx: &mut Transaction<'_>,
    organization_id: &str,
    new: NewGroup,
) -> Result<Arc<Group>, ApiError> {
    organizations::find(tx, organization_id)?;
    let group = Group {
        id: tx.id("group"),
        organization_id: organization_id.to_owned(),
        name: new.name,
        description: new.description,
        members: 0,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    check(&group)?;
    let group = tx.put(group)?;
    tx.emit("group.created", &group.body())?;
    Ok(group)
}

/// Changes a group. What stays the same has no event.
pub(super) fn update(
    tx: &mut Transaction<'_>,
    organization_id: &str,
    id: &str,
    changes: UpdateGroup,
) -> Result<Arc<Group>, ApiError> {
    let before = Arc::clone(find(tx, organization_id, id)?);
    let mut group = Group::clone(&before);
    if let Some(name) = changes.name {
        group.name = name;
    }
    changes.description.apply_to(&mut group.description);
    check(&group)?;
    if group == *before {
        return Ok(before);
    }
    group.updated_at = tx.now();
    let group = tx.put(group)?;
    tx.emit("group.updated", &group.body())?;
    Ok(group)
}

/// Deletes a group. Its members leave it without events of their own.
///
/// Assumption: `group.deleted` says it all; production's events for the members are not documented.
pub(super) fn delete(tx: &mut Transaction<'_>, organization_id: &str, id: &str) -> Result<(), ApiError> {
    let group = Arc::clone(find(tx, organization_id, id)?);
    let members: Vec<_> = tx.group_memberships.group(BY_GROUP, id).cloned().collect();
    for member in members {
        tx.delete::<GroupMembership>(&member.id);
    }
    tx.delete::<Group>(id);
    tx.emit("group.deleted", &group.body()).map(drop)
}

/// Deletes every group of an organization that is being deleted, as when each is deleted by hand.
pub(crate) fn delete_of_organization(
    tx: &mut Transaction<'_>,
    organization_id: &str,
) -> Result<(), ApiError> {
    let groups: Vec<_> = tx
        .groups
        .group(BY_ORGANIZATION, organization_id)
        .cloned()
        .collect();
    groups
        .iter()
        .try_for_each(|group| delete(tx, organization_id, &group.id))
}

/// Adds an organization membership to a group; one that is in it already changes nothing.
///
/// Assumption: production's limit is not documented; it is the setting `group_member_limit`.
pub(crate) fn add_member(
    tx: &mut Transaction<'_>,
    organization_id: &str,
    group_id: &str,
    membership_id: &str,
) -> Result<Arc<Group>, ApiError> {
    let group = Arc::clone(find(tx, organization_id, group_id)?);
    check_membership(tx, organization_id, membership_id)?;
    let id = self::membership_id(group_id, membership_id);
    if tx.group_memberships.get(&id).is_some() {
        return Ok(group);
    }
    let limit = tx.settings().group_member_limit;
    if group.members >= limit {
        return Err(ApiError::bad_request(
            "group_membership_limit_exceeded",
            format!("A group has at most {limit} members."),
        ));
    }
    tx.put(GroupMembership {
        id,
        group_id: group_id.to_owned(),
        organization_membership_id: membership_id.to_owned(),
        group_place: tx.groups.place(group_id).unwrap_or_default(),
        membership_place: tx
            .organization_memberships
            .place(membership_id)
            .unwrap_or_default(),
    })?;
    let group = tx.put(Group {
        members: group.members + 1,
        ..Group::clone(&group)
    })?;
    emit_member(tx, "group.member_added", &group, membership_id)?;
    Ok(group)
}

/// Takes an organization membership out of a group.
///
/// Assumption: one that is not in it is 404.
pub(super) fn remove_member(
    tx: &mut Transaction<'_>,
    organization_id: &str,
    group_id: &str,
    membership_id: &str,
) -> Result<(), ApiError> {
    let group = Arc::clone(find(tx, organization_id, group_id)?);
    check_membership(tx, organization_id, membership_id)?;
    let id = self::membership_id(group_id, membership_id);
    if tx.delete::<GroupMembership>(&id).is_none() {
        return Err(ApiError::not_found("Group member", membership_id));
    }
    tx.put(Group {
        members: group.members.saturating_sub(1),
        ..Group::clone(&group)
    })?;
    emit_member(tx, "group.member_removed", &group, membership_id)
}

/// Takes an organization membership that is being deleted out of its groups, as by hand.
pub(crate) fn remove_from_all(
    tx: &mut Transaction<'_>,
    organization_id: &str,
    membership_id: &str,
) -> Result<(), ApiError> {
    let members: Vec<_> = tx
        .group_memberships
        .group(BY_MEMBERSHIP, membership_id)
        .cloned()
        .collect();
    members
        .iter()
        .try_for_each(|member| remove_member(tx, organization_id, &member.group_id, membership_id))
}

/// Only members of the group's own organization can be in it.
fn check_membership(tx: &Transaction<'_>, organization_id: &str, id: &str) -> Result<(), ApiError> {
    if memberships::find(tx, id)?.organization_id == organization_id {
        return Ok(());
    }
    Err(ApiError::not_found("Organization membership", id))
}

fn emit_member(
    tx: &mut Transaction<'_>,
    event: &str,
    group: &Group,
    organization_membership_id: &str,
) -> Result<(), ApiError> {
    let data = MemberData {
        group_id: &group.id,
        organization_membership_id,
    };
    tx.emit_in_organization(&group.organization_id, event, &data)
        .map(drop)
}

/// Checks the texts of a group. Lengths are the API's `maxLength`.
///
/// Assumption: what 400 `bad_request` stands for is not documented. Here it is a name of blanks, which fits the API's
/// description but names nothing.
fn check(group: &Group) -> Result<(), ApiError> {
    if group.name.trim().is_empty() {
        return Err(ApiError::bad_request("bad_request", "name must not be empty."));
    }
    let description = group.description.as_deref().unwrap_or_default();
    for (field, text, limit) in [
        ("name", group.name.as_str(), 256),
        ("description", description, 150),
    ] {
        if text.chars().count() > limit {
            let message = format!("{field} has at most {limit} characters.");
            return Err(ApiError::invalid_field(field, "too_long", message));
        }
    }
    Ok(())
}
