//! The error bodies of the real service, made in one place.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::store::{Conflict, UnknownCursor};

/// A refusal: its status, its body, and headers that its status asks for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Map<String, Value>,
}

/// What is wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FieldError {
    pub(crate) field: String,
    pub(crate) code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
}

impl FieldError {
    pub(crate) fn new(field: impl Into<String>, code: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            code: code.into(),
            message: None,
        }
    }

    pub(crate) fn message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }
}

impl ApiError {
    /// `{message}`, the bare form.
    pub(crate) fn message(status: u16, message: impl Into<String>) -> Self {
        let body = Map::from_iter([("message".to_owned(), message.into().into())]);
        Self {
            status,
            headers: Vec::new(),
            body,
        }
    }

    /// `{message, code}`, WorkOS's usual form.
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self::message(status, message).with("code", code)
    }

    /// `{error, error_description}`, the OAuth form (RFC 6749 section 5.2).
    pub(crate) fn oauth(error: &str, description: impl Into<String>) -> Self {
        Self {
            status: 400,
            headers: Vec::new(),
            body: Map::new(),
        }
        .with("error", error)
        .with("error_description", description.into())
    }

    /// One more member of the body.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.body.insert(name.to_owned(), value.into());
        self
    }

    /// A header of the answer.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// A step of a sign-in that is still to be made: 403 with the token that continues it.
    ///
    /// Source: <https://workos.com/docs/reference/authkit/authentication-errors>.
    pub(crate) fn step_up(code: &str, message: &str, pending_authentication_token: &str) -> Self {
        Self::new(403, code, message).with("pending_authentication_token", pending_authentication_token)
    }

    /// 404 for a thing that is not there.
    pub(crate) fn not_found(entity: &str, id: &str) -> Self {
        Self::new(404, "entity_not_found", format!("{entity} not found: '{id}'.")).with("entity_id", id)
    }

    /// 400 with a code.
    pub(crate) fn bad_request(code: &str, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// 409 with a code.
    pub(crate) fn conflict(code: &str, message: impl Into<String>) -> Self {
        Self::new(409, code, message)
    }

    /// 422 `invalid_request_parameters`, naming every field that is wrong.
    pub(crate) fn invalid(errors: impl IntoIterator<Item = FieldError>) -> Self {
        let errors: Vec<_> = errors.into_iter().collect();
        Self::new(422, "invalid_request_parameters", "Validation failed.").with("errors", json!(errors))
    }

    /// 422 for one field.
    pub(crate) fn invalid_field(field: &str, code: &str, message: impl Into<String>) -> Self {
        Self::invalid([FieldError::new(field, code).message(message)])
    }

    /// 401 for a missing or unknown API key.
    pub(crate) fn unauthorized() -> Self {
        Self::message(401, "Unauthorized")
    }

    /// 405 for a path that is there, with `Allow` (RFC 9110 section 15.5.6).
    pub(crate) fn method_not_allowed(method: &str, path: &str, allowed: &[&str]) -> Self {
        let allowed = allowed.join(", ");
        let message = format!("{path} takes {allowed}, not {method}.");
        Self::new(405, "method_not_allowed", message).header("Allow", allowed)
    }

    /// 501 for an operation that WorkOS or the control API has, and that is not built yet.
    pub(crate) fn not_implemented(operation: &str, method: &str, path: &str) -> Self {
        let api = if path.starts_with("/_emulate") {
            "control"
        } else {
            "WorkOS"
        };
        Self::new(
            501,
            "not_implemented",
            format!("{operation} ({method} {path}) is part of the {api} API, but this emulator does not serve it yet."),
        )
        .with("operation", operation)
    }

    /// What it says to people.
    pub(crate) fn description(&self) -> &str {
        ["message", "error_description"]
            .iter()
            .find_map(|name| self.body.get(*name)?.as_str())
            .unwrap_or_default()
    }

    pub(crate) fn code(&self) -> Option<&str> {
        ["code", "error"]
            .iter()
            .find_map(|name| self.body.get(*name)?.as_str())
    }
}

impl ApiError {
    /// What is wrong with the fields, for a page that shows it beside them.
    pub(crate) fn field_messages(&self) -> Vec<&str> {
        self.fields().into_iter().map(|(_, message)| message).collect()
    }

    /// The fields that are wrong, and what is wrong with each.
    pub(crate) fn fields(&self) -> Vec<(&str, &str)> {
        let errors = self.body.get("errors").and_then(Value::as_array);
        let errors = errors.into_iter().flatten();
        errors
            .filter_map(|error| Some((error.get("field")?.as_str()?, error.get("message")?.as_str()?)))
            .collect()
    }

    /// The message, and what is wrong with which field.
    pub(crate) fn explanation(&self) -> String {
        let text = |name| self.body.get(name).and_then(Value::as_str);
        let message = text("message").or_else(|| text("error_description"));
        let mut explanation = message.unwrap_or_default().to_owned();
        let errors = self.body.get("errors").and_then(Value::as_array);
        for error in errors.into_iter().flatten() {
            let detail = error
                .get("message")
                .or_else(|| error.get("code"))
                .and_then(Value::as_str);
            explanation.extend([" ", detail.unwrap_or_default()]);
        }
        explanation
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.explanation())
    }
}

impl std::error::Error for ApiError {}

/// A rule checks what it can name a better error for; what is left is a plain conflict.
impl From<Conflict> for ApiError {
    fn from(conflict: Conflict) -> Self {
        Self::conflict("conflict", format!("{conflict}."))
    }
}

/// Assumption: production's answer to an unknown cursor is not documented; it is refused like any wrong parameter.
impl From<UnknownCursor> for ApiError {
    fn from(cursor: UnknownCursor) -> Self {
        let field = match cursor {
            UnknownCursor::Before => "before",
            UnknownCursor::After => "after",
        };
        Self::invalid_field(
            field,
            "invalid_cursor",
            format!("{field} is not the id of an item of this list."),
        )
    }
}
