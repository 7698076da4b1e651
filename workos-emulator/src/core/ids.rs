//! Ids and secrets, from the environment's own randomness.

use jiff::Timestamp;
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use ulid::Ulid;

/// The environment's source of randomness.
pub(crate) fn system_randomness() -> StdRng {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place where randomness comes in"
    )]
    StdRng::from_rng(&mut rand::rng())
}

/// Makes ids and tokens; the same seed and the same times give the same ones.
#[derive(Debug)]
pub(crate) struct IdGenerator {
    randomness: StdRng,
    last: Ulid,
}

impl IdGenerator {
    pub(crate) fn new(randomness: StdRng) -> Self {
        Self {
            randomness,
            last: Ulid::nil(),
        }
    }

    /// `prefix_` and a ULID of the time `now`: ascending within one millisecond, never ahead of the clock.
    ///
    /// Source: <https://github.com/ulid/spec#monotonicity>; WorkOS's ids have this form throughout.
    pub(crate) fn id(&mut self, prefix: &str, now: Timestamp) -> String {
        format!("{prefix}_{}", self.ulid(now))
    }

    pub(crate) fn ulid(&mut self, now: Timestamp) -> Ulid {
        let milliseconds = u64::try_from(now.as_millisecond()).unwrap_or_default();
        let next = if self.last.timestamp_ms() == milliseconds {
            // The first random part has its top bit clear, so that 2^79 increments fit.
            Ulid::from_parts(milliseconds, self.last.random().wrapping_add(1))
        } else {
            Ulid::from_parts(milliseconds, self.randomness.random::<u128>() >> 49)
        };
        self.last = next;
        next
    }

    /// `length` random letters and digits: codes, tokens and secrets (about 5.95 bits each).
    pub(crate) fn token(&mut self, length: usize) -> String {
        const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        (0..length)
            .map(|_| char::from(ALPHABET[self.randomness.random_range(0..ALPHABET.len())]))
            .collect()
    }

    /// `N` random bytes: keys and shared secrets.
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.randomness.fill_bytes(&mut bytes);
        bytes
    }

    /// A code of six digits, for people to type.
    pub(crate) fn code(&mut self) -> String {
        format!("{:06}", self.randomness.random_range(0..1_000_000))
    }

    /// Eight letters for people to type, none of which makes a word or looks like another (RFC 8628 section 6.1).
    pub(crate) fn user_code(&mut self) -> String {
        const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
        (0..8)
            .map(|_| char::from(ALPHABET[self.randomness.random_range(0..ALPHABET.len())]))
            .collect()
    }

    /// The randomness itself, for salts.
    pub(crate) fn randomness(&mut self) -> &mut impl Rng {
        &mut self.randomness
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(milliseconds).unwrap()
    }

    #[test]
    fn ascends_within_a_millisecond_and_never_runs_ahead() {
        let mut ids = IdGenerator::new(StdRng::seed_from_u64(1));
        let made: Vec<_> = (0..10_000).map(|_| ids.ulid(at(1_700_000_000_000))).collect();
        assert!(made.is_sorted_by(|a, b| a < b));
        assert!(made.iter().all(|id| id.timestamp_ms() == 1_700_000_000_000));
        assert!(ids.ulid(at(1_700_000_000_001)) > made[9_999]);
    }

    #[test]
    fn follows_a_clock_that_goes_back() {
        let mut ids = IdGenerator::new(StdRng::seed_from_u64(1));
        ids.ulid(at(2_000));
        assert_eq!(ids.ulid(at(1_000)).timestamp_ms(), 1_000);
    }

    #[test]
    fn has_workos_form() {
        let mut ids = IdGenerator::new(StdRng::seed_from_u64(1));
        let id = ids.id("user", at(1_700_000_000_000));
        assert_eq!(id.len(), "user_".len() + 26);
        assert!(id.starts_with("user_01"), "{id}");
        assert_eq!(ids.token(25).len(), 25);
    }

    #[test]
    fn the_same_seed_gives_the_same_tokens() {
        let make = || IdGenerator::new(StdRng::seed_from_u64(7)).token(64);
        assert_eq!(make(), make());
    }
}
