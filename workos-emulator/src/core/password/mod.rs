//! Passwords: hashes of our own, hashes imported from other services, and the policy for new ones.
//!
//! WorkOS takes hashes of seven kinds; each has its file here, with the text format that WorkOS documents
//! (<https://workos.com/docs/migrate/other-services>). A hash is kept as that text and parsed when it is needed, which
//! costs microseconds next to the milliseconds of hashing.
//!
//! Imported text is hostile: whoever imports it chooses how much work a sign-in is. Every kind therefore has an upper
//! bound, WorkOS's own where it documents one.

mod argon2;
mod bcrypt;
mod firebase_scrypt;
mod pbkdf2;
mod phc;
pub(crate) mod policy;
mod scrypt;
mod ssha;

use std::borrow::Cow;
use std::fmt;

use rand::Rng;
use serde::{Deserialize, Serialize};

/// Longer hash texts are refused unread. A Firebase hash, the longest kind, has about 250 characters.
const MAX_TEXT_BYTES: usize = 1024;

/// The algorithm of an imported hash: `password_hash_type` of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PasswordHashType {
    Argon2,
    Bcrypt,
    FirebaseScrypt,
    Pbkdf2,
    Scrypt,
    Ssha,
    Ssha256,
}

/// Where the salt was when the digest was computed: `password_salt_position` of the API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SaltPosition {
    /// `hash(salt + password)`
    Prefix,
    /// `hash(password + salt)`
    #[default]
    Suffix,
}

/// Why a hash cannot be imported; the API's `invalid_password_hash`. The text says what is wrong and never repeats
/// the hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct InvalidPasswordHash(Cow<'static, str>);

impl InvalidPasswordHash {
    fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self(reason.into())
    }
}

/// One hash of one kind, read from its text and within the bounds of its kind.
trait Scheme {
    /// Whether `password` has this hash, compared in constant time.
    fn verify(&self, password: &[u8]) -> bool;
}

/// A password's hash. It can always be verified: what could not be was refused when it was imported or read back.
///
/// `Debug` shows the kind alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredHash", into = "StoredHash")]
pub(crate) struct PasswordHash(StoredHash);

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct StoredHash {
    #[serde(rename = "type")]
    kind: PasswordHashType,
    hash: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    salt_position: Option<SaltPosition>,
}

impl PasswordHash {
    /// Hashes a new password with Argon2id: 4 MiB and one pass, about two milliseconds with optimisation and fifty
    /// without. That is WorkOS's own lower bound for imported Argon2 hashes, and too cheap for anything but an emulator.
    ///
    /// All of the password counts, whatever its length.
    ///
    /// # Errors
    /// For a password of more than 4 GiB.
    pub(crate) fn create<R: Rng + ?Sized>(password: &str, rng: &mut R) -> Result<Self, InvalidPasswordHash> {
        let mut salt = [0; 16];
        rng.fill_bytes(&mut salt);
        let hash = argon2::Argon2Hash::create(password.as_bytes(), &salt)?.to_string();
        Ok(Self(StoredHash {
            kind: PasswordHashType::Argon2,
            hash,
            salt_position: None,
        }))
    }

    /// Takes over a hash that another service computed.
    ///
    /// A `salt_position` is for `ssha256` alone, as the API's specification says. With another kind it is refused as an
    /// invalid hash; which error the real API answers is not documented.
    pub(crate) fn import(
        hash: &str,
        kind: PasswordHashType,
        salt_position: Option<SaltPosition>,
    ) -> Result<Self, InvalidPasswordHash> {
        StoredHash {
            kind,
            hash: hash.to_owned(),
            salt_position,
        }
        .try_into()
    }

    /// A hash that no password has. Verifying it takes as long as verifying a hash of ours, so that a sign-in with an
    /// unknown e-mail address is not told from one with a wrong password by the time it takes.
    pub(crate) fn decoy() -> Self {
        let hash = "$argon2id$v=19$m=4096,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        Self(StoredHash {
            kind: PasswordHashType::Argon2,
            hash: hash.to_owned(),
            salt_position: None,
        })
    }

    /// Whether `password` has this hash, compared in constant time. Takes milliseconds, and up to a few seconds for the
    /// most expensive hashes that can be imported: not for a thread that others wait for.
    pub(crate) fn verify(&self, password: &str) -> bool {
        self.0
            .scheme()
            .is_ok_and(|scheme| scheme.verify(password.as_bytes()))
    }
}

impl StoredHash {
    fn scheme(&self) -> Result<Box<dyn Scheme>, InvalidPasswordHash> {
        if self.hash.len() > MAX_TEXT_BYTES {
            return Err(InvalidPasswordHash::new("the hash is too long"));
        }
        if self.salt_position.is_some() && self.kind != PasswordHashType::Ssha256 {
            return Err(InvalidPasswordHash::new(
                "a salt position is only supported with ssha256",
            ));
        }
        Ok(match self.kind {
            PasswordHashType::Argon2 => Box::new(argon2::Argon2Hash::parse(&self.hash)?),
            PasswordHashType::Bcrypt => Box::new(bcrypt::BcryptHash::parse(&self.hash)?),
            PasswordHashType::FirebaseScrypt => {
                Box::new(firebase_scrypt::FirebaseScryptHash::parse(&self.hash)?)
            }
            PasswordHashType::Pbkdf2 => Box::new(pbkdf2::Pbkdf2Hash::parse(&self.hash)?),
            PasswordHashType::Scrypt => Box::new(scrypt::ScryptHash::parse(&self.hash)?),
            PasswordHashType::Ssha => Box::new(ssha::SshaHash::parse(&self.hash)?),
            PasswordHashType::Ssha256 => Box::new(ssha::Ssha256Hash::parse(
                &self.hash,
                self.salt_position.unwrap_or_default(),
            )?),
        })
    }
}

impl TryFrom<StoredHash> for PasswordHash {
    type Error = InvalidPasswordHash;

    fn try_from(stored: StoredHash) -> Result<Self, Self::Error> {
        stored.scheme()?;
        Ok(Self(stored))
    }
}

impl From<PasswordHash> for StoredHash {
    fn from(hash: PasswordHash) -> Self {
        hash.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordHash")
            .field("type", &self.0.kind)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
