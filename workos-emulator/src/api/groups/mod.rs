//! Groups of organization memberships. Source: <https://workos.com/docs/authkit/groups>.
//!
//! * here – what a group is, how it is shown, and how groups and their members are found.
//! * [`rules`] – how groups and their members come and go.
//! * [`operations`] – the API's operations.

mod operations;
mod rules;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use self::{
    operations::{
        add_group_member, create_group, delete_group, get_group, list_group_members, list_groups,
        list_groups_of_membership, remove_group_member, update_group,
    },
    rules::{NewGroup, add_member, create, delete_of_organization, remove_from_all},
};
use crate::{
    core::clock,
    server::error::ApiError,
    store::{Index, Record, State},
};

/// A group as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) organization_id: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    /// How many members it has.
    pub(crate) members: u32,
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    pub(crate) updated_at: Timestamp,
}

/// The groups of an organization.
pub(crate) const BY_ORGANIZATION: Index<Group> = Index::ordered("organization", |group| {
    vec![(group.organization_id.as_str().into(), 0)]
});

impl Record for Group {
    const INDEXES: &'static [Index<Self>] = &[BY_ORGANIZATION];

    fn id(&self) -> &str {
        &self.id
    }
}

/// A group as the API and its events show it.
#[derive(Debug, Serialize)]
#[serde(tag = "object", rename = "group")]
pub(crate) struct GroupBody<'a> {
    id: &'a str,
    organization_id: &'a str,
    name: &'a str,
    description: Option<&'a str>,
    #[serde(with = "clock::timestamp")]
    created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    updated_at: Timestamp,
}

impl Group {
    pub(crate) fn body(&self) -> GroupBody<'_> {
        GroupBody {
            id: &self.id,
            organization_id: &self.organization_id,
            name: &self.name,
            description: self.description.as_deref(),
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// That an organization membership belongs to a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GroupMembership {
    /// Made of both ids.
    pub(crate) id: String,
    pub(crate) group_id: String,
    pub(crate) organization_membership_id: String,
    /// The group's place in the order of creation: a member's groups are listed in this order.
    pub(crate) group_place: u64,
    /// The organization membership's place: a group's members are listed in this order.
    pub(crate) membership_place: u64,
}

/// The members of a group, in the order in which their organization memberships were created.
pub(crate) const BY_GROUP: Index<GroupMembership> = Index::ordered("group", |member| {
    vec![(member.group_id.as_str().into(), rank(member.membership_place))]
});
/// The groups of an organization membership, in the order of their creation.
pub(crate) const BY_MEMBERSHIP: Index<GroupMembership> = Index::ordered("membership", |member| {
    let membership_id = member.organization_membership_id.as_str();
    vec![(membership_id.into(), rank(member.group_place))]
});

impl Record for GroupMembership {
    const INDEXES: &'static [Index<Self>] = &[BY_GROUP, BY_MEMBERSHIP];
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.id
    }
}

/// The rank of a place in an index.
fn rank(place: u64) -> i64 {
    i64::try_from(place).unwrap_or(i64::MAX)
}

/// The id of the row that makes an organization membership a member of a group.
fn membership_id(group_id: &str, organization_membership_id: &str) -> String {
    format!("{group_id}:{organization_membership_id}")
}

/// The group of this organization with this id, or the refusal.
pub(crate) fn find<'a>(
    state: &'a State,
    organization_id: &str,
    id: &str,
) -> Result<&'a Arc<Group>, ApiError> {
    state
        .groups
        .get(id)
        .filter(|group| group.organization_id == organization_id)
        .ok_or_else(|| ApiError::not_found("Group", id))
}
