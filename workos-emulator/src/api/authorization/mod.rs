//! Roles and permissions. Source: <https://workos.com/docs/reference/roles>.

pub(crate) mod permissions;
pub(crate) mod roles;
