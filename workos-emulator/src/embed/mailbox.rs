//! The e-mails of an environment.

use std::sync::Arc;

use crate::{
    control::mailbox::{Wanted, messages},
    environment::Environment,
    mail::Message,
};

/// Every e-mail that WorkOS would have sent.
#[derive(Debug, Clone)]
pub struct Mailbox(pub(super) Arc<Environment>);

/// An e-mail.
#[derive(Debug, Clone)]
pub struct Mail(Arc<Message>);

impl Mailbox {
    /// All e-mails, newest first.
    #[must_use]
    pub fn all(&self) -> Vec<Mail> {
        self.wanted(Wanted::default())
    }

    /// E-mails to this address, newest first.
    #[must_use]
    pub fn to(&self, address: &str) -> Vec<Mail> {
        self.wanted(Wanted {
            to: Some(address),
            ..Wanted::default()
        })
    }

    /// The newest e-mail to this address.
    #[must_use]
    pub fn last_to(&self, address: &str) -> Option<Mail> {
        self.to(address).into_iter().next()
    }

    fn wanted(&self, wanted: Wanted<'_>) -> Vec<Mail> {
        let state = self.0.state();
        let found = messages(&state, wanted).unwrap_or_default();
        found.into_iter().cloned().map(Mail).collect()
    }
}

impl Mail {
    /// What it is about: `magic_auth`, `email_verification`, `password_reset`, `invitation`, …
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.0.kind
    }

    /// The address that it was sent to.
    #[must_use]
    pub fn to(&self) -> &str {
        &self.0.to
    }

    /// Its subject.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// The code to type, where it has one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The link to follow, where it has one.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.0.url.as_deref()
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }
}
