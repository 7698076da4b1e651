//! The operations on an organization's own roles. Source: <https://workos.com/docs/rbac/custom-roles>.

use std::sync::Arc;

use serde::Deserialize;

use super::{
    environment_roles::{AddRolePermission, SetRolePermissions, UpdateRole},
    roles::{self, NewRole, Role, RoleList},
};
use crate::{
    api::organizations,
    server::{call::Call, error::ApiError, reply::Reply},
    store::{State, Transaction},
};

/// `POST /authorization/organizations/{organizationId}/roles`
#[derive(Debug, Deserialize)]
struct CreateOrganizationRole {
    slug: Option<String>,
    name: String,
    description: Option<String>,
    resource_type_slug: Option<String>,
}

/// `GET /authorization/organizations/{organizationId}/roles`: the environment's too.
pub(crate) fn list_organization_roles(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let organization = organizations::find(&state, call.param("organizationId"))?;
    Reply::ok(&roles::of_organization(&state, &organization.id).collect::<RoleList<'_>>())
}

/// `POST /authorization/organizations/{organizationId}/roles`
pub(crate) fn create_organization_role(call: &Call) -> Result<Reply, ApiError> {
    let body: CreateOrganizationRole = call.body()?;
    let role = call.environment.transact(|tx| {
        let organization_id = organizations::find(tx, call.param("organizationId"))?.id.clone();
        let new = NewRole {
            slug: body.slug,
            name: body.name,
            description: body.description,
            resource_type_slug: body.resource_type_slug,
            organization_id: Some(organization_id),
            ..NewRole::default()
        };
        roles::create(tx, new)
    })?;
    Reply::created(&role.body())
}

/// `GET /authorization/organizations/{organizationId}/roles/{slug}`: the environment's too.
pub(crate) fn get_organization_role(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let organization = organizations::find(&state, call.param("organizationId"))?;
    let slug = call.param("slug");
    match roles::find(&state, &organization.id, slug) {
        Some(role) => Reply::ok(&role.body()),
        None => Err(ApiError::not_found("Role", slug)),
    }
}

/// `PATCH /authorization/organizations/{organizationId}/roles/{slug}`
pub(crate) fn update_organization_role(call: &Call) -> Result<Reply, ApiError> {
    let changes: UpdateRole = call.body()?;
    change(call, |tx, role| roles::update(tx, role, changes.into()))
}

/// `DELETE /authorization/organizations/{organizationId}/roles/{slug}`
pub(crate) fn delete_organization_role(call: &Call) -> Result<Reply, ApiError> {
    call.environment.transact(|tx| {
        let role = find_own(tx, call)?;
        roles::delete(tx, &role)
    })?;
    Reply::empty(204)
}

/// `PUT /authorization/organizations/{organizationId}/roles/{slug}/permissions`
pub(crate) fn set_organization_role_permissions(call: &Call) -> Result<Reply, ApiError> {
    let SetRolePermissions { permissions } = call.body()?;
    change(call, |tx, role| roles::set_permissions(tx, role, permissions))
}

/// `POST /authorization/organizations/{organizationId}/roles/{slug}/permissions`
pub(crate) fn add_organization_role_permission(call: &Call) -> Result<Reply, ApiError> {
    let AddRolePermission { slug } = call.body()?;
    change(call, |tx, role| roles::add_permission(tx, role, slug))
}

/// `DELETE /authorization/organizations/{organizationId}/roles/{slug}/permissions/{permissionSlug}`
pub(crate) fn remove_organization_role_permission(call: &Call) -> Result<Reply, ApiError> {
    let permission = call.param("permissionSlug");
    change(call, |tx, role| roles::remove_permission(tx, role, permission))
}

/// Changes the organization's own role that the path names, and shows it.
fn change(
    call: &Call,
    rule: impl FnOnce(&mut Transaction<'_>, &Arc<Role>) -> Result<Arc<Role>, ApiError>,
) -> Result<Reply, ApiError> {
    let role = call.environment.transact(|tx| {
        let role = find_own(tx, call)?;
        rule(tx, &role)
    })?;
    Reply::ok(&role.body())
}

/// The organization's own role that the path names.
fn find_own(state: &State, call: &Call) -> Result<Arc<Role>, ApiError> {
    let organization = organizations::find(state, call.param("organizationId"))?;
    roles::find_of_organization(state, &organization.id, call.param("slug")).map(Arc::clone)
}
