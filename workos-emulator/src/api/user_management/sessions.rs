//! Sessions. Source: <https://workos.com/docs/authkit/sessions>.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::authenticate::refresh_token::RefreshTokens;
use crate::{
    control::settings::Settings,
    core::{clock, jwt::Impersonator},
    server::{call::Call, error::ApiError, reply::Reply},
    store::{Index, Record, Select, State, Transaction, group},
};

/// How a session began. It is not the `authentication_method` of the authenticate response, which names the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AuthMethod {
    CrossAppAuth,
    ExternalAuth,
    Impersonation,
    MagicCode,
    MigratedSession,
    Oauth,
    Passkey,
    Password,
    Sso,
}

/// Whether a session goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SessionStatus {
    Active,
    /// Its time is over.
    Expired,
    /// Ended before its time: by sign-out, by the API, by a password reset, …
    Revoked,
}

/// A session as it is kept and shown; see [`Session::at`] for the status at a given time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "object", rename = "session")]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) user_id: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) organization_id: Option<String>,
    pub(crate) auth_method: AuthMethod,
    /// Who is behind it, when it is not the user.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) impersonator: Option<Impersonator>,
    pub(crate) status: SessionStatus,
    pub(crate) ip_address: Option<String>,
    pub(crate) user_agent: Option<String>,
    #[serde(with = "clock::timestamp")]
    pub(crate) expires_at: Timestamp,
    #[serde(with = "clock::timestamp::option")]
    pub(crate) ended_at: Option<Timestamp>,
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    pub(crate) updated_at: Timestamp,
}

/// A user's sessions that were not revoked; whether they are over is a matter of the time.
pub(crate) const BY_USER: Index<Session> = Index::ordered("user", |session| {
    let group = (session.user_id.as_str().into(), 0);
    (session.status == SessionStatus::Active)
        .then_some(group)
        .into_iter()
        .collect()
});
/// All of a user's sessions, those that have ended too.
const EVER_BY_USER: Index<Session> =
    Index::ordered("user, ever", |session| vec![(session.user_id.as_str().into(), 0)]);
/// Those of [`BY_USER`] in one organization.
pub(crate) const BY_USER_AND_ORGANIZATION: Index<Session> =
    Index::ordered("user and organization", |session| {
        let organization_id = session.organization_id.as_deref().unwrap_or_default();
        let group = (group(&[&session.user_id, organization_id]), 0);
        (session.status == SessionStatus::Active)
            .then_some(group)
            .into_iter()
            .collect()
    });

impl Record for Session {
    const INDEXES: &'static [Index<Self>] = &[BY_USER, EVER_BY_USER, BY_USER_AND_ORGANIZATION];

    fn id(&self) -> &str {
        &self.id
    }
}

impl Session {
    /// The session as it is at `now`.
    pub(crate) fn at(&self, now: Timestamp) -> Self {
        let mut session = self.clone();
        if session.status == SessionStatus::Active && now >= session.expires_at {
            session.status = SessionStatus::Expired;
            session.ended_at = Some(session.expires_at);
        }
        session
    }

    pub(crate) fn is_active(&self, now: Timestamp) -> bool {
        self.at(now).status == SessionStatus::Active
    }

    /// The session after a refresh at `now`: the inactivity timeout begins anew, the maximum length does not.
    ///
    /// Source: <https://workos.com/docs/authkit/sessions>. `expires_at` is always the end that is in sight, so that
    /// one look at it tells whether a session goes on.
    pub(crate) fn refreshed(&self, now: Timestamp, settings: &Settings) -> Self {
        Self {
            expires_at: end(self.created_at, now, self.impersonator.is_some(), settings),
            updated_at: now,
            ..self.clone()
        }
    }
}

/// The longest that a user is impersonated. Source: <https://workos.com/docs/authkit/impersonation>.
const IMPERSONATION: SignedDuration = SignedDuration::from_mins(60);

/// When a session ends that is not refreshed any more.
fn end(
    created_at: Timestamp,
    last_active_at: Timestamp,
    impersonated: bool,
    settings: &Settings,
) -> Timestamp {
    let seconds = |seconds: u32| SignedDuration::from_secs(seconds.into());
    let lifetime = match seconds(settings.session_lifetime) {
        lifetime if impersonated => lifetime.min(IMPERSONATION),
        lifetime => lifetime,
    };
    let longest = clock::saturating_add(created_at, lifetime);
    let inactive = clock::saturating_add(last_active_at, seconds(settings.session_inactivity));
    longest.min(inactive)
}

/// Where a person signs in from, as far as it is known: shown with the session and with events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Device {
    pub(crate) ip_address: Option<String>,
    pub(crate) user_agent: Option<String>,
}

impl Device {
    /// What is known from here, and else from `before`.
    pub(crate) fn or(self, before: &Self) -> Self {
        Self {
            ip_address: self.ip_address.or_else(|| before.ip_address.clone()),
            user_agent: self.user_agent.or_else(|| before.user_agent.clone()),
        }
    }
}

/// Begins a session.
pub(crate) fn create(
    tx: &mut Transaction<'_>,
    user_id: &str,
    organization_id: Option<String>,
    auth_method: AuthMethod,
    impersonator: Option<Impersonator>,
    device: Device,
) -> Result<Arc<Session>, ApiError> {
    let now = tx.now();
    let session = Session {
        id: tx.id("session"),
        user_id: user_id.to_owned(),
        organization_id,
        auth_method,
        status: SessionStatus::Active,
        ip_address: device.ip_address,
        user_agent: device.user_agent,
        expires_at: end(now, now, impersonator.is_some(), tx.settings()),
        impersonator,
        ended_at: None,
        created_at: now,
        updated_at: now,
    };
    let session = tx.put(session)?;
    tx.emit("session.created", &session)?;
    Ok(session)
}

/// Ends a session, once: a second call changes nothing.
pub(crate) fn revoke(tx: &mut Transaction<'_>, id: &str) -> Result<(), ApiError> {
    let now = tx.now();
    let Some(session) = tx.sessions.get(id).filter(|session| session.is_active(now)) else {
        return Ok(());
    };
    let mut session = Session::clone(session);
    session.status = SessionStatus::Revoked;
    session.ended_at = Some(now);
    session.updated_at = now;
    let session = tx.put(session)?;
    tx.emit("session.revoked", &session).map(drop)
}

/// Ends a user's sessions in one organization.
pub(crate) fn revoke_in_organization(
    tx: &mut Transaction<'_>,
    user_id: &str,
    organization_id: &str,
) -> Result<(), ApiError> {
    let ids = ids(tx, BY_USER_AND_ORGANIZATION, &group(&[user_id, organization_id]));
    ids.iter().try_for_each(|id| revoke(tx, id))
}

/// Ends all sessions of a user.
pub(crate) fn revoke_all(tx: &mut Transaction<'_>, user_id: &str) -> Result<(), ApiError> {
    ids(tx, BY_USER, user_id).iter().try_for_each(|id| revoke(tx, id))
}

/// Ends all sessions of a user who is deleted, and forgets them.
pub(crate) fn delete_of_user(tx: &mut Transaction<'_>, user_id: &str) -> Result<(), ApiError> {
    revoke_all(tx, user_id)?;
    for id in ids(tx, EVER_BY_USER, user_id) {
        tx.delete::<RefreshTokens>(&id);
        tx.delete::<Session>(&id);
    }
    Ok(())
}

/// When the user signed in last, by the sessions that go on at `now`. One of an impersonator is not the user's.
pub(crate) fn last_sign_in_at(state: &State, user_id: &str, now: Timestamp) -> Option<Timestamp> {
    let newest_first = state.sessions.group(BY_USER, user_id).rev();
    newest_first
        .filter(|session| session.impersonator.is_none())
        .find(|session| session.is_active(now))
        .map(|session| session.created_at)
}

fn ids(state: &State, index: Index<Session>, group: &str) -> Vec<String> {
    state
        .sessions
        .group(index, group)
        .map(|session| session.id.clone())
        .collect()
}

/// `GET /user_management/users/{id}/sessions`: the active ones.
pub(crate) fn list_sessions(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let user_id = call.param("id");
    if state.users.get(user_id).is_none() {
        return Err(ApiError::not_found("User", user_id));
    }
    let now = call.environment.clock.now();
    let select = Select::group(BY_USER, user_id).filter(move |session: &Session| session.is_active(now));
    Reply::ok(&select.page(&state.sessions, &call.page()?)?)
}

/// `POST /user_management/sessions/revoke`
///
/// Assumption: a session that has ended already is answered like one that ends now; an unknown one is 400, the only
/// refusal that the API's description has.
pub(crate) fn revoke_session(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    struct RevokeSession {
        session_id: String,
    }
    let RevokeSession { session_id } = call.body()?;
    call.environment.transact(|tx| {
        if tx.sessions.get(&session_id).is_none() {
            return Err(ApiError::message(
                400,
                format!("Session not found: '{session_id}'."),
            ));
        }
        revoke(tx, &session_id)
    })?;
    Reply::empty(200)
}
