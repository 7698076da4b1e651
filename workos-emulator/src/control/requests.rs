//! `/_emulate/requests`: every request to the API, SCIM and the hosted pages, with secrets masked. Those to `/_emulate`
//! itself are left out.
//!
//! The last thousand are kept, and of their bodies 16 MiB; a reset empties the log. A request that no environment could be
//! found for, because of its key or of its path, is in the log of the default one. Bodies are shown where they are JSON or
//! a form of up to 64 KiB.

use actix_web::web::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::masking;
use crate::{
    core::clock,
    server::{
        body,
        call::Call,
        error::ApiError,
        reply::Reply,
        request_log::{Entry, LONGEST_BODY, Numbered},
    },
};

/// In front of the number of an entry.
const PREFIX: &str = "request_";

#[derive(Debug, Serialize)]
struct RequestBody<'a> {
    id: String,
    /// `X-Request-ID`
    request_id: &'a str,
    method: &'a str,
    path: &'a str,
    query: Map<String, Value>,
    /// The official SDK's name of it.
    operation: Option<&'a str>,
    status: u16,
    location: Option<String>,
    duration_ms: f64,
    request_body: Option<Value>,
    request_bytes: usize,
    response_body: Option<Value>,
    response_bytes: usize,
    #[serde(with = "clock::timestamp")]
    created_at: Timestamp,
}

/// Which requests are asked for.
struct Wanted<'a> {
    /// `/organizations`, or `/user_management/*` for all below.
    path: Option<&'a str>,
    method: Option<&'a str>,
    /// `404`, or `4xx`.
    status: Option<&'a str>,
}

impl Wanted<'_> {
    fn takes(&self, entry: &Entry) -> bool {
        let path = self.path.is_none_or(|path| match path.strip_suffix('*') {
            Some(prefix) => entry.path.starts_with(prefix),
            None => entry.path == path,
        });
        let method = self
            .method
            .is_none_or(|method| entry.method.eq_ignore_ascii_case(method));
        let status = self.status.is_none_or(|wanted| {
            let status = entry.status.to_string();
            match wanted.strip_suffix("xx") {
                Some(class) => status.starts_with(class),
                None => status == wanted,
            }
        });
        path && method && status
    }
}

/// `GET /_emulate/requests?path=&method=&status=&after=`: newest first; with `after`, only those that came later.
pub(super) fn list_requests(call: &Call) -> Result<Reply, ApiError> {
    let given = |name| call.query.get(name).filter(|value| !value.is_empty());
    let wanted = Wanted {
        path: given("path"),
        method: given("method"),
        status: given("status"),
    };
    if let Some(status) = wanted.status {
        check_status(status)?;
    }
    let log = &call.environment.requests;
    let after = match given("after") {
        None => 0,
        Some(id) => id
            .strip_prefix(PREFIX)
            .and_then(|number| number.parse().ok())
            .filter(|number| *number <= log.last())
            .ok_or_else(|| ApiError::not_found("Request", id))?,
    };
    let entries = log.after(after);
    let data: Vec<_> = entries
        .iter()
        .filter(|(_, entry)| wanted.takes(entry))
        .map(shown)
        .collect();
    Reply::ok(&json!({"data": data}))
}

/// `DELETE /_emulate/requests`
pub(super) fn empty_requests(call: &Call) -> Result<Reply, ApiError> {
    call.environment.requests.empty();
    Reply::empty(204)
}

fn check_status(status: &str) -> Result<(), ApiError> {
    let number = status
        .strip_suffix("xx")
        .map_or(status.to_owned(), |class| format!("{class}00"));
    if number.len() == 3
        && number
            .parse()
            .is_ok_and(|number: u16| (100..600).contains(&number))
    {
        return Ok(());
    }
    let message = "status is a status (404) or a class of them (4xx).";
    Err(ApiError::invalid_field("status", "invalid", message))
}

fn shown((number, entry): &Numbered) -> RequestBody<'_> {
    let request_body = parsed(entry.content_type.as_deref(), &entry.request_body);
    let response_body = parsed(None, &entry.response_body);
    RequestBody {
        id: format!("{PREFIX}{number}"),
        request_id: &entry.request_id,
        method: &entry.method,
        path: &entry.path,
        query: masking::pairs(&entry.query),
        operation: entry.operation,
        status: entry.status,
        location: entry.location.as_deref().map(masking::url),
        duration_ms: (entry.duration.as_secs_f64() * 1_000_000.0).round() / 1_000.0,
        request_body: request_body.map(masking::sent),
        request_bytes: entry.request_body.len(),
        response_body: response_body.map(|body| masking::answered(entry.status, body)),
        response_bytes: entry.response_body.len(),
        created_at: entry.created_at,
    }
}

/// A body that can be read, and so masked.
fn parsed(content_type: Option<&str>, bytes: &Bytes) -> Option<Value> {
    if bytes.is_empty() || bytes.len() > LONGEST_BODY {
        return None;
    }
    body::parse(content_type, bytes).ok()
}
