//! The pages of the portal that renew certificates.

use askama::Template;

use super::{
    super::{Chrome, Form, PATH, TextField},
    Frame,
};

/// The SAML connections of an organization: none, or several.
#[derive(Template)]
#[template(path = "hosted/portal/certificates/connections.html")]
pub(crate) struct ConnectionsPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) frame: Frame<'a>,
    pub(crate) connections: &'a [Choice<'a>],
}

/// A connection to choose.
pub(crate) struct Choice<'a> {
    pub(crate) name: &'a str,
    pub(crate) provider: &'a str,
    pub(crate) url: String,
}

/// The certificates of a connection. Posts `certificate_file` or `certificate`, or else `remove`, and the hidden fields.
#[derive(Template)]
#[template(path = "hosted/portal/certificates/list.html")]
pub(crate) struct CertificatesPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) frame: Frame<'a>,
    pub(crate) form: Form<'a>,
    pub(crate) provider: &'a str,
    /// Of the identity provider.
    pub(crate) theirs: &'a [CertificateRow<'a>],
    /// Of WorkOS.
    pub(crate) ours: &'a [CertificateRow<'a>],
    /// They come from there by themselves.
    pub(crate) metadata_url: Option<&'a str>,
    pub(crate) sp_metadata_url: &'a str,
    pub(crate) renewal: Renewal<'a>,
}

/// The form for a new certificate.
#[derive(Clone, Copy, Default)]
pub(crate) struct Renewal<'a> {
    pub(crate) file: TextField<'a>,
    pub(crate) typed: TextField<'a>,
    /// Why a certificate was not removed.
    pub(crate) error: Option<&'a str>,
}

impl Renewal<'_> {
    fn is_refused(&self) -> bool {
        self.error.is_some() || !self.file.problems.is_empty() || !self.typed.problems.is_empty()
    }
}

/// A certificate in a list.
pub(crate) struct CertificateRow<'a> {
    /// None: it cannot be removed.
    pub(crate) id: Option<&'a str>,
    pub(crate) purpose: &'static str,
    pub(crate) subject: String,
    pub(crate) fingerprint: String,
    pub(crate) from: String,
    pub(crate) until: String,
    /// `verified`, `warning`, `failed`, `pending`
    pub(crate) class: &'static str,
    /// For people.
    pub(crate) state: String,
}
