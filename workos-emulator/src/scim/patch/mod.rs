//! PATCH: operations that add, replace and remove. Source: RFC 7644 section 3.5.2.
//!
//! WorkOS's profile takes the spellings of Entra ID and Okta as well; the RFC's refuses them, or reads them as the RFC does:
//!
//! | Sent | WorkOS | RFC 7644 |
//! |---|---|---|
//! | `"op": "Add"` | as `add` | 400 `invalidSyntax` |
//! | `active: "False"` | as `false` | 400 `invalidValue` |
//! | `{"name.givenName": …}` or `{"urn:…:User:department": …}` without a path | as with the path | 400 `invalidPath` |
//! | `remove` of `members` with values | removes these members | removes all: `remove` has no value |
//! | `replace` of `emails[type eq "work"].value` where there is none | adds one | 400 `noTarget` |
//! | `remove` of a value that is not there | nothing to do | 400 `noTarget` |
//! | the id of a manager in the place of `{"value": …}`, `[{"value": …}]` for a single value | as meant | 400 `invalidValue` |
//! | an attribute that no schema has | kept | 400 `invalidPath`; passed over without a path |
//!
//! Assumption: production's answers to these are not documented, except that it serves Entra ID as it is, which needs
//! them.

mod apply;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

pub(super) use self::apply::apply;
use super::{
    Profile,
    error::{ScimError, ScimType},
    filter::{Filter, Parser, Scope},
    path::{Target, member},
    schema::ResourceType,
};

const SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// How many operations one PATCH may have.
const MOST: usize = 5_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Add,
    Remove,
    Replace,
}

/// What an operation is about: `emails`, `name.givenName`, `emails[type eq "work"].value`, an extension.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PatchPath {
    pub(super) target: Target,
    /// Which values of a multi-valued attribute are meant.
    pub(super) filter: Option<Filter>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Operation {
    pub(super) op: Op,
    pub(super) path: Option<PatchPath>,
    pub(super) value: Option<Value>,
}

impl PatchPath {
    pub(super) fn parse(text: &str, resource_type: &'static ResourceType) -> Result<Self, ScimError> {
        let as_path = |error: ScimError| ScimError::path(error.detail);
        let mut parser = Parser::new(text, resource_type).map_err(as_path)?;
        let mut target = Target::parse(parser.word(), resource_type)?;
        let mut filter = None;
        if parser.takes('[') {
            let Target::Attribute(path) = &mut target else {
                return Err(ScimError::path("Only a multi-valued attribute has a filter."));
            };
            if path.sub.is_some() {
                return Err(ScimError::path("A sub-attribute stands behind the filter."));
            }
            let (outer, sub) = (path.clone(), &mut path.sub);
            filter = Some(parser.filter(Scope::Value(&outer)).map_err(|error| ScimError {
                scim_type: Some(ScimType::InvalidFilter),
                ..error
            })?);
            if !parser.takes(']') {
                return Err(ScimError::path("The filter is not closed."));
            }
            if parser.takes('.') {
                let word = parser.word();
                match Target::parse(word, resource_type)? {
                    Target::Attribute(inner) if inner.sub.is_none() && inner.extension.is_none() => {
                        *sub = Some(inner.name);
                    }
                    _ => return Err(ScimError::path(format!("'{word}' is no sub-attribute."))),
                }
            }
        }
        parser.end().map_err(as_path)?;
        Ok(Self { target, filter })
    }
}

/// Reads the body of a PATCH.
pub(super) fn operations(
    body: &Value,
    resource_type: &'static ResourceType,
    profile: Profile,
) -> Result<Vec<Operation>, ScimError> {
    let Value::Object(body) = body else {
        return Err(ScimError::syntax("The body must be a JSON object."));
    };
    if profile == Profile::Rfc7644 {
        let schemas = member(body, "schemas").and_then(Value::as_array);
        let mut uris = schemas.into_iter().flatten().filter_map(Value::as_str);
        if !uris.any(|uri| uri.eq_ignore_ascii_case(SCHEMA)) {
            return Err(ScimError::syntax(format!("'schemas' must have {SCHEMA}.")));
        }
    }
    let Some(Value::Array(operations)) = member(body, "Operations") else {
        return Err(ScimError::syntax("'Operations' must be an array of operations."));
    };
    if operations.is_empty() {
        return Err(ScimError::syntax("'Operations' must have an operation."));
    }
    if operations.len() > MOST {
        return Err(ScimError::new(
            413,
            format!("A PATCH has at most {MOST} operations."),
        ));
    }
    operations
        .iter()
        .map(|operation| match operation {
            Value::Object(operation) => Operation::read(operation, resource_type, profile),
            _ => Err(ScimError::syntax("An operation must be a JSON object.")),
        })
        .collect()
}

impl Operation {
    fn read(
        operation: &Map<String, Value>,
        resource_type: &'static ResourceType,
        profile: Profile,
    ) -> Result<Self, ScimError> {
        let op = member(operation, "op")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let spelling = match profile {
            Profile::WorkOs => op.to_ascii_lowercase(),
            Profile::Rfc7644 => op.to_owned(),
        };
        let op = match spelling.as_str() {
            "add" => Op::Add,
            "remove" => Op::Remove,
            "replace" => Op::Replace,
            _ => return Err(ScimError::syntax("'op' must be add, remove or replace.")),
        };
        let path = match member(operation, "path") {
            None | Some(Value::Null) => None,
            Some(Value::String(path)) if path.is_empty() && profile == Profile::WorkOs => None,
            Some(Value::String(path)) => Some(PatchPath::parse(path, resource_type)?),
            Some(_) => return Err(ScimError::path("'path' must be a string.")),
        };
        let value = member(operation, "value").cloned();
        match op {
            Op::Remove if path.is_none() => {
                let detail = "'remove' needs a path.";
                return Err(ScimError::invalid(ScimType::NoTarget, detail));
            }
            Op::Add | Op::Replace if value.is_none() => {
                return Err(ScimError::value("'add' and 'replace' need a value."));
            }
            Op::Add | Op::Replace if path.is_none() && !matches!(value, Some(Value::Object(_))) => {
                return Err(ScimError::value("Without a path, the value must be an object."));
            }
            _ => {}
        }
        Ok(Self { op, path, value })
    }
}

/// What an operation without a path does: the same with each member's name as path.
pub(super) fn by_member(
    op: Op,
    value: &Map<String, Value>,
    resource_type: &'static ResourceType,
    profile: Profile,
) -> Result<Vec<(Op, PatchPath, Value)>, ScimError> {
    let mut parts = Vec::new();
    for (name, value) in value {
        let path = PatchPath::parse(name, resource_type)?;
        let is_known = match &path.target {
            Target::Extension(_) => true,
            Target::Attribute(target) => {
                let is_name = target.sub.is_none() && target.extension.is_none() && path.filter.is_none();
                if profile == Profile::Rfc7644 && !is_name {
                    return Err(ScimError::path(format!("'{name}' is no name of an attribute.")));
                }
                target.attribute(resource_type).is_some()
            }
        };
        if is_known || profile == Profile::WorkOs {
            parts.push((op, path, value.clone()));
        }
    }
    Ok(parts)
}
