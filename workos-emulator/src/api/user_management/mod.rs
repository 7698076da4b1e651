//! AuthKit and user management. Source: <https://workos.com/docs/reference/authkit>.

pub(crate) mod memberships;
pub(crate) mod sessions;
pub(crate) mod users;
