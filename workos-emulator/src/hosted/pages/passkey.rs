//! What pages show of passkeys. They load a script, without which they do not offer any.

use askama::Template;

use super::{Chrome, Form, PATH};

/// The button "Sign in with a passkey". Posts `credential` and the hidden fields.
pub(crate) struct PasskeyChoice<'a> {
    pub(crate) form: Form<'a>,
    /// Where the script gets the options for the browser.
    pub(crate) options_path: &'a str,
    /// Browsers have passkeys for the address at which the page stands.
    pub(crate) has_domain: bool,
    pub(crate) script_path: &'a str,
}

/// The offer of a passkey. Posts `credential`, or `decision` (`later` or `never`), and the hidden fields.
#[derive(Template)]
#[template(path = "hosted/passkey_enrollment.html")]
pub(crate) struct PasskeyEnrollmentPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) form: Form<'a>,
    pub(crate) options_path: &'a str,
    pub(crate) has_domain: bool,
    pub(crate) script_path: &'a str,
    /// Who has signed in.
    pub(crate) email: &'a str,
    /// Why there is no passkey yet.
    pub(crate) error: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::{
        super::{ProviderButtons, SignInPage},
        *,
    };

    const SCRIPT_PATH: &str = "/authkit/passkey-0123.js";
    const HOSTILE: &str = r#""><script>alert(1)</script>"#;

    fn chrome() -> Chrome<'static> {
        Chrome {
            lang: "en",
            environment: Cow::Borrowed("Acme"),
            logo: None,
            brand_style: None,
        }
    }

    fn form() -> Form<'static> {
        Form {
            action: "/authkit/passkey",
            hidden: &[("authorization_session_id", HOSTILE)],
        }
    }

    fn sign_in(has_domain: bool) -> String {
        let page = SignInPage {
            chrome: chrome(),
            form: form(),
            email: "",
            error: None,
            passkey: Some(PasskeyChoice {
                form: form(),
                options_path: "/authkit/passkey/options",
                has_domain,
                script_path: SCRIPT_PATH,
            }),
            sign_up: None,
            invitation: None,
            providers: ProviderButtons {
                form: form(),
                buttons: Vec::new(),
            },
            by_email: true,
        };
        page.render().unwrap()
    }

    /// The one script is the emulator's own, and its form is hidden until it runs.
    #[test]
    fn the_button_waits_for_its_script() {
        let html = sign_in(true);
        assert!(html.contains(r#"data-passkey="get" data-options="/authkit/passkey/options" hidden>"#));
        assert!(html.contains(&format!(r#"<script type="module" src="{SCRIPT_PATH}">"#)));
        assert_eq!(html.matches("<script").count(), 1, "{html}");
        assert!(html.contains("<noscript>") && html.contains("Sign in with a passkey"));
    }

    #[test]
    fn an_address_without_passkeys_says_so_and_runs_nothing() {
        let html = sign_in(false);
        assert!(html.contains("not for IP addresses") && html.contains("--public-url"));
        assert!(!html.contains("<script") && !html.contains("data-passkey"));
    }

    #[test]
    fn the_offer_can_be_declined_without_a_script() {
        let page = |has_domain| PasskeyEnrollmentPage {
            chrome: chrome(),
            form: form(),
            options_path: "/authkit/passkey/create/options",
            has_domain,
            script_path: SCRIPT_PATH,
            email: HOSTILE,
            error: Some(HOSTILE),
        };
        for has_domain in [true, false] {
            let html = page(has_domain).render().unwrap();
            assert_eq!(html.matches("<script").count(), usize::from(has_domain));
            assert!(html.contains("<title>Error: Create a passkey · Acme</title>"));
            let (_, decline) = html.split_once(r#"<form class="other" method="post""#).unwrap();
            assert!(decline.contains(r#"value="later">Not now"#) && decline.contains(r#"value="never">"#));
            assert!(!decline.contains("hidden>"), "{decline}");
        }
    }
}
