//! Directory users. Source: <https://workos.com/docs/reference/directory-sync/directory-user>.
//!
//! * here – what a directory user is, how it is shown, and how directory users are found.
//! * [`attributes`] – what is read from a user as SCIM describes it.
//! * [`rules`] – how directory users come, change and go.
//! * [`retold`] – changes that reach many of them at once.
//! * [`operations`] – the API's operations.

pub(crate) mod attributes;
mod operations;
mod retold;
mod rules;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) use self::{
    operations::{get_user, list_users},
    retold::{after_change, after_settings_change, before_change},
    rules::{NewDirectoryUser, UserChanges, create, delete, forget, replace, unlink_user, update},
};
use super::{
    DirectoryError, custom_attributes, directories::Directory, groups::DirectoryGroupBody, members, roles,
};
use crate::{
    core::clock,
    server::error::ApiError,
    store::{Index, Record, State, group},
};

/// What the provider says of a user.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum UserState {
    #[default]
    Active,
    Suspended,
    Inactive,
}

/// Whether applications see a user. The provider sees all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    #[default]
    Listed,
    /// The provider has not sent an e-mail address yet; applications have not heard of the user.
    Validating,
    /// Inactive users are deleted in this environment: applications were told that the user is gone, but the provider may
    /// make it active again.
    Retained,
}

/// A directory user as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct DirectoryUser {
    /// Also the id of the SCIM resource.
    pub(crate) id: String,
    pub(crate) directory_id: String,
    pub(crate) organization_id: String,
    pub(crate) idp_id: String,
    /// The SCIM resource as last pushed, without `id`, `meta`, `schemas` and `groups`.
    pub(crate) attributes: Map<String, Value>,
    pub(crate) state: UserState,
    pub(crate) standing: Standing,
    /// The primary address.
    pub(crate) email: Option<String>,
    /// Members of `custom_attributes` that were given as such, and not mapped.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) given_attributes: Map<String, Value>,
    /// The AuthKit user that was provisioned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user_id: Option<String>,
    /// Ascending with each change: the SCIM ETag.
    pub(crate) version: u64,
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    pub(crate) updated_at: Timestamp,
}

/// All users of a directory, as its provider sees them.
pub(crate) const BY_DIRECTORY: Index<DirectoryUser> =
    Index::numbered("directory", |user| vec![(user.directory_id.as_str().into(), 0)]);
/// The users of a directory that applications see.
pub(crate) const LISTED_BY_DIRECTORY: Index<DirectoryUser> = Index::ordered("listed in directory", |user| {
    Vec::from_iter(user.is_listed().then(|| (user.directory_id.as_str().into(), 0)))
});
/// Users by their provider's id: of the directory and the id, see [`group`].
pub(crate) const BY_IDP_ID: Index<DirectoryUser> = Index::ordered("idp_id", |user| {
    vec![(group(&[&user.directory_id, &user.idp_id]), 0)]
});
/// Users by their name in the provider: of the directory and the lower-cased `userName`. The rules keep it unique.
pub(crate) const BY_USERNAME: Index<DirectoryUser> = Index::ordered("userName", |user| {
    let name = user.username().map(str::to_lowercase);
    let entry = |name: String| (group(&[&user.directory_id, &name]), 0);
    name.map(entry).into_iter().collect()
});
/// Users by primary address: of the directory and the lower-cased address.
pub(crate) const BY_EMAIL: Index<DirectoryUser> = Index::ordered("email", |user| {
    let entry = |email: &String| (group(&[&user.directory_id, &email.to_lowercase()]), 0);
    user.email.iter().map(entry).collect()
});
/// Users by any of their addresses: of the directory and the lower-cased address.
pub(crate) const BY_ADDRESS: Index<DirectoryUser> = Index::ordered("address", |user| {
    let addresses = attributes::emails(&user.attributes).into_iter();
    let addresses = addresses.filter_map(|email| email.value.map(str::to_lowercase));
    let mut entries: Vec<_> = addresses
        .map(|address| (group(&[&user.directory_id, &address]), 0))
        .collect();
    entries.sort();
    entries.dedup();
    entries
});
/// Users by `externalId`: of the directory and the id.
pub(crate) const BY_EXTERNAL_ID: Index<DirectoryUser> = Index::ordered("externalId", |user| {
    let id = attributes::text(&user.attributes, "externalId");
    id.map(|id| (group(&[&user.directory_id, id]), 0))
        .into_iter()
        .collect()
});
/// The directory users of an AuthKit user.
pub(crate) const BY_USER: Index<DirectoryUser> = Index::ordered("user", |user| {
    user.user_id.iter().map(|id| (id.as_str().into(), 0)).collect()
});

impl Record for DirectoryUser {
    const INDEXES: &'static [Index<Self>] = &[
        BY_DIRECTORY,
        LISTED_BY_DIRECTORY,
        BY_IDP_ID,
        BY_USERNAME,
        BY_EMAIL,
        BY_ADDRESS,
        BY_EXTERNAL_ID,
        BY_USER,
    ];

    fn id(&self) -> &str {
        &self.id
    }
}

/// A role as a directory user names it.
#[derive(Debug, Serialize)]
struct SlimRole {
    slug: String,
}

/// A directory user as events show it.
#[derive(Debug, Serialize)]
#[serde(tag = "object", rename = "directory_user")]
pub(crate) struct DirectoryUserBody<'a> {
    id: &'a str,
    directory_id: &'a str,
    organization_id: &'a str,
    idp_id: &'a str,
    email: Option<&'a str>,
    first_name: Option<&'a str>,
    last_name: Option<&'a str>,
    name: Option<String>,
    emails: Vec<attributes::Email<'a>>,
    job_title: Option<&'a str>,
    username: Option<&'a str>,
    state: UserState,
    /// Empty: WorkOS stopped filling it on 2026-04-15 (<https://workos.com/docs/deprecations/raw-attributes>).
    raw_attributes: Map<String, Value>,
    custom_attributes: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<SlimRole>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    roles: Vec<SlimRole>,
    #[serde(with = "clock::timestamp")]
    created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    updated_at: Timestamp,
}

/// A directory user as the API shows it.
#[derive(Debug, Serialize)]
pub(crate) struct DirectoryUserWithGroups<'a> {
    #[serde(flatten)]
    user: DirectoryUserBody<'a>,
    groups: Vec<DirectoryGroupBody<'a>>,
}

impl DirectoryUser {
    /// Whether applications see the user.
    pub(crate) fn is_listed(&self) -> bool {
        self.standing == Standing::Listed
    }

    /// `userName`, as pushed.
    pub(crate) fn username(&self) -> Option<&str> {
        attributes::text(&self.attributes, "userName")
    }

    /// What the environment wants to see of the provider's attributes, and what was given as such.
    pub(crate) fn custom_attributes(&self, state: &State) -> Map<String, Value> {
        let mut attributes = custom_attributes::of(&state.settings().directory_sync, &self.attributes);
        attributes.extend(self.given_attributes.clone());
        attributes
    }

    /// The user without its groups, as events show it.
    pub(crate) fn body(&self, state: &State, directory: &Directory) -> DirectoryUserBody<'_> {
        let roles = roles::of_user(state, directory, &self.id);
        let slim = |slug: &String| SlimRole { slug: slug.clone() };
        DirectoryUserBody {
            id: &self.id,
            directory_id: &self.directory_id,
            organization_id: &self.organization_id,
            idp_id: &self.idp_id,
            email: self.email.as_deref(),
            first_name: attributes::first_name(&self.attributes),
            last_name: attributes::last_name(&self.attributes),
            name: attributes::name(&self.attributes),
            emails: attributes::emails(&self.attributes),
            job_title: attributes::text(&self.attributes, "title"),
            username: self.username(),
            state: self.state,
            raw_attributes: Map::new(),
            custom_attributes: self.custom_attributes(state),
            role: roles.first().map(slim),
            roles: roles.iter().map(slim).collect(),
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }

    /// The user with its groups.
    pub(crate) fn body_with_groups<'a>(
        &'a self,
        state: &'a State,
        directory: &Directory,
    ) -> DirectoryUserWithGroups<'a> {
        let groups = members::groups_of(state, &self.id).filter_map(|id| state.directory_groups.get(id));
        DirectoryUserWithGroups {
            user: self.body(state, directory),
            groups: groups.map(|group| group.body()).collect(),
        }
    }
}

/// The user with this id, be it hidden from applications, or the refusal.
pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Arc<DirectoryUser>, DirectoryError> {
    // Those of a deleted directory may not be dropped yet.
    let user = state
        .directory_users
        .get(id)
        .filter(|user| state.directories.get(&user.directory_id).is_some());
    user.ok_or_else(|| DirectoryError::UserNotFound(id.to_owned()))
}

/// The user with this id, if applications see it, or the refusal.
pub(crate) fn find_listed<'a>(state: &'a State, id: &str) -> Result<&'a Arc<DirectoryUser>, ApiError> {
    let user = find(state, id)?;
    if user.is_listed() {
        return Ok(user);
    }
    Err(ApiError::not_found("Directory user", id))
}
