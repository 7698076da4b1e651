//! What "Impersonate user" in the dashboard does.

use serde::Deserialize;
use serde_json::json;

use crate::{
    api::user_management::{
        authorize::request::Callback,
        impersonation::{self, NewImpersonation},
        redirect_uris, users,
    },
    core::jwt::Impersonator,
    hosted,
    server::{
        call::{Call, Query},
        error::ApiError,
        reply::Reply,
    },
};

#[derive(Deserialize)]
struct Request {
    user_id: Option<String>,
    email: Option<String>,
    impersonator_email: String,
    reason: Option<String>,
    organization_id: Option<String>,
    /// The default redirect URI of the environment unless given.
    redirect_uri: Option<String>,
}

/// `POST /_emulate/impersonations`: a link that can be opened once, in the browser of the one who impersonates.
pub(crate) fn impersonate(call: &Call) -> Result<Reply, ApiError> {
    let request: Request = call.body()?;
    let token = call.environment.transact(|tx| {
        let user = users::by_id_or_email(tx, request.user_id.as_deref(), request.email.as_deref())?;
        let redirect_uri = match &request.redirect_uri {
            Some(uri) => redirect_uris::allowed(tx, uri).ok_or_else(|| {
                let message = format!("'{uri}' is not a redirect URI of this environment.");
                ApiError::invalid_field("redirect_uri", "invalid_redirect_uri", message)
            })?,
            None => redirect_uris::default(tx).ok_or_else(|| {
                let message = "The environment has no default redirect URI: register one with \
                    POST /user_management/redirect_uris, or send redirect_uri, like http://localhost:3000/callback.";
                ApiError::invalid_field("redirect_uri", "required", message)
            })?,
        };
        let new = NewImpersonation {
            user_id: user.id.clone(),
            organization_id: request.organization_id,
            impersonator: Impersonator {
                email: request.impersonator_email,
                reason: request.reason,
            },
            callback: Callback::new(&redirect_uri, &Query::default()),
        };
        impersonation::create(tx, new)
    })?;
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", &call.environment.client_id)
        .append_pair("token", token.expose())
        .finish();
    let url = format!("{}{}?{query}", call.base_url(), hosted::impersonation::PATH);
    Reply::created(&json!({"url": url}))
}
