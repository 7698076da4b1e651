//! Consent: the person says that it is they who sign in.
//!
//! Source: <https://workos.com/docs/sso/sign-in-consent>.

use std::sync::Arc;

use super::{
    fail,
    session::{Exit, Purpose, SsoSession, Stage},
    succeed,
};
use crate::{
    api::{
        sso::{
            profiles::{self, Profile},
            traces::{self, StepName},
        },
        user_management::authorize::request::AuthorizationError,
    },
    core::secret::Secret,
    server::error::ApiError,
    store::{State, Transaction},
};

/// Whether the person has to say that it is they who sign in: always when nobody asked for it, and through connections that
/// were set up by hand.
///
/// Source: <https://workos.com/docs/sso/sign-in-consent>. `token` is what the browser has from the last time. Assumption: who
/// tests a connection has said so in the portal, and is signed in nowhere by it.
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
    let test = matches!(session.purpose, Purpose::Test { .. });
    state.settings().sso_sign_in_consent && (unsolicited || custom) && !test && !profile.has_consented(token)
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
