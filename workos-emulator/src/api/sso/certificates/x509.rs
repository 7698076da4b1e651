//! X.509 certificates (RFC 5280) as PEM (RFC 7468): what stands in them, and new ones.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use x509_parser::{parse_x509_certificate, pem::parse_x509_pem};

use crate::{
    core::{
        clock,
        keys::{self, SigningKey},
        secret::Secret,
    },
    server::error::ApiError,
};

/// A certificate that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct X509 {
    pub(super) pem: String,
    /// Whose it is, as RFC 4514 writes names.
    pub(super) subject: String,
    /// Of the whole certificate, by SHA-256: what tools of identity providers show, such as `AB:01:…`.
    pub(super) fingerprint: String,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
    /// The subject's key, as it stands in the certificate.
    public_key: Vec<u8>,
}

/// Why a certificate or its key is no good.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("it is no PEM, from `-----BEGIN CERTIFICATE-----` to `-----END CERTIFICATE-----`")]
    NoPem,
    #[error("the PEM block is a `{0}`, not a CERTIFICATE")]
    NoCertificate(String),
    #[error("the PEM block holds no X.509 certificate")]
    NoX509,
    #[error("{0}")]
    Key(#[from] keys::KeyError),
    #[error("the key is not the one of the certificate")]
    OtherKey,
}

impl Problem {
    /// The refusal of a request whose `field` has it.
    pub(super) fn of(&self, field: &str) -> ApiError {
        ApiError::invalid_field(
            field,
            "invalid_certificate",
            format!("{field} cannot be used: {self}."),
        )
    }
}

/// Reads the first block of a PEM. An expired certificate is one as well.
pub(super) fn read(text: &str) -> Result<X509, Problem> {
    let text = text.trim();
    let (_, pem) = parse_x509_pem(text.as_bytes()).map_err(|_| Problem::NoPem)?;
    if pem.label != "CERTIFICATE" {
        return Err(Problem::NoCertificate(pem.label));
    }
    let (rest, certificate) = parse_x509_certificate(&pem.contents).map_err(|_| Problem::NoX509)?;
    if !rest.is_empty() {
        return Err(Problem::NoX509);
    }
    let validity = certificate.validity();
    let time = |seconds: i64| Timestamp::from_second(seconds).map_err(|_| Problem::NoX509);
    Ok(X509 {
        not_before: time(validity.not_before.timestamp())?,
        not_after: time(validity.not_after.timestamp())?,
        subject: certificate.subject().to_string(),
        fingerprint: fingerprint(&pem.contents),
        public_key: certificate.public_key().subject_public_key.data.to_vec(),
        pem: format!("{text}\n"),
    })
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The certificates in a text that somebody pasted: PEM blocks, one after the other, or base64 without its armour, as
/// metadata have it. What is neither is left as it is, for [`read`] to refuse.
pub(crate) fn each(text: &str) -> Vec<String> {
    if !text.contains("-----") {
        let base64: String = text.split_whitespace().collect();
        let lines: Vec<_> = base64
            .as_bytes()
            .chunks(64)
            .map(String::from_utf8_lossy)
            .collect();
        return vec![format!("{BEGIN}\n{}\n{END}\n", lines.join("\n"))];
    }
    let blocks: Vec<_> = text
        .split_inclusive(END)
        .filter_map(|block| Some(block.get(block.find(BEGIN)?..)?.to_owned()))
        .collect();
    if blocks.is_empty() {
        return vec![text.to_owned()];
    }
    blocks
}

fn fingerprint(der: &[u8]) -> String {
    let bytes: Vec<_> = Sha256::digest(der)
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    bytes.join(":")
}

/// The first block of a PEM.
pub(super) fn der(text: &str) -> Option<Vec<u8>> {
    let (_, pem) = parse_x509_pem(text.as_bytes()).ok()?;
    Some(pem.contents)
}

/// Whether `signature` is the RS256 signature of `message` by the key of this certificate.
pub(super) fn verifies(certificate: &str, message: &[u8], signature: &[u8]) -> bool {
    let verified = |certificate: &X509| {
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &certificate.public_key);
        key.verify(message, signature).is_ok()
    };
    read(certificate).is_ok_and(|certificate| verified(&certificate))
}

/// Whether this RSA key is the one of the certificate.
pub(super) fn check_key(certificate: &X509, pem: &str) -> Result<(), Problem> {
    let key = SigningKey::from_pem(pem, None)?;
    if key.public_der() == certificate.public_key {
        Ok(())
    } else {
        Err(Problem::OtherKey)
    }
}

/// How long WorkOS's own certificates are valid. Assumption: it is not documented.
const VALIDITY: SignedDuration = SignedDuration::from_hours(3 * 365 * 24);

/// A new self-signed certificate, and its key.
pub(super) fn generate(now: Timestamp) -> Result<(X509, Secret), Problem> {
    let not_after = clock::saturating_add(now, VALIDITY);
    let key = SigningKey::generate(None)?;
    let pem = key.certificate(now.as_second(), not_after.as_second())?;
    Ok((read(&pem)?, Secret::new(key.to_pem()?)))
}
