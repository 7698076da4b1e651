//! The `authorization_code` grant.

use super::{TokenType, Tokens, grants, invalid_grant, unauthorized_client};
use crate::{
    api::{
        connect::{
            access_tokens,
            authorization_codes::{self, Presented},
            client::{Client, Form},
            scopes,
        },
        user_management::authenticate::Attempt,
    },
    server::{call::Call, error::ApiError},
    store::Transaction,
};

pub(super) fn grant(call: &Call, form: Form<'_>, client: &Client) -> Result<Tokens, ApiError> {
    if client.application.oauth().is_none() {
        return Err(unauthorized_client(
            "An M2M application signs nobody in: use client_credentials.",
        ));
    }
    let presented = Presented {
        code: form.require("code")?,
        redirect_uri: form.require("redirect_uri")?,
        code_verifier: form.get("code_verifier"),
    };
    let issuer = access_tokens::issuer(call);
    let resources = form.every("resource");
    call.environment
        .transact(|tx| redeem(tx, client, &issuer, presented, &resources))?
}

fn redeem(
    tx: &mut Transaction<'_>,
    client: &Client,
    issuer: &str,
    presented: Presented<'_>,
    resources: &[&str],
) -> Attempt<Tokens> {
    let application = &client.application;
    let code = match authorization_codes::take(tx, application, client.authenticated, presented)? {
        Ok(code) => code,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if let Err(refusal) = grants::check_resource(tx, &code.authorization, resources) {
        return Ok(Err(refusal));
    }
    let consent = tx.connect_consents.get(&code.consent_id).cloned();
    let consent = consent.filter(|consent| consent.is_in_force(tx));
    let user = consent
        .as_ref()
        .and_then(|consent| tx.users.get(&consent.user_id).cloned());
    let (Some(consent), Some(user)) = (consent, user) else {
        return Ok(Err(invalid_grant("The user has withdrawn the authorization.")));
    };
    let authorization = &code.authorization;
    let made = access_tokens::for_user(tx, issuer, application, &consent, &user, authorization);
    let (access_token, issued) = match made {
        Ok(made) => made,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let nonce = code.nonce.as_deref();
    let id_token = access_tokens::id_token(tx, issuer, application, &user, authorization, nonce);
    let is_offline = authorization
        .scopes
        .iter()
        .any(|scope| scope == scopes::OFFLINE_ACCESS);
    let (grant_id, refresh_token) = match is_offline {
        true => {
            let (id, token) = grants::begin(tx, &consent, authorization.clone(), issued.clone())?;
            (Some(id), Some(token))
        }
        false => (None, None),
    };
    let tokens = Tokens {
        access_token,
        id_token,
        refresh_token,
        scopes: authorization.scopes.clone(),
        token_type: TokenType::Bearer,
    };
    authorization_codes::redeemed(tx, code, issued, grant_id)?;
    Ok(Ok(tokens))
}
