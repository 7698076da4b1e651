//! The pages of the portal that set single sign-on up.

use askama::Template;

use super::{
    super::{Chrome, Form, PATH, TextField, sso::ShownStep},
    Frame,
};

/// A step of the way through the setup.
pub(crate) struct WizardStep {
    pub(crate) name: &'static str,
    pub(crate) current: bool,
    pub(crate) done: bool,
    /// None where nobody can go yet, and where they are.
    pub(crate) url: Option<String>,
}

/// The choice of an identity provider. Posts `provider` and the hidden fields; asks again with `q` for those whose names
/// have it.
#[derive(Template)]
#[template(path = "hosted/portal/sso/providers.html")]
pub(crate) struct ProvidersPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) frame: Frame<'a>,
    pub(crate) form: Form<'a>,
    /// What was looked for.
    pub(crate) wanted: &'a str,
    pub(crate) shown: &'a [IdpChoice],
    pub(crate) all: &'a [IdpChoice],
    /// No provider was chosen.
    pub(crate) refused: bool,
}

/// An identity provider to choose.
#[derive(Clone, Copy)]
pub(crate) struct IdpChoice {
    pub(crate) slug: &'static str,
    pub(crate) name: &'static str,
    pub(crate) protocol: &'static str,
}

impl IdpChoice {
    fn initial(&self) -> String {
        self.name.chars().take(1).collect()
    }
}

/// The connections of an organization that has several.
#[derive(Template)]
#[template(path = "hosted/portal/sso/connections.html")]
pub(crate) struct ConnectionsPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) frame: Frame<'a>,
    pub(crate) connections: &'a [ConnectionRow<'a>],
}

/// A connection in a list.
pub(crate) struct ConnectionRow<'a> {
    pub(crate) name: &'a str,
    pub(crate) provider: &'a str,
    pub(crate) protocol: &'static str,
    pub(crate) state: &'static str,
    pub(crate) active: bool,
    pub(crate) url: String,
}

/// A value that one side has to know of the other.
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    /// What the identity provider calls it.
    pub(crate) theirs: Option<&'static str>,
    pub(crate) value: String,
    /// It is worth opening.
    pub(crate) is_link: bool,
}

/// The first step: an application at the identity provider.
#[derive(Template)]
#[template(path = "hosted/portal/sso/application.html")]
pub(crate) struct ApplicationPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) frame: Frame<'a>,
    pub(crate) way: &'a [WizardStep],
    pub(crate) provider: &'a str,
    pub(crate) create: &'a [&'a str],
    pub(crate) settings: &'a [Setting],
    pub(crate) assign: &'a str,
    pub(crate) next_url: &'a str,
}

/// The second step: what is sent of a person. Posts a field for each [`AttributeRow`], and the hidden fields.
#[derive(Template)]
#[template(path = "hosted/portal/sso/attributes.html")]
pub(crate) struct AttributesPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) frame: Frame<'a>,
    pub(crate) way: &'a [WizardStep],
    pub(crate) form: Form<'a>,
    pub(crate) provider: &'a str,
    /// They are the claims of OpenID Connect.
    pub(crate) claims: bool,
    pub(crate) fields: &'a [(&'a AttributeRow, TextField<'a>)],
    /// The longest name, in characters.
    pub(crate) longest: usize,
    /// A name is too long.
    pub(crate) refused: bool,
    pub(crate) next_url: &'a str,
}

impl AttributesPage<'_> {
    /// It is known what the identity provider fills them with.
    fn has_sources(&self) -> bool {
        self.fields.iter().any(|(row, _)| row.source.is_some())
    }
}

/// What fills a field of a profile.
pub(crate) struct AttributeRow {
    /// The name of the control.
    pub(crate) name: String,
    /// The field, for people.
    pub(crate) label: String,
    /// As the identity provider has to send it.
    pub(crate) attribute: String,
    /// Nobody signs in without.
    pub(crate) required: bool,
    /// What the identity provider fills it with.
    pub(crate) source: Option<&'static str>,
}

/// The third step: where the identity provider is. Posts the fields of one of its forms, and the hidden fields.
#[derive(Template)]
#[template(path = "hosted/portal/sso/configuration.html")]
pub(crate) struct ConfigurationPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) frame: Frame<'a>,
    pub(crate) way: &'a [WizardStep],
    pub(crate) form: Form<'a>,
    pub(crate) provider: &'a str,
    /// Where the identity provider shows what is asked for.
    pub(crate) where_to_find: &'a str,
    pub(crate) fields: ConfigurationFields<'a>,
    pub(crate) refused: bool,
}

pub(crate) enum ConfigurationFields<'a> {
    Oidc(OidcFields<'a>),
    Saml(SamlFields<'a>),
}

/// A client of OpenID Connect.
pub(crate) struct OidcFields<'a> {
    pub(crate) discovery_endpoint: TextField<'a>,
    pub(crate) client_id: TextField<'a>,
    pub(crate) client_secret: TextField<'a>,
    /// One is there, and stays if none is typed.
    pub(crate) has_secret: bool,
}

/// The three ways of SAML metadata, one of which is open.
pub(crate) struct SamlFields<'a> {
    pub(crate) file: TextField<'a>,
    pub(crate) xml: TextField<'a>,
    pub(crate) url: TextField<'a>,
    pub(crate) sso_url: TextField<'a>,
    pub(crate) entity_id: TextField<'a>,
    pub(crate) certificate: TextField<'a>,
    pub(crate) by_file: bool,
    pub(crate) by_url: bool,
    pub(crate) by_hand: bool,
}

/// The last step: a sign-in. Posts the hidden fields.
#[derive(Template)]
#[template(path = "hosted/portal/sso/test.html")]
pub(crate) struct TestPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) frame: Frame<'a>,
    pub(crate) way: &'a [WizardStep],
    pub(crate) form: Form<'a>,
    pub(crate) provider: &'a str,
    pub(crate) active: bool,
    /// The verified domains of the organization.
    pub(crate) domains: &'a [&'a str],
    /// People with addresses elsewhere may sign in as well.
    pub(crate) any_domain: bool,
    /// Where domains are verified.
    pub(crate) domains_url: Option<&'a str>,
    pub(crate) sessions: &'a [SessionRow],
}

/// A sign-in in a list.
pub(crate) struct SessionRow {
    pub(crate) who: String,
    pub(crate) outcome: &'static str,
    /// `succeeded`, `failed`, `in-progress`
    pub(crate) class: &'static str,
    /// For programs.
    pub(crate) created_at: String,
    /// For people.
    pub(crate) time: String,
    pub(crate) url: String,
}

/// A sign-in: what the identity provider said, or why it was not believed. Posts the hidden fields, for another one.
#[derive(Template)]
#[template(path = "hosted/portal/sso/session.html")]
pub(crate) struct SessionPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) frame: Frame<'a>,
    pub(crate) form: Form<'a>,
    pub(crate) provider: &'a str,
    pub(crate) outcome: &'static str,
    pub(crate) succeeded: bool,
    pub(crate) in_progress: bool,
    /// The connection is.
    pub(crate) active: bool,
    pub(crate) time: String,
    pub(crate) email: Option<&'a str>,
    /// None where nobody came.
    pub(crate) profile: &'a [ProfileRow],
    /// All that was sent, as JSON.
    pub(crate) raw: Option<&'a str>,
    pub(crate) steps: &'a [ShownStep<'a>],
    pub(crate) advice: Option<Advice>,
    /// Another sign-in can be tried.
    pub(crate) configured: bool,
}

/// A field of a profile.
pub(crate) struct ProfileRow {
    pub(crate) name: String,
    pub(crate) value: Option<String>,
}

/// What an administrator can do.
pub(crate) struct Advice {
    pub(crate) text: &'static str,
    /// Where, and what the link says.
    pub(crate) link: Option<(String, &'static str)>,
}

/// A connection that is set up. `form` posts `decision=reset`, `test_form` nothing but the hidden fields.
#[derive(Template)]
#[template(path = "hosted/portal/sso/connection.html")]
pub(crate) struct ConnectionPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) frame: Frame<'a>,
    pub(crate) form: Form<'a>,
    pub(crate) test_form: Form<'a>,
    pub(crate) title: &'a str,
    pub(crate) provider: &'a str,
    pub(crate) protocol: &'a str,
    pub(crate) state: &'static str,
    pub(crate) active: bool,
    pub(crate) configured: bool,
    /// Where the setup goes on.
    pub(crate) next_url: Option<&'a str>,
    /// What the identity provider is known by.
    pub(crate) configuration: &'a [Setting],
    /// What it knows.
    pub(crate) settings: &'a [Setting],
    pub(crate) attributes: &'a [AttributeRow],
    pub(crate) sessions: &'a [SessionRow],
    pub(crate) configuration_url: &'a str,
    pub(crate) attributes_url: &'a str,
    /// If the link is for that too.
    pub(crate) certificates_url: Option<&'a str>,
}
