//! How directory users come, change and go, each with its event.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    super::{
        DirectoryError,
        directories::{self, Directory, DirectoryCounts},
        groups,
        members::{self, DirectoryGroupMember},
        previous, provisioning,
        settings::{InactiveUsers, ScimProfile},
    },
    BY_DIRECTORY, BY_EMAIL, BY_USER, BY_USERNAME, DirectoryUser, Standing, UserState, attributes, find,
};
use crate::{
    server::error::ApiError,
    store::{State, Transaction, group},
};

/// A directory user to be made.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewDirectoryUser {
    /// Only a seed, or an import, gives an id.
    pub(crate) id: Option<String>,
    pub(crate) idp_id: String,
    /// The SCIM resource, without `id`, `meta`, `schemas` and `groups`.
    pub(crate) attributes: Map<String, Value>,
    /// Members of `custom_attributes` that are not mapped.
    pub(crate) given_attributes: Map<String, Value>,
    /// A state that SCIM has no word for.
    pub(crate) suspended: bool,
}

/// What is to become of a directory user.
#[derive(Debug, Default)]
pub(crate) struct UserChanges {
    /// All of them, as in [`NewDirectoryUser`].
    pub(crate) attributes: Map<String, Value>,
    pub(crate) given_attributes: Option<Map<String, Value>>,
    pub(crate) state: Option<UserState>,
}

/// Adds a user to a directory.
///
/// One without an e-mail address is refused and kept all the same, hidden from applications: see [`transact`]. Being sent
/// again, with an address, it comes to light.
///
/// [`transact`]: super::super::error::transact
pub(crate) fn create(
    tx: &mut Transaction<'_>,
    directory: &Directory,
    new: NewDirectoryUser,
) -> Result<Arc<DirectoryUser>, DirectoryError> {
    // As it is in this transaction: it may have changed since the caller saw it, or be gone.
    let directory = &Arc::clone(directories::find(tx, &directory.id)?);
    let strict = is_strict(tx);
    let checked = check(tx, new.attributes)?;
    let hidden = same_username(tx, directory, &checked).map(|user| (user.standing, user.id.clone()));
    match hidden {
        Some((Standing::Validating, id)) => return replace(tx, &id, checked.attributes),
        Some(_) => return Err(DirectoryError::UserNameTaken(checked.username)),
        None => {}
    }
    if strict && !checked.active && standing(tx, UserState::Inactive) == Standing::Retained {
        return Err(DirectoryError::CreatedInactive);
    }
    check_email(tx, directory, None, &checked)?;
    let state = match (checked.active, new.suspended) {
        (false, _) => UserState::Inactive,
        (true, true) => UserState::Suspended,
        (true, false) => UserState::Active,
    };
    let user = DirectoryUser {
        id: new.id.unwrap_or_else(|| tx.id("directory_user")),
        directory_id: directory.id.clone(),
        organization_id: directory.organization_id.clone(),
        idp_id: new.idp_id,
        email: attributes::primary_email(&checked.attributes),
        attributes: checked.attributes,
        state,
        standing: if checked.has_email {
            standing(tx, state)
        } else {
            Standing::Validating
        },
        given_attributes: new.given_attributes,
        user_id: None,
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    let user = put(tx, directory, None, user)?;
    if user.standing == Standing::Validating {
        return Err(DirectoryError::EmailsMissing);
    }
    Ok(user)
}

/// Puts other attributes in the place of a user's, as a provider does. What changes nothing has no event.
///
/// A user who turns inactive is deleted for applications, unless the environment keeps inactive users; the user who turns
/// active again is created for them. Assumption: with the same id, which is that of the SCIM resource.
pub(crate) fn replace(
    tx: &mut Transaction<'_>,
    id: &str,
    attributes: Map<String, Value>,
) -> Result<Arc<DirectoryUser>, DirectoryError> {
    let changes = UserChanges {
        attributes,
        ..UserChanges::default()
    };
    update(tx, id, changes)
}

/// Changes a user. A state that is given goes before the attribute `active`, which then follows it.
pub(crate) fn update(
    tx: &mut Transaction<'_>,
    id: &str,
    mut changes: UserChanges,
) -> Result<Arc<DirectoryUser>, DirectoryError> {
    let before = Arc::clone(find(tx, id)?);
    let directory = Arc::clone(directories::find(tx, &before.directory_id)?);
    if let Some(state) = changes.state {
        let active = state != UserState::Inactive;
        changes.attributes.insert("active".to_owned(), active.into());
    }
    let checked = check(tx, changes.attributes)?;
    if !checked.has_email {
        return Err(DirectoryError::EmailsMissing);
    }
    if same_username(tx, &directory, &checked).is_some_and(|other| other.id != id) {
        return Err(DirectoryError::UserNameTaken(checked.username));
    }
    check_email(tx, &directory, Some(id), &checked)?;
    let state = match (checked.active, before.state) {
        (false, _) => UserState::Inactive,
        // SCIM has no word for it: only who suspended can tell otherwise.
        (true, UserState::Suspended) => UserState::Suspended,
        (true, _) => UserState::Active,
    };
    let state = changes.state.unwrap_or(state);
    // Assumption: a provider that names its own id later only, as Entra does by a PATCH, is believed.
    let external_id = attributes::text(&checked.attributes, "externalId").filter(|id| !id.trim().is_empty());
    let mut user = DirectoryUser {
        idp_id: external_id.unwrap_or(&before.idp_id).to_owned(),
        email: attributes::primary_email(&checked.attributes),
        attributes: checked.attributes,
        state,
        standing: standing(tx, state),
        ..DirectoryUser::clone(&before)
    };
    if let Some(given) = changes.given_attributes {
        user.given_attributes = given;
    }
    if user == *before {
        return Ok(before);
    }
    user.version += 1;
    user.updated_at = tx.now();
    put(tx, &directory, Some(&before), user)
}

/// Where a user of this state stands.
fn standing(state: &State, of: UserState) -> Standing {
    let keeps_inactive = state.settings().directory_sync.inactive_users == InactiveUsers::Keep;
    match of {
        UserState::Inactive if !keeps_inactive => Standing::Retained,
        _ => Standing::Listed,
    }
}

/// Deletes a user, who leaves every group. Assumption: `dsync.user.deleted` says it all, as `dsync.group.deleted` does.
pub(crate) fn delete(tx: &mut Transaction<'_>, id: &str) -> Result<(), DirectoryError> {
    let user = Arc::clone(find(tx, id)?);
    let directory = Arc::clone(directories::find(tx, &user.directory_id)?);
    let data = shown(tx, &directory, &user)?;
    let groups: Vec<_> = members::groups_of(tx, id).map(str::to_owned).collect();
    for group_id in groups {
        tx.delete::<DirectoryGroupMember>(&members::member_id(&group_id, id));
        groups::touch(tx, &group_id)?;
    }
    tx.delete::<DirectoryUser>(id);
    count(tx, &directory, Some(&user), None)?;
    if let Some(data) = data {
        tx.emit("dsync.user.deleted", &data)?;
    }
    provisioning::follow(tx, &directory, Some(&user), None)
}

/// Drops up to `most` users of a deleted directory, without events, after its groups. How many it were.
pub(crate) fn forget(tx: &mut Transaction<'_>, directory_id: &str, most: usize) -> usize {
    let users = tx.directory_users.group(BY_DIRECTORY, directory_id);
    let ids: Vec<_> = users.take(most).map(|user| user.id.clone()).collect();
    for id in &ids {
        tx.delete::<DirectoryUser>(id);
    }
    ids.len()
}

/// What can be told of attributes by themselves.
struct Checked {
    attributes: Map<String, Value>,
    username: String,
    active: bool,
    has_email: bool,
}

/// Whether WorkOS's own rules count.
fn is_strict(state: &State) -> bool {
    state.settings().scim_profile == ScimProfile::WorkOs
}

fn check(state: &State, mut attributes: Map<String, Value>) -> Result<Checked, DirectoryError> {
    let username = attributes::text(&attributes, "userName").ok_or(DirectoryError::UserNameRequired)?;
    let username = username.to_owned();
    let active = attributes::active(&attributes).ok_or(DirectoryError::ActiveNotBoolean)?;
    let has_email = !is_strict(state) || attributes::fill_in_email(&mut attributes);
    Ok(Checked {
        attributes,
        username,
        active,
        has_email,
    })
}

fn same_username<'a>(
    state: &'a State,
    directory: &Directory,
    checked: &Checked,
) -> Option<&'a Arc<DirectoryUser>> {
    let key = group(&[&directory.id, &checked.username.to_lowercase()]);
    state.directory_users.find(BY_USERNAME, &key)
}

/// Refuses an active user with the primary address of another active one.
fn check_email(
    state: &State,
    directory: &Directory,
    own: Option<&str>,
    checked: &Checked,
) -> Result<(), DirectoryError> {
    let Some(email) = attributes::primary_email(&checked.attributes) else {
        return Ok(());
    };
    if !is_strict(state) || !checked.active {
        return Ok(());
    }
    let key = group(&[&directory.id, &email]);
    let taken = state
        .directory_users
        .group(BY_EMAIL, &key)
        .any(|other| other.state == UserState::Active && other.is_listed() && Some(other.id.as_str()) != own);
    if taken {
        return Err(DirectoryError::EmailTaken(email));
    }
    Ok(())
}

/// The user as events show it, where applications see it.
pub(super) fn shown(
    state: &State,
    directory: &Directory,
    user: &DirectoryUser,
) -> Result<Option<Value>, ApiError> {
    let body = user
        .is_listed()
        .then(|| serde_json::to_value(user.body(state, directory)));
    body.transpose()
        .map_err(|error| ApiError::message(500, error.to_string()))
}

/// Keeps a user, and tells applications of it: as new, as changed, or as gone.
fn put(
    tx: &mut Transaction<'_>,
    directory: &Directory,
    before: Option<&DirectoryUser>,
    user: DirectoryUser,
) -> Result<Arc<DirectoryUser>, DirectoryError> {
    let shown_before = match before {
        Some(before) => shown(tx, directory, before)?,
        None => None,
    };
    let user = tx.put(user)?;
    count(tx, directory, before, Some(&user))?;
    match (shown_before, shown(tx, directory, &user)?) {
        (None, Some(created)) => {
            tx.emit("dsync.user.created", &created)?;
            if before.is_some() {
                list_in_groups(tx, &user)?;
            }
        }
        (Some(deleted), None) => {
            tx.emit("dsync.user.deleted", &deleted)?;
            list_in_groups(tx, &user)?;
        }
        (Some(before), Some(after)) => {
            if let Some(updated) = previous::updated(&before, after) {
                tx.emit("dsync.user.updated", &updated)?;
            }
        }
        (None, None) => {}
    }
    provisioning::follow(tx, directory, before, Some(&user))?;
    Ok(user)
}

/// Lets a user come to light in its groups, with the event of each, or hides it there.
fn list_in_groups(tx: &mut Transaction<'_>, user: &DirectoryUser) -> Result<(), DirectoryError> {
    let groups: Vec<_> = members::groups_of(tx, &user.id).map(str::to_owned).collect();
    for group_id in groups {
        let id = members::member_id(&group_id, &user.id);
        let Some(member) = tx.directory_group_members.get(&id) else {
            continue;
        };
        let member = DirectoryGroupMember {
            listed: user.is_listed(),
            ..DirectoryGroupMember::clone(member)
        };
        tx.put(member)?;
        if user.is_listed() {
            groups::emit_member(tx, "dsync.group.user_added", &group_id, &user.id)?;
        }
    }
    Ok(())
}

/// Counts a user that came, changed or went.
fn count(
    tx: &mut Transaction<'_>,
    directory: &Directory,
    before: Option<&DirectoryUser>,
    after: Option<&DirectoryUser>,
) -> Result<(), ApiError> {
    fn counter<'a>(counts: &'a mut DirectoryCounts, user: &DirectoryUser) -> &'a mut u64 {
        match (user.standing, user.state) {
            (Standing::Listed, UserState::Inactive) => &mut counts.inactive,
            (Standing::Listed, _) => &mut counts.active,
            (Standing::Validating | Standing::Retained, _) => &mut counts.hidden,
        }
    }
    let present = directories::counts(tx, &directory.id);
    let mut counts = present.clone();
    if let Some(before) = before {
        let counter = counter(&mut counts, before);
        *counter = counter.saturating_sub(1);
    }
    if let Some(after) = after {
        *counter(&mut counts, after) += 1;
    }
    if counts != present {
        tx.put(counts)?;
    }
    Ok(())
}

/// Takes the link to an AuthKit user that is being deleted from its directory users, which stay.
pub(crate) fn unlink_user(tx: &mut Transaction<'_>, user_id: &str) -> Result<(), ApiError> {
    let linked: Vec<_> = tx.directory_users.group(BY_USER, user_id).cloned().collect();
    for user in linked {
        tx.put(DirectoryUser {
            user_id: None,
            ..DirectoryUser::clone(&user)
        })?;
    }
    Ok(())
}
