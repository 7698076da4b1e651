//! bcrypt: `$2b$10$` and 53 characters of salt and hash in bcrypt's own base64.

use super::phc::within;
use super::{InvalidPasswordHash, Scheme};

/// Every step doubles the work; 15 is about two seconds. Four is the algorithm's own lower bound. WorkOS documents
/// neither, and services use 10 to 12.
const COST: std::ops::RangeInclusive<u32> = 4..=15;

pub(super) struct BcryptHash(String);

impl BcryptHash {
    /// Takes the versions `2a`, `2b` and `2y`, which are the same for all passwords that the others hash correctly.
    /// `2x` marks hashes of a broken implementation, which nobody but it can verify.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidPasswordHash> {
        if !["$2a$", "$2b$", "$2y$"]
            .iter()
            .any(|version| text.starts_with(version))
        {
            return Err(InvalidPasswordHash::new(
                "a bcrypt hash starts with $2a$, $2b$ or $2y$",
            ));
        }
        let parts: ::bcrypt::HashParts = text
            .parse()
            .map_err(|_| InvalidPasswordHash::new("not a bcrypt hash of 60 characters"))?;
        within("cost", parts.get_cost(), COST)?;
        Ok(Self(text.to_owned()))
    }
}

impl Scheme for BcryptHash {
    /// bcrypt looks at the first 72 bytes of the password only. So does this, as the hash was made that way.
    fn verify(&self, password: &[u8]) -> bool {
        ::bcrypt::verify(password, &self.0).unwrap_or(false) // compares in constant time
    }
}

#[cfg(test)]
mod tests {
    use super::super::PasswordHash;
    use super::super::PasswordHashType::Bcrypt as KIND;
    use super::super::tests::{PASSWORD, accepts, refuses};

    // Python's bcrypt: hashpw(PASSWORD, b"$2b$04$N9qo8uLOickgx2ZMRZoMye")
    const KNOWN: &str = "$2b$04$N9qo8uLOickgx2ZMRZoMyeNK8zsWBMaMSVoubqovVQN3ypdVzHwOW";

    #[test]
    fn known_answers() {
        for version in ["$2a$", "$2b$", "$2y$"] {
            accepts(KIND, &KNOWN.replacen("$2b$", version, 1), PASSWORD);
        }
        accepts(
            KIND,
            "$2b$04$N9qo8uLOickgx2ZMRZoMyexhJu7XyhFyrko6QMKtD6uvGcfCxpYoK",
            "",
        );
    }

    #[test]
    fn the_example_of_the_specification_is_accepted() {
        let hash = "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";
        assert!(PasswordHash::import(hash, KIND, None).is_ok());
    }

    #[test]
    fn only_the_first_72_bytes_count() {
        // hashpw(b"a" * 72, …)
        let hash = "$2b$04$N9qo8uLOickgx2ZMRZoMyeF1J3tt0w8.ywyH26Gg0MaR3.85io4ma";
        let hash = PasswordHash::import(hash, KIND, None).unwrap();
        assert!(hash.verify(&"a".repeat(72)));
        assert!(hash.verify(&"a".repeat(100)));
        assert!(!hash.verify(&"a".repeat(71)));
    }

    #[test]
    fn bounds() {
        refuses(
            KIND,
            &KNOWN.replacen("$04$", "$31$", 1),
            "`cost` must be between 4 and 15",
        );
        refuses(
            KIND,
            &KNOWN.replacen("$04$", "$16$", 1),
            "`cost` must be between 4 and 15",
        );
        refuses(
            KIND,
            &KNOWN.replacen("$04$", "$03$", 1),
            "`cost` must be between 4 and 15",
        );
        refuses(KIND, &KNOWN.replacen("$2b$", "$2x$", 1), "starts with");
        refuses(KIND, &KNOWN[..59], "60 characters");
        refuses(KIND, &KNOWN.replacen("$04$", "$ab$", 1), "60 characters");
        refuses(KIND, &format!("$2b$04$é{}", &KNOWN[9..]), "60 characters");
    }
}
