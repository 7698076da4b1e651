//! The page for people whom an organization does not let in by the way they came.

use askama::Template;

use super::{Chrome, Form, PATH, provider::ProviderButtons};

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
    /// Posts `connection_id` and the hidden fields.
    pub(crate) sso_form: Form<'a>,
    /// The connections of the organization, where they may come through them.
    pub(crate) connections: &'a [SsoChoice],
    pub(crate) providers: ProviderButtons<'a>,
    /// One of the ways that begin with the e-mail address is allowed.
    pub(crate) by_email: bool,
    /// The choice between organizations, where there is one.
    pub(crate) organization_url: Option<&'a str>,
    /// Starts the sign-in again.
    pub(crate) sign_in_url: &'a str,
}

/// A connection to go through.
pub(crate) struct SsoChoice {
    pub(crate) id: String,
    pub(crate) name: String,
    /// What people call the identity provider.
    pub(crate) provider: &'static str,
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::hosted::pages::provider::ProviderButton;

    fn page(by_domain: bool, sso: bool, slugs: &[&'static str]) -> String {
        with_connections(by_domain, sso, slugs, &[])
    }

    fn with_connections(
        by_domain: bool,
        sso: bool,
        slugs: &[&'static str],
        connections: &[SsoChoice],
    ) -> String {
        let buttons = slugs.iter().map(|slug| ProviderButton { slug, name: slug });
        let page = AnotherWayPage {
            chrome: Chrome {
                lang: "en",
                environment: Cow::Borrowed("Acme"),
                logo: None,
                brand_style: None,
            },
            organization: "<b>Globex",
            email: "<i>ada@example.com",
            by_domain,
            sso,
            sso_form: Form {
                action: "/authkit/sso",
                hidden: &[],
            },
            connections,
            providers: ProviderButtons {
                buttons: buttons.collect(),
                ..ProviderButtons::default()
            },
            by_email: !sso,
            organization_url: (!by_domain).then_some("/authkit/organization"),
            sign_in_url: "/authkit/sign-in",
        };
        let html = page.render().unwrap();
        assert!(!html.contains("<b>") && !html.contains("<i>"), "{html}");
        html
    }

    #[test]
    fn offers_what_is_allowed_and_nothing_else() {
        let google = page(true, false, &["GoogleOAuth"]);
        assert!(google.contains("does not allow people with your email domain to sign in the way you did"));
        assert!(google.contains(r#"value="GoogleOAuth""#) && google.contains("Continue with your email"));
        assert!(!google.contains("/authkit/organization"));
        let sso = page(false, true, &[]);
        assert!(sso.contains("Globex requires single sign-on") && sso.contains("/authkit/organization"));
        assert!(!sso.contains("Continue with") && sso.contains("No single sign-on connection is set up"));
        let okta = SsoChoice {
            id: "conn_1".to_owned(),
            name: "<b>Globex".to_owned(),
            provider: "Okta",
        };
        let okta = with_connections(false, true, &[], &[okta]);
        assert!(okta.contains("Continue with single sign-on") && okta.contains(r#"value="conn_1""#));
        assert!(!okta.contains("No single sign-on connection is set up"));
        assert!(
            sso.contains("Its members sign in")
                && page(true, true, &[]).contains("People with your email domain")
        );
    }
}
