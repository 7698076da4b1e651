//! The pages of the second factor.

use askama::Template;

use super::{Chrome, Form, PATH};

/// Setting up an authenticator app. Posts `code` and the hidden fields.
#[derive(Template)]
#[template(path = "hosted/mfa_enroll.html")]
pub(crate) struct MfaEnrollPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) form: Form<'a>,
    /// Who is signing in.
    pub(crate) email: &'a str,
    /// A `data:image/…` URI of our own making.
    pub(crate) qr_code: &'a str,
    /// The same as text, in groups that can be typed.
    pub(crate) secret: &'a str,
    /// An `otpauth:` URI, for an app on the same device.
    pub(crate) app_url: &'a str,
    /// Why the code was not taken.
    pub(crate) error: Option<&'a str>,
    /// Starts the sign-in again, as somebody else.
    pub(crate) sign_in_url: &'a str,
}

/// The code of an authenticator app. Posts `code` and the hidden fields.
#[derive(Template)]
#[template(path = "hosted/mfa.html")]
pub(crate) struct MfaPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) form: Form<'a>,
    /// Who is signing in.
    pub(crate) email: &'a str,
    /// Why the code was not taken.
    pub(crate) error: Option<&'a str>,
    /// Starts the sign-in again, as somebody else.
    pub(crate) sign_in_url: &'a str,
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    const HOSTILE: &str = r#""><script>alert('x')</script>"#;

    fn chrome() -> Chrome<'static> {
        Chrome {
            lang: "en",
            environment: Cow::Borrowed("Acme"),
            logo: None,
            brand_style: None,
        }
    }

    const FORM: Form<'static> = Form {
        action: "/authkit/mfa",
        hidden: &[("authorization_session_id", "01KA")],
    };

    fn challenge(error: Option<&str>) -> String {
        let page = MfaPage {
            chrome: chrome(),
            form: FORM,
            email: HOSTILE,
            error,
            sign_in_url: "/authkit/sign-in",
        };
        page.render().unwrap()
    }

    fn enrollment(error: Option<&str>) -> String {
        let page = MfaEnrollPage {
            chrome: chrome(),
            form: FORM,
            email: HOSTILE,
            qr_code: "data:image/png;base64,AAAA",
            secret: "JBSW Y3DP",
            app_url: "otpauth://totp/Acme:ada?secret=JBSWY3DP&issuer=Acme",
            error,
            sign_in_url: "/authkit/sign-in",
        };
        page.render().unwrap()
    }

    #[test]
    fn a_code_is_a_number_that_devices_can_fill_in() {
        for html in [challenge(None), enrollment(None)] {
            let (_, input) = html.split_once(r#"<input id="code""#).unwrap();
            let (input, _) = input.split_once('>').unwrap();
            for attribute in [
                r#"name="code""#,
                r#"type="text""#,
                r#"inputmode="numeric""#,
                r#"autocomplete="one-time-code""#,
                " required",
                " autofocus",
            ] {
                assert!(input.contains(attribute), "{attribute} in {input}");
            }
            assert!(!html.contains("<script") && html.contains("&#60;script"));
            assert!(html.contains(r#"name="authorization_session_id" value="01KA""#));
        }
    }

    #[test]
    fn a_refusal_takes_the_focus_and_is_about_the_code() {
        for html in [challenge(Some("Not right.")), enrollment(Some("Not right."))] {
            assert!(html.contains("<title>Error: "), "{html}");
            assert!(html.contains(r#"aria-invalid="true""#) && html.contains("Not right."));
            assert_eq!(html.matches("autofocus").count(), 1);
        }
    }

    #[test]
    fn the_secret_is_there_for_those_who_cannot_scan_it() {
        let html = enrollment(None);
        assert!(html.contains(r#"src="data:image/png;base64,AAAA""#) && html.contains("alt=\"QR code"));
        assert!(html.contains("JBSW Y3DP"));
        assert!(html.contains("href=\"otpauth://totp/Acme:ada?secret=JBSWY3DP&#38;issuer=Acme\""));
    }
}
