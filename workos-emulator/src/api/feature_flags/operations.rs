//! The operations on feature flags.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Flag, find, on_for, rules};
use crate::{
    api::{
        organizations,
        user_management::{memberships, users},
    },
    server::{call::Call, error::ApiError, reply::Reply},
    store::{List, Select, State},
};

/// A page of flags.
fn page(call: &Call, state: &State, flags: &Select<'_, Flag>) -> Result<Reply, ApiError> {
    let page = flags.page(&state.feature_flags, &call.page()?)?;
    Reply::ok(&List {
        data: page.data.iter().map(|flag| flag.body()).collect(),
        before: page.before,
        after: page.after,
    })
}

/// `GET /feature-flags`
pub(crate) fn list_feature_flags(call: &Call) -> Result<Reply, ApiError> {
    page(call, &call.environment.state(), &Select::all())
}

/// `GET /feature-flags/{slug}`
pub(crate) fn get_feature_flag(call: &Call) -> Result<Reply, ApiError> {
    Reply::ok(&find(&call.environment.state(), call.param("slug"))?.body())
}

/// `PUT /feature-flags/{slug}/enable`
pub(crate) fn enable_feature_flag(call: &Call) -> Result<Reply, ApiError> {
    set_enabled(call, true)
}

/// `PUT /feature-flags/{slug}/disable`
pub(crate) fn disable_feature_flag(call: &Call) -> Result<Reply, ApiError> {
    set_enabled(call, false)
}

fn set_enabled(call: &Call, enabled: bool) -> Result<Reply, ApiError> {
    let slug = call.param("slug");
    let flag = call
        .environment
        .transact(|tx| rules::set_enabled(tx, slug, enabled))?;
    Reply::ok(&flag.body())
}

/// `POST /feature-flags/{slug}/targets/{resourceId}`
pub(crate) fn add_flag_target(call: &Call) -> Result<Reply, ApiError> {
    call.environment
        .transact(|tx| rules::add_target(tx, call.param("slug"), call.param("resourceId")))?;
    Reply::empty(204)
}

/// `DELETE /feature-flags/{slug}/targets/{resourceId}`
pub(crate) fn remove_flag_target(call: &Call) -> Result<Reply, ApiError> {
    call.environment
        .transact(|tx| rules::remove_target(tx, call.param("slug"), call.param("resourceId")))?;
    Reply::empty(204)
}

/// `GET /organizations/{organizationId}/feature-flags`
pub(crate) fn list_organization_feature_flags(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let organization = organizations::find(&state, call.param("organizationId"))?;
    page(call, &state, &on_for([organization.id.as_str()]))
}

/// `GET /user_management/users/{userId}/feature-flags`: those of the user and of the organizations that the user is an
/// active member of.
pub(crate) fn list_user_feature_flags(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let user = users::find(&state, call.param("userId"))?;
    let organizations =
        memberships::active_of_user(&state, &user.id).map(|membership| membership.organization_id.as_str());
    page(
        call,
        &state,
        &on_for([user.id.as_str()].into_iter().chain(organizations)),
    )
}

/// A flag as the runtime clients of the SDKs evaluate it.
#[derive(Debug, Serialize)]
struct PolledFlag<'a> {
    slug: &'a str,
    enabled: bool,
    default_value: bool,
    targets: PolledTargets<'a>,
}

#[derive(Debug, Default, Serialize)]
struct PolledTargets<'a> {
    users: Vec<PolledTarget<'a>>,
    organizations: Vec<PolledTarget<'a>>,
}

#[derive(Debug, Serialize)]
struct PolledTarget<'a> {
    id: &'a str,
    enabled: bool,
}

impl<'a> PolledFlag<'a> {
    fn new(state: &State, flag: &'a Flag) -> Self {
        let mut targets = PolledTargets::default();
        for id in &flag.targets {
            let of_its_kind = if state.users.get(id).is_some() {
                &mut targets.users
            } else {
                &mut targets.organizations
            };
            of_its_kind.push(PolledTarget { id, enabled: true });
        }
        Self {
            slug: &flag.slug,
            enabled: flag.enabled,
            default_value: flag.default_value,
            targets,
        }
    }
}

/// `GET /sdk/feature-flags`: every flag by its slug. It is not in WorkOS's description of the API; the runtime client of
/// the official Node SDK polls it.
pub(crate) fn poll_feature_flags(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let flags: BTreeMap<_, _> = state
        .feature_flags
        .iter()
        .map(|flag| (flag.slug.as_str(), PolledFlag::new(&state, flag)))
        .collect();
    Reply::ok(&flags)
}
