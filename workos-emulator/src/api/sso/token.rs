//! `POST /sso/token` and `GET /sso/profile`: from the code to the profile.
//!
//! Source: <https://workos.com/docs/reference/sso/profile>.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    profiles::{self, ProfileBody},
    sign_in::SsoArrival,
    traces::{self, StepName},
};
use crate::{
    api::user_management::{
        authenticate::{
            Attempt,
            authorization_code::{self, Redeemed},
            client::Client,
            oauth::OauthTokens,
        },
        signing_keys,
    },
    server::{api_key, body, call::Call, error::ApiError, reply::Reply},
};

/// Life of an access token, in seconds. Source: `SsoTokenResponse` in WorkOS's OpenAPI document.
const LIFETIME: i64 = 600;

/// `POST /sso/token`. SDKs send it as JSON, as a form, or in the query.
#[derive(Debug, Deserialize)]
struct Request {
    client_id: String,
    client_secret: Option<String>,
    grant_type: String,
    code: String,
    code_verifier: Option<String>,
}

/// The claims of an access token. It is good for `sso/profile` alone: it has no session, and its subject is no user.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    /// The profile.
    sub: String,
    aud: String,
    /// Says whose environment it is.
    client_id: String,
    jti: String,
    iat: i64,
    exp: i64,
}

const AUDIENCE: &str = "sso/profile";

/// `POST /sso/token`
///
/// Assumption: `unauthorized_client` is for who sends neither a secret nor a verifier.
pub(crate) fn get_profile_and_token(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Serialize)]
    struct Response<'a> {
        token_type: &'static str,
        access_token: String,
        expires_in: i64,
        profile: ProfileBody<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        oauth_tokens: Option<&'a OauthTokens>,
    }
    let request = request(call)?;
    if request.grant_type != "authorization_code" {
        return Err(ApiError::oauth(
            "unsupported_grant_type",
            "The grant type is not supported.",
        ));
    }
    let client = Client::of(call, &request.client_id, request.client_secret.as_deref())?;
    if !client.authenticated && request.code_verifier.is_none() {
        return Err(ApiError::oauth(
            "unauthorized_client",
            "The client is not authorized to use this grant type: send the client_secret, or the code_verifier.",
        ));
    }
    let (arrival, jti) = call
        .environment
        .transact(|tx| -> Attempt<(SsoArrival, String)> {
            let verifier = request.code_verifier.as_deref();
            let arrival = match authorization_code::redeem_for_profile(tx, &client, &request.code, verifier)?
            {
                Redeemed::Arrival(arrival) => *arrival,
                Redeemed::Refused(refusal, session_id) => {
                    if let Some(id) = session_id {
                        traces::step(tx, &id, StepName::Exchange, false, refusal.explanation())?;
                    }
                    return Ok(Err(refusal));
                }
            };
            let detail = "Exchanged at sso/token.";
            traces::step(tx, &arrival.session_id, StepName::Exchange, true, detail)?;
            Ok(Ok((arrival, tx.ulid())))
        })??;
    let state = call.environment.state();
    let profile = profiles::find(&state, &arrival.profile_id)?;
    let now = call.environment.clock.now().as_second();
    let claims = Claims {
        iss: client.issuer.clone(),
        sub: profile.id.clone(),
        aud: AUDIENCE.to_owned(),
        client_id: client.id.clone(),
        jti,
        iat: now,
        exp: now + LIFETIME,
    };
    let reply = Reply::ok(&Response {
        token_type: "Bearer",
        access_token: signing_keys::sign(&state, &claims)?,
        expires_in: LIFETIME,
        profile: profile.body(&state)?,
        oauth_tokens: arrival.tokens.as_ref(),
    })?;
    Ok(reply.header("Cache-Control", "no-store"))
}

/// What the body says, and what the query says besides.
fn request(call: &Call) -> Result<Request, ApiError> {
    let names = [
        "client_id",
        "client_secret",
        "grant_type",
        "code",
        "code_verifier",
    ];
    let in_query = names.into_iter().filter_map(|name| {
        let value = call.query.get(name)?;
        Some((name.to_owned(), Value::from(value)))
    });
    let mut members: Map<String, Value> = in_query.collect();
    match call.raw_body() {
        Value::Object(body) => members.extend(body.clone()),
        other => return body::read(other),
    }
    body::read(&Value::Object(members))
}

/// `GET /sso/profile`
pub(crate) fn get_profile(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let now = call.environment.clock.now();
    let claims: Option<Claims> =
        api_key::bearer(&call.headers).and_then(|token| state.keys().verify(token, now).ok());
    let claims = claims
        .filter(|claims| claims.aud == AUDIENCE)
        .ok_or_else(unauthorized)?;
    Reply::ok(&profiles::find(&state, &claims.sub)?.body(&state)?)
}

/// Source: WorkOS's OpenAPI document.
fn unauthorized() -> ApiError {
    ApiError {
        status: 401,
        headers: Vec::new(),
        body: Map::from_iter([("error".to_owned(), "Unauthorized".into())]),
    }
}
