//! The pages of the waitlist.

use askama::Template;

use super::{Chrome, Form, PATH, TextField};

/// Asks for the address of somebody who wants to sign up. Posts `email` and the hidden fields.
#[derive(Template)]
#[template(path = "hosted/waitlist.html")]
pub(crate) struct WaitlistPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) form: Form<'a>,
    pub(crate) email: TextField<'a>,
    pub(crate) sign_in_url: &'a str,
}

/// The end of it: the same, whatever is known of the address.
#[derive(Template)]
#[template(path = "hosted/waitlist_done.html")]
pub(crate) struct WaitlistDonePage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) email: &'a str,
    pub(crate) sign_in_url: &'a str,
}
