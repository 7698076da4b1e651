//! `/_emulate`: what a person does in the WorkOS dashboard, and what only an emulator can do.

mod clock;
pub(crate) mod connections;
pub(crate) mod device_authorizations;
mod directories;
pub(crate) mod environments;
mod feature_flags;
pub(crate) mod hooks;
pub(crate) mod impersonations;
mod keys;
pub(crate) mod mailbox;
mod masking;
mod organization_domains;
mod organizations;
mod requests;
mod seed;
pub(crate) mod settings;
pub(crate) mod sign_in;
pub(crate) mod snapshots;
pub(crate) mod sso_traces;
mod state;
pub(crate) mod webhooks;

use serde_json::json;

use crate::server::{
    call::Call,
    error::ApiError,
    operation::{Operation, delete, get, not_built, patch, post, put, waiting},
    reply::Reply,
};

/// The operations of the control API.
#[rustfmt::skip]
pub(crate) const OPERATIONS: &[Operation] = &[
    get("/health", "health", health).control(),
    get("/_emulate", "describe", environments::describe).control(),

    get("/_emulate/environments", "list_environments", environments::list_environments).control(),
    post("/_emulate/environments", "create_environment", environments::create_environment).control().slow(),
    get("/_emulate/environments/{id}", "get_environment", environments::get_environment).control(),
    delete("/_emulate/environments/{id}", "delete_environment", environments::delete_environment).control(),

    post("/_emulate/reset", "reset", snapshots::reset).control(),
    post("/_emulate/seed", "seed", seed::seed).control().slow(),
    get("/_emulate/snapshots", "list_snapshots", snapshots::list_snapshots).control(),
    post("/_emulate/snapshots", "create_snapshot", snapshots::create_snapshot).control(),
    post("/_emulate/snapshots/{id}/restore", "restore_snapshot", snapshots::restore_snapshot).control(),
    delete("/_emulate/snapshots/{id}", "delete_snapshot", snapshots::delete_snapshot).control(),
    get("/_emulate/state", "export_state", state::export_state).control().slow(),
    put("/_emulate/state", "import_state", state::import_state).control().slow(),

    get("/_emulate/clock", "get_clock", clock::get_clock).control(),
    post("/_emulate/clock", "move_clock", clock::move_clock).control(),
    get("/_emulate/settings", "get_settings", settings::get_settings).control(),
    patch("/_emulate/settings", "update_settings", settings::update_settings).control(),

    get("/_emulate/mailbox", "list_messages", mailbox::list_messages).control(),
    waiting("/_emulate/mailbox/wait", "wait_for_message", mailbox::wait_for_message).control(),
    get("/_emulate/mailbox/{id}", "get_message", mailbox::get_message).control(),
    delete("/_emulate/mailbox", "empty_mailbox", mailbox::empty_mailbox).control(),
    get("/_emulate/requests", "list_requests", requests::list_requests).control(),
    delete("/_emulate/requests", "empty_requests", requests::empty_requests).control(),

    get("/_emulate/hooks", "list_hooks", hooks::list_hooks).control(),
    post("/_emulate/hooks", "create_hook", hooks::create_hook).control(),
    delete("/_emulate/hooks/{id}", "delete_hook", hooks::delete_hook).control(),

    post("/_emulate/keys/rotate", "rotate_keys", keys::rotate_keys).control().slow(),
    post("/_emulate/sign_in", "sign_in", sign_in::sign_in).control(),
    post("/_emulate/impersonations", "impersonate", impersonations::impersonate).control(),
    post("/_emulate/device_authorizations/{user_code}/approve", "approve_device", device_authorizations::approve_device).control(),
    post("/_emulate/device_authorizations/{user_code}/deny", "deny_device", device_authorizations::deny_device).control(),

    post("/_emulate/connections", "create_connection", connections::create_connection).control(),
    patch("/_emulate/connections/{id}", "update_connection", connections::update_connection).control(),
    post("/_emulate/connections/{id}/profiles", "create_profile", connections::create_profile).control(),
    get("/_emulate/sso/traces", "list_sso_traces", sso_traces::list_sso_traces).control(),
    get("/_emulate/sso/traces/{id}", "get_sso_trace", sso_traces::get_sso_trace).control(),
    post("/_emulate/directories", "create_directory", directories::create_directory).control().slow(),
    patch("/_emulate/directories/{id}", "update_directory", directories::update_directory).control(),
    post("/_emulate/directories/{id}/users", "create_directory_user", directories::create_directory_user).control(),
    patch("/_emulate/directory_users/{id}", "update_directory_user", directories::update_directory_user).control(),
    delete("/_emulate/directory_users/{id}", "delete_directory_user", directories::delete_directory_user).control(),
    post("/_emulate/directories/{id}/groups", "create_directory_group", directories::create_directory_group).control(),
    patch("/_emulate/directory_groups/{id}", "update_directory_group", directories::update_directory_group).control(),
    delete("/_emulate/directory_groups/{id}", "delete_directory_group", directories::delete_directory_group).control(),
    put("/_emulate/directory_groups/{id}/users/{user_id}", "add_directory_group_user", directories::add_directory_group_user).control(),
    delete("/_emulate/directory_groups/{id}/users/{user_id}", "remove_directory_group_user", directories::remove_directory_group_user).control(),
    patch("/_emulate/organizations/{id}", "update_organization", organizations::update_organization).control(),
    patch("/_emulate/organization_domains/{id}", "update_organization_domain", organization_domains::update_organization_domain).control(),
    post("/_emulate/organization_domains/{id}/dns", "publish_dns", organization_domains::publish_dns).control(),
    post("/_emulate/feature_flags", "create_feature_flag", feature_flags::create_feature_flag).control(),
    patch("/_emulate/feature_flags/{slug}", "update_feature_flag", feature_flags::update_feature_flag).control(),
    delete("/_emulate/feature_flags/{slug}", "delete_feature_flag", feature_flags::delete_feature_flag).control(),
    not_built("POST", "/_emulate/resource_types", "create_resource_type").control(),
    not_built("GET", "/_emulate/resource_types", "list_resource_types").control(),
    not_built("DELETE", "/_emulate/resource_types/{slug}", "delete_resource_type").control(),

    get("/_emulate/webhooks/deliveries", "list_deliveries", webhooks::list_deliveries).control(),
    post("/_emulate/webhooks/deliveries/{id}/resend", "resend_delivery", webhooks::resend_delivery).control(),
    post("/_emulate/webhooks/flush", "flush_webhooks", webhooks::flush_webhooks).control(),
    post("/_emulate/events", "emit_event", webhooks::emit_event).control(),
];

/// `GET /health`: 200 as soon as the emulator is ready. Requests are not taken before seeding is done.
fn health(_: &Call) -> Result<Reply, ApiError> {
    Reply::ok(&json!({"status": "ok"}))
}
