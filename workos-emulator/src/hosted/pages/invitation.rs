//! The page of an invitation.

use askama::Template;

use super::{Chrome, Form, PATH};

/// Who invites to what. Posts the hidden fields, and `email=other` from who wants to use another address.
#[derive(Template)]
#[template(path = "hosted/invitation.html")]
pub(crate) struct InvitationPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) form: Form<'a>,
    pub(crate) title: &'a str,
    /// Who invites to what, in a sentence.
    pub(crate) sentence: &'a str,
    /// The invited address.
    pub(crate) email: &'a str,
    /// The invited address has no account.
    pub(crate) is_new: bool,
    /// Who else may accept it, as `another address at example.com`.
    pub(crate) others: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn says_who_invites_and_escapes_it() {
        let hostile = "<b>Mallory</b>";
        let page = |is_new, others| {
            InvitationPage {
                chrome: Chrome {
                    lang: "en",
                    environment: Cow::Borrowed(hostile),
                    logo: None,
                    brand_style: None,
                },
                form: Form {
                    action: "/invite",
                    hidden: &[("invitation_token", hostile)],
                },
                title: hostile,
                sentence: hostile,
                email: hostile,
                is_new,
                others,
            }
            .render()
            .unwrap()
        };
        let new = page(true, Some(hostile));
        assert!(!new.contains("<b>"), "{new}");
        assert!(new.contains("create an account") && new.contains(r#"value="other""#));
        let known = page(false, None);
        assert!(known.contains("sign in") && !known.contains("create an account"));
        assert!(!known.contains(r#"value="other""#));
    }
}
