//! Roles from groups. Source: <https://workos.com/docs/directory-sync/identity-provider-role-assignment>.

use super::{directories::Directory, members};
use crate::{api::authorization::roles, store::State};

/// The slugs of the roles that a directory user has by its groups, the highest priority first; of several the first one, unless
/// the environment has multiple roles. Without any it is the default role.
///
/// Empty where the provider has none: "only supported in directories using SCIM-based or Google Workspace providers".
pub(crate) fn of_user(state: &State, directory: &Directory, user_id: &str) -> Vec<String> {
    if !directory.r#type.has_roles() {
        return Vec::new();
    }
    let slugs = mapped_to(state, directory, user_id);
    if slugs.is_empty() {
        return vec![roles::default_slug(state, &directory.organization_id).to_owned()];
    }
    slugs
}

/// The same without the default role: what a directory says of the user, be it nothing.
pub(super) fn mapped_to(state: &State, directory: &Directory, user_id: &str) -> Vec<String> {
    if !directory.r#type.has_roles() {
        return Vec::new();
    }
    let mut slugs = mapped(state, &directory.organization_id, user_id);
    if !state.settings().multiple_roles {
        slugs.truncate(1);
    }
    slugs
}

/// The roles that the groups of a user are mapped to, each once, the highest priority first. A role that is gone counts for
/// nothing.
fn mapped(state: &State, organization_id: &str, user_id: &str) -> Vec<String> {
    let groups = members::groups_of(state, user_id).filter_map(|id| state.directory_groups.get(id));
    let mut roles: Vec<_> = groups
        .filter_map(|group| roles::find(state, organization_id, group.role.as_deref()?))
        .collect();
    // The environment's roles stand before the organization's own.
    roles.sort_by_key(|role| (role.organization_id.is_some(), role.priority));
    roles.dedup_by(|a, b| a.id == b.id);
    roles.into_iter().map(|role| role.slug.clone()).collect()
}
