//! WebAuthn, as far as a relying party of passkeys needs it: the ceremonies of registration and authentication, and
//! nothing of attestation, which is not asked for.
//!
//! What a browser sends is a stranger's. Nothing here allocates by a length that the input claims.
//!
//! Source: <https://www.w3.org/TR/webauthn-3/>, sections 7.1 and 7.2.

mod attestation;
mod authenticator_data;
mod base64url;
mod client_data;
mod public_key;
#[cfg(test)]
pub(crate) mod software_authenticator;
#[cfg(test)]
mod tests;

use serde::Deserialize;
use url::{Host, Url};

use self::{authenticator_data::AuthenticatorData, client_data::Ceremony};
pub(crate) use self::{base64url::Base64Url, public_key::PublicKey};

/// The algorithms of [`PublicKey`], in the order of preference: ES256 and RS256.
///
/// Source: <https://www.iana.org/assignments/cose/cose.xhtml#algorithms>.
pub(crate) const ALGORITHMS: [i32; 2] = [-7, -257];

/// The longest credential id. Source: section 4, "Credential ID".
const LONGEST_CREDENTIAL_ID: usize = 1023;

/// Whom passkeys are made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RelyingParty {
    /// The domain that passkeys are bound to.
    pub(crate) id: String,
    /// Scheme, host and port of the pages.
    origin: String,
}

/// Why a browser's answer is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("The answer is malformed.")]
    Malformed,
    #[error("The answer is for another ceremony.")]
    WrongCeremony,
    #[error("The answer is for another challenge.")]
    WrongChallenge,
    #[error("The answer comes from another origin.")]
    WrongOrigin,
    #[error("The passkey is for another domain.")]
    WrongRelyingParty,
    #[error("The user was not present.")]
    UserNotPresent,
    #[error("The user was not verified.")]
    UserNotVerified,
    #[error("The kind of key is not supported.")]
    UnsupportedKey,
    #[error("The passkey is registered already.")]
    CredentialInUse,
    #[error("No user has this passkey.")]
    UnknownCredential,
    #[error("The signature is wrong.")]
    WrongSignature,
    #[error("The signature counter has not increased: the passkey may have been cloned.")]
    CounterNotIncreased,
}

/// What `navigator.credentials.create()` gives. Source: section 5.1.8, `RegistrationResponseJSON`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RegistrationResponse {
    r#type: CredentialType,
    raw_id: Base64Url,
    response: AttestationResponse,
}

#[derive(Debug, Clone, Deserialize)]
struct AttestationResponse {
    #[serde(rename = "clientDataJSON")]
    client_data: Base64Url,
    #[serde(rename = "attestationObject")]
    attestation_object: Base64Url,
}

/// What `navigator.credentials.get()` gives. Source: section 5.1.8, `AuthenticationResponseJSON`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuthenticationResponse {
    r#type: CredentialType,
    pub(crate) raw_id: Base64Url,
    response: AssertionResponse,
}

#[derive(Debug, Clone, Deserialize)]
struct AssertionResponse {
    #[serde(rename = "clientDataJSON")]
    client_data: Base64Url,
    #[serde(rename = "authenticatorData")]
    authenticator_data: Base64Url,
    signature: Base64Url,
    #[serde(rename = "userHandle", default)]
    user_handle: Option<Base64Url>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum CredentialType {
    #[serde(rename = "public-key")]
    PublicKey,
}

/// A credential that was registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Credential {
    pub(crate) id: Base64Url,
    pub(crate) public_key: PublicKey,
    pub(crate) sign_count: u32,
}

impl RelyingParty {
    /// The relying party of the pages below this URL. None where browsers have no passkeys: by an IP address, or without
    /// encryption on anything but this machine. Source: section 5.1.3 step 8, and
    /// <https://www.w3.org/TR/secure-contexts/#is-origin-trustworthy>.
    pub(crate) fn of(base_url: &str) -> Option<Self> {
        let url = Url::parse(base_url).ok()?;
        let Some(Host::Domain(domain)) = url.host() else {
            return None;
        };
        let is_local = domain == "localhost" || domain.ends_with(".localhost");
        (url.scheme() == "https" || is_local).then(|| Self {
            id: domain.to_owned(),
            origin: url.origin().ascii_serialization(),
        })
    }
}

impl RegistrationResponse {
    /// The new credential, if the response answers `challenge` and a person was verified. Source: section 7.1.
    ///
    /// The attestation statement is not looked at, as none was asked for: what it says of the authenticator's make is of no
    /// interest here.
    pub(crate) fn verify(
        &self,
        relying_party: &RelyingParty,
        challenge: &[u8],
    ) -> Result<Credential, Refusal> {
        let CredentialType::PublicKey = self.r#type;
        client_data::check(
            &self.response.client_data,
            Ceremony::Create,
            relying_party,
            challenge,
        )?;
        let data = attestation::authenticator_data(&self.response.attestation_object)?;
        let data = AuthenticatorData::parse(data)?;
        let attested = data.attested.as_ref().ok_or(Refusal::Malformed)?;
        if attested.credential_id != self.raw_id.0 || attested.credential_id.len() > LONGEST_CREDENTIAL_ID {
            return Err(Refusal::Malformed);
        }
        data.check(relying_party)?;
        Ok(Credential {
            id: Base64Url(attested.credential_id.to_vec()),
            public_key: attested.public_key.clone(),
            sign_count: data.sign_count,
        })
    }
}

impl AuthenticationResponse {
    /// The user handle, which a discoverable credential brings along.
    pub(crate) fn user_handle(&self) -> Option<&[u8]> {
        self.response
            .user_handle
            .as_ref()
            .map(|handle| handle.0.as_slice())
    }

    /// The new signature counter, if the response answers `challenge`, is signed with the credential's key, and a person
    /// was verified. Source: section 7.2.
    ///
    /// An authenticator without a counter always says 0. One with a counter that does not increase may be a copy: the
    /// specification leaves it to the relying party what to do then, and this one refuses.
    pub(crate) fn verify(
        &self,
        relying_party: &RelyingParty,
        challenge: &[u8],
        public_key: &PublicKey,
        sign_count: u32,
    ) -> Result<u32, Refusal> {
        let CredentialType::PublicKey = self.r#type;
        let client_data = &self.response.client_data;
        client_data::check(client_data, Ceremony::Get, relying_party, challenge)?;
        let signed = &self.response.authenticator_data.0;
        let data = AuthenticatorData::parse(signed)?;
        let mut message = signed.clone();
        message.extend_from_slice(&client_data::digest(client_data));
        if !public_key.verifies(&message, &self.response.signature.0) {
            return Err(Refusal::WrongSignature);
        }
        data.check(relying_party)?;
        if (data.sign_count != 0 || sign_count != 0) && data.sign_count <= sign_count {
            return Err(Refusal::CounterNotIncreased);
        }
        Ok(data.sign_count)
    }
}
