//! The request that somebody be signed in (SAML core, section 3.4.1), by the HTTP redirect binding (SAML bindings, section
//! 3.4): WorkOS makes it, the test identity provider reads it.

use std::io::{Read, Write};

use askama::Template;
use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{ASSERTION, PROTOCOL, metadata::rendered};
use crate::{
    api::sso::certificates,
    core::{
        clock,
        keys::{KeyError, SigningKey},
        secret::Secret,
        xml::{Document, XmlError},
    },
    server::error::ApiError,
};

const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
/// The longest request that is read, in bytes.
const LONGEST: u64 = 64 * 1024;
/// All but the characters that are never encoded (RFC 3986 section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A request that is to be made.
#[derive(Debug, Template)]
#[template(path = "saml/authn_request.xml")]
pub(crate) struct NewRequest<'a> {
    pub(crate) id: &'a str,
    /// ISO 8601
    pub(crate) issue_instant: String,
    /// Where it goes.
    pub(crate) sso_url: &'a str,
    pub(crate) acs_url: &'a str,
    pub(crate) issuer: &'a str,
    /// The person has to authenticate again, whatever session they have.
    pub(crate) force_authn: bool,
}

/// The id of the request of a sign-in. It follows from the sign-in, so that nobody has to remember it, and tells which one it
/// is, and nothing of its secrets.
pub(crate) fn id(session_id: &str, state: &Secret) -> String {
    format!("_{session_id}.{}", Secret::digest(state.expose()))
}

/// The sign-in that a request with this id is of.
pub(crate) fn session_id_in(request_id: &str) -> Option<&str> {
    let (session_id, _) = request_id.strip_prefix('_')?.split_once('.')?;
    Some(session_id)
}

impl<'a> NewRequest<'a> {
    pub(crate) fn instant(now: Timestamp) -> String {
        clock::iso8601(now)
    }

    /// The address that takes the request to the identity provider, signed where there is a key, which is PEM.
    pub(crate) fn redirect_url(&self, relay_state: &str, key: Option<&Secret>) -> Result<String, ApiError> {
        let parameters = Parameters {
            request: deflated(&rendered(self)?)?,
            relay_state: relay_state.to_owned(),
        };
        let mut query = parameters.signed_part(key.is_some());
        if let Some(key) = key {
            let signature =
                signature(key, &query).map_err(|error| ApiError::message(500, error.to_string()))?;
            query.push_str("&Signature=");
            query.push_str(&encoded(&signature));
        }
        let separator = if self.sso_url.contains('?') { '&' } else { '?' };
        Ok(format!("{}{separator}{query}", self.sso_url))
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

fn signature(key: &Secret, query: &str) -> Result<String, KeyError> {
    let key = SigningKey::from_pem(key.expose(), None)?;
    Ok(STANDARD.encode(key.sign_bytes(query.as_bytes())?))
}

fn deflated(xml: &str) -> Result<String, ApiError> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    let deflated = encoder.write_all(xml.as_bytes()).and_then(|()| encoder.finish());
    let deflated = deflated.map_err(|error| ApiError::message(500, error.to_string()))?;
    Ok(STANDARD.encode(deflated))
}

/// A request as it comes along, not read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parameters {
    /// `SAMLRequest`
    pub(crate) request: String,
    pub(crate) relay_state: String,
}

impl Parameters {
    /// What a signature of the query is made of (section 3.4.4.1).
    fn signed_part(&self, is_signed: bool) -> String {
        let mut part = format!("SAMLRequest={}", encoded(&self.request));
        if !self.relay_state.is_empty() {
            part.push_str(&format!("&RelayState={}", encoded(&self.relay_state)));
        }
        if is_signed {
            part.push_str(&format!("&SigAlg={}", encoded(RSA_SHA256)));
        }
        part
    }

    /// Whether `signature` is that of the key of this certificate, which is PEM, as [`NewRequest::redirect_url`] makes it.
    pub(crate) fn is_signed_by(&self, certificate: &str, algorithm: &str, signature: &str) -> bool {
        let message = self.signed_part(true);
        let signature = STANDARD.decode(signature).ok();
        algorithm == RSA_SHA256
            && signature
                .is_some_and(|signature| certificates::verifies(certificate, message.as_bytes(), &signature))
    }
}

/// A request that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AuthnRequest {
    pub(crate) id: String,
    pub(crate) issuer: String,
    /// Where the answer is wanted, if that is said.
    pub(crate) acs_url: Option<String>,
    pub(crate) force_authn: bool,
}

/// Why a request cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RequestError {
    #[error("SAMLRequest is no base64")]
    Base64,
    #[error("SAMLRequest cannot be inflated, or is longer than {LONGEST} bytes")]
    Inflate,
    #[error("SAMLRequest is no XML: {0}")]
    Xml(#[from] XmlError),
    #[error("SAMLRequest is no AuthnRequest of SAML 2.0")]
    NoAuthnRequest,
    #[error("the AuthnRequest has no {0}")]
    Missing(&'static str),
}

/// Reads a request of either binding: deflated, or as it is.
pub(crate) fn read(request: &str) -> Result<AuthnRequest, RequestError> {
    let request: String = request.split_whitespace().collect();
    let bytes = STANDARD.decode(request).map_err(|_| RequestError::Base64)?;
    let text = if bytes.starts_with(b"<") {
        String::from_utf8(bytes).map_err(|_| RequestError::Base64)?
    } else {
        let mut text = String::new();
        let mut decoder = DeflateDecoder::new(&bytes[..]).take(LONGEST + 1);
        decoder
            .read_to_string(&mut text)
            .map_err(|_| RequestError::Inflate)?;
        text
    };
    if text.len() as u64 > LONGEST {
        return Err(RequestError::Inflate);
    }
    let document = Document::parse(&text)?;
    let root = document.root()?;
    if !root.is(PROTOCOL, "AuthnRequest") || root.attribute("Version") != Some("2.0") {
        return Err(RequestError::NoAuthnRequest);
    }
    let given = |name| root.attribute(name).filter(|value| !value.is_empty());
    let issuer = root.first(ASSERTION, "Issuer").and_then(|issuer| issuer.text());
    Ok(AuthnRequest {
        id: given("ID").ok_or(RequestError::Missing("ID"))?.to_owned(),
        issuer: issuer.ok_or(RequestError::Missing("Issuer"))?,
        acs_url: given("AssertionConsumerServiceURL").map(str::to_owned),
        force_authn: matches!(given("ForceAuthn"), Some("true" | "1")),
    })
}
