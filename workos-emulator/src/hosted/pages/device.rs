//! The pages of the device flow.

use askama::Template;

use super::{Chrome, Form, PATH, TextField};

/// The code of a program that waits. Posts `user_code`, `decision` (`confirm` or `deny`) and the hidden fields.
#[derive(Template)]
#[template(path = "hosted/device.html")]
pub(crate) struct DeviceCodePage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) form: Form<'a>,
    /// Who has signed in.
    pub(crate) email: &'a str,
    /// The code to compare. None: the person has to type it.
    pub(crate) user_code: Option<&'a str>,
    /// Where they type it.
    pub(crate) field: TextField<'a>,
    /// Starts the sign-in again, as somebody else.
    pub(crate) sign_in_url: &'a str,
}

/// The end of the device flow.
#[derive(Template)]
#[template(path = "hosted/device_done.html")]
pub(crate) struct DeviceDonePage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) title: &'a str,
    pub(crate) text: &'a str,
    pub(crate) succeeded: bool,
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn page<'a>(user_code: Option<&'a str>, problems: &'a [String]) -> DeviceCodePage<'a> {
        DeviceCodePage {
            chrome: Chrome {
                lang: "en",
                environment: Cow::Borrowed("Acme"),
                logo: None,
                brand_style: None,
            },
            form: Form {
                action: "/authkit/device",
                hidden: &[("authorization_session_id", "01KA")],
            },
            email: "<b>ada@example.com",
            user_code,
            field: TextField { value: "", problems },
            sign_in_url: "/authkit/sign-in",
        }
    }

    #[test]
    fn a_code_of_a_link_is_compared_and_another_is_typed() {
        let compared = page(Some("BCDF-GHJK"), &[]).render().unwrap();
        assert!(compared.contains("BCDF-GHJK") && compared.contains(r#"name="user_code" value="BCDF-GHJK""#));
        assert!(compared.contains(r#"value="confirm""#) && compared.contains(r#"value="deny""#));
        assert!(!compared.contains("<b>"));
        let typed = page(None, &["Not known.".to_owned()]).render().unwrap();
        assert!(typed.contains(r#"<label for="user_code">"#) && typed.contains("Not known."));
        assert!(!typed.contains(r#"value="deny""#));
    }
}
