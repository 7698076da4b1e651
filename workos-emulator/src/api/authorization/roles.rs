//! Roles: those of the environment, and an organization's own.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    core::clock,
    store::{Index, Record, State, group},
};

/// Whose role it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RoleType {
    /// Every organization of the environment has it.
    EnvironmentRole,
    /// One organization has it.
    OrganizationRole,
}

/// A role as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Role {
    pub(crate) id: String,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) r#type: RoleType,
    pub(crate) organization_id: Option<String>,
    pub(crate) resource_type_slug: String,
    /// Slugs, in the order in which they were added.
    pub(crate) permissions: Vec<String>,
    /// Given to members for whom no role is named.
    pub(crate) is_default: bool,
    /// Lists are in this order, smallest first.
    pub(crate) priority: i64,
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    pub(crate) updated_at: Timestamp,
}

/// Roles of an organization, or of the environment under the empty id; a slug occurs once in each.
pub(crate) const BY_SLUG: Index<Role> = Index::unique("slug", |role| {
    vec![(
        group(&[role.organization_id.as_deref().unwrap_or_default(), &role.slug]),
        0,
    )]
});
/// Roles of an organization, or of the environment under the empty id, by priority.
pub(crate) const BY_OWNER: Index<Role> = Index::ordered("owner", |role| {
    vec![(
        role.organization_id.as_deref().unwrap_or_default().into(),
        role.priority,
    )]
});
/// Roles that have a permission.
pub(crate) const BY_PERMISSION: Index<Role> = Index::ordered("permission", |role| {
    role.permissions
        .iter()
        .map(|slug| (slug.as_str().into(), 0))
        .collect()
});

impl Record for Role {
    const INDEXES: &'static [Index<Self>] = &[BY_SLUG, BY_OWNER, BY_PERMISSION];

    fn id(&self) -> &str {
        &self.id
    }
}

/// The role that `slug` names in an organization: its own, or the environment's.
pub(crate) fn find<'a>(state: &'a State, organization_id: &str, slug: &str) -> Option<&'a Role> {
    let of = |owner: &str| state.roles.find(BY_SLUG, &group(&[owner, slug]));
    of(organization_id).or_else(|| of("")).map(AsRef::as_ref)
}

/// The union of the permissions of some roles, each once: what an access token carries.
pub(crate) fn permissions_of(state: &State, organization_id: &str, slugs: &[String]) -> Vec<String> {
    let mut permissions = Vec::new();
    for role in slugs.iter().filter_map(|slug| find(state, organization_id, slug)) {
        for permission in &role.permissions {
            if !permissions.contains(permission) {
                permissions.push(permission.clone());
            }
        }
    }
    permissions
}
