//! The pages of single sign-on.

use askama::Template;

use super::{Chrome, Form, PATH, TextField, initials};

/// The page that takes an identity provider's place. Posts either `profile`, or what was typed (all but `email` may be
/// empty), or `decision` (`deny`, `error`); and the hidden fields.
#[derive(Template)]
#[template(path = "hosted/identity_provider.html")]
pub(crate) struct IdentityProviderPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    /// What people call the provider.
    pub(crate) provider: &'a str,
    pub(crate) connection_type: &'a str,
    pub(crate) connection_name: &'a str,
    pub(crate) organization: &'a str,
    /// Nobody asked: the person begins here.
    pub(crate) begins_here: bool,
    pub(crate) form: Form<'a>,
    /// Why the choice was refused.
    pub(crate) error: Option<&'a str>,
    pub(crate) people: &'a [IdpPerson<'a>],
    /// The fields for another person are open.
    pub(crate) types: bool,
    pub(crate) email: TextField<'a>,
    pub(crate) first_name: TextField<'a>,
    pub(crate) last_name: TextField<'a>,
    pub(crate) idp_id: TextField<'a>,
    pub(crate) groups: TextField<'a>,
    pub(crate) attributes: TextField<'a>,
    pub(crate) relay_state: TextField<'a>,
}

impl IdentityProviderPage<'_> {
    fn is_refused(&self) -> bool {
        self.error.is_some() || !self.email.problems.is_empty() || !self.attributes.problems.is_empty()
    }

    fn initial(&self) -> String {
        self.provider.chars().take(1).collect()
    }
}

/// Somebody whom an identity provider knows.
pub(crate) struct IdpPerson<'a> {
    pub(crate) id: &'a str,
    pub(crate) name: Option<String>,
    pub(crate) email: &'a str,
    pub(crate) groups: String,
    /// The organization has not verified the domain of the address.
    pub(crate) is_guest: bool,
}

impl IdpPerson<'_> {
    fn initials(&self) -> String {
        initials(self.name.as_deref().unwrap_or(self.email))
    }
}

/// Takes a SAML response along: the form posts the hidden fields, by a script, or by its button where scripts do not run.
#[derive(Template)]
#[template(path = "hosted/saml_post.html")]
pub(crate) struct SamlPostPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) provider: &'a str,
    /// None: WorkOS.
    pub(crate) service_provider: Option<&'a str>,
    pub(crate) form: Form<'a>,
    pub(crate) script_path: &'a str,
}

impl SamlPostPage<'_> {
    fn initial(&self) -> String {
        self.provider.chars().take(1).collect()
    }
}

/// The identity provider has signed somebody out.
#[derive(Template)]
#[template(path = "hosted/idp_signed_out.html")]
pub(crate) struct IdpSignedOutPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) provider: &'a str,
}

impl IdpSignedOutPage<'_> {
    fn initial(&self) -> String {
        self.provider.chars().take(1).collect()
    }
}

/// Is it you who signs in? Posts `decision` (`continue` or `cancel`) and the hidden fields.
#[derive(Template)]
#[template(path = "hosted/sign_in_consent.html")]
pub(crate) struct SignInConsentPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) form: Form<'a>,
    pub(crate) email: &'a str,
    pub(crate) name: Option<String>,
    pub(crate) organization: &'a str,
    pub(crate) provider: &'a str,
}

impl SignInConsentPage<'_> {
    fn initials(&self) -> String {
        initials(self.name.as_deref().unwrap_or(self.email))
    }
}

/// A list of traces. Asks again with `connection_id` for those of one connection.
#[derive(Template)]
#[template(path = "hosted/sso_traces.html")]
pub(crate) struct SsoTracesPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) action: &'a str,
    /// Which environment is meant, where it has to be said.
    pub(crate) environment: Option<&'a str>,
    pub(crate) connections: &'a [ConnectionChoice<'a>],
    pub(crate) traces: &'a [ShownTrace<'a>],
    /// How many there are, of whichever connection.
    pub(crate) total: usize,
    pub(crate) refresh_url: &'a str,
    pub(crate) older_url: Option<&'a str>,
    /// A command that gets the same as JSON.
    pub(crate) example: &'a str,
}

/// A connection to choose.
pub(crate) struct ConnectionChoice<'a> {
    pub(crate) id: &'a str,
    pub(crate) name: &'a str,
    pub(crate) selected: bool,
}

/// A trace, as a page shows it.
pub(crate) struct ShownTrace<'a> {
    pub(crate) id: &'a str,
    pub(crate) connection: &'a str,
    pub(crate) connection_type: &'a str,
    pub(crate) email: Option<&'a str>,
    /// `succeeded`, `failed`, …
    pub(crate) status: &'static str,
    /// For people.
    pub(crate) outcome: &'static str,
    pub(crate) initiated_by: &'static str,
    /// Code and message.
    pub(crate) error: Option<(&'a str, &'a str)>,
    pub(crate) steps: Vec<ShownStep<'a>>,
    /// For programs.
    pub(crate) created_at: String,
    /// For people.
    pub(crate) time: String,
    /// It is shown in full.
    pub(crate) open: bool,
}

/// A step of a trace.
pub(crate) struct ShownStep<'a> {
    pub(crate) title: &'static str,
    pub(crate) passed: bool,
    pub(crate) detail: &'a str,
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    /// Breaks out of every context that a template could put it in, unless it is escaped.
    const HOSTILE: &str = r#""><script>alert('x')</script></textarea>"#;

    fn chrome() -> Chrome<'static> {
        Chrome {
            lang: "en",
            environment: Cow::Borrowed("Acme"),
            logo: None,
            brand_style: None,
        }
    }

    #[test]
    fn what_strangers_typed_stays_text() {
        let problems = [HOSTILE.to_owned()];
        let field = TextField {
            value: HOSTILE,
            problems: &problems,
        };
        let person = IdpPerson {
            id: HOSTILE,
            name: Some(HOSTILE.to_owned()),
            email: HOSTILE,
            groups: HOSTILE.to_owned(),
            is_guest: true,
        };
        let provider = IdentityProviderPage {
            chrome: chrome(),
            provider: "Okta",
            connection_type: "OktaSAML",
            connection_name: HOSTILE,
            organization: HOSTILE,
            begins_here: true,
            form: Form {
                action: "/idp/conn_1",
                hidden: &[("state", HOSTILE)],
            },
            error: None,
            people: &[person],
            types: true,
            email: field,
            first_name: field,
            last_name: field,
            idp_id: field,
            groups: field,
            attributes: field,
            relay_state: field,
        };
        let consent = SignInConsentPage {
            chrome: chrome(),
            form: Form::default(),
            email: HOSTILE,
            name: Some(HOSTILE.to_owned()),
            organization: HOSTILE,
            provider: "Okta",
        };
        let trace = ShownTrace {
            id: HOSTILE,
            connection: HOSTILE,
            connection_type: "OktaSAML",
            email: Some(HOSTILE),
            status: "failed",
            outcome: "Failed",
            initiated_by: "the application",
            error: Some((HOSTILE, HOSTILE)),
            steps: vec![ShownStep {
                title: "Profile",
                passed: false,
                detail: HOSTILE,
            }],
            created_at: String::new(),
            time: String::new(),
            open: true,
        };
        let traces = SsoTracesPage {
            chrome: chrome(),
            action: "/sso/traces",
            environment: Some(HOSTILE),
            connections: &[ConnectionChoice {
                id: HOSTILE,
                name: HOSTILE,
                selected: true,
            }],
            traces: &[trace],
            total: 1,
            refresh_url: "/sso/traces",
            older_url: None,
            example: HOSTILE,
        };
        for page in [
            provider.render().unwrap(),
            consent.render().unwrap(),
            traces.render().unwrap(),
        ] {
            assert!(
                page.contains("&#60;script&#62;") && !page.contains("<script>"),
                "{page}"
            );
        }
    }
}
