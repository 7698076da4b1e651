//! How roles come to be, change and go. Each change has its event: `role.…`, or `organization_role.…` for an
//! organization's own.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::{BY_OWNER, BY_PERMISSION, Role, RoleType, find_own};
use crate::{
    api::{
        authorization::{
            permissions,
            text::{self, check_description, check_name, check_organization_slug, check_slug},
        },
        user_management::memberships,
    },
    core::clock,
    server::{body::Patch, error::ApiError},
    store::{State, Transaction, group},
};

/// A role to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NewRole {
    /// An organization's role can leave it to be made from the name.
    pub(crate) slug: Option<String>,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    /// Default: `organization`.
    pub(crate) resource_type_slug: Option<String>,
    /// The organization whose own role it is; none for a role of the environment.
    pub(crate) organization_id: Option<String>,
    /// Slugs of permissions, which must exist.
    pub(crate) permissions: Vec<String>,
    /// Takes the place of the present default role of the same owner.
    pub(crate) is_default: bool,
    /// Default: the bottom of the list.
    pub(crate) priority: Option<i64>,
}

impl NewRole {
    /// A role of the environment without permissions.
    pub(crate) fn named(slug: &str, name: &str) -> Self {
        Self {
            slug: Some(slug.to_owned()),
            name: name.to_owned(),
            ..Self::default()
        }
    }
}

/// Changes to a role's texts. A slug never changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RoleChanges {
    pub(crate) name: Option<String>,
    pub(crate) description: Patch<String>,
}

/// Creates a role.
pub(crate) fn create(tx: &mut Transaction<'_>, new: NewRole) -> Result<Arc<Role>, ApiError> {
    let role = checked(tx, new)?;
    if let Some(other) = find_own(tx, role.owner(), &role.slug) {
        let code = match other.r#type {
            RoleType::EnvironmentRole => "role_slug_conflict",
            RoleType::OrganizationRole => "organization_role_slug_conflict",
        };
        let message = format!("A role with the slug '{}' exists already.", role.slug);
        return Err(ApiError::conflict(code, message));
    }
    if role.is_default {
        clear_default(tx, role.owner())?;
    }
    put(tx, role, "created")
}

/// Creates a role, or makes the one with its slug like this: a seed describes `member` too, which is always there.
pub(crate) fn seed(tx: &mut Transaction<'_>, new: NewRole) -> Result<Arc<Role>, ApiError> {
    let slug = new.slug.as_deref().unwrap_or_default();
    let owner = new.organization_id.as_deref().unwrap_or_default();
    let Some(present) = find_own(tx, owner, slug).map(Arc::clone) else {
        return create(tx, new);
    };
    let priority = new.priority.or(Some(present.priority));
    let role = checked(tx, NewRole { priority, ..new })?;
    if role.is_default {
        clear_default(tx, role.owner())?;
    }
    let role = Role {
        id: present.id.clone(),
        is_default: role.is_default || present.is_default,
        created_at: present.created_at,
        ..role
    };
    put(tx, role, "updated")
}

/// The role as it would be kept; nothing is put.
pub(super) fn checked(tx: &mut Transaction<'_>, new: NewRole) -> Result<Role, ApiError> {
    check_name(&new.name)?;
    check_description(new.description.as_deref())?;
    let resource_type_slug = text::resource_type(new.resource_type_slug)?;
    let id = tx.id("role");
    let slug = match (new.slug, &new.organization_id) {
        (Some(slug), None) => {
            check_slug(&slug, "-_")?;
            slug
        }
        (Some(slug), Some(_)) => {
            check_organization_slug(&slug)?;
            slug
        }
        (None, Some(_)) => text::slug_of(&new.name, &id),
        (None, None) => {
            return Err(ApiError::invalid_field("slug", "required", "slug is required."));
        }
    };
    let owner = new.organization_id.as_deref().unwrap_or_default();
    let bottom = tx.roles.group(BY_OWNER, owner).last();
    let bottom = bottom.map_or(0, |role| role.priority.saturating_add(1));
    Ok(Role {
        id,
        slug,
        name: new.name,
        description: new.description,
        r#type: match new.organization_id {
            None => RoleType::EnvironmentRole,
            Some(_) => RoleType::OrganizationRole,
        },
        organization_id: new.organization_id,
        resource_type_slug,
        permissions: known_permissions(tx, new.permissions)?,
        is_default: new.is_default,
        priority: new.priority.unwrap_or(bottom),
        created_at: tx.now(),
        updated_at: tx.now(),
    })
}

/// Changes a role's name and description. What changes nothing has no event.
pub(crate) fn update(
    tx: &mut Transaction<'_>,
    role: &Arc<Role>,
    changes: RoleChanges,
) -> Result<Arc<Role>, ApiError> {
    let mut changed = Role::clone(role);
    if let Some(name) = changes.name {
        check_name(&name)?;
        changed.name = name;
    }
    changes.description.apply_to(&mut changed.description);
    check_description(changed.description.as_deref())?;
    put_changed(tx, role, changed)
}

/// Replaces a role's permissions.
///
/// Assumption: an unknown permission is 404, as the operation lists it.
pub(crate) fn set_permissions(
    tx: &mut Transaction<'_>,
    role: &Arc<Role>,
    slugs: Vec<String>,
) -> Result<Arc<Role>, ApiError> {
    let mut changed = Role::clone(role);
    changed.permissions = known_permissions(tx, slugs)?;
    put_changed(tx, role, changed)
}

/// Adds a permission to a role; one that it has already changes nothing.
pub(crate) fn add_permission(
    tx: &mut Transaction<'_>,
    role: &Arc<Role>,
    slug: String,
) -> Result<Arc<Role>, ApiError> {
    let mut slugs = role.permissions.clone();
    slugs.push(slug);
    set_permissions(tx, role, slugs)
}

/// Takes a permission from a role; one that it has not is 404.
pub(crate) fn remove_permission(
    tx: &mut Transaction<'_>,
    role: &Arc<Role>,
    slug: &str,
) -> Result<Arc<Role>, ApiError> {
    let mut changed = Role::clone(role);
    changed.permissions.retain(|other| other != slug);
    if changed.permissions.len() == role.permissions.len() {
        return Err(ApiError::not_found("Permission", slug));
    }
    put_changed(tx, role, changed)
}

/// Takes a permission from every role that has it.
pub(crate) fn remove_permission_from_all(tx: &mut Transaction<'_>, slug: &str) -> Result<(), ApiError> {
    let roles: Vec<_> = tx.roles.group(BY_PERMISSION, slug).map(Arc::clone).collect();
    roles
        .iter()
        .try_for_each(|role| remove_permission(tx, role, slug).map(drop))
}

/// Deletes an organization's role that no membership has.
pub(crate) fn delete(tx: &mut Transaction<'_>, role: &Role) -> Result<(), ApiError> {
    if role.is_default {
        let message = format!("The default role cannot be deleted: '{}'.", role.slug);
        return Err(ApiError::bad_request("bad_request", message));
    }
    let assigned = group(&[role.owner(), &role.slug]);
    if tx
        .organization_memberships
        .find(memberships::BY_ROLE, &assigned)
        .is_some()
    {
        let message = format!(
            "The role is assigned to organization memberships: '{}'.",
            role.slug
        );
        return Err(ApiError::conflict("role_has_assignments", message));
    }
    remove(tx, role)
}

/// Deletes all roles that are an organization's own, after its memberships.
pub(crate) fn delete_of_organization(
    tx: &mut Transaction<'_>,
    organization_id: &str,
) -> Result<(), ApiError> {
    let roles: Vec<_> = tx
        .roles
        .group(BY_OWNER, organization_id)
        .map(Arc::clone)
        .collect();
    roles.iter().try_for_each(|role| remove(tx, role))
}

fn remove(tx: &mut Transaction<'_>, role: &Role) -> Result<(), ApiError> {
    tx.delete::<Role>(&role.id);
    emit(tx, role, "deleted")
}

/// The permissions with these slugs, each once.
fn known_permissions(state: &State, slugs: Vec<String>) -> Result<Vec<String>, ApiError> {
    let mut known = Vec::with_capacity(slugs.len());
    for slug in slugs {
        permissions::find(state, &slug)?;
        if !known.contains(&slug) {
            known.push(slug);
        }
    }
    Ok(known)
}

fn clear_default(tx: &mut Transaction<'_>, owner: &str) -> Result<(), ApiError> {
    let default = tx.roles.group(BY_OWNER, owner).find(|role| role.is_default);
    if let Some(mut role) = default.map(|role| Role::clone(role)) {
        role.is_default = false;
        tx.put(role)?;
    }
    Ok(())
}

fn put_changed(tx: &mut Transaction<'_>, role: &Arc<Role>, changed: Role) -> Result<Arc<Role>, ApiError> {
    if changed == **role {
        return Ok(Arc::clone(role));
    }
    let updated_at = tx.now();
    put(
        tx,
        Role {
            updated_at,
            ..changed
        },
        "updated",
    )
}

fn put(tx: &mut Transaction<'_>, role: Role, what: &str) -> Result<Arc<Role>, ApiError> {
    let role = tx.put(role)?;
    emit(tx, &role, what)?;
    Ok(role)
}

/// Records `role.…` or `organization_role.…`, which show different members.
fn emit(tx: &mut Transaction<'_>, role: &Role, what: &str) -> Result<(), ApiError> {
    #[derive(Serialize)]
    struct Shown<'a> {
        object: &'a str,
        #[serde(flatten)]
        organization: Option<OfOrganization<'a>>,
        slug: &'a str,
        resource_type_slug: &'a str,
        permissions: &'a [String],
        #[serde(with = "clock::timestamp")]
        created_at: Timestamp,
        #[serde(with = "clock::timestamp")]
        updated_at: Timestamp,
    }
    #[derive(Serialize)]
    struct OfOrganization<'a> {
        organization_id: &'a str,
        name: &'a str,
        description: Option<&'a str>,
    }
    let object = match role.r#type {
        RoleType::EnvironmentRole => "role",
        RoleType::OrganizationRole => "organization_role",
    };
    let organization = role
        .organization_id
        .as_deref()
        .map(|organization_id| OfOrganization {
            organization_id,
            name: &role.name,
            description: role.description.as_deref(),
        });
    let shown = Shown {
        object,
        organization,
        slug: &role.slug,
        resource_type_slug: &role.resource_type_slug,
        permissions: &role.permissions,
        created_at: role.created_at,
        updated_at: role.updated_at,
    };
    tx.emit(&format!("{object}.{what}"), &shown).map(drop)
}
