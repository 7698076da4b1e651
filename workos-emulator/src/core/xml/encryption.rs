//! Encrypted elements, of the kinds that identity providers make: a key that was encrypted with RSA-OAEP for the receiver,
//! and AES.

use bergshamra::{EncContext, KeysManager, keys::loader};

use super::{Document, XmlError};

const ENC: &str = "http://www.w3.org/2001/04/xmlenc#";

const METHODS: [&str; 6] = [
    "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
    "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
    "http://www.w3.org/2009/xmlenc11#aes128-gcm",
    "http://www.w3.org/2009/xmlenc11#aes256-gcm",
    "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
    "http://www.w3.org/2009/xmlenc11#rsa-oaep",
];

/// The text of a document with its one encrypted element decrypted, by one of these RSA keys, as PKCS#8 PEM. Every failure
/// to decrypt looks the same: what differs tells of the plain text.
pub(crate) fn decrypt<'k>(
    document: &Document<'_>,
    keys: impl Iterator<Item = &'k str>,
) -> Result<String, XmlError> {
    let refuse = |what: &str| Err(XmlError(what.to_owned()));
    let count = |name: &str| {
        document
            .elements()
            .filter(|element| element.is(ENC, name))
            .count()
    };
    if count("EncryptedData") != 1 || count("EncryptedKey") != 1 {
        return refuse("there is not one encrypted element with one encrypted key");
    }
    if count("CipherReference") != 0 {
        return refuse("what is encrypted stands elsewhere");
    }
    let methods = document
        .elements()
        .filter(|element| element.is(ENC, "EncryptionMethod"));
    for method in methods {
        let algorithm = method.attribute("Algorithm").unwrap_or_default();
        if !METHODS.contains(&algorithm) {
            return refuse(&format!(
                "{algorithm} is not supported; let the identity provider encrypt with AES and RSA-OAEP"
            ));
        }
    }
    for key in keys {
        let mut manager = KeysManager::new();
        let key = loader::load_rsa_private_pem(key.as_bytes());
        manager.add_key(key.map_err(|error| XmlError(error.to_string()))?);
        let context = EncContext::new(manager).with_disable_cipher_reference(true);
        if let Ok(text) = bergshamra::decrypt(&context, document.source) {
            return Ok(text);
        }
    }
    refuse("none of the connection's encryption keys decrypts it")
}
