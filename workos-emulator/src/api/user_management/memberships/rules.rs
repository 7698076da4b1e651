//! How memberships come to be, change and go, each with its event.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    BY_ORGANIZATION, BY_USER, BY_USER_AND_ORGANIZATION, MembershipStatus, OrganizationMembership, find,
};
use crate::{
    api::{
        api_keys,
        authorization::roles,
        connect::consents,
        groups, organizations,
        user_management::{invitations, sessions, users},
    },
    server::error::ApiError,
    store::{Index, State, Transaction, group},
};

/// A membership to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewMembership {
    /// Only a seed gives an id.
    pub(crate) id: Option<String>,
    pub(crate) user_id: String,
    pub(crate) organization_id: String,
    /// Slugs; none for the default role.
    pub(crate) roles: Vec<String>,
    pub(crate) status: MembershipStatus,
    pub(crate) directory_id: Option<String>,
}

/// Makes a user a member of an organization. An inactive membership takes the new roles and status.
///
/// Assumption: the API's description lists no answer for a user who is an active member already; it is 400
/// `organization_membership_already_exists`, the code that published clients of the API look for.
pub(crate) fn create(
    tx: &mut Transaction<'_>,
    new: NewMembership,
) -> Result<Arc<OrganizationMembership>, ApiError> {
    create_with(tx, new, Map::new())
}

/// The same with the custom attributes that a directory or an identity provider gives a new membership.
pub(crate) fn create_with(
    tx: &mut Transaction<'_>,
    new: NewMembership,
    custom_attributes: Map<String, Value>,
) -> Result<Arc<OrganizationMembership>, ApiError> {
    users::find(tx, &new.user_id)?;
    let user_place = tx.users.place(&new.user_id).unwrap_or_default();
    organizations::find(tx, &new.organization_id)?;
    let roles = roles::assignable(tx, &new.organization_id, new.roles)?;
    let key = group(&[&new.user_id, &new.organization_id]);
    let present = tx.organization_memberships.find(BY_USER_AND_ORGANIZATION, &key);
    let now = tx.now();
    match present.map(|present| (present.status, Arc::clone(present))) {
        None => {
            let membership = OrganizationMembership {
                id: new.id.unwrap_or_else(|| tx.id("om")),
                user_id: new.user_id,
                organization_id: new.organization_id,
                status: new.status,
                directory_id: new.directory_id,
                custom_attributes,
                user_place,
                roles,
                created_at: now,
                updated_at: now,
            };
            put(tx, membership, "organization_membership.created")
        }
        Some((MembershipStatus::Inactive, present)) => {
            let membership = OrganizationMembership {
                status: new.status,
                directory_id: new.directory_id,
                roles,
                updated_at: now,
                ..OrganizationMembership::clone(&present)
            };
            put(tx, membership, "organization_membership.updated")
        }
        Some((MembershipStatus::Pending, _)) => Err(cannot_reactivate_pending()),
        Some((MembershipStatus::Active, _)) => Err(ApiError::bad_request(
            "organization_membership_already_exists",
            "The user is a member of the organization already.",
        )),
    }
}

/// Makes a user who accepted an invitation an active member: with the roles that a pending membership has; else, where they
/// are no active member, with `role`, or the default role.
pub(crate) fn join(
    tx: &mut Transaction<'_>,
    user_id: &str,
    organization_id: &str,
    role: Option<String>,
) -> Result<(), ApiError> {
    let present = super::of(tx, user_id, organization_id).map(Arc::clone);
    match present.as_ref().map(|present| (present.status, present)) {
        Some((MembershipStatus::Active, _)) => Ok(()),
        Some((MembershipStatus::Pending, present)) => {
            put_status(tx, present, MembershipStatus::Active).map(drop)
        }
        Some((MembershipStatus::Inactive, _)) | None => {
            let new = NewMembership {
                id: None,
                user_id: user_id.to_owned(),
                organization_id: organization_id.to_owned(),
                roles: role.into_iter().collect(),
                status: MembershipStatus::Active,
                directory_id: None,
            };
            create(tx, new).map(drop)
        }
    }
}

/// Gives a membership other roles. The same roles change nothing, and have no event.
pub(crate) fn set_roles(
    tx: &mut Transaction<'_>,
    id: &str,
    slugs: Vec<String>,
) -> Result<Arc<OrganizationMembership>, ApiError> {
    let membership = Arc::clone(find(tx, id)?);
    let roles = roles::assignable(tx, &membership.organization_id, slugs)?;
    if roles == membership.roles {
        return Ok(membership);
    }
    let membership = OrganizationMembership {
        roles,
        updated_at: tx.now(),
        ..OrganizationMembership::clone(&membership)
    };
    put(tx, membership, "organization_membership.updated")
}

/// Gives a membership the custom attributes that an identity provider has told. Those of a directory take precedence.
///
/// Source: <https://workos.com/docs/authkit/jit-provisioning>.
pub(crate) fn set_custom_attributes(
    tx: &mut Transaction<'_>,
    id: &str,
    custom_attributes: &Map<String, Value>,
) -> Result<(), ApiError> {
    let membership = Arc::clone(find(tx, id)?);
    if membership.is_directory_managed(tx) || membership.custom_attributes == *custom_attributes {
        return Ok(());
    }
    let membership = OrganizationMembership {
        custom_attributes: custom_attributes.clone(),
        updated_at: tx.now(),
        ..OrganizationMembership::clone(&membership)
    };
    put(tx, membership, "organization_membership.updated").map(drop)
}

/// Ends an active membership until it is reactivated, and for good the user's sessions in the organization, and an
/// invitation to it that would end the deactivation.
pub(crate) fn deactivate(
    tx: &mut Transaction<'_>,
    id: &str,
) -> Result<Arc<OrganizationMembership>, ApiError> {
    let membership = Arc::clone(find(tx, id)?);
    match membership.status {
        MembershipStatus::Inactive => Ok(membership),
        MembershipStatus::Pending => Err(ApiError::bad_request(
            "cannot_deactivate_pending_organization_membership",
            "A pending organization membership cannot be deactivated. This membership should be deleted instead.",
        )),
        MembershipStatus::Active => {
            sessions::revoke_in_organization(tx, &membership.user_id, &membership.organization_id)?;
            invitations::withdraw(tx, &membership)?;
            consents::delete_of_membership(tx, &membership.user_id, &membership.organization_id)?;
            put_status(tx, &membership, MembershipStatus::Inactive)
        }
    }
}

/// Makes an inactive membership active again, with the roles that it had.
pub(crate) fn reactivate(
    tx: &mut Transaction<'_>,
    id: &str,
) -> Result<Arc<OrganizationMembership>, ApiError> {
    let membership = Arc::clone(find(tx, id)?);
    match membership.status {
        MembershipStatus::Active => Ok(membership),
        MembershipStatus::Pending => Err(cannot_reactivate_pending()),
        MembershipStatus::Inactive => put_status(tx, &membership, MembershipStatus::Active),
    }
}

/// Deletes a membership. The user's sessions in the organization end, the API keys go, it leaves its groups, and a pending
/// invitation is revoked.
pub(crate) fn delete(tx: &mut Transaction<'_>, id: &str) -> Result<(), ApiError> {
    let membership = Arc::clone(find(tx, id)?);
    sessions::revoke_in_organization(tx, &membership.user_id, &membership.organization_id)?;
    api_keys::delete_of_membership(tx, &membership.user_id, &membership.organization_id)?;
    consents::delete_of_membership(tx, &membership.user_id, &membership.organization_id)?;
    groups::remove_from_all(tx, &membership.organization_id, id)?;
    invitations::withdraw(tx, &membership)?;
    tx.delete::<OrganizationMembership>(id);
    let data = membership.event_data(tx);
    tx.emit("organization_membership.deleted", &data).map(drop)
}

/// Deletes every membership of an organization, as when each is deleted by hand.
pub(crate) fn delete_of_organization(
    tx: &mut Transaction<'_>,
    organization_id: &str,
) -> Result<(), ApiError> {
    let ids = ids(tx, BY_ORGANIZATION, organization_id);
    ids.iter().try_for_each(|id| delete(tx, id))
}

/// Deletes every membership of a user, as when each is deleted by hand.
pub(crate) fn delete_of_user(tx: &mut Transaction<'_>, user_id: &str) -> Result<(), ApiError> {
    let ids = ids(tx, BY_USER, user_id);
    ids.iter().try_for_each(|id| delete(tx, id))
}

/// The ids of all memberships of a user or an organization, whatever their status.
fn ids(state: &State, index: Index<OrganizationMembership>, of: &str) -> Vec<String> {
    MembershipStatus::ALL
        .iter()
        .flat_map(|status| {
            state
                .organization_memberships
                .group(index, &group(&[of, status.as_str()]))
        })
        .map(|membership| membership.id.clone())
        .collect()
}

fn put_status(
    tx: &mut Transaction<'_>,
    membership: &OrganizationMembership,
    status: MembershipStatus,
) -> Result<Arc<OrganizationMembership>, ApiError> {
    let membership = OrganizationMembership {
        status,
        updated_at: tx.now(),
        ..membership.clone()
    };
    put(tx, membership, "organization_membership.updated")
}

pub(super) fn put(
    tx: &mut Transaction<'_>,
    membership: OrganizationMembership,
    event: &str,
) -> Result<Arc<OrganizationMembership>, ApiError> {
    let membership = tx.put(membership)?;
    let data = membership.event_data(tx);
    tx.emit(event, &data)?;
    Ok(membership)
}

fn cannot_reactivate_pending() -> ApiError {
    ApiError::bad_request(
        "cannot_reactivate_pending_organization_membership",
        "A pending organization membership cannot be reactivated. The user needs to accept the invitation instead.",
    )
}
