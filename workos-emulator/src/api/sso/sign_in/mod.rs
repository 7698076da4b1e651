//! A sign-in through a connection: from the departure to the identity provider, over what it answers, to the code for the
//! application. It knows no protocol: the answer is an [`Assertion`] or a [`Refusal`](super::identity_provider::Refusal).
//!
//! * [`session`] – the sign-in in progress, and what it comes to.
//! * here – how it begins and ends.
//! * [`answer`] – whether what the provider says is enough, and of whom it speaks.
//! * [`domains`], [`consent`] – two of the checks.
//!
//! Source: <https://workos.com/docs/sso/login-flows>.

mod answer;
mod consent;
mod domains;
mod session;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

pub(crate) use self::{
    answer::{answer, unlinked},
    consent::{ask_consent, consent, needs_consent, refuse_consent},
    domains::is_domain_verified,
    session::{Exit, Purpose, SsoArrival, SsoSession, Stage},
};
use super::{
    connections::Connection,
    events::{self, About, Status},
    identity_provider::{self, Assertion},
    profiles::Profile,
    traces::{self, InitiatedBy, StepName, TraceStatus},
};
use crate::{
    api::user_management::{
        authenticate::{authorization_code, oauth::OauthTokens},
        authorize::request::{AuthorizationError, Callback},
        sessions::Device,
        users,
    },
    core::{clock, pkce::CodeChallenge, secret::Secret},
    server::error::ApiError,
    store::{State, Transaction},
};

/// How many sign-ins are told of in one go as timed out.
const AT_ONCE: usize = 100;

/// Begins a sign-in.
pub(crate) fn begin(
    tx: &mut Transaction<'_>,
    connection: &Connection,
    purpose: Purpose,
    login_hint: Option<String>,
    device: Device,
) -> Result<Arc<SsoSession>, ApiError> {
    // Those that are over are told of before they are forgotten.
    time_out(tx)?;
    let id = tx.id("sso_session");
    let initiated_by = match purpose {
        Purpose::Unsolicited { .. } => InitiatedBy::IdentityProvider,
        Purpose::Profile { .. } | Purpose::AuthKit { .. } => InitiatedBy::Application,
        Purpose::Test { .. } => InitiatedBy::AdminPortal,
    };
    let lifetime = SignedDuration::from_secs(tx.settings().pending_authentication_lifetime.into());
    let session = SsoSession {
        secret: Secret::new(tx.token(32)),
        state: Secret::new(format!("{id}.{}", tx.token(32))),
        connection_id: connection.id.clone(),
        purpose,
        login_hint,
        stage: Stage::Away,
        device,
        expires_at: clock::saturating_add(tx.now(), lifetime),
        id,
    };
    let session = tx.put_expiring(session)?;
    traces::begin(tx, &session.id, connection, initiated_by)?;
    let asked = match &session.purpose {
        Purpose::Profile { callback, .. } => format!(
            "Asked by sso/authorize, to come back to {}.",
            callback.redirect_uri
        ),
        Purpose::AuthKit { .. } => "Asked by AuthKit.".to_owned(),
        Purpose::Unsolicited { .. } => "Nobody asked: the sign-in began at the identity provider.".to_owned(),
        Purpose::Test { .. } => "Asked by the Admin Portal, as a test.".to_owned(),
    };
    traces::step(tx, &session.id, StepName::Request, true, asked)?;
    let email = session.login_hint.as_deref().and_then(users::email::normalized);
    let about = About {
        connection: Some(connection),
        session_id: Some(&session.id),
        device: &session.device,
        user_id: None,
        email: email.as_deref(),
    };
    events::tell(tx, about, Status::Started)?;
    // Whoever speaks to a provider tells where exactly.
    let spoken_to = identity_provider::provider(connection).is_spoken_to();
    if initiated_by != InitiatedBy::IdentityProvider && !spoken_to {
        let provider = connection.r#type().name;
        traces::step(
            tx,
            &session.id,
            StepName::Departure,
            true,
            format!("To {provider}."),
        )?;
    }
    Ok(session)
}

/// Tells of the sign-ins whose time is over, and forgets them.
pub(crate) fn time_out(tx: &mut Transaction<'_>) -> Result<(), ApiError> {
    let now = tx.now();
    let over: Vec<_> = tx
        .sso_sessions
        .iter()
        .take_while(|session| session.expires_at <= now)
        .take(AT_ONCE)
        .map(Arc::clone)
        .collect();
    for session in over {
        tx.delete::<SsoSession>(&session.id);
        let connection = tx.connections.get(&session.connection_id).cloned();
        let email = session.login_hint.as_deref().and_then(users::email::normalized);
        let about = About {
            connection: connection.as_deref(),
            session_id: Some(&session.id),
            device: &session.device,
            user_id: None,
            email: email.as_deref(),
        };
        events::tell(tx, about, Status::TimedOut)?;
        let error = ("sso_timed_out", "Nobody came back in time.");
        traces::end(tx, &session.id, TraceStatus::TimedOut, Some(error))?;
    }
    Ok(())
}

/// When the oldest sign-in is over.
pub(crate) fn next_deadline(state: &State) -> Option<Timestamp> {
    Some(state.sso_sessions.iter().next()?.expires_at)
}

/// They are in: the sign-in is over.
pub(crate) fn succeed(
    tx: &mut Transaction<'_>,
    session: &SsoSession,
    profile: &Profile,
) -> Result<Exit, ApiError> {
    succeed_with(tx, session, profile, None)
}

/// The same for somebody whose provider gave tokens, for the application to call it with.
pub(crate) fn succeed_with(
    tx: &mut Transaction<'_>,
    session: &SsoSession,
    profile: &Profile,
    tokens: Option<OauthTokens>,
) -> Result<Exit, ApiError> {
    tx.delete::<SsoSession>(&session.id);
    let is_authkit = matches!(session.purpose, Purpose::AuthKit { .. });
    let arrival = SsoArrival {
        session_id: session.id.clone(),
        profile_id: profile.id.clone(),
        tokens,
        device: session.device.clone(),
        for_profile: !is_authkit,
    };
    // AuthKit tells of it when it knows the user.
    if !is_authkit {
        tell_succeeded(tx, &arrival, profile.user_id.as_deref(), &profile.email)?;
    }
    match &session.purpose {
        Purpose::AuthKit {
            authorization_session_id,
        } => Ok(Exit::AuthKit {
            authorization_session_id: authorization_session_id.clone(),
            outcome: Ok(Box::new(arrival)),
        }),
        Purpose::Profile {
            client_id,
            callback,
            code_challenge,
        } => leave(tx, Some(client_id), callback, code_challenge.clone(), arrival).map(Exit::Leave),
        Purpose::Unsolicited { callback } => leave(tx, None, callback, None, arrival).map(Exit::Leave),
        Purpose::Test { portal_session_id } => {
            traces::end(tx, &session.id, TraceStatus::Succeeded, None)?;
            Ok(Exit::Portal(portal_session_id.clone()))
        }
    }
}

fn leave(
    tx: &mut Transaction<'_>,
    client_id: Option<&str>,
    callback: &Callback,
    code_challenge: Option<CodeChallenge>,
    arrival: SsoArrival,
) -> Result<String, ApiError> {
    sent(tx, &arrival.session_id, &callback.redirect_uri)?;
    let code = authorization_code::issue(tx, client_id, callback, code_challenge, arrival)?;
    Ok(callback.with_code(code.expose()))
}

/// The application gets a code.
pub(crate) fn sent(tx: &mut Transaction<'_>, session_id: &str, redirect_uri: &str) -> Result<(), ApiError> {
    traces::step(
        tx,
        session_id,
        StepName::Code,
        true,
        format!("Sent to {redirect_uri}."),
    )?;
    traces::end(tx, session_id, TraceStatus::Succeeded, None)
}

/// Tells that somebody came through a connection.
pub(crate) fn tell_succeeded(
    tx: &mut Transaction<'_>,
    arrival: &SsoArrival,
    user_id: Option<&str>,
    email: &str,
) -> Result<(), ApiError> {
    let profile = tx.profiles.get(&arrival.profile_id).cloned();
    let connection = profile.and_then(|profile| tx.connections.get(&profile.connection_id).cloned());
    let about = About {
        connection: connection.as_deref(),
        session_id: Some(&arrival.session_id),
        device: &arrival.device,
        user_id,
        email: Some(email),
    };
    events::tell(tx, about, Status::Succeeded)
}

/// They are not in: the sign-in is over.
pub(crate) fn fail(
    tx: &mut Transaction<'_>,
    session: &SsoSession,
    error: AuthorizationError,
) -> Result<Exit, ApiError> {
    tx.delete::<SsoSession>(&session.id);
    let connection = tx.connections.get(&session.connection_id).cloned();
    let traced = tx
        .sso_traces
        .get(&session.id)
        .and_then(|trace| trace.email.clone());
    let hinted = session.login_hint.as_deref().and_then(users::email::normalized);
    let email = traced.or(hinted);
    let about = About {
        connection: connection.as_deref(),
        session_id: Some(&session.id),
        device: &session.device,
        user_id: None,
        email: email.as_deref(),
    };
    events::tell(tx, about, Status::Failed(error.code(), error.description()))?;
    let told = (error.code(), error.description());
    traces::end(tx, &session.id, TraceStatus::Failed, Some(told))?;
    Ok(match &session.purpose {
        Purpose::AuthKit {
            authorization_session_id,
        } => Exit::AuthKit {
            authorization_session_id: authorization_session_id.clone(),
            outcome: Err(error),
        },
        Purpose::Profile { callback, .. } => Exit::Leave(callback.with_error(&error)),
        // "The error callback will include the connection and organization ID's"
        // (<https://workos.com/docs/sso/login-flows>).
        Purpose::Unsolicited { callback } => {
            let organization = connection
                .as_deref()
                .and_then(|connection| connection.organization_id.as_deref());
            let mut more = vec![("connection_id", session.connection_id.as_str())];
            more.extend(organization.map(|id| ("organization_id", id)));
            Exit::Leave(callback.with_error_and(&error, &more))
        }
        Purpose::Test { portal_session_id } => Exit::Portal(portal_session_id.clone()),
    })
}

/// The whole of it at once, where nobody is at a browser.
pub(crate) fn at_once(
    tx: &mut Transaction<'_>,
    session: &SsoSession,
    assertion: Assertion,
) -> Result<Exit, ApiError> {
    match answer(tx, session, Ok(assertion))? {
        Ok(profile) => succeed(tx, session, &profile),
        Err(error) => fail(tx, session, error),
    }
}
