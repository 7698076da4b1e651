//! Directories, people and groups in plain words, as the control API, a seed and a test describe them, and the SCIM
//! attributes that they stand for.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    DirectoryError,
    directories::{self, Directory, NewDirectory},
    groups::{self, DirectoryGroup, NewDirectoryGroup},
    members, tokens,
    users::{self, DirectoryUser, NewDirectoryUser, UserChanges, UserState, attributes},
};
use crate::{
    core::secret::Secret,
    server::{body::Patch, error::ApiError},
    store::{Transaction, group},
};

/// A person in a directory.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Person {
    /// Only a seed gives an id.
    pub(crate) id: Option<String>,
    pub(crate) email: String,
    pub(crate) first_name: Option<String>,
    pub(crate) last_name: Option<String>,
    /// Default: the username.
    pub(crate) idp_id: Option<String>,
    /// Default: the e-mail address.
    pub(crate) username: Option<String>,
    pub(crate) job_title: Option<String>,
    pub(crate) state: UserState,
    /// Names of groups. Those that are not there yet are made.
    pub(crate) groups: Vec<String>,
    /// Members of `custom_attributes` as they are, without a mapping.
    pub(crate) custom_attributes: Map<String, Value>,
    /// More SCIM attributes.
    pub(crate) raw_attributes: Map<String, Value>,
}

/// What is to become of a person. What is left out stays.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PersonChanges {
    pub(crate) email: Option<String>,
    pub(crate) first_name: Patch<String>,
    pub(crate) last_name: Patch<String>,
    pub(crate) username: Option<String>,
    pub(crate) job_title: Patch<String>,
    pub(crate) state: Option<UserState>,
    /// All groups that the person is in from now on, by name.
    pub(crate) groups: Option<Vec<String>>,
    /// Merged into what is there; null takes a member away.
    pub(crate) custom_attributes: Map<String, Value>,
    /// Merged into the SCIM attributes; null takes one away.
    pub(crate) raw_attributes: Map<String, Value>,
}

/// A group of a directory: its name, or more of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum NamedGroup {
    Name(String),
    Group(PlainGroup),
}

/// A group of a directory.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlainGroup {
    pub(crate) name: String,
    /// Default: the name.
    #[serde(default)]
    pub(crate) idp_id: Option<String>,
    /// The slug of the role that its members have.
    #[serde(default)]
    pub(crate) role: Option<String>,
}

impl NamedGroup {
    pub(crate) fn group(self) -> PlainGroup {
        match self {
            Self::Group(group) => group,
            Self::Name(name) => PlainGroup {
                name,
                ..PlainGroup::default()
            },
        }
    }
}

/// A directory to be made and filled.
#[derive(Debug, Default)]
pub(crate) struct FilledDirectory {
    pub(crate) directory: NewDirectory,
    /// A bearer token that is known beforehand.
    pub(crate) bearer_token: Option<Secret>,
    pub(crate) groups: Vec<PlainGroup>,
    pub(crate) users: Vec<Person>,
}

/// Makes a directory and fills it as a first synchronization does: the users come first, then the groups, then who is in
/// which.
///
/// Source of the order: <https://workos.com/docs/directory-sync/understanding-events>.
pub(crate) fn create_filled(
    tx: &mut Transaction<'_>,
    new: FilledDirectory,
) -> Result<(Arc<Directory>, Secret), DirectoryError> {
    let directory = directories::create(tx, new.directory)?;
    let token = new.bearer_token.as_ref().map(Secret::expose);
    let (_, token) = tokens::create(tx, &directory, token)?;
    let mut joining = Vec::new();
    for person in new.users {
        let groups = person.groups.clone();
        let user = create_person(tx, &directory, person)?;
        joining.push((user, groups));
    }
    for group in new.groups {
        create_group(tx, &directory, group)?;
    }
    for (user, names) in joining {
        for name in names {
            join(tx, &directory, &user.id, &name)?;
        }
    }
    Ok((directory, token))
}

/// Adds a person to a directory, and then to their groups.
pub(crate) fn add_person(
    tx: &mut Transaction<'_>,
    directory: &Directory,
    person: Person,
) -> Result<Arc<DirectoryUser>, DirectoryError> {
    let names = person.groups.clone();
    let user = create_person(tx, directory, person)?;
    for name in names {
        join(tx, directory, &user.id, &name)?;
    }
    Ok(Arc::clone(users::find(tx, &user.id)?))
}

fn create_person(
    tx: &mut Transaction<'_>,
    directory: &Directory,
    person: Person,
) -> Result<Arc<DirectoryUser>, DirectoryError> {
    check_email(&person.email)?;
    let mut scim = person.raw_attributes;
    let username = person.username.as_ref().unwrap_or(&person.email).clone();
    let given = [
        ("userName", Some(username.as_str())),
        ("title", person.job_title.as_deref()),
        ("externalId", person.idp_id.as_deref()),
    ];
    for (name, value) in given {
        if let Some(value) = value {
            scim.insert(name.to_owned(), value.into());
        }
    }
    set_name(&mut scim, "givenName", person.first_name);
    set_name(&mut scim, "familyName", person.last_name);
    set_email(&mut scim, &person.email);
    scim.insert("active".to_owned(), (person.state != UserState::Inactive).into());
    let new = NewDirectoryUser {
        id: person.id,
        idp_id: person.idp_id.unwrap_or(username),
        attributes: scim,
        given_attributes: person.custom_attributes,
        suspended: person.state == UserState::Suspended,
    };
    users::create(tx, directory, new)
}

/// Changes a person, with one event, and then the groups.
pub(crate) fn change_person(
    tx: &mut Transaction<'_>,
    id: &str,
    changes: PersonChanges,
) -> Result<Arc<DirectoryUser>, DirectoryError> {
    let before = Arc::clone(users::find(tx, id)?);
    let mut scim = before.attributes.clone();
    let mut given = before.given_attributes.clone();
    merge(&mut scim, changes.raw_attributes);
    merge(&mut given, changes.custom_attributes);
    if let Some(email) = &changes.email {
        check_email(email)?;
        set_email(&mut scim, email);
    }
    if let Some(username) = changes.username {
        scim.insert("userName".to_owned(), username.into());
    }
    for (name, change) in [
        ("givenName", changes.first_name),
        ("familyName", changes.last_name),
    ] {
        match change {
            Patch::Keep => {}
            Patch::Clear => set_name(&mut scim, name, Some(String::new())),
            Patch::Set(value) => set_name(&mut scim, name, Some(value)),
        }
    }
    match changes.job_title {
        Patch::Keep => {}
        Patch::Clear => drop(scim.remove("title")),
        Patch::Set(title) => drop(scim.insert("title".to_owned(), title.into())),
    }
    let update = UserChanges {
        attributes: scim,
        given_attributes: Some(given),
        state: changes.state,
    };
    users::update(tx, id, update)?;
    if let Some(names) = changes.groups {
        set_groups(tx, &before.directory_id, id, &names)?;
    }
    Ok(Arc::clone(users::find(tx, id)?))
}

/// Adds a group to a directory.
pub(crate) fn create_group(
    tx: &mut Transaction<'_>,
    directory: &Directory,
    group: PlainGroup,
) -> Result<Arc<DirectoryGroup>, DirectoryError> {
    let mut scim = Map::new();
    scim.insert("displayName".to_owned(), group.name.as_str().into());
    if let Some(idp_id) = &group.idp_id {
        scim.insert("externalId".to_owned(), idp_id.as_str().into());
    }
    let new = NewDirectoryGroup {
        idp_id: group.idp_id,
        name: group.name,
        attributes: scim,
        role: group.role,
        ..NewDirectoryGroup::default()
    };
    groups::create(tx, directory, new)
}

/// The first group of a directory with this name.
fn group_named(tx: &Transaction<'_>, directory_id: &str, name: &str) -> Option<String> {
    let key = group(&[directory_id, &name.to_lowercase()]);
    let found = tx.directory_groups.find(groups::BY_NAME, &key)?;
    Some(found.id.clone())
}

/// Puts a user into the group of this name, which is made where there is none.
fn join(
    tx: &mut Transaction<'_>,
    directory: &Directory,
    user_id: &str,
    name: &str,
) -> Result<(), DirectoryError> {
    let group_id = match group_named(tx, &directory.id, name) {
        Some(id) => id,
        None => create_group(tx, directory, NamedGroup::Name(name.to_owned()).group())?
            .id
            .clone(),
    };
    groups::add_member(tx, &group_id, user_id)
}

/// Makes the groups of these names those of a user, and no others: what is left comes first.
fn set_groups(
    tx: &mut Transaction<'_>,
    directory_id: &str,
    user_id: &str,
    names: &[String],
) -> Result<(), DirectoryError> {
    let directory = Arc::clone(directories::find(tx, directory_id)?);
    let wanted: Vec<_> = names
        .iter()
        .filter_map(|name| group_named(tx, directory_id, name))
        .collect();
    let surplus: Vec<_> = members::groups_of(tx, user_id)
        .filter(|id| !wanted.iter().any(|wanted| wanted == id))
        .map(str::to_owned)
        .collect();
    for group_id in surplus {
        groups::remove_member(tx, &group_id, user_id)?;
    }
    names
        .iter()
        .try_for_each(|name| join(tx, &directory, user_id, name))
}

fn check_email(email: &str) -> Result<(), ApiError> {
    let known = attributes::primary_email(&Map::from_iter([(
        "emails".to_owned(),
        json!([{"value": email}]),
    )]));
    if known.is_some() {
        return Ok(());
    }
    Err(ApiError::invalid_field(
        "email",
        "invalid_email",
        "email must be an e-mail address.",
    ))
}

fn set_name(scim: &mut Map<String, Value>, part: &str, value: Option<String>) {
    let Some(value) = value else {
        return;
    };
    let name = scim.entry("name").or_insert_with(|| json!({}));
    if let Some(name) = name.as_object_mut() {
        // Made of the parts, as it was.
        name.remove("formatted");
        name.insert(part.to_owned(), value.into());
    }
}

/// Makes an address the only primary one.
fn set_email(scim: &mut Map<String, Value>, email: &str) {
    let others = scim.get("emails").and_then(Value::as_array).cloned();
    let others = others.into_iter().flatten().filter(|other| {
        let is_primary = other.get("primary").and_then(Value::as_bool).unwrap_or_default();
        !is_primary && other.get("value").and_then(Value::as_str) != Some(email)
    });
    let primary = json!({"primary": true, "type": "work", "value": email});
    let emails: Vec<_> = std::iter::once(primary).chain(others).collect();
    scim.insert("emails".to_owned(), emails.into());
}

/// Merges `changes` into an object; null takes a member away.
fn merge(into: &mut Map<String, Value>, changes: Map<String, Value>) {
    for (name, value) in changes {
        if value.is_null() {
            into.remove(&name);
        } else {
            into.insert(name, value);
        }
    }
}
