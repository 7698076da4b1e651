//! The mailbox page: every e-mail that WorkOS would have sent, for the developer who would have got it.
//!
//! It is part of what the control API shows, and seen by those who may call that.

use jiff::Timestamp;
use url::form_urlencoded;

use super::{
    chrome, error, page, page_with_frame,
    pages::mailbox::{MailboxPage, MessagePage, Shown},
};
use crate::{
    control::mailbox::{self, Wanted},
    core::clock,
    mail::Message,
    server::{call::Call, error::ApiError, reply::Reply},
    store::Page,
};

pub(crate) const PATH: &str = "/mailbox";

/// How many messages a page shows.
const LIMIT: usize = 25;

/// What an e-mail may do in the frame that shows it: load nothing and run nothing, but lead on who clicks its link.
const SANDBOX: &str = "allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation";

/// The address of the mailbox, or of the messages to `to` in it.
pub(crate) fn address(call: &Call, to: Option<&str>) -> String {
    with_query(call, PATH, &[("to", to)])
}

/// `path` with what says which environment is meant, and what else there is to say.
fn with_query(call: &Call, path: &str, pairs: &[(&str, Option<&str>)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(environment) = environment(call) {
        query.append_pair("environment", environment);
    }
    for (name, value) in pairs {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

/// The environment's name, unless it is the one that is meant without saying.
fn environment(call: &Call) -> Option<&str> {
    let default = call.registry.default_environment();
    (call.environment.id != default.id).then_some(&call.environment.name)
}

/// `GET /mailbox?to=&environment=`: newest first.
pub(super) fn show_mailbox(call: &Call) -> Result<Reply, ApiError> {
    let given = |name| {
        call.query
            .get(name)
            .map(str::trim)
            .filter(|value| !value.is_empty())
    };
    let to = given("to");
    let state = call.environment.state();
    let wanted = Wanted {
        to,
        ..Wanted::default()
    };
    // A link to older messages may be older than the mailbox.
    let after = given("older_than").filter(|id| state.messages.place(id).is_some());
    let asked = Page {
        limit: LIMIT,
        after: after.map(str::to_owned),
        ..Page::default()
    };
    let list = mailbox::page(&state, wanted, &asked)?;
    let messages: Vec<_> = list.data.iter().map(|message| shown(call, message)).collect();
    let older_url = list
        .after
        .map(|id| with_query(call, PATH, &[("to", to), ("older_than", Some(&id))]));
    let mut example = format!("curl '{}/_emulate/mailbox/wait", call.base_url());
    example.push_str(&format!("?to={}'", to.unwrap_or("ada@example.com")));
    if let Some(name) = environment(call) {
        example.push_str(&format!(" \\\n  -H 'X-Emulate-Environment: {name}'"));
    }
    page(
        200,
        &MailboxPage {
            chrome: chrome(&call.environment),
            action: PATH,
            environment: environment(call),
            to: to.unwrap_or_default(),
            messages: &messages,
            total: state.messages.len(),
            all_url: &address(call, None),
            refresh_url: &address(call, to),
            older_url: older_url.as_deref(),
            is_first: after.is_none(),
            example: &example,
        },
    )
}

/// `GET /mailbox/{id}`
pub(super) fn show_message(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let Ok(message) = mailbox::find(&state, call.param("id")) else {
        return error::message_not_found(call, &address(call, None));
    };
    page_with_frame(
        200,
        &MessagePage {
            chrome: chrome(&call.environment),
            message: shown(call, message),
            sandbox: SANDBOX,
            frame_url: &with_query(call, &format!("{PATH}/{}/html", message.id), &[]),
            text: &message.text,
            back_url: &address(call, None),
            to_url: &address(call, Some(&message.to)),
        },
    )
}

/// `GET /mailbox/{id}/html`: the e-mail itself, for the frame on the page of the message.
pub(super) fn show_message_html(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let message = mailbox::find(&state, call.param("id"))?;
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'self'; sandbox {SANDBOX}"
    );
    Ok(Reply::html(200, message.html.clone())
        .header("Content-Security-Policy", policy)
        .header("X-Frame-Options", "SAMEORIGIN")
        .header("X-Content-Type-Options", "nosniff")
        .header("Referrer-Policy", "no-referrer")
        .header("Cache-Control", "no-store"))
}

fn shown<'a>(call: &Call, message: &'a Message) -> Shown<'a> {
    let url = message.url.as_deref();
    Shown {
        url: with_query(call, &format!("{PATH}/{}", message.id), &[]),
        subject: &message.subject,
        to: &message.to,
        kind: &message.kind,
        code: message.code.as_deref(),
        link: url.filter(|url| url.starts_with("http://") || url.starts_with("https://")),
        created_at: clock::iso8601(message.created_at),
        time: people_read(message.created_at),
    }
}

fn people_read(time: Timestamp) -> String {
    time.strftime("%b %-d, %H:%M:%S UTC").to_string()
}
