//! `/_emulate`: what a person does in the WorkOS dashboard, and what only an emulator can do.

pub(crate) mod hooks;
pub(crate) mod settings;
pub(crate) mod sign_in;
pub(crate) mod webhooks;

use serde_json::json;

use crate::server::{
    call::Call,
    error::ApiError,
    reply::Reply,
    routes::{Operation, get, post},
};

/// The operations of the control API.
#[rustfmt::skip]
pub(crate) const OPERATIONS: &[Operation] = &[
    get("/health", "health", health).control(),
    post("/_emulate/sign_in", "sign_in", sign_in::sign_in).control(),
    get("/_emulate/webhooks/deliveries", "list_deliveries", webhooks::list_deliveries).control(),
    post("/_emulate/webhooks/deliveries/{id}/resend", "resend_delivery", webhooks::resend_delivery).control(),
    post("/_emulate/webhooks/flush", "flush_webhooks", webhooks::flush_webhooks).control(),
    post("/_emulate/events", "emit_event", webhooks::emit_event).control(),
];

/// `GET /health`: 200 as soon as the emulator is ready.
fn health(_: &Call) -> Result<Reply, ApiError> {
    Reply::ok(&json!({"status": "ok"}))
}
