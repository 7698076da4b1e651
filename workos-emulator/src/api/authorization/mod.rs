//! Roles and permissions. Source: <https://workos.com/docs/reference/roles>.

pub(crate) mod environment_roles;
pub(crate) mod organization_roles;
pub(crate) mod permissions;
pub(crate) mod roles;
mod text;
