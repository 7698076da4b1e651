//! Roles: those of the environment, and an organization's own.
//! Source: <https://workos.com/docs/rbac/configuration>.
//!
//! * here – what a role is, and what is asked of roles.
//! * [`rules`] – how roles come to be, change and go.

mod rules;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use self::rules::{
    NewRole, RoleChanges, add_permission, create, delete, delete_of_organization, remove_permission,
    remove_permission_from_all, seed, set_permissions, update,
};
use crate::{
    api::authorization::text,
    core::clock,
    server::error::ApiError,
    store::{Index, Record, State, Transaction, group},
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
pub(crate) const BY_SLUG: Index<Role> =
    Index::unique("slug", |role| vec![(group(&[role.owner(), &role.slug]), 0)]);
/// Roles of an organization, or of the environment under the empty id, by priority.
pub(crate) const BY_OWNER: Index<Role> =
    Index::ordered("owner", |role| vec![(role.owner().into(), role.priority)]);
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

/// A role as the API shows it.
#[derive(Debug, Serialize)]
#[serde(tag = "object", rename = "role")]
pub(crate) struct RoleBody<'a> {
    id: &'a str,
    slug: &'a str,
    name: &'a str,
    description: Option<&'a str>,
    r#type: RoleType,
    resource_type_slug: &'a str,
    permissions: &'a [String],
    #[serde(with = "clock::timestamp")]
    created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    updated_at: Timestamp,
}

impl Role {
    /// The organization's id; empty for a role of the environment.
    fn owner(&self) -> &str {
        self.organization_id.as_deref().unwrap_or_default()
    }

    pub(crate) fn body(&self) -> RoleBody<'_> {
        RoleBody {
            id: &self.id,
            slug: &self.slug,
            name: &self.name,
            description: self.description.as_deref(),
            r#type: self.r#type,
            resource_type_slug: &self.resource_type_slug,
            permissions: &self.permissions,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// A list of roles: all of them, the highest priority first, without pages.
#[derive(Debug, Serialize)]
#[serde(tag = "object", rename = "list")]
pub(crate) struct RoleList<'a> {
    data: Vec<RoleBody<'a>>,
}

impl<'a> FromIterator<&'a Role> for RoleList<'a> {
    fn from_iter<I: IntoIterator<Item = &'a Role>>(roles: I) -> Self {
        Self {
            data: roles.into_iter().map(Role::body).collect(),
        }
    }
}

/// The roles of the environment by priority.
pub(crate) fn of_environment(state: &State) -> impl Iterator<Item = &Role> {
    state.roles.group(BY_OWNER, "").map(AsRef::as_ref)
}

/// The roles that apply in an organization by priority: the environment's, then its own.
///
/// Assumption: an organization's own roles stand at the bottom, where they are created; production lets the dashboard
/// mix them.
pub(crate) fn of_organization<'a>(state: &'a State, organization_id: &str) -> impl Iterator<Item = &'a Role> {
    let own = state.roles.group(BY_OWNER, organization_id).map(AsRef::as_ref);
    of_environment(state).chain(own)
}

/// The role that `slug` names in an organization: its own, or the environment's.
pub(crate) fn find<'a>(state: &'a State, organization_id: &str, slug: &str) -> Option<&'a Role> {
    find_own(state, organization_id, slug)
        .or_else(|| find_own(state, "", slug))
        .map(AsRef::as_ref)
}

/// The environment's role with this slug, or the refusal.
pub(crate) fn find_of_environment<'a>(state: &'a State, slug: &str) -> Result<&'a Arc<Role>, ApiError> {
    find_own(state, "", slug).ok_or_else(|| ApiError::not_found("Role", slug))
}

/// The organization's own role with this slug, or the refusal.
///
/// Assumption: a role of the environment, which the organization only inherits, is 403; the operations that change an
/// organization's roles list that status without saying when.
pub(crate) fn find_of_organization<'a>(
    state: &'a State,
    organization_id: &str,
    slug: &str,
) -> Result<&'a Arc<Role>, ApiError> {
    find_own(state, organization_id, slug).ok_or_else(|| match find_own(state, "", slug) {
        Some(_) => ApiError::message(
            403,
            format!("'{slug}' is a role of the environment, not of the organization."),
        ),
        None => ApiError::not_found("Role", slug),
    })
}

/// The role of exactly this owner: an organization, or the environment under the empty id.
fn find_own<'a>(state: &'a State, owner: &str, slug: &str) -> Option<&'a Arc<Role>> {
    state.roles.find(BY_SLUG, &group(&[owner, slug]))
}

/// The slug of the role of members for whom none is named: the organization's own default, or the environment's.
pub(crate) fn default_slug<'a>(state: &'a State, organization_id: &str) -> &'a str {
    let default_of = |owner: &str| {
        state
            .roles
            .group(BY_OWNER, owner)
            .find(|role| role.is_default)
            .map(|role| role.slug.as_str())
    };
    default_of(organization_id)
        .or_else(|| default_of(""))
        .unwrap_or(MEMBER)
}

/// The roles that a membership in an organization is to have: checked, each once, the highest priority first. None
/// means the default role.
pub(crate) fn assignable(
    state: &State,
    organization_id: &str,
    mut slugs: Vec<String>,
) -> Result<Vec<String>, ApiError> {
    if slugs.is_empty() {
        return Ok(vec![default_slug(state, organization_id).to_owned()]);
    }
    slugs.sort();
    slugs.dedup();
    for slug in &slugs {
        let Some(role) = find(state, organization_id, slug) else {
            let message = format!("Role '{slug}' is not a valid role.");
            return Err(ApiError::new(422, "invalid_role", message));
        };
        if role.resource_type_slug != text::ORGANIZATION {
            let message = "Sub-resource scoped roles are not allowed for this operation.";
            let refusal = ApiError::new(422, "sub_resource_scoped_role_not_allowed", message);
            return Err(refusal.with("role_slug", slug.as_str()));
        }
    }
    if slugs.len() > 1 && !state.settings().multiple_roles {
        let message = "Multiple roles are not enabled for this environment.";
        return Err(ApiError::new(422, "multiple_roles_not_enabled", message));
    }
    // The environment's roles stand before the organization's own.
    slugs.sort_by_key(|slug| {
        find(state, organization_id, slug).map(|role| (role.organization_id.is_some(), role.priority))
    });
    Ok(slugs)
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

/// The role that every environment has.
const MEMBER: &str = "member";

/// Makes the role that every environment begins with: `member`, the default, without permissions.
///
/// Source: <https://workos.com/docs/rbac/configuration>. The `admin` role of new WorkOS *accounts* carries the
/// permissions of the widgets, which are not served. Assumption: no event tells of the first role, as nothing can
/// listen before its environment exists.
pub(crate) fn seed_defaults(tx: &mut Transaction<'_>) -> Result<(), ApiError> {
    if find_own(tx, "", MEMBER).is_some() {
        return Ok(());
    }
    let role = NewRole {
        is_default: true,
        priority: Some(0),
        ..NewRole::named(MEMBER, "Member")
    };
    let role = rules::checked(tx, role)?;
    tx.put(role)?;
    Ok(())
}
