//! Requests and answers without what lets somebody in: members, parameters and values that are secrets have `***` in their
//! place. When in doubt it masks.

use serde_json::{Map, Value};
use url::{Url, form_urlencoded};

const MASK: &str = "***";

/// Names, or ends of names, of what is secret, in small letters without `_`, `-` and spaces.
const SECRET_ENDS: &[&str] = &[
    "password",
    "passwordhash",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "privatekey",
    "otp",
    "assertion",
    "samlresponse",
    "samlrequest",
    "relaystate",
    "codeverifier",
    "clientdatajson",
    "signature",
    "qrcode",
    "csrf",
];

/// Secret where they are the whole name.
const SECRET_NAMES: &[&str] = &["key"];

/// What begins like this is a secret whatever it is called: API keys, SCIM tokens, webhook secrets, one-time passwords, JWTs.
const SECRET_STARTS: &[&str] = &["sk_", "se_", "whsec_", "otpauth:", "eyJ"];

/// Whether `code` is a secret, as in a request to authenticate, or the name of an error.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Codes {
    Secret,
    Plain,
}

/// A query or a form.
pub(super) fn pairs(query: &str) -> Map<String, Value> {
    let mut members = Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let value = masked(&name, Value::from(value.as_ref()), Codes::Secret);
        match members.get_mut(name.as_ref()) {
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
            None => {
                members.insert(name.into_owned(), value);
            }
        }
    }
    members
}

/// The body of a request.
pub(super) fn sent(body: Value) -> Value {
    masked("", body, Codes::Secret)
}

/// The body of an answer: in a refusal `code` says why.
pub(super) fn answered(status: u16, body: Value) -> Value {
    let codes = if status < 400 { Codes::Secret } else { Codes::Plain };
    masked("", body, codes)
}

/// An address whose parameters are masked.
pub(super) fn url(address: &str) -> String {
    let (before, fragment) = address.split_once('#').unwrap_or((address, ""));
    let Some((path, query)) = before.split_once('?') else {
        return before.to_owned();
    };
    let mut serializer = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let value = if is_secret(&name, Codes::Secret) || is_secret_value(&value) {
            MASK.into()
        } else {
            value
        };
        serializer.append_pair(&name, &value);
    }
    let fragment = if fragment.is_empty() { "" } else { "#***" };
    format!("{path}?{}{fragment}", serializer.finish())
}

fn masked(name: &str, value: Value, codes: Codes) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| {
                    let value = masked(&name, value, codes);
                    (name, value)
                })
                .collect(),
        ),
        Value::Array(values) => values
            .into_iter()
            .map(|value| masked(name, value, codes))
            .collect(),
        Value::String(text) if is_secret(name, codes) || is_secret_value(&text) => MASK.into(),
        Value::Number(_) if is_secret(name, codes) => MASK.into(),
        Value::String(text) if Url::parse(&text).is_ok_and(|url| url.query().is_some()) => url(&text).into(),
        plain => plain,
    }
}

fn is_secret(name: &str, codes: Codes) -> bool {
    let mut name = name.to_ascii_lowercase();
    name.retain(|character| character.is_ascii_alphanumeric());
    let is_code = name.ends_with("code") && codes == Codes::Secret;
    is_code || SECRET_NAMES.contains(&name.as_str()) || SECRET_ENDS.iter().any(|end| name.ends_with(end))
}

fn is_secret_value(value: &str) -> bool {
    SECRET_STARTS.iter().any(|start| value.starts_with(start))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        let body = json!({
            "email": "ada@example.com", "password": "pw", "client_secret": "s", "code": 123_456,
            "grant_type": "authorization_code", "totp": {"secret": "s", "uri": "otpauth://totp/x?secret=y"},
            "refresh_token": "r", "authenticationToken": "t", "list": ["sk_test_1", "plain"], "client-data-json": "c",
            "accept_invitation_url": "http://localhost/i?invitation_token=abc&client_id=client_1",
            "event": "user.created", "null_token": null,
        });
        assert_eq!(
            sent(body),
            json!({
                "email": "ada@example.com", "password": "***", "client_secret": "***", "code": "***",
                "grant_type": "authorization_code", "totp": {"secret": "***", "uri": "***"},
                "refresh_token": "***", "authenticationToken": "***", "list": ["***", "plain"],
                "client-data-json": "***",
                "accept_invitation_url": "http://localhost/i?invitation_token=***&client_id=client_1",
                "event": "user.created", "null_token": null,
            })
        );
    }

    #[test]
    fn the_code_of_a_refusal_says_why() {
        let body = json!({"code": "invalid_credentials", "errors": [{"code": "required"}], "token": "t"});
        let refused =
            json!({"code": "invalid_credentials", "errors": [{"code": "required"}], "token": "***"});
        assert_eq!(answered(422, body), refused);
        assert_eq!(answered(200, json!({"code": "123456"})), json!({"code": "***"}));
    }

    #[test]
    fn parameters_are_masked_in_queries_and_addresses() {
        let query = pairs("code=1&a=1&a=2&state=s&token=sk_1");
        let masked = json!({"code": "***", "a": ["1", "2"], "state": "s", "token": "***"});
        assert_eq!(Value::Object(query), masked);
        assert_eq!(
            url("http://localhost:3000/callback?code=abc&state=x#frag"),
            "http://localhost:3000/callback?code=***&state=x#***"
        );
        assert_eq!(url("/authkit/sign-in"), "/authkit/sign-in");
    }
}
