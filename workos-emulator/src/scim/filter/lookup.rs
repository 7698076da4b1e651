//! The filters by which identity providers look one resource up: these go by an index.

use serde_json::Value;

use super::{Comparison, Filter};
use crate::scim::path::AttributePath;

/// What an index finds the candidates by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lookup<'f> {
    Id(&'f str),
    ExternalId(&'f str),
    UserName(&'f str),
    /// Any of the e-mail addresses.
    Email(&'f str),
    DisplayName(&'f str),
    /// The groups that have this member.
    Member(&'f str),
}

impl Filter {
    /// What every resource that meets the filter has, where an index knows it.
    pub(crate) fn lookups(&self) -> Vec<Lookup<'_>> {
        match self {
            Self::And(all) => all.iter().flat_map(Self::lookups).collect(),
            Self::Compare {
                path,
                comparison: Comparison::Equal,
                value: Value::String(value),
            } => {
                let lookup = if path.is("id", None) {
                    Lookup::Id(value)
                } else if path.is("externalId", None) {
                    Lookup::ExternalId(value)
                } else if path.is("userName", None) {
                    Lookup::UserName(value)
                } else if path.is("displayName", None) {
                    Lookup::DisplayName(value)
                } else if path.is("emails", None) || path.is("emails", Some("value")) {
                    Lookup::Email(value)
                } else if path.is("members", None) || path.is("members", Some("value")) {
                    Lookup::Member(value)
                } else {
                    return Vec::new();
                };
                vec![lookup]
            }
            Self::AnyValue { path, filter } => {
                let values = filter.equal_values().into_iter();
                if path.is("emails", None) {
                    values.map(Lookup::Email).collect()
                } else if path.is("members", None) {
                    values.map(Lookup::Member).collect()
                } else {
                    Vec::new()
                }
            }
            _ => Vec::new(),
        }
    }

    /// Whether the filter says no more than [`lookups`](Self::lookups) does.
    pub(crate) fn is_lookup(&self) -> bool {
        match self {
            Self::And(all) => all.iter().all(Self::is_lookup),
            Self::Compare { .. } => self.lookups().len() == 1,
            Self::AnyValue { filter, .. } => {
                matches!(**filter, Self::Compare { .. }) && self.lookups().len() == 1
            }
            Self::Or(_) | Self::Not(_) | Self::Present(_) => false,
        }
    }

    /// Whether the filter asks about this attribute of the resource itself.
    pub(crate) fn mentions(&self, name: &str) -> bool {
        let is_it = |path: &AttributePath| path.name.eq_ignore_ascii_case(name);
        match self {
            Self::And(filters) | Self::Or(filters) => filters.iter().any(|filter| filter.mentions(name)),
            Self::Not(filter) => filter.mentions(name),
            Self::Present(path) | Self::Compare { path, .. } | Self::AnyValue { path, .. } => is_it(path),
        }
    }

    /// What `value` of a multi-valued attribute must be.
    pub(in crate::scim) fn equal_values(&self) -> Vec<&str> {
        match self {
            Self::And(all) => all.iter().flat_map(Self::equal_values).collect(),
            Self::Compare {
                path,
                comparison: Comparison::Equal,
                value: Value::String(value),
            } if path.is("value", None) => vec![value],
            _ => Vec::new(),
        }
    }

    /// The members that a new value gets so that it meets the filter, where that is `… eq …`, joined by `and`.
    pub(in crate::scim) fn equalities(&self) -> Option<Vec<(&str, &Value)>> {
        match self {
            Self::And(all) => {
                let all: Option<Vec<_>> = all.iter().map(Self::equalities).collect();
                Some(all?.into_iter().flatten().collect())
            }
            Self::Compare {
                path,
                comparison: Comparison::Equal,
                value,
            } if !value.is_null() => Some(vec![(path.name.as_str(), value)]),
            _ => None,
        }
    }
}
