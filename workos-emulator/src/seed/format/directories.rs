//! `directories`: their organizations are named, and so are the groups of their users.

use super::super::document::Fields;
use crate::{
    api::directory_sync::{
        directories::{DirectoryState, DirectoryType, GroupRole},
        plain::{NamedGroup, Person, PlainGroup},
    },
    core::secret::Secret,
};

#[derive(Debug, Clone)]
pub(in super::super) struct SeedDirectory {
    pub(in super::super) id: Option<String>,
    pub(in super::super) name: String,
    /// The organization's name.
    pub(in super::super) organization: String,
    pub(in super::super) r#type: DirectoryType,
    pub(in super::super) state: DirectoryState,
    pub(in super::super) domain: Option<String>,
    pub(in super::super) external_key: Option<String>,
    pub(in super::super) bearer_token: Option<Secret>,
    pub(in super::super) group_roles: Vec<GroupRole>,
    pub(in super::super) groups: Vec<PlainGroup>,
    pub(in super::super) users: Vec<Person>,
}

pub(super) fn directory(fields: &mut Fields<'_>) -> SeedDirectory {
    let groups: Vec<NamedGroup> = fields.get("groups").unwrap_or_default();
    SeedDirectory {
        id: fields.id("id"),
        name: fields.required("name"),
        organization: fields.required("organization"),
        r#type: fields.get("type").unwrap_or_default(),
        state: fields.get("state").unwrap_or_default(),
        domain: fields.get("domain"),
        external_key: fields.get("external_key"),
        bearer_token: fields.get("bearer_token"),
        group_roles: fields.get("group_roles").unwrap_or_default(),
        groups: groups.into_iter().map(NamedGroup::group).collect(),
        users: fields.list("users", person),
    }
}

fn person(fields: &mut Fields<'_>) -> Person {
    Person {
        id: fields.id("id"),
        email: fields.email("email"),
        first_name: fields.get("first_name"),
        last_name: fields.get("last_name"),
        idp_id: fields.get("idp_id"),
        username: fields.get("username"),
        job_title: fields.get("job_title"),
        state: fields.get("state").unwrap_or_default(),
        groups: fields.get("groups").unwrap_or_default(),
        custom_attributes: fields.get("custom_attributes").unwrap_or_default(),
        raw_attributes: fields.get("raw_attributes").unwrap_or_default(),
    }
}
