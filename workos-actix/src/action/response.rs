//! The signed answer to an Action.

use actix_web::{HttpRequest, HttpResponse, Responder, body::BoxBody, http::header::ContentType};
use serde::Serialize;
use workos::SecretString;

use crate::webhook::sign;

/// WorkOS takes no longer message, counted as JavaScript counts.
const MAX_MESSAGE: usize = 500;

/// The answer to an [`Action`](crate::Action), made by [`allow`](crate::Action::allow) or [`deny`](crate::Action::deny).
///
/// As JSON it is `{"object", "payload": {"timestamp", "verdict", "error_message"}, "signature"}`. The signature is the
/// HMAC-SHA256 of the timestamp in milliseconds, `.`, and the payload as it is written.
#[derive(Debug)]
#[must_use = "return it from the handler"]
pub struct ActionResponse(String);

/// In the order in which WorkOS's kits write it.
#[derive(Serialize)]
struct Payload<'a> {
    timestamp: i64,
    verdict: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    error_message: &'a str,
}

impl ActionResponse {
    pub(super) fn allow(object: &str, secret: &SecretString, timestamp: i64) -> Self {
        let payload = Payload {
            timestamp,
            verdict: "Allow",
            error_message: "",
        };
        Self::new(object, secret, &payload)
    }

    pub(super) fn deny(object: &str, secret: &SecretString, timestamp: i64, message: &str) -> Self {
        let payload = Payload {
            timestamp,
            verdict: "Deny",
            error_message: bounded(message),
        };
        Self::new(object, secret, &payload)
    }

    /// Text and a number always become JSON. If they did not, WorkOS would refuse the answer.
    fn new(object: &str, secret: &SecretString, payload: &Payload<'_>) -> Self {
        let json = serde_json::to_string(payload).unwrap_or_default();
        let signature = sign(secret.expose(), payload.timestamp, json.as_bytes());
        Self(format!(
            r#"{{"object":"{object}","payload":{json},"signature":"{signature}"}}"#
        ))
    }
}

#[cfg(test)]
impl ActionResponse {
    pub(super) fn json(&self) -> &str {
        &self.0
    }
}

impl Responder for ActionResponse {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok().insert_header(ContentType::json()).body(self.0)
    }
}

/// As many whole characters as fit.
fn bounded(message: &str) -> &str {
    let mut units = 0;
    for (at, character) in message.char_indices() {
        units += character.len_utf16();
        if units > MAX_MESSAGE {
            return &message[..at];
        }
    }
    message
}
