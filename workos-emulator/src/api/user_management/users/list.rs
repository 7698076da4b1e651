//! Lists of users.

use std::sync::Arc;

use super::{BY_EMAIL, User};
use crate::{
    api::user_management::memberships,
    server::{call::Call, error::ApiError, reply::Reply},
    store::{List, Page, Select, State, UnknownCursor, group},
};

/// `GET /user_management/users`
///
/// Assumptions: the users of an organization are those who can sign in to it, its active members; an unknown organization
/// has none. `organization` is the older name of `organization_id`.
pub(crate) fn list_users(call: &Call) -> Result<Reply, ApiError> {
    let given = |name| call.query.get(name).filter(|value| !value.is_empty());
    let email = given("email").map(|email| email.trim().to_lowercase());
    let organization_id = given("organization_id").or_else(|| given("organization"));
    let state = call.environment.state();
    let page = call.page()?;
    let users = match (email, organization_id) {
        (None, None) => Select::all().page(&state.users, &page),
        (Some(email), None) => Select::group(BY_EMAIL, &email).page(&state.users, &page),
        (None, Some(organization_id)) => of_organization(&state, organization_id, &page),
        (Some(email), Some(organization_id)) => Select::group(BY_EMAIL, &email)
            .filter(|user: &User| memberships::active(&state, &user.id, organization_id).is_some())
            .page(&state.users, &page),
    };
    Reply::ok(&users?)
}

/// A page of the active members of an organization, in the order in which the users were created.
pub(super) fn of_organization(
    state: &State,
    organization_id: &str,
    page: &Page,
) -> Result<List<Arc<User>>, UnknownCursor> {
    let group = group(&[organization_id, memberships::MembershipStatus::Active.as_str()]);
    let members = Select::group(memberships::BY_ORGANIZATION_AND_USER, &group)
        .cursors(|user_id| Some(memberships::rank_of_user(state.users.place(user_id)?)))
        .page(&state.organization_memberships, page)?;
    let user_id = |cursor: Option<String>| {
        let member = state.organization_memberships.get(&cursor?)?;
        Some(member.user_id.clone())
    };
    Ok(List {
        before: user_id(members.before),
        after: user_id(members.after),
        data: members
            .data
            .iter()
            .filter_map(|member| state.users.get(&member.user_id).cloned())
            .collect(),
    })
}
