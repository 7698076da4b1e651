//! The way back from the stand-in, and from any identity provider at which somebody began.

use url::{Url, form_urlencoded};

use super::{find, finish};
use crate::{
    api::{
        sso::{
            identity_provider::{Assertion, Refusal},
            sign_in::{self, Purpose, SsoSession, Stage},
        },
        user_management::{
            authorize::{self, request::Callback},
            redirect_uris,
        },
    },
    hosted::{error, identity_provider},
    server::{
        call::{Call, Query},
        error::ApiError,
        reply::Reply,
    },
    store::{State, Transaction},
};

/// Where the stand-in sends people back to.
pub(in crate::hosted) fn callback(call: &Call, connection_id: &str) -> String {
    format!("{}/sso/callback/{connection_id}", call.base_url())
}

/// `GET /sso/callback/{connection_id}`: the way back from the stand-in.
pub(in crate::hosted) fn finish_sso(call: &Call) -> Result<Reply, ApiError> {
    match call.query.get("state") {
        Some(state) => finish_solicited(call, state),
        None => {
            let connection_id = call.param("connection_id");
            let code = call.query.get("code").unwrap_or_default();
            finish_unsolicited(
                call,
                connection_id,
                |tx| identity_provider::redeem(tx, connection_id, code, None),
                |_, _, assertion| Ok(assertion),
            )
        }
    }
}

fn finish_solicited(call: &Call, state: &str) -> Result<Reply, ApiError> {
    let connection_id = call.param("connection_id");
    let session = find(call, SsoSession::id_in(state)).filter(|session| {
        session.state.matches(state) && session.connection_id == connection_id && session.stage == Stage::Away
    });
    let Some(session) = session else {
        return error::sign_in_not_found(call);
    };
    finish(call, &session, |tx| match call.query.get("error") {
        Some("access_denied") => Err(Refusal::Denied),
        Some(_) => Err(Refusal::Failed(
            call.query.get("error_description").unwrap_or_default().to_owned(),
        )),
        None => {
            let code = call.query.get("code").unwrap_or_default();
            let grant = identity_provider::redeem(tx, connection_id, code, Some(state));
            grant.map(|(assertion, _)| assertion).ok_or_else(untrusted)
        }
    })
}

fn untrusted() -> Refusal {
    Refusal::Untrusted(
        "its code is unknown, was used already, is too old, or is for another sign-in.".to_owned(),
    )
}

/// Nobody asked: somebody began at the identity provider. `redeem` gives what came, and the `RelayState` that came along;
/// `answer` reads it, once there is a sign-in.
pub(super) fn finish_unsolicited<T>(
    call: &Call,
    connection_id: &str,
    redeem: impl FnOnce(&mut Transaction<'_>) -> Option<(T, Option<String>)>,
    answer: impl FnOnce(&mut Transaction<'_>, &SsoSession, T) -> Result<Assertion, Refusal>,
) -> Result<Reply, ApiError> {
    let device = authorize::device(call);
    let begun = call.environment.transact(|tx| {
        let Some(connection) = tx.connections.get(connection_id).cloned() else {
            return Ok(Err(Stop::NotFound));
        };
        let Some((came, relay_state)) = redeem(tx) else {
            return Ok(Err(Stop::NotFound));
        };
        let Some(redirect_uri) = destination(tx, relay_state.as_deref()) else {
            return Ok(Err(Stop::Nowhere));
        };
        let callback = Callback::new(&redirect_uri, &Query::default());
        let session = sign_in::begin(tx, &connection, Purpose::Unsolicited { callback }, None, device)?;
        Ok::<_, ApiError>(Ok((session, came)))
    })?;
    match begun {
        Ok((session, came)) => finish(call, &session, |tx| answer(tx, &session, came)),
        Err(Stop::NotFound) => error::sign_in_not_found(call),
        Err(Stop::Nowhere) => error::identity_provider_leads_nowhere(call),
    }
}

/// Why a sign-in that began at the identity provider leads nowhere.
enum Stop {
    NotFound,
    Nowhere,
}

/// The redirect URI in `RelayState`, if it is one of the environment's, else the default one.
///
/// Source: <https://workos.com/docs/sso/login-flows>. "Any other values in the IdP's RelayState will be ignored and
/// discarded." Assumption: as long as no redirect URI is registered, there is no default, and one on this machine is taken
/// from `RelayState`.
fn destination(state: &State, relay_state: Option<&str>) -> Option<Url> {
    let wanted = relay_state.and_then(|relay_state| {
        let mut pairs = form_urlencoded::parse(relay_state.as_bytes());
        let (_, uri) = pairs.find(|(name, _)| name == "redirect_uri")?;
        redirect_uris::allowed(state, &uri)
    });
    wanted.or_else(|| redirect_uris::default(state))
}
