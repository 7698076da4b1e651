//! The operations on directory groups.

use std::sync::Arc;

use super::{
    super::{directories, members, users},
    BY_DIRECTORY, DirectoryGroup, find,
};
use crate::{
    server::{call::Call, error::ApiError, reply::Reply},
    store::{List, Page, Select, State},
};

/// `GET /directory_groups`: of a directory, or of a user.
///
/// Assumptions: an unknown directory or user is 404; without a filter the groups of all directories are listed.
pub(crate) fn list_groups(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let given = |name| call.query.get(name).filter(|value| !value.is_empty());
    let directory = given("directory");
    if let Some(id) = directory {
        directories::find(&state, id)?;
    }
    let page = match (given("user"), directory) {
        (Some(user_id), _) => {
            users::find_listed(&state, user_id)?;
            page_of_user(&state, user_id, directory, &call.page()?)?
        }
        (None, Some(id)) => Select::group(BY_DIRECTORY, id).page(&state.directory_groups, &call.page()?)?,
        (None, None) => Select::all()
            .filter(|group: &DirectoryGroup| directories::find(&state, &group.directory_id).is_ok())
            .page(&state.directory_groups, &call.page()?)?,
    };
    Reply::ok(&List {
        data: page.data.iter().map(|group| group.body()).collect(),
        before: page.before,
        after: page.after,
    })
}

/// `GET /directory_groups/{id}`
pub(crate) fn get_group(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    Reply::ok(&find(&state, call.param("id"))?.body())
}

/// The groups of a user, in the order of their creation.
fn page_of_user(
    state: &State,
    user_id: &str,
    directory: Option<&str>,
    page: &Page,
) -> Result<List<Arc<DirectoryGroup>>, ApiError> {
    let group = |id: &str| {
        let group = state.directory_groups.get(id);
        group.filter(|group| directory.is_none_or(|directory| group.directory_id == directory))
    };
    let page = Select::group(members::BY_USER, user_id)
        .cursors(|id| state.directory_groups.place(id).map(members::rank))
        .filter(|member| group(&member.group_id).is_some())
        .page(&state.directory_group_members, page)?;
    let group_id = |cursor: Option<String>| {
        let member = state.directory_group_members.get(&cursor?)?;
        Some(member.group_id.clone())
    };
    Ok(List {
        data: page
            .data
            .iter()
            .filter_map(|member| group(&member.group_id).cloned())
            .collect(),
        before: group_id(page.before),
        after: group_id(page.after),
    })
}
