//! The trace of a sign-in through a connection: each step and each check, and why it went wrong where it did.
//!
//! It is what the Sessions tab of a connection is in the dashboard, for whoever develops against it. Only the newest are
//! kept.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::connections::Connection;
use crate::{
    core::clock,
    server::error::ApiError,
    store::{Index, Record, State, Transaction},
};

/// Who began the sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum InitiatedBy {
    Application,
    IdentityProvider,
    /// An administrator tests the connection.
    AdminPortal,
}

/// How a sign-in stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TraceStatus {
    InProgress,
    /// The application got a code, or the administrator saw the profile.
    Succeeded,
    Failed,
    TimedOut,
}

/// What is done, or looked at, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StepName {
    Request,
    Discovery,
    Departure,
    TokenRequest,
    IdTokenSignature,
    IdTokenIssuer,
    IdTokenAudience,
    IdTokenTimes,
    IdTokenNonce,
    UserInfo,
    /// SAML: whether the response can be read.
    SamlMessage,
    SamlStatus,
    Signature,
    Issuer,
    Recipient,
    Audience,
    Validity,
    Replay,
    Response,
    Correlation,
    Connection,
    Attributes,
    Domain,
    Profile,
    Roles,
    Consent,
    User,
    Code,
    Exchange,
}

impl StepName {
    /// For people.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Request => "Authorization request",
            Self::Discovery => "Discovery document of the identity provider",
            Self::Departure => "Sent to the identity provider",
            Self::TokenRequest => "Code exchanged at the identity provider",
            Self::IdTokenSignature => "Signature of the ID token",
            Self::IdTokenIssuer => "Issuer of the ID token (iss)",
            Self::IdTokenAudience => "Audience of the ID token (aud, azp)",
            Self::IdTokenTimes => "Times of the ID token (exp, iat, nbf)",
            Self::IdTokenNonce => "Nonce of the ID token",
            Self::UserInfo => "Userinfo of the identity provider",
            Self::SamlMessage => "SAML response",
            Self::SamlStatus => "Status of the response",
            Self::Signature => "Signature",
            Self::Issuer => "Issuer",
            Self::Recipient => "Destination and recipient",
            Self::Audience => "Audience",
            Self::Validity => "Time of validity",
            Self::Replay => "The assertion is used once",
            Self::Response => "Answer of the identity provider",
            Self::Correlation => "The answer belongs to the request",
            Self::Connection => "The connection can be used",
            Self::Attributes => "Attributes are complete",
            Self::Domain => "The email domain belongs to the organization",
            Self::Profile => "Profile",
            Self::Roles => "Roles from groups",
            Self::Consent => "Sign-in consent",
            Self::User => "AuthKit user",
            Self::Code => "Code sent to the application",
            Self::Exchange => "Code exchanged by the application",
        }
    }
}

/// A step of a trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TraceStep {
    pub(crate) step: StepName,
    pub(crate) passed: bool,
    pub(crate) detail: String,
    #[serde(with = "clock::timestamp")]
    pub(crate) at: Timestamp,
}

/// A trace as it is kept and shown. It has the id of its sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "object", rename = "sso_trace")]
pub(crate) struct SsoTrace {
    pub(crate) id: String,
    pub(crate) connection_id: String,
    pub(crate) organization_id: Option<String>,
    pub(crate) initiated_by: InitiatedBy,
    pub(crate) status: TraceStatus,
    pub(crate) email: Option<String>,
    pub(crate) profile_id: Option<String>,
    pub(crate) error: Option<TraceError>,
    pub(crate) steps: Vec<TraceStep>,
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    pub(crate) updated_at: Timestamp,
}

/// What the application was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TraceError {
    pub(crate) code: String,
    pub(crate) message: String,
}

pub(crate) const BY_CONNECTION: Index<SsoTrace> = Index::ordered("connection", |trace| {
    vec![(trace.connection_id.as_str().into(), 0)]
});

impl Record for SsoTrace {
    const INDEXES: &'static [Index<Self>] = &[BY_CONNECTION];
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.id
    }
}

/// How many sign-ins are remembered, of all connections together.
const MOST: usize = 500;
/// The longest detail, in characters: strangers choose what stands in it.
const LONGEST: usize = 400;
/// The most steps. A sign-in has fewer; whoever sends one code a thousand times sees the first.
const MOST_STEPS: usize = 32;

/// Begins the trace of a sign-in.
pub(crate) fn begin(
    tx: &mut Transaction<'_>,
    id: &str,
    connection: &Connection,
    initiated_by: InitiatedBy,
) -> Result<(), ApiError> {
    let now = tx.now();
    let oldest = tx.sso_traces.iter().next().map(|trace| trace.id.clone());
    if let Some(oldest) = oldest.filter(|_| tx.sso_traces.len() >= MOST) {
        tx.delete::<SsoTrace>(&oldest);
    }
    tx.put(SsoTrace {
        id: id.to_owned(),
        connection_id: connection.id.clone(),
        organization_id: connection.organization_id.clone(),
        initiated_by,
        status: TraceStatus::InProgress,
        email: None,
        profile_id: None,
        error: None,
        steps: Vec::new(),
        created_at: now,
        updated_at: now,
    })?;
    Ok(())
}

fn change(tx: &mut Transaction<'_>, id: &str, change: impl FnOnce(&mut SsoTrace)) -> Result<(), ApiError> {
    let Some(mut trace) = tx.sso_traces.get(id).map(|trace| SsoTrace::clone(trace)) else {
        return Ok(());
    };
    change(&mut trace);
    trace.updated_at = tx.now();
    tx.put(trace)?;
    Ok(())
}

/// Writes a step down.
pub(crate) fn step(
    tx: &mut Transaction<'_>,
    id: &str,
    step: StepName,
    passed: bool,
    detail: impl Into<String>,
) -> Result<(), ApiError> {
    let at = tx.now();
    let mut detail = detail.into();
    if let Some((end, _)) = detail.char_indices().nth(LONGEST) {
        detail.truncate(end);
        detail.push('…');
    }
    change(tx, id, |trace| {
        if trace.steps.len() < MOST_STEPS {
            trace.steps.push(TraceStep {
                step,
                passed,
                detail,
                at,
            });
        }
    })
}

/// Steps that are taken while no transaction can be held open, to be written down in one.
#[derive(Debug, Default)]
pub(crate) struct Steps(Vec<(StepName, bool, String)>);

impl Steps {
    pub(crate) fn passed(&mut self, step: StepName, detail: impl Into<String>) {
        self.0.push((step, true, detail.into()));
    }

    pub(crate) fn failed(&mut self, step: StepName, detail: impl Into<String>) {
        self.0.push((step, false, detail.into()));
    }

    /// Takes down what a check says, whether it is passed or not.
    pub(crate) fn check(&mut self, step: StepName, outcome: Result<String, String>) -> Result<(), String> {
        let detail = self.told(step, outcome)?;
        self.passed(step, detail);
        Ok(())
    }

    /// Takes down what went wrong, if it did.
    pub(crate) fn told<T>(&mut self, step: StepName, outcome: Result<T, String>) -> Result<T, String> {
        if let Err(reason) = &outcome {
            self.failed(step, reason.clone());
        }
        outcome
    }

    /// Writes them down.
    pub(crate) fn write(self, tx: &mut Transaction<'_>, id: &str) -> Result<(), ApiError> {
        self.0
            .into_iter()
            .try_for_each(|(name, passed, detail)| step(tx, id, name, passed, detail))
    }

    #[cfg(test)]
    pub(crate) fn last(&self) -> Option<(StepName, bool)> {
        self.0.last().map(|(step, passed, _)| (*step, *passed))
    }
}

/// Says who it is.
pub(crate) fn identified(
    tx: &mut Transaction<'_>,
    id: &str,
    email: &str,
    profile_id: Option<&str>,
) -> Result<(), ApiError> {
    change(tx, id, |trace| {
        trace.email = Some(email.to_owned());
        if let Some(profile_id) = profile_id {
            trace.profile_id = Some(profile_id.to_owned());
        }
    })
}

/// Says how it ended.
pub(crate) fn end(
    tx: &mut Transaction<'_>,
    id: &str,
    status: TraceStatus,
    error: Option<(&str, &str)>,
) -> Result<(), ApiError> {
    change(tx, id, |trace| {
        trace.status = status;
        trace.error = error.map(|(code, message)| TraceError {
            code: code.to_owned(),
            message: message.to_owned(),
        });
    })
}

/// The trace with this id, or the refusal.
pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Arc<SsoTrace>, ApiError> {
    state
        .sso_traces
        .get(id)
        .ok_or_else(|| ApiError::not_found("SSO trace", id))
}

/// Deletes the traces of a connection that is deleted.
pub(crate) fn delete_of_connection(tx: &mut Transaction<'_>, connection_id: &str) {
    let ids: Vec<_> = tx
        .sso_traces
        .group(BY_CONNECTION, connection_id)
        .map(|trace| trace.id.clone())
        .collect();
    for id in ids {
        tx.delete::<SsoTrace>(&id);
    }
}
