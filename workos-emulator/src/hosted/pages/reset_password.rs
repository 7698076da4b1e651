//! The pages behind the link of a password reset.

use askama::Template;

use super::{Chrome, Form, PATH, TextField};

/// Asks for the new password. Posts `password` and the hidden fields.
#[derive(Template)]
#[template(path = "hosted/reset_password.html")]
pub(crate) struct ResetPasswordPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) form: Form<'a>,
    /// Whose password it is.
    pub(crate) email: &'a str,
    /// What the password policy found.
    pub(crate) password_problems: &'a [String],
    /// What the password policy asks for, in a short sentence.
    pub(crate) password_hint: &'a str,
}

/// A link that cannot be used, or not any more.
#[derive(Template)]
#[template(path = "hosted/reset_link_over.html")]
pub(crate) struct ResetLinkOverPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) title: &'a str,
    pub(crate) why: &'a str,
    /// Whether a new link would help.
    pub(crate) can_ask_again: bool,
    /// Where to ask for it, in a browser whose sign-in is still going on.
    pub(crate) again_url: Option<&'a str>,
    pub(crate) application_url: Option<&'a str>,
}

/// The new password is set.
#[derive(Template)]
#[template(path = "hosted/password_changed.html")]
pub(crate) struct PasswordChangedPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    /// Goes on with the sign-in of this browser.
    pub(crate) sign_in_url: Option<&'a str>,
    pub(crate) application_url: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    const CHROME: Chrome<'static> = Chrome {
        lang: "en",
        environment: Cow::Borrowed("Acme"),
        logo: None,
        brand_style: None,
    };

    #[test]
    fn a_refused_password_says_why_and_is_not_shown() {
        let problems = ["Too <short>.".to_owned()];
        let page = ResetPasswordPage {
            chrome: CHROME,
            form: Form {
                action: "/authkit/reset-password",
                hidden: &[("token", "t\"")],
            },
            email: "<b>ada@example.com",
            password_problems: &problems,
            password_hint: "At least 10 characters.",
        };
        let html = page.render().unwrap();
        assert!(html.contains("<title>Error: Choose a new password"));
        assert!(html.contains("Too &#60;short&#62;.") && html.contains(r#"aria-invalid="true""#));
        assert!(html.contains(r#"name="token" value="t&#34;""#));
        assert!(!html.contains("<b>") && html.contains("At least 10 characters."));
    }

    #[test]
    fn each_end_has_a_way_on_as_far_as_there_is_one() {
        let changed = |sign_in_url, application_url| {
            let page = PasswordChangedPage {
                chrome: CHROME,
                sign_in_url,
                application_url,
            };
            page.render().unwrap()
        };
        let here = changed(Some("/authkit/password"), Some("http://app.test/"));
        assert!(here.contains(r#"href="/authkit/password""#) && !here.contains("http://app.test/"));
        assert!(changed(None, Some("http://app.test/")).contains(r#"href="http://app.test/""#));
        assert!(changed(None, None).contains("You can close this page"));
        let over = |can_ask_again, again_url| {
            let page = ResetLinkOverPage {
                chrome: CHROME,
                title: "This link has expired",
                why: "It is old.",
                can_ask_again,
                again_url,
                application_url: None,
            };
            page.render().unwrap()
        };
        assert!(over(true, Some("/again")).contains(r#"href="/again""#));
        assert!(over(true, None).contains("Forgot password?"));
        assert!(!over(false, None).contains("Forgot password?"));
    }
}
