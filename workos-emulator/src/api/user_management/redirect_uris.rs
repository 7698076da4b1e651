//! Redirect URIs: where a sign-in may lead to.
//!
//! Source: <https://workos.com/docs/reference/authkit/redirect-uri>; the rules for wildcards as in
//! <https://workos.com/docs/sso/redirect-uris>.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::{
    core::clock,
    server::{call::Call, error::ApiError, reply::Reply},
    store::{Index, Record, Select, State, Transaction},
};

/// A redirect URI, as kept and as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "object", rename = "redirect_uri")]
pub(crate) struct RedirectUri {
    pub(crate) id: String,
    /// As it was given; it may have a wildcard.
    pub(crate) uri: String,
    pub(crate) default: bool,
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    pub(crate) updated_at: Timestamp,
}

const BY_URI: Index<RedirectUri> = Index::unique("uri", |redirect| vec![(redirect.uri.as_str().into(), 0)]);
const BY_DEFAULT: Index<RedirectUri> = Index::unique("default", |redirect| {
    redirect.default.then_some(("".into(), 0)).into_iter().collect()
});

impl Record for RedirectUri {
    const INDEXES: &'static [Index<Self>] = &[BY_URI, BY_DEFAULT];

    fn id(&self) -> &str {
        &self.id
    }
}

/// Registers a redirect URI. The first one without a wildcard is the default.
///
/// Assumptions: the emulator is a staging environment, which allows `http`; schemes of native apps are not allowed.
pub(crate) fn create(tx: &mut Transaction<'_>, uri: &str) -> Result<Arc<RedirectUri>, ApiError> {
    let refused = |reason: &str| ApiError::invalid_field("uri", "invalid_redirect_uri", reason);
    let pattern = Pattern::parse(uri).map_err(refused)?;
    if tx.redirect_uris.find(BY_URI, uri).is_some() {
        return Err(ApiError::message(
            422,
            format!("Redirect URI '{uri}' already exists."),
        ));
    }
    let redirect = RedirectUri {
        id: tx.id("redir"),
        uri: uri.to_owned(),
        default: !pattern.has_wildcard() && tx.redirect_uris.find(BY_DEFAULT, "").is_none(),
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    Ok(tx.put(redirect)?)
}

fn delete(tx: &mut Transaction<'_>, id: &str) -> Result<(), ApiError> {
    let redirect = tx.redirect_uris.get(id);
    let redirect = redirect.ok_or_else(|| ApiError::not_found("Redirect URI", id))?;
    if redirect.default {
        return Err(ApiError::message(
            409,
            "The redirect URI is the default and cannot be deleted.",
        ));
    }
    tx.delete::<RedirectUri>(id);
    Ok(())
}

/// The URL that `given` is, if a sign-in may lead there: one that is registered, or any on this machine as long as none
/// is.
///
/// Both sides are compared as browsers read them (<https://url.spec.whatwg.org>), and the browser is sent to what was
/// compared, never to `given` itself: there is no second reading of the text that could lead elsewhere.
pub(crate) fn allowed(state: &State, given: &str) -> Option<Url> {
    let url = parse(given).ok()?;
    let mut registered = patterns(state).peekable();
    let allowed = match registered.peek() {
        Some(_) => registered.any(|pattern| pattern.matches(&url)),
        None => is_loopback(&url),
    };
    allowed.then_some(url)
}

/// Where a sign-in leads that names no redirect URI.
pub(crate) fn default(state: &State) -> Option<Url> {
    let default = state.redirect_uris.find(BY_DEFAULT, "")?;
    parse(&default.uri).ok()
}

/// The registered ones.
pub(super) fn patterns(state: &State) -> impl Iterator<Item = Pattern> {
    let registered = state.redirect_uris.iter();
    registered.filter_map(|redirect| Pattern::parse(&redirect.uri).ok())
}

/// A URL that can be redirected to, whether or not it may be.
pub(super) fn parse(text: &str) -> Result<Url, &'static str> {
    if text.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return Err("A redirect URI has no spaces and no control characters.");
    }
    let url = Url::parse(text).map_err(|_| "A redirect URI is an absolute URL.")?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("A redirect URI begins with https:// or http://.");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("A redirect URI names no user.");
    }
    if url.fragment().is_some() {
        return Err("A redirect URI has no fragment.");
    }
    Ok(url)
}

/// Whether the URL is on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A registered redirect URI, ready to be compared.
#[derive(Debug)]
pub(super) struct Pattern {
    /// Its host may have one `*`.
    pub(super) url: Url,
    any_port: bool,
}

impl Pattern {
    pub(super) fn parse(uri: &str) -> Result<Self, &'static str> {
        let (text, any_port) = match split_authority(uri) {
            Some((scheme, authority, rest)) if authority.ends_with(":*") => {
                let authority = authority.trim_end_matches(":*");
                (format!("{scheme}://{authority}{rest}"), true)
            }
            _ => (uri.to_owned(), false),
        };
        let url = parse(&text)?;
        if any_port && !is_loopback(&url) {
            return Err("Only localhost may have any port.");
        }
        let (_, _, rest) = split_authority(&text).ok_or("A redirect URI is an absolute URL.")?;
        if rest.contains('*') {
            return Err("A wildcard stands in the host name or for a port, nowhere else.");
        }
        // Not in the text: there `%2A` would hide it.
        let host = url.host_str().unwrap_or_default();
        if host.contains('*') {
            let (label, domain) = host.split_once('.').unwrap_or((host, ""));
            if label.matches('*').count() != 1 || domain.contains('*') {
                return Err("A host name has at most one wildcard, in its first label.");
            }
            // Assumption: the list of public suffixes is not at hand; a single label is always one of them.
            if !domain.contains('.') || domain.starts_with('.') {
                return Err("A wildcard does not stand for a domain of its own.");
            }
        }
        Ok(Self { url, any_port })
    }

    pub(super) fn has_wildcard(&self) -> bool {
        self.any_port || self.url.host_str().is_some_and(|host| host.contains('*'))
    }

    pub(super) fn matches(&self, url: &Url) -> bool {
        self.matches_site(url) && self.url.path() == url.path() && self.url.query() == url.query()
    }

    /// Whether scheme, host and port fit.
    pub(super) fn matches_site(&self, url: &Url) -> bool {
        let port = self.any_port || self.url.port_or_known_default() == url.port_or_known_default();
        port && self.url.scheme() == url.scheme() && self.matches_host(url.host_str().unwrap_or_default())
    }

    fn matches_host(&self, host: &str) -> bool {
        let pattern = self.url.host_str().unwrap_or_default();
        let Some((prefix, suffix)) = pattern.split_once('*') else {
            return pattern == host;
        };
        let middle = host
            .strip_prefix(prefix)
            .and_then(|rest| rest.strip_suffix(suffix));
        middle.is_some_and(|middle| {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            !middle.is_empty() && middle.bytes().all(is_plain)
        })
    }
}

/// `scheme://authority/rest`
fn split_authority(uri: &str) -> Option<(&str, &str, &str)> {
    let (scheme, rest) = uri.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    Some((scheme, authority, rest))
}

/// `GET /user_management/redirect_uris`
pub(crate) fn list_redirect_uris(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    Reply::ok(&Select::all().page(&state.redirect_uris, &call.page()?)?)
}

/// `POST /user_management/redirect_uris`
pub(crate) fn create_redirect_uri(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    struct CreateRedirectUri {
        uri: String,
    }
    let CreateRedirectUri { uri } = call.body()?;
    Reply::created(&call.environment.transact(|tx| create(tx, &uri))?)
}

/// `DELETE /user_management/redirect_uris/{id}`
pub(crate) fn delete_redirect_uris(call: &Call) -> Result<Reply, ApiError> {
    call.environment.transact(|tx| delete(tx, call.param("id")))?;
    Reply::empty(204)
}

#[cfg(test)]
mod tests;
