//! CORS origins: the sites whose pages may call what a browser calls. Source:
//! <https://workos.com/docs/widgets/quick-start>; `server/cors.rs` is where they are asked for.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;

use super::redirect_uris::is_loopback;
use crate::{
    core::clock,
    server::{call::Call, error::ApiError, reply::Reply},
    store::{Index, Record, Select, State, Transaction},
};

/// A CORS origin, as kept and as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "object", rename = "cors_origin")]
pub(crate) struct CorsOrigin {
    pub(crate) id: String,
    /// As browsers send it: `https://app.example.com`.
    pub(crate) origin: String,
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    pub(crate) updated_at: Timestamp,
}

const BY_ORIGIN: Index<CorsOrigin> = Index::unique("origin", |row| vec![(row.origin.as_str().into(), 0)]);

impl Record for CorsOrigin {
    const INDEXES: &'static [Index<Self>] = &[BY_ORIGIN];

    fn id(&self) -> &str {
        &self.id
    }
}

/// Registers an origin.
///
/// Assumption: the emulator is a staging environment, which allows `http`.
pub(crate) fn create(tx: &mut Transaction<'_>, origin: &str) -> Result<Arc<CorsOrigin>, ApiError> {
    let url = parse(origin).map_err(|reason| invalid("isOrigin", reason))?;
    let origin = url.origin().ascii_serialization();
    if tx.cors_origins.find(BY_ORIGIN, &origin).is_some() {
        return Err(ApiError::conflict(
            "duplicate_cors_origin",
            "CORS origin already exists.",
        ));
    }
    let row = CorsOrigin {
        id: tx.id("cors_origin"),
        origin,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    Ok(tx.put(row)?)
}

/// Whether pages of `origin`, as a browser names it, may call the environment: a registered one, or any on this machine
/// as long as none is.
///
/// Assumption: the part about this machine, which is the rule of redirect URIs; production wants every origin to be
/// registered, `http://localhost:3000` too.
pub(crate) fn is_allowed(state: &State, origin: &str) -> bool {
    if state.cors_origins.len() > 0 {
        return state.cors_origins.find(BY_ORIGIN, origin).is_some();
    }
    parse(origin).is_ok_and(|url| is_loopback(&url))
}

/// The URL of an origin: scheme, host and port, and nothing else.
fn parse(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "origin must be an origin such as https://example.com")?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("origin must begin with https:// or http://");
    }
    let rest = text.split_once("://").map(|(_, rest)| rest);
    let is_authority = rest.is_some_and(|rest| !rest.contains(['/', '\\', '?', '#', '@', '*']));
    if !is_authority || text.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return Err("origin must have a scheme, a host and a port, and nothing else");
    }
    Ok(url)
}

/// 422 in the form that this operation has for itself.
///
/// Assumption: the names of the constraints, of which the description of the API tells nothing.
fn invalid(constraint: &str, message: &str) -> ApiError {
    let constraints: Map<_, _> = [(constraint.to_owned(), message.into())].into_iter().collect();
    ApiError::message(422, "Validation failed.").with(
        "errors",
        json!([{"property": "origin", "constraints": constraints}]),
    )
}

/// `GET /user_management/cors_origins`
pub(crate) fn list_cors_origins(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    Reply::ok(&Select::all().page(&state.cors_origins, &call.page()?)?)
}

/// `POST /user_management/cors_origins`
pub(crate) fn create_cors_origin(call: &Call) -> Result<Reply, ApiError> {
    let origin = call.raw_body().get("origin").and_then(Value::as_str);
    let origin = origin.ok_or_else(|| invalid("isString", "origin must be a string"))?;
    Reply::created(&call.environment.transact(|tx| create(tx, origin))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Environment;

    #[test]
    fn an_origin_is_kept_as_browsers_send_it_and_once() {
        let environment = Environment::for_tests();
        let create = |origin: &str| environment.transact(|tx| create(tx, origin));
        for (given, kept) in [
            ("https://example.com", "https://example.com"),
            ("https://APP.Example.com:443", "https://app.example.com"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://[::1]:5173", "http://[::1]:5173"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
        ] {
            let made = create(given).unwrap();
            assert!(made.id.starts_with("cors_origin_"));
            assert_eq!(made.origin, kept);
            let refused = create(kept).unwrap_err();
            assert_eq!(
                (refused.status, refused.code(), refused.description()),
                (409, Some("duplicate_cors_origin"), "CORS origin already exists.")
            );
        }
    }

    #[test]
    fn only_an_origin_is_one() {
        let environment = Environment::for_tests();
        for wrong in [
            "",
            "example.com",
            "*",
            "null",
            "https://",
            "https:example.com",
            "https://*.example.com",
            "https://example.com/",
            "https://example.com/app",
            "https://example.com\\app",
            "https://example.com?x",
            "https://example.com#x",
            "https://user@example.com",
            "https://example.com ",
            "https://exa\tmple.com",
            "https://example.com:70000",
            "ftp://example.com",
            "javascript://example.com",
        ] {
            let refused = environment.transact(|tx| create(tx, wrong)).unwrap_err();
            assert_eq!(refused.status, 422, "{wrong}");
            let body = Value::Object(refused.body);
            assert_eq!(body["message"], "Validation failed.");
            assert_eq!(body["errors"][0]["property"], "origin");
            assert!(
                body["errors"][0]["constraints"]["isOrigin"].is_string(),
                "{wrong}"
            );
        }
        assert_eq!(environment.state().cors_origins.len(), 0);
    }

    #[test]
    fn the_first_registered_origin_ends_what_holds_for_this_machine() {
        let environment = Environment::for_tests();
        let allowed = |origin: &str| is_allowed(&environment.state(), origin);
        assert!(allowed("http://localhost:5173") && allowed("http://127.0.0.1"));
        for other in ["https://example.com", "http://localhost.example.com", "null", ""] {
            assert!(!allowed(other), "{other}");
        }
        environment
            .transact(|tx| create(tx, "https://example.com"))
            .unwrap();
        assert!(allowed("https://example.com"));
        for other in [
            "http://localhost:5173",
            "http://example.com",
            "https://example.com:8443",
        ] {
            assert!(!allowed(other), "{other}");
        }
    }
}
