//! Which address a request names, and whether a web site sent it that has no business here.
//!
//! Browsers say where a request comes from, and no page can make them lie; what says nothing is no browser.

use actix_web::http::{Method, header::HeaderMap};
use url::{Host, Url};

use super::{error::ApiError, registry::Registry};
use crate::webhooks::signature;

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The `Host` of the request, where it is one: it stands in links and redirects.
fn host(headers: &HeaderMap) -> Option<&str> {
    let host = text(headers, "host")?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    (host.bytes().all(is_plain) && Url::parse(&format!("http://{host}")).is_ok()).then_some(host)
}

/// Where the client reaches the emulator, without a trailing slash: `--public-url`, else the host that it names.
pub(super) fn base_url(headers: &HeaderMap, registry: &Registry) -> String {
    registry.public_url().unwrap_or_else(|| {
        let host = host(headers).unwrap_or("localhost");
        let scheme = text(headers, "x-forwarded-proto")
            .filter(|scheme| *scheme == "https")
            .unwrap_or("http");
        format!("{scheme}://{host}")
    })
}

/// Whether one of our own pages sent this request, or no page at all.
pub(super) fn is_same_origin(headers: &HeaderMap, base_url: &str) -> bool {
    match (text(headers, "sec-fetch-site"), text(headers, "origin")) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => origin == base_url,
        (None, None) => true,
    }
}

/// Keeps those from the control API who can reach it without having been let in: web sites by the browser of a
/// developer who visits them, and the emulator's own webhooks.
pub(super) fn check_control(
    method: &Method,
    headers: &HeaderMap,
    registry: &Registry,
) -> Result<(), ApiError> {
    // An event that makes an event would never come to an end.
    if headers.contains_key(signature::HEADER) {
        return Err(ApiError::new(
            403,
            "webhook_to_itself",
            "A webhook endpoint cannot be the emulator's control API.",
        ));
    }
    // Reading is safe: without CORS headers, a page does not get to see the answer.
    if !method.is_safe() && !is_same_origin(headers, &base_url(headers, registry)) {
        return Err(ApiError::new(
            403,
            "cross_site_request",
            "The control API takes no requests from the pages of other sites.",
        ));
    }
    // With a control key it takes more than a browser to get in.
    if registry.control_key().is_none() && !names_private_host(headers, registry) {
        return Err(ApiError::new(
            403,
            "unknown_host",
            "The control API is called by an IP address, localhost, a name of the local network, or --public-url. \
             Start the emulator with --public-url to call it by another name.",
        ));
    }
    Ok(())
}

/// Whether no stranger can own the name by which the request came. A site may let its own name point to this machine, and
/// is the same origin then (DNS rebinding).
fn names_private_host(headers: &HeaderMap, registry: &Registry) -> bool {
    let Some(named) = text(headers, "host") else {
        return true;
    };
    let parsed = |url: &str| {
        Url::parse(url)
            .ok()
            .and_then(|url| url.host().map(|host| host.to_owned()))
    };
    let Some(host) = parsed(&format!("http://{named}")) else {
        return false;
    };
    if registry.public_url().and_then(|url| parsed(&url)).as_ref() == Some(&host) {
        return true;
    }
    match host {
        Host::Ipv4(_) | Host::Ipv6(_) => true,
        // Names that the public DNS does not have: RFC 6761, RFC 6762, and `.internal`, which ICANN reserves.
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            let top = name.rsplit('.').next().unwrap_or_default();
            !name.contains('.') || matches!(top, "localhost" | "test" | "local" | "internal")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;
    use crate::{
        environment::Environment,
        server::registry::{Options, Registry},
    };

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
                (name, HeaderValue::from_bytes(value.as_bytes()).unwrap())
            })
            .collect()
    }

    fn registry(public_url: Option<&str>, control_key: Option<&str>) -> Registry {
        let options = Options {
            public_url: public_url.map(str::to_owned),
            control_key: control_key.map(crate::core::secret::Secret::new),
            ..Options::default()
        };
        Registry::new(Arc::new(Environment::for_tests()), options)
    }

    fn refusal(method: &Method, pairs: &[(&'static str, &str)], registry: &Registry) -> Option<String> {
        let refused = check_control(method, &headers(pairs), registry).err()?;
        assert_eq!(refused.status, 403);
        refused.code().map(str::to_owned)
    }

    #[test]
    fn other_sites_change_nothing() {
        let registry = registry(None, None);
        let own = ("host", "localhost:4100");
        for sent in [
            [own, ("sec-fetch-site", "cross-site")],
            [own, ("sec-fetch-site", "same-site")],
            [own, ("origin", "https://evil.example")],
            [own, ("origin", "http://localhost:3000")],
            [own, ("origin", "null")],
        ] {
            for method in [Method::POST, Method::PATCH, Method::DELETE, Method::PUT] {
                assert_eq!(
                    refusal(&method, &sent, &registry).as_deref(),
                    Some("cross_site_request"),
                    "{sent:?}"
                );
            }
            assert_eq!(refusal(&Method::GET, &sent, &registry), None, "{sent:?}");
        }
        for sent in [
            [own, ("sec-fetch-site", "same-origin")],
            [own, ("origin", "http://localhost:4100")],
            [own, ("accept", "*/*")],
        ] {
            assert_eq!(refusal(&Method::POST, &sent, &registry), None, "{sent:?}");
        }
    }

    #[test]
    fn a_name_that_a_stranger_can_own_is_not_answered() {
        let open = registry(None, None);
        for host in [
            "evil.example:4100",
            "localhost.evil.example",
            "evil.example.",
            "a b",
            "",
        ] {
            let code = refusal(&Method::GET, &[("host", host)], &open);
            assert_eq!(code.as_deref(), Some("unknown_host"), "{host}");
        }
        for host in [
            "localhost:4100",
            "127.0.0.1:4100",
            "[::1]:4100",
            "10.0.0.2",
            "workos",
            "workos.test:1",
            "host.docker.internal:4100",
            "app.localhost",
        ] {
            assert_eq!(refusal(&Method::GET, &[("host", host)], &open), None, "{host}");
        }
        let evil = [("host", "workos.evil.example")];
        assert_eq!(
            refusal(
                &Method::GET,
                &evil,
                &registry(Some("https://workos.evil.example"), None)
            ),
            None
        );
        assert_eq!(refusal(&Method::GET, &evil, &registry(None, Some("key"))), None);
    }

    #[test]
    fn a_webhook_of_our_own_is_no_call() {
        let sent = [("host", "localhost:4100"), ("workos-signature", "t=1, v1=0")];
        let code = refusal(&Method::POST, &sent, &registry(None, None));
        assert_eq!(code.as_deref(), Some("webhook_to_itself"));
    }

    #[test]
    fn a_host_that_is_none_stands_in_no_link() {
        let registry = registry(None, None);
        for (host, base) in [
            ("127.0.0.1:4100", "http://127.0.0.1:4100"),
            ("[::1]:4100", "http://[::1]:4100"),
            ("work_os.test", "http://work_os.test"),
            ("a b", "http://localhost"),
            ("\"><script>", "http://localhost"),
            ("localhost:4100@evil.example", "http://localhost"),
            ("localhost/evil", "http://localhost"),
            ("évil", "http://localhost"),
            ("", "http://localhost"),
        ] {
            assert_eq!(base_url(&headers(&[("host", host)]), &registry), base, "{host}");
        }
    }
}
