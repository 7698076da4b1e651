//! The `device_code` grant: a program of a Connect application asks again and again until its user has confirmed the code.
//! Source: <https://workos.com/docs/reference/workos-connect/cli-auth/device-code-grant>.

use super::{TokenType, Tokens, grants, invalid_grant};
use crate::{
    api::{
        connect::{
            access_tokens::{self, Authorization},
            client::{Client, Form},
            consents::{self, Subject},
            scopes,
        },
        user_management::{
            authenticate::{
                Attempt,
                device_code::{self, Approved},
                sign_in::{NextStep, next_step},
            },
            users,
        },
    },
    server::{call::Call, error::ApiError},
    store::Transaction,
};

pub(super) fn grant(call: &Call, form: Form<'_>, client: &Client) -> Result<Tokens, ApiError> {
    let device_code = form.require("device_code")?;
    let issuer = access_tokens::issuer(call);
    call.environment
        .transact(|tx| poll(tx, client, &issuer, device_code))?
}

/// The consent was asked for on the page, or given by whoever approved without one.
fn poll(tx: &mut Transaction<'_>, client: &Client, issuer: &str, device_code: &str) -> Attempt<Tokens> {
    let application = &client.application;
    let approved = device_code::approved(tx, device_code, |found| {
        let asked = found.connect.as_ref();
        asked.is_some_and(|asked| asked.application_id == application.id)
    })?;
    let Approved { sign_in, connect } = match approved {
        Ok(approved) => approved,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let scopes = connect.map(|asked| asked.scopes).unwrap_or_default();
    let user = match users::find(tx, &sign_in.user_id) {
        Ok(user) => user.clone(),
        Err(_) => return Ok(Err(invalid_grant("The user does not exist any more."))),
    };
    let organization_id = match next_step(tx, &user, &sign_in, tx.now()) {
        Ok(NextStep::Enter(organization_id)) => organization_id,
        Ok(_) => {
            let description = "The user has a step of the sign-in to make, or an organization to choose.";
            return Ok(Err(ApiError::oauth("access_denied", description)));
        }
        Err(refusal) => {
            return Ok(Err(ApiError::oauth("access_denied", refusal.description())));
        }
    };
    let subject = Subject {
        application_id: &application.id,
        user_id: &user.id,
        organization_id: organization_id.as_deref(),
        resource: None,
    };
    let consent = consents::record(tx, subject, &scopes)?;
    let authorization = Authorization {
        scopes,
        resource: None,
        claims: serde_json::Map::new(),
        auth_time: None,
    };
    let made = access_tokens::for_user(tx, issuer, application, &consent, &user, &authorization);
    let (access_token, issued) = match made {
        Ok(made) => made,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let id_token = access_tokens::id_token(tx, issuer, application, &user, &authorization, None);
    let is_offline = authorization
        .scopes
        .iter()
        .any(|scope| scope == scopes::OFFLINE_ACCESS);
    let refresh_token = match is_offline {
        true => Some(grants::begin(tx, &consent, authorization.clone(), issued)?.1),
        false => None,
    };
    Ok(Ok(Tokens {
        access_token,
        id_token,
        refresh_token,
        scopes: authorization.scopes,
        token_type: TokenType::OfDevice,
    }))
}
