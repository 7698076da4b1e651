//! What an operation does to a resource.

use serde_json::{Map, Value};

use super::{Op, Operation, by_member};
use crate::scim::{
    Profile,
    conform::{Reading, is_servers, is_unassigned},
    error::{ScimError, ScimType},
    filter::Filter,
    path::{AttributePath, Target, key_of},
    schema::{Attribute, Mutability, ResourceType, Type},
};

/// Changes `resource` by all of the operations; after a refusal it is half changed, and not to be kept.
pub(in crate::scim) fn apply(
    resource: &mut Map<String, Value>,
    operations: &[Operation],
    resource_type: &'static ResourceType,
    profile: Profile,
) -> Result<(), ScimError> {
    let mut patch = Patch {
        resource,
        resource_type,
        profile,
    };
    for operation in operations {
        match (&operation.path, &operation.value) {
            (Some(path), value) => {
                if let Target::Attribute(path) = &path.target {
                    patch.check_mutable(path)?;
                }
                let value = value.as_ref().unwrap_or(&Value::Null);
                patch.change(operation.op, &path.target, path.filter.as_ref(), value)?;
            }
            (None, Some(Value::Object(members))) => {
                for (op, path, value) in by_member(operation.op, members, resource_type, profile)? {
                    patch.change(op, &path.target, path.filter.as_ref(), &value)?;
                }
            }
            (None, _) => {}
        }
    }
    Ok(())
}

struct Patch<'r> {
    resource: &'r mut Map<String, Value>,
    resource_type: &'static ResourceType,
    profile: Profile,
}

fn no_target(what: &str) -> ScimError {
    ScimError::invalid(ScimType::NoTarget, format!("There is no such value of '{what}'."))
}

impl Patch<'_> {
    fn is_strict(&self) -> bool {
        self.profile == Profile::Rfc7644
    }

    fn reading(&self) -> Reading {
        Reading {
            profile: self.profile,
            patch: true,
        }
    }

    /// Refuses a path to what the server alone decides.
    fn check_mutable(&self, path: &AttributePath) -> Result<(), ScimError> {
        let read_only = |attribute: Option<&Attribute>| {
            attribute.is_some_and(|attribute| attribute.mutability == Mutability::ReadOnly)
        };
        let attribute = path.attribute(self.resource_type);
        if read_only(attribute) || self.is_strict() && read_only(path.leaf(self.resource_type)) {
            let detail = format!("'{}' is read-only.", path.name);
            return Err(ScimError::invalid(ScimType::Mutability, detail));
        }
        if self.is_strict() && path.leaf(self.resource_type).is_none() {
            return Err(ScimError::path(format!("No schema has '{}'.", path.name)));
        }
        Ok(())
    }

    fn change(
        &mut self,
        op: Op,
        target: &Target,
        filter: Option<&Filter>,
        value: &Value,
    ) -> Result<(), ScimError> {
        match target {
            Target::Extension(uri) => self.change_extension(op, uri, value),
            Target::Attribute(path) => self.change_attribute(op, path, filter, value),
        }
    }

    fn change_extension(&mut self, op: Op, uri: &str, value: &Value) -> Result<(), ScimError> {
        if op == Op::Remove || value.is_null() {
            if let Some(key) = key_of(self.resource, uri) {
                self.resource.remove(&key);
            }
            return Ok(());
        }
        let Value::Object(members) = value else {
            return Err(ScimError::value(format!("'{uri}' is expected object.")));
        };
        for (name, value) in members {
            let path = AttributePath {
                extension: Some(uri.to_owned()),
                name: name.clone(),
                sub: None,
            };
            if !self.is_strict() || path.attribute(self.resource_type).is_some() {
                self.change_attribute(op, &path, None, value)?;
            }
        }
        Ok(())
    }

    fn change_attribute(
        &mut self,
        op: Op,
        path: &AttributePath,
        filter: Option<&Filter>,
        value: &Value,
    ) -> Result<(), ScimError> {
        let attribute = path.attribute(self.resource_type);
        if attribute.is_some_and(is_servers) {
            return Ok(());
        }
        let reading = self.reading();
        let strict = self.is_strict();
        let container = match &path.extension {
            None => &mut *self.resource,
            Some(uri) => {
                let key = key_of(self.resource, uri).unwrap_or_else(|| uri.clone());
                match self
                    .resource
                    .entry(key)
                    .or_insert_with(|| Value::Object(Map::new()))
                {
                    Value::Object(members) => members,
                    _ => return Err(ScimError::path(format!("'{uri}' is no extension."))),
                }
            }
        };
        let spelling = attribute.map_or(path.name.as_str(), |attribute| attribute.name);
        let key = key_of(container, &path.name).unwrap_or_else(|| spelling.to_owned());
        let mut change = Change {
            reading,
            strict,
            attribute,
            name: spelling,
            current: container.remove(&key),
        };
        match (filter, &path.sub) {
            (Some(filter), sub) => change.some_values(op, filter, sub.as_deref(), value)?,
            (None, Some(sub)) => change.sub_attribute(op, sub, value)?,
            (None, None) => change.whole(op, value)?,
        }
        match change.current.filter(|value| !is_unassigned(value)) {
            Some(value) => {
                container.insert(key, value);
            }
            None if attribute.is_some_and(|attribute| attribute.required) => {
                let detail = format!("'{spelling}' is required");
                return Err(ScimError::invalid(ScimType::Mutability, detail));
            }
            None => {}
        }
        if let Some(uri) = &path.extension
            && let Some(key) = key_of(self.resource, uri)
            && self.resource.get(&key).is_some_and(is_unassigned)
        {
            self.resource.remove(&key);
        }
        Ok(())
    }
}

/// A change of one attribute.
struct Change<'n> {
    reading: Reading,
    strict: bool,
    attribute: Option<&'static Attribute>,
    name: &'n str,
    /// The attribute's value, taken out of the resource.
    current: Option<Value>,
}

impl Change<'_> {
    fn is_many(&self) -> bool {
        match self.attribute {
            Some(attribute) => attribute.multi_valued,
            None => matches!(self.current, Some(Value::Array(_))),
        }
    }

    fn read(&self, value: &Value) -> Result<Value, ScimError> {
        match self.attribute {
            Some(attribute) => self.reading.value(attribute, value, self.name),
            None => Ok(value.clone()),
        }
    }

    /// A value for a sub-attribute, and the name as the schema spells it.
    fn read_sub(&self, sub: &str, value: &Value) -> Result<(String, Value), ScimError> {
        let attribute = self.attribute.and_then(|attribute| attribute.sub_attribute(sub));
        match attribute {
            Some(attribute) => {
                let path = format!("{}.{}", self.name, attribute.name);
                let value = if value.is_null() {
                    Value::Null
                } else {
                    self.reading.value(attribute, value, &path)?
                };
                Ok((attribute.name.to_owned(), value))
            }
            None if self.strict => Err(ScimError::path(format!("'{}' has no '{sub}'.", self.name))),
            None => Ok((sub.to_owned(), value.clone())),
        }
    }

    fn whole(&mut self, op: Op, value: &Value) -> Result<(), ScimError> {
        if op == Op::Remove {
            // Entra ID's way to remove some values; the RFC's `remove` has no value.
            if !self.strict && self.is_many() && !is_unassigned(value) {
                self.remove_values(value);
            } else {
                self.current = None;
            }
            return Ok(());
        }
        if value.is_null() {
            if op == Op::Replace {
                self.current = None;
            }
            return Ok(());
        }
        let value = self.read(value)?;
        let current = self.current.take();
        self.current = Some(match (op, current, value) {
            (Op::Add, Some(Value::Array(mut items)), Value::Array(new)) => {
                add_values(&mut items, new);
                Value::Array(items)
            }
            (Op::Add, Some(Value::Array(mut items)), new) if self.attribute.is_none() => {
                add_values(&mut items, vec![new]);
                Value::Array(items)
            }
            // Sub-attributes that are not mentioned stay, be it `add` or `replace`.
            (_, Some(Value::Object(mut members)), Value::Object(new)) => {
                members.extend(new);
                Value::Object(members)
            }
            (_, _, value) => value,
        });
        Ok(())
    }

    /// Removes the values that are equal to one of `given`, or have its `value`.
    fn remove_values(&mut self, given: &Value) {
        let key = |value: &Value| value.get("value").unwrap_or(value).clone();
        let given: Vec<_> = match given {
            Value::Array(items) => items.iter().map(key).collect(),
            one => vec![key(one)],
        };
        if let Some(Value::Array(items)) = &mut self.current {
            items.retain(|item| !given.contains(&key(item)));
        }
    }

    fn sub_attribute(&mut self, op: Op, sub: &str, value: &Value) -> Result<(), ScimError> {
        if self
            .attribute
            .is_some_and(|attribute| attribute.kind != Type::Complex)
        {
            return Err(ScimError::path(format!("'{}' has no sub-attributes.", self.name)));
        }
        let (name, value) = self.read_sub(sub, value)?;
        let many = self.is_many();
        let current = self.current.get_or_insert_with(|| match many {
            true => Value::Array(Vec::new()),
            false => Value::Object(Map::new()),
        });
        match current {
            Value::Object(members) => set(members, op, &name, &value),
            Value::Array(items) => {
                if items.is_empty() && op != Op::Remove {
                    items.push(Value::Object(Map::new()));
                }
                for item in items.iter_mut().filter_map(Value::as_object_mut) {
                    set(item, op, &name, &value);
                }
            }
            _ => return Err(ScimError::path(format!("'{}' has no sub-attributes.", self.name))),
        }
        Ok(())
    }

    fn some_values(
        &mut self,
        op: Op,
        filter: &Filter,
        sub: Option<&str>,
        value: &Value,
    ) -> Result<(), ScimError> {
        if self.attribute.is_some_and(|attribute| !attribute.multi_valued) {
            return Err(ScimError::path(format!(
                "'{}' has one value: no filter.",
                self.name
            )));
        }
        let mut items = match self.current.take() {
            Some(Value::Array(items)) => items,
            Some(one) => vec![one],
            None => Vec::new(),
        };
        let matching: Vec<usize> = items
            .iter()
            .enumerate()
            .filter_map(|(at, item)| filter.matches_value(item, self.attribute).then_some(at))
            .collect();
        if op == Op::Remove {
            if matching.is_empty() && self.strict {
                return Err(no_target(self.name));
            }
            match sub {
                Some(sub) => {
                    let (name, _) = self.read_sub(sub, &Value::Null)?;
                    for at in matching {
                        if let Some(members) = items[at].as_object_mut() {
                            members.remove(&name);
                        }
                    }
                }
                None => {
                    let mut at = 0..;
                    items.retain(|_| !at.next().is_some_and(|at| matching.contains(&at)));
                }
            }
            self.current = Some(Value::Array(items));
            return Ok(());
        }
        let change = self.members(sub, value)?;
        let mut primary = None;
        if matching.is_empty() {
            if op == Op::Replace && self.strict {
                return Err(no_target(self.name));
            }
            let mut new = self.value_of(filter)?;
            new.extend(change);
            primary = is_primary(&new).then_some(items.len());
            items.push(Value::Object(new));
        } else {
            for at in matching {
                let Some(members) = items[at].as_object_mut() else {
                    continue;
                };
                // The RFC replaces the whole value where no sub-attribute is named.
                if op == Op::Replace && sub.is_none() {
                    members.clear();
                }
                for (name, value) in &change {
                    set(members, op, name, value);
                }
                if is_primary(&change) {
                    primary = Some(at);
                }
            }
        }
        only_primary(&mut items, primary);
        self.current = Some(Value::Array(items));
        Ok(())
    }

    /// The members that a change with a filter sets.
    fn members(&self, sub: Option<&str>, value: &Value) -> Result<Map<String, Value>, ScimError> {
        if let Some(sub) = sub {
            return Ok(Map::from_iter([self.read_sub(sub, value)?]));
        }
        let value = match self.attribute {
            Some(attribute) => self.reading.one(attribute, value, self.name)?,
            None => value.clone(),
        };
        match value {
            Value::Object(members) => Ok(members),
            _ => Err(ScimError::value(format!("'{}' is expected object.", self.name))),
        }
    }

    /// A new value that meets the filter.
    fn value_of(&self, filter: &Filter) -> Result<Map<String, Value>, ScimError> {
        let equalities = filter.equalities().ok_or_else(|| no_target(self.name))?;
        equalities
            .into_iter()
            .map(|(name, value)| self.read_sub(name, value))
            .collect()
    }
}

fn set(members: &mut Map<String, Value>, op: Op, name: &str, value: &Value) {
    let key = key_of(members, name).unwrap_or_else(|| name.to_owned());
    if op == Op::Remove || is_unassigned(value) {
        members.remove(&key);
    } else {
        members.insert(key, value.clone());
    }
}

fn is_primary(members: &Map<String, Value>) -> bool {
    members.get("primary") == Some(&Value::Bool(true))
}

/// A new primary value takes the place of the old one (RFC 7644 section 3.5.2).
fn only_primary(items: &mut [Value], primary: Option<usize>) {
    let Some(primary) = primary else { return };
    for (at, item) in items.iter_mut().enumerate() {
        if at != primary
            && let Some(members) = item.as_object_mut()
            && is_primary(members)
        {
            members.insert("primary".to_owned(), Value::Bool(false));
        }
    }
}

/// Adds the values that are not there yet.
fn add_values(items: &mut Vec<Value>, new: Vec<Value>) {
    for value in new {
        if items.contains(&value) {
            continue;
        }
        let primary = value.as_object().is_some_and(is_primary).then_some(items.len());
        items.push(value);
        only_primary(items, primary);
    }
}
