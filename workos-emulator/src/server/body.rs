//! Request bodies: JSON, or a form where the real API takes one.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::error::{ApiError, FieldError};

/// The largest body that is read, in bytes.
pub(crate) const LIMIT: usize = 1024 * 1024;

/// The same for the control API, which takes whole seed files.
pub(crate) const CONTROL_LIMIT: usize = 64 * LIMIT;

/// Reads a body of the control API: JSON where it is said to be JSON or can be read as such, otherwise text, whatever
/// the content type: `curl --data-binary @seed.yaml` calls it a form.
pub(crate) fn parse_or_text(content_type: Option<&str>, bytes: &[u8]) -> Result<Value, ApiError> {
    let said_to_be_json = content_type.is_some_and(|media_type| media_type.contains("json"));
    if said_to_be_json || bytes.is_empty() {
        return parse(content_type, bytes);
    }
    serde_json::from_slice(bytes)
        .or_else(|_| std::str::from_utf8(bytes).map(Value::from))
        .map_err(|_| ApiError::bad_request("invalid_request_body", "The body is not UTF-8 text."))
}

/// Reads a body by its content type. No body is an empty object: its missing members are then named.
pub(crate) fn parse(content_type: Option<&str>, bytes: &[u8]) -> Result<Value, ApiError> {
    if bytes.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let media_type = content_type.unwrap_or("application/json");
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Ok(Value::Object(form(bytes)));
    }
    let is_json = media_type.eq_ignore_ascii_case("application/json")
        || media_type.to_ascii_lowercase().ends_with("+json");
    if !is_json {
        return Err(ApiError::new(
            415,
            "unsupported_media_type",
            format!("The body is {media_type}; send application/json or application/x-www-form-urlencoded."),
        ));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        ApiError::bad_request("invalid_request_body", format!("The body is not JSON: {error}."))
    })
}

/// A form as an object of strings; `name[]` and repeated names give arrays.
fn form(bytes: &[u8]) -> Map<String, Value> {
    let mut members = Map::new();
    for (name, value) in url::form_urlencoded::parse(bytes) {
        let (name, many) = match name.strip_suffix("[]") {
            Some(name) => (name.to_owned(), true),
            None => (name.into_owned(), false),
        };
        let value = Value::from(value.into_owned());
        match members.get_mut(&name) {
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
            None if many => {
                members.insert(name, Value::Array(vec![value]));
            }
            None => {
                members.insert(name, value);
            }
        }
    }
    members
}

/// A body as the type an operation wants; what does not fit is named by its path.
pub(crate) fn read<T: DeserializeOwned>(body: &Value) -> Result<T, ApiError> {
    if !body.is_object() {
        return Err(ApiError::bad_request(
            "invalid_request_body",
            "The body must be a JSON object.",
        ));
    }
    serde_path_to_error::deserialize(body).map_err(|error| {
        let path = error.path().to_string();
        let message = error.into_inner().to_string();
        ApiError::invalid([field_error(&path, &message)])
    })
}

/// Serde's message, as WorkOS's `{field, code}`.
fn field_error(path: &str, message: &str) -> FieldError {
    let within = |name: &str| match path {
        "." | "" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    if let Some(name) = message.strip_prefix("missing field `") {
        let name = within(name.trim_end_matches('`'));
        let message = format!("{name} is required.");
        return FieldError::new(name, "required").message(message);
    }
    let code = if message.starts_with("unknown variant") {
        "invalid_enum_value"
    } else if message.starts_with("invalid type") {
        "invalid_type"
    } else {
        "invalid"
    };
    FieldError::new(path, code).message(message)
}

/// A member of an update: left out, set to null, or given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Patch<T> {
    /// Leave it as it is.
    #[default]
    Keep,
    /// Set it to null.
    Clear,
    /// Set it to this.
    Set(T),
}

impl<T> Patch<T> {
    /// The new value of a member that may be null.
    pub(crate) fn apply_to(self, member: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *member = None,
            Self::Set(value) => *member = Some(value),
        }
    }
}

/// Use with `#[serde(default)]`.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(from)?.map_or(Self::Clear, Self::Set))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Wanted {
        email: String,
        #[serde(default)]
        name: Patch<String>,
    }

    fn refusal(body: &str) -> (u16, Value) {
        let refused = parse(Some("application/json"), body.as_bytes())
            .and_then(|body| read::<Wanted>(&body))
            .unwrap_err();
        (refused.status, refused.body["errors"].clone())
    }

    #[test]
    fn names_what_is_missing_or_of_the_wrong_type() {
        assert_eq!(
            refusal("{}"),
            (
                422,
                json!([{"field": "email", "code": "required", "message": "email is required."}])
            )
        );
        let (status, errors) = refusal(r#"{"email": 1}"#);
        assert_eq!(
            (status, &errors[0]["field"], &errors[0]["code"]),
            (422, &json!("email"), &json!("invalid_type"))
        );
    }

    #[test]
    fn tells_null_from_absent() {
        let read = |text: &str| read::<Wanted>(&serde_json::from_str(text).unwrap()).unwrap().name;
        assert_eq!(read(r#"{"email": "a"}"#), Patch::Keep);
        assert_eq!(read(r#"{"email": "a", "name": null}"#), Patch::Clear);
        assert_eq!(read(r#"{"email": "a", "name": "b"}"#), Patch::Set("b".to_owned()));
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        assert_eq!(parse(None, b"{").unwrap_err().status, 400);
        assert_eq!(parse(Some("text/plain"), b"x").unwrap_err().status, 415);
        assert_eq!(read::<Wanted>(&json!([])).unwrap_err().status, 400);
    }

    #[test]
    fn reads_forms_and_vendor_json() {
        let body = parse(
            Some("application/x-www-form-urlencoded; charset=utf-8"),
            b"a=1&b[]=2&c=3&c=4%20",
        )
        .unwrap();
        assert_eq!(body, json!({"a": "1", "b": ["2"], "c": ["3", "4 "]}));
        assert_eq!(parse(Some("application/scim+json"), b"{}").unwrap(), json!({}));
    }
}
