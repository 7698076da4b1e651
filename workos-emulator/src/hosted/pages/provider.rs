//! The pages of social login.

use askama::Template;

use super::{Chrome, Form, PATH, TextField, initials};

/// The buttons that lead to providers. Posts `provider` and the hidden fields.
#[derive(Default)]
pub(crate) struct ProviderButtons<'a> {
    pub(crate) form: Form<'a>,
    /// In the order to show them; none where none is on.
    pub(crate) buttons: Vec<ProviderButton>,
}

/// A provider to go to.
#[derive(Clone, Copy)]
pub(crate) struct ProviderButton {
    pub(crate) slug: &'static str,
    pub(crate) name: &'static str,
}

/// The page that takes a provider's place. Posts either `account`, or `email`, `first_name`, `last_name` and `idp_id` (all
/// but the first may be empty), or `decision=deny`; and the hidden fields.
#[derive(Template)]
#[template(path = "hosted/stand_in.html")]
pub(crate) struct StandInPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    /// What people call the provider.
    pub(crate) provider: &'a str,
    pub(crate) form: Form<'a>,
    /// Why the choice was refused.
    pub(crate) error: Option<&'a str>,
    pub(crate) accounts: &'a [ProviderAccount<'a>],
    /// Whether the provider makes sure that addresses are its users' own.
    pub(crate) verifies_email: bool,
    /// The fields for another account are open.
    pub(crate) types: bool,
    pub(crate) email: TextField<'a>,
    pub(crate) first_name: TextField<'a>,
    pub(crate) last_name: TextField<'a>,
    pub(crate) idp_id: TextField<'a>,
    /// What AuthKit asks for.
    pub(crate) scopes: &'a [&'a str],
    /// Further parameters that the application sent along.
    pub(crate) extras: &'a [(String, String)],
}

impl StandInPage<'_> {
    fn is_refused(&self) -> bool {
        let fields = [&self.email, &self.first_name, &self.last_name, &self.idp_id];
        self.error.is_some() || fields.iter().any(|field| !field.problems.is_empty())
    }

    fn initial(&self) -> String {
        self.provider.chars().take(1).collect()
    }
}

/// An account to choose.
pub(crate) struct ProviderAccount<'a> {
    /// What stands for it in the form.
    pub(crate) value: &'a str,
    pub(crate) name: Option<&'a str>,
    pub(crate) email: &'a str,
    /// A user signs in with it already.
    pub(crate) linked: bool,
}

impl ProviderAccount<'_> {
    fn initials(&self) -> String {
        initials(self.name.unwrap_or(self.email))
    }
}

/// Somebody came back from a provider with nothing.
#[derive(Template)]
#[template(path = "hosted/provider_refused.html")]
pub(crate) struct ProviderRefusedPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) title: &'a str,
    pub(crate) text: &'a str,
    pub(crate) sign_in_url: &'a str,
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    /// Breaks out of every context that a template could put it in, unless it is escaped.
    const HOSTILE: &str = r#""><script>alert('x')</script>"#;

    fn chrome() -> Chrome<'static> {
        Chrome {
            lang: "en",
            environment: Cow::Borrowed("Acme"),
            logo: None,
            brand_style: None,
        }
    }

    fn stand_in<'a>(accounts: &'a [ProviderAccount<'a>], text: &'a str, problems: &'a [String]) -> String {
        let field = TextField {
            value: text,
            problems,
        };
        let page = StandInPage {
            chrome: chrome(),
            provider: "Google",
            form: Form {
                action: "/authkit/provider/google",
                hidden: &[("state", text)],
            },
            error: None,
            accounts,
            verifies_email: true,
            types: false,
            email: field,
            first_name: field,
            last_name: field,
            idp_id: field,
            scopes: &[text],
            extras: &[(text.to_owned(), text.to_owned())],
        };
        page.render().unwrap()
    }

    #[test]
    fn says_that_it_stands_in_and_whom_it_knows() {
        let account = |linked| ProviderAccount {
            value: "108",
            name: Some("Ada Lovelace"),
            email: "ada@example.com",
            linked,
        };
        let page = stand_in(&[account(true)], "", &[]);
        assert!(page.contains("Stand-in for Google"));
        assert!(page.contains(r#"name="account" value="108""#) && page.contains(">AL<"));
        assert!(page.contains("linked already") && !page.contains("has to be verified"));
        assert!(!stand_in(&[account(false)], "", &[]).contains("linked already"));
        assert!(!page.contains("Error: ") && !page.contains("role=\"alert\""));
        assert!(stand_in(&[], "", &["No.".to_owned()]).contains("Error: Stand-in for Google"));
        assert!(!stand_in(&[], "", &[]).contains("class=\"choices\""));
    }

    #[test]
    fn what_strangers_typed_stays_text() {
        let account = ProviderAccount {
            value: HOSTILE,
            name: Some(HOSTILE),
            email: HOSTILE,
            linked: true,
        };
        let page = stand_in(&[account], HOSTILE, &[HOSTILE.to_owned()]);
        assert!(
            page.contains("&#60;script&#62;") && !page.contains("<script>"),
            "{page}"
        );
        let refused = ProviderRefusedPage {
            chrome: chrome(),
            title: HOSTILE,
            text: HOSTILE,
            sign_in_url: HOSTILE,
        };
        assert!(!refused.render().unwrap().contains("<script>"));
    }
}
