//! `previous_attributes`: what an object was before, as its `updated` event tells it.

use serde::Serialize;
use serde_json::{Map, Value};

/// An object as its `updated` event shows it.
#[derive(Debug, Serialize)]
pub(super) struct Updated {
    #[serde(flatten)]
    object: Value,
    previous_attributes: Map<String, Value>,
}

/// The event's data, or nothing where an application would see no difference.
///
/// The differences are shallow, those of the root members and those of `custom_attributes`; a member that was not there was
/// null, and null is no different from nothing.
///
/// Source: <https://workos.com/docs/directory-sync/understanding-events>. Assumption: `updated_at` is not listed.
pub(super) fn updated(before: &Value, after: Value) -> Option<Updated> {
    let mut previous = differences(before, &after);
    previous.remove("updated_at");
    if previous.contains_key(CUSTOM) {
        let changed = differences(&before[CUSTOM], &after[CUSTOM]);
        if changed.is_empty() {
            previous.remove(CUSTOM);
        } else {
            previous.insert(CUSTOM.to_owned(), changed.into());
        }
    }
    (!previous.is_empty()).then_some(Updated {
        object: after,
        previous_attributes: previous,
    })
}

const CUSTOM: &str = "custom_attributes";

/// The members of `before` that are others in `after`, and null for those that it did not have.
fn differences(before: &Value, after: &Value) -> Map<String, Value> {
    let members = [before, after]
        .into_iter()
        .filter_map(Value::as_object)
        .flat_map(Map::keys);
    members
        .filter(|name| before[name.as_str()] != after[name.as_str()])
        .map(|name| (name.clone(), before[name.as_str()].clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn previous(before: &Value, after: Value) -> Option<Value> {
        updated(before, after).map(|updated| updated.previous_attributes.into())
    }

    #[test]
    fn is_a_shallow_difference_of_the_root_and_of_custom_attributes() {
        let before = json!({"a": 1, "b": {"c": 1, "d": 2}, "gone": 5, "updated_at": 1,
            "custom_attributes": {"x": 1, "y": {"z": 1}, "gone": 1, "same": 1}});
        let after = json!({"a": 1, "b": {"c": 2, "d": 2}, "new": 5, "updated_at": 2,
            "custom_attributes": {"x": 1, "y": {"z": 2}, "new": 1, "same": 1}});
        let expected = json!({"b": {"c": 1, "d": 2}, "gone": 5, "new": null,
            "custom_attributes": {"y": {"z": 1}, "gone": 1, "new": null}});
        assert_eq!(previous(&before, after), Some(expected));
    }

    #[test]
    fn null_is_no_different_from_nothing() {
        let before = json!({"updated_at": 1, "a": null, "custom_attributes": {"x": null}});
        let after = json!({"updated_at": 2, "b": null, "custom_attributes": {"y": null}});
        assert_eq!(previous(&before, after), None);
    }
}
