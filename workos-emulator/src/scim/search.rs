//! Lists by GET, and by POST to `/.search`. Source: RFC 7644 sections 3.4.2 and 3.4.3.

use super::{
    error::ScimError,
    list::{ListRequest, ListResponse},
    request::{base_url, directory, json},
    resource::{Resource, View},
};
use crate::{
    api::directory_sync::{groups::DirectoryGroup, users::DirectoryUser},
    server::{call::Call, error::ApiError, reply::Reply},
};

/// The page that a GET asks for.
pub(super) fn listed<R: Resource>(call: &Call) -> Result<Reply, ApiError> {
    answer::<R>(call, &ListRequest::of_query(&call.query)?)
}

fn answer<R: Resource>(call: &Call, request: &ListRequest) -> Result<Reply, ApiError> {
    let selection = request.selection(R::TYPE)?;
    let (total, resources) = with_view(call, |view| {
        selection.page::<R>(view, request.from, request.count)
    })?;
    json(200, &ListResponse::new(total, request.from, resources))
}

fn with_view<T>(call: &Call, read: impl FnOnce(&View<'_>) -> T) -> Result<T, ScimError> {
    let state = call.environment.state();
    let directory = directory(&state, call)?;
    Ok(read(&View {
        state: &state,
        directory,
        base_url: base_url(call),
    }))
}

/// `POST /Users/.search`
pub(super) fn search_users(call: &Call) -> Result<Reply, ApiError> {
    answer::<DirectoryUser>(call, &ListRequest::of_body(call.raw_body())?)
}

/// `POST /Groups/.search`
pub(super) fn search_groups(call: &Call) -> Result<Reply, ApiError> {
    answer::<DirectoryGroup>(call, &ListRequest::of_body(call.raw_body())?)
}

/// `POST /.search`: users and groups.
///
/// Assumption: users come first, also in a sorted list, whose order is that of each kind.
pub(super) fn search(call: &Call) -> Result<Reply, ApiError> {
    let request = ListRequest::of_body(call.raw_body())?;
    let users = request.selection(DirectoryUser::TYPE)?;
    let groups = request.selection(DirectoryGroup::TYPE)?;
    let (total, resources) = with_view(call, |view| {
        let (people, mut resources) = users.page::<DirectoryUser>(view, request.from, request.count);
        let from = request.from.saturating_sub(people);
        let left = request.count.saturating_sub(resources.len());
        let (total, more) = groups.page::<DirectoryGroup>(view, from, left);
        resources.extend(more);
        (people + total, resources)
    })?;
    json(200, &ListResponse::new(total, request.from, resources))
}
