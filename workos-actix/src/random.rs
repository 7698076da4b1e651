//! Where randomness comes from, and the unguessable strings made of it.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::Rng;

/// A source of bytes nobody can guess.
pub(crate) trait Randomness: fmt::Debug + Send + Sync {
    fn fill(&self, bytes: &mut [u8]);
}

/// The thread-local CSPRNG of `rand`, seeded by the operating system.
#[derive(Debug)]
pub(crate) struct SystemRandomness;

impl Randomness for SystemRandomness {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that takes randomness from the system"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}

/// 256 bits as 43 characters of base64url: long enough for an OAuth `state` and, by RFC 7636, for a PKCE verifier.
pub(crate) fn unguessable(randomness: &dyn Randomness) -> String {
    let mut bytes = [0; 32];
    randomness.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}
