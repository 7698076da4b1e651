//! The `refresh_token` grant. A refresh token works once; then the next one takes its place. Source:
//! <https://workos.com/docs/reference/workos-connect/token/refresh-token-grant>.
//!
//! Assumption: whoever lost the answer gets the same one again for a short time, as with AuthKit's refresh tokens, and a
//! token that is presented after that ends nothing unless `refresh_token_reuse_ends_session` is on.

use jiff::SignedDuration;

use super::{
    TokenType, Tokens,
    grants::{self, ConnectGrant, Exchange},
    invalid_grant,
};
use crate::{
    api::{
        connect::{
            access_tokens::{self, Authorization},
            client::{Client, Form},
            scopes,
        },
        user_management::authenticate::Attempt,
    },
    core::{clock, secret::Secret},
    server::{call::Call, error::ApiError},
    store::Transaction,
};

pub(super) fn grant(call: &Call, form: Form<'_>, client: &Client) -> Result<Tokens, ApiError> {
    let token = form.require("refresh_token")?;
    let scope = form.get("scope").map(scopes::parse);
    let resources = form.every("resource");
    let issuer = access_tokens::issuer(call);
    call.environment
        .transact(|tx| refresh(tx, client, &issuer, token, scope, &resources))?
}

/// A refusal changes nothing: a refresh token that was asked too much of is still good.
fn refresh(
    tx: &mut Transaction<'_>,
    client: &Client,
    issuer: &str,
    token: &str,
    scope: Option<Vec<String>>,
    resources: &[&str],
) -> Attempt<Tokens> {
    let now = tx.now();
    let found = grants::find(tx, now, token).cloned();
    let found = found.filter(|grant| grant.application_id == client.application.id);
    let Some(found) = found else {
        return Ok(Err(invalid_grant("Invalid refresh token.")));
    };
    if let Err(refusal) = grants::check_resource(tx, &found.authorization, resources) {
        return Ok(Err(refusal));
    }
    if let Some(last) = &found.last
        && last.token == Secret::digest(token)
    {
        return replay(tx, &found, last);
    }
    let authorization = match narrowed(&found.authorization, client, scope) {
        Ok(authorization) => authorization,
        Err(refusal) => return Ok(Err(refusal)),
    };
    exchange(tx, client, issuer, &found, &authorization)
}

/// The scopes that are asked for now: some of those of the authorization (RFC 6749 section 6), as far as the application
/// may still have them.
fn narrowed(
    authorization: &Authorization,
    client: &Client,
    asked: Option<Vec<String>>,
) -> Result<Authorization, ApiError> {
    let mut scopes = authorization.scopes.clone();
    if let Some(asked) = asked {
        if let Some(scope) = asked.iter().find(|scope| !scopes.contains(scope)) {
            let description = format!("The scope '{scope}' was not authorized.");
            return Err(ApiError::oauth("invalid_scope", description));
        }
        scopes = asked;
    }
    scopes.retain(|scope| scopes::may_have(&client.application, scope));
    Ok(Authorization {
        scopes,
        ..authorization.clone()
    })
}

fn exchange(
    tx: &mut Transaction<'_>,
    client: &Client,
    issuer: &str,
    found: &ConnectGrant,
    authorization: &Authorization,
) -> Attempt<Tokens> {
    let now = tx.now();
    let application = &client.application;
    let consent = tx.connect_consents.get(&found.consent_id).cloned();
    let consent = consent.filter(|consent| consent.is_in_force(tx));
    let user = consent
        .as_ref()
        .and_then(|consent| tx.users.get(&consent.user_id).cloned());
    let (Some(consent), Some(user)) = (consent, user) else {
        return Ok(Err(invalid_grant("The user has withdrawn the authorization.")));
    };
    let made = access_tokens::for_user(tx, issuer, application, &consent, &user, authorization);
    let (access_token, issued) = match made {
        Ok(made) => made,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let refresh_token = Secret::new(tx.token(25));
    let tokens = Tokens {
        access_token,
        // Without the nonce, which belongs to the authorization request (OpenID Connect Core 1.0 section 12.2).
        id_token: access_tokens::id_token(tx, issuer, application, &user, authorization, None),
        refresh_token: Some(refresh_token.clone()),
        scopes: authorization.scopes.clone(),
        token_type: TokenType::Bearer,
    };
    let mut alive = found.issued.clone();
    alive.retain(|token| token.expires_at > now);
    alive.push(issued);
    tx.put(ConnectGrant {
        next: Secret::digest(refresh_token.expose()),
        last: Some(Exchange {
            token: found.next.clone(),
            at: now,
            tokens: tokens.clone(),
        }),
        issued: alive,
        issued_at: now,
        ..found.clone()
    })?;
    Ok(Ok(tokens))
}

/// The same tokens again, for a short time.
fn replay(tx: &mut Transaction<'_>, found: &ConnectGrant, last: &Exchange) -> Attempt<Tokens> {
    let grace = SignedDuration::from_secs(tx.settings().refresh_token_grace.into());
    if tx.now() < clock::saturating_add(last.at, grace) {
        return Ok(Ok(last.tokens.clone()));
    }
    if tx.settings().refresh_token_reuse_ends_session {
        grants::revoke(tx, &found.id)?;
    }
    Ok(Err(invalid_grant("Refresh token already exchanged.")))
}
