//! The last step: somebody signs in, and sees what came of it. The first sign-in that succeeds makes the connection active.

use serde::Serialize;

use super::{
    error, frame_of, page,
    pages::{
        Form,
        portal::sso::{Advice, ProfileRow, SessionPage, SessionRow, TestPage},
        sso::ShownStep,
    },
    path, provider, show,
    steps::{self, Step},
    submit,
    visit::{self, Visit},
};
use crate::{
    api::{
        admin_portal::intent::Intent,
        organizations::domains::DomainState,
        sso::{
            connections::{Connection, ConnectionState},
            profiles::Profile,
            sign_in::{self as sso, Purpose, SsoSession},
            traces::{SsoTrace, StepName, TraceStatus},
        },
        user_management::authorize,
    },
    control::sso_traces,
    core::clock,
    hosted::{portal::domains, sso::depart},
    server::{call::Call, error::ApiError, reply::Reply},
    store::Page,
};

/// How many sign-ins a page lists.
const MOST_LISTED: usize = 10;

/// `GET /portal/sso/{id}/test`
pub(crate) fn show_test(call: &Call) -> Result<Reply, ApiError> {
    show(call, |visit, connection| {
        if !steps::is_configured(connection) {
            return Ok(visit.to(&path(connection)));
        }
        page(
            200,
            &TestPage {
                chrome: visit.chrome(),
                frame: frame_of(visit, connection),
                way: &steps::way(visit, connection, Step::Test),
                form: Form {
                    action: &Step::Test.path(connection),
                    hidden: &visit.hidden(),
                },
                provider: provider(connection.r#type()),
                active: connection.state == ConnectionState::Active,
                domains: &verified_domains(visit),
                any_domain: visit.organization.allow_profiles_outside_organization,
                domains_url: domains_url(visit).as_deref(),
                sessions: &sessions(visit, connection)?,
            },
        )
    })
}

/// `POST /portal/sso/{id}/test`: off to the identity provider, to come back here.
pub(crate) fn start_test(call: &Call) -> Result<Reply, ApiError> {
    submit(call, |visit, connection| {
        if !steps::is_configured(connection) {
            return Ok(visit.to(&path(connection)));
        }
        let device = authorize::device(call);
        let session = call.environment.transact(|tx| {
            let purpose = Purpose::Test {
                portal_session_id: visit.session.id.clone(),
            };
            sso::begin(tx, connection, purpose, None, device)
        })?;
        Ok(depart(call, &session, 303))
    })
}

fn result_path(connection_id: &str, session_id: &str) -> String {
    format!("{}/{connection_id}/sessions/{session_id}", super::PATH)
}

/// Where a test ends: in the session of the portal in which it began, if that is not over.
pub(in crate::hosted) fn result_url(call: &Call, portal_session_id: &str, session: &SsoSession) -> String {
    let path = result_path(&session.connection_id, &session.id);
    visit::url(call, portal_session_id, &path)
}

/// `GET /portal/sso/{id}/sessions/{session_id}`: a sign-in through the connection, by a test or by anybody.
pub(crate) fn show_sign_in(call: &Call) -> Result<Reply, ApiError> {
    show(call, |visit, connection| {
        let state = call.environment.state();
        let trace = state.sso_traces.get(call.param("session_id"));
        let Some(trace) = trace.filter(|trace| trace.connection_id == connection.id) else {
            return error::portal_session_over(call);
        };
        let succeeded = trace.status == TraceStatus::Succeeded;
        let profile = trace.profile_id.as_deref().and_then(|id| state.profiles.get(id));
        let profile = profile.filter(|_| succeeded);
        let raw = profile
            .map(|profile| pretty(&profile.raw_attributes))
            .transpose()?;
        page(
            200,
            &SessionPage {
                chrome: visit.chrome(),
                frame: frame_of(visit, connection),
                form: Form {
                    action: &Step::Test.path(connection),
                    hidden: &visit.hidden(),
                },
                provider: provider(connection.r#type()),
                outcome: outcome(trace.status),
                succeeded,
                in_progress: trace.status == TraceStatus::InProgress,
                active: connection.state == ConnectionState::Active,
                time: people_read(trace),
                email: trace.email.as_deref(),
                profile: &profile.map(|profile| rows(profile)).unwrap_or_default(),
                raw: raw.as_deref(),
                steps: &shown(trace),
                advice: advice(visit, connection, trace),
                configured: steps::is_configured(connection),
            },
        )
    })
}

fn outcome(status: TraceStatus) -> &'static str {
    match status {
        TraceStatus::InProgress => "In progress",
        TraceStatus::Succeeded => "Succeeded",
        TraceStatus::Failed => "Failed",
        TraceStatus::TimedOut => "Timed out",
    }
}

fn people_read(trace: &SsoTrace) -> String {
    trace.created_at.strftime("%b %-d, %H:%M:%S UTC").to_string()
}

fn pretty(value: &impl Serialize) -> Result<String, ApiError> {
    serde_json::to_string_pretty(value).map_err(|error| ApiError::message(500, error.to_string()))
}

fn shown(trace: &SsoTrace) -> Vec<ShownStep<'_>> {
    let steps = trace.steps.iter().map(|step| ShownStep {
        title: step.step.title(),
        passed: step.passed,
        detail: &step.detail,
    });
    steps.collect()
}

/// The profile, as the application gets it.
fn rows(profile: &Profile) -> Vec<ProfileRow> {
    let row = |name: &str, value: Option<String>| ProfileRow {
        name: name.to_owned(),
        value: value.filter(|value| !value.is_empty()),
    };
    let listed = |values: &[String]| Some(values.join(", "));
    let mut rows = vec![
        row("User ID", Some(profile.idp_id.clone())),
        row("Email", Some(profile.email.clone())),
        row("First name", profile.first_name.clone()),
        row("Last name", profile.last_name.clone()),
        row("Groups", listed(&profile.groups)),
    ];
    if !profile.roles.is_empty() {
        rows.push(row("Roles", listed(&profile.roles)));
    }
    for (name, value) in &profile.custom_attributes {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        rows.push(row(name, Some(value)));
    }
    rows
}

/// What an administrator can do about a sign-in that failed.
fn advice(visit: &Visit<'_>, connection: &Connection, trace: &SsoTrace) -> Option<Advice> {
    let failed = trace.steps.iter().find(|step| !step.passed)?;
    let step = |text, step: Step| Advice {
        text,
        link: Some((visit.url(&step.path(connection)), "Go to this step")),
    };
    Some(match failed.step {
        StepName::Attributes => step(
            "Let your identity provider send the attribute, or tell us by which name it sends it.",
            Step::Attributes,
        ),
        StepName::Domain => Advice {
            text: "People sign in with addresses of domains that your organization has verified.",
            link: domains_url(visit).map(|url| (url, "Verify a domain")),
        },
        StepName::Response if is_denied(trace) => Advice {
            text: "Your identity provider knows the person and does not let them use the application: assign it to them.",
            link: None,
        },
        StepName::Connection
        | StepName::Profile
        | StepName::Roles
        | StepName::Consent
        | StepName::User
        | StepName::Code
        | StepName::Exchange => return None,
        // Whatever was said, it was not what the two have agreed on.
        _ => step(
            "Compare what is set up here with what your identity provider shows.",
            Step::Configuration,
        ),
    })
}

fn is_denied(trace: &SsoTrace) -> bool {
    trace
        .error
        .as_ref()
        .is_some_and(|error| error.code == "access_denied")
}

fn verified_domains<'a>(visit: &'a Visit<'_>) -> Vec<&'a str> {
    let domains = visit.organization.domains.iter();
    domains
        .filter(|domain| domain.state == DomainState::Verified)
        .map(|domain| domain.domain.as_str())
        .collect()
}

/// Where domains are verified, if the link is for that too.
fn domains_url(visit: &Visit<'_>) -> Option<String> {
    let intents = &visit.session.access.intents;
    intents
        .contains(&Intent::DomainVerification)
        .then(|| visit.url(domains::PATH))
}

/// The newest sign-ins through a connection.
pub(super) fn sessions(visit: &Visit<'_>, connection: &Connection) -> Result<Vec<SessionRow>, ApiError> {
    let state = visit.call.environment.state();
    let asked = Page {
        limit: MOST_LISTED,
        ..Page::default()
    };
    let list = sso_traces::page(&state, Some(&connection.id), &asked)?;
    let rows = list.data.iter().map(|trace| SessionRow {
        who: trace.email.clone().unwrap_or_else(|| "Nobody yet".to_owned()),
        outcome: outcome(trace.status),
        class: match trace.status {
            TraceStatus::Succeeded => "succeeded",
            TraceStatus::InProgress => "in-progress",
            TraceStatus::Failed | TraceStatus::TimedOut => "failed",
        },
        created_at: clock::iso8601(trace.created_at),
        time: people_read(trace),
        url: visit.url(&result_path(&connection.id, &trace.id)),
    });
    Ok(rows.collect())
}
