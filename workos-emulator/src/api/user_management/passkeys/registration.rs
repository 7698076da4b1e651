//! A new passkey.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    BY_CREDENTIAL, BY_USER, Passkey, TIMEOUT,
    challenge::{self, Purpose},
};
use crate::{
    api::user_management::users::User,
    core::webauthn::{ALGORITHMS, Base64Url, Refusal, RegistrationResponse, RelyingParty},
    server::error::ApiError,
    store::Transaction,
};

/// What the browser is to make, as `PublicKeyCredentialCreationOptionsJSON`: a discoverable credential that verifies its
/// user, by an authenticator of whatever make.
pub(crate) fn begin_registration(
    tx: &mut Transaction<'_>,
    authorization_session_id: &str,
    relying_party: &RelyingParty,
    name: &str,
    user: &User,
) -> Result<Value, ApiError> {
    let challenge = challenge::begin(tx, authorization_session_id, Purpose::Registration)?;
    let known = tx.passkeys.group(BY_USER, &user.id);
    let known: Vec<_> = known
        .map(|passkey| json!({"type": "public-key", "id": passkey.credential_id}))
        .collect();
    Ok(json!({
        "rp": {"id": relying_party.id, "name": name},
        "user": {
            "id": Base64Url(user.id.clone().into_bytes()),
            "name": user.email,
            "displayName": user.name.as_ref().unwrap_or(&user.email),
        },
        "challenge": Base64Url(challenge.expose().as_bytes().to_vec()),
        "pubKeyCredParams": ALGORITHMS.map(|alg| json!({"type": "public-key", "alg": alg})),
        "timeout": TIMEOUT,
        "excludeCredentials": known,
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": true,
            "userVerification": "required",
        },
        "attestation": "none",
    }))
}

/// Keeps the passkey that the browser made for `user`. A refusal uses up the challenge.
///
/// A credential that somebody has already is refused: who knows its id could otherwise take it over. Source:
/// <https://www.w3.org/TR/webauthn-3/#sctn-registering-a-new-credential>, step 26.
pub(crate) fn register(
    tx: &mut Transaction<'_>,
    authorization_session_id: &str,
    relying_party: &RelyingParty,
    user: &User,
    response: &RegistrationResponse,
) -> Result<Result<Arc<Passkey>, Refusal>, ApiError> {
    let Some(challenge) = challenge::take(tx, authorization_session_id, Purpose::Registration) else {
        return Ok(Err(Refusal::WrongChallenge));
    };
    let credential = match response.verify(relying_party, challenge.expose().as_bytes()) {
        Ok(credential) => credential,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if tx
        .passkeys
        .find(BY_CREDENTIAL, &credential.id.encoded())
        .is_some()
    {
        return Ok(Err(Refusal::CredentialInUse));
    }
    let passkey = Passkey {
        id: tx.id("passkey"),
        user_id: user.id.clone(),
        credential_id: credential.id,
        public_key: credential.public_key,
        sign_count: credential.sign_count,
        created_at: tx.now(),
        last_used_at: None,
    };
    Ok(Ok(tx.put(passkey)?))
}
