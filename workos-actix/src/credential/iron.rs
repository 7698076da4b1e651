//! The seal that WorkOS's JavaScript kits put on their cookies: `iron-webcrypto`'s `Fe26.2`, as `iron-session` writes it.
//!
//! ```text
//! Fe26.2*1*<salt>*<iv>*<ciphertext>*<expiry>*<salt of the MAC>*<MAC>~2
//! ```
//!
//! - The password's id is `1`. Salts are 64 hexadecimal digits, of which the text is the salt; IV, ciphertext and MAC are
//!   base64url without padding; the expiry is in milliseconds since the epoch, and empty in sessions, which WorkOS ends.
//! - Keys are PBKDF2-SHA1 of the password, one iteration: what makes them hard to guess is the password, so 32 random
//!   characters are demanded.
//! - AES-256-CBC; HMAC-SHA256 over everything before the salt of the MAC. Only what has the right MAC is decrypted.
//!
//! Sources: [`iron-webcrypto`](https://github.com/brc-dd/iron-webcrypto),
//! [`iron-session`](https://github.com/vvo/iron-session), and `sealData` in
//! [`@workos-inc/node`](https://github.com/workos/workos-node).

use std::{fmt, num::NonZeroU32, sync::Arc};

use aws_lc_rs::{
    cipher::{
        AES_256, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey, PaddedBlockEncryptingKey,
        UnboundCipherKey,
    },
    hmac,
    iv::FixedLength,
    pbkdf2,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use workos::SecretString;

use crate::random::Randomness;

const PREFIX: &str = "Fe26.2";
/// The kits know one password, under this id.
const PASSWORD_ID: &str = "1";
/// The version of `iron-session`'s content.
const VERSION: &str = "2";
const SALT_DIGITS: usize = 64;
const IV_BYTES: usize = 16;
const MAC_BYTES: usize = 32;
/// Longer than what a browser sends of one session, in however many cookies.
const MAX_BYTES: usize = 32 * 1024;
/// How long a seal is accepted after its expiry, because clocks differ.
const SKEW_SECONDS: i64 = 60;

/// Seals texts with the first of its passwords, and opens what was sealed with any of them.
#[derive(Clone)]
pub(crate) struct IronSealer {
    passwords: Arc<[SecretString]>,
    randomness: Arc<dyn Randomness>,
}

impl fmt::Debug for IronSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IronSealer(<redacted>)")
    }
}

impl IronSealer {
    pub(crate) fn new(passwords: Arc<[SecretString]>, randomness: Arc<dyn Randomness>) -> Self {
        Self {
            passwords,
            randomness,
        }
    }

    /// A seal without expiry. `None` when there is no password, or the cryptographic library fails.
    pub(crate) fn seal(&self, content: &str) -> Option<String> {
        let password = self.passwords.first()?;
        let salt = self.salt();
        let mut iv = [0; IV_BYTES];
        self.randomness.fill(&mut iv);
        let mut ciphertext = content.as_bytes().to_vec();
        let key = UnboundCipherKey::new(&AES_256, &derive(password, &salt)).ok()?;
        PaddedBlockEncryptingKey::cbc_pkcs7(key)
            .ok()?
            .less_safe_encrypt(&mut ciphertext, EncryptionContext::Iv128(FixedLength::from(&iv)))
            .ok()?;
        let signed = format!(
            "{PREFIX}*{PASSWORD_ID}*{salt}*{}*{}*",
            URL_SAFE_NO_PAD.encode(iv),
            URL_SAFE_NO_PAD.encode(ciphertext)
        );
        let mac_salt = self.salt();
        let mac = hmac::sign(&mac_key(password, &mac_salt), signed.as_bytes());
        Some(format!(
            "{signed}*{mac_salt}*{}~{VERSION}",
            URL_SAFE_NO_PAD.encode(mac)
        ))
    }

    /// What was sealed. `None` when it was not sealed with one of the passwords, was changed or cut, or has expired.
    pub(crate) fn unseal(&self, sealed: &str, now: i64) -> Option<String> {
        if sealed.len() > MAX_BYTES {
            return None;
        }
        let sealed = match sealed.split_once('~') {
            Some((sealed, VERSION)) => sealed,
            Some(_) => return None,
            None => sealed,
        };
        let mut from_the_end = sealed.rsplitn(3, '*');
        let (mac, mac_salt, signed) = (from_the_end.next()?, from_the_end.next()?, from_the_end.next()?);
        if mac_salt.len() != SALT_DIGITS {
            return None;
        }
        let mac = decode::<MAC_BYTES>(mac)?;
        let password = self.passwords.iter().find(|password| {
            let key = mac_key(password, mac_salt);
            hmac::verify(&key, signed.as_bytes(), &mac).is_ok()
        })?;

        // From here on it is what somebody with the password has written.
        let mut parts = signed.split('*');
        let mut part = || parts.next();
        let (prefix, id, salt) = (part()?, part()?, part()?);
        let (iv, ciphertext, expiry) = (part()?, part()?, part()?);
        if prefix != PREFIX || id != PASSWORD_ID || part().is_some() || has_expired(expiry, now)? {
            return None;
        }
        let iv = decode::<IV_BYTES>(iv)?;
        let mut content = URL_SAFE_NO_PAD.decode(ciphertext).ok()?;
        let key = UnboundCipherKey::new(&AES_256, &derive(password, salt)).ok()?;
        let length = PaddedBlockDecryptingKey::cbc_pkcs7(key)
            .ok()?
            .decrypt(&mut content, DecryptionContext::Iv128(FixedLength::from(&iv)))
            .ok()?
            .len();
        content.truncate(length);
        String::from_utf8(content).ok()
    }

    fn salt(&self) -> String {
        let mut bytes = [0; SALT_DIGITS / 2];
        self.randomness.fill(&mut bytes);
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn derive(password: &SecretString, salt: &str) -> [u8; 32] {
    let mut key = [0; 32];
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA1,
        NonZeroU32::MIN,
        salt.as_bytes(),
        password.expose().as_bytes(),
        &mut key,
    );
    key
}

fn mac_key(password: &SecretString, salt: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, &derive(password, salt))
}

/// Exactly so many bytes.
fn decode<const BYTES: usize>(text: &str) -> Option<[u8; BYTES]> {
    if text.len() != (BYTES * 4).div_ceil(3) {
        return None;
    }
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

/// `None` for what is no time.
fn has_expired(expiry: &str, now: i64) -> Option<bool> {
    if expiry.is_empty() {
        return Some(false);
    }
    let is_number = !expiry.starts_with('0') && expiry.bytes().all(|byte| byte.is_ascii_digit());
    let milliseconds = expiry.parse::<i64>().ok().filter(|_| is_number)?;
    Some(milliseconds <= now.saturating_sub(SKEW_SECONDS).saturating_mul(1000))
}

#[cfg(test)]
#[path = "iron_tests.rs"]
mod tests;
