//! A sign-in through a connection: from the departure to the identity provider, over what it answers, to the code for the
//! application. It knows no protocol: the answer is an [`Assertion`] or a [`Refusal`].
//!
//! Source: <https://workos.com/docs/sso/login-flows>, <https://workos.com/docs/sso/domains>.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    connections::{self, Connection},
    events::{self, About, Status},
    identity_provider::{self, Assertion, Refusal},
    profiles::{self, Profile},
    traces::{self, InitiatedBy, StepName, TraceStatus},
};
use crate::{
    api::{
        organizations::domains::{DomainState, OrganizationDomain},
        user_management::{
            authenticate::{authorization_code, oauth::OauthTokens},
            authorize::request::{AuthorizationError, Callback},
            sessions::Device,
            users,
        },
    },
    core::{clock, pkce::CodeChallenge, secret::Secret},
    server::error::ApiError,
    store::{Expiring, Record, State, Transaction},
};

/// What somebody signs in for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Purpose {
    /// An application that calls `sso/authorize` gets a code for their profile.
    Profile {
        client_id: String,
        callback: Callback,
        code_challenge: Option<CodeChallenge>,
    },
    /// A sign-in to AuthKit goes on.
    AuthKit { authorization_session_id: String },
    /// Nobody asked: they began at the identity provider. The application gets a code that is good for either API.
    Unsolicited { callback: Callback },
}

/// How far a sign-in has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// They are at the identity provider.
    Away,
    /// They are back, and are asked whether it is they who sign in.
    Consent { profile_id: String },
}

/// A sign-in in progress. Only the browser that started it can go on with it: it has the secret, in a cookie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SsoSession {
    pub(crate) id: String,
    secret: Secret,
    /// What has to come back from the identity provider (RFC 6749 section 10.12, `RelayState`). It begins with the id.
    pub(crate) state: Secret,
    pub(crate) connection_id: String,
    pub(crate) purpose: Purpose,
    pub(crate) login_hint: Option<String>,
    pub(crate) stage: Stage,
    pub(crate) device: Device,
    #[serde(with = "clock::timestamp")]
    expires_at: Timestamp,
}

impl Record for SsoSession {
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.id
    }
}

impl Expiring for SsoSession {
    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

impl SsoSession {
    /// What the browser has to have, to be let on.
    pub(crate) fn secret(&self) -> &Secret {
        &self.secret
    }

    /// The id in a state that came back.
    pub(crate) fn id_in(state: &str) -> &str {
        state.split_once('.').map_or("", |(id, _)| id)
    }
}

/// Somebody who comes through a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SsoArrival {
    /// The sign-in, and its trace.
    pub(crate) session_id: String,
    pub(crate) profile_id: String,
    pub(crate) tokens: Option<OauthTokens>,
    pub(crate) device: Device,
    /// `sso/token` gives the profile for it.
    pub(crate) for_profile: bool,
}

/// Where the browser goes when a sign-in is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Back to the application, with a code or an error.
    Leave(String),
    /// On, in the sign-in to AuthKit that it belongs to.
    AuthKit {
        authorization_session_id: String,
        outcome: Result<Box<SsoArrival>, AuthorizationError>,
    },
}

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
    if initiated_by == InitiatedBy::Application {
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

/// What the organization, the connection and the settings say of an answer. The inner error is for the application.
pub(crate) fn answer(
    tx: &mut Transaction<'_>,
    session: &SsoSession,
    answer: Result<Assertion, Refusal>,
) -> Result<Result<Arc<Profile>, AuthorizationError>, ApiError> {
    let id = session.id.as_str();
    let Some(connection) = tx.connections.get(&session.connection_id).cloned() else {
        return Ok(Err(AuthorizationError::new(
            "connection_invalid",
            "The connection does not exist any more.",
        )));
    };
    let provider = connection.r#type().name;
    let assertion = match answer {
        Ok(assertion) => {
            let names: Vec<_> = assertion.attributes.keys().map(String::as_str).collect();
            let detail = format!("{provider} sent an assertion with {}.", names.join(", "));
            traces::step(tx, id, StepName::Response, true, detail)?;
            assertion
        }
        Err(refusal) => {
            let (detail, error) = refused(provider, &refusal);
            traces::step(tx, id, StepName::Response, false, detail)?;
            return Ok(Err(error));
        }
    };
    if matches!(session.purpose, Purpose::Unsolicited { .. }) {
        if !connection.idp_initiated_sso {
            let detail = "IdP-initiated SSO is disabled for the connection.";
            traces::step(tx, id, StepName::Correlation, false, detail)?;
            return Ok(Err(AuthorizationError::new("idp_initiated_sso_disabled", detail)));
        }
        let detail = "IdP-initiated SSO is allowed for the connection.";
        traces::step(tx, id, StepName::Correlation, true, detail)?;
    } else {
        let detail = "It came to the browser that asked, for this sign-in, once.";
        traces::step(tx, id, StepName::Correlation, true, detail)?;
    }
    if !connection.state.is_linked() {
        let detail = "The connection is not active.";
        traces::step(tx, id, StepName::Connection, false, detail)?;
        return Ok(Err(unlinked()));
    }
    traces::step(
        tx,
        id,
        StepName::Connection,
        true,
        "The connection is active, or validating.",
    )?;
    let person = match identity_provider::person(&connection, &assertion) {
        Ok(person) => person,
        Err(missing) => {
            let detail = format!(
                "The profile's {} is missing: {provider} has to send it as '{}', or the connection has to map it.",
                missing.field, missing.attribute
            );
            traces::step(tx, id, StepName::Attributes, false, detail)?;
            return Ok(Err(failed()));
        }
    };
    let Some(email) = users::email::normalized(&person.email) else {
        let detail = format!("'{}' is not an email address.", person.email);
        traces::step(tx, id, StepName::Attributes, false, detail)?;
        return Ok(Err(failed()));
    };
    traces::identified(tx, id, &email, None)?;
    let detail = format!("{email}, known to {provider} as {}.", person.idp_id);
    traces::step(tx, id, StepName::Attributes, true, detail)?;
    let (allowed, detail) = check_domain(tx, &connection, &email);
    traces::step(tx, id, StepName::Domain, allowed, detail)?;
    if !allowed {
        return Ok(Err(AuthorizationError::new(
            "profile_not_allowed_outside_organization",
            "A profile was received that has an email that is outside the organization's domain, and the organization \
             does not allow this.",
        )));
    }
    let known = profiles::by_idp_id(tx, &connection.id, &person.idp_id).is_some();
    let profile = match profiles::record(tx, &connection, person, assertion.attributes) {
        Ok(profile) => profile,
        Err(refusal) => {
            traces::step(tx, id, StepName::Profile, false, refusal.explanation())?;
            return Ok(Err(failed()));
        }
    };
    traces::identified(tx, id, &email, Some(&profile.id))?;
    let what = if known { "is known" } else { "is new" };
    traces::step(
        tx,
        id,
        StepName::Profile,
        true,
        format!("The profile {} {what}.", profile.id),
    )?;
    if !connection.group_roles.is_empty() {
        let detail = format!(
            "Groups [{}] give the roles [{}].",
            profile.groups.join(", "),
            profile.roles.join(", ")
        );
        traces::step(tx, id, StepName::Roles, true, detail)?;
    }
    connections::activate(tx, &connection)?;
    Ok(Ok(profile))
}

fn refused(provider: &str, refusal: &Refusal) -> (String, AuthorizationError) {
    match refusal {
        Refusal::Denied => (
            format!("{provider} denied the person access."),
            AuthorizationError::new(
                "access_denied",
                "The identity provider denied the user's access to the client application.",
            ),
        ),
        Refusal::Failed(reason) => (format!("{provider} failed: {reason}"), failed()),
        Refusal::Untrusted(reason) => (format!("The answer is not to be believed: {reason}"), failed()),
    }
}

/// The sentence is that of the documentation of the code.
fn failed() -> AuthorizationError {
    AuthorizationError::new(
        "server_error",
        "The SSO authentication failed for the user. More detailed errors and steps to resolve are available in the \
         Sessions tab on the connection page in the WorkOS Dashboard.",
    )
}

/// The refusal of a connection that cannot be used.
pub(crate) fn unlinked() -> AuthorizationError {
    AuthorizationError::new(
        "connection_unlinked",
        "The connection associated with the request is unlinked.",
    )
}

/// Whether the organization knows the domain of an address to be its own.
pub(crate) fn is_domain_verified(state: &State, connection: &Connection, email: &str) -> bool {
    let Some((_, domain)) = email.rsplit_once('@') else {
        return false;
    };
    let organization = connection
        .organization_id
        .as_deref()
        .and_then(|id| state.organizations.get(id));
    organization.is_some_and(|organization| {
        let is_it = |own: &OrganizationDomain| own.state == DomainState::Verified && own.domain == domain;
        organization.domains.iter().any(is_it)
    })
}

/// Whether the organization lets somebody with this address come, and why.
fn check_domain(state: &State, connection: &Connection, email: &str) -> (bool, String) {
    let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
    let Some(organization) = connection
        .organization_id
        .as_deref()
        .and_then(|id| state.organizations.get(id))
    else {
        return (
            true,
            "The connection belongs to no organization, so every domain may come.".to_owned(),
        );
    };
    let name = &organization.name;
    if is_domain_verified(state, connection, email) {
        return (true, format!("{domain} is a verified domain of {name}."));
    }
    if organization.allow_profiles_outside_organization {
        return (
            true,
            format!("{domain} is no verified domain of {name}, which allows profiles outside of them."),
        );
    }
    (
        false,
        format!(
            "{domain} is no verified domain of {name}: verify it, or set allow_profiles_outside_organization for the \
             organization."
        ),
    )
}

/// Whether the person has to say that it is they who sign in: always when nobody asked for it, and through connections that
/// were set up by hand.
///
/// Source: <https://workos.com/docs/sso/sign-in-consent>. `token` is what the browser has from the last time.
pub(crate) fn needs_consent(
    state: &State,
    session: &SsoSession,
    profile: &Profile,
    token: Option<&str>,
) -> bool {
    let unsolicited = matches!(session.purpose, Purpose::Unsolicited { .. });
    let custom = state
        .connections
        .get(&session.connection_id)
        .is_some_and(|connection| connection.r#type().is_custom());
    state.settings().sso_sign_in_consent && (unsolicited || custom) && !profile.has_consented(token)
}

/// Asks for consent, under a new secret.
pub(crate) fn ask_consent(
    tx: &mut Transaction<'_>,
    session: &SsoSession,
    profile: &Profile,
) -> Result<Arc<SsoSession>, ApiError> {
    let secret = Secret::new(tx.token(32));
    Ok(tx.put(SsoSession {
        secret,
        stage: Stage::Consent {
            profile_id: profile.id.clone(),
        },
        ..session.clone()
    })?)
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

/// The person says that it is they who sign in, in the browser that has `token` from now on.
pub(crate) fn consent(
    tx: &mut Transaction<'_>,
    session: &SsoSession,
    profile_id: &str,
    token: &str,
) -> Result<Exit, ApiError> {
    traces::step(tx, &session.id, StepName::Consent, true, "The person agreed.")?;
    profiles::consent(tx, profile_id, token)?;
    let profile = Arc::clone(profiles::find(tx, profile_id)?);
    succeed(tx, session, &profile)
}

/// The person says that it is not.
pub(crate) fn refuse_consent(tx: &mut Transaction<'_>, session: &SsoSession) -> Result<Exit, ApiError> {
    let detail = "The person rejected the sign-in.";
    traces::step(tx, &session.id, StepName::Consent, false, detail)?;
    let error = AuthorizationError::new(
        "signin_consent_denied",
        "User cancelled the authentication request",
    );
    fail(tx, session, error)
}
