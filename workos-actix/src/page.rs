//! The few answers this crate writes itself: problem details and two plain HTML pages.

use std::borrow::Cow;

use actix_web::{HttpResponse, HttpResponseBuilder, body::BoxBody, http::header::ContentType};
use serde_json::json;

/// What went wrong, for a program: problem details ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)) of the type
/// `about:blank`, whose title is the phrase of the status, with a `code` to tell one from another.
pub(crate) fn problem(response: &mut HttpResponseBuilder, code: &str, detail: &str) -> HttpResponse {
    let response = response.content_type("application/problem+json").finish();
    let status = response.status();
    let problem = json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or("Error"),
        "status": status.as_u16(),
        "detail": detail,
        "code": code,
    });
    response.set_body(BoxBody::new(problem.to_string()))
}

/// A page that says what went wrong and links to the way on.
pub(crate) fn error_page(
    response: &mut HttpResponseBuilder,
    title: &str,
    message: &str,
    link: (&str, &str),
) -> HttpResponse {
    let (href, label) = link;
    let body = format!(
        "<p>{}</p><p><a href=\"{}\">{}</a></p>",
        escape(message),
        escape(href),
        escape(label)
    );
    html(response, title, &body)
}

/// A page with one button that posts to `action`.
pub(crate) fn confirmation_page(
    response: &mut HttpResponseBuilder,
    title: &str,
    action: &str,
    label: &str,
) -> HttpResponse {
    let body = format!(
        "<form method=\"post\" action=\"{}\"><button type=\"submit\">{}</button></form>",
        escape(action),
        escape(label)
    );
    html(response, title, &body)
}

fn html(response: &mut HttpResponseBuilder, title: &str, body: &str) -> HttpResponse {
    let title = escape(title);
    response
        .insert_header(ContentType::html())
        .insert_header((
            "Content-Security-Policy",
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        ))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .insert_header(("Referrer-Policy", "no-referrer"))
        .body(format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\
             <style>:root{{color-scheme:light dark}}body{{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;\
             margin:15vh auto;padding:0 1rem}}button{{font:inherit;padding:.5rem 1rem}}</style></head>\
             <body><main><h1>{title}</h1>{body}</main></body></html>"
        ))
}

/// Text as HTML shows it, in elements and quoted attributes.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn a_problem_is_as_rfc_9457_says() {
        let response = problem(
            &mut HttpResponse::ServiceUnavailable(),
            "too_early",
            "try \"later\"",
        );
        let content_type = response.headers().get("content-type").unwrap();
        assert_eq!(content_type, "application/problem+json");
        let body = actix_web::body::to_bytes(response.into_body()).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let expected = json!({
            "type": "about:blank", "title": "Service Unavailable", "status": 503, "detail": "try \"later\"",
            "code": "too_early",
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn html_is_escaped() {
        assert_eq!(escape("<b a=\"'&\">"), "&lt;b a=&quot;&#39;&amp;&quot;&gt;");
        assert_eq!(escape("plain"), "plain");
    }
}
