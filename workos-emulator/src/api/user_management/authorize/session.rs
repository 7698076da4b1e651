//! A sign-in in progress on the hosted pages.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Map;

use super::{
    reauthentication,
    request::{AuthorizationError, AuthorizationRequest, Goal},
};
use crate::{
    api::{
        connect, sso,
        user_management::{
            authenticate::{
                authorization_code::{self, Bearer},
                method::AuthenticationMethod,
                sign_in::{NextStep, SignIn, next_step},
            },
            passkeys, users,
        },
    },
    core::{clock, secret::Secret},
    hosted,
    server::error::ApiError,
    store::{Expiring, Index, Record, Transaction},
};

/// A started sign-in. Only the browser that started it can go on with it: it has the secret, in a cookie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AuthorizationSession {
    pub(crate) id: String,
    secret: Secret,
    pub(crate) request: AuthorizationRequest,
    /// Whose address was typed.
    pub(crate) email: Option<String>,
    /// Who has proved to be who, and has a further step to make.
    pub(crate) authenticated: Option<SignIn>,
    /// They signed up with an address that has an account already, which is told to its owner and not to them.
    #[serde(default)]
    pub(crate) address_taken: bool,
    /// Where they are on their way to a provider.
    pub(crate) provider: Option<ProviderLeg>,
    #[serde(with = "clock::timestamp")]
    pub(crate) expires_at: Timestamp,
}

/// The way to a provider and back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProviderLeg {
    pub(crate) method: AuthenticationMethod,
    /// The `state` that has to come back (RFC 6749 section 10.12). It begins with the session's id.
    pub(crate) state: Secret,
}

const BY_USER: Index<AuthorizationSession> = Index::ordered("user", |session| {
    let user = session.authenticated.as_ref();
    user.map(|sign_in| (sign_in.user_id.as_str().into(), 0))
        .into_iter()
        .collect()
});

impl Record for AuthorizationSession {
    const INDEXES: &'static [Index<Self>] = &[BY_USER];

    fn id(&self) -> &str {
        &self.id
    }
}

impl Expiring for AuthorizationSession {
    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

impl AuthorizationSession {
    /// What the browser has to have, to be let on.
    pub(crate) fn secret(&self) -> &Secret {
        &self.secret
    }

    /// The same, to another goal.
    pub(crate) fn with_goal(&self, goal: Goal) -> Self {
        let request = AuthorizationRequest {
            goal,
            ..self.request.clone()
        };
        Self {
            request,
            ..self.clone()
        }
    }
}

/// Where the browser goes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// To the page of the step that is missing. The session has a new secret: what a browser could do before somebody
    /// proved who they are, it cannot do after.
    Page(NextStep, Arc<AuthorizationSession>),
    /// To a page that asks before the goal is reached, likewise with a new secret.
    Confirm(&'static str, Arc<AuthorizationSession>),
    /// Back to the application, with a code or an error. The sign-in is over.
    Leave(String),
}

/// Starts a sign-in.
pub(crate) fn begin(
    tx: &mut Transaction<'_>,
    request: AuthorizationRequest,
) -> Result<Arc<AuthorizationSession>, ApiError> {
    let lifetime = SignedDuration::from_secs(tx.settings().pending_authentication_lifetime.into());
    let session = AuthorizationSession {
        id: tx.id("authorization_session"),
        secret: Secret::new(tx.token(32)),
        email: request.login_hint.clone(),
        request,
        authenticated: None,
        address_taken: false,
        provider: None,
        expires_at: clock::saturating_add(tx.now(), lifetime),
    };
    Ok(tx.put_expiring(session)?)
}

/// Remembers who wants to sign in, before they prove it.
pub(crate) fn identified(
    tx: &mut Transaction<'_>,
    session: &AuthorizationSession,
    email: &str,
) -> Result<Arc<AuthorizationSession>, ApiError> {
    Ok(tx.put(AuthorizationSession {
        email: Some(email.to_owned()),
        authenticated: None,
        address_taken: false,
        ..session.clone()
    })?)
}

/// Goes on as after a sign-up, although somebody else has this address. Like every step, it comes with a new secret.
pub(crate) fn address_taken(
    tx: &mut Transaction<'_>,
    session: &AuthorizationSession,
) -> Result<Step, ApiError> {
    let secret = Secret::new(tx.token(32));
    let session = tx.put(AuthorizationSession {
        secret,
        authenticated: None,
        address_taken: true,
        ..session.clone()
    })?;
    Ok(Step::Page(NextStep::VerifyEmail, session))
}

/// Lets whoever has come some way as this user begin again.
pub(crate) fn start_over(tx: &mut Transaction<'_>, user_id: &str) -> Result<(), ApiError> {
    let found = tx.authorization_sessions.group(BY_USER, user_id);
    let sessions: Vec<_> = found.cloned().collect();
    for session in sessions {
        tx.put(AuthorizationSession {
            authenticated: None,
            ..AuthorizationSession::clone(&session)
        })?;
    }
    Ok(())
}

/// Sends somebody to a provider, with a state that is good for one return.
pub(crate) fn depart(
    tx: &mut Transaction<'_>,
    session: &AuthorizationSession,
    method: AuthenticationMethod,
) -> Result<Arc<AuthorizationSession>, ApiError> {
    let state = Secret::new(format!("{}.{}", session.id, tx.token(32)));
    Ok(tx.put(AuthorizationSession {
        provider: Some(ProviderLeg { method, state }),
        ..session.clone()
    })?)
}

/// Takes somebody back from a provider.
pub(crate) fn arrive(
    tx: &mut Transaction<'_>,
    session: &AuthorizationSession,
) -> Result<Arc<AuthorizationSession>, ApiError> {
    Ok(tx.put(AuthorizationSession {
        provider: None,
        ..session.clone()
    })?)
}

/// Goes on after a step of a sign-in: to the page of the next one, or back to the application.
///
/// Assumption: what production tells the application about a person who may not go on, such as one who is no member, is
/// not documented.
pub(crate) fn go_on(
    tx: &mut Transaction<'_>,
    session: &AuthorizationSession,
    sign_in: SignIn,
) -> Result<Step, ApiError> {
    let user = users::find(tx, &sign_in.user_id)?.clone();
    let wanted = session.request.organization_id.as_deref();
    let sign_in = match &sign_in.organization_id {
        None => sign_in.to(wanted),
        Some(_) => sign_in,
    };
    // The one that the link of an e-mail has brought along, before one that waits for somebody who comes through SSO.
    let own = sign_in.sso.as_ref().and_then(|sso| sso.organization_id.clone());
    let waiting = sign_in.invitation.clone();
    let waiting = waiting.filter(|_| wanted.is_none() || wanted == own.as_deref());
    let sign_in = SignIn {
        invitation: session.request.invitation.clone().or(waiting),
        ..sign_in
    };
    match next_step(tx, &user, &sign_in, tx.now()) {
        Ok(NextStep::Enter(organization_id)) => {
            let sign_in = sign_in.to(organization_id.as_deref());
            if passkeys::is_offered(tx, &user, &sign_in, tx.now()) {
                let page = hosted::passkey_enrollment::PATH;
                return Ok(Step::Confirm(page, further(tx, session, sign_in)?));
            }
            if let Some(page) = session.request.goal.confirmation(tx, &sign_in) {
                return Ok(Step::Confirm(page, further(tx, session, sign_in)?));
            }
            end(tx, session);
            reach(tx, &session.request, sign_in).map(Step::Leave)
        }
        Ok(step) => Ok(Step::Page(step, further(tx, session, sign_in)?)),
        Err(refusal) => {
            end(tx, session);
            let error = AuthorizationError::new("access_denied", refusal.description());
            Ok(Step::Leave(
                session.request.goal.failed(&session.request.client_id, &error),
            ))
        }
    }
}

/// Goes on to another goal than the one that the sign-in began with.
pub(crate) fn go_on_to(
    tx: &mut Transaction<'_>,
    session: &AuthorizationSession,
    goal: Goal,
    sign_in: SignIn,
) -> Result<Step, ApiError> {
    go_on(tx, &session.with_goal(goal), sign_in)
}

/// Keeps how far a sign-in has come, under a new secret.
fn further(
    tx: &mut Transaction<'_>,
    session: &AuthorizationSession,
    sign_in: SignIn,
) -> Result<Arc<AuthorizationSession>, ApiError> {
    let secret = Secret::new(tx.token(32));
    Ok(tx.put(AuthorizationSession {
        secret,
        authenticated: Some(sign_in),
        address_taken: false,
        ..session.clone()
    })?)
}

/// How often a person may type a device's code that is not known. Source of the advice: RFC 8628 section 5.1.
const MOST_DEVICE_CODE_FAILURES: u8 = 5;

/// Counts a code of a device that is not known; the last one ends the sign-in.
pub(crate) fn device_code_failed(
    tx: &mut Transaction<'_>,
    session: &AuthorizationSession,
) -> Result<Option<Step>, ApiError> {
    let mut session = session.clone();
    if let Goal::Device { failures, .. } = &mut session.request.goal {
        *failures += 1;
        if *failures >= MOST_DEVICE_CODE_FAILURES {
            end(tx, &session);
            let done = hosted::device::done(&session.request.client_id, "too_many_attempts");
            return Ok(Some(Step::Leave(done)));
        }
    }
    tx.put(session)?;
    Ok(None)
}

/// Ends a sign-in in progress.
pub(crate) fn end(tx: &mut Transaction<'_>, session: &AuthorizationSession) {
    tx.delete::<AuthorizationSession>(&session.id);
}

/// Where the browser goes after a sign-in that is complete.
pub(crate) fn reach(
    tx: &mut Transaction<'_>,
    request: &AuthorizationRequest,
    bearer: impl Into<Bearer>,
) -> Result<String, ApiError> {
    let bearer = bearer.into();
    if let Bearer::User(sign_in) = &bearer {
        reauthentication::tell(tx, request, sign_in)?;
    }
    match (&request.goal, bearer) {
        (
            Goal::Profile {
                callback,
                code_challenge,
            },
            Bearer::Arrival(arrival),
        ) => sso::authorize::reach(tx, &request.client_id, callback, code_challenge.clone(), *arrival),
        (
            Goal::Code {
                callback,
                code_challenge,
            },
            bearer,
        ) => {
            if let Some(id) = bearer.sso_session_id() {
                sso::sign_in::sent(tx, id, &callback.redirect_uri)?;
            }
            let challenge = code_challenge.clone();
            let code = authorization_code::issue(tx, Some(&request.client_id), callback, challenge, bearer)?;
            Ok(callback.with_code(code.expose()))
        }
        (Goal::Invitation { callback }, bearer) => {
            let code = authorization_code::issue(tx, None, callback, None, bearer)?;
            Ok(callback.with_code(code.expose()))
        }
        // The person has been asked, and the program got the sign-in.
        (Goal::Device { .. }, _) => Ok(hosted::device::done(&request.client_id, "confirmed")),
        (Goal::Connect(connect), Bearer::User(sign_in)) => {
            connect::authorize::reach(tx, &request.client_id, connect, &sign_in, Map::new())
        }
        // Only `authorize` names a provider or a connection, and `sso/authorize` nothing else.
        (goal @ Goal::Connect(_), Bearer::Arrival(_) | Bearer::Sso(_))
        | (goal @ Goal::Profile { .. }, Bearer::User(_) | Bearer::Sso(_)) => {
            let error = AuthorizationError::new("server_error", "The sign-in is not complete.");
            Ok(goal.failed(&request.client_id, &error))
        }
    }
}
