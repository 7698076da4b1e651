//! The `client_credentials` grant, of M2M applications. Source: <https://workos.com/docs/authkit/connect/m2m>.

use super::{TokenType, Tokens, unauthorized_client};
use crate::{
    api::connect::{
        access_tokens,
        applications::Kind,
        client::{Client, Form, invalid_client},
        scopes,
    },
    server::{call::Call, error::ApiError},
};

/// Without `scope`, the token has all scopes of the application.
pub(super) fn grant(call: &Call, form: Form<'_>, client: &Client) -> Result<Tokens, ApiError> {
    let application = &client.application;
    let Kind::M2m { organization_id } = &application.kind else {
        return Err(unauthorized_client(
            "Only M2M applications may use client_credentials.",
        ));
    };
    if !client.authenticated {
        return Err(invalid_client("The client_secret is required."));
    }
    let asked = match form.get("scope") {
        Some(text) => scopes::parse(text),
        None => {
            let mut own = application.scopes.clone();
            own.sort();
            own
        }
    };
    let scopes = scopes::granted(application, asked)
        .map_err(|description| ApiError::oauth("invalid_scope", description))?;
    let issuer = access_tokens::issuer(call);
    let access_token = call.environment.transact(|tx| {
        let claims = access_tokens::for_machine(tx, &issuer, application, organization_id, &scopes);
        Ok::<_, ApiError>(claims)
    })?;
    Ok(Tokens {
        access_token,
        id_token: None,
        refresh_token: None,
        scopes,
        token_type: TokenType::Bearer,
    })
}
