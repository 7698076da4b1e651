//! How flags come to be, change and go, each with its event.
//!
//! Source of which change has which event: <https://workos.com/docs/feature-flags/slack-notifications>. Name, description
//! and tags are `flag.updated`; whether the flag is enabled, its default value and its targets are `flag.rule_updated`.

use std::sync::Arc;

use serde::Deserialize;

use super::{BY_TARGET, Flag, Owner, Source, context, find};
use crate::{
    api::{organizations, user_management::users},
    server::{body::Patch, error::ApiError},
    store::{State, Transaction},
};

/// A flag to be made.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct NewFlag {
    /// Only a seed gives an id.
    #[serde(skip)]
    pub(crate) id: Option<String>,
    pub(crate) slug: String,
    /// Default: the slug.
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) owner: Option<Owner>,
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    /// Default: true.
    pub(crate) enabled: Option<bool>,
    #[serde(default)]
    pub(crate) default_value: bool,
    /// Ids of users and organizations.
    #[serde(default)]
    pub(crate) targets: Vec<String>,
}

/// What is to become of a flag.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct FlagChanges {
    name: Option<String>,
    #[serde(default)]
    description: Patch<String>,
    tags: Option<Vec<String>>,
    enabled: Option<bool>,
    default_value: Option<bool>,
    /// The whole set.
    targets: Option<Vec<String>>,
}

/// Creates a flag, as the dashboard does.
pub(crate) fn create(tx: &mut Transaction<'_>, new: NewFlag) -> Result<Arc<Flag>, ApiError> {
    check_slug(&new.slug)?;
    if find(tx, &new.slug).is_ok() {
        return Err(ApiError::conflict(
            "feature_flag_slug_conflict",
            format!("A feature flag with the slug '{}' exists already.", new.slug),
        ));
    }
    let flag = Flag {
        id: new.id.unwrap_or_else(|| tx.id("flag")),
        name: new.name.unwrap_or_else(|| new.slug.clone()),
        slug: new.slug,
        description: new.description,
        owner: new.owner,
        tags: new.tags,
        enabled: new.enabled.unwrap_or(true),
        default_value: new.default_value,
        targets: checked_targets(tx, new.targets)?,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    check_name(&flag.name)?;
    let flag = tx.put(flag)?;
    emit_plain(tx, "flag.created", &flag, Source::Dashboard)?;
    Ok(flag)
}

/// Changes a flag, as the dashboard does.
pub(crate) fn update(
    tx: &mut Transaction<'_>,
    slug: &str,
    changes: FlagChanges,
) -> Result<Arc<Flag>, ApiError> {
    let targets = changes.targets.map(|targets| checked_targets(tx, targets));
    let targets = targets.transpose()?;
    if let Some(name) = &changes.name {
        check_name(name)?;
    }
    change(tx, slug, Source::Dashboard, |flag| {
        flag.name = changes.name.unwrap_or_else(|| flag.name.clone());
        changes.description.apply_to(&mut flag.description);
        flag.tags = changes.tags.unwrap_or_else(|| flag.tags.clone());
        flag.enabled = changes.enabled.unwrap_or(flag.enabled);
        flag.default_value = changes.default_value.unwrap_or(flag.default_value);
        flag.targets = targets.unwrap_or_else(|| flag.targets.clone());
    })
}

/// Turns a flag on or off, whatever its rule says.
pub(super) fn set_enabled(
    tx: &mut Transaction<'_>,
    slug: &str,
    enabled: bool,
) -> Result<Arc<Flag>, ApiError> {
    change(tx, slug, Source::Api, |flag| flag.enabled = enabled)
}

/// Lets a user or an organization have a flag. One that has it already changes nothing.
pub(super) fn add_target(tx: &mut Transaction<'_>, slug: &str, id: &str) -> Result<(), ApiError> {
    check_target(tx, slug, id)?;
    change(tx, slug, Source::Api, |flag| {
        if !flag.targets.iter().any(|target| target == id) {
            flag.targets.push(id.to_owned());
        }
    })
    .map(drop)
}

/// Gives a target the default value again.
///
/// Assumption: one that is no target changes nothing, and is no error.
pub(super) fn remove_target(tx: &mut Transaction<'_>, slug: &str, id: &str) -> Result<(), ApiError> {
    check_target(tx, slug, id)?;
    change(tx, slug, Source::Api, |flag| {
        flag.targets.retain(|target| target != id);
    })
    .map(drop)
}

/// Takes a user or an organization that is being deleted out of the targets of all flags.
pub(crate) fn remove_from_all(tx: &mut Transaction<'_>, id: &str) -> Result<(), ApiError> {
    let flags: Vec<_> = tx.feature_flags.group(BY_TARGET, id).cloned().collect();
    for flag in flags {
        change(tx, &flag.slug, Source::System, |flag| {
            flag.targets.retain(|target| target != id);
        })?;
    }
    Ok(())
}

/// Deletes a flag, as the dashboard does.
pub(crate) fn delete(tx: &mut Transaction<'_>, slug: &str) -> Result<(), ApiError> {
    let flag = Arc::clone(find(tx, slug)?);
    tx.delete::<Flag>(&flag.id);
    emit_plain(tx, "flag.deleted", &flag, Source::Dashboard)
}

/// Changes a flag, with an event for its details and one for its rule where they change.
fn change(
    tx: &mut Transaction<'_>,
    slug: &str,
    source: Source,
    changes: impl FnOnce(&mut Flag),
) -> Result<Arc<Flag>, ApiError> {
    let before = Arc::clone(find(tx, slug)?);
    let mut after = Flag::clone(&before);
    changes(&mut after);
    if after == *before {
        return Ok(before);
    }
    after.updated_at = tx.now();
    let after = tx.put(after)?;
    let environment_id = tx.environment_id();
    let data = after.event_data(environment_id);
    let details = |flag: &Flag| (flag.name.clone(), flag.description.clone(), flag.tags.clone());
    if details(&before) != details(&after) {
        let context = context::updated(tx, source, &before, &after);
        tx.emit_with_context("flag.updated", &data, &context)?;
    }
    let rule = |flag: &Flag| (flag.enabled, flag.default_value, flag.targets.clone());
    if rule(&before) != rule(&after) {
        let context = context::rule_updated(tx, source, &before, &after);
        tx.emit_with_context("flag.rule_updated", &data, &context)?;
    }
    Ok(after)
}

fn emit_plain(tx: &mut Transaction<'_>, event: &str, flag: &Flag, source: Source) -> Result<(), ApiError> {
    let data = flag.event_data(tx.environment_id());
    let context = context::plain(tx, source);
    tx.emit_with_context(event, &data, &context).map(drop)
}

/// Checks that a flag and the target that a path names are there.
fn check_target(state: &State, slug: &str, id: &str) -> Result<(), ApiError> {
    find(state, slug)?;
    check_exists(state, id)
}

/// Source of the refusal: the API's description of `…/targets/{resourceId}`. The ids that a seed pins may have any form.
fn check_exists(state: &State, id: &str) -> Result<(), ApiError> {
    if id.starts_with("user_") || state.users.get(id).is_some() {
        users::find(state, id).map(drop)
    } else if id.starts_with("org_") || state.organizations.get(id).is_some() {
        organizations::find(state, id).map(drop)
    } else {
        Err(ApiError::bad_request(
            "invalid_resource_id_format",
            "Invalid resource id",
        ))
    }
}

/// The targets, each once, if all are there.
fn checked_targets(state: &State, targets: Vec<String>) -> Result<Vec<String>, ApiError> {
    let mut checked: Vec<String> = Vec::with_capacity(targets.len());
    for target in targets {
        check_exists(state, &target)?;
        if !checked.contains(&target) {
            checked.push(target);
        }
    }
    Ok(checked)
}

/// Assumption: production's form is not documented; a slug stands in paths and in a claim.
fn check_slug(slug: &str) -> Result<(), ApiError> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if (1..=128).contains(&slug.len()) && slug.bytes().all(is_allowed) {
        return Ok(());
    }
    let message = "slug has 1 to 128 letters, digits, -, _ and . only.";
    Err(ApiError::invalid_field("slug", "invalid_slug", message))
}

fn check_name(name: &str) -> Result<(), ApiError> {
    if name.trim().is_empty() {
        return Err(ApiError::invalid_field(
            "name",
            "required",
            "name must not be empty.",
        ));
    }
    Ok(())
}
