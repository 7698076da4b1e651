//! PBKDF2 (RFC 8018): `$pbkdf2$i=600000,d=sha256$salt$hash`, with HMAC-SHA-256 or HMAC-SHA-512.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2::{self, Algorithm, PBKDF2_HMAC_SHA256, PBKDF2_HMAC_SHA512};

use super::phc::{Phc, within};
use super::{InvalidPasswordHash, Scheme};

/// aws-lc does the work, as its inner loop is fast in a debug build as well.
pub(super) struct Pbkdf2Hash {
    algorithm: Algorithm,
    iterations: NonZeroU32,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Pbkdf2Hash {
    /// The bounds of the iterations are WorkOS's: 600,000 (`sha256`) or 210,000 (`sha512`) to 1,000,000. Assumed: a
    /// version may be given and means nothing, and a hash has 16 to 64 bytes.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidPasswordHash> {
        let phc = Phc::parse(text, &["i", "d"])?;
        if phc.id != "pbkdf2" {
            return Err(InvalidPasswordHash::new("not a pbkdf2 hash"));
        }
        let (algorithm, min_iterations) = match phc.param("d")? {
            "sha256" => (PBKDF2_HMAC_SHA256, 600_000),
            "sha512" => (PBKDF2_HMAC_SHA512, 210_000),
            _ => {
                return Err(InvalidPasswordHash::new(
                    "the digest `d` must be sha256 or sha512",
                ));
            }
        };
        let iterations = within("i", phc.number("i")?, min_iterations..=1_000_000)?;
        let iterations =
            NonZeroU32::new(iterations).ok_or_else(|| InvalidPasswordHash::new("no iterations"))?;
        if phc.salt.is_empty() || !(16..=64).contains(&phc.hash.len()) {
            return Err(InvalidPasswordHash::new(
                "PBKDF2 needs a salt, and a hash of 16 to 64 bytes",
            ));
        }
        Ok(Self {
            algorithm,
            iterations,
            salt: phc.salt,
            hash: phc.hash,
        })
    }
}

impl Scheme for Pbkdf2Hash {
    fn verify(&self, password: &[u8]) -> bool {
        // compares in constant time
        pbkdf2::verify(self.algorithm, self.iterations, &self.salt, password, &self.hash).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::super::PasswordHash;
    use super::super::PasswordHashType::Pbkdf2 as KIND;
    use super::super::tests::{PASSWORD, accepts, refuses};

    // hashlib.pbkdf2_hmac("sha256" or "sha512", PASSWORD, b"0123456789abcdef", iterations)
    const KNOWN: [&str; 2] = [
        "$pbkdf2$i=600000,d=sha256$MDEyMzQ1Njc4OWFiY2RlZg$bEpkaq0Q0Get1ft52QeKFtqD1Q+BZwqOdZOySebZSTY",
        "$pbkdf2$i=210000,d=sha512$MDEyMzQ1Njc4OWFiY2RlZg\
         $MZzEtPw1Mpo77OdkGORTt/WiKyi/IN4Pp7hkbe0Q3XA3UZDbcRp8xYlF0PyZjEAiIQyB3nj1YwWHidBrQxTKDw",
    ];

    #[test]
    fn known_answers() {
        for hash in KNOWN {
            accepts(KIND, hash, PASSWORD);
        }
    }

    #[test]
    fn the_example_of_the_documentation_is_accepted() {
        let hash = "$pbkdf2$i=600000,d=sha256$T2ptRFh6MXhDQVh2SWZuUGdpQXBUTg$xXiyTisD7390NijyCv5ICMhFW4eDuMlzypRoLGLyIvA";
        assert!(PasswordHash::import(hash, KIND, None).is_ok());
    }

    #[test]
    fn bounds() {
        let with = |from: &str, to: &str| KNOWN[0].replacen(from, to, 1);
        for (hash, reason) in [
            (
                with("i=600000", "i=1000000000"),
                "`i` must be between 600000 and 1000000",
            ),
            (
                with("i=600000", "i=599999"),
                "`i` must be between 600000 and 1000000",
            ),
            (
                KNOWN[1].replacen("i=210000", "i=209999", 1),
                "`i` must be between 210000 and 1000000",
            ),
            (with("d=sha256", "d=sha1"), "sha256 or sha512"),
            (with(",d=sha256", ""), "`d` is missing"),
            (with("pbkdf2", "pbkdf2-sha256"), "not a pbkdf2 hash"),
            (with("MDEyMzQ1Njc4OWFiY2RlZg", ""), "needs a salt"),
            (
                with("bEpkaq0Q0Get1ft52QeKFtqD1Q+BZwqOdZOySebZSTY", "bEpkaq0Q"),
                "16 to 64 bytes",
            ),
        ] {
            refuses(KIND, &hash, reason);
        }
    }
}
