//! Changes of a group's members. They go by rows of their own, so that one member more costs the same in a large group.

use serde_json::{Map, Value, json};

use super::{
    Profile,
    error::{ScimError, ScimType},
    filter::Filter,
    patch::{Op, Operation, PatchPath},
    path::{Target, key_of, member},
    request::profile,
    schema,
};
use crate::{
    api::directory_sync::{DirectoryError, directories::Directory, groups, members, users::DirectoryUser},
    store::{State, Transaction},
};

/// One change of the members.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Change {
    Add(Vec<String>),
    Remove(Vec<String>),
    Set(Vec<String>),
    RemoveMatching(Filter),
}

/// The ids in `[{"value": …}]`; WorkOS's profile takes bare ids as well.
pub(super) fn ids(given: &Value, profile: Profile) -> Result<Vec<String>, ScimError> {
    let items = match given {
        Value::Null => &[],
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    items
        .iter()
        .map(|item| {
            let id = match item {
                Value::Object(item) => member(item, "value"),
                bare => Some(bare).filter(|_| profile == Profile::WorkOs),
            };
            let id = id.and_then(Value::as_str).filter(|id| !id.is_empty());
            id.map(str::to_owned)
                .ok_or_else(|| ScimError::syntax("'members.value' is expected string"))
        })
        .collect()
}

fn of_directory<'a>(state: &'a State, directory: &Directory, id: &str) -> Option<&'a DirectoryUser> {
    let user = state.directory_users.get(id)?;
    (user.directory_id == directory.id).then_some(&**user)
}

/// Refuses members that are not in the directory. WorkOS leaves them out without a word.
pub(super) fn check(state: &State, directory: &Directory, ids: &[String]) -> Result<(), ScimError> {
    if profile(state) == Profile::WorkOs {
        return Ok(());
    }
    match ids.iter().find(|id| of_directory(state, directory, id).is_none()) {
        Some(id) => Err(ScimError::value(format!("There is no user '{id}'."))),
        None => Ok(()),
    }
}

/// Takes the changes of members out of a PATCH; what is left is about the group itself.
pub(super) fn changes(
    operations: Vec<Operation>,
    profile: Profile,
) -> Result<(Vec<Change>, Vec<Operation>), ScimError> {
    let (mut changes, mut others) = (Vec::new(), Vec::new());
    for mut operation in operations {
        match &operation.path {
            Some(PatchPath {
                target: Target::Attribute(path),
                filter,
            }) if path.extension.is_none() && path.name.eq_ignore_ascii_case("members") => {
                if path.sub.is_some() || filter.is_some() && operation.op != Op::Remove {
                    let detail = "A member is added or removed, not changed.";
                    return Err(ScimError::invalid(ScimType::Mutability, detail));
                }
                let value = operation.value.as_ref().unwrap_or(&Value::Null);
                changes.push(change(operation.op, filter.as_ref(), value, profile)?);
            }
            Some(_) => others.push(operation),
            None => {
                if let Some(Value::Object(value)) = &mut operation.value
                    && let Some(key) = key_of(value, "members")
                {
                    let members = value.remove(&key).unwrap_or_default();
                    changes.push(change(operation.op, None, &members, profile)?);
                }
                others.push(operation);
            }
        }
    }
    Ok((changes, others))
}

fn change(op: Op, filter: Option<&Filter>, value: &Value, profile: Profile) -> Result<Change, ScimError> {
    let has_values = value.as_array().is_none_or(|values| !values.is_empty()) && !value.is_null();
    Ok(match (op, filter) {
        (Op::Add, _) => Change::Add(ids(value, profile)?),
        (Op::Replace, _) => Change::Set(ids(value, profile)?),
        (Op::Remove, Some(filter)) => match filter {
            Filter::Compare { .. } if !filter.equal_values().is_empty() => {
                Change::Remove(filter.equal_values().into_iter().map(str::to_owned).collect())
            }
            filter => Change::RemoveMatching(filter.clone()),
        },
        // Entra ID's way; the RFC's `remove` has no value, and without a filter it removes all.
        (Op::Remove, None) if profile == Profile::WorkOs && has_values => {
            Change::Remove(ids(value, profile)?)
        }
        (Op::Remove, None) => Change::Set(Vec::new()),
    })
}

/// Changes the members of a group.
pub(super) fn apply(
    tx: &mut Transaction<'_>,
    directory: &Directory,
    group_id: &str,
    change: &Change,
) -> Result<(), DirectoryError> {
    let strict = profile(tx) == Profile::Rfc7644;
    let no_target = || ScimError::invalid(ScimType::NoTarget, "There is no such member.");
    match change {
        Change::Add(ids) => {
            check(tx, directory, ids)?;
            ids.iter().try_for_each(|id| groups::add_member(tx, group_id, id))
        }
        Change::Set(ids) => {
            check(tx, directory, ids)?;
            groups::set_members(tx, group_id, ids)
        }
        Change::Remove(ids) => {
            if strict && !ids.iter().any(|id| members::is_member(tx, group_id, id)) {
                return Err(no_target().into());
            }
            ids.iter()
                .try_for_each(|id| groups::remove_member(tx, group_id, id))
        }
        Change::RemoveMatching(filter) => {
            let attribute = schema::GROUP.attribute("members");
            let matching: Vec<String> = members::of_group(tx, group_id)
                .filter(|id| filter.matches_value(&shown(tx, id), attribute))
                .map(str::to_owned)
                .collect();
            if strict && matching.is_empty() {
                return Err(no_target().into());
            }
            let mut ids = matching.iter();
            ids.try_for_each(|id| groups::remove_member(tx, group_id, id))
        }
    }
}

/// A member, as far as filters may ask.
fn shown(state: &State, id: &str) -> Value {
    let mut member = Map::from_iter([
        ("value".to_owned(), json!(id)),
        ("type".to_owned(), json!("User")),
    ]);
    let user = state.directory_users.get(id);
    if let Some(name) = user.and_then(|user| user.username()) {
        member.insert("display".to_owned(), name.into());
    }
    Value::Object(member)
}
