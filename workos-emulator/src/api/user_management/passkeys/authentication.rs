//! Sign-in with a passkey.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    BY_CREDENTIAL, Passkey, TIMEOUT,
    challenge::{self, Purpose},
};
use crate::{
    api::user_management::{
        authenticate::method::{self, AuthenticationMethod},
        sessions::Device,
        users::User,
    },
    core::webauthn::{AuthenticationResponse, Base64Url, Refusal, RelyingParty},
    server::error::ApiError,
    store::Transaction,
};

/// What the browser is to ask for, as `PublicKeyCredentialRequestOptionsJSON`. It names no credentials, as that would tell
/// who has an account: the browser shows the person those that it has for the domain.
pub(crate) fn begin_authentication(
    tx: &mut Transaction<'_>,
    authorization_session_id: &str,
    relying_party: &RelyingParty,
) -> Result<Value, ApiError> {
    let challenge = challenge::begin(tx, authorization_session_id, Purpose::Authentication)?;
    Ok(json!({
        "rpId": relying_party.id,
        "challenge": Base64Url(challenge.expose().as_bytes().to_vec()),
        "timeout": TIMEOUT,
        "allowCredentials": [],
        "userVerification": "required",
    }))
}

/// Finds out whose passkey answered, and tells of it either way. A refusal uses up the challenge.
///
/// Assumption: the codes of `authentication.passkey_failed` are not documented; `invalid_credentials` is the one of
/// passwords.
pub(crate) fn authenticate(
    tx: &mut Transaction<'_>,
    authorization_session_id: &str,
    relying_party: &RelyingParty,
    response: &AuthenticationResponse,
    device: &Device,
) -> Result<Result<Arc<User>, Refusal>, ApiError> {
    let challenge = challenge::take(tx, authorization_session_id, Purpose::Authentication);
    let found = tx
        .passkeys
        .find(BY_CREDENTIAL, &response.raw_id.encoded())
        .cloned();
    let user = found
        .as_ref()
        .and_then(|passkey| tx.users.get(&passkey.user_id))
        .cloned();
    let outcome = match (&challenge, &found, &user) {
        (Some(challenge), Some(passkey), Some(_)) => {
            passkey.check(relying_party, challenge.expose().as_bytes(), response)
        }
        (None, ..) => Err(Refusal::WrongChallenge),
        _ => Err(Refusal::UnknownCredential),
    };
    let method = AuthenticationMethod::Passkey;
    match (outcome, found, user) {
        (Ok(sign_count), Some(passkey), Some(user)) => {
            tx.put(Passkey {
                sign_count,
                last_used_at: Some(tx.now()),
                ..Passkey::clone(&passkey)
            })?;
            method::succeeded(tx, method, &user, device)?;
            Ok(Ok(user))
        }
        (outcome, _, user) => {
            let refusal = outcome.err().unwrap_or(Refusal::UnknownCredential);
            let (email, id) = user
                .as_ref()
                .map_or(("", None), |user| (user.email.as_str(), Some(user.id.as_str())));
            let reason = ("invalid_credentials", refusal.to_string());
            method::failed(tx, method, email, id, device, (reason.0, &reason.1))?;
            Ok(Err(refusal))
        }
    }
}

impl Passkey {
    /// The new signature counter, if the answer is right. The user handle, which a discoverable credential brings along,
    /// must name the passkey's own user. Source: <https://www.w3.org/TR/webauthn-3/#sctn-verifying-assertion>, step 6.
    fn check(
        &self,
        relying_party: &RelyingParty,
        challenge: &[u8],
        response: &AuthenticationResponse,
    ) -> Result<u32, Refusal> {
        if response.user_handle() != Some(self.user_id.as_bytes()) {
            return Err(Refusal::UnknownCredential);
        }
        response.verify(relying_party, challenge, &self.public_key, self.sign_count)
    }
}
