//! Resource indicators (RFC 8707): the MCP servers that access tokens may be for. Source:
//! <https://workos.com/docs/reference/authkit/oauth-resource>.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use super::applications::ConnectApplication;
use crate::{
    core::clock,
    server::{call::Call, error::ApiError, reply::Reply},
    store::{Index, Record, Select, State, Transaction},
};

/// A resource indicator, as kept and as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "object", rename = "authkit_oauth_resource")]
pub(crate) struct AuthkitOAuthResource {
    id: String,
    uri: String,
    default: bool,
    #[serde(with = "clock::timestamp")]
    created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    updated_at: Timestamp,
}

const BY_URI: Index<AuthkitOAuthResource> = Index::unique("uri", |row| vec![(row.uri.as_str().into(), 0)]);
const BY_DEFAULT: Index<AuthkitOAuthResource> = Index::unique("default", |row| {
    row.default.then_some(("".into(), 0)).into_iter().collect()
});
/// Those with a wildcard, which have to be gone through.
const PATTERNS: Index<AuthkitOAuthResource> = Index::ordered("patterns", |row| {
    row.uri
        .contains('*')
        .then_some(("".into(), 0))
        .into_iter()
        .collect()
});

impl Record for AuthkitOAuthResource {
    const INDEXES: &'static [Index<Self>] = &[BY_URI, BY_DEFAULT, PATTERNS];

    fn id(&self) -> &str {
        &self.id
    }
}

/// `POST /user_management/authkit_oauth_resources`
#[derive(Debug, Deserialize)]
struct CreateResource {
    uri: String,
    default: Option<bool>,
}

/// Adds a resource indicator. One that becomes the default takes the place of the one before.
///
/// Assumptions: the API's description is not published; what is wrong, or there already, is 422.
fn create(tx: &mut Transaction<'_>, new: CreateResource) -> Result<Arc<AuthkitOAuthResource>, ApiError> {
    let CreateResource { uri, default } = new;
    let default = default.unwrap_or_default();
    let refused = |field: &str, code: &str, message: &str| Err(ApiError::invalid_field(field, code, message));
    if let Err(message) = check(&uri) {
        return refused("uri", "invalid_uri", message);
    }
    if default && uri.contains('*') {
        return refused("default", "not_allowed", "A wildcard cannot be the default.");
    }
    if tx.authkit_oauth_resources.find(BY_URI, &uri).is_some() {
        return Err(ApiError::message(
            422,
            format!("Resource '{uri}' already exists."),
        ));
    }
    let now = tx.now();
    if default && let Some(before) = tx.authkit_oauth_resources.find(BY_DEFAULT, "").cloned() {
        tx.put(AuthkitOAuthResource {
            default: false,
            updated_at: now,
            ..AuthkitOAuthResource::clone(&before)
        })?;
    }
    let resource = AuthkitOAuthResource {
        id: tx.id("authkit_oauth_resource"),
        uri,
        default,
        created_at: now,
        updated_at: now,
    };
    Ok(tx.put(resource)?)
}

/// An absolute URI without a fragment (RFC 8707 section 2), with at most one `*`: in the first label of the host, or as
/// the last segment of the path.
fn check(uri: &str) -> Result<(), &'static str> {
    if uri.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return Err("uri has no spaces and no control characters.");
    }
    let url = Url::parse(uri).map_err(|_| "uri must be an absolute URI.")?;
    if url.fragment().is_some() || uri.contains('#') {
        return Err("uri must have no fragment.");
    }
    let stars = uri.matches('*').count();
    let host = url.host_str().unwrap_or_default();
    let in_host = host.split('.').next().is_some_and(|label| label.contains('*')) && host.contains('.');
    match stars {
        0 => Ok(()),
        1 if in_host || uri.ends_with("/*") => Ok(()),
        _ => Err("uri has at most one *, in the first label of the host or as the last segment of the path."),
    }
}

/// Whether a resource is one that a registered `pattern` stands for.
fn matches(pattern: &str, resource: &str) -> bool {
    let Some((prefix, suffix)) = pattern.split_once('*') else {
        return pattern == resource;
    };
    let middle = resource
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_suffix(suffix));
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    // In a path more may stand, as long as it is one segment.
    let may_stand = |byte: u8| is_plain(byte) || (suffix.is_empty() && matches!(byte, b'.' | b'~' | b'%'));
    middle.is_some_and(|middle| !middle.is_empty() && middle != ".." && middle.bytes().all(may_stand))
}

fn is_registered(state: &State, resource: &str) -> bool {
    let resources = &state.authkit_oauth_resources;
    let exact = resources.find(BY_URI, resource);
    exact.is_some_and(|row| !row.uri.contains('*'))
        || resources
            .group(PATTERNS, "")
            .any(|row| matches(&row.uri, resource))
}

/// The resource that an application asks for by the parameter `resource`, or why it cannot have it.
///
/// Applications that registered themselves have the default one if they ask for none, as seen in production.
///
/// Assumption: as long as the environment has no resource indicators, the parameter is passed over: MCP clients always
/// send it.
pub(super) fn asked(
    state: &State,
    application: &ConnectApplication,
    asked: &[&str],
) -> Result<Option<String>, String> {
    let asked: Vec<_> = asked.iter().filter(|resource| !resource.is_empty()).collect();
    if state.authkit_oauth_resources.len() == 0 {
        return Ok(None);
    }
    match asked.as_slice() {
        [] if application.is_dynamic() => {
            let default = state.authkit_oauth_resources.find(BY_DEFAULT, "");
            Ok(default.map(|row| row.uri.clone()))
        }
        [] => Ok(None),
        [resource] if is_registered(state, resource) => Ok(Some((**resource).to_owned())),
        [resource] => Err(format!(
            "The resource '{resource}' is not one of this environment."
        )),
        _ => Err("Ask for one resource at a time.".to_owned()),
    }
}

/// `GET /user_management/authkit_oauth_resources`
pub(crate) fn list_authkit_oauth_resources(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    Reply::ok(&Select::all().page(&state.authkit_oauth_resources, &call.page()?)?)
}

/// `POST /user_management/authkit_oauth_resources`
pub(crate) fn create_authkit_oauth_resource(call: &Call) -> Result<Reply, ApiError> {
    let new = call.body()?;
    Reply::created(&call.environment.transact(|tx| create(tx, new))?)
}

/// `DELETE /user_management/authkit_oauth_resources/{id}`. Tokens for it keep their `aud`.
pub(crate) fn delete_authkit_oauth_resource(call: &Call) -> Result<Reply, ApiError> {
    let id = call.param("id");
    call.environment
        .transact(|tx| match tx.delete::<AuthkitOAuthResource>(id) {
            Some(_) => Ok(()),
            None => Err(ApiError::not_found("AuthKit OAuth resource", id)),
        })?;
    Reply::empty(204)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_an_absolute_uri_with_a_wildcard_where_one_may_stand() {
        for uri in [
            "https://mcp.example.com/mcp",
            "https://*.example.com/mcp",
            "https://mcp.example.com/*",
            "urn:example:api",
        ] {
            assert_eq!(check(uri), Ok(()), "{uri}");
        }
        for uri in [
            "",
            "mcp.example.com",
            "https://mcp.example.com/#x",
            "https://mcp.example.com/ x",
            "https://*.example.com/*",
            "https://mcp.*.com/",
            "https://*/mcp",
            "https://mcp.example.com/*/mcp",
        ] {
            assert!(check(uri).is_err(), "{uri}");
        }
    }

    #[test]
    fn a_wildcard_stands_for_one_label_or_one_segment() {
        for (pattern, resource, fits) in [
            ("https://*.example.com/mcp", "https://a.example.com/mcp", true),
            ("https://*.example.com/mcp", "https://a.b.example.com/mcp", false),
            ("https://*.example.com/mcp", "https://.example.com/mcp", false),
            (
                "https://*.example.com/mcp",
                "https://evil.test/.example.com/mcp",
                false,
            ),
            ("https://mcp.example.com/*", "https://mcp.example.com/a", true),
            ("https://mcp.example.com/*", "https://mcp.example.com/", false),
            ("https://mcp.example.com/*", "https://mcp.example.com/a/b", false),
            ("https://mcp.example.com/*", "https://mcp.example.com/..", false),
            ("https://mcp.example.com/*", "https://mcp.example.com/a?b", false),
            (
                "https://mcp.example.com/mcp",
                "https://mcp.example.com/mcp/",
                false,
            ),
        ] {
            assert_eq!(matches(pattern, resource), fits, "{pattern} {resource}");
        }
    }
}
