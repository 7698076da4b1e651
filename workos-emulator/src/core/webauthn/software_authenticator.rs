//! An authenticator in software, and the browser around it, for tests. What it says can be made wrong, field by field.

use aws_lc_rs::{
    digest,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// User present and verified.
pub(crate) const PRESENT_AND_VERIFIED: u8 = 0b101;

type Sign = Box<dyn Fn(&[u8]) -> Vec<u8>>;

/// One passkey.
pub(crate) struct SoftwareAuthenticator {
    /// The page that asks.
    pub(crate) origin: String,
    /// The domain that is signed for; the one that is asked for, where none is set.
    pub(crate) domain: Option<String>,
    pub(crate) flags: u8,
    /// What the last answer said.
    pub(crate) sign_count: u32,
    /// Whether each signature is counted.
    pub(crate) counts: bool,
    pub(crate) credential_id: Vec<u8>,
    pub(crate) user_handle: Vec<u8>,
    cose_key: Vec<u8>,
    sign: Sign,
}

impl SoftwareAuthenticator {
    /// A passkey with an ES256 key.
    pub(crate) fn new(origin: &str) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let point = key.public_key().as_ref().to_vec();
        // {1: 2, 3: -7, -1: 1, -2: x, -3: y}
        let cose_key = [
            &[0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20],
            &point[1..33],
            &[0x22, 0x58, 0x20],
            &point[33..],
        ];
        let sign = move |message: &[u8]| {
            let signature = key.sign(&SystemRandom::new(), message).unwrap();
            signature.as_ref().to_vec()
        };
        Self::with_key(origin, cose_key.concat(), Box::new(sign))
    }

    pub(crate) fn with_key(origin: &str, cose_key: Vec<u8>, sign: Sign) -> Self {
        Self {
            origin: origin.to_owned(),
            domain: None,
            flags: PRESENT_AND_VERIFIED,
            sign_count: 0,
            counts: true,
            credential_id: digest::digest(&digest::SHA256, &cose_key).as_ref().to_vec(),
            user_handle: Vec::new(),
            cose_key,
            sign,
        }
    }

    /// `navigator.credentials.create()` with the JSON of its options.
    pub(crate) fn create(&mut self, options: &Value) -> Value {
        self.user_handle = decoded(&options["user"]["id"]);
        let length = u16::try_from(self.credential_id.len()).unwrap().to_be_bytes();
        let attested = [&[0; 16], length.as_slice(), &self.credential_id, &self.cose_key];
        let domain = options["rp"]["id"].as_str().unwrap();
        let data = self.authenticator_data(domain, self.flags | 1 << 6, &attested.concat());
        let client_data = self.client_data("webauthn.create", &options["challenge"]);
        json!({
            "type": "public-key",
            "id": encoded(&self.credential_id),
            "rawId": encoded(&self.credential_id),
            "response": {
                "clientDataJSON": encoded(&client_data),
                "attestationObject": encoded(&attestation_object(&data)),
            },
        })
    }

    /// `navigator.credentials.get()` with the JSON of its options.
    pub(crate) fn get(&mut self, options: &Value) -> Value {
        self.sign_count += u32::from(self.counts);
        let domain = options["rpId"].as_str().unwrap();
        let data = self.authenticator_data(domain, self.flags, &[]);
        let client_data = self.client_data("webauthn.get", &options["challenge"]);
        let signed = [&data, digest::digest(&digest::SHA256, &client_data).as_ref()].concat();
        json!({
            "type": "public-key",
            "id": encoded(&self.credential_id),
            "rawId": encoded(&self.credential_id),
            "response": {
                "clientDataJSON": encoded(&client_data),
                "authenticatorData": encoded(&data),
                "signature": encoded(&(self.sign)(&signed)),
                "userHandle": encoded(&self.user_handle),
            },
        })
    }

    fn authenticator_data(&self, domain: &str, flags: u8, attested: &[u8]) -> Vec<u8> {
        let domain = self.domain.as_deref().unwrap_or(domain);
        let domain = digest::digest(&digest::SHA256, domain.as_bytes());
        [
            domain.as_ref(),
            &[flags],
            &self.sign_count.to_be_bytes(),
            attested,
        ]
        .concat()
    }

    fn client_data(&self, ceremony: &str, challenge: &Value) -> Vec<u8> {
        let data = json!({
            "type": ceremony, "challenge": challenge, "origin": self.origin, "crossOrigin": false,
        });
        data.to_string().into_bytes()
    }
}

/// `{"fmt": "none", "attStmt": {}, "authData": data}` in CBOR.
pub(crate) fn attestation_object(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap().to_be_bytes();
    [
        b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59".as_slice(),
        &length,
        data,
    ]
    .concat()
}

pub(crate) fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn decoded(text: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap()
}
