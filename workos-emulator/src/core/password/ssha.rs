//! Salted digests as LDAP servers keep them (RFC 2307 and its habits): `{SSHA}` or `{SSHA256}`, then base64 of the
//! digest followed by the salt.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

use super::{InvalidPasswordHash, SaltPosition, Scheme};

/// `{SSHA}base64(sha1(password + salt) + salt)`
pub(super) struct SshaHash(Salted);

/// `{SSHA256}base64(sha256(password + salt) + salt)`. WorkOS documents `ssha` alone; this is the same with SHA-256, as
/// LDAP servers write it. With [`SaltPosition::Prefix`] the digest is of salt + password; that the salt follows the
/// digest in the text then too is an assumption.
pub(super) struct Ssha256Hash {
    salted: Salted,
    salt_position: SaltPosition,
}

struct Salted {
    digest: Vec<u8>,
    salt: Vec<u8>,
}

impl SshaHash {
    pub(super) fn parse(text: &str) -> Result<Self, InvalidPasswordHash> {
        Salted::parse(text, "{SSHA}", <Sha1 as Digest>::output_size()).map(Self)
    }
}

impl Ssha256Hash {
    pub(super) fn parse(text: &str, salt_position: SaltPosition) -> Result<Self, InvalidPasswordHash> {
        let salted = Salted::parse(text, "{SSHA256}", <Sha256 as Digest>::output_size())?;
        Ok(Self {
            salted,
            salt_position,
        })
    }
}

impl Salted {
    fn parse(text: &str, prefix: &str, digest_length: usize) -> Result<Self, InvalidPasswordHash> {
        let encoded = text
            .strip_prefix(prefix)
            .ok_or_else(|| InvalidPasswordHash::new(format!("the hash does not start with {prefix}")))?;
        let mut digest = STANDARD
            .decode(encoded)
            .map_err(|_| InvalidPasswordHash::new(format!("no base64 follows {prefix}")))?;
        if digest.len() <= digest_length {
            return Err(InvalidPasswordHash::new(format!(
                "{prefix} needs {digest_length} bytes of digest and a salt"
            )));
        }
        let salt = digest.split_off(digest_length);
        Ok(Self { digest, salt })
    }

    fn verify<D: Digest>(&self, password: &[u8], salt_position: SaltPosition) -> bool {
        let (first, second) = match salt_position {
            SaltPosition::Prefix => (self.salt.as_slice(), password),
            SaltPosition::Suffix => (password, self.salt.as_slice()),
        };
        let digest = D::new().chain_update(first).chain_update(second).finalize();
        digest.as_slice().ct_eq(&self.digest).into()
    }
}

impl Scheme for SshaHash {
    fn verify(&self, password: &[u8]) -> bool {
        self.0.verify::<Sha1>(password, SaltPosition::Suffix)
    }
}

impl Scheme for Ssha256Hash {
    fn verify(&self, password: &[u8]) -> bool {
        self.salted.verify::<Sha256>(password, self.salt_position)
    }
}

#[cfg(test)]
mod tests {
    use super::super::PasswordHashType::{Ssha, Ssha256};
    use super::super::tests::{PASSWORD, accepts, refuses};
    use super::super::{PasswordHash, SaltPosition};

    // base64.b64encode(hashlib.sha1(PASSWORD + salt).digest() + salt), with salt = bytes(range(1, 9)); likewise sha256
    const SSHA: &str = "{SSHA}axjXroWdrjIVf38p0IUbdYaQZtQBAgMEBQYHCA==";
    const SSHA256: &str = "{SSHA256}4RCdQtRBvAvQSR9Gtkm3fc5bhSO2sZxjW2Uv2CPwYi0BAgMEBQYHCA==";
    const SALT_FIRST: &str = "{SSHA256}0aCcz5DTt3gHLOFokCenNv4novCJxcR9wr8v1hFyu3IBAgMEBQYHCA==";

    #[test]
    fn known_answers() {
        accepts(Ssha, SSHA, PASSWORD);
        accepts(Ssha256, SSHA256, PASSWORD);
    }

    #[test]
    fn the_salt_position_decides() {
        let import = |hash, position| PasswordHash::import(hash, Ssha256, Some(position)).unwrap();
        assert!(import(SALT_FIRST, SaltPosition::Prefix).verify(PASSWORD));
        assert!(!import(SALT_FIRST, SaltPosition::Suffix).verify(PASSWORD));
        assert!(import(SSHA256, SaltPosition::Suffix).verify(PASSWORD));
        assert!(!import(SSHA256, SaltPosition::Prefix).verify(PASSWORD));
        assert!(PasswordHash::import(SSHA, Ssha, Some(SaltPosition::Suffix)).is_err());
    }

    #[test]
    fn bounds() {
        refuses(Ssha, SSHA256, "does not start with {SSHA}");
        refuses(Ssha256, SSHA, "does not start with {SSHA256}");
        refuses(
            Ssha,
            "{SSHA}axjXroWdrjIVf38p0IUbdYaQZtQ=",
            "20 bytes of digest and a salt",
        );
        refuses(Ssha, "{SSHA}AQID", "20 bytes of digest and a salt");
        refuses(Ssha, "{SSHA}AA==", "20 bytes of digest and a salt");
        refuses(Ssha, "{SSHA}not base64", "no base64 follows");
        refuses(Ssha256, "{SSHA256}é", "no base64 follows");
    }
}
