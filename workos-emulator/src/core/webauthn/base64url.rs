//! Bytes as the JSON of WebAuthn has them: base64url without padding.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Bytes that are base64url in JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Base64Url(pub(crate) Vec<u8>);

impl Base64Url {
    pub(crate) fn encoded(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.0)
    }
}

impl Serialize for Base64Url {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.encoded())
    }
}

impl<'de> Deserialize<'de> for Base64Url {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        URL_SAFE_NO_PAD.decode(text).map(Self).map_err(D::Error::custom)
    }
}
