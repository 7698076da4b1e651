//! The pages that send a link for a new password.

use askama::Template;

use super::{Chrome, Form, PATH, TextField};

/// Asks whose password is forgotten. Posts `email` and the hidden fields.
#[derive(Template)]
#[template(path = "hosted/forgot_password.html")]
pub(crate) struct ForgotPasswordPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) form: Form<'a>,
    /// What was typed before.
    pub(crate) email: &'a str,
    /// Why the address was refused: for its form alone.
    pub(crate) error: Option<&'a str>,
    pub(crate) back_url: &'a str,
}

/// Says that the mail is under way, if there is anybody to get it: the same for every address.
#[derive(Template)]
#[template(path = "hosted/forgot_password_sent.html")]
pub(crate) struct ForgotPasswordSentPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) email: &'a str,
    /// Where a developer reads it.
    pub(crate) mailbox_url: &'a str,
    pub(crate) again_url: &'a str,
    pub(crate) back_url: &'a str,
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn text_of_strangers_stays_text() {
        let hostile = "\"><script>alert(1)</script>";
        let chrome = Chrome {
            lang: "en",
            environment: Cow::Borrowed("Acme"),
            logo: None,
            brand_style: None,
        };
        let asked = ForgotPasswordPage {
            chrome: chrome.clone(),
            form: Form {
                action: "/authkit/forgot-password",
                hidden: &[],
            },
            email: hostile,
            error: Some("Enter an email address."),
            back_url: "/authkit/sign-in",
        };
        let sent = ForgotPasswordSentPage {
            chrome,
            email: hostile,
            mailbox_url: "/mailbox",
            again_url: "/authkit/forgot-password",
            back_url: "/authkit/password",
        };
        for html in [asked.render().unwrap(), sent.render().unwrap()] {
            assert!(
                !html.contains("<script") && html.contains("&#60;script&#62;"),
                "{html}"
            );
        }
    }
}
