//! `metadata` and `external_id`, which several resources have.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::server::error::ApiError;

/// Up to 50 pairs of text. Source: the API's `maxProperties`; keys up to 40 and values up to 600 ASCII characters as in
/// <https://workos.com/docs/authkit/metadata>.
pub(crate) type Metadata = BTreeMap<String, String>;

/// Merges `changes` into `metadata`: a null value deletes its key, an empty object deletes all.
pub(crate) fn merge(metadata: &mut Metadata, changes: Map<String, Value>) -> Result<(), ApiError> {
    if changes.is_empty() {
        metadata.clear();
    }
    for (key, value) in changes {
        match value {
            Value::Null => {
                metadata.remove(&key);
            }
            Value::String(value) if is_text(&key, 40) && !key.is_empty() && is_text(&value, 600) => {
                metadata.insert(key, value);
            }
            Value::String(_) => {
                return Err(invalid(format!(
                    "Metadata keys have at most 40 and values at most 600 ASCII characters: '{key}'."
                )));
            }
            _ => {
                return Err(invalid(format!("Metadata values must be strings: '{key}'.")));
            }
        }
    }
    if metadata.len() > 50 {
        return Err(invalid("Metadata has at most 50 keys.".to_owned()));
    }
    Ok(())
}

fn is_text(text: &str, limit: usize) -> bool {
    text.is_ascii() && text.len() <= limit
}

fn invalid(message: String) -> ApiError {
    ApiError::bad_request("invalid_metadata", message)
}

/// Checks an external id: 1 to 128 ASCII characters.
pub(crate) fn check_external_id(id: &str) -> Result<(), ApiError> {
    let fits = !id.is_empty()
        && id.len() <= 128
        && id.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_control());
    if fits {
        Ok(())
    } else {
        Err(ApiError::invalid_field(
            "external_id",
            "invalid_external_id",
            "external_id has 1 to 128 ASCII characters.",
        ))
    }
}

/// The refusal of an external id that another resource has.
pub(crate) fn external_id_taken() -> ApiError {
    ApiError::bad_request("external_id_already_used", "The external_id is already in use.")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn merged(changes: Value) -> Result<Metadata, ApiError> {
        let mut metadata = Metadata::from([("a".to_owned(), "1".to_owned())]);
        let Value::Object(changes) = changes else {
            unreachable!()
        };
        merge(&mut metadata, changes).map(|()| metadata)
    }

    #[test]
    fn merges_deletes_and_clears() {
        assert_eq!(merged(json!({"b": "2"})).unwrap().len(), 2);
        assert!(merged(json!({"a": null})).unwrap().is_empty());
        assert!(merged(json!({})).unwrap().is_empty());
    }

    #[test]
    fn refuses_what_is_not_short_ascii_text() {
        for wrong in [
            json!({"a": 1}),
            json!({"é": "x"}),
            json!({"": "x"}),
            json!({"a": "x".repeat(601)}),
        ] {
            assert_eq!(merged(wrong).unwrap_err().code(), Some("invalid_metadata"));
        }
        let many: Map<_, _> = (0..50).map(|i| (format!("k{i}"), json!("v"))).collect();
        assert_eq!(merged(Value::Object(many)).unwrap_err().status, 400);
    }
}
