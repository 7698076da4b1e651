//! Whether a resource meets a filter.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Comparison, Filter};
use crate::scim::{
    path::{AttributePath, member},
    schema::{Attribute, ResourceType, Type},
};

/// Compares texts without regard to case. Source: RFC 7643 section 2.3.1.
pub(in crate::scim) fn folded(text: &str) -> String {
    text.to_lowercase()
}

impl Filter {
    pub(crate) fn matches(&self, resource: &Map<String, Value>, resource_type: &ResourceType) -> bool {
        match self {
            Self::And(all) => all.iter().all(|filter| filter.matches(resource, resource_type)),
            Self::Or(any) => any.iter().any(|filter| filter.matches(resource, resource_type)),
            Self::Not(filter) => !filter.matches(resource, resource_type),
            Self::Present(path) => values(path, resource).iter().any(|value| is_present(value)),
            Self::Compare {
                path,
                comparison,
                value,
            } => {
                let leaf = match path.attribute(resource_type) {
                    // `emails co "@"` is about the values' `value`.
                    Some(attribute) if path.sub.is_none() && attribute.kind == Type::Complex => {
                        attribute.sub_attribute("value")
                    }
                    _ => path.leaf(resource_type),
                };
                compare_any(&values(path, resource), *comparison, value, leaf)
            }
            Self::AnyValue { path, filter } => {
                let attribute = path.attribute(resource_type);
                let value = path.value(resource);
                items(value).any(|item| filter.matches_value(item, attribute))
            }
        }
    }

    /// Whether one value of `attribute` meets the filter.
    pub(in crate::scim) fn matches_value(&self, item: &Value, attribute: Option<&Attribute>) -> bool {
        let sub = |path: &AttributePath| match item {
            Value::Object(members) => member(members, &path.name).into_iter().collect(),
            // A plain value is its own `value`.
            plain if path.name.eq_ignore_ascii_case("value") => vec![plain],
            _ => Vec::new(),
        };
        match self {
            Self::And(all) => all.iter().all(|filter| filter.matches_value(item, attribute)),
            Self::Or(any) => any.iter().any(|filter| filter.matches_value(item, attribute)),
            Self::Not(filter) => !filter.matches_value(item, attribute),
            Self::Present(path) => sub(path).into_iter().any(is_present),
            Self::Compare {
                path,
                comparison,
                value,
            } => {
                let leaf = attribute.and_then(|attribute| attribute.sub_attribute(&path.name));
                compare_any(&sub(path), *comparison, value, leaf)
            }
            Self::AnyValue { .. } => false,
        }
    }
}

/// One value, or the values of an array.
pub(in crate::scim) fn items(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    let (many, one) = match value {
        Some(Value::Array(items)) => (items.as_slice(), None),
        other => (&[][..], other),
    };
    many.iter().chain(one)
}

/// The values at a path: one for each value of a multi-valued attribute.
pub(in crate::scim) fn values<'v>(path: &AttributePath, resource: &'v Map<String, Value>) -> Vec<&'v Value> {
    let sub = |value: &'v Value| match (value, &path.sub) {
        (Value::Object(members), Some(sub)) => member(members, sub),
        // A complex value stands for its `value`, if it has one.
        (Value::Object(members), None) => member(members, "value").or(Some(value)),
        (plain, Some(sub)) => sub.eq_ignore_ascii_case("value").then_some(plain),
        (plain, None) => Some(plain),
    };
    items(path.value(resource)).filter_map(sub).collect()
}

/// A value that is not empty (RFC 7644 table 3).
fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => items.iter().any(is_present),
        Value::Object(members) => members.values().any(is_present),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// Whether any of the values compares so. `ne` is the opposite of `eq`: no value is the same.
fn compare_any(values: &[&Value], comparison: Comparison, wanted: &Value, leaf: Option<&Attribute>) -> bool {
    let any = |comparison| {
        values
            .iter()
            .any(|value| compare(value, comparison, wanted, leaf))
    };
    match (comparison, wanted) {
        (Comparison::Equal, Value::Null) => !values.iter().any(|value| is_present(value)),
        (Comparison::NotEqual, Value::Null) => values.iter().any(|value| is_present(value)),
        (Comparison::NotEqual, _) => !any(Comparison::Equal),
        (comparison, _) => any(comparison),
    }
}

fn compare(value: &Value, comparison: Comparison, wanted: &Value, leaf: Option<&Attribute>) -> bool {
    match (value, wanted) {
        (Value::String(value), Value::String(wanted)) => compare_text(value, comparison, wanted, leaf),
        (Value::Number(value), Value::Number(wanted)) => {
            let order = match (value.as_i64(), wanted.as_i64()) {
                (Some(value), Some(wanted)) => Some(value.cmp(&wanted)),
                _ => value
                    .as_f64()
                    .zip(wanted.as_f64())
                    .and_then(|(value, wanted)| value.partial_cmp(&wanted)),
            };
            order.is_some_and(|order| holds(comparison, order))
        }
        (Value::Bool(value), Value::Bool(wanted)) => comparison == Comparison::Equal && value == wanted,
        // Identity providers write booleans as text: `primary eq "True"`.
        (Value::Bool(value), Value::String(wanted)) => {
            comparison == Comparison::Equal && wanted.eq_ignore_ascii_case(&value.to_string())
        }
        _ => false,
    }
}

fn compare_text(value: &str, comparison: Comparison, wanted: &str, leaf: Option<&Attribute>) -> bool {
    if leaf.is_some_and(|leaf| leaf.kind == Type::DateTime)
        && let (Ok(value), Ok(wanted)) = (value.parse::<Timestamp>(), wanted.parse::<Timestamp>())
        && !matches!(
            comparison,
            Comparison::Contains | Comparison::StartsWith | Comparison::EndsWith
        )
    {
        return holds(comparison, value.cmp(&wanted));
    }
    if leaf.is_some_and(|leaf| leaf.case_exact) {
        return compare_strings(value, comparison, wanted);
    }
    compare_strings(&folded(value), comparison, &folded(wanted))
}

fn compare_strings(value: &str, comparison: Comparison, wanted: &str) -> bool {
    match comparison {
        Comparison::Contains => value.contains(wanted),
        Comparison::StartsWith => value.starts_with(wanted),
        Comparison::EndsWith => value.ends_with(wanted),
        comparison => holds(comparison, value.cmp(wanted)),
    }
}

fn holds(comparison: Comparison, order: Ordering) -> bool {
    match comparison {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::GreaterThan => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
        Comparison::LessThan => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Contains | Comparison::StartsWith | Comparison::EndsWith => false,
    }
}
