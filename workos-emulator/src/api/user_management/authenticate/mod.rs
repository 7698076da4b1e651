//! `POST /user_management/authenticate`: from a grant to a session. One file per grant; [`sign_in`] is what all of them,
//! the hosted pages and the control API have in common.
//!
//! Source: <https://workos.com/docs/reference/authkit/authentication>.

pub(crate) mod authorization_code;
pub(crate) mod client;
pub(crate) mod device_code;
mod email_verification;
#[cfg(test)]
pub(crate) mod fixture;
pub(crate) mod in_progress;
mod magic_auth;
pub(crate) mod method;
pub(crate) mod mfa;
pub(crate) mod oauth;
mod organization_selection;
pub(crate) mod password;
pub(crate) mod pending;
mod radar_challenge;
pub(crate) mod refresh_token;
pub(crate) mod sign_in;
pub(crate) mod sign_in_methods;
pub(crate) mod sso;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::{client::Client, method::AuthenticationMethod, oauth::OauthTokens, sign_in::Authentication};
use super::users::User;
use crate::{
    core::{jwt::Impersonator, keys::KeySet},
    server::{call::Call, error::ApiError, reply::Reply},
};

/// The outcome of a rule whose refusals leave traces, such as a code that is burnt or the event of a failed sign-in. The
/// outer error undoes everything; the inner one is a refusal that was committed.
pub(crate) type Attempt<T> = Result<Result<T, ApiError>, ApiError>;

/// `POST /user_management/authenticate`
pub(crate) fn authenticate(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    struct Grant {
        grant_type: String,
    }
    let Grant { grant_type } = call.body()?;
    let grant = match grant_type.as_str() {
        "authorization_code" => authorization_code::grant,
        "password" => password::grant,
        "refresh_token" => refresh_token::grant,
        "urn:ietf:params:oauth:grant-type:device_code" => device_code::grant,
        "urn:workos:oauth:grant-type:email-verification:code" => email_verification::grant,
        "urn:workos:oauth:grant-type:magic-auth:code" => magic_auth::grant,
        "urn:workos:oauth:grant-type:organization-selection" => organization_selection::grant,
        "urn:workos:oauth:grant-type:radar-email-challenge:code" => radar_challenge::email_grant,
        "urn:workos:oauth:grant-type:radar-sms-challenge:code" => radar_challenge::sms_grant,
        "urn:workos:oauth:grant-type:mfa-totp" => mfa::grant,
        _ => {
            return Err(ApiError::oauth(
                "unsupported_grant_type",
                "The grant type is not supported.",
            ));
        }
    };
    let authentication = grant(call, &Client::identify(call)?)?;
    authentication.reply(call.environment.state().keys())
}

impl Authentication {
    /// The answer to a sign-in. Signing takes most of the time of a refresh, and so comes after the transaction.
    pub(crate) fn reply(&self, keys: &KeySet) -> Result<Reply, ApiError> {
        #[derive(Serialize)]
        struct AuthenticateResponse<'a> {
            user: Value,
            #[serde(skip_serializing_if = "Option::is_none")]
            organization_id: Option<&'a str>,
            access_token: String,
            refresh_token: &'a str,
            authentication_method: AuthenticationMethod,
            #[serde(skip_serializing_if = "Option::is_none")]
            impersonator: Option<&'a Impersonator>,
            #[serde(skip_serializing_if = "Option::is_none")]
            oauth_tokens: Option<&'a OauthTokens>,
        }
        let access_token = self.claims.sign(keys.current());
        let reply = Reply::ok(&AuthenticateResponse {
            user: user_body(&self.user),
            organization_id: self.claims.org_id.as_deref(),
            access_token: access_token.map_err(|error| ApiError::message(500, error.to_string()))?,
            refresh_token: self.refresh_token.expose(),
            authentication_method: self.method,
            impersonator: self.claims.impersonator.as_ref(),
            oauth_tokens: self.oauth_tokens.as_ref(),
        })?;
        Ok(reply.header("Cache-Control", "no-store")) // RFC 6749 section 5.1
    }
}

/// The user as answers to sign-ins have it: without metadata.
///
/// Source: <https://workos.com/docs/authkit/metadata>.
fn user_body(user: &User) -> Value {
    let mut body = serde_json::to_value(user).unwrap_or_default();
    if let Some(members) = body.as_object_mut() {
        members.remove("metadata");
    }
    body
}
