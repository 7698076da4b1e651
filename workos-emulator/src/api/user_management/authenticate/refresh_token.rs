//! The `refresh_token` grant. A refresh token works once; then the next one takes its place.
//!
//! Source: <https://workos.com/docs/authkit/session-resilience>.
//!
//! The tokens of a session begin alike, so that one which was exchanged long ago still is known as the session's. That
//! matters where the settings want to have reuse end the session; production just refuses it.

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
        jwt_template,
        organization_policies::{self, Came},
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
    /// The organization whose connection the sign-in came through.
    through: Option<String>,
    /// What all of them begin with.
    family: Secret,
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

const BY_FAMILY: Index<RefreshTokens> = Index::unique("family", |tokens| {
    vec![(Secret::digest(tokens.family.expose()).into(), 0)]
});

/// How long the common beginning is, and what follows it.
const FAMILY: usize = 10;
const REST: usize = 15;

impl Record for RefreshTokens {
    const INDEXES: &'static [Index<Self>] = &[BY_TOKEN, BY_FAMILY];

    fn id(&self) -> &str {
        &self.session_id
    }
}

/// The first refresh token of a session.
pub(super) fn begin(
    tx: &mut Transaction<'_>,
    client: &Client,
    session: &Session,
    came: Came<'_>,
) -> Result<Secret, ApiError> {
    let family = Secret::new(tx.token(FAMILY));
    let token = next(tx, &family);
    tx.put(RefreshTokens {
        session_id: session.id.clone(),
        client_id: client.id.clone(),
        method: came.method,
        second_factor: came.second_factor,
        through: came.through.map(str::to_owned),
        family,
        next: Secret::digest(token.expose()),
        last: None,
    })?;
    Ok(token)
}

fn next(tx: &mut Transaction<'_>, family: &Secret) -> Secret {
    Secret::new(format!("{}{}", family.expose(), tx.token(REST)))
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
/// A refusal changes nothing: a refresh token that was asked too much of is still good. The exception is reuse, which the
/// settings may have end the session.
fn refresh(
    tx: &mut Transaction<'_>,
    client: &Client,
    token: &str,
    organization_id: Option<&str>,
) -> Attempt<Authentication> {
    let digest = Secret::digest(token);
    let Some(tokens) = find(tx, client, token).cloned() else {
        return Err(invalid_grant("Invalid refresh token."));
    };
    let session = tx.sessions.get(&tokens.session_id).cloned();
    let session = session
        .filter(|session| session.is_active(tx.now()))
        .ok_or_else(|| invalid_grant("Session has already ended."))?;
    let user = tx.users.get(&session.user_id).cloned();
    let user = user.ok_or_else(|| invalid_grant("The user does not exist any more."))?;
    match &tokens.last {
        _ if tokens.next == digest => exchange(tx, client, user, &session, &tokens, organization_id).map(Ok),
        Some(exchange) if exchange.token == digest && exchange.is_in_grace(tx) => {
            replay(user, exchange, tokens.method, organization_id).map(Ok)
        }
        _ => {
            if tx.settings().refresh_token_reuse_ends_session {
                sessions::revoke(tx, &session.id)?;
            }
            Ok(Err(already_exchanged()))
        }
    }
}

/// The tokens that `token` is, or was, one of.
fn find<'a>(tx: &'a Transaction<'_>, client: &Client, token: &str) -> Option<&'a Arc<RefreshTokens>> {
    let family = token.get(..FAMILY).filter(|_| token.len() == FAMILY + REST)?;
    let present = tx.refresh_tokens.find(BY_TOKEN, &Secret::digest(token));
    present
        .or_else(|| tx.refresh_tokens.find(BY_FAMILY, &Secret::digest(family)))
        .filter(|tokens| tokens.client_id == client.id)
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
        let came = Came {
            method: tokens.method,
            second_factor: tokens.second_factor,
            through: tokens.through.as_deref(),
        };
        organization_policies::check_switch(tx, wanted, &user, came)?;
    }
    let session = tx.put(session)?;
    let extra = jwt_template::claims(tx, &user, session.organization_id.as_deref())?;
    let claims = sign_in::claims(tx, client, &session, extra);
    let refresh_token = next(tx, &tokens.family);
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
    user: Arc<User>,
    exchange: &Exchange,
    method: AuthenticationMethod,
    organization_id: Option<&str>,
) -> Result<Authentication, ApiError> {
    if organization_id.is_some_and(|wanted| exchange.claims.org_id.as_deref() != Some(wanted)) {
        return Err(already_exchanged());
    }
    Ok(Authentication {
        user,
        claims: exchange.claims.clone(),
        refresh_token: exchange.refresh_token.clone(),
        method,
        oauth_tokens: None,
    })
}

impl Exchange {
    /// Whether who lost the answer may have it again.
    fn is_in_grace(&self, tx: &Transaction<'_>) -> bool {
        let grace = SignedDuration::from_secs(tx.settings().refresh_token_grace.into());
        tx.now() < clock::saturating_add(self.at, grace)
    }
}

/// Source of the words: seen in production, see <https://github.com/workos/workos-node/issues/1202>.
fn already_exchanged() -> ApiError {
    invalid_grant("Refresh token already exchanged.")
}

fn invalid_grant(description: &str) -> ApiError {
    ApiError::oauth("invalid_grant", description)
}

#[cfg(test)]
mod tests;
