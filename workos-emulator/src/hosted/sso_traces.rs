//! The page of SSO traces: how sign-ins through connections went, for the developer whose they are.
//!
//! It is part of what the control API shows, and seen by those who may call that.

use url::form_urlencoded;

use super::{
    chrome, page,
    pages::sso::{ConnectionChoice, ShownStep, ShownTrace, SsoTracesPage},
};
use crate::{
    api::sso::traces::{InitiatedBy, SsoTrace, TraceStatus},
    control,
    core::clock,
    server::{call::Call, error::ApiError, reply::Reply},
    store::{Page, State},
};

pub(crate) const PATH: &str = "/sso/traces";

/// How many a page shows.
const LIMIT: usize = 25;
/// How many connections can be chosen from.
const MOST_CONNECTIONS: usize = 100;

/// The address of the page, with what says which environment is meant, and what else there is to say.
fn address(call: &Call, pairs: &[(&str, Option<&str>)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(environment) = environment(call) {
        query.append_pair("environment", environment);
    }
    for (name, value) in pairs {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    match query.finish() {
        query if query.is_empty() => PATH.to_owned(),
        query => format!("{PATH}?{query}"),
    }
}

/// The environment's name, unless it is the one that is meant without saying.
fn environment(call: &Call) -> Option<&str> {
    let default = call.registry.default_environment();
    (call.environment.id != default.id).then_some(&call.environment.name)
}

/// `GET /sso/traces?connection_id=&environment=`: newest first.
pub(super) fn show_sso_traces(call: &Call) -> Result<Reply, ApiError> {
    let given = |name| call.query.get(name).filter(|value| !value.is_empty());
    let connection_id = given("connection_id");
    let state = call.environment.state();
    // A link to older ones may be older than what is kept.
    let after = given("older_than").filter(|id| state.sso_traces.place(id).is_some());
    let asked = Page {
        limit: LIMIT,
        after: after.map(str::to_owned),
        ..Page::default()
    };
    let list = control::sso_traces::page(&state, connection_id, &asked)?;
    let traces: Vec<_> = list
        .data
        .iter()
        .enumerate()
        .map(|(at, trace)| shown(&state, trace, at == 0 && after.is_none()))
        .collect();
    let connections: Vec<_> = state
        .connections
        .iter()
        .take(MOST_CONNECTIONS)
        .map(|connection| ConnectionChoice {
            id: &connection.id,
            name: &connection.name,
            selected: connection_id == Some(&connection.id),
        })
        .collect();
    let older_url = list.after.as_deref().map(|id| {
        address(
            call,
            &[("connection_id", connection_id), ("older_than", Some(id))],
        )
    });
    let mut example = format!("curl '{}/_emulate/sso/traces", call.base_url());
    if let Some(id) = connection_id {
        example.push_str(&format!("?connection_id={id}"));
    }
    example.push('\'');
    if let Some(name) = environment(call) {
        example.push_str(&format!(" \\\n  -H 'X-Emulate-Environment: {name}'"));
    }
    page(
        200,
        &SsoTracesPage {
            chrome: chrome(&call.environment),
            action: PATH,
            environment: environment(call),
            connections: &connections,
            traces: &traces,
            total: state.sso_traces.len(),
            refresh_url: &address(call, &[("connection_id", connection_id)]),
            older_url: older_url.as_deref(),
            example: &example,
        },
    )
}

fn shown<'a>(state: &'a State, trace: &'a SsoTrace, open: bool) -> ShownTrace<'a> {
    let connection = state.connections.get(&trace.connection_id);
    let (status, outcome) = match trace.status {
        TraceStatus::InProgress => ("in-progress", "In progress"),
        TraceStatus::Succeeded => ("succeeded", "Succeeded"),
        TraceStatus::Failed => ("failed", "Failed"),
        TraceStatus::TimedOut => ("failed", "Timed out"),
    };
    let steps = trace.steps.iter().map(|step| ShownStep {
        title: step.step.title(),
        passed: step.passed,
        detail: &step.detail,
    });
    ShownTrace {
        id: &trace.id,
        connection: connection.map_or("", |connection| &connection.name),
        connection_type: connection.map_or("", |connection| &connection.connection_type),
        email: trace.email.as_deref(),
        status,
        outcome,
        initiated_by: match trace.initiated_by {
            InitiatedBy::Application => "the application",
            InitiatedBy::IdentityProvider => "the identity provider",
            InitiatedBy::AdminPortal => "the Admin Portal",
        },
        error: trace
            .error
            .as_ref()
            .map(|error| (error.code.as_str(), error.message.as_str())),
        steps: steps.collect(),
        created_at: clock::iso8601(trace.created_at),
        time: trace.created_at.strftime("%b %-d, %H:%M:%S UTC").to_string(),
        open,
    }
}
