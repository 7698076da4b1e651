//! Feature flags. Source: <https://workos.com/docs/feature-flags>.
//!
//! * here – what a flag is, how it is shown, and whom it is on for.
//! * [`rules`] – how flags come to be, change and go.
//! * [`context`] – what the events of flags say besides the flag.
//! * [`operations`] – the API's operations; `control/feature_flags.rs` has those of the dashboard.

mod context;
mod operations;
mod rules;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use self::{
    context::Source,
    operations::{
        add_flag_target, disable_feature_flag, enable_feature_flag, get_feature_flag, list_feature_flags,
        list_organization_feature_flags, list_user_feature_flags, poll_feature_flags, remove_flag_target,
    },
    rules::{NewFlag, create, delete, remove_from_all, update},
};
use crate::{
    core::clock,
    server::error::ApiError,
    store::{Index, Record, Select, State},
};

/// Who looks after a flag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owner {
    pub(crate) email: String,
    #[serde(default)]
    pub(crate) first_name: Option<String>,
    #[serde(default)]
    pub(crate) last_name: Option<String>,
}

/// A flag as it is kept.
///
/// An enabled flag is on for its targets, and for everybody else it has its default value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Flag {
    pub(crate) id: String,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) owner: Option<Owner>,
    pub(crate) tags: Vec<String>,
    pub(crate) enabled: bool,
    pub(crate) default_value: bool,
    /// Ids of users and organizations, in the order in which they were added.
    pub(crate) targets: Vec<String>,
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    pub(crate) updated_at: Timestamp,
}

/// The group of [`ON`] that has the flags that are on for everybody.
const EVERYBODY: &str = "";

pub(crate) const BY_SLUG: Index<Flag> = Index::unique("slug", |flag| vec![(flag.slug.as_str().into(), 0)]);
/// The flags that are on for a target, or for [`EVERYBODY`].
const ON: Index<Flag> = Index::ordered("on", |flag| match (flag.enabled, flag.default_value) {
    (false, _) => Vec::new(),
    (true, true) => vec![(EVERYBODY.into(), 0)],
    (true, false) => entries_of_targets(flag),
});
/// The flags that have a target, whether they are on or not.
const BY_TARGET: Index<Flag> = Index::ordered("target", entries_of_targets);

fn entries_of_targets(flag: &Flag) -> Vec<(Arc<str>, i64)> {
    flag.targets.iter().map(|id| (id.as_str().into(), 0)).collect()
}

impl Record for Flag {
    const INDEXES: &'static [Index<Self>] = &[BY_SLUG, ON, BY_TARGET];

    fn id(&self) -> &str {
        &self.id
    }
}

/// A flag as the API and its events show it.
#[derive(Debug, Serialize)]
#[serde(tag = "object", rename = "feature_flag")]
pub(crate) struct FlagBody<'a> {
    id: &'a str,
    /// Only in events.
    #[serde(skip_serializing_if = "Option::is_none")]
    environment_id: Option<&'a str>,
    slug: &'a str,
    name: &'a str,
    description: Option<&'a str>,
    owner: Option<&'a Owner>,
    tags: &'a [String],
    enabled: bool,
    default_value: bool,
    #[serde(with = "clock::timestamp")]
    created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    updated_at: Timestamp,
}

/// Whom the rule of a flag lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum AccessType {
    None,
    Some,
    All,
}

impl Flag {
    pub(crate) fn body(&self) -> FlagBody<'_> {
        FlagBody {
            id: &self.id,
            environment_id: None,
            slug: &self.slug,
            name: &self.name,
            description: self.description.as_deref(),
            owner: self.owner.as_ref(),
            tags: &self.tags,
            enabled: self.enabled,
            default_value: self.default_value,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }

    fn event_data<'a>(&'a self, environment_id: &'a str) -> FlagBody<'a> {
        FlagBody {
            environment_id: Some(environment_id),
            ..self.body()
        }
    }

    /// Assumption: the dashboard's rule "All" is the default value `true`. The official SDK's runtime client, which knows
    /// a flag by its default value and its targets, leaves no other place for it.
    fn access_type(&self) -> AccessType {
        match (self.default_value, self.targets.is_empty()) {
            (true, _) => AccessType::All,
            (false, false) => AccessType::Some,
            (false, true) => AccessType::None,
        }
    }
}

/// The flag with this slug, or the refusal.
pub(crate) fn find<'a>(state: &'a State, slug: &str) -> Result<&'a Arc<Flag>, ApiError> {
    state
        .feature_flags
        .find(BY_SLUG, slug)
        .ok_or_else(|| ApiError::not_found("Feature flag", slug))
}

/// The flags that are on for any of these users and organizations.
fn on_for<'a>(targets: impl IntoIterator<Item = &'a str>) -> Select<'static, Flag> {
    Select::groups(ON, [EVERYBODY].into_iter().chain(targets))
}

/// The slugs of the flags that are on for a user in an organization: the `feature_flags` claim of access tokens.
pub(crate) fn slugs_on_for(state: &State, user_id: &str, organization_id: Option<&str>) -> Vec<String> {
    let groups = [Some(EVERYBODY), Some(user_id), organization_id];
    let mut slugs: Vec<_> = groups
        .into_iter()
        .flatten()
        .flat_map(|group| state.feature_flags.group(ON, group))
        .map(|flag| flag.slug.clone())
        .collect();
    slugs.sort();
    slugs.dedup();
    slugs
}
