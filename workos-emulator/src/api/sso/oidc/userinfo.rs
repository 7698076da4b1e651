//! What a provider says of a person beside the ID token (OpenID Connect Core 1.0 section 5.3).

use serde_json::{Map, Value};
use url::Url;

use super::{super::outbound::Request, providers::Providers};
use crate::core::secret::Secret;

/// It is kept with the profile, so that it has an end, in bytes.
const LONGEST: usize = 64 * 1024;

/// The claims at the userinfo endpoint, if they are about the person of the ID token.
pub(super) async fn fetch(
    providers: &Providers,
    endpoint: &Url,
    access_token: &Secret,
    subject: &str,
) -> Result<Map<String, Value>, String> {
    let request = Request {
        authorization: Some(format!("Bearer {}", access_token.expose())),
        ..Request::get(endpoint)
    };
    let answer = providers.outbound.send(request).await?;
    if answer.status != 200 {
        return Err(format!("{endpoint} answered with {}.", answer.status));
    }
    if answer.media_type == "application/jwt" {
        return Err(format!(
            "{endpoint} answered with a token, where JSON was asked for."
        ));
    }
    if answer.body.len() > LONGEST {
        return Err(format!("{endpoint} answered with more than {LONGEST} bytes."));
    }
    let claims: Map<String, Value> = serde_json::from_slice(&answer.body)
        .map_err(|error| format!("The answer of {endpoint} cannot be read: {error}."))?;
    match claims.get("sub").and_then(Value::as_str) {
        Some(sub) if sub == subject => Ok(claims),
        Some(sub) => Err(format!(
            "{endpoint} speaks of {sub}, and the ID token of {subject}: one may not stand for the other."
        )),
        None => Err(format!("{endpoint} does not say whom it speaks of (sub).")),
    }
}
