//! Authorization codes for Connect applications: single-use, short-lived, bound to application, redirect URI and challenge.
//!
//! A code stays known for a while after it was redeemed: whoever presents it once more makes what it was redeemed for
//! worthless (RFC 6749 section 4.1.2), as one of the two was not meant to have it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    access_tokens::{self, Authorization, Issued},
    applications::ConnectApplication,
    consents::ConnectConsent,
    token::grants,
};
use crate::{
    api::user_management::authenticate::Attempt,
    core::{clock, pkce::CodeChallenge, secret::Secret},
    server::error::ApiError,
    store::{Expiring, Record, Transaction},
};

/// A code that was sent to an application. Its id is the digest of its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ConnectAuthorizationCode {
    id: String,
    application_id: String,
    pub(super) consent_id: String,
    redirect_uri: String,
    code_challenge: Option<CodeChallenge>,
    pub(super) nonce: Option<String>,
    pub(super) authorization: Authorization,
    redeemed: Option<Redeemed>,
    #[serde(with = "clock::timestamp")]
    expires_at: Timestamp,
}

/// What a code was redeemed for; nothing, where it was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
struct Redeemed {
    access_token: Option<Issued>,
    grant_id: Option<String>,
}

impl Record for ConnectAuthorizationCode {
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.id
    }
}

impl Expiring for ConnectAuthorizationCode {
    fn expires_at(&self) -> Timestamp {
        let redeemed = self
            .redeemed
            .as_ref()
            .and_then(|redeemed| redeemed.access_token.as_ref());
        redeemed.map_or(self.expires_at, |token| token.expires_at.max(self.expires_at))
    }
}

/// What a code is bound to.
#[derive(Debug)]
pub(super) struct Binding<'a> {
    pub(super) redirect_uri: &'a str,
    pub(super) code_challenge: Option<CodeChallenge>,
    pub(super) nonce: Option<String>,
}

/// A code for an application that a person lets have `authorization`.
pub(super) fn issue(
    tx: &mut Transaction<'_>,
    consent: &ConnectConsent,
    binding: Binding<'_>,
    authorization: Authorization,
) -> Result<Secret, ApiError> {
    let code = tx.token(25);
    let lifetime = SignedDuration::from_secs(tx.settings().authorization_code_lifetime.into());
    tx.put_expiring(ConnectAuthorizationCode {
        id: Secret::digest(&code),
        application_id: consent.application_id.clone(),
        consent_id: consent.id.clone(),
        redirect_uri: binding.redirect_uri.to_owned(),
        code_challenge: binding.code_challenge,
        nonce: binding.nonce,
        authorization,
        redeemed: None,
        expires_at: clock::saturating_add(tx.now(), lifetime),
    })?;
    Ok(Secret::new(code))
}

/// What a client presents.
#[derive(Debug, Clone, Copy)]
pub(super) struct Presented<'a> {
    pub(super) code: &'a str,
    pub(super) redirect_uri: &'a str,
    pub(super) code_verifier: Option<&'a str>,
}

/// Takes a code. Whoever presents it as the application that it is for uses it up, whether or not they may: a code in wrong
/// hands is worth nothing to anybody.
pub(super) fn take(
    tx: &mut Transaction<'_>,
    application: &ConnectApplication,
    authenticated: bool,
    presented: Presented<'_>,
) -> Attempt<ConnectAuthorizationCode> {
    let invalid = |description: &str| Ok(Err(ApiError::oauth("invalid_grant", description)));
    let code = tx
        .connect_authorization_codes
        .get(&Secret::digest(presented.code))
        .cloned();
    let Some(code) = code.filter(|code| code.application_id == application.id) else {
        return invalid("The code is invalid, has expired, or has already been used.");
    };
    if let Some(redeemed) = &code.redeemed {
        revoke(tx, redeemed)?;
        return invalid("The code has already been used.");
    }
    let taken = ConnectAuthorizationCode {
        redeemed: Some(Redeemed::default()),
        ..ConnectAuthorizationCode::clone(&code)
    };
    tx.put(taken.clone())?;
    if code.expires_at <= tx.now() {
        return invalid("The code has expired.");
    }
    if code.redirect_uri != presented.redirect_uri {
        return invalid("The redirect_uri is not the one of the authorization request.");
    }
    match (&code.code_challenge, presented.code_verifier) {
        (Some(challenge), Some(verifier)) if challenge.is_answered_by(verifier) => Ok(Ok(taken)),
        (Some(_), Some(_)) => invalid("The code_verifier does not answer the code_challenge."),
        (Some(_), None) => invalid("The code_verifier is required."),
        // A verifier that nothing asked for proves nothing.
        (None, Some(_)) => invalid("The authorization request had no code_challenge."),
        (None, None) if authenticated => Ok(Ok(taken)),
        (None, None) => invalid("A public application needs PKCE."),
    }
}

/// Remembers what a code was redeemed for.
pub(super) fn redeemed(
    tx: &mut Transaction<'_>,
    code: ConnectAuthorizationCode,
    access_token: Issued,
    grant_id: Option<String>,
) -> Result<(), ApiError> {
    tx.put(ConnectAuthorizationCode {
        redeemed: Some(Redeemed {
            access_token: Some(access_token),
            grant_id,
        }),
        ..code
    })?;
    Ok(())
}

fn revoke(tx: &mut Transaction<'_>, redeemed: &Redeemed) -> Result<(), ApiError> {
    if let Some(token) = &redeemed.access_token {
        access_tokens::revoke(tx, std::slice::from_ref(token))?;
    }
    match &redeemed.grant_id {
        Some(id) => grants::revoke(tx, id),
        None => Ok(()),
    }
}
