//! The WorkOS API: a folder per product, a file per resource. Each file holds the resource's row, its rules and its operations.

pub(crate) mod admin_portal;
pub(crate) mod api_keys;
pub(crate) mod authorization;
#[cfg(test)]
mod cascade_tests;
pub(crate) mod client_api;
pub(crate) mod connect;
pub(crate) mod directory_sync;
pub(crate) mod events;
pub(crate) mod feature_flags;
pub(crate) mod groups;
pub(crate) mod metadata;
pub(crate) mod multi_factor_auth;
pub(crate) mod organization_domains;
pub(crate) mod organizations;
#[cfg(test)]
pub(crate) mod recorded;
pub(crate) mod sso;
pub(crate) mod user_management;
pub(crate) mod webhooks;
pub(crate) mod widgets;
