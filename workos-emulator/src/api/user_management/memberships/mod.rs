//! Organization memberships. Source: <https://workos.com/docs/reference/authkit/organization-membership>.
//!
//! * here – what a membership is, how it is shown, and what is asked of memberships.
//! * [`rules`] – how memberships come to be, change and go.
//! * [`directory`] – memberships that a directory manages.
//! * [`operations`] – the API's operations.

mod directory;
mod operations;
mod rules;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) use self::{
    directory::{Provisioned, deprovision, provision},
    operations::{
        create_organization_membership, deactivate_organization_membership, delete_organization_membership,
        get_organization_membership, list_organization_memberships, reactivate_organization_membership,
        update_organization_membership,
    },
    rules::{
        NewMembership, create, create_with, delete, delete_of_organization, delete_of_user, join,
        set_custom_attributes, set_roles,
    },
};
use super::users::User;
use crate::{
    api::organizations,
    core::clock,
    server::error::ApiError,
    store::{Index, Record, State, group},
};

/// Whether the membership lets its user in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MembershipStatus {
    Active,
    Inactive,
    Pending,
}

impl MembershipStatus {
    pub(crate) const ALL: [Self; 3] = [Self::Active, Self::Inactive, Self::Pending];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Pending => "pending",
        }
    }
}

/// A membership as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OrganizationMembership {
    pub(crate) id: String,
    pub(crate) user_id: String,
    pub(crate) organization_id: String,
    pub(crate) status: MembershipStatus,
    /// The directory that manages it, which may be deleted by now: [`is_directory_managed`](Self::is_directory_managed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) directory_id: Option<String>,
    /// The user's place in the order of creation, [`Table::place`](crate::store::Table::place), which never changes:
    /// the users of an organization are listed in this order.
    pub(crate) user_place: u64,
    /// Slugs, the highest priority first; never empty.
    pub(crate) roles: Vec<String>,
    /// Those of the directory user whom it follows.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) custom_attributes: Map<String, Value>,
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    pub(crate) updated_at: Timestamp,
}

/// A user is a member of an organization at most once.
pub(crate) const BY_USER_AND_ORGANIZATION: Index<OrganizationMembership> =
    Index::unique("user and organization", |membership| {
        vec![(group(&[&membership.user_id, &membership.organization_id]), 0)]
    });
/// A user's memberships of one status.
pub(crate) const BY_USER: Index<OrganizationMembership> = Index::ordered("user", |membership| {
    vec![(group(&[&membership.user_id, membership.status.as_str()]), 0)]
});
/// An organization's memberships of one status.
pub(crate) const BY_ORGANIZATION: Index<OrganizationMembership> =
    Index::ordered("organization", |membership| {
        vec![(
            group(&[&membership.organization_id, membership.status.as_str()]),
            0,
        )]
    });
/// The memberships that have a role in an organization.
pub(crate) const BY_ROLE: Index<OrganizationMembership> = Index::ordered("role", |membership| {
    let organization_id = &membership.organization_id;
    let group_of = |role: &String| (group(&[organization_id, role]), 0);
    membership.roles.iter().map(group_of).collect()
});
/// An organization's memberships of one status, in the order in which their users were created.
pub(crate) const BY_ORGANIZATION_AND_USER: Index<OrganizationMembership> =
    Index::ordered("organization and user", |membership| {
        vec![(
            group(&[&membership.organization_id, membership.status.as_str()]),
            rank_of_user(membership.user_place),
        )]
    });

/// The rank of a user in [`BY_ORGANIZATION_AND_USER`].
pub(crate) fn rank_of_user(user_place: u64) -> i64 {
    i64::try_from(user_place).unwrap_or(i64::MAX)
}

impl Record for OrganizationMembership {
    const INDEXES: &'static [Index<Self>] = &[
        BY_USER_AND_ORGANIZATION,
        BY_USER,
        BY_ORGANIZATION,
        BY_ORGANIZATION_AND_USER,
        BY_ROLE,
    ];

    fn id(&self) -> &str {
        &self.id
    }
}

/// Whether a directory manages the user, in whichever organization.
pub(crate) fn is_directory_managed(state: &State, user_id: &str) -> bool {
    MembershipStatus::ALL.iter().any(|status| {
        let key = group(&[user_id, status.as_str()]);
        let mut own = state.organization_memberships.group(BY_USER, &key);
        own.any(|membership| membership.is_directory_managed(state))
    })
}

/// A role as a membership names it.
#[derive(Debug, Serialize)]
struct SlimRole<'a> {
    slug: &'a str,
}

/// A membership as events show it: without its user.
#[derive(Debug, Serialize)]
#[serde(tag = "object", rename = "organization_membership")]
struct EventData<'a> {
    id: &'a str,
    user_id: &'a str,
    organization_id: &'a str,
    status: MembershipStatus,
    directory_managed: bool,
    /// The first one of `roles`.
    role: SlimRole<'a>,
    roles: Vec<SlimRole<'a>>,
    custom_attributes: Map<String, Value>,
    #[serde(with = "clock::timestamp")]
    created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    updated_at: Timestamp,
}

/// A membership as lists of other resources show it: without its roles.
#[derive(Debug, Serialize)]
#[serde(tag = "object", rename = "organization_membership")]
pub(crate) struct MembershipBaseBody<'a> {
    id: &'a str,
    user_id: &'a str,
    organization_id: &'a str,
    status: MembershipStatus,
    directory_managed: bool,
    organization_name: &'a str,
    custom_attributes: Map<String, Value>,
    #[serde(with = "clock::timestamp")]
    created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    updated_at: Timestamp,
    user: &'a User,
}

/// A membership as the API shows it.
#[derive(Debug, Serialize)]
pub(crate) struct MembershipBody<'a> {
    #[serde(flatten)]
    membership: EventData<'a>,
    organization_name: &'a str,
    user: &'a User,
}

impl OrganizationMembership {
    /// The primary role's slug.
    pub(crate) fn role(&self) -> &str {
        self.roles.first().map_or("", String::as_str)
    }

    /// "Whether the organization membership is managed by a directory sync connection"
    /// (<https://workos.com/docs/reference/authkit/organization-membership>). It stays when its directory is deleted.
    ///
    /// Assumption: nobody manages it then, until another directory has the user; no event tells of it.
    pub(crate) fn is_directory_managed(&self, state: &State) -> bool {
        let id = self.directory_id.as_deref();
        id.is_some_and(|id| state.directories.get(id).is_some())
    }

    fn event_data(&self, state: &State) -> EventData<'_> {
        EventData {
            id: &self.id,
            user_id: &self.user_id,
            organization_id: &self.organization_id,
            status: self.status,
            directory_managed: self.is_directory_managed(state),
            role: SlimRole { slug: self.role() },
            roles: self.roles.iter().map(|slug| SlimRole { slug }).collect(),
            custom_attributes: self.custom_attributes.clone(),
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }

    /// The membership with its user and the name of its organization.
    pub(crate) fn body<'a>(&'a self, state: &'a State) -> Result<MembershipBody<'a>, ApiError> {
        let user = state.users.get(&self.user_id);
        Ok(MembershipBody {
            membership: self.event_data(state),
            organization_name: &organizations::find(state, &self.organization_id)?.name,
            user: user.ok_or_else(|| ApiError::not_found("User", &self.user_id))?,
        })
    }

    /// The same without its roles. WorkOS's description of the API leaves the user out; the official SDK requires it.
    pub(crate) fn base_body<'a>(&'a self, state: &'a State) -> Result<MembershipBaseBody<'a>, ApiError> {
        let MembershipBody {
            membership,
            organization_name,
            user,
        } = self.body(state)?;
        Ok(MembershipBaseBody {
            id: membership.id,
            user_id: membership.user_id,
            organization_id: membership.organization_id,
            status: membership.status,
            directory_managed: membership.directory_managed,
            organization_name,
            custom_attributes: membership.custom_attributes,
            created_at: membership.created_at,
            updated_at: membership.updated_at,
            user,
        })
    }
}

/// The membership with this id, or the refusal.
pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Arc<OrganizationMembership>, ApiError> {
    state
        .organization_memberships
        .get(id)
        .ok_or_else(|| ApiError::not_found("Organization membership", id))
}

/// The organizations that a user can sign in to.
pub(crate) fn active_of_user<'a>(
    state: &'a State,
    user_id: &str,
) -> impl Iterator<Item = &'a OrganizationMembership> {
    state
        .organization_memberships
        .group(BY_USER, &group(&[user_id, "active"]))
        .map(AsRef::as_ref)
}

/// A user's membership in an organization, whatever its status.
pub(crate) fn of<'a>(
    state: &'a State,
    user_id: &str,
    organization_id: &str,
) -> Option<&'a Arc<OrganizationMembership>> {
    state
        .organization_memberships
        .find(BY_USER_AND_ORGANIZATION, &group(&[user_id, organization_id]))
}

/// Its id.
pub(crate) fn id_of(state: &State, user_id: &str, organization_id: &str) -> Option<String> {
    of(state, user_id, organization_id).map(|membership| membership.id.clone())
}

/// The active membership of a user in an organization.
pub(crate) fn active<'a>(
    state: &'a State,
    user_id: &str,
    organization_id: &str,
) -> Option<&'a OrganizationMembership> {
    of(state, user_id, organization_id)
        .map(AsRef::as_ref)
        .filter(|membership| membership.status == MembershipStatus::Active)
}
