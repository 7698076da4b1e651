//! Cross-Origin Resource Sharing: the few operations that pages of other sites may call from a browser, and which sites.
//! Source: <https://fetch.spec.whatwg.org/#http-cors-protocol>.
//!
//! An operation is open to them by [`Operation::cross_origin`]. Nothing else ever answers with such a header, the control
//! API and the hosted pages least of all.

use actix_web::http::{Method, header::HeaderMap};

use super::{error::ApiError, operation::Operation, registry::Registry, reply::Reply};
use crate::{api::user_management::cors_origins::is_allowed, environment::Environment};

type Headers = Vec<(&'static str, String)>;

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The method that a browser asks about before it sends the request itself.
pub(super) fn preflighted(method: &Method, headers: &HeaderMap) -> Option<Method> {
    let is_preflight = *method == Method::OPTIONS && headers.contains_key("origin");
    let wanted = text(headers, "access-control-request-method").filter(|_| is_preflight)?;
    wanted.parse().ok()
}

/// The answer to a preflight for `operation`.
///
/// It comes without the body that will say which environment is meant, and so may go on to any that allows the origin:
/// [`headers`] decides about the answer, by the environment itself.
pub(super) fn preflight(
    operation: &Operation,
    request: &HeaderMap,
    registry: &Registry,
) -> Result<Reply, ApiError> {
    let origin = text(request, "origin").unwrap_or_default();
    let environments = registry.environments();
    if !environments
        .iter()
        .any(|environment| is_allowed(&environment.state(), origin))
    {
        let message = format!(
            "Pages of '{origin}' may not call this: it is none of the CORS origins, which \
             POST /user_management/cors_origins adds."
        );
        return Err(ApiError::new(403, "cors_origin_not_allowed", message).header("Vary", "Origin"));
    }
    let mut reply = Reply::empty(204)?;
    reply.headers = allowing(origin);
    let mut header = |name, value: &str| reply.headers.push((name, value.to_owned()));
    header("Access-Control-Allow-Methods", operation.method);
    // Who may send is decided by the origin: what its tools add to a request, such as trace headers, does no harm.
    if let Some(wanted) = text(request, "access-control-request-headers") {
        header("Access-Control-Allow-Headers", wanted);
    }
    Ok(reply)
}

/// What lets a page read the answer of `environment`; in any case, that the answer depends on the origin.
pub(super) fn headers(environment: &Environment, request: &HeaderMap) -> Headers {
    match text(request, "origin") {
        Some(origin) if is_allowed(&environment.state(), origin) => allowing(origin),
        _ => vec![("Vary", "Origin".to_owned())],
    }
}

/// Credentials are let through because `authkit-js` sends `credentials: "include"` outside of its development mode.
fn allowing(origin: &str) -> Headers {
    vec![
        ("Vary", "Origin".to_owned()),
        ("Access-Control-Allow-Origin", origin.to_owned()),
        ("Access-Control-Allow-Credentials", "true".to_owned()),
    ]
}
