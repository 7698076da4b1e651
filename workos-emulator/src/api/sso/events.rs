//! `authentication.sso_*`: how sign-ins through connections go.

use serde::Serialize;
use serde_json::{Value, json};

use super::connections::Connection;
use crate::{api::user_management::sessions::Device, server::error::ApiError, store::Transaction};

/// Whose sign-in it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About<'a> {
    pub(crate) connection: Option<&'a Connection>,
    /// The sign-in itself.
    pub(crate) session_id: Option<&'a str>,
    pub(crate) device: &'a Device,
    pub(crate) user_id: Option<&'a str>,
    pub(crate) email: Option<&'a str>,
}

/// What became of it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Status<'a> {
    Started,
    Succeeded,
    Failed(&'a str, &'a str),
    TimedOut,
}

#[derive(Serialize)]
struct Data<'a> {
    r#type: &'static str,
    status: &'static str,
    #[serde(flatten)]
    device: &'a Device,
    user_id: Option<&'a str>,
    email: Option<&'a str>,
    sso: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
}

/// Emits the event.
pub(crate) fn tell(tx: &mut Transaction<'_>, about: About<'_>, status: Status<'_>) -> Result<(), ApiError> {
    let error = |code: &str, message: &str| Some(json!({"code": code, "message": message}));
    let (status, error) = match status {
        Status::Started => ("started", None),
        Status::Succeeded => ("succeeded", None),
        Status::Failed(code, message) => ("failed", error(code, message)),
        Status::TimedOut => (
            "timed_out",
            error("sso_timed_out", "The identity provider did not answer in time."),
        ),
    };
    let data = Data {
        r#type: "sso",
        status,
        device: about.device,
        user_id: about.user_id,
        email: about.email,
        sso: json!({
            "organization_id": about.connection.and_then(|connection| connection.organization_id.as_deref()),
            "connection_id": about.connection.map(|connection| &connection.id),
            "session_id": about.session_id,
        }),
        error,
    };
    tx.emit(&format!("authentication.sso_{status}"), &data).map(drop)
}
