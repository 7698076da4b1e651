//! The operations on organization memberships.

use std::sync::Arc;

use serde::Deserialize;

use super::{
    BY_ORGANIZATION, BY_USER, BY_USER_AND_ORGANIZATION, MembershipStatus, NewMembership,
    OrganizationMembership, find, rules,
};
use crate::{
    api::organizations,
    server::{
        call::{Call, Query},
        error::ApiError,
        reply::Reply,
    },
    store::{List, Select, Transaction, group},
};

/// `POST /user_management/organization_memberships`
#[derive(Debug, Deserialize)]
struct CreateOrganizationMembership {
    user_id: String,
    organization_id: String,
    role_slug: Option<String>,
    role_slugs: Option<Vec<String>>,
}

/// `PUT /user_management/organization_memberships/{id}`
#[derive(Debug, Deserialize)]
struct UpdateOrganizationMembership {
    role_slug: Option<String>,
    role_slugs: Option<Vec<String>>,
}

/// The roles that a body names in one form or the other; nothing where it names none.
fn named_roles(
    role_slug: Option<String>,
    role_slugs: Option<Vec<String>>,
) -> Result<Option<Vec<String>>, ApiError> {
    match (role_slug, role_slugs) {
        (Some(_), Some(_)) => Err(ApiError::invalid_field(
            "role_slugs",
            "mutually_exclusive",
            "role_slug and role_slugs are mutually exclusive.",
        )),
        (None, Some(slugs)) if slugs.is_empty() => Err(ApiError::invalid_field(
            "role_slugs",
            "required",
            "A membership has at least one role.",
        )),
        (None, slugs) => Ok(slugs),
        (Some(slug), None) => Ok(Some(vec![slug])),
    }
}

/// `GET /user_management/organization_memberships`
pub(crate) fn list_organization_memberships(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let statuses = statuses(&call.query)?;
    let filter = |name| call.query.get(name).filter(|id| !id.is_empty());
    let user_id = filter("user_id");
    let organization_id = filter("organization_id");
    if let Some(id) = user_id
        && state.users.get(id).is_none()
    {
        return Err(ApiError::not_found("User", id));
    }
    if let Some(id) = organization_id {
        organizations::find(&state, id)?;
    }
    let with_statuses = |index, id: &str| {
        let groups: Vec<_> = statuses
            .iter()
            .map(|status| group(&[id, status.as_str()]))
            .collect();
        Select::groups(index, groups.iter().map(AsRef::as_ref))
    };
    let select = match (user_id, organization_id) {
        (Some(user_id), Some(organization_id)) => {
            Select::group(BY_USER_AND_ORGANIZATION, &group(&[user_id, organization_id]))
                .filter(|membership: &OrganizationMembership| statuses.contains(&membership.status))
        }
        (Some(user_id), None) => with_statuses(BY_USER, user_id),
        (None, Some(organization_id)) => with_statuses(BY_ORGANIZATION, organization_id),
        (None, None) => {
            return Err(ApiError::bad_request(
                "missing_user_id_or_organization_id",
                "Either user_id or organization_id is required.",
            ));
        }
    };
    let page = select.page(&state.organization_memberships, &call.page()?)?;
    let bodies: Result<Vec<_>, _> = page
        .data
        .iter()
        .map(|membership| membership.body(&state))
        .collect();
    Reply::ok(&List {
        data: bodies?,
        before: page.before,
        after: page.after,
    })
}

/// The statuses asked for; only active memberships by default.
fn statuses(query: &Query) -> Result<Vec<MembershipStatus>, ApiError> {
    let named = query.all("statuses");
    if named.is_empty() {
        return Ok(vec![MembershipStatus::Active]);
    }
    let status = |name: &str| {
        MembershipStatus::ALL
            .into_iter()
            .find(|status| status.as_str() == name)
            .ok_or_else(|| {
                let message = "statuses are active, inactive or pending.";
                ApiError::invalid_field("statuses", "invalid_enum_value", message)
            })
    };
    named.into_iter().map(status).collect()
}

/// `POST /user_management/organization_memberships`
pub(crate) fn create_organization_membership(call: &Call) -> Result<Reply, ApiError> {
    let body: CreateOrganizationMembership = call.body()?;
    let new = NewMembership {
        id: None,
        user_id: body.user_id,
        organization_id: body.organization_id,
        roles: named_roles(body.role_slug, body.role_slugs)?.unwrap_or_default(),
        status: MembershipStatus::Active,
        directory_id: None,
    };
    call.environment
        .transact(|tx| Reply::created(&rules::create(tx, new)?.body(tx)?))
}

/// `GET /user_management/organization_memberships/{id}`
pub(crate) fn get_organization_membership(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    Reply::ok(&find(&state, call.param("id"))?.body(&state)?)
}

/// `PUT /user_management/organization_memberships/{id}`. A body without roles changes nothing.
pub(crate) fn update_organization_membership(call: &Call) -> Result<Reply, ApiError> {
    let body: UpdateOrganizationMembership = call.body()?;
    let roles = named_roles(body.role_slug, body.role_slugs)?;
    change(call, |tx, id| match roles {
        Some(roles) => rules::set_roles(tx, id, roles),
        None => find(tx, id).map(Arc::clone),
    })
}

/// `DELETE /user_management/organization_memberships/{id}`
pub(crate) fn delete_organization_membership(call: &Call) -> Result<Reply, ApiError> {
    call.environment
        .transact(|tx| rules::delete(tx, call.param("id")))?;
    Reply::empty(200)
}

/// `PUT /user_management/organization_memberships/{id}/deactivate`
pub(crate) fn deactivate_organization_membership(call: &Call) -> Result<Reply, ApiError> {
    change(call, rules::deactivate)
}

/// `PUT /user_management/organization_memberships/{id}/reactivate`
pub(crate) fn reactivate_organization_membership(call: &Call) -> Result<Reply, ApiError> {
    change(call, rules::reactivate)
}

/// Changes the membership that the path names, and shows it.
fn change(
    call: &Call,
    rule: impl FnOnce(&mut Transaction<'_>, &str) -> Result<Arc<OrganizationMembership>, ApiError>,
) -> Result<Reply, ApiError> {
    call.environment
        .transact(|tx| Reply::ok(&rule(tx, call.param("id"))?.body(tx)?))
}
