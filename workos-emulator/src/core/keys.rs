//! The keys that sign access tokens, and the JWKS that publishes their public halves.
//!
//! A [`KeySet`] holds the one key that signs now and the public keys of its predecessors, so that tokens issued before a
//! rotation still verify.

use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
    RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use ulid::Ulid;

/// WorkOS's certificates name the host of AuthKit, whatever the environment.
const CERTIFICATE_COMMON_NAME: &str = "auth.workos.com";
const KID_PREFIX: &str = "sso_oidc_key_pair_";
const DEVELOPMENT_KEY: &str = include_str!("development_key.pem");
const DEVELOPMENT_KID: &str = "sso_oidc_key_pair_01DEVE10PMENT0000000000000";

/// Why a key could not be read, made or used. The messages name the remedy and never contain key material.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    #[error(
        "no PEM block found: the signing key must be the text of an RSA private key, from `-----BEGIN PRIVATE KEY-----` \
         to `-----END PRIVATE KEY-----`"
    )]
    NoPem,
    #[error("the signing key is encrypted: decrypt it with `openssl pkey -in KEY.pem -out PLAIN.pem`")]
    Encrypted,
    #[error(
        "the PEM block is a `{0}`, not a private key: give an RSA private key, such as \
         `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048` prints"
    )]
    NotAPrivateKey(String),
    #[error("the PEM block between its BEGIN and END lines is not base64: was the key cut off or wrapped?")]
    Base64,
    #[error("not an RSA key of 2048 to 8192 bits ({0}): access tokens are signed with RS256")]
    NotRsa(String),
    #[error("the key id must be 1 to 256 visible ASCII characters")]
    Kid,
    #[error("a key with the id `{0}` is already published: give the new key an id of its own")]
    KidInUse(String),
    #[error("the published key `{0}` has no valid modulus and exponent")]
    PublicKey(String),
    #[error("the RSA operation failed")]
    Rsa,
    #[error("the certificate could not be made: {0}")]
    Certificate(#[from] rcgen::Error),
    #[error("the claims cannot be written as JSON: {0}")]
    Claims(#[from] serde_json::Error),
}

/// One entry of a JWKS (RFC 7517), with the members that WorkOS's specification requires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Jwk {
    pub(crate) alg: String,
    pub(crate) kty: String,
    #[serde(rename = "use")]
    pub(crate) usage: String,
    /// The self-signed certificate over the key: DER in base64, the standard alphabet.
    pub(crate) x5c: Vec<String>,
    pub(crate) n: String,
    pub(crate) e: String,
    pub(crate) kid: String,
    #[serde(rename = "x5t#S256")]
    pub(crate) x5t_s256: String,
}

/// What a JWKS endpoint answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Jwks {
    pub(crate) keys: Vec<Jwk>,
}

/// A valid public key. Serialises as its [`Jwk`].
#[derive(Clone)]
pub(crate) struct PublicKey {
    jwk: Arc<Jwk>,
}

impl PublicKey {
    fn from_jwk(jwk: Jwk) -> Result<Self, KeyError> {
        parse(&jwk)?;
        Ok(Self { jwk: Arc::new(jwk) })
    }

    pub(crate) fn kid(&self) -> &str {
        &self.jwk.kid
    }

    /// Whether `signature` is this key's RS256 signature of `message`.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        parse(&self.jwk).is_ok_and(|key| key.verify_sig(message, signature).is_ok())
    }
}

fn parse(jwk: &Jwk) -> Result<ParsedPublicKey, KeyError> {
    let invalid = || KeyError::PublicKey(jwk.kid.clone());
    let components = RsaPublicKeyComponents {
        n: URL_SAFE_NO_PAD.decode(&jwk.n).map_err(|_| invalid())?,
        e: URL_SAFE_NO_PAD.decode(&jwk.e).map_err(|_| invalid())?,
    };
    components
        .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
        .map_err(|_| invalid())
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PublicKey").field(&self.kid()).finish()
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.jwk.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_jwk(Jwk::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// An RSA key pair that signs with RS256. Cheap to clone; the key is parsed and its JWKS entry computed once.
///
/// Serialises with its private key, as PKCS#8 PEM, for journals and snapshots; `Debug` shows the key id alone.
#[derive(Clone)]
pub(crate) struct SigningKey {
    pair: Arc<RsaKeyPair>,
    public: PublicKey,
    /// The token header of this key, already encoded: it is the same for every token.
    token_header: Arc<str>,
}

impl SigningKey {
    /// The key that every emulator has unless it is given another. It is public, see `development_key.pem`; it makes
    /// access tokens outlive a restart.
    pub(crate) fn development() -> Self {
        #[expect(
            clippy::expect_used,
            reason = "the key is part of the source, and a test reads it"
        )]
        static KEY: LazyLock<SigningKey> = LazyLock::new(|| {
            SigningKey::from_pem(DEVELOPMENT_KEY, Some(DEVELOPMENT_KID.to_owned()))
                .expect("the development key is valid")
        });
        KEY.clone()
    }

    /// Reads an RSA private key of 2048 to 8192 bits, in PKCS#8 (`PRIVATE KEY`) or PKCS#1 (`RSA PRIVATE KEY`) PEM.
    ///
    /// Text before the block is ignored. Line breaks may be written as `\n`, as environment variables often have them.
    /// Without a `kid` the id is derived from the public key, in the form of WorkOS's ids, so that the same key always
    /// has the same id.
    pub(crate) fn from_pem(pem: &str, kid: Option<String>) -> Result<Self, KeyError> {
        let (label, der) = decode_pem(pem)?;
        let pair = match label.as_str() {
            "PRIVATE KEY" => RsaKeyPair::from_pkcs8(&der),
            "RSA PRIVATE KEY" => RsaKeyPair::from_der(&der),
            "ENCRYPTED PRIVATE KEY" => return Err(KeyError::Encrypted),
            _ => return Err(KeyError::NotAPrivateKey(label)),
        };
        Self::new(
            pair.map_err(|rejected| KeyError::NotRsa(rejected.to_string()))?,
            kid,
        )
    }

    /// A new RSA-2048 key for a rotation.
    ///
    /// Key generation takes its randomness from aws-lc's own generator, which cannot be given a seed; it takes between
    /// 20 ms and a second.
    pub(crate) fn generate(kid: Option<String>) -> Result<Self, KeyError> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Rsa)?;
        Self::new(pair, kid)
    }

    fn new(pair: RsaKeyPair, kid: Option<String>) -> Result<Self, KeyError> {
        let kid = kid.unwrap_or_else(|| derived_kid(&pair));
        if kid.is_empty() || kid.len() > 256 || !kid.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(KeyError::Kid);
        }
        // Always the same one for the same key. WorkOS's are self-signed and valid for five years too.
        let certificate = self_signed_certificate(&pair, |params| {
            params.not_before = rcgen::date_time_ymd(2026, 1, 1);
            params.not_after = rcgen::date_time_ymd(2031, 1, 1);
        })?;
        let components = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
        let token_header = URL_SAFE_NO_PAD.encode(format!(
            r#"{{"alg":"RS256","kid":{},"typ":"JWT"}}"#,
            serde_json::to_string(&kid)?
        ));
        let public = PublicKey::from_jwk(Jwk {
            alg: "RS256".to_owned(),
            kty: "RSA".to_owned(),
            usage: "sig".to_owned(),
            x5c: vec![STANDARD.encode(&certificate)],
            n: URL_SAFE_NO_PAD.encode(components.n),
            e: URL_SAFE_NO_PAD.encode(components.e),
            kid,
            x5t_s256: URL_SAFE_NO_PAD.encode(Sha256::digest(&certificate)),
        })?;
        Ok(Self {
            pair: Arc::new(pair),
            public,
            token_header: token_header.into(),
        })
    }

    pub(crate) fn kid(&self) -> &str {
        self.public.kid()
    }

    #[cfg(test)]
    pub(crate) fn jwk(&self) -> &Jwk {
        &self.public.jwk
    }

    /// The private key as PKCS#8 PEM.
    pub(crate) fn to_pem(&self) -> Result<String, KeyError> {
        let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&*self.pair).map_err(|_| KeyError::Rsa)?;
        Ok(encode_pem("PRIVATE KEY", der.as_ref()))
    }

    /// The public key as it stands in a certificate: `RSAPublicKey` (RFC 8017 appendix A.1.1) as DER.
    pub(crate) fn public_der(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// A self-signed certificate over this key, as PEM, for SAML. Times are seconds since 1970.
    pub(crate) fn certificate(&self, not_before: i64, not_after: i64) -> Result<String, KeyError> {
        let der = self_signed_certificate(&self.pair, |params| {
            let epoch = rcgen::date_time_ymd(1970, 1, 1);
            let after = |seconds: i64| Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
            params.not_before = epoch + after(not_before);
            params.not_after = epoch + after(not_after);
        })?;
        Ok(encode_pem("CERTIFICATE", &der))
    }

    pub(super) fn token_header(&self) -> &str {
        &self.token_header
    }

    /// The RS256 signature of `message`.
    pub(crate) fn sign_bytes(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        rs256(&self.pair, message)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid())
            .finish_non_exhaustive()
    }
}

/// How a [`SigningKey`] is stored. Its certificate is not: it follows from the key.
#[derive(Serialize, Deserialize)]
struct StoredKey {
    kid: String,
    private_key: String,
}

impl Serialize for SigningKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let private_key = self.to_pem().map_err(serde::ser::Error::custom)?;
        StoredKey {
            kid: self.kid().to_owned(),
            private_key,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SigningKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = StoredKey::deserialize(deserializer)?;
        Self::from_pem(&stored.private_key, Some(stored.kid)).map_err(serde::de::Error::custom)
    }
}

/// The key that signs, and the public keys of those that signed before it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct KeySet {
    current: SigningKey,
    /// Newest first.
    previous: Vec<PublicKey>,
}

impl KeySet {
    pub(crate) fn new(current: SigningKey) -> Self {
        Self {
            current,
            previous: Vec::new(),
        }
    }

    pub(crate) fn current(&self) -> &SigningKey {
        &self.current
    }

    /// Signs with `next` from now on. The old key stays published, its private half is dropped.
    ///
    /// A key id may appear once: consumers refuse a JWKS with two keys of one id.
    pub(crate) fn rotate(&mut self, next: SigningKey) -> Result<(), KeyError> {
        if self.public_key(next.kid()).is_some() {
            return Err(KeyError::KidInUse(next.kid().to_owned()));
        }
        let old = std::mem::replace(&mut self.current, next);
        self.previous.insert(0, old.public);
        Ok(())
    }

    /// All published keys, the signing one first.
    pub(crate) fn jwks(&self) -> Jwks {
        Jwks {
            keys: self.public_keys().map(|key| Jwk::clone(&key.jwk)).collect(),
        }
    }

    pub(super) fn public_key(&self, kid: &str) -> Option<&PublicKey> {
        self.public_keys().find(|key| key.kid() == kid)
    }

    fn public_keys(&self) -> impl Iterator<Item = &PublicKey> {
        std::iter::once(&self.current.public).chain(&self.previous)
    }
}

fn rs256(pair: &RsaKeyPair, message: &[u8]) -> Result<Vec<u8>, KeyError> {
    let mut signature = vec![0; pair.public_modulus_len()];
    // PKCS#1 v1.5 is deterministic: the random generator is asked for by the signature of `sign` and not used.
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
        .map_err(|_| KeyError::Rsa)?;
    Ok(signature)
}

/// `sso_oidc_key_pair_01…`: 120 bits of the public key's hash in the place of the ULID's time and randomness.
fn derived_kid(pair: &RsaKeyPair) -> String {
    let hash = Sha256::digest(pair.public_key());
    let bits = hash
        .iter()
        .take(15)
        .fold(1, |bits: u128, byte| bits << 8 | u128::from(*byte));
    format!("{KID_PREFIX}{}", Ulid::from(bits))
}

/// A certificate over the key, whose serial number follows from the key.
fn self_signed_certificate(
    pair: &RsaKeyPair,
    set_validity: impl FnOnce(&mut rcgen::CertificateParams),
) -> Result<Vec<u8>, KeyError> {
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, CERTIFICATE_COMMON_NAME);
    set_validity(&mut params);
    let mut serial = Sha256::digest(pair.public_key())[..16].to_vec();
    serial[0] = serial[0] & 0x7f | 0x40; // positive, and without leading zeros
    params.serial_number = Some(rcgen::SerialNumber::from_slice(&serial));
    Ok(params.self_signed(&CertificateSigner(pair))?.der().to_vec())
}

/// Lets rcgen sign with the key that is already parsed.
struct CertificateSigner<'a>(&'a RsaKeyPair);

impl rcgen::PublicKeyData for CertificateSigner<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_RSA_SHA256
    }
}

impl rcgen::SigningKey for CertificateSigner<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        rs256(self.0, message).map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

/// The label and the content of the first PEM block (RFC 7468).
fn decode_pem(text: &str) -> Result<(String, Vec<u8>), KeyError> {
    let text = text.replace("\\r", "").replace("\\n", "\n");
    let (_, block) = text.split_once("-----BEGIN ").ok_or(KeyError::NoPem)?;
    let (label, block) = block.split_once("-----").ok_or(KeyError::NoPem)?;
    let (body, _) = block
        .split_once(&format!("-----END {label}-----"))
        .ok_or(KeyError::NoPem)?;
    if body.contains("Proc-Type:") {
        return Err(KeyError::Encrypted); // the headers of OpenSSL's traditional format
    }
    let base64: String = body.split_whitespace().collect();
    let der = STANDARD.decode(base64).map_err(|_| KeyError::Base64)?;
    Ok((label.to_owned(), der))
}

/// One PEM block (RFC 7468).
pub(crate) fn encode_pem(label: &str, der: &[u8]) -> String {
    let mut pem = format!("-----BEGIN {label}-----\n");
    let base64 = STANDARD.encode(der);
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = tail;
    }
    pem.push_str(&format!("-----END {label}-----\n"));
    pem
}

#[cfg(test)]
mod tests;
