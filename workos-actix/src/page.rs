//! The few answers this crate writes itself: JSON errors and two plain HTML pages.

use std::borrow::Cow;

use actix_web::{HttpResponse, HttpResponseBuilder, http::header::ContentType};
use serde_json::json;

/// `{"code": …, "message": …}`, as the WorkOS API answers.
pub(crate) fn json_error(response: &mut HttpResponseBuilder, code: &str, message: &str) -> HttpResponse {
    response.json(json!({ "code": code, "message": message }))
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

    #[test]
    fn html_is_escaped() {
        assert_eq!(escape("<b a=\"'&\">"), "&lt;b a=&quot;&#39;&amp;&quot;&gt;");
        assert_eq!(escape("plain"), "plain");
    }
}
