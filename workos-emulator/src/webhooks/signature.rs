//! The `WorkOS-Signature` header.
//!
//! Source: <https://workos.com/docs/events/data-syncing/webhooks>, and the official SDKs' verification: the key is the
//! endpoint's secret as it is shown, the time is in milliseconds.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;

use crate::core::secret::Secret;

pub(crate) const HEADER: &str = "WorkOS-Signature";

/// `t=<Unix time in ms>, v1=<HMAC-SHA256 of "<t>.<body>" in hexadecimal>`
pub(crate) fn sign(secret: &Secret, at: Timestamp, body: &[u8]) -> String {
    let at = at.as_millisecond();
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length (RFC 2104)")]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).expect("any key is valid");
    mac.update(format!("{at}.").as_bytes());
    mac.update(body);
    let mut header = format!("t={at}, v1=");
    for byte in mac.finalize().into_bytes() {
        // Writing to a String does not fail.
        let _ = write!(header, "{byte:02x}");
    }
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_as_the_official_sdks_verify() {
        let at = Timestamp::from_millisecond(1_700_000_000_000).unwrap();
        assert_eq!(
            sign(&Secret::new("secret"), at, b"body"),
            "t=1700000000000, v1=32850522003ebbce01a416e5d5df8ec8354a96e921cac7d0ebbaeef5732bdaea"
        );
    }

    #[test]
    fn depends_on_secret_time_and_body() {
        let at = Timestamp::from_millisecond(1_700_000_000_000).unwrap();
        let later = Timestamp::from_millisecond(1_700_000_000_001).unwrap();
        let digest = |secret: &str, at, body| {
            let header = sign(&Secret::new(secret), at, body);
            header.split_once("v1=").unwrap().1.to_owned()
        };
        let first = digest("whsec_a", at, b"{}");
        assert_ne!(first, digest("whsec_b", at, b"{}"));
        assert_ne!(first, digest("whsec_a", later, b"{}"));
        assert_ne!(first, digest("whsec_a", at, b"{ }"));
    }
}
