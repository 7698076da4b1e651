//! Single logout: of the application and of the identity provider.
//!
//! Source: <https://workos.com/docs/sso/single-logout>, <https://workos.com/docs/reference/sso/logout>.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    connections::{self, ProtocolOptions},
    identity_provider::{Provider, provider},
    oidc, profiles,
};
use crate::{
    api::user_management::signing_keys,
    core::clock,
    hosted,
    server::{call::Call, error::ApiError, operation::Answer, reply::Reply},
    store::{Expiring, Record},
};

/// Life of a logout token. Assumption: it is "short-lived".
const LIFETIME: SignedDuration = SignedDuration::from_mins(10);

/// A logout that was allowed, and not begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SsoLogout {
    id: String,
    profile_id: String,
    #[serde(with = "clock::timestamp")]
    expires_at: Timestamp,
}

impl Record for SsoLogout {
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.id
    }
}

impl Expiring for SsoLogout {
    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

/// The claims of a logout token.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    profile_id: String,
    aud: String,
    client_id: String,
    jti: String,
    exp: i64,
}

const AUDIENCE: &str = "sso/logout";

/// `POST /sso/logout/authorize`
///
/// Assumption: `unauthorized_client` is for a connection that cannot be used.
pub(crate) fn authorize_logout(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    struct AuthorizeLogout {
        profile_id: String,
    }
    let AuthorizeLogout { profile_id } = call.body()?;
    let logout = call.environment.transact(|tx| {
        let profile = profiles::find(tx, &profile_id)?;
        let connection = connections::find(tx, &profile.connection_id)?;
        if connection.connection_type != "GenericOIDC" {
            return Err(ApiError::oauth(
                "connection_invalid",
                "Single Logout is only supported for GenericOIDC connections.",
            ));
        }
        if !connection.state.is_linked() {
            return Err(ApiError::oauth("unauthorized_client", "Unauthorized"));
        }
        let expires_at = clock::saturating_add(tx.now(), LIFETIME);
        let id = tx.id("sso_logout");
        Ok(tx.put_expiring(SsoLogout {
            id,
            profile_id,
            expires_at,
        })?)
    })?;
    let claims = Claims {
        profile_id: logout.profile_id.clone(),
        aud: AUDIENCE.to_owned(),
        client_id: call.environment.client_id.clone(),
        jti: logout.id.clone(),
        exp: logout.expires_at.as_second(),
    };
    let token = signing_keys::sign(&call.environment.state(), &claims)?;
    Reply::created(&json!({
        "logout_url": format!("{}/sso/logout?token={token}", call.base_url()),
        "logout_token": token,
    }))
}

/// `GET /sso/logout`: on to where the identity provider signs people out. A token is good for one time.
pub(crate) fn get_logout_url(call: Call) -> Answer {
    Box::pin(async move { leave(&call).await })
}

async fn leave(call: &Call) -> Result<Reply, ApiError> {
    let not_found = || {
        ApiError::message(
            404,
            "The logout token does not exist, was used already, or has expired.",
        )
    };
    let token = call.query.get("token").unwrap_or_default();
    let now = call.environment.clock.now();
    let claims: Option<Claims> = call.environment.state().keys().verify(token, now).ok();
    let claims = claims
        .filter(|claims| claims.aud == AUDIENCE)
        .ok_or_else(not_found)?;
    let (connection, idp_id) = call.environment.transact(|tx| {
        tx.unexpired::<SsoLogout>(&claims.jti).ok_or_else(not_found)?;
        tx.delete::<SsoLogout>(&claims.jti);
        let profile = profiles::find(tx, &claims.profile_id).map_err(|_| not_found())?;
        let connection = connections::find(tx, &profile.connection_id).map_err(|_| not_found())?;
        Ok::<_, ApiError>((Arc::clone(connection), profile.idp_id.clone()))
    })?;
    let url = match &connection.options {
        ProtocolOptions::Oidc(options) if provider(&connection) == Provider::Oidc => {
            let discovery_endpoint = &options.discovery_endpoint;
            let metadata = call.environment.providers.metadata(discovery_endpoint, now).await;
            let url = metadata.and_then(|metadata| oidc::end_session_url(options, &metadata, &idp_id));
            url.map_err(|reason| ApiError::oauth("connection_invalid", reason))?
                .into()
        }
        _ => hosted::identity_provider::sign_out_url(call, &connection.id),
    };
    Ok(Reply::redirect(302, url))
}
