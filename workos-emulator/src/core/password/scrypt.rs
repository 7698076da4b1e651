//! scrypt (RFC 7914): `$scrypt$v=1$n=16384,r=8,p=1,kl=64$salt$hash`, with `n` the cost itself and `kl` the hash's length.

use ::scrypt::Params;
use subtle::ConstantTimeEq as _;

use super::phc::{Phc, within};
use super::{InvalidPasswordHash, Scheme};

/// Memory is 128 bytes × n × r: 256 MiB, as WorkOS bounds Argon2.
const MAX_MEMORY_BLOCKS: u64 = 1 << 21;
/// Time goes with n × r × p: about three seconds.
const MAX_WORK: u64 = 1 << 22;

pub(super) struct ScryptHash {
    params: Params,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl ScryptHash {
    /// WorkOS documents the format, not the bounds, which are ours. Assumed: `v` may be left out, and `kl` has to agree
    /// with the hash.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidPasswordHash> {
        let phc = Phc::parse(text, &["n", "r", "p", "kl"])?;
        if phc.id != "scrypt" || phc.version.is_some_and(|version| version != 1) {
            return Err(InvalidPasswordHash::new("not a scrypt hash of version 1"));
        }
        let key_length = within("kl", phc.number("kl")?, 16..=128)?;
        if phc.hash.len() != key_length as usize {
            return Err(InvalidPasswordHash::new("the hash is not `kl` bytes long"));
        }
        if phc.salt.is_empty() {
            return Err(InvalidPasswordHash::new("the salt is empty"));
        }
        let params = bounded_params(phc.number("n")?, phc.number("r")?, phc.number("p")?)?;
        Ok(Self {
            params,
            salt: phc.salt,
            hash: phc.hash,
        })
    }
}

impl Scheme for ScryptHash {
    fn verify(&self, password: &[u8]) -> bool {
        let mut derived = vec![0; self.hash.len()];
        ::scrypt::scrypt(password, &self.salt, &self.params, &mut derived).is_ok()
            && derived.ct_eq(&self.hash).into()
    }
}

/// The parameters, if they are valid and neither memory nor time is out of bounds.
pub(super) fn bounded_params(n: u32, r: u32, p: u32) -> Result<Params, InvalidPasswordHash> {
    if n < 2 || !n.is_power_of_two() {
        return Err(InvalidPasswordHash::new(
            "the cost of scrypt must be a power of two, greater than one",
        ));
    }
    let memory = u64::from(n).saturating_mul(r.into());
    if memory > MAX_MEMORY_BLOCKS || memory.saturating_mul(p.into()) > MAX_WORK {
        return Err(InvalidPasswordHash::new(
            "the parameters of scrypt take too much memory or time",
        ));
    }
    u8::try_from(n.ilog2())
        .ok()
        .and_then(|log_n| Params::new(log_n, r, p).ok())
        .ok_or_else(|| InvalidPasswordHash::new("the parameters of scrypt are invalid"))
}

#[cfg(test)]
mod tests {
    use super::super::PasswordHash;
    use super::super::PasswordHashType::Scrypt as KIND;
    use super::super::tests::{PASSWORD, accepts, refuses};

    // hashlib.scrypt(PASSWORD, salt=b"0123456789abcdef", n=…, r=…, p=…, dklen=…)
    const KNOWN: [&str; 2] = [
        "$scrypt$v=1$n=1024,r=8,p=2,kl=32$MDEyMzQ1Njc4OWFiY2RlZg$KhW5KLACpfR1HRqSPdg8ODHC9nzhpv0EHEqfwm5GJX4",
        "$scrypt$v=1$n=16384,r=8,p=1,kl=64$MDEyMzQ1Njc4OWFiY2RlZg\
         $tjK03tRvEjqCcPwmgtddMkgjlXrk8U/b9rIvfeBMKCcxlckVogBtTKwjk3CpCcSQhX0X2CBkh7x8+hWN0EaASQ",
    ];

    #[test]
    fn known_answers() {
        for hash in KNOWN {
            accepts(KIND, hash, PASSWORD);
        }
    }

    #[test]
    fn the_example_of_the_documentation_is_accepted() {
        let hash = "$scrypt$v=1$n=16384,r=8,p=1,kl=64$Swhqd4iUYTtWfbCYIPeuMw\
                    $q7pfdBQMJujd5FX/qX+ozM2O6aNqP+mo1ZnHGH15XM2vlhroQfPA037UpbdfpH4H66OrSPjsUhfkAMuNoBiQvw";
        assert!(PasswordHash::import(hash, KIND, None).is_ok());
    }

    #[test]
    fn bounds() {
        let with = |from: &str, to: &str| KNOWN[0].replacen(from, to, 1);
        for (hash, reason) in [
            (with("n=1024", "n=1073741824"), "too much memory"),
            (with("n=1024,r=8", "n=1048576,r=4"), "too much memory"),
            (with("p=2", "p=4294967295"), "too much memory or time"),
            (with("r=8", "r=4294967295"), "too much memory"),
            (with("n=1024", "n=1000"), "power of two"),
            (with("n=1024", "n=1"), "power of two"),
            (with("n=1024", "n=0"), "power of two"),
            (with("r=8", "r=0"), "invalid"),
            (with("p=2", "p=0"), "invalid"),
            (with("kl=32", "kl=64"), "`kl` bytes"),
            (with("kl=32", "kl=4294967295"), "`kl` must be between"),
            (with("n=1024", "ln=10"), "unknown"),
            (with("v=1", "v=2"), "version 1"),
            (with("$scrypt", "$argon2id"), "not a scrypt hash"),
            (with("MDEyMzQ1Njc4OWFiY2RlZg", ""), "salt is empty"),
            ("scrypt".to_owned(), "not a PHC string"),
        ] {
            refuses(KIND, &hash, reason);
        }
    }
}
