//! SAML 2.0, both sides of it: the service provider that WorkOS is for a connection, and the test identity provider of
//! connections that have no other.
//!
//! * here – who the two are, and what they are called.
//! * [`metadata`] – what they publish of themselves, and what identity providers publish.
//! * [`request`] – the request that somebody be signed in, by the HTTP redirect binding.
//! * [`response`] – the checks of a response, each for the trace.
//! * [`answer`] – a response that was checked, on its way to the browser that waits for it.
//! * [`test_idp`] – the key of the test identity provider, and what it says.
//!
//! Sources: SAML core, bindings, profiles and metadata, 2.0 (<https://docs.oasis-open.org/security/saml/v2.0/>);
//! <https://workos.com/docs/sso/saml-security>.

pub(crate) mod answer;
pub(crate) mod metadata;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod test_idp;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use super::{
    certificates,
    connection_type::Protocol,
    connections::{Connection, ProtocolOptions, SamlOptions},
    identity_provider::{Provider, provider},
};
use crate::{
    core::{secret::Secret, xml::signature::VerificationKey},
    store::State,
};

pub(crate) const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
pub(crate) const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";

/// The service provider that WorkOS is for a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceProvider {
    pub(crate) entity_id: String,
    /// Where responses are sent.
    pub(crate) acs_url: String,
}

impl ServiceProvider {
    /// `base_url` is where the browser, and the identity provider, know the emulator.
    ///
    /// Source of the addresses: `https://auth.workos.com/sso/saml/acs/wz5SpShhRIcSEyMM` and
    /// `https://auth.workos.com/wz5SpShhRIcSEyMM` in <https://workos.com/docs/integrations/onelogin-saml>.
    pub(crate) fn of(connection: &Connection, base_url: &str) -> Self {
        let key = &connection.external_key;
        let options = options(connection);
        let own = |own: fn(&SamlOptions) -> &Option<String>| options.and_then(|options| own(options).clone());
        Self {
            entity_id: own(|options| &options.sp_entity_id).unwrap_or_else(|| format!("{base_url}/{key}")),
            acs_url: own(|options| &options.acs_url)
                .unwrap_or_else(|| format!("{base_url}/sso/saml/acs/{key}")),
        }
    }
}

/// The identity provider of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum IdentityProvider {
    /// The emulator's own, as long as the connection names no other.
    Test,
    /// One that the connection names.
    Foreign {
        /// None: nobody has said it, and it is not looked at.
        entity_id: Option<String>,
        sso_url: String,
    },
    /// One whose metadata has not been read.
    Unread { metadata_url: String },
}

fn options(connection: &Connection) -> Option<&SamlOptions> {
    match &connection.options {
        ProtocolOptions::Saml(options) => Some(options),
        ProtocolOptions::None | ProtocolOptions::Oidc(_) => None,
    }
}

/// Whether the connection speaks SAML.
pub(crate) fn is_spoken(connection: &Connection) -> bool {
    connection.r#type().protocol == Protocol::Saml
}

impl IdentityProvider {
    pub(crate) fn of(connection: &Connection) -> Self {
        let named = options(connection).filter(|_| provider(connection) == Provider::Saml);
        let Some(options) = named else {
            return Self::Test;
        };
        match (&options.idp_sso_url, &options.idp_metadata_url) {
            (Some(sso_url), _) => Self::Foreign {
                entity_id: options.idp_entity_id.clone(),
                sso_url: sso_url.clone(),
            },
            (None, Some(metadata_url)) => Self::Unread {
                metadata_url: metadata_url.clone(),
            },
            (None, None) => Self::Test,
        }
    }
}

/// The keys that an identity provider may sign with, and why a certificate of its is none.
#[derive(Debug, Default)]
pub(crate) struct TrustedKeys {
    pub(crate) keys: Vec<VerificationKey>,
    /// Certificates that are not good now.
    pub(crate) passed_over: Vec<String>,
}

impl TrustedKeys {
    /// Those of the connection, never those that a message brings along.
    ///
    /// Assumption: a certificate counts as long as it is valid; "your SAML response signing certificate will eventually
    /// expire and must be kept up to date in order to maintain service"
    /// (<https://workos.com/docs/sso/signing-certificates>).
    pub(crate) fn of(state: &State, connection: &Connection, now: Timestamp) -> Self {
        let mut trusted = Self::default();
        match IdentityProvider::of(connection) {
            IdentityProvider::Test => {
                if let Some(idp) = state.saml_test_idps.get(&connection.id) {
                    trusted.add(&idp.certificate);
                }
            }
            IdentityProvider::Foreign { .. } | IdentityProvider::Unread { .. } => {
                for certificate in certificates::of_idp(state, &connection.id) {
                    let (from, until) = (certificate.not_before, certificate.not_after);
                    if from <= now && now < until {
                        trusted.add(&certificate.value);
                    } else {
                        let id = &certificate.id;
                        trusted
                            .passed_over
                            .push(format!("{id} is valid from {from} to {until} only"));
                    }
                }
            }
        }
        trusted
    }

    fn add(&mut self, pem: &str) {
        match certificates::der(pem).map(|der| VerificationKey::of_certificate(&der)) {
            Some(Ok(key)) => self.keys.push(key),
            Some(Err(error)) => self.passed_over.push(error.to_string()),
            None => self.passed_over.push("a certificate is no PEM".to_owned()),
        }
    }
}

/// The keys that identity providers encrypt for.
pub(crate) fn decryption_keys(state: &State, connection: &Connection) -> Vec<Secret> {
    let certificates = certificates::of_encryption(state, &connection.id);
    certificates
        .filter_map(|certificate| certificate.private_key.clone())
        .collect()
}
