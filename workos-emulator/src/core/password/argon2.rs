//! Argon2 (RFC 9106): `$argon2id$v=19$m=65536,t=3,p=4$salt$hash`.

use std::fmt;

use ::argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use subtle::ConstantTimeEq as _;

use super::phc::{Phc, within};
use super::{InvalidPasswordHash, Scheme};

/// What WorkOS accepts, and what our own hashes have.
const MIN_MEMORY_KIB: u32 = 4096;
const MAX_MEMORY_KIB: u32 = 262_144;

pub(super) struct Argon2Hash {
    algorithm: Algorithm,
    params: Params,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Argon2Hash {
    /// The bounds are WorkOS's: 4 to 256 MiB, 1 to 5 passes (`argon2i`: from 3), 1 to 8 lanes, version 19. The lengths
    /// of salt (from 8 bytes) and hash (16 to 64) are the RFC's and a safe assumption.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidPasswordHash> {
        let phc = Phc::parse(text, &["m", "t", "p"])?;
        let (algorithm, min_passes) = match phc.id {
            "argon2id" => (Algorithm::Argon2id, 1),
            "argon2d" => (Algorithm::Argon2d, 1),
            "argon2i" => (Algorithm::Argon2i, 3),
            _ => {
                return Err(InvalidPasswordHash::new(
                    "not an argon2id, argon2d or argon2i hash",
                ));
            }
        };
        if phc.version != Some(19) {
            return Err(InvalidPasswordHash::new("the version of Argon2 must be 19"));
        }
        let memory = within("m", phc.number("m")?, MIN_MEMORY_KIB..=MAX_MEMORY_KIB)?;
        let passes = within("t", phc.number("t")?, min_passes..=5)?;
        let lanes = within("p", phc.number("p")?, 1..=8)?;
        if phc.salt.len() < 8 || !(16..=64).contains(&phc.hash.len()) {
            return Err(InvalidPasswordHash::new(
                "Argon2 needs a salt of 8 bytes or more and a hash of 16 to 64",
            ));
        }
        let params = params(memory, passes, lanes)?;
        Ok(Self {
            algorithm,
            params,
            salt: phc.salt,
            hash: phc.hash,
        })
    }

    pub(super) fn create(password: &[u8], salt: &[u8]) -> Result<Self, InvalidPasswordHash> {
        let params = params(MIN_MEMORY_KIB, 1, 1)?;
        let mut created = Self {
            algorithm: Algorithm::Argon2id,
            params,
            salt: salt.to_vec(),
            hash: vec![0; 32],
        };
        created.hash = created.derive(password)?;
        Ok(created)
    }

    fn derive(&self, password: &[u8]) -> Result<Vec<u8>, InvalidPasswordHash> {
        let mut derived = vec![0; self.hash.len()];
        Argon2::new(self.algorithm, Version::V0x13, self.params.clone())
            .hash_password_into(password, &self.salt, &mut derived)
            .map_err(|error| InvalidPasswordHash::new(error.to_string()))?;
        Ok(derived)
    }
}

fn params(memory: u32, passes: u32, lanes: u32) -> Result<Params, InvalidPasswordHash> {
    Params::new(memory, passes, lanes, None).map_err(|error| InvalidPasswordHash::new(error.to_string()))
}

impl Scheme for Argon2Hash {
    fn verify(&self, password: &[u8]) -> bool {
        self.derive(password)
            .is_ok_and(|derived| derived.ct_eq(&self.hash).into())
    }
}

/// The PHC string.
impl fmt::Display for Argon2Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "${}$v=19$m={},t={},p={}${}${}",
            self.algorithm,
            self.params.m_cost(),
            self.params.t_cost(),
            self.params.p_cost(),
            STANDARD_NO_PAD.encode(&self.salt),
            STANDARD_NO_PAD.encode(&self.hash),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::PasswordHash;
    use super::super::PasswordHashType::Argon2 as KIND;
    use super::super::tests::{PASSWORD, accepts, refuses};

    // argon2-cffi: hash_secret(PASSWORD, b"0123456789abcdef", time_cost, memory_cost, parallelism, hash_len, type)
    const KNOWN: [&str; 4] = [
        "$argon2id$v=19$m=4096,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$mDBI7I83kOTBcQZVXUAHCRm9ZyNmqrIccUZP456pguY",
        "$argon2i$v=19$m=4096,t=3,p=1$MDEyMzQ1Njc4OWFiY2RlZg$EY12I7uGyoBHzuQuFWt3F/Kvu99fJBY2qYsz2KZSrj8",
        "$argon2d$v=19$m=4096,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$tA38XOH4EsiTMo91b5XIQEZUtfA9h7gBnO50xBoWPl8",
        "$argon2id$v=19$m=8192,t=2,p=4$MDEyMzQ1Njc4OWFiY2RlZg$mObfXo2JeYZvOP4SxE2d9DWUhxhHy8ty",
    ];

    #[test]
    fn known_answers() {
        for hash in KNOWN {
            accepts(KIND, hash, PASSWORD);
        }
    }

    #[test]
    fn the_example_of_the_documentation_is_accepted() {
        // It is of no known password: salt and hash are those of argon2i with t=2, `password` and `somesalt`.
        let hash = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b+dWRWJTmaaJObG";
        assert!(PasswordHash::import(hash, KIND, None).is_ok());
    }

    #[test]
    fn bounds() {
        let with = |from: &str, to: &str| KNOWN[0].replacen(from, to, 1);
        for (hash, reason) in [
            (with("m=4096", "m=4194304"), "`m` must be between 4096 and 262144"),
            (with("m=4096", "m=4095"), "`m` must be between"),
            (with("t=1", "t=6"), "`t` must be between 1 and 5"),
            (with("t=1", "t=0"), "`t` must be between 1 and 5"),
            (KNOWN[1].replacen("t=3", "t=2", 1), "`t` must be between 3 and 5"),
            (with("p=1", "p=9"), "`p` must be between 1 and 8"),
            (with("p=1", "p=0"), "`p` must be between 1 and 8"),
            (with("v=19", "v=16"), "version"),
            (with("$v=19", ""), "version"),
            (with("argon2id", "argon2"), "not an argon2id"),
            (with("p=1", "p=1,keyid=AAAA"), "unknown or repeated parameter"),
            (with("p=1", "p=1,m=4096"), "unknown or repeated parameter"),
            (with(",p=1", ""), "`p` is missing"),
            (with("t=1", "t=+1"), "`t` is not a number"),
            (with("m=4096", "m=99999999999999999999"), "`m` is not a number"),
            (with("MDEyMzQ1Njc4OWFiY2RlZg", "MDEy"), "salt of 8 bytes"),
            (
                with("mDBI7I83kOTBcQZVXUAHCRm9ZyNmqrIccUZP456pguY", "mDBI7I83"),
                "hash of 16",
            ),
            (with("pguY", "pguY="), "without padding"),
            (with("pguY", "pguY$"), "not a PHC string"),
        ] {
            refuses(KIND, &hash, reason);
        }
    }
}
