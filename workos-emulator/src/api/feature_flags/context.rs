//! The `context` of flag events: who changed the flag, its rule, and what was before.

use serde::Serialize;

use super::{AccessType, Flag};
use crate::store::{State, Transaction};

/// Where a change comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    /// A call of the API.
    Api,
    /// A call of the control API, or a seed.
    Dashboard,
    /// It follows from another change: a target was deleted.
    System,
}

/// Assumption: the emulator knows no people of a dashboard and no names of API keys, so the environment stands for them.
#[derive(Debug, Serialize)]
struct Actor {
    id: String,
    source: Source,
    name: Option<String>,
}

/// What every flag event says.
#[derive(Debug, Serialize)]
pub(super) struct Context<'a> {
    client_id: String,
    actor: Actor,
    #[serde(flatten)]
    rule: Option<Rule>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_attributes: Option<Previous<'a>>,
}

/// The rule of a flag: as it is now in full, as it was before where it differs.
#[derive(Debug, Default, Serialize)]
struct Rule {
    #[serde(skip_serializing_if = "Option::is_none")]
    access_type: Option<AccessType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    configured_targets: Option<Targets>,
}

#[derive(Debug, Serialize)]
struct Targets {
    organizations: Vec<OrganizationTarget>,
    users: Vec<UserTarget>,
}

#[derive(Debug, Serialize)]
struct OrganizationTarget {
    id: String,
    name: String,
}

#[derive(Debug, Serialize)]
struct UserTarget {
    id: String,
    email: String,
}

/// What differs from before.
#[derive(Debug, Default, Serialize)]
struct Previous<'a> {
    data: PreviousData<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Rule>,
}

#[derive(Debug, Default, Serialize)]
struct PreviousData<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_value: Option<bool>,
}

/// The context of `flag.created` and `flag.deleted`.
pub(super) fn plain(tx: &Transaction<'_>, source: Source) -> Context<'static> {
    Context {
        client_id: tx.client_id().to_owned(),
        actor: Actor {
            id: tx.environment_id().to_owned(),
            source,
            name: None,
        },
        rule: None,
        previous_attributes: None,
    }
}

/// The context of `flag.updated`.
pub(super) fn updated<'a>(
    tx: &Transaction<'_>,
    source: Source,
    before: &'a Flag,
    after: &Flag,
) -> Context<'a> {
    let data = PreviousData {
        name: (before.name != after.name).then_some(&before.name),
        description: (before.description != after.description).then_some(before.description.as_deref()),
        tags: (before.tags != after.tags).then_some(&before.tags),
        ..PreviousData::default()
    };
    Context {
        previous_attributes: Some(Previous { data, context: None }),
        ..plain(tx, source)
    }
}

/// The context of `flag.rule_updated`.
pub(super) fn rule_updated<'a>(
    tx: &Transaction<'_>,
    source: Source,
    before: &'a Flag,
    after: &Flag,
) -> Context<'a> {
    let data = PreviousData {
        enabled: (before.enabled != after.enabled).then_some(before.enabled),
        default_value: (before.default_value != after.default_value).then_some(before.default_value),
        ..PreviousData::default()
    };
    let access_type = before.access_type();
    let previous = Rule {
        access_type: (access_type != after.access_type()).then_some(access_type),
        configured_targets: (before.targets != after.targets).then(|| targets(tx, before)),
    };
    Context {
        rule: Some(Rule {
            access_type: Some(after.access_type()),
            configured_targets: Some(targets(tx, after)),
        }),
        previous_attributes: Some(Previous {
            data,
            context: Some(previous),
        }),
        ..plain(tx, source)
    }
}

fn targets(state: &State, flag: &Flag) -> Targets {
    let organizations = flag.targets.iter().filter_map(|id| state.organizations.get(id));
    let users = flag.targets.iter().filter_map(|id| state.users.get(id));
    Targets {
        organizations: organizations
            .map(|organization| OrganizationTarget {
                id: organization.id.clone(),
                name: organization.name.clone(),
            })
            .collect(),
        users: users
            .map(|user| UserTarget {
                id: user.id.clone(),
                email: user.email.clone(),
            })
            .collect(),
    }
}
