//! `/oauth2/userinfo`: whom an access token is about (OpenID Connect Core 1.0 section 5.3). Source:
//! <https://workos.com/docs/reference/workos-connect/userinfo>.

use super::{access_tokens, scopes};
use crate::server::{api_key, call::Call, error::ApiError, reply::Reply};

/// `GET` and `POST /oauth2/userinfo`, with the access token as `Authorization: Bearer …`.
pub(crate) fn userinfo(call: &Call) -> Result<Reply, ApiError> {
    let Some(token) = api_key::bearer(&call.headers) else {
        // Seen in production; the challenge without an error is RFC 6750 section 3.
        let mut refusal = ApiError::message(401, "");
        refusal.body.clear();
        let refusal = refusal.with("error", "unauthorized");
        return Err(refusal.header("WWW-Authenticate", "Bearer"));
    };
    let state = call.environment.state();
    let active = access_tokens::active(&state, call.environment.clock.now(), token);
    let (claims, user) = active
        .and_then(|active| Some((active.claims, active.user?)))
        .ok_or_else(|| {
            refused(
                401,
                "invalid_token",
                "The access token is invalid, has expired, or was taken back.",
            )
        })?;
    let granted = scopes::parse(claims.scope.as_deref().unwrap_or_default());
    if !granted.iter().any(|scope| scope == scopes::OPENID) {
        return Err(refused(
            403,
            "insufficient_scope",
            "The access token lacks the scope openid.",
        ));
    }
    Ok(Reply::ok(&access_tokens::about(&user, &granted))?.header("Cache-Control", "no-store"))
}

/// RFC 6750 section 3.1.
fn refused(status: u16, error: &str, description: &str) -> ApiError {
    let mut refusal = ApiError::oauth(error, description);
    refusal.status = status;
    refusal.header(
        "WWW-Authenticate",
        format!("Bearer error=\"{error}\", error_description=\"{description}\""),
    )
}
