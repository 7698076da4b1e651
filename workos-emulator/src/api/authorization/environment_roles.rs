//! The operations on roles of the environment. Source: <https://workos.com/docs/reference/roles>.

use std::sync::Arc;

use serde::Deserialize;

use super::roles::{self, NewRole, Role, RoleChanges, RoleList};
use crate::{
    server::{body::Patch, call::Call, error::ApiError, reply::Reply},
    store::Transaction,
};

/// `POST /authorization/roles`
#[derive(Debug, Deserialize)]
struct CreateRole {
    slug: String,
    name: String,
    description: Option<String>,
    resource_type_slug: Option<String>,
}

/// `PATCH …/roles/{slug}`
#[derive(Debug, Deserialize)]
pub(super) struct UpdateRole {
    name: Option<String>,
    #[serde(default)]
    description: Patch<String>,
}

impl From<UpdateRole> for RoleChanges {
    fn from(UpdateRole { name, description }: UpdateRole) -> Self {
        Self { name, description }
    }
}

/// `PUT …/roles/{slug}/permissions`
#[derive(Debug, Deserialize)]
pub(super) struct SetRolePermissions {
    pub(super) permissions: Vec<String>,
}

/// `POST …/roles/{slug}/permissions`
#[derive(Debug, Deserialize)]
pub(super) struct AddRolePermission {
    pub(super) slug: String,
}

/// `GET /authorization/roles`
pub(crate) fn list_environment_roles(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    Reply::ok(&roles::of_environment(&state).collect::<RoleList<'_>>())
}

/// `POST /authorization/roles`
pub(crate) fn create_environment_role(call: &Call) -> Result<Reply, ApiError> {
    let body: CreateRole = call.body()?;
    let new = NewRole {
        description: body.description,
        resource_type_slug: body.resource_type_slug,
        ..NewRole::named(&body.slug, &body.name)
    };
    let role = call.environment.transact(|tx| roles::create(tx, new))?;
    Reply::created(&role.body())
}

/// `GET /authorization/roles/{slug}`
pub(crate) fn get_environment_role(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    Reply::ok(&roles::find_of_environment(&state, call.param("slug"))?.body())
}

/// `PATCH /authorization/roles/{slug}`
pub(crate) fn update_environment_role(call: &Call) -> Result<Reply, ApiError> {
    let changes: UpdateRole = call.body()?;
    change(call, |tx, role| roles::update(tx, role, changes.into()))
}

/// `PUT /authorization/roles/{slug}/permissions`
pub(crate) fn set_environment_role_permissions(call: &Call) -> Result<Reply, ApiError> {
    let SetRolePermissions { permissions } = call.body()?;
    change(call, |tx, role| roles::set_permissions(tx, role, permissions))
}

/// `POST /authorization/roles/{slug}/permissions`
pub(crate) fn add_environment_role_permission(call: &Call) -> Result<Reply, ApiError> {
    let AddRolePermission { slug } = call.body()?;
    change(call, |tx, role| roles::add_permission(tx, role, slug))
}

/// Changes the role that the path names, and shows it.
fn change(
    call: &Call,
    rule: impl FnOnce(&mut Transaction<'_>, &Arc<Role>) -> Result<Arc<Role>, ApiError>,
) -> Result<Reply, ApiError> {
    let role = call.environment.transact(|tx| {
        let role = Arc::clone(roles::find_of_environment(tx, call.param("slug"))?);
        rule(tx, &role)
    })?;
    Reply::ok(&role.body())
}
