//! Who is asking: a person's browser going to a page, or a program.

use actix_web::{
    dev::RequestHead,
    http::{
        Method,
        header::{ACCEPT, AUTHORIZATION, HOST, HeaderMap, ORIGIN},
    },
};
use url::Url;

/// Whether a browser is navigating to a page, so that a redirect makes sense as an answer.
///
/// Fetch metadata decides where the browser sends it; without it, a `GET` that prefers HTML and shows no sign of a
/// script.
pub(crate) fn is_navigation(head: &RequestHead) -> bool {
    let headers = &head.headers;
    if let Some(mode) = text(headers, "sec-fetch-mode") {
        return mode == "navigate";
    }
    matches!(head.method, Method::GET | Method::HEAD)
        && text(headers, ACCEPT.as_str()).is_some_and(|accept| accept.contains("text/html"))
        && text(headers, "x-requested-with").is_none()
        && !headers.contains_key(AUTHORIZATION)
}

/// Whether a script or a subresource is asking, by fetch metadata; a client without fetch metadata is believed.
pub(crate) fn is_subrequest(headers: &HeaderMap) -> bool {
    text(headers, "sec-fetch-mode").is_some_and(|mode| mode != "navigate")
}

/// Whether the browser loads the page ahead of a click that may never come.
pub(crate) fn is_prefetch(headers: &HeaderMap) -> bool {
    ["sec-purpose", "purpose", "x-moz", "x-purpose"]
        .into_iter()
        .filter_map(|name| text(headers, name))
        .any(|purpose| {
            ["prefetch", "prerender", "preview"]
                .iter()
                .any(|word| purpose.contains(word))
        })
}

/// Whether a state-changing request comes from this site, or from no browser at all.
///
/// `Sec-Fetch-Site` where the browser sends it (on secure origins, since 2023 in all), else `Origin`; a request with
/// neither is not from a browser that could be tricked. `own_origin` also counts as this site, for proxies that rewrite
/// `Host`.
pub(crate) fn is_same_origin(headers: &HeaderMap, own_origin: &str) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    if !headers.contains_key(ORIGIN) {
        return true;
    }
    let Some(origin) = text(headers, ORIGIN.as_str()) else {
        return false;
    };
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    origin == own_origin || (authority.is_some() && authority == text(headers, HOST.as_str()))
}

/// Whether another site sent the browser here.
pub(crate) fn is_cross_site(headers: &HeaderMap) -> bool {
    text(headers, "sec-fetch-site").is_some_and(|site| matches!(site, "cross-site" | "same-site"))
}

/// The origin of a URL as the `Origin` header writes it.
pub(crate) fn origin_of(url: &Url) -> String {
    url.origin().ascii_serialization()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn request(headers: &[(&'static str, &'static str)]) -> TestRequest {
        headers.iter().fold(TestRequest::get(), |request, header| {
            request.insert_header(*header)
        })
    }

    fn navigates(headers: &[(&'static str, &'static str)]) -> bool {
        is_navigation(request(headers).to_http_request().head())
    }

    #[test]
    fn navigation_is_told_from_fetch() {
        assert!(navigates(&[("sec-fetch-mode", "navigate")]));
        assert!(!navigates(&[("sec-fetch-mode", "cors"), ("accept", "text/html")]));
        assert!(navigates(&[("accept", "text/html,*/*")]));
        assert!(!navigates(&[("accept", "application/json")]));
        assert!(!navigates(&[("accept", "*/*")]));
        assert!(!navigates(&[]));
        assert!(!navigates(&[
            ("accept", "text/html"),
            ("x-requested-with", "XMLHttpRequest")
        ]));
        assert!(!navigates(&[
            ("accept", "text/html"),
            ("authorization", "Bearer x")
        ]));
        let post = request(&[("accept", "text/html")])
            .method(Method::POST)
            .to_http_request();
        assert!(!is_navigation(post.head()));
        let form = request(&[("sec-fetch-mode", "navigate")])
            .method(Method::POST)
            .to_http_request();
        assert!(is_navigation(form.head()));
    }

    #[test]
    fn prefetch_is_recognised() {
        for (name, value) in [
            ("sec-purpose", "prefetch;prerender"),
            ("purpose", "prefetch"),
            ("x-moz", "prefetch"),
        ] {
            assert!(is_prefetch(request(&[(name, value)]).to_http_request().headers()));
        }
        assert!(!is_prefetch(request(&[]).to_http_request().headers()));
    }

    #[test]
    fn only_this_site_may_change_state() {
        let own = "https://app.example";
        let allowed = |headers: &[(&'static str, &'static str)]| {
            is_same_origin(request(headers).to_http_request().headers(), own)
        };
        assert!(allowed(&[]));
        assert!(allowed(&[("sec-fetch-site", "same-origin"), ("origin", "null")]));
        assert!(allowed(&[("sec-fetch-site", "none")]));
        assert!(!allowed(&[("sec-fetch-site", "cross-site")]));
        assert!(!allowed(&[
            ("sec-fetch-site", "same-site"),
            ("origin", "https://app.example")
        ]));
        assert!(allowed(&[("origin", "https://app.example")]));
        assert!(allowed(&[
            ("origin", "http://127.0.0.1:8080"),
            ("host", "127.0.0.1:8080")
        ]));
        assert!(!allowed(&[
            ("origin", "https://evil.example"),
            ("host", "app.example")
        ]));
        assert!(!allowed(&[("origin", "null"), ("host", "app.example")]));
        assert!(!allowed(&[("origin", "https://app.example.evil.example")]));
    }
}
