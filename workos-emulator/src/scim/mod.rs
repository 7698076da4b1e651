//! Inbound SCIM 2.0 at `/scim/v2.0/{external_key}`: how identity providers fill a directory. Source: RFC 7643, RFC 7644 and
//! <https://workos.com/docs/integrations/scim>.
//!
//! * [`access`] – which directory a request is about, and whether its bearer token is the directory's.
//! * [`schema`] – the schemas as data; [`conform`] brings what is sent into their form.
//! * [`path`], [`filter`], [`patch`], [`projection`] – the RFC's small languages. They know no directory.
//! * [`resource`] – how a user or a group becomes a SCIM resource, and by which index it is found; [`list`] pages of them.
//! * [`users`], [`groups`], [`search`], [`discovery`] – the operations.
//! * [`error`] – refusals in SCIM's form.
//!
//! What happens to a directory is decided by the rules of [`directory_sync`](crate::api::directory_sync), which the control
//! API calls as well. The setting `scim_profile` says whose reading of a request counts: WorkOS's, with what identity
//! providers send, or the RFC's alone.

mod access;
mod conform;
mod discovery;
mod error;
mod etag;
mod filter;
mod groups;
mod list;
mod members;
mod patch;
mod path;
mod projection;
mod request;
mod resource;
mod schema;
mod search;
mod users;

pub(crate) use self::{access::environment, error::reply as refusal, request::parse as parse_body};
use crate::{
    api::directory_sync::settings::ScimProfile as Profile,
    server::operation::{Operation, delete, get, patch, post, put},
};

/// Where everything of SCIM is.
pub(crate) const PREFIX: &str = "/scim/";

/// The largest body that is read, in bytes: WorkOS answers 413 above 2,000 KB.
pub(crate) const BODY_LIMIT: usize = 2_000 * 1024;

/// The operations of SCIM.
#[rustfmt::skip]
pub(crate) const OPERATIONS: &[Operation] = &[
    get("/scim/v2.0/{external_key}/ServiceProviderConfig", "scim_service_provider_config", discovery::service_provider_config).directory(),
    get("/scim/v2.0/{external_key}/ResourceTypes", "scim_list_resource_types", discovery::list_resource_types).directory(),
    get("/scim/v2.0/{external_key}/ResourceTypes/{id}", "scim_get_resource_type", discovery::get_resource_type).directory(),
    get("/scim/v2.0/{external_key}/Schemas", "scim_list_schemas", discovery::list_schemas).directory(),
    get("/scim/v2.0/{external_key}/Schemas/{id}", "scim_get_schema", discovery::get_schema).directory(),

    get("/scim/v2.0/{external_key}/Users", "scim_list_users", users::list_users).directory(),
    post("/scim/v2.0/{external_key}/Users", "scim_create_user", users::create_user).directory(),
    post("/scim/v2.0/{external_key}/Users/.search", "scim_search_users", search::search_users).directory(),
    get("/scim/v2.0/{external_key}/Users/{id}", "scim_get_user", users::get_user).directory(),
    put("/scim/v2.0/{external_key}/Users/{id}", "scim_replace_user", users::replace_user).directory(),
    patch("/scim/v2.0/{external_key}/Users/{id}", "scim_patch_user", users::patch_user).directory(),
    delete("/scim/v2.0/{external_key}/Users/{id}", "scim_delete_user", users::delete_user).directory(),

    get("/scim/v2.0/{external_key}/Groups", "scim_list_groups", groups::list_groups).directory(),
    post("/scim/v2.0/{external_key}/Groups", "scim_create_group", groups::create_group).directory(),
    post("/scim/v2.0/{external_key}/Groups/.search", "scim_search_groups", search::search_groups).directory(),
    get("/scim/v2.0/{external_key}/Groups/{id}", "scim_get_group", groups::get_group).directory(),
    put("/scim/v2.0/{external_key}/Groups/{id}", "scim_replace_group", groups::replace_group).directory(),
    patch("/scim/v2.0/{external_key}/Groups/{id}", "scim_patch_group", groups::patch_group).directory(),
    delete("/scim/v2.0/{external_key}/Groups/{id}", "scim_delete_group", groups::delete_group).directory(),

    post("/scim/v2.0/{external_key}/.search", "scim_search", search::search).directory(),
    post("/scim/v2.0/{external_key}/Bulk", "scim_bulk", discovery::bulk).directory(),
];
