//! `POST /oauth2/token`: from a grant to tokens, one file per grant. Source:
//! <https://workos.com/docs/reference/workos-connect/token>; errors as in RFC 6749 section 5.2.

mod authorization_code;
mod client_credentials;
mod device_code;
pub(crate) mod grants;
mod refresh_token;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::client::{Client, Form};
use crate::{
    api::user_management::signing_keys,
    core::secret::Secret,
    server::{call::Call, error::ApiError, reply::Reply},
    store::State,
};

/// Tokens that were made, those of them that are signed still to be signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tokens {
    access_token: Map<String, Value>,
    id_token: Option<Map<String, Value>>,
    refresh_token: Option<Secret>,
    scopes: Vec<String>,
    token_type: TokenType,
}

/// The documentation has the word in lower case, except for the device flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum TokenType {
    #[serde(rename = "bearer")]
    Bearer,
    #[serde(rename = "Bearer")]
    OfDevice,
}

impl Tokens {
    /// The answer. Signing takes most of the time, and so comes after the transaction.
    fn reply(&self, state: &State) -> Result<Reply, ApiError> {
        let time = |name: &str| self.access_token.get(name).and_then(Value::as_i64);
        let mut body = json!({
            "access_token": signing_keys::sign(state, &self.access_token)?,
            "expires_in": time("exp").zip(time("iat")).map(|(exp, iat)| exp - iat),
            "token_type": self.token_type,
        });
        if let Some(claims) = &self.id_token {
            body["id_token"] = signing_keys::sign(state, claims)?.into();
        }
        if let Some(token) = &self.refresh_token {
            body["refresh_token"] = token.expose().into();
        }
        if !self.scopes.is_empty() {
            body["scope"] = self.scopes.join(" ").into();
        }
        Ok(Reply::ok(&body)?
            .header("Cache-Control", "no-store")
            .header("Pragma", "no-cache"))
    }
}

/// `POST /oauth2/token`
pub(crate) fn token(call: &Call) -> Result<Reply, ApiError> {
    let form = Form::of(call)?;
    let grant = match form.require("grant_type")? {
        "authorization_code" => authorization_code::grant,
        "client_credentials" => client_credentials::grant,
        "refresh_token" => refresh_token::grant,
        "urn:ietf:params:oauth:grant-type:device_code" => device_code::grant,
        _ => {
            return Err(ApiError::oauth(
                "unsupported_grant_type",
                "The grant type is not supported.",
            ));
        }
    };
    let client = Client::identify(call, form)?.require_proof()?;
    grant(call, form, &client)
        .map_err(in_oauth_form)?
        .reply(&call.environment.state())
}

/// A refusal of a rule that knows nothing of OAuth, such as that of a JWT template that cannot be rendered.
fn in_oauth_form(refusal: ApiError) -> ApiError {
    if refusal.body.contains_key("error") || refusal.status >= 500 {
        return refusal;
    }
    super::client::invalid_request(refusal.explanation())
}

fn invalid_grant(description: &str) -> ApiError {
    ApiError::oauth("invalid_grant", description)
}

/// The application is of the wrong type for this grant.
fn unauthorized_client(description: &str) -> ApiError {
    ApiError::oauth("unauthorized_client", description)
}
