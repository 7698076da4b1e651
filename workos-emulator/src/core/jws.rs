//! Tokens that others sign: JSON Web Signatures (RFC 7515), verified with the keys that the other side publishes (RFC 7517).
//!
//! An algorithm is one of [`Algorithm`], which are all made with a private key: a token that is not signed, or "signed" with
//! a public key as if it were a shared secret, does not come as far as a key.

use aws_lc_rs::signature::{
    self, EcdsaVerificationAlgorithm, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Longer tokens are refused unread, in bytes.
const LONGEST: usize = 64 * 1024;
/// How many keys of a set are looked at.
const MOST_KEYS: usize = 100;

/// How a token may be signed (RFC 7518 section 3.1, RFC 8037 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    Es512,
    EdDsa,
}

impl Algorithm {
    pub(crate) const ALL: [Self; 10] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::EdDsa,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::EdDsa => "EdDSA",
        }
    }

    pub(crate) fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// The curve of its keys, and the length of a coordinate in bytes. None: RSA.
    fn curve(self) -> Option<(&'static str, usize)> {
        match self {
            Self::Es256 => Some(("P-256", 32)),
            Self::Es384 => Some(("P-384", 48)),
            Self::Es512 => Some(("P-521", 66)),
            Self::EdDsa => Some(("Ed25519", 32)),
            _ => None,
        }
    }
}

/// A key as it is published.
#[derive(Debug, Clone, Deserialize)]
struct PublishedKey {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl PublishedKey {
    /// Whether the key is one for this algorithm.
    fn fits(&self, algorithm: Algorithm) -> bool {
        let kty = match algorithm.curve() {
            None => "RSA",
            Some(("Ed25519", _)) => "OKP",
            Some(_) => "EC",
        };
        let curve = algorithm.curve().map(|(curve, _)| curve);
        self.kty == kty
            && curve.is_none_or(|curve| self.crv.as_deref() == Some(curve))
            && self.alg.as_deref().is_none_or(|alg| alg == algorithm.name())
            && self.usage.as_deref().is_none_or(|usage| usage == "sig")
            && self
                .key_ops
                .as_ref()
                .is_none_or(|all| all.iter().any(|op| op == "verify"))
    }

    /// Whether `signature` is this key's for `message`.
    fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match algorithm {
            Algorithm::Rs256 => self.rsa(&signature::RSA_PKCS1_2048_8192_SHA256, message, signature),
            Algorithm::Rs384 => self.rsa(&signature::RSA_PKCS1_2048_8192_SHA384, message, signature),
            Algorithm::Rs512 => self.rsa(&signature::RSA_PKCS1_2048_8192_SHA512, message, signature),
            Algorithm::Ps256 => self.rsa(&signature::RSA_PSS_2048_8192_SHA256, message, signature),
            Algorithm::Ps384 => self.rsa(&signature::RSA_PSS_2048_8192_SHA384, message, signature),
            Algorithm::Ps512 => self.rsa(&signature::RSA_PSS_2048_8192_SHA512, message, signature),
            Algorithm::Es256 => {
                self.ecdsa(&signature::ECDSA_P256_SHA256_FIXED, algorithm, message, signature)
            }
            Algorithm::Es384 => {
                self.ecdsa(&signature::ECDSA_P384_SHA384_FIXED, algorithm, message, signature)
            }
            Algorithm::Es512 => {
                self.ecdsa(&signature::ECDSA_P521_SHA512_FIXED, algorithm, message, signature)
            }
            Algorithm::EdDsa => part(self.x.as_ref()).is_some_and(|x| {
                let key = UnparsedPublicKey::new(&signature::ED25519, x);
                key.verify(message, signature).is_ok()
            }),
        }
    }

    fn rsa(&self, parameters: &'static RsaParameters, message: &[u8], signature: &[u8]) -> bool {
        let (Some(n), Some(e)) = (part(self.n.as_ref()), part(self.e.as_ref())) else {
            return false;
        };
        // Some write the sign of a large number, which RFC 7518 section 6.3.1.1 does not.
        let zeros = n.iter().take_while(|byte| **byte == 0).count();
        let key = RsaPublicKeyComponents {
            n: n.get(zeros..).unwrap_or_default(),
            e: &e[..],
        };
        key.verify(parameters, message, signature).is_ok()
    }

    fn ecdsa(
        &self,
        parameters: &'static EcdsaVerificationAlgorithm,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let (Some(x), Some(y)) = (part(self.x.as_ref()), part(self.y.as_ref())) else {
            return false;
        };
        let length = algorithm.curve().map_or(0, |(_, length)| length);
        if x.len() != length || y.len() != length {
            return false;
        }
        // An uncompressed point (SEC 1 section 2.3.3).
        let point = [&[4], &x[..], &y[..]].concat();
        let key = UnparsedPublicKey::new(parameters, point);
        key.verify(message, signature).is_ok()
    }
}

fn part(encoded: Option<&String>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(encoded?.trim_end_matches('=')).ok()
}

/// The keys that somebody publishes.
#[derive(Debug, Clone, Default)]
pub(crate) struct PublishedKeys(Vec<PublishedKey>);

impl PublishedKeys {
    /// Reads a JWK set. Keys of kinds that are not known are passed over, as RFC 7517 section 5 says.
    pub(crate) fn parse(json: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }
        let Set { keys } = serde_json::from_slice(json).ok()?;
        let keys = keys.into_iter().take(MOST_KEYS);
        Some(Self(
            keys.filter_map(|key| serde_json::from_value(key).ok()).collect(),
        ))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Why a signature counts for nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SignatureError {
    #[error("It is no JSON Web Token.")]
    Malformed,
    #[error("It is not signed (alg none).")]
    Unsigned,
    #[error("It is signed with {0}, a secret and no key that could be published.")]
    Symmetric(String),
    #[error("It is signed with {0}, which is not accepted here.")]
    NotAllowed(String),
    #[error("Its header has extensions that must be understood (crit).")]
    Critical,
    #[error("The published keys have none with the id {0} for this algorithm.")]
    UnknownKey(String),
    #[error("It names no key (kid), and the published keys have {0} for this algorithm.")]
    NoKeyId(usize),
    #[error("The signature does not match the key.")]
    Wrong,
}

/// A token of somebody else, before its signature is verified: nothing of its claims can be seen.
#[derive(Debug)]
pub(crate) struct Signed<'a> {
    algorithm: Algorithm,
    kid: Option<String>,
    message: &'a str,
    signature: Vec<u8>,
}

impl<'a> Signed<'a> {
    /// Reads the header of a token in the compact form.
    pub(crate) fn parse(token: &'a str) -> Result<Self, SignatureError> {
        #[derive(Deserialize)]
        struct Header {
            alg: String,
            kid: Option<String>,
            crit: Option<Value>,
        }
        let malformed = || SignatureError::Malformed;
        if token.len() > LONGEST {
            return Err(malformed());
        }
        let (message, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
        let (header, claims) = message.split_once('.').ok_or_else(malformed)?;
        if claims.contains('.') {
            return Err(malformed());
        }
        let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| malformed())?;
        let header: Header = serde_json::from_slice(&header).map_err(|_| malformed())?;
        let algorithm = match Algorithm::by_name(&header.alg) {
            Some(algorithm) => algorithm,
            None if header.alg.eq_ignore_ascii_case("none") => return Err(SignatureError::Unsigned),
            None if header.alg.starts_with("HS") => return Err(SignatureError::Symmetric(header.alg)),
            None => return Err(SignatureError::NotAllowed(header.alg)),
        };
        if header.crit.is_some() {
            return Err(SignatureError::Critical);
        }
        Ok(Self {
            algorithm,
            kid: header.kid,
            message,
            signature: URL_SAFE_NO_PAD.decode(signature).map_err(|_| malformed())?,
        })
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The claims, if one of these keys signed them: the one that the token names, or the only one there is.
    pub(crate) fn verify(&self, keys: &PublishedKeys) -> Result<Map<String, Value>, SignatureError> {
        let mut fitting: Vec<_> = keys.0.iter().filter(|key| key.fits(self.algorithm)).collect();
        match &self.kid {
            Some(kid) => {
                fitting.retain(|key| key.kid.as_ref() == Some(kid));
                if fitting.is_empty() {
                    return Err(SignatureError::UnknownKey(kid.clone()));
                }
            }
            None if fitting.len() == 1 => {}
            None => return Err(SignatureError::NoKeyId(fitting.len())),
        }
        let message = self.message.as_bytes();
        if !fitting
            .iter()
            .any(|key| key.verifies(self.algorithm, message, &self.signature))
        {
            return Err(SignatureError::Wrong);
        }
        let (_, claims) = self.message.split_once('.').ok_or(SignatureError::Malformed)?;
        let claims = URL_SAFE_NO_PAD
            .decode(claims)
            .map_err(|_| SignatureError::Malformed)?;
        serde_json::from_slice(&claims).map_err(|_| SignatureError::Malformed)
    }
}

#[cfg(test)]
mod tests;
