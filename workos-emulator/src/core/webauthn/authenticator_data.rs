//! What the authenticator says: for which domain, how sure it is of the person, and the key of a new credential.
//! Source: section 6.1.

use minicbor::{Decoder, data::Type};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{PublicKey, Refusal, RelyingParty};

/// Flags. Source: section 6.1.
const USER_PRESENT: u8 = 1 << 0;
const USER_VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const HAS_ATTESTED_CREDENTIAL: u8 = 1 << 6;
const HAS_EXTENSIONS: u8 = 1 << 7;

#[derive(Debug)]
pub(super) struct AuthenticatorData<'a> {
    relying_party_digest: &'a [u8; 32],
    flags: u8,
    pub(super) sign_count: u32,
    pub(super) attested: Option<AttestedCredential<'a>>,
}

#[derive(Debug)]
pub(super) struct AttestedCredential<'a> {
    pub(super) credential_id: &'a [u8],
    pub(super) public_key: PublicKey,
}

impl<'a> AuthenticatorData<'a> {
    /// Reads all of `bytes`: what stands behind the known parts is an error.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let (relying_party_digest, rest) = bytes.split_first_chunk().ok_or(Refusal::Malformed)?;
        let (&flags, rest) = rest.split_first().ok_or(Refusal::Malformed)?;
        let (sign_count, mut rest) = rest.split_first_chunk().ok_or(Refusal::Malformed)?;
        let has = |flag: u8| flags & flag != 0;
        let attested = if has(HAS_ATTESTED_CREDENTIAL) {
            Some(AttestedCredential::read(&mut rest)?)
        } else {
            None
        };
        if has(HAS_EXTENSIONS) {
            let mut decoder = Decoder::new(rest);
            let is_map = decoder.datatype().is_ok_and(|kind| kind == Type::Map);
            if !is_map || decoder.skip().is_err() {
                return Err(Refusal::Malformed);
            }
            rest = rest.get(decoder.position()..).unwrap_or_default();
        }
        if !rest.is_empty() || (has(BACKED_UP) && !has(BACKUP_ELIGIBLE)) {
            return Err(Refusal::Malformed);
        }
        Ok(Self {
            relying_party_digest,
            flags,
            sign_count: u32::from_be_bytes(*sign_count),
            attested,
        })
    }

    /// Whether it is for this relying party, and a person was there and verified. A passkey is a first and a second factor at
    /// once only because it verifies its user. Source: <https://workos.com/docs/authkit/passkeys>.
    pub(super) fn check(&self, relying_party: &RelyingParty) -> Result<(), Refusal> {
        let wanted = Sha256::digest(relying_party.id.as_bytes());
        if !bool::from(self.relying_party_digest.as_slice().ct_eq(wanted.as_slice())) {
            return Err(Refusal::WrongRelyingParty);
        }
        if self.flags & USER_PRESENT == 0 {
            return Err(Refusal::UserNotPresent);
        }
        if self.flags & USER_VERIFIED == 0 {
            return Err(Refusal::UserNotVerified);
        }
        Ok(())
    }
}

impl<'a> AttestedCredential<'a> {
    /// Reads it from the beginning of `rest`, and takes it off. Source: section 6.5.2.
    fn read(rest: &mut &'a [u8]) -> Result<Self, Refusal> {
        let (_aaguid, after) = rest.split_first_chunk::<16>().ok_or(Refusal::Malformed)?;
        let (length, after) = after.split_first_chunk().ok_or(Refusal::Malformed)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (credential_id, after) = after.split_at_checked(length).ok_or(Refusal::Malformed)?;
        let (public_key, after) = PublicKey::read(after)?;
        *rest = after;
        Ok(Self {
            credential_id,
            public_key,
        })
    }
}
