//! Organization memberships. Source: <https://workos.com/docs/reference/authkit/organization-membership>.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    core::clock,
    server::error::ApiError,
    store::{Index, Record, State, Transaction, group},
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
    pub(crate) directory_managed: bool,
    /// The user's place in the order of creation, [`Table::place`](crate::store::Table::place), which never changes:
    /// the users of an organization are listed in this order.
    pub(crate) user_place: u64,
    /// Slugs, the highest priority first; never empty.
    pub(crate) roles: Vec<String>,
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
    ];

    fn id(&self) -> &str {
        &self.id
    }
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

/// The active membership of a user in an organization.
pub(crate) fn active<'a>(
    state: &'a State,
    user_id: &str,
    organization_id: &str,
) -> Option<&'a OrganizationMembership> {
    state
        .organization_memberships
        .find(BY_USER_AND_ORGANIZATION, &group(&[user_id, organization_id]))
        .map(AsRef::as_ref)
        .filter(|membership| membership.status == MembershipStatus::Active)
}

/// Deletes every membership of an organization, as when each is deleted by hand.
pub(crate) fn delete_of_organization(
    _tx: &mut Transaction<'_>,
    _organization_id: &str,
) -> Result<(), ApiError> {
    Ok(())
}

/// Deletes every membership of a user, as when each is deleted by hand.
pub(crate) fn delete_of_user(tx: &mut Transaction<'_>, user_id: &str) -> Result<(), ApiError> {
    let ids: Vec<String> = ["active", "inactive", "pending"]
        .iter()
        .flat_map(|status| {
            tx.organization_memberships
                .group(BY_USER, &group(&[user_id, status]))
        })
        .map(|membership| membership.id.clone())
        .collect();
    for id in ids {
        if let Some(membership) = tx.delete::<OrganizationMembership>(&id) {
            tx.emit("organization_membership.deleted", &membership.event())?;
        }
    }
    Ok(())
}

impl OrganizationMembership {
    /// The data of a membership's events.
    fn event(&self) -> Value {
        let roles: Vec<Value> = self.roles.iter().map(|slug| json!({"slug": slug})).collect();
        json!({
            "object": "organization_membership",
            "id": self.id,
            "user_id": self.user_id,
            "organization_id": self.organization_id,
            "status": self.status,
            "role": roles.first(),
            "roles": roles,
            "custom_attributes": {},
            "directory_managed": self.directory_managed,
            "created_at": clock::iso8601(self.created_at),
            "updated_at": clock::iso8601(self.updated_at),
        })
    }
}
