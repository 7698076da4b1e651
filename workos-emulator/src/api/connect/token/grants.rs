//! Grants: what an application keeps for a person who is away, by refresh tokens, of which each works once.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Tokens;
use crate::{
    api::connect::{
        access_tokens::{self, Authorization, Issued},
        consents::ConnectConsent,
    },
    control::settings::Settings,
    core::{clock, secret::Secret},
    server::error::ApiError,
    store::{Index, Record, State, Transaction},
};

/// The refresh tokens that came from one authorization: the one to be exchanged next, and the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ConnectGrant {
    pub(super) id: String,
    pub(crate) application_id: String,
    pub(crate) consent_id: String,
    pub(in crate::api::connect) authorization: Authorization,
    /// The digest of the token that is to be exchanged next.
    pub(super) next: String,
    pub(super) last: Option<Exchange>,
    /// Access tokens that came from it and whose time is not over.
    pub(super) issued: Vec<Issued>,
    /// When the next token was given out.
    #[serde(with = "clock::timestamp")]
    pub(crate) issued_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    pub(super) created_at: Timestamp,
}

/// The last exchange, kept so that a client which lost the answer gets the same one again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Exchange {
    /// The digest of the token that was exchanged.
    pub(super) token: String,
    #[serde(with = "clock::timestamp")]
    pub(super) at: Timestamp,
    pub(super) tokens: Tokens,
}

const BY_TOKEN: Index<ConnectGrant> = Index::unique("token", |grant| {
    let last = grant.last.iter().map(|exchange| &exchange.token);
    last.chain([&grant.next])
        .map(|digest| (digest.as_str().into(), 0))
        .collect()
});
const BY_CONSENT: Index<ConnectGrant> =
    Index::ordered("consent", |grant| vec![(grant.consent_id.as_str().into(), 0)]);

impl Record for ConnectGrant {
    const INDEXES: &'static [Index<Self>] = &[BY_TOKEN, BY_CONSENT];
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.id
    }
}

impl ConnectGrant {
    /// Assumption: a grant lives as long as a session, which is a setting of the application in production too.
    fn is_over(&self, now: Timestamp, settings: &Settings) -> bool {
        let seconds = |seconds: u32| SignedDuration::from_secs(seconds.into());
        let longest = clock::saturating_add(self.created_at, seconds(settings.session_lifetime));
        let inactive = clock::saturating_add(self.issued_at, seconds(settings.session_inactivity));
        now >= longest.min(inactive)
    }
}

/// A grant that has not run out, whose token this is: the one to be exchanged next, or the one before.
pub(in crate::api::connect) fn find<'a>(
    state: &'a State,
    now: Timestamp,
    token: &str,
) -> Option<&'a Arc<ConnectGrant>> {
    let grant = state.connect_grants.find(BY_TOKEN, &Secret::digest(token))?;
    (!grant.is_over(now, state.settings())).then_some(grant)
}

/// The same, by the token to be exchanged next alone.
pub(in crate::api::connect) fn current<'a>(
    state: &'a State,
    now: Timestamp,
    token: &str,
) -> Option<&'a Arc<ConnectGrant>> {
    find(state, now, token).filter(|grant| grant.next == Secret::digest(token))
}

/// The first refresh token of an authorization, and the id of its grant.
pub(super) fn begin(
    tx: &mut Transaction<'_>,
    consent: &ConnectConsent,
    authorization: Authorization,
    issued: Issued,
) -> Result<(String, Secret), ApiError> {
    let token = Secret::new(tx.token(25));
    let id = tx.id("connect_grant");
    tx.put(ConnectGrant {
        id: id.clone(),
        application_id: consent.application_id.clone(),
        consent_id: consent.id.clone(),
        authorization,
        next: Secret::digest(token.expose()),
        last: None,
        issued: vec![issued],
        issued_at: tx.now(),
        created_at: tx.now(),
    })?;
    Ok((id, token))
}

/// The token endpoint may be asked for the resource that was authorized, and for no other (RFC 8707 section 2.2).
pub(super) fn check_resource(
    state: &State,
    authorization: &Authorization,
    asked: &[&str],
) -> Result<(), ApiError> {
    let mut asked = asked.iter().filter(|resource| !resource.is_empty());
    let authorized = authorization.resource.as_deref();
    let other = asked.any(|resource| authorized != Some(*resource));
    if other && (authorized.is_some() || state.authkit_oauth_resources.len() > 0) {
        let description = "The resource is not the one of the authorization request.";
        return Err(ApiError::oauth("invalid_target", description));
    }
    Ok(())
}

/// Ends a grant, and the access tokens that came from it.
pub(in crate::api::connect) fn revoke(tx: &mut Transaction<'_>, id: &str) -> Result<(), ApiError> {
    match tx.delete::<ConnectGrant>(id) {
        Some(grant) => access_tokens::revoke(tx, &grant.issued),
        None => Ok(()),
    }
}

/// Ends the grants of a consent that is taken back: its access tokens are known by that.
pub(in crate::api::connect) fn delete_of_consent(tx: &mut Transaction<'_>, consent_id: &str) {
    let grants = tx.connect_grants.group(BY_CONSENT, consent_id);
    let ids: Vec<_> = grants.map(|grant| grant.id.clone()).collect();
    for id in ids {
        tx.delete::<ConnectGrant>(&id);
    }
}
