//! The page for people whom an organization does not let in by the way they came.

use askama::Template;

use super::{Chrome, PATH, provider::ProviderButtons};

/// Which way an organization wants, and how to go it.
#[derive(Template)]
#[template(path = "hosted/another_way.html")]
pub(crate) struct AnotherWayPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    /// The organization that does not let them in.
    pub(crate) organization: &'a str,
    /// Who has signed in.
    pub(crate) email: &'a str,
    /// It decides for everybody with such an address.
    pub(crate) by_domain: bool,
    /// Nothing but single sign-on will do.
    pub(crate) sso: bool,
    pub(crate) providers: ProviderButtons<'a>,
    /// One of the ways that begin with the e-mail address is allowed.
    pub(crate) by_email: bool,
    /// The choice between organizations, where there is one.
    pub(crate) organization_url: Option<&'a str>,
    /// Starts the sign-in again.
    pub(crate) sign_in_url: &'a str,
}
