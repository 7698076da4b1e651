//! HTML: the document around every page, and what keeps data from becoming markup.

use actix_web::{HttpResponse, HttpResponseBuilder, http::header::ContentType};

/// Nothing but what is in the page: no scripts, no frames, no fonts or pictures from elsewhere.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'none'";

const BOAT: &str = r#"<svg class="boat" viewBox="0 0 48 40" aria-hidden="true"><path d="M24 3v20L8 27zM25.5 6v17L40 27z"/><path d="M3 28l21-5 21 5-8 10H11z"/></svg>"#;

/// A message above a page's content.
pub(crate) enum Notice<'a> {
    Done(&'a str),
    Failed(&'a str),
}

impl Notice<'_> {
    fn html(&self) -> String {
        match self {
            Self::Done(text) => format!(r#"<p class="notice done" role="status">{}</p>"#, escape(text)),
            Self::Failed(text) => format!(r#"<p class="notice failed" role="alert">{}</p>"#, escape(text)),
        }
    }
}

/// What stands above the content: the notice if there is one, and the heading.
pub(crate) fn heading(title: &str, notice: Option<&Notice<'_>>) -> String {
    let notice = notice.map_or_else(String::new, Notice::html);
    format!("{notice}<h1>{}</h1>", escape(title))
}

/// A page of one card, for people who are not signed in and for what went wrong.
pub(crate) fn card(
    mut response: HttpResponseBuilder,
    title: &str,
    body: &str,
    mailbox: Option<&str>,
) -> HttpResponse {
    let footer = mailbox.map_or_else(String::new, footer);
    let body = format!(r#"<main class="card">{BOAT}{body}</main>{footer}"#);
    respond(&mut response, title, "outside", &body)
}

/// For somebody who may not come in.
pub(crate) fn refusal(message: &str) -> HttpResponse {
    let body = format!(
        r#"<h1>You have no access any more</h1>
<p class="lead">{}</p>
<p class="actions"><a class="button quiet" href="/">Back to the start</a></p>"#,
        escape(message)
    );
    card(HttpResponse::Forbidden(), "No access – Paperboat", &body, None)
}

/// A page of the product.
pub(crate) fn inside(title: &str, header: &str, main: &str, mailbox: &str) -> HttpResponse {
    let footer = footer(mailbox);
    let body = format!("{header}<main>{main}</main>{footer}");
    respond(&mut HttpResponse::Ok(), title, "inside", &body)
}

pub(crate) fn brand() -> String {
    format!(r#"<a class="brand" href="/">{BOAT} Paperboat</a>"#)
}

fn footer(mailbox: &str) -> String {
    format!(
        r#"<footer><a href="{}">E-mails sent by this demo</a></footer>"#,
        escape(mailbox)
    )
}

fn respond(response: &mut HttpResponseBuilder, title: &str, class: &str, body: &str) -> HttpResponse {
    let style = include_str!("style.css");
    let title = escape(title);
    response
        .content_type(ContentType::html())
        .insert_header(("Content-Security-Policy", POLICY))
        .body(format!(
            r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body class="{class}">
{body}
</body>
</html>
"#
        ))
}

/// Text as HTML shows it, in elements and in quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// The moment that WorkOS writes as `2026-01-01T12:00:00.000Z`.
pub(crate) fn time(timestamp: &str) -> String {
    let minutes = timestamp.get(..16).unwrap_or(timestamp).replace('T', " ");
    format!(
        r#"<time datetime="{}">{} UTC</time>"#,
        escape(timestamp),
        escape(&minutes)
    )
}
