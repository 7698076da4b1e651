//! The intents whose steps the portal does not serve: it says so.

use super::{intents, page, pages::portal::NotServedPage, visit};
use crate::{
    api::admin_portal::intent::Intent,
    server::{call::Call, error::ApiError, reply::Reply},
};

pub(crate) const AUDIT_LOGS: &str = "/portal/audit-logs";
pub(crate) const LOG_STREAMS: &str = "/portal/log-streams";
pub(crate) const KEYS: &str = "/portal/keys";

/// `GET /portal/audit-logs`
pub(crate) fn show_audit_logs(call: &Call) -> Result<Reply, ApiError> {
    show(call, Intent::AuditLogs)
}

/// `GET /portal/log-streams`
pub(crate) fn show_log_streams(call: &Call) -> Result<Reply, ApiError> {
    show(call, Intent::LogStreams)
}

/// `GET /portal/keys`
pub(crate) fn show_keys(call: &Call) -> Result<Reply, ApiError> {
    show(call, Intent::BringYourOwnKey)
}

fn show(call: &Call, intent: Intent) -> Result<Reply, ApiError> {
    visit::show(call, Some(intent), |visit| {
        let (title, text) = intents::title(intent);
        page(
            200,
            &NotServedPage {
                chrome: visit.chrome(),
                frame: visit.frame(intents::path(intent)),
                title,
                text,
            },
        )
    })
}
