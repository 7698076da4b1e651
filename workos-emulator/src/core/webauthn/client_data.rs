//! What the browser saw: the ceremony, the challenge and the page. Source: section 5.8.1, `CollectedClientData`.

use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Base64Url, Refusal, RelyingParty};

/// Which of the two ceremonies a response answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ceremony {
    Create,
    Get,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    r#type: String,
    challenge: Base64Url,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
}

/// Whether the ceremony was held for this challenge, on one of our own pages and in no frame of another site.
pub(super) fn check(
    json: &Base64Url,
    ceremony: Ceremony,
    relying_party: &RelyingParty,
    challenge: &[u8],
) -> Result<(), Refusal> {
    let data: ClientData = serde_json::from_slice(&json.0).map_err(|_| Refusal::Malformed)?;
    if data.r#type != ceremony.name() {
        return Err(Refusal::WrongCeremony);
    }
    if !bool::from(data.challenge.0.ct_eq(challenge)) {
        return Err(Refusal::WrongChallenge);
    }
    if data.origin != relying_party.origin || data.cross_origin {
        return Err(Refusal::WrongOrigin);
    }
    Ok(())
}

/// What an authenticator signs of it.
pub(super) fn digest(json: &Base64Url) -> [u8; 32] {
    Sha256::digest(&json.0).into()
}

impl Ceremony {
    fn name(self) -> &'static str {
        match self {
            Self::Create => "webauthn.create",
            Self::Get => "webauthn.get",
        }
    }
}
