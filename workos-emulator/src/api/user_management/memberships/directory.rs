//! Memberships that a directory manages. Source: <https://workos.com/docs/authkit/directory-provisioning>.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    BY_USER_AND_ORGANIZATION, MembershipStatus, NewMembership, OrganizationMembership, find, id_of,
    rules::{self, create_with, put},
};
use crate::{
    api::{authorization::roles, user_management::sessions},
    server::error::ApiError,
    store::{Transaction, group},
};

/// What a directory says of a membership.
#[derive(Debug)]
pub(crate) struct Provisioned {
    pub(crate) directory_id: String,
    /// Of a membership that is not there yet.
    pub(crate) status: MembershipStatus,
    /// Slugs. None leave the roles that an existing membership has.
    pub(crate) roles: Vec<String>,
    pub(crate) custom_attributes: Map<String, Value>,
}

/// Makes a user a member of an organization because its directory has them.
///
/// An inactive membership is reactivated; a pending one stays pending until its invitation is accepted.
pub(crate) fn provision(
    tx: &mut Transaction<'_>,
    user_id: &str,
    organization_id: &str,
    with: Provisioned,
) -> Result<(), ApiError> {
    let key = group(&[user_id, organization_id]);
    let Some(before) = tx
        .organization_memberships
        .find(BY_USER_AND_ORGANIZATION, &key)
        .cloned()
    else {
        let new = NewMembership {
            id: None,
            user_id: user_id.to_owned(),
            organization_id: organization_id.to_owned(),
            roles: with.roles,
            status: with.status,
            directory_id: Some(with.directory_id),
        };
        return create_with(tx, new, with.custom_attributes).map(drop);
    };
    let mut membership = OrganizationMembership {
        directory_id: Some(with.directory_id),
        custom_attributes: with.custom_attributes,
        ..OrganizationMembership::clone(&before)
    };
    if !with.roles.is_empty() {
        membership.roles = roles::assignable(tx, organization_id, with.roles)?;
    }
    if before.status == MembershipStatus::Inactive {
        membership.status = MembershipStatus::Active;
    }
    put_changed(tx, &before, membership)
}

/// Ends the membership of a user whom the directory has no more: an active one becomes inactive with the default role, and
/// all sessions of the user end; a pending one is deleted.
pub(crate) fn deprovision(
    tx: &mut Transaction<'_>,
    user_id: &str,
    organization_id: &str,
) -> Result<(), ApiError> {
    let Some(id) = id_of(tx, user_id, organization_id) else {
        return Ok(());
    };
    let before = Arc::clone(find(tx, &id)?);
    match before.status {
        MembershipStatus::Inactive => Ok(()),
        MembershipStatus::Pending => rules::delete(tx, &id),
        MembershipStatus::Active => {
            sessions::revoke_all(tx, user_id)?;
            let membership = OrganizationMembership {
                status: MembershipStatus::Inactive,
                roles: roles::assignable(tx, organization_id, Vec::new())?,
                ..OrganizationMembership::clone(&before)
            };
            put_changed(tx, &before, membership)
        }
    }
}

/// What changes nothing has no event.
fn put_changed(
    tx: &mut Transaction<'_>,
    before: &OrganizationMembership,
    mut membership: OrganizationMembership,
) -> Result<(), ApiError> {
    if membership == *before {
        return Ok(());
    }
    membership.updated_at = tx.now();
    put(tx, membership, "organization_membership.updated").map(drop)
}
