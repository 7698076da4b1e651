//! The operations on groups.

use std::sync::Arc;

use serde::Deserialize;

use super::{BY_GROUP, BY_MEMBERSHIP, BY_ORGANIZATION, Group, GroupMembership, find, rank, rules};
use crate::{
    api::{organizations, user_management::memberships},
    server::{call::Call, error::ApiError, reply::Reply},
    store::{List, Select},
};

/// `POST /organizations/{organizationId}/groups/{groupId}/organization-memberships`
#[derive(Debug, Deserialize)]
struct AddGroupMember {
    organization_membership_id: String,
}

/// The ids of the organization and of the group in the path.
fn ids(call: &Call) -> (&str, &str) {
    (call.param("organizationId"), call.param("groupId"))
}

fn shown(groups: &[Arc<Group>], before: Option<String>, after: Option<String>) -> Result<Reply, ApiError> {
    Reply::ok(&List {
        data: groups.iter().map(|group| group.body()).collect(),
        before,
        after,
    })
}

/// `GET /organizations/{organizationId}/groups`. `search` is a part of the name, in any case, or an id; what does not match
/// is passed over.
pub(crate) fn list_groups(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let organization = organizations::find(&state, call.param("organizationId"))?;
    let mut select = Select::group(BY_ORGANIZATION, &organization.id);
    if let Some(search) = call.query.get("search").filter(|search| !search.is_empty()) {
        let name = search.to_lowercase();
        select = select
            .filter(move |group: &Group| group.id == search || group.name.to_lowercase().contains(&name));
    }
    let page = select.page(&state.groups, &call.page()?)?;
    shown(&page.data, page.before, page.after)
}

/// `POST /organizations/{organizationId}/groups`
pub(crate) fn create_group(call: &Call) -> Result<Reply, ApiError> {
    let (organization_id, new) = (call.param("organizationId"), call.body()?);
    let group = call
        .environment
        .transact(|tx| rules::create(tx, organization_id, new))?;
    Reply::created(&group.body())
}

/// `GET /organizations/{organizationId}/groups/{groupId}`
pub(crate) fn get_group(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let (organization_id, group_id) = ids(call);
    organizations::find(&state, organization_id)?;
    Reply::ok(&find(&state, organization_id, group_id)?.body())
}

/// `PATCH /organizations/{organizationId}/groups/{groupId}`
pub(crate) fn update_group(call: &Call) -> Result<Reply, ApiError> {
    let changes = call.body()?;
    let (organization_id, group_id) = ids(call);
    let updated = call.environment.transact(|tx| {
        organizations::find(tx, organization_id)?;
        rules::update(tx, organization_id, group_id, changes)
    })?;
    Reply::ok(&updated.body())
}

/// `DELETE /organizations/{organizationId}/groups/{groupId}`
pub(crate) fn delete_group(call: &Call) -> Result<Reply, ApiError> {
    let (organization_id, group_id) = ids(call);
    call.environment.transact(|tx| {
        organizations::find(tx, organization_id)?;
        rules::delete(tx, organization_id, group_id)
    })?;
    Reply::empty(204)
}

/// `POST /organizations/{organizationId}/groups/{groupId}/organization-memberships`
pub(crate) fn add_group_member(call: &Call) -> Result<Reply, ApiError> {
    let AddGroupMember {
        organization_membership_id,
    } = call.body()?;
    let (organization_id, group_id) = ids(call);
    let group = call.environment.transact(|tx| {
        organizations::find(tx, organization_id)?;
        rules::add_member(tx, organization_id, group_id, &organization_membership_id)
    })?;
    Reply::ok(&group.body())
}

/// `DELETE /organizations/{organizationId}/groups/{groupId}/organization-memberships/{omId}`
pub(crate) fn remove_group_member(call: &Call) -> Result<Reply, ApiError> {
    let (organization_id, group_id) = ids(call);
    call.environment.transact(|tx| {
        organizations::find(tx, organization_id)?;
        rules::remove_member(tx, organization_id, group_id, call.param("omId"))
    })?;
    Reply::empty(204)
}

/// `GET /organizations/{organizationId}/groups/{groupId}/organization-memberships`
pub(crate) fn list_group_members(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let (organization_id, group_id) = ids(call);
    organizations::find(&state, organization_id)?;
    find(&state, organization_id, group_id)?;
    let page = Select::group(BY_GROUP, group_id)
        .cursors(|id| state.organization_memberships.place(id).map(rank))
        .page(&state.group_memberships, &call.page()?)?;
    let membership_id = |cursor: Option<String>| {
        let member: &Arc<GroupMembership> = state.group_memberships.get(&cursor?)?;
        Some(member.organization_membership_id.clone())
    };
    let bodies: Result<Vec<_>, ApiError> = page
        .data
        .iter()
        .map(|member| memberships::find(&state, &member.organization_membership_id)?.base_body(&state))
        .collect();
    Reply::ok(&List {
        data: bodies?,
        before: membership_id(page.before),
        after: membership_id(page.after),
    })
}

/// `GET /user_management/organization_memberships/{omId}/groups`
pub(crate) fn list_groups_of_membership(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let membership = memberships::find(&state, call.param("omId"))?;
    let page = Select::group(BY_MEMBERSHIP, &membership.id)
        .cursors(|id| state.groups.place(id).map(rank))
        .page(&state.group_memberships, &call.page()?)?;
    let group_id = |cursor: Option<String>| {
        let member: &Arc<GroupMembership> = state.group_memberships.get(&cursor?)?;
        Some(member.group_id.clone())
    };
    let groups: Vec<_> = page
        .data
        .iter()
        .filter_map(|member| state.groups.get(&member.group_id).cloned())
        .collect();
    shown(&groups, group_id(page.before), group_id(page.after))
}
