//! Permissions of the environment. Source: <https://workos.com/docs/reference/roles/permission>.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    roles,
    text::{self, check_description, check_name, check_slug},
};
use crate::{
    api::{api_keys, connect::applications},
    core::clock,
    server::{body::Patch, call::Call, error::ApiError, reply::Reply},
    store::{Index, Record, Select, State, Transaction},
};

/// A permission, as kept and as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "object", rename = "permission")]
pub(crate) struct Permission {
    pub(crate) id: String,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    /// Managed by WorkOS: it can be neither changed nor deleted.
    pub(crate) system: bool,
    pub(crate) resource_type_slug: String,
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    pub(crate) updated_at: Timestamp,
}

pub(crate) const BY_SLUG: Index<Permission> =
    Index::unique("slug", |permission| vec![(permission.slug.as_str().into(), 0)]);

impl Record for Permission {
    const INDEXES: &'static [Index<Self>] = &[BY_SLUG];

    fn id(&self) -> &str {
        &self.id
    }
}

/// `POST /authorization/permissions`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct NewPermission {
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    /// Default: `organization`.
    pub(crate) resource_type_slug: Option<String>,
}

/// `PATCH /authorization/permissions/{slug}`
#[derive(Debug, Deserialize)]
struct UpdatePermission {
    name: Option<String>,
    #[serde(default)]
    description: Patch<String>,
}

/// The permission with this slug, or the refusal.
pub(crate) fn find<'a>(state: &'a State, slug: &str) -> Result<&'a Arc<Permission>, ApiError> {
    state
        .permissions
        .find(BY_SLUG, slug)
        .ok_or_else(|| ApiError::not_found("Permission", slug))
}

/// Creates a permission.
pub(crate) fn create(tx: &mut Transaction<'_>, new: NewPermission) -> Result<Arc<Permission>, ApiError> {
    check_slug(&new.slug, "-.:_*")?;
    check_name(&new.name)?;
    check_description(new.description.as_deref())?;
    let resource_type_slug = text::resource_type(new.resource_type_slug)?;
    if find(tx, &new.slug).is_ok() {
        return Err(ApiError::conflict(
            "permission_slug_conflict",
            format!("A permission with the slug '{}' exists already.", new.slug),
        ));
    }
    let permission = Permission {
        id: tx.id("perm"),
        slug: new.slug,
        name: new.name,
        description: new.description,
        system: false,
        resource_type_slug,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    let permission = tx.put(permission)?;
    tx.emit("permission.created", &permission)?;
    Ok(permission)
}

fn update(
    tx: &mut Transaction<'_>,
    slug: &str,
    changes: UpdatePermission,
) -> Result<Arc<Permission>, ApiError> {
    let mut permission = Permission::clone(find(tx, slug)?);
    refuse_system(&permission)?;
    if let Some(name) = changes.name {
        check_name(&name)?;
        permission.name = name;
    }
    changes.description.apply_to(&mut permission.description);
    check_description(permission.description.as_deref())?;
    permission.updated_at = tx.now();
    let permission = tx.put(permission)?;
    tx.emit("permission.updated", &permission)?;
    Ok(permission)
}

/// Deletes a permission; roles that have it lose it, each with its event, and so do API keys.
///
/// Assumption: what becomes of such roles and keys is not documented.
fn delete(tx: &mut Transaction<'_>, slug: &str) -> Result<(), ApiError> {
    let permission = Arc::clone(find(tx, slug)?);
    refuse_system(&permission)?;
    roles::remove_permission_from_all(tx, slug)?;
    api_keys::remove_permission_from_all(tx, slug)?;
    applications::remove_scope_from_all(tx, slug)?;
    tx.delete::<Permission>(&permission.id);
    tx.emit("permission.deleted", &permission).map(drop)
}

fn refuse_system(permission: &Permission) -> Result<(), ApiError> {
    if permission.system {
        let message = format!("System permissions are managed by WorkOS: '{}'.", permission.slug);
        return Err(ApiError::message(403, message));
    }
    Ok(())
}

/// `GET /authorization/permissions`
pub(crate) fn list_permissions(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    Reply::ok(&Select::<Permission>::all().page(&state.permissions, &call.page()?)?)
}

/// `POST /authorization/permissions`
pub(crate) fn create_permission(call: &Call) -> Result<Reply, ApiError> {
    let new = call.body()?;
    Reply::created(&call.environment.transact(|tx| create(tx, new))?)
}

/// `GET /authorization/permissions/{slug}`
pub(crate) fn get_permission(call: &Call) -> Result<Reply, ApiError> {
    Reply::ok(find(&call.environment.state(), call.param("slug"))?)
}

/// `PATCH /authorization/permissions/{slug}`
pub(crate) fn update_permission(call: &Call) -> Result<Reply, ApiError> {
    let (slug, changes) = (call.param("slug"), call.body()?);
    Reply::ok(&call.environment.transact(|tx| update(tx, slug, changes))?)
}

/// `DELETE /authorization/permissions/{slug}`
pub(crate) fn delete_permission(call: &Call) -> Result<Reply, ApiError> {
    call.environment.transact(|tx| delete(tx, call.param("slug")))?;
    Reply::empty(204)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::{authorization::roles::NewRole, recorded},
        environment::Environment,
    };

    fn named(slug: &str) -> NewPermission {
        NewPermission {
            slug: slug.to_owned(),
            name: "A permission".to_owned(),
            ..NewPermission::default()
        }
    }

    #[test]
    fn a_permission_is_made_changed_and_deleted_with_its_events() {
        let environment = Environment::for_tests();
        let made = environment
            .transact(|tx| create(tx, named("posts:read")))
            .unwrap();
        assert!(made.id.starts_with("perm_"));
        assert_eq!(
            (made.slug.as_str(), made.system, made.resource_type_slug.as_str()),
            ("posts:read", false, "organization")
        );
        let changes = UpdatePermission {
            name: None,
            description: Patch::Set("Reads posts".to_owned()),
        };
        let changed = environment
            .transact(|tx| update(tx, "posts:read", changes))
            .unwrap();
        assert_eq!(changed.name, "A permission");
        assert_eq!(changed.description.as_deref(), Some("Reads posts"));
        environment.transact(|tx| delete(tx, "posts:read")).unwrap();
        let state = environment.state();
        assert_eq!(find(&state, "posts:read").unwrap_err().status, 404);
        let events = recorded::events(&state);
        let names: Vec<_> = events.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            ["permission.created", "permission.updated", "permission.deleted"]
        );
        assert_eq!(events[1].1["object"], "permission");
        assert_eq!(events[1].1["description"], "Reads posts");
    }

    #[test]
    fn a_slug_is_taken_once_and_has_its_form() {
        let environment = Environment::for_tests();
        let create = |slug: &str| environment.transact(|tx| create(tx, named(slug)));
        create("posts:read").unwrap();
        let taken = create("posts:read").unwrap_err();
        assert_eq!(
            (taken.status, taken.code()),
            (409, Some("permission_slug_conflict"))
        );
        assert_eq!(create("Posts").unwrap_err().status, 422);
        assert_eq!(environment.state().permissions.len(), 1);
        assert_eq!(recorded::events(&environment.state()).len(), 1);
    }

    #[test]
    fn a_deleted_permission_leaves_its_roles() {
        let environment = Environment::for_tests();
        environment
            .transact(|tx| {
                create(tx, named("posts:read"))?;
                create(tx, named("posts:write"))?;
                let role = NewRole {
                    permissions: vec!["posts:read".to_owned(), "posts:write".to_owned()],
                    ..NewRole::named("editor", "Editor")
                };
                roles::create(tx, role)?;
                delete(tx, "posts:read")
            })
            .unwrap();
        let state = environment.state();
        let role = roles::find(&state, "", "editor").unwrap();
        assert_eq!(role.permissions, ["posts:write"]);
        let events = recorded::events(&state);
        let last: Vec<_> = events
            .iter()
            .rev()
            .take(2)
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(last, ["permission.deleted", "role.updated"]);
        assert!(state.is_consistent());
    }

    #[test]
    fn a_system_permission_stays() {
        let environment = Environment::for_tests();
        environment
            .transact(|tx| {
                let made = create(tx, named("widgets:sso:manage"))?;
                tx.put(Permission {
                    system: true,
                    ..Permission::clone(&made)
                })?;
                Ok::<_, ApiError>(())
            })
            .unwrap();
        let refused = environment
            .transact(|tx| delete(tx, "widgets:sso:manage"))
            .unwrap_err();
        assert_eq!(refused.status, 403);
        assert!(find(&environment.state(), "widgets:sso:manage").is_ok());
    }
}
