//! The `refresh_token` grant. A refresh token works once; then the next one takes its place.
//!
//! Source: <https://workos.com/docs/authkit/session-resilience>.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    Attempt,
    client::Client,
    method::AuthenticationMethod,
    sign_in::{self, Authentication},
};
use crate::{
    api::user_management::{
        jwt_template, organization_policies,
        sessions::{self, Session},
        users::User,
    },
    core::{clock, jwt::AccessTokenClaims, secret::Secret},
    server::{call::Call, error::ApiError},
    store::{Index, Record, Transaction},
};

/// The refresh tokens of a session: the one to be exchanged next, and the one before.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RefreshTokens {
    session_id: String,
    client_id: String,
    method: AuthenticationMethod,
    /// The sign-in showed a second factor.
    second_factor: bool,
    /// The digest of the token that is to be exchanged next.
    next: String,
    last: Option<Exchange>,
}

/// The last exchange, kept so that a client which lost the answer gets the same one again.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Exchange {
    /// The digest of the token that was exchanged.
    token: String,
    #[serde(with = "clock::timestamp")]
    at: Timestamp,
    claims: AccessTokenClaims,
    refresh_token: Secret,
}

const BY_TOKEN: Index<RefreshTokens> = Index::unique("token", |tokens| {
    let last = tokens.last.iter().map(|exchange| &exchange.token);
    last.chain([&tokens.next])
        .map(|digest| (digest.as_str().into(), 0))
        .collect()
});

impl Record for RefreshTokens {
    const INDEXES: &'static [Index<Self>] = &[BY_TOKEN];

    fn id(&self) -> &str {
        &self.session_id
    }
}

/// The first refresh token of a session.
pub(super) fn begin(
    tx: &mut Transaction<'_>,
    client: &Client,
    session: &Session,
    method: AuthenticationMethod,
    second_factor: bool,
) -> Result<Secret, ApiError> {
    let token = tx.token(25);
    tx.put(RefreshTokens {
        session_id: session.id.clone(),
        client_id: client.id.clone(),
        method,
        second_factor,
        next: Secret::digest(&token),
        last: None,
    })?;
    Ok(Secret::new(token))
}

/// `grant_type: refresh_token`. A public client sends its `client_id` alone.
#[derive(Deserialize)]
struct Request {
    refresh_token: String,
    organization_id: Option<String>,
}

pub(super) fn grant(call: &Call, client: &Client) -> Result<Authentication, ApiError> {
    let Request {
        refresh_token,
        organization_id,
    } = call.body()?;
    call.environment
        .transact(|tx| refresh(tx, client, &refresh_token, organization_id.as_deref()))?
}

/// New tokens for a session, in `organization_id` or in the organization where it was last.
///
/// A refusal changes nothing: a refresh token that was asked too much of is still good. Only if the settings say so, a token
/// that is presented once more after its grace ends the session (RFC 9700 section 4.14.2); production does not do that.
fn refresh(
    tx: &mut Transaction<'_>,
    client: &Client,
    token: &str,
    organization_id: Option<&str>,
) -> Attempt<Authentication> {
    let digest = Secret::digest(token);
    let tokens = tx
        .refresh_tokens
        .find(BY_TOKEN, &digest)
        .filter(|tokens| tokens.client_id == client.id)
        .cloned()
        .ok_or_else(|| invalid_grant("Invalid refresh token."))?;
    let session = tx.sessions.get(&tokens.session_id).cloned();
    let session = session
        .filter(|session| session.is_active(tx.now()))
        .ok_or_else(|| invalid_grant("Session has already ended."))?;
    let user = tx.users.get(&session.user_id).cloned();
    let user = user.ok_or_else(|| invalid_grant("The user does not exist any more."))?;
    match &tokens.last {
        Some(exchange) if exchange.token == digest => {
            let replayed = replay(tx, user, exchange, tokens.method, organization_id);
            if replayed.is_err() && tx.settings().refresh_token_reuse_ends_session {
                sessions::revoke(tx, &session.id)?;
            }
            Ok(replayed)
        }
        _ => exchange(tx, client, user, &session, &tokens, organization_id).map(Ok),
    }
}

fn exchange(
    tx: &mut Transaction<'_>,
    client: &Client,
    user: Arc<User>,
    session: &Session,
    tokens: &RefreshTokens,
    organization_id: Option<&str>,
) -> Result<Authentication, ApiError> {
    let mut session = session.refreshed(tx.now(), tx.settings());
    if let Some(wanted) = organization_id {
        session.organization_id = Some(wanted.to_owned());
    }
    if let Some(organization_id) = &session.organization_id {
        sign_in::check_membership(tx, &user.id, organization_id)?;
    }
    // Assumption: a session stays where it is whatever becomes of the policy; who chooses an organization is subject to it.
    if let Some(wanted) = organization_id
        && session.impersonator.is_none()
    {
        organization_policies::check_switch(tx, wanted, &user, tokens.method, tokens.second_factor)?;
    }
    let session = tx.put(session)?;
    let extra = jwt_template::claims(tx, &user, session.organization_id.as_deref())?;
    let claims = sign_in::claims(tx, client, &session, extra);
    let refresh_token = Secret::new(tx.token(25));
    tx.put(RefreshTokens {
        next: Secret::digest(refresh_token.expose()),
        last: Some(Exchange {
            token: tokens.next.clone(),
            at: tx.now(),
            claims: claims.clone(),
            refresh_token: refresh_token.clone(),
        }),
        ..tokens.clone()
    })?;
    Ok(Authentication {
        user,
        claims,
        refresh_token,
        method: tokens.method,
        oauth_tokens: None,
    })
}

/// The same pair again, for a short time; unless it is for another organization than is asked for now.
///
/// It is the very same access token, as RS256 has no randomness, unless the keys were rotated in between.
fn replay(
    tx: &Transaction<'_>,
    user: Arc<User>,
    exchange: &Exchange,
    method: AuthenticationMethod,
    organization_id: Option<&str>,
) -> Result<Authentication, ApiError> {
    let grace = SignedDuration::from_secs(tx.settings().refresh_token_grace.into());
    let in_time = tx.now() < clock::saturating_add(exchange.at, grace);
    let same_place = organization_id.is_none_or(|wanted| exchange.claims.org_id.as_deref() == Some(wanted));
    if !in_time || !same_place {
        return Err(invalid_grant("Refresh token already exchanged."));
    }
    Ok(Authentication {
        user,
        claims: exchange.claims.clone(),
        refresh_token: exchange.refresh_token.clone(),
        method,
        oauth_tokens: None,
    })
}

fn invalid_grant(description: &str) -> ApiError {
    ApiError::oauth("invalid_grant", description)
}

#[cfg(test)]
mod tests;
