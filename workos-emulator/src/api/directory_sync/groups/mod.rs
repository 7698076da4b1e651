//! Directory groups. Source: <https://workos.com/docs/reference/directory-sync/directory-group>.
//!
//! * here – what a directory group is, and how it is shown.
//! * [`rules`] – how groups and their members come, change and go.
//! * [`operations`] – the API's operations.

mod operations;
mod rules;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) use self::{
    operations::{get_group, list_groups},
    rules::{
        NewDirectoryGroup, add_member, create, delete, emit_member, forget, map_roles, remove_member,
        set_members, set_role, touch, update,
    },
};
use super::DirectoryError;
use crate::{
    core::clock,
    store::{Index, Record, State, group},
};

/// A directory group as it is kept. Its members are rows of their own: see [`members`](super::members).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct DirectoryGroup {
    /// Also the id of the SCIM resource.
    pub(crate) id: String,
    pub(crate) directory_id: String,
    pub(crate) organization_id: String,
    /// The same for good, also when the group gets another name.
    pub(crate) idp_id: String,
    pub(crate) name: String,
    /// The SCIM resource as last pushed, without `id`, `meta`, `schemas` and `members`.
    pub(crate) attributes: Map<String, Value>,
    /// The slug of the role that its members have.
    pub(crate) role: Option<String>,
    /// Ascending with each change, of members too: the SCIM ETag.
    pub(crate) version: u64,
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    pub(crate) updated_at: Timestamp,
}

/// The groups of a directory.
pub(crate) const BY_DIRECTORY: Index<DirectoryGroup> =
    Index::numbered("directory", |group| vec![(group.directory_id.as_str().into(), 0)]);
/// Groups by their provider's id: of the directory and the id. WorkOS's own rules keep it unique.
pub(crate) const BY_IDP_ID: Index<DirectoryGroup> = Index::ordered("idp_id", |row| {
    vec![(group(&[&row.directory_id, &row.idp_id]), 0)]
});
/// Groups by `externalId`: of the directory and the id.
pub(crate) const BY_EXTERNAL_ID: Index<DirectoryGroup> = Index::ordered("externalId", |row| {
    let id = row.attributes.get("externalId").and_then(Value::as_str);
    id.map(|id| (group(&[&row.directory_id, id]), 0))
        .into_iter()
        .collect()
});
/// Groups by name: of the directory and the lower-cased name.
pub(crate) const BY_NAME: Index<DirectoryGroup> = Index::ordered("name", |row| {
    vec![(group(&[&row.directory_id, &row.name.to_lowercase()]), 0)]
});

impl Record for DirectoryGroup {
    const INDEXES: &'static [Index<Self>] = &[BY_DIRECTORY, BY_IDP_ID, BY_EXTERNAL_ID, BY_NAME];

    fn id(&self) -> &str {
        &self.id
    }
}

/// A directory group as the API and its events show it.
#[derive(Debug, Serialize)]
#[serde(tag = "object", rename = "directory_group")]
pub(crate) struct DirectoryGroupBody<'a> {
    id: &'a str,
    idp_id: &'a str,
    directory_id: &'a str,
    organization_id: &'a str,
    name: &'a str,
    /// Empty: WorkOS stopped filling it on 2026-04-15 (<https://workos.com/docs/deprecations/raw-attributes>).
    raw_attributes: Map<String, Value>,
    #[serde(with = "clock::timestamp")]
    created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    updated_at: Timestamp,
}

impl DirectoryGroup {
    pub(crate) fn body(&self) -> DirectoryGroupBody<'_> {
        DirectoryGroupBody {
            id: &self.id,
            idp_id: &self.idp_id,
            directory_id: &self.directory_id,
            organization_id: &self.organization_id,
            name: &self.name,
            raw_attributes: Map::new(),
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// The group with this id, or the refusal.
pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Arc<DirectoryGroup>, DirectoryError> {
    // Those of a deleted directory may not be dropped yet.
    let group = state
        .directory_groups
        .get(id)
        .filter(|group| state.directories.get(&group.directory_id).is_some());
    group.ok_or_else(|| DirectoryError::GroupNotFound(id.to_owned()))
}
