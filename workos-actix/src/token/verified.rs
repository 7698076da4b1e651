//! What was proven before: a repeated credential then costs a look into memory instead of an RSA operation.

use std::{sync::Arc, time::Duration};

use moka::sync::Cache;
use workos::SecretString;

use crate::context::AuthContext;

const MAX_CREDENTIALS: u64 = 10_000;
/// Only a bound on memory: the expiry of the token is checked at every use.
const MAX_AGE: Duration = Duration::from_secs(60 * 60);
/// Every credential ends with this much of a signature, of an authentication tag or of a refresh token: no two of them are
/// alike.
const END_BYTES: usize = 32;

/// A bounded cache of what credentials were proven to be. Only genuine ones are in it, so that made-up ones push nothing
/// out.
///
/// A credential is found by its end, which is faster than a hash of it all, and then compared as a whole: what is found was
/// proven for this very text.
#[derive(Debug, Clone)]
pub(crate) struct Verified<V: Send + Sync + 'static>(Cache<[u8; END_BYTES], Arc<Entry<V>>>);

#[derive(Debug)]
struct Entry<V> {
    credential: SecretString,
    verified: V,
}

impl<V: Clone + Send + Sync + 'static> Verified<V> {
    pub(crate) fn new() -> Self {
        let cache = Cache::builder()
            .max_capacity(MAX_CREDENTIALS)
            .time_to_live(MAX_AGE);
        Self(cache.build())
    }

    pub(crate) fn get(&self, credential: &str) -> Option<V> {
        let entry = self.0.get(&end(credential))?;
        // Whoever knows the end knows it all: how long this takes tells nothing new.
        (entry.credential.expose() == credential).then(|| entry.verified.clone())
    }

    pub(crate) fn insert(&self, credential: &str, verified: V) {
        let entry = Entry {
            credential: credential.into(),
            verified,
        };
        self.0.insert(end(credential), Arc::new(entry));
    }

    /// Forgets a credential that has a successor.
    pub(crate) fn forget(&self, credential: &str) {
        self.0.invalidate(&end(credential));
    }
}

fn end(credential: &str) -> [u8; END_BYTES] {
    let mut end = [0; END_BYTES];
    for (to, from) in end.iter_mut().zip(credential.bytes().rev()) {
        *to = from;
    }
    end
}

/// A bearer token that is genuine.
#[derive(Debug, Clone)]
pub(crate) struct VerifiedToken {
    pub(crate) context: AuthContext,
    /// The generation of the key set that verified it.
    pub(crate) generation: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_very_credential_is_found() {
        let verified = Verified::new();
        verified.insert("abc", 1);
        assert_eq!(verified.get("abc"), Some(1));
        for other in ["", "ab", "abd", "abcd", "Abc", "abc\0", "\0abc"] {
            assert_eq!(verified.get(other), None, "{other}");
        }
        verified.forget("abc");
        assert_eq!(verified.get("abc"), None);
    }

    #[test]
    fn a_common_end_is_not_enough() {
        let verified = Verified::new();
        let (one, other) = (format!("1{:064}", 0), format!("2{:064}", 0));
        verified.insert(&one, 1);
        assert_eq!(verified.get(&one), Some(1));
        assert_eq!(verified.get(&other), None);
    }

    #[test]
    fn credentials_are_not_shown() {
        let verified = Verified::new();
        verified.insert("secret", 1);
        let shown = format!("{verified:?}");
        assert!(
            shown.contains("<redacted>") && !shown.contains("secret"),
            "{shown}"
        );
    }
}
