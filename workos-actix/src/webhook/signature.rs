//! The `WorkOS-Signature` header: `t=<unix milliseconds>, v1=<hex HMAC-SHA256 of "<t>.<body>">`.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::WebhookError;
use crate::digest::{Fingerprint, fingerprint};

const MAC_BYTES: usize = 32;
/// More `v1` parts than any rotation needs would only make us compute.
const MAX_MACS: usize = 8;

#[derive(Debug)]
pub(super) struct Signature<'a> {
    /// Milliseconds since the epoch.
    pub(super) timestamp: i64,
    /// As it was written, because that is what was signed.
    timestamp_text: &'a str,
    macs: Vec<[u8; MAC_BYTES]>,
}

impl<'a> Signature<'a> {
    /// Parts with other names are for versions to come, and ignored.
    pub(super) fn parse(header: &'a str) -> Result<Self, WebhookError> {
        let wrong = WebhookError::MalformedSignature;
        let mut timestamp_text = None;
        let mut macs = Vec::new();
        for part in header.split(',') {
            let Some((name, value)) = part.trim().split_once('=') else {
                continue;
            };
            if name == "t" && timestamp_text.replace(value).is_some() {
                return Err(wrong("it has two timestamps"));
            }
            if name == "v1" {
                if macs.len() == MAX_MACS {
                    return Err(wrong("it has too many signatures"));
                }
                macs.push(mac(value).ok_or(wrong("a signature is not 64 hex digits"))?);
            }
        }
        let timestamp_text = timestamp_text.ok_or(wrong("it has no timestamp"))?;
        if !timestamp_text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong("the timestamp is not a number"));
        }
        let timestamp = timestamp_text
            .parse()
            .map_err(|_| wrong("the timestamp is not a number"))?;
        if macs.is_empty() {
            return Err(wrong("it has no v1 signature"));
        }
        Ok(Self {
            timestamp,
            timestamp_text,
            macs,
        })
    }

    /// Whether the secret signed this body at this time. Every comparison takes constant time.
    pub(super) fn is_of(&self, body: &[u8], secret: &str) -> bool {
        keyed(secret, self.timestamp_text, body).is_some_and(|expected| {
            self.macs
                .iter()
                .any(|mac| expected.clone().verify_slice(mac).is_ok())
        })
    }

    /// The same for every copy of one signed request, however its header is written: made of what is signed, so that
    /// dropping or adding a `v1` part does not change it.
    pub(super) fn fingerprint(&self, body: &[u8]) -> Fingerprint {
        fingerprint(&[self.timestamp_text.as_bytes(), b".", body])
    }
}

/// The signature of a body at this time (milliseconds since the epoch), in hex.
pub(crate) fn sign(secret: &str, timestamp: i64, body: &[u8]) -> String {
    let signature = keyed(secret, &timestamp.to_string(), body);
    let bytes = signature.map(|signature| signature.finalize().into_bytes());
    bytes
        .iter()
        .flatten()
        .fold(String::with_capacity(MAC_BYTES * 2), |mut hex, byte| {
            for digit in [byte >> 4, byte & 15] {
                hex.extend(char::from_digit(digit.into(), 16));
            }
            hex
        })
}

/// HMAC takes keys of any length: there is always one.
fn keyed(secret: &str, timestamp: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut signature = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    signature.update(timestamp.as_bytes());
    signature.update(b".");
    signature.update(body);
    Some(signature)
}

fn mac(hex: &str) -> Option<[u8; MAC_BYTES]> {
    let digits = hex.as_bytes();
    if digits.len() != MAC_BYTES * 2 {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut mac = [0; MAC_BYTES];
    for (byte, pair) in mac.iter_mut().zip(digits.chunks_exact(2)) {
        let &[high, low] = pair else { return None };
        *byte = u8::try_from(digit(high)? * 16 + digit(low)?).ok()?;
    }
    Some(mac)
}
