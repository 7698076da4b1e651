//! Secrets: never shown by `Debug`, compared in constant time in one place.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// An API key, a token, a code.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself, for the one response that shows it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// Compares in time that depends on the lengths only.
    pub(crate) fn matches(&self, given: &str) -> bool {
        self.0.as_bytes().ct_eq(given.as_bytes()).into()
    }

    /// What a secret is looked up by, so that a lookup's time tells nothing about stored secrets.
    pub(crate) fn digest(given: &str) -> String {
        Sha256::digest(given.as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_not_shown_and_compares_whole() {
        let secret = Secret::new("sk_test_1");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert!(secret.matches("sk_test_1"));
        assert!(!secret.matches("sk_test_"));
        assert!(!secret.matches("sk_test_11"));
    }
}
