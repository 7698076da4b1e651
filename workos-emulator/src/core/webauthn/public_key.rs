//! The public key of a credential: ES256 or RS256, from COSE. Source: RFC 9053 sections 2.1 and 7.1, RFC 8812 section 2,
//! RFC 8230 section 4.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
};
use minicbor::{Decoder, data::Type};
use serde::{Deserialize, Serialize};

use super::{Base64Url, Refusal};

/// A public key that was checked to be one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "alg")]
pub(crate) enum PublicKey {
    #[serde(rename = "ES256")]
    Es256 { x: Base64Url, y: Base64Url },
    #[serde(rename = "RS256")]
    Rs256 { n: Base64Url, e: Base64Url },
}

/// The members of a COSE key that are of interest, as they stand in it.
#[derive(Default)]
struct CoseKey<'a> {
    /// 1: what kind of key
    kty: Option<i64>,
    /// 3: what it signs by
    alg: Option<i64>,
    /// -1: a curve, or the modulus
    minus_1: Option<Value<'a>>,
    /// -2: x, or the exponent
    minus_2: Option<Value<'a>>,
    /// -3: y
    minus_3: Option<Value<'a>>,
}

#[derive(Clone, Copy)]
enum Value<'a> {
    Integer(i64),
    Bytes(&'a [u8]),
}

impl PublicKey {
    /// The COSE key that `bytes` begin with, and what stands behind it.
    pub(super) fn read(bytes: &[u8]) -> Result<(Self, &[u8]), Refusal> {
        let mut decoder = Decoder::new(bytes);
        let cose = CoseKey::read(&mut decoder).map_err(|_| Refusal::Malformed)?;
        let key = cose.key().ok_or(Refusal::UnsupportedKey)?;
        if key.parsed().is_none() {
            return Err(Refusal::Malformed);
        }
        Ok((key, bytes.get(decoder.position()..).unwrap_or_default()))
    }

    /// Whether `signature` is this key's signature of `message`.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.parsed()
            .is_some_and(|key| key.verify_sig(message, signature).is_ok())
    }

    /// The key as the cryptography has it, if it is one: the point of ES256 is on the curve.
    fn parsed(&self) -> Option<ParsedPublicKey> {
        match self {
            Self::Es256 { x, y } => {
                let uncompressed = [&[0x04], x.0.as_slice(), y.0.as_slice()].concat();
                ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, uncompressed).ok()
            }
            Self::Rs256 { n, e } => RsaPublicKeyComponents { n: &n.0, e: &e.0 }
                .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
                .ok(),
        }
    }
}

impl<'a> CoseKey<'a> {
    fn read(decoder: &mut Decoder<'a>) -> Result<Self, minicbor::decode::Error> {
        let mut key = Self::default();
        // CTAP2 has no maps of indefinite length.
        for _ in 0..decoder.map()?.unwrap_or_default() {
            match decoder.i64()? {
                1 => key.kty = Some(decoder.i64()?),
                3 => key.alg = Some(decoder.i64()?),
                -1 => key.minus_1 = Some(Value::read(decoder)?),
                -2 => key.minus_2 = Some(Value::read(decoder)?),
                -3 => key.minus_3 = Some(Value::read(decoder)?),
                _ => decoder.skip()?,
            }
        }
        Ok(key)
    }

    fn key(&self) -> Option<PublicKey> {
        const EC2: i64 = 2;
        const RSA: i64 = 3;
        const P_256: i64 = 1;
        let owned = |bytes: &[u8]| Base64Url(bytes.to_vec());
        match (self.kty?, self.alg?, self.minus_1?, self.minus_2?, self.minus_3) {
            (EC2, -7, Value::Integer(P_256), Value::Bytes(x), Some(Value::Bytes(y)))
                if x.len() == 32 && y.len() == 32 =>
            {
                Some(PublicKey::Es256 {
                    x: owned(x),
                    y: owned(y),
                })
            }
            // 2048 to 8192 bits, and the exponent that every authenticator has.
            (RSA, -257, Value::Bytes(n), Value::Bytes(e @ [1, 0, 1]), _)
                if (256..=1024).contains(&n.len()) =>
            {
                Some(PublicKey::Rs256 {
                    n: owned(n),
                    e: owned(e),
                })
            }
            _ => None,
        }
    }
}

impl<'a> Value<'a> {
    fn read(decoder: &mut Decoder<'a>) -> Result<Self, minicbor::decode::Error> {
        if decoder.datatype()? == Type::Bytes {
            decoder.bytes().map(Self::Bytes)
        } else {
            decoder.i64().map(Self::Integer)
        }
    }
}
