//! `/_emulate/directories`: what an identity provider does to a directory, and the dashboard.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    api::directory_sync::{
        directories::{
            self, DirectoryBody, DirectoryChanges, DirectoryState, DirectoryType, GroupRole, NewDirectory,
        },
        groups,
        plain::{self, FilledDirectory, NamedGroup, Person, PersonChanges, PlainGroup},
        tokens,
        users::{self, DirectoryUser},
    },
    core::secret::Secret,
    server::{body::Patch, call::Call, error::ApiError, reply::Reply},
};

/// Where and with what the identity provider pushes: shown once.
#[derive(Debug, Serialize)]
struct Scim {
    base_url: String,
    bearer_token: String,
}

#[derive(Debug, Serialize)]
struct Created<'a> {
    #[serde(flatten)]
    directory: DirectoryBody<'a>,
    scim: Scim,
}

/// `POST /_emulate/directories`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateDirectory {
    organization_id: String,
    name: String,
    #[serde(default)]
    r#type: DirectoryType,
    #[serde(default)]
    state: DirectoryState,
    domain: Option<String>,
    external_key: Option<String>,
    bearer_token: Option<Secret>,
    /// Roles of groups that are not there yet.
    #[serde(default)]
    group_roles: Vec<GroupRole>,
    #[serde(default)]
    groups: Vec<NamedGroup>,
    #[serde(default)]
    users: Vec<Person>,
}

/// `PATCH /_emulate/directories/{id}`: what is left out stays as it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdateDirectory {
    name: Option<String>,
    r#type: Option<DirectoryType>,
    state: Option<DirectoryState>,
    #[serde(default)]
    domain: Patch<String>,
    group_roles: Option<Vec<GroupRole>>,
    /// In the place of those that it has, which are revoked.
    bearer_token: Option<Secret>,
}

/// `PATCH /_emulate/directory_groups/{id}`: what is left out stays as it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdateGroup {
    name: Option<String>,
    #[serde(default)]
    role: Patch<String>,
}

/// `POST /_emulate/directories`: a directory, filled, with the events of a first synchronization.
pub(super) fn create_directory(call: &Call) -> Result<Reply, ApiError> {
    let body: CreateDirectory = call.body()?;
    let new = FilledDirectory {
        directory: NewDirectory {
            id: None,
            organization_id: body.organization_id,
            name: body.name,
            domain: body.domain,
            r#type: body.r#type,
            state: body.state,
            external_key: body.external_key,
            group_roles: body.group_roles,
        },
        bearer_token: body.bearer_token,
        groups: body.groups.into_iter().map(NamedGroup::group).collect(),
        users: body.users,
    };
    let (directory, token) = call.transact(|tx| plain::create_filled(tx, new))?;
    let state = call.environment.state();
    Reply::created(&Created {
        directory: directory.body(&state),
        scim: Scim {
            base_url: format!("{}/scim/v2.0/{}", call.base_url(), directory.external_key),
            bearer_token: token.expose().to_owned(),
        },
    })
}

/// `PATCH /_emulate/directories/{id}`
pub(super) fn update_directory(call: &Call) -> Result<Reply, ApiError> {
    let body: UpdateDirectory = call.body()?;
    let changes = DirectoryChanges {
        name: body.name,
        domain: body.domain,
        r#type: body.r#type,
        state: body.state,
        group_roles: body.group_roles,
    };
    let id = call.param("id");
    let directory = call.transact(|tx| {
        let directory = directories::update(tx, id, changes)?;
        if let Some(token) = &body.bearer_token {
            tokens::revoke_all(tx, id)?;
            tokens::create(tx, &directory, Some(token.expose()))?;
        }
        Ok::<_, ApiError>(directory)
    })?;
    Reply::ok(&directory.body(&call.environment.state()))
}

/// `POST /_emulate/directories/{id}/users`
pub(super) fn create_directory_user(call: &Call) -> Result<Reply, ApiError> {
    let person: Person = call.body()?;
    let user = call.transact(|tx| {
        let directory = Arc::clone(directories::find(tx, call.param("id"))?);
        plain::add_person(tx, &directory, person)
    })?;
    show_user(call, 201, &user)
}

/// `PATCH /_emulate/directory_users/{id}`
pub(super) fn update_directory_user(call: &Call) -> Result<Reply, ApiError> {
    let changes: PersonChanges = call.body()?;
    let user = call.transact(|tx| plain::change_person(tx, call.param("id"), changes))?;
    show_user(call, 200, &user)
}

/// The user as the API shows it, also where it does not: one who turned inactive is deleted there.
fn show_user(call: &Call, status: u16, user: &DirectoryUser) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let directory = directories::find(&state, &user.directory_id)?;
    Reply::json(status, &user.body_with_groups(&state, directory))
}

/// `DELETE /_emulate/directory_users/{id}`
pub(super) fn delete_directory_user(call: &Call) -> Result<Reply, ApiError> {
    call.transact(|tx| users::delete(tx, call.param("id")))?;
    Reply::empty(204)
}

/// `POST /_emulate/directories/{id}/groups`
pub(super) fn create_directory_group(call: &Call) -> Result<Reply, ApiError> {
    let group: PlainGroup = call.body()?;
    let group = call.transact(|tx| {
        let directory = Arc::clone(directories::find(tx, call.param("id"))?);
        plain::create_group(tx, &directory, group)
    })?;
    Reply::created(&group.body())
}

/// `PATCH /_emulate/directory_groups/{id}`: another name, or another role for its members.
pub(super) fn update_directory_group(call: &Call) -> Result<Reply, ApiError> {
    let UpdateGroup { name, role } = call.body()?;
    let id = call.param("id");
    let group = call.transact(|tx| {
        let group = Arc::clone(groups::find(tx, id)?);
        if let Some(name) = name {
            let mut scim = group.attributes.clone();
            scim.insert("displayName".to_owned(), name.as_str().into());
            groups::update(tx, id, name, scim)?;
        }
        match role {
            Patch::Keep => Ok(Arc::clone(groups::find(tx, id)?)),
            Patch::Clear => groups::set_role(tx, id, None),
            Patch::Set(role) => groups::set_role(tx, id, Some(role)),
        }
    })?;
    Reply::ok(&group.body())
}

/// `DELETE /_emulate/directory_groups/{id}`
pub(super) fn delete_directory_group(call: &Call) -> Result<Reply, ApiError> {
    call.transact(|tx| groups::delete(tx, call.param("id")))?;
    Reply::empty(204)
}

/// `PUT /_emulate/directory_groups/{id}/users/{user_id}`. One who is not in the group's directory is 404.
pub(super) fn add_directory_group_user(call: &Call) -> Result<Reply, ApiError> {
    let (id, user_id) = (call.param("id"), call.param("user_id"));
    let group = call.transact(|tx| {
        let group = groups::find(tx, id)?;
        if users::find(tx, user_id)?.directory_id != group.directory_id {
            return Err(ApiError::not_found("Directory user", user_id));
        }
        groups::add_member(tx, id, user_id)?;
        Ok(Arc::clone(groups::find(tx, id)?))
    })?;
    Reply::ok(&group.body())
}

/// `DELETE /_emulate/directory_groups/{id}/users/{user_id}`
pub(super) fn remove_directory_group_user(call: &Call) -> Result<Reply, ApiError> {
    call.transact(|tx| {
        users::find(tx, call.param("user_id"))?;
        groups::remove_member(tx, call.param("id"), call.param("user_id"))
    })?;
    Reply::empty(204)
}
