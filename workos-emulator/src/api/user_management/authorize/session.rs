//! A sign-in in progress on the hosted pages.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::request::{AuthorizationError, AuthorizationRequest};
use crate::{
    api::user_management::{
        authenticate::{
            authorization_code,
            method::AuthenticationMethod,
            sign_in::{Destination, SignIn, destination},
        },
        sessions::Device,
    },
    core::{clock, secret::Secret},
    server::error::ApiError,
    store::{Expiring, Record, Transaction},
};

/// A started sign-in. Only the browser that started it can go on with it: it has the secret, in a cookie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AuthorizationSession {
    pub(crate) id: String,
    secret: Secret,
    pub(crate) request: AuthorizationRequest,
    /// Who has proved to be who, and has yet to choose an organization.
    pub(crate) authenticated: Option<Authenticated>,
    #[serde(with = "clock::timestamp")]
    pub(crate) expires_at: Timestamp,
}

/// A user whose credential was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Authenticated {
    pub(crate) user_id: String,
    pub(crate) method: AuthenticationMethod,
}

impl Record for AuthorizationSession {
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
}

/// Where the browser goes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// To the organization picker. The session has a new secret: what a browser could do before somebody proved who they
    /// are, it cannot do after.
    ChooseOrganization(Arc<AuthorizationSession>),
    /// Back to the application, with a code or an error. The sign-in is over.
    Leave(String),
}

/// Starts a sign-in.
pub(super) fn begin(
    tx: &mut Transaction<'_>,
    request: AuthorizationRequest,
) -> Result<Arc<AuthorizationSession>, ApiError> {
    let lifetime = SignedDuration::from_secs(tx.settings().pending_authentication_lifetime.into());
    let session = AuthorizationSession {
        id: tx.id("authorization_session"),
        secret: Secret::new(tx.token(32)),
        request,
        authenticated: None,
        expires_at: clock::saturating_add(tx.now(), lifetime),
    };
    Ok(tx.put_expiring(session)?)
}

/// Goes on after a user proved who they are: back to the application, or to the organization picker.
pub(crate) fn authenticated(
    tx: &mut Transaction<'_>,
    session: &AuthorizationSession,
    user: Authenticated,
    device: Device,
) -> Result<Step, ApiError> {
    match destination(tx, &user.user_id, session.request.organization_id.as_deref()) {
        Ok(Destination::NoOrganization) => leave(tx, session, &user, None, device),
        Ok(Destination::Organization(id)) => leave(tx, session, &user, Some(&id), device),
        Ok(Destination::Choice(_)) => {
            let secret = Secret::new(tx.token(32));
            let session = tx.put(AuthorizationSession {
                secret,
                authenticated: Some(user),
                ..session.clone()
            })?;
            Ok(Step::ChooseOrganization(session))
        }
        // Assumption: what production tells the application about a person who is no member is not documented.
        Err(refusal) => {
            tx.delete::<AuthorizationSession>(&session.id);
            let error = AuthorizationError::new("access_denied", refusal.description());
            Ok(Step::Leave(session.request.callback.with_error(&error)))
        }
    }
}

/// Goes on after the user chose an organization; nothing where it is not one of theirs.
pub(crate) fn chosen(
    tx: &mut Transaction<'_>,
    session: &AuthorizationSession,
    user: &Authenticated,
    organization_id: &str,
    device: Device,
) -> Result<Option<Step>, ApiError> {
    match destination(tx, &user.user_id, Some(organization_id)) {
        Ok(_) => leave(tx, session, user, Some(organization_id), device).map(Some),
        Err(_) => Ok(None),
    }
}

fn leave(
    tx: &mut Transaction<'_>,
    session: &AuthorizationSession,
    user: &Authenticated,
    organization_id: Option<&str>,
    device: Device,
) -> Result<Step, ApiError> {
    tx.delete::<AuthorizationSession>(&session.id);
    let sign_in = SignIn {
        user_id: &user.user_id,
        organization_id,
        method: user.method,
        device,
    };
    let code = authorization_code::issue(tx, &session.request, sign_in)?;
    Ok(Step::Leave(session.request.callback.with_code(code.expose())))
}
