//! The client id in the credentials of a request: it says which environment is meant, and proves nothing.

use actix_web::http::header::HeaderMap;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::api_key;
use crate::api::connect::client;

/// The claims of an access token of Connect that have one: a machine is its own subject.
#[derive(Deserialize)]
struct Claims {
    client_id: Option<String>,
    sub: Option<String>,
}

/// The user of `Authorization: Basic …`, or the application of an access token whose signature nobody has looked at yet.
pub(super) fn in_credentials(headers: &HeaderMap) -> Option<String> {
    let given = headers.get("authorization")?.to_str().ok()?;
    if let Some((client_id, _)) = client::basic(given) {
        return Some(client_id);
    }
    in_token(api_key::bearer(headers)?)
}

/// The application of a token whose signature nobody has looked at yet.
pub(super) fn in_token(token: &str) -> Option<String> {
    let claims = token.split('.').nth(1)?;
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    claims.client_id.or(claims.sub)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn named(authorization: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_str(authorization).unwrap();
        headers.insert(actix_web::http::header::AUTHORIZATION, value);
        in_credentials(&headers)
    }

    #[test]
    fn basic_credentials_and_access_tokens_say_whose_they_are() {
        let token = |claims: &str| format!("Bearer x.{}.x", URL_SAFE_NO_PAD.encode(claims));
        let found = |id: &str| Some(id.to_owned());
        assert_eq!(named("Basic Y2xpZW50XzE6aHVzaA=="), found("client_1"));
        assert_eq!(
            named(&token(r#"{"client_id": "client_1", "sub": "user_1"}"#)),
            found("client_1")
        );
        assert_eq!(named(&token(r#"{"sub": "client_1"}"#)), found("client_1"));
        for nothing in [
            "Basic !",
            "Bearer sk_test_default",
            "Bearer x.!.x",
            &token("[]"),
            &token("{}"),
            "Digest x",
        ] {
            assert_eq!(named(nothing), None, "{nothing}");
        }
    }
}
