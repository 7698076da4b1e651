//! The operations on directory users.

use std::sync::Arc;

use super::{
    super::{directories, groups, members},
    BY_EMAIL, BY_IDP_ID, DirectoryUser, LISTED_BY_DIRECTORY, find_listed,
};
use crate::{
    api::user_management::rate_limit,
    server::{call::Call, error::ApiError, reply::Reply},
    store::{List, Page, Select, State, group},
};

/// How often the users of a directory are listed in a second.
const MOST_IN_SECOND: u32 = 4;

/// `GET /directory_users`
///
/// Assumptions: `idp_id` and `email` without `directory` are 422, as they "require the `directory` parameter"; an unknown
/// directory or group is 404; without any filter the users of all directories are listed.
pub(crate) fn list_users(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let given = |name| call.query.get(name).filter(|value| !value.is_empty());
    let filter = Filter {
        directory: given("directory"),
        group: given("group"),
        idp_id: given("idp_id"),
        email: given("email").map(str::to_lowercase),
    };
    let page = filter.page(&state, &call.page()?)?;
    if let Some(directory) = filter
        .directory
        .filter(|_| state.settings().directory_sync.rate_limit)
        && !call
            .environment
            .transact(|tx| rate_limit::count_in_second(tx, directory, MOST_IN_SECOND))?
    {
        let mut refusal = Reply::json(429, &"Ratelimited")?;
        refusal.headers.push(("Retry-After", "1".to_owned()));
        return Ok(refusal);
    }
    let bodies: Result<Vec<_>, ApiError> = page
        .data
        .iter()
        .map(|user| {
            let directory = directories::find(&state, &user.directory_id)?;
            Ok(user.body_with_groups(&state, directory))
        })
        .collect();
    Reply::ok(&List {
        data: bodies?,
        before: page.before,
        after: page.after,
    })
}

/// `GET /directory_users/{id}`
pub(crate) fn get_user(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let user = find_listed(&state, call.param("id"))?;
    let directory = directories::find(&state, &user.directory_id)?;
    Reply::ok(&user.body_with_groups(&state, directory))
}

/// Which directory users are asked for.
struct Filter<'a> {
    directory: Option<&'a str>,
    group: Option<&'a str>,
    idp_id: Option<&'a str>,
    /// Lower-cased.
    email: Option<String>,
}

impl Filter<'_> {
    fn matches(&self, user: &DirectoryUser) -> bool {
        user.is_listed()
            && self.directory.is_none_or(|id| user.directory_id == id)
            && self.idp_id.is_none_or(|id| user.idp_id == id)
            && self.email.is_none() | (user.email.as_deref().map(str::to_lowercase) == self.email)
    }

    fn page(&self, state: &State, page: &Page) -> Result<List<Arc<DirectoryUser>>, ApiError> {
        if let Some(id) = self.directory {
            directories::find(state, id)?;
        }
        if let Some(id) = self.group {
            groups::find(state, id)?;
        }
        let name = match (&self.idp_id, &self.email) {
            (Some(_), _) => "idp_id",
            (None, Some(_)) => "email",
            (None, None) => "",
        };
        let select = match (self.directory, self.group) {
            (_, Some(group_id)) => return self.page_of_group(state, group_id, page),
            (None, None) if !name.is_empty() => {
                let message = format!("{name} requires the directory parameter.");
                return Err(ApiError::invalid_field("directory", "required", message));
            }
            (None, None) => Select::all(),
            (Some(id), None) => match (self.idp_id, &self.email) {
                (Some(idp_id), _) => Select::group(BY_IDP_ID, &group(&[id, idp_id])),
                (None, Some(email)) => Select::group(BY_EMAIL, &group(&[id, email])),
                (None, None) => Select::group(LISTED_BY_DIRECTORY, id),
            },
        };
        Ok(select
            .filter(|user| self.matches(user) && directories::find(state, &user.directory_id).is_ok())
            .page(&state.directory_users, page)?)
    }

    /// The members of a group, in the order in which the users were created.
    fn page_of_group(
        &self,
        state: &State,
        group_id: &str,
        page: &Page,
    ) -> Result<List<Arc<DirectoryUser>>, ApiError> {
        let user = |id: &str| state.directory_users.get(id).filter(|user| self.matches(user));
        let page = Select::group(members::LISTED_BY_GROUP, group_id)
            .cursors(|id| state.directory_users.place(id).map(members::rank))
            .filter(|member| user(&member.user_id).is_some())
            .page(&state.directory_group_members, page)?;
        let user_id = |cursor: Option<String>| {
            let member = state.directory_group_members.get(&cursor?)?;
            Some(member.user_id.clone())
        };
        Ok(List {
            data: page
                .data
                .iter()
                .filter_map(|member| user(&member.user_id).cloned())
                .collect(),
            before: user_id(page.before),
            after: user_id(page.after),
        })
    }
}
