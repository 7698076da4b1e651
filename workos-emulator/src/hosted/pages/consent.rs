//! The consent page.

use askama::Template;

use super::{Chrome, Form, PATH, initials};

/// What an application asks for. Posts `decision` (`allow` or `deny`), each choice, and the hidden fields.
#[derive(Template)]
#[template(path = "hosted/consent.html")]
pub(crate) struct ConsentPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) form: Form<'a>,
    /// The name of the application.
    pub(crate) application: &'a str,
    /// The organization whose application it is.
    pub(crate) owner: Option<&'a str>,
    /// It registered itself: nobody has looked at its name.
    pub(crate) is_unverified: bool,
    /// Who is asked.
    pub(crate) email: &'a str,
    /// The organization that it gets access to.
    pub(crate) organization: Option<&'a str>,
    /// The server that it gets access to.
    pub(crate) resource: Option<&'a str>,
    /// What it may do, in words.
    pub(crate) scopes: &'a [String],
    pub(crate) choices: &'a [ConsentChoice<'a>],
    /// Where the browser goes then.
    pub(crate) destination: Option<&'a str>,
    /// Why the answer was not taken.
    pub(crate) error: Option<&'a str>,
    /// Starts the sign-in again, as somebody else, where that is possible.
    pub(crate) sign_in_url: Option<&'a str>,
}

impl ConsentPage<'_> {
    fn initials(&self) -> String {
        initials(self.application)
    }
}

/// Something to choose.
pub(crate) struct ConsentChoice<'a> {
    /// The name of the field.
    pub(crate) name: String,
    pub(crate) label: &'a str,
    pub(crate) groups: Vec<ConsentGroup<'a>>,
}

/// Values and their labels, under a heading or not.
pub(crate) struct ConsentGroup<'a> {
    pub(crate) label: Option<&'a str>,
    pub(crate) choices: Vec<(&'a str, &'a str)>,
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn says_who_asks_for_what_and_escapes_it() {
        let scopes = ["See your name".to_owned()];
        let choices = [ConsentChoice {
            name: "option_0".to_owned(),
            label: "Environment",
            groups: vec![
                ConsentGroup {
                    label: Some("Production"),
                    choices: vec![("prod_us", "US-East")],
                },
                ConsentGroup {
                    label: None,
                    choices: vec![("dev", "Development")],
                },
            ],
        }];
        let page = ConsentPage {
            chrome: Chrome {
                lang: "en",
                environment: Cow::Borrowed("Acme"),
                logo: None,
                brand_style: None,
            },
            form: Form {
                action: "/authkit/consent",
                hidden: &[("authorization_session_id", "01KA")],
            },
            application: "<b>Reports",
            owner: Some("Globex"),
            is_unverified: false,
            email: "ada@example.com",
            organization: Some("Initech"),
            resource: Some("https://mcp.example.com"),
            scopes: &scopes,
            choices: &choices,
            destination: Some("reports.example"),
            error: None,
            sign_in_url: Some("/authkit/sign-in"),
        };
        let html = page.render().unwrap();
        for part in [
            "Globex",
            "Initech",
            "ada@example.com",
            "See your name",
            "https://mcp.example.com",
            "reports.example",
            r#"value="allow""#,
            r#"value="deny""#,
            r#"<label for="option_0">Environment</label>"#,
            r#"<optgroup label="Production">"#,
            r#"<option value="prod_us">US-East</option>"#,
            r#"<option value="dev">Development</option>"#,
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert!(!html.contains("<b>"));
    }
}
