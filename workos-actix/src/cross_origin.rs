//! Forged requests (CSRF): what another site's page sends, with the cookies that the browser adds to it.
//!
//! The check is made where somebody asks who sent the request: by an extractor, a guard, `require_auth` or
//! [`AuthExt::auth`](crate::AuthExt::auth). Nothing can be done in a person's name without asking, so nothing is left
//! out; and what does not ask, such as a webhook or a form that is open to everybody, is not disturbed by a cookie that
//! happens to come along. A credential in `Authorization` is not checked: no browser adds that by itself.

use actix_web::{
    dev::RequestHead,
    http::{
        Method,
        header::{HeaderMap, ORIGIN, UPGRADE},
    },
};
use url::Url;

use crate::navigation;

/// Whose pages may change something with the session cookie.
#[derive(Debug, Clone)]
pub(crate) struct Origins {
    /// The origin of the redirect URI: this site also behind a proxy that rewrites `Host`.
    pub(crate) own: String,
    pub(crate) trusted: Vec<String>,
    /// Whether requests are checked where it is asked who sent them. The routes of this crate check in any case.
    pub(crate) are_checked: bool,
}

impl Origins {
    /// Whether the session cookie of a request must not count: it changes something, and another site sent it.
    pub(crate) fn is_forged(&self, head: &RequestHead) -> bool {
        self.are_checked && may_change_something(head) && !self.may_send(&head.headers)
    }

    /// Whether a page of this site or of a trusted one sent the request, or no browser at all.
    pub(crate) fn may_send(&self, headers: &HeaderMap) -> bool {
        navigation::is_same_origin(headers, &self.own)
            || headers
                .get(ORIGIN)
                .and_then(|origin| origin.to_str().ok())
                .is_some_and(|origin| self.trusted.iter().any(|trusted| trusted == origin))
    }
}

/// A WebSocket is opened by `GET`, and everything can be done through it.
fn may_change_something(head: &RequestHead) -> bool {
    let is_read = matches!(
        head.method,
        Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE
    );
    let opens_socket = || {
        let mut upgrades = head.headers.get_all(UPGRADE);
        upgrades.any(|value| value.as_bytes().to_ascii_lowercase().starts_with(b"websocket"))
    };
    !is_read || opens_socket()
}

/// An origin as browsers send it, if the text is one: scheme, host and perhaps a port.
pub(crate) fn parse(text: &str) -> Option<String> {
    let url = Url::parse(text.trim()).ok()?;
    let is_bare = matches!(url.scheme(), "http" | "https")
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    is_bare.then(|| navigation::origin_of(&url))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn is_forged(method: Method, headers: &[(&'static str, &'static str)], are_checked: bool) -> bool {
        let origins = Origins {
            own: "https://app.example".to_owned(),
            trusted: vec![parse("https://Admin.example:443/").unwrap()],
            are_checked,
        };
        let request = headers
            .iter()
            .fold(TestRequest::default().method(method), |request, header| {
                request.insert_header(*header)
            });
        origins.is_forged(request.to_http_request().head())
    }

    #[test]
    fn other_sites_may_read_and_not_change() {
        let foreign = [
            ("origin", "https://evil.example"),
            ("sec-fetch-site", "cross-site"),
        ];
        for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE] {
            assert!(!is_forged(method, &foreign, true));
        }
        for method in [
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
            Method::from_bytes(b"PURGE").unwrap(),
        ] {
            assert!(is_forged(method.clone(), &foreign, true), "{method}");
            assert!(is_forged(method.clone(), &foreign[..1], true), "{method}");
            assert!(is_forged(method.clone(), &foreign[1..], true), "{method}");
            assert!(
                is_forged(method.clone(), &[("sec-fetch-site", "same-site")], true),
                "{method}"
            );
            assert!(
                is_forged(method.clone(), &[("sec-fetch-site", "\u{e9}")], true),
                "{method}"
            );
            assert!(!is_forged(method.clone(), &foreign, false), "{method}");
            assert!(!is_forged(method.clone(), &[], true), "{method}");
            let own = [("origin", "https://app.example")];
            assert!(!is_forged(method.clone(), &own, true), "{method}");
            let trusted = [
                ("origin", "https://admin.example"),
                ("sec-fetch-site", "cross-site"),
            ];
            assert!(!is_forged(method, &trusted, true));
        }
    }

    #[test]
    fn a_socket_of_another_site_is_not_opened() {
        let socket = [
            ("upgrade", "WebSocket"),
            ("connection", "Upgrade"),
            ("origin", "https://evil.example"),
        ];
        assert!(is_forged(Method::GET, &socket, true));
        assert!(!is_forged(Method::GET, &socket[..2], true));
    }

    #[test]
    fn a_trusted_origin_is_nothing_but_an_origin() {
        for text in [
            "admin.example",
            "https://admin.example/path",
            "https://admin.example?",
            "https://user@admin.example",
            "null",
            "*",
            "file:///",
            "",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(
            parse("HTTP://LOCALHOST:5173").as_deref(),
            Some("http://localhost:5173")
        );
    }
}
