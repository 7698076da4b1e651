//! Proof key for code exchange (RFC 7636), with `S256`: the only method that WorkOS takes.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A well-formed `code_challenge`: a SHA-256 digest in base64url without padding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct CodeChallenge(String);

impl CodeChallenge {
    /// Nothing where the text is no digest, so that no verifier could ever answer it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digest = URL_SAFE_NO_PAD.decode(text).ok()?;
        (digest.len() == Sha256::output_size()).then(|| Self(text.to_owned()))
    }

    /// The challenge that `verifier` answers.
    pub(crate) fn of(verifier: &str) -> Self {
        Self(URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `verifier` is what the challenge was made of. A verifier of a form that the RFC forbids never is.
    pub(crate) fn is_answered_by(&self, verifier: &str) -> bool {
        let is_unreserved =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        (43..=128).contains(&verifier.len())
            && verifier.bytes().all(is_unreserved)
            && bool::from(digest.as_bytes().ct_eq(self.0.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn is_answered_by_its_verifier_alone() {
        let challenge = CodeChallenge::parse(CHALLENGE).unwrap();
        assert_eq!(challenge, CodeChallenge::of(VERIFIER));
        assert!(challenge.is_answered_by(VERIFIER));
        assert!(!challenge.is_answered_by(&VERIFIER.replace('d', "e")));
        assert!(
            !challenge.is_answered_by(CHALLENGE),
            "that would be the method `plain`"
        );
        assert!(!challenge.is_answered_by(""));
    }

    #[test]
    fn a_verifier_of_a_forbidden_form_answers_nothing() {
        for verifier in [
            "short",
            &"a".repeat(129),
            &format!("{} {}", "a".repeat(30), "b".repeat(30)),
        ] {
            let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
            assert!(
                !CodeChallenge::parse(&challenge).unwrap().is_answered_by(verifier),
                "{verifier}"
            );
        }
    }

    #[test]
    fn refuses_what_is_no_digest() {
        for text in [
            "",
            "abc",
            &CHALLENGE[..42],
            &format!("{CHALLENGE}="),
            &CHALLENGE.replace('-', "+"),
        ] {
            assert_eq!(CodeChallenge::parse(text), None, "{text}");
        }
    }
}
