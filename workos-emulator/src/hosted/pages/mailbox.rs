//! The pages of the mailbox.

use askama::Template;

use super::{Chrome, PATH};

/// A message, as a page shows it.
#[derive(Debug, Clone)]
pub(crate) struct Shown<'a> {
    /// Its own page.
    pub(crate) url: String,
    pub(crate) subject: &'a str,
    pub(crate) to: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) code: Option<&'a str>,
    /// Where it leads. Must be `http` or `https`.
    pub(crate) link: Option<&'a str>,
    /// For programs.
    pub(crate) created_at: String,
    /// For people.
    pub(crate) time: String,
}

/// A list of messages. Asks again with `to` for those to one address.
#[derive(Template)]
#[template(path = "hosted/mailbox.html")]
pub(crate) struct MailboxPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) action: &'a str,
    /// Which environment is meant, where it has to be said.
    pub(crate) environment: Option<&'a str>,
    /// Only messages to this address; all where it is empty.
    pub(crate) to: &'a str,
    pub(crate) messages: &'a [Shown<'a>],
    /// How many messages there are, to whomever.
    pub(crate) total: usize,
    pub(crate) all_url: &'a str,
    pub(crate) refresh_url: &'a str,
    pub(crate) older_url: Option<&'a str>,
    /// The newest message is on this page.
    pub(crate) is_first: bool,
    /// A command that waits for a message.
    pub(crate) example: &'a str,
}

/// One message.
#[derive(Template)]
#[template(path = "hosted/message.html")]
pub(crate) struct MessagePage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) message: Shown<'a>,
    pub(crate) sandbox: &'a str,
    /// The e-mail itself.
    pub(crate) frame_url: &'a str,
    /// The e-mail as text.
    pub(crate) text: &'a str,
    pub(crate) back_url: &'a str,
    /// All messages to the same address.
    pub(crate) to_url: &'a str,
}
