//! Firebase's scrypt: the project's signer key, encrypted with a key that scrypt derives from the password
//! (<https://github.com/firebase/scrypt>).
//!
//! Two texts are accepted. WorkOS's guide makes a PHC string, `$firebase-scrypt$v=1$r=8,m=14,ss=Bw,sk=…$salt$hash`;
//! WorkOS's migration tool writes `$firebase-scrypt$hash=…$salt=…$sk=…$ss=…$r=8$m=14` with padded base64. That the API
//! reads both is an assumption.

use aes::Aes256;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit as _, StreamCipher as _};
use subtle::ConstantTimeEq as _;

use super::phc::{Phc, b64, number, within};
use super::scrypt::bounded_params;
use super::{InvalidPasswordHash, Scheme};

const NAMED_FIELDS: [&str; 6] = ["hash", "salt", "sk", "ss", "r", "m"];
const MAYBE_PADDED: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(super) struct FirebaseScryptHash {
    params: ::scrypt::Params,
    /// The user's salt, then the project's separator.
    salt: Vec<u8>,
    signer_key: Vec<u8>,
    hash: Vec<u8>,
}

impl FirebaseScryptHash {
    pub(super) fn parse(text: &str) -> Result<Self, InvalidPasswordHash> {
        if text.starts_with("$firebase-scrypt$hash=") {
            return Self::parse_named_fields(text);
        }
        let phc = Phc::parse(text, &["r", "m", "ss", "sk"])?;
        if phc.id != "firebase-scrypt" || phc.version.is_some_and(|version| version != 1) {
            return Err(InvalidPasswordHash::new(
                "not a firebase-scrypt hash of version 1",
            ));
        }
        let (separator, signer_key) = (b64(phc.param("ss")?)?, b64(phc.param("sk")?)?);
        Self::new(
            phc.number("r")?,
            phc.number("m")?,
            phc.salt,
            &separator,
            signer_key,
            phc.hash,
        )
    }

    fn parse_named_fields(text: &str) -> Result<Self, InvalidPasswordHash> {
        let malformed = || {
            InvalidPasswordHash::new("a field of the firebase-scrypt hash is missing, unknown or malformed")
        };
        let fields = text
            .split('$')
            .skip(2)
            .map(|field| field.split_once('='))
            .collect::<Option<Vec<_>>>();
        let mut fields = fields.ok_or_else(malformed)?;
        fields.sort_by_key(|(name, _)| NAMED_FIELDS.iter().position(|known| known == name));
        let [hash, salt, signer_key, separator, rounds, memory] =
            <[_; 6]>::try_from(fields).map_err(|_| malformed())?;
        let bytes = |(_, value): (&str, &str)| MAYBE_PADDED.decode(value).map_err(|_| malformed());
        if [hash, salt, signer_key, separator, rounds, memory].map(|(name, _)| name) != NAMED_FIELDS {
            return Err(malformed());
        }
        Self::new(
            number("r", rounds.1)?,
            number("m", memory.1)?,
            bytes(salt)?,
            &bytes(separator)?,
            bytes(signer_key)?,
            bytes(hash)?,
        )
    }

    /// The cost of scrypt is 2^`memory`, and Firebase's bounds are 1 to 14 for it and 1 to 8 for the rounds.
    fn new(
        rounds: u32,
        memory: u32,
        mut salt: Vec<u8>,
        separator: &[u8],
        signer_key: Vec<u8>,
        hash: Vec<u8>,
    ) -> Result<Self, InvalidPasswordHash> {
        let params = bounded_params(1 << within("m", memory, 1..=14)?, within("r", rounds, 1..=8)?, 1)?;
        if salt.is_empty() || signer_key.len() < 16 || hash.len() != signer_key.len() {
            return Err(InvalidPasswordHash::new(
                "firebase-scrypt needs a salt, a signer key of 16 bytes or more, and a hash as long as the signer key",
            ));
        }
        salt.extend_from_slice(separator);
        Ok(Self {
            params,
            salt,
            signer_key,
            hash,
        })
    }
}

impl Scheme for FirebaseScryptHash {
    fn verify(&self, password: &[u8]) -> bool {
        let mut key = [0; 32];
        if ::scrypt::scrypt(password, &self.salt, &self.params, &mut key).is_err() {
            return false;
        }
        let mut encrypted = self.signer_key.clone();
        Ctr128BE::<Aes256>::new(&key.into(), &[0; 16].into()).apply_keystream(&mut encrypted);
        encrypted.ct_eq(&self.hash).into()
    }
}

#[cfg(test)]
mod tests {
    use super::super::PasswordHashType::FirebaseScrypt as KIND;
    use super::super::tests::{accepts, refuses};

    // The test vector of Firebase's own documentation; the same comes out of hashlib.scrypt(password, salt + separator)
    // and `openssl enc -aes-256-ctr -iv 0` over the signer key.
    const PASSWORD: &str = "user1password";
    const PHC: &str = "$firebase-scrypt$v=1$r=8,m=14,ss=Bw,\
        sk=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA\
        $42xEC+ixf3L2lw$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ";
    const NAMED: &str = "$firebase-scrypt\
        $hash=lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==\
        $salt=42xEC+ixf3L2lw==\
        $sk=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==$ss=Bw==$r=8$m=14";

    #[test]
    fn known_answers() {
        accepts(KIND, PHC, PASSWORD);
        accepts(KIND, &PHC.replacen("$v=1", "", 1), PASSWORD);
        accepts(KIND, NAMED, PASSWORD);
    }

    #[test]
    fn bounds() {
        for hash in [PHC, NAMED] {
            let with = |from: &str, to: &str| hash.replacen(from, to, 1);
            refuses(KIND, &with("m=14", "m=30"), "`m` must be between 1 and 14");
            refuses(
                KIND,
                &with("m=14", "m=4294967295"),
                "`m` must be between 1 and 14",
            );
            refuses(KIND, &with("m=14", "m=0"), "`m` must be between 1 and 14");
            refuses(KIND, &with("r=8", "r=9"), "`r` must be between 1 and 8");
            refuses(KIND, &with("r=8", "r=x"), "`r` is not a number");
            refuses(KIND, &with("42xEC+ixf3L2lw", ""), "");
            refuses(KIND, &with("lSrfV15c", ""), "as long as the signer key");
        }
        refuses(
            KIND,
            &PHC.replacen("firebase-scrypt", "scrypt", 1),
            "not a firebase-scrypt hash",
        );
        refuses(KIND, &PHC.replacen("ss=Bw,", "", 1), "`ss` is missing");
        refuses(
            KIND,
            &NAMED.replacen("$ss=Bw==", "", 1),
            "missing, unknown or malformed",
        );
        refuses(
            KIND,
            &NAMED.replacen("$ss=Bw==", "$r=8", 1),
            "missing, unknown or malformed",
        );
        refuses(
            KIND,
            &NAMED.replacen("$ss=", "$xx=", 1),
            "missing, unknown or malformed",
        );
        refuses(
            KIND,
            &NAMED.replacen("$ss=Bw==", "$ss", 1),
            "missing, unknown or malformed",
        );
        refuses(
            KIND,
            &NAMED.replacen("=Bw==", "=*", 1),
            "missing, unknown or malformed",
        );
        refuses(KIND, &format!("{NAMED}$m=14"), "missing, unknown or malformed");
    }
}
