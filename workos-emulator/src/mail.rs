//! E-mails: every one that WorkOS would send is kept in the environment's mailbox instead.

use std::sync::Arc;

use askama::Template;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    core::clock,
    hosted::brand,
    server::error::ApiError,
    store::{Index, Record, Transaction, group},
};

/// An e-mail, as kept and as shown. The mailbox is where its code is meant to be read.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Message {
    pub(crate) id: String,
    /// What it is about: `magic_auth`, `email_verification`, `password_reset`, `invitation`, …
    pub(crate) kind: String,
    pub(crate) to: String,
    pub(crate) subject: String,
    pub(crate) code: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) html: String,
    pub(crate) text: String,
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
}

/// Shows no code, no token and no text: those sign in.
impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("to", &self.to)
            .finish_non_exhaustive()
    }
}

/// Messages to an address, in whatever case it was written, and of a kind: in [`group`]s of both, either of which may be
/// empty to mean all.
pub(crate) const FILED: Index<Message> = Index::ordered("recipient and kind", |message| {
    let (to, kind) = (message.to.to_lowercase(), message.kind.as_str());
    [("", ""), (&to, ""), ("", kind), (&to, kind)]
        .map(|(to, kind)| (group(&[to, kind]), 0))
        .to_vec()
});

impl Record for Message {
    const INDEXES: &'static [Index<Self>] = &[FILED];

    fn id(&self) -> &str {
        &self.id
    }
}

/// What an e-mail says. Its text and its HTML are made from this.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mail<'a> {
    /// What it is about, in WorkOS's words: `magic_auth`, `email_verification`, `password_reset`, `invitation`, …
    pub(crate) kind: &'a str,
    pub(crate) to: &'a str,
    pub(crate) subject: &'a str,
    /// What happened, in a sentence or two.
    pub(crate) lead: &'a str,
    /// A code to type.
    pub(crate) code: Option<&'a str>,
    /// A token that the link carries, for applications with pages of their own.
    pub(crate) token: Option<&'a str>,
    /// A link to follow, and what its button says.
    pub(crate) link: Option<(&'a str, &'a str)>,
    /// How long it is good, and what to do if one did not ask for it.
    pub(crate) note: &'a str,
}

#[derive(Template)]
#[template(path = "mail/mail.html")]
struct Html<'a> {
    mail: Mail<'a>,
    /// Who it is from.
    name: &'a str,
    initials: &'a str,
    logo: Option<&'a str>,
    /// The environment's own colour, as CSS.
    brand_style: Option<String>,
}

#[derive(Template)]
#[template(path = "mail/mail.txt")]
struct Text<'a> {
    mail: Mail<'a>,
}

/// Puts an e-mail into the mailbox. It looks as the environment's branding says.
pub(crate) fn send(tx: &mut Transaction<'_>, mail: Mail<'_>) -> Result<Arc<Message>, ApiError> {
    let failed = |error: askama::Error| ApiError::message(500, error.to_string());
    let branding = tx.settings().branding.clone();
    let name = tx.shown_name().to_owned();
    let html = Html {
        mail,
        name: &name,
        initials: &brand::initials(&name),
        logo: branding.logo_url.as_deref(),
        brand_style: branding.color.as_deref().and_then(brand::css),
    };
    let message = Message {
        id: tx.id("message"),
        kind: mail.kind.to_owned(),
        to: mail.to.to_owned(),
        subject: mail.subject.to_owned(),
        code: mail.code.map(str::to_owned),
        token: mail.token.map(str::to_owned),
        url: mail.link.map(|(_, url)| url.to_owned()),
        html: html.render().map_err(failed)?,
        text: Text { mail }.render().map_err(failed)?,
        created_at: tx.now(),
    };
    Ok(tx.put(message)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Environment;

    #[test]
    fn says_the_same_as_text_and_as_html() {
        let environment = Environment::for_tests();
        let mail = Mail {
            kind: "password_reset",
            to: "ada@example.com",
            subject: "Reset your password",
            lead: "Somebody asked to <reset> your password.",
            code: Some("123456"),
            token: Some("t"),
            link: Some(("Reset password", "http://auth.test/reset?token=t&x=1")),
            note: "The link works for 15 minutes.",
        };
        let message = environment.transact(|tx| send(tx, mail)).unwrap();
        for part in [
            mail.lead,
            "123456",
            "http://auth.test/reset?token=t&x=1",
            mail.note,
        ] {
            assert!(message.text.contains(part), "{part} in {}", message.text);
        }
        for part in [
            "&#60;reset&#62;",
            "123456",
            "http://auth.test/reset?token=t&#38;x=1",
            "Reset password",
            mail.note,
        ] {
            assert!(message.html.contains(part), "{part} in {}", message.html);
        }
        assert_eq!(message.url.as_deref(), Some("http://auth.test/reset?token=t&x=1"));
        assert!(!format!("{message:?}").contains("123456"));
    }

    #[test]
    fn looks_like_the_environment() {
        let environment = Environment::for_tests();
        let plain = environment.transact(|tx| send(tx, Mail::default())).unwrap();
        assert!(
            plain
                .html
                .contains(r#"<span class="mark" aria-hidden="true">T</span>test"#)
        );
        let branding = serde_json::json!({"branding": {
            "name": "Acme & Sons", "logo_url": "data:image/png;base64,AA==", "color": "#ff0000",
        }});
        environment
            .transact(|tx| crate::control::settings::change(tx, &branding))
            .unwrap()
            .unwrap();
        let branded = environment.transact(|tx| send(tx, Mail::default())).unwrap();
        for part in [
            r#"<img class="logo" src="data:image/png;base64,AA==" alt="">Acme &#38; Sons"#,
            "--accent: #ff0000",
        ] {
            assert!(branded.html.contains(part), "{part} in {}", branded.html);
        }
    }
}
