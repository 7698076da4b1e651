//! The pages that ask for a code that was sent by e-mail.

use askama::Template;

use super::{Chrome, Form, PATH};

/// Asks for a code. Posts `code`, or `decision=send` for a new one, and the hidden fields.
#[derive(Template)]
#[template(path = "hosted/code.html")]
pub(crate) struct CodePage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) form: Form<'a>,
    pub(crate) title: &'a str,
    /// Where the code was sent to, or would have been: the page must be the same.
    pub(crate) email: &'a str,
    /// What the button says that sends the code.
    pub(crate) submit: &'a str,
    /// Why the attempt was refused. The text must be the same for an address that is known and one that is not.
    pub(crate) error: Option<&'a str>,
    /// A new code was asked for.
    pub(crate) sent_again: bool,
    /// Asks for the e-mail address again.
    pub(crate) sign_in_url: &'a str,
    /// None where there is no password to use instead.
    pub(crate) password_url: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn page(error: Option<&str>, sent_again: bool, password_url: Option<&str>) -> String {
        CodePage {
            chrome: Chrome {
                lang: "en",
                environment: Cow::Borrowed("Acme"),
                logo: None,
                brand_style: None,
            },
            form: Form {
                action: "/authkit/magic-auth",
                hidden: &[("authorization_session_id", "01KA")],
            },
            title: "Check your email",
            email: "<b>ada@example.com",
            submit: "Sign in",
            error,
            sent_again,
            sign_in_url: "/authkit/sign-in",
            password_url,
        }
        .render()
        .unwrap()
    }

    #[test]
    fn the_code_is_filled_in_by_the_browser_and_a_new_one_needs_none() {
        let page = page(None, false, None);
        assert!(page.contains(r#"autocomplete="one-time-code""#) && page.contains(r#"<label for="code">"#));
        assert!(page.contains(r#"value="send" formnovalidate"#));
        assert!(page.contains("ada@example.com") && !page.contains("<b>"));
        assert!(!page.contains("role=\"alert\"") && !page.contains("role=\"status\""));
        assert!(!page.contains("your password instead"));
    }

    #[test]
    fn says_what_happened() {
        let refused = page(Some("Not <this> one."), false, Some("/authkit/password"));
        assert!(refused.contains("Not &#60;this&#62; one.") && refused.contains(r#"aria-invalid="true""#));
        assert!(refused.contains("<title>Error: Check your email"));
        assert!(refused.contains(r#"href="/authkit/password""#));
        let sent = page(None, true, None);
        assert!(sent.contains("role=\"status\"") && sent.contains("a new code"));
    }
}
