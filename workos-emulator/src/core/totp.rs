//! Time-based one-time passwords (RFC 6238), with the parameters that every authenticator app knows and that WorkOS has:
//! SHA-1, six digits, steps of 30 seconds.
//!
//! Source: <https://workos.com/docs/reference/authkit/mfa/enroll-auth-factor>.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use totp_rs::{Builder, Totp, TotpError};

/// The length of a step, in seconds.
const STEP: u64 = 30;

/// The longest secret that is read, in letters of base32. RFC 4226 section 4 recommends 32.
const MAX_LENGTH: usize = 256;

/// What an authenticator app and the service share. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct TotpSecret(totp_rs::Secret);

/// Text that is no base32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be base32: letters A to Z and digits 2 to 7, like JBSWY3DPEHPK3PXP")]
pub(crate) struct NoBase32;

impl TotpSecret {
    /// Made of random bytes, as many as RFC 4226 section 4 recommends.
    pub(crate) const fn new(randomness: [u8; 20]) -> Self {
        Self(totp_rs::Secret::new_stack(randomness))
    }

    /// Reads base32 as people write it: in either case, in groups, with or without padding.
    pub(crate) fn parse(text: &str) -> Result<Self, NoBase32> {
        if text.len() > MAX_LENGTH {
            return Err(NoBase32);
        }
        let letters = text
            .trim_end_matches('=')
            .chars()
            .filter(|letter| !matches!(letter, ' ' | '-'));
        let letters = letters.collect::<String>().to_ascii_uppercase();
        let secret = totp_rs::Secret::try_from_base32(letters).map_err(|_| NoBase32)?;
        if secret.as_bytes().is_empty() {
            return Err(NoBase32);
        }
        Ok(Self(secret))
    }

    /// The secret itself in base32, for the one response, and the one page, that shows it.
    pub(crate) fn expose(&self) -> String {
        self.0.to_base32()
    }

    /// The code of a step.
    pub(crate) fn code(&self, step: u64) -> String {
        self.totp().generate(step.saturating_mul(STEP)).to_string()
    }

    /// Which step `code` is of: the present one, or the one before or after it, as clocks differ and people are slow
    /// (RFC 6238 section 5.2). Nothing where it is of none of them. Codes are compared in constant time.
    pub(crate) fn step_of(&self, code: &str, now: Timestamp) -> Option<u64> {
        self.totp().check(code, seconds(now))
    }

    /// What a QR code tells an authenticator app. Source: <https://github.com/google/google-authenticator/wiki/Key-Uri-Format>.
    pub(crate) fn uri(&self, issuer: &str, user: &str) -> Result<String, TotpError> {
        let labelled = self.builder().with_issuer(Some(issuer)).with_account_name(user);
        labelled.build_noncompliant().to_url()
    }

    fn totp(&self) -> Totp {
        // The unchecked kind: an application may bring a secret that is shorter than RFC 4226 wants.
        self.builder().build_noncompliant()
    }

    fn builder(&self) -> Builder {
        Builder::new().with_secret(self.0.clone())
    }
}

/// The step that `now` is in.
pub(crate) fn step_at(now: Timestamp) -> u64 {
    seconds(now) / STEP
}

fn seconds(now: Timestamp) -> u64 {
    u64::try_from(now.as_second()).unwrap_or_default()
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(…)")
    }
}

impl TryFrom<String> for TotpSecret {
    type Error = NoBase32;

    fn try_from(text: String) -> Result<Self, NoBase32> {
        Self::parse(&text)
    }
}

impl From<TotpSecret> for String {
    fn from(secret: TotpSecret) -> Self {
        secret.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238, appendix B.
    const RFC: [u8; 20] = *b"12345678901234567890";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn makes_the_codes_of_the_rfc() {
        let secret = TotpSecret::new(RFC);
        // Appendix B has eight digits; six are their end.
        for (second, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let now = at(second);
            assert_eq!(secret.code(step_at(now)), code, "{second}");
            assert_eq!(secret.step_of(code, now), Some(step_at(now)), "{second}");
        }
    }

    #[test]
    fn a_code_is_good_for_the_steps_next_to_its_own() {
        let secret = TotpSecret::new(RFC);
        let code = secret.code(100);
        for (second, found) in [
            (2969, None),
            (2970, Some(100)),
            (3000, Some(100)),
            (3059, Some(100)),
            (3060, None),
        ] {
            assert_eq!(secret.step_of(&code, at(second)), found, "{second}");
        }
        for wrong in ["", "12345", "1234567", "+12345", " 87082", "２８７０８２"] {
            assert_eq!(secret.step_of(wrong, at(3000)), None, "{wrong}");
        }
        assert_eq!(step_at(at(-5)), 0, "before 1970 the time stands still");
    }

    #[test]
    fn reads_base32_as_people_write_it() {
        let secret = TotpSecret::parse("JBSWY3DPEHPK3PXP").unwrap();
        for text in [
            "jbsw y3dp ehpk 3pxp",
            "JBSW-Y3DP-EHPK-3PXP",
            "JBSWY3DPEHPK3PXP====",
        ] {
            assert_eq!(TotpSecret::parse(text), Ok(secret.clone()), "{text}");
        }
        assert_eq!(secret.expose(), "JBSWY3DPEHPK3PXP");
        let long = "A".repeat(257);
        for text in ["", "A", "====", "JBSWY3DP0", "JBSWY3DP1", "JBSW!", "ÄÄÄÄ", &long] {
            assert_eq!(TotpSecret::parse(text), Err(NoBase32), "{text}");
        }
    }

    #[test]
    fn is_kept_as_base32_and_not_shown() {
        let secret = TotpSecret::new(RFC);
        let kept = serde_json::to_string(&secret).unwrap();
        assert_eq!(kept, r#""GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ""#);
        assert_eq!(serde_json::from_str::<TotpSecret>(&kept).unwrap(), secret);
        assert!(serde_json::from_str::<TotpSecret>(r#""0""#).is_err());
        assert_eq!(format!("{secret:?}"), "TotpSecret(…)");
    }

    #[test]
    fn the_uri_names_issuer_and_user() {
        let secret = TotpSecret::parse("JBSWY3DPEHPK3PXP").unwrap();
        assert_eq!(
            secret.uri("Foo Corp", "ada+1@example.com").unwrap(),
            "otpauth://totp/Foo%20Corp:ada%2B1%40example.com?secret=JBSWY3DPEHPK3PXP&issuer=Foo%20Corp"
        );
        assert!(secret.uri("Foo", "").is_err());
    }
}
