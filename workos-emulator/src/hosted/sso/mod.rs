//! Sign-in through a connection, in the browser: off to the identity provider, back, and on to whoever asked.
//!
//! Which protocol is spoken is decided in one place, [`depart`]; whatever takes the provider's answer calls [`finish`] with
//! what it says.
//!
//! * here – the way off, the browser that is bound to the sign-in, and the end.
//! * [`callback`](mod@callback) – the way back from the stand-in, and sign-ins that nobody asked for.
//! * [`oidc`] – to an OpenID provider and back.
//! * [`saml`] – to a SAML identity provider and back.
//! * [`service_provider`](mod@service_provider) – what an identity provider has to know of WorkOS.
//! * [`authkit`] – AuthKit's side.
//! * [`consent`] – the page that asks whether it is you who signs in.

mod authkit;
mod callback;
mod consent;
mod oidc;
mod saml;
mod service_provider;

use std::sync::Arc;

use url::form_urlencoded;

pub(super) use self::{
    authkit::{PATH, REFUSED, depart_from, show_sso_refused, submit_sso},
    callback::{callback, finish_sso},
    consent::{CONSENT, show_sign_in_consent, submit_sign_in_consent},
    oidc::{finish_oidc, start_oidc},
    saml::{FINISH, consume_saml_response, finish_saml, show_sp_metadata, start_saml},
    service_provider::service_provider,
};
use super::{error, identity_provider, portal};
use crate::{
    api::sso::{
        identity_provider::{Assertion, Provider, Refusal, provider},
        saml::is_spoken,
        sign_in::{self as sso, Exit, SsoSession},
    },
    server::{call::Call, error::ApiError, reply::Reply},
    store::{Expiring, Transaction},
};

/// Off to the identity provider. It binds the sign-in to the browser.
///
/// Here is where the protocol is chosen.
pub(crate) fn depart(call: &Call, session: &SsoSession, status: u16) -> Reply {
    let state = call.environment.state();
    let connection = state.connections.get(&session.connection_id);
    let url = match connection.map_or(Provider::StandIn, |connection| provider(connection)) {
        Provider::Oidc => oidc::start_url(call, session),
        Provider::Saml => saml::start_url(call, session),
        // The stand-in of a SAML connection speaks SAML as well.
        Provider::StandIn if connection.is_some_and(|connection| is_spoken(connection)) => {
            saml::start_url(call, session)
        }
        Provider::StandIn => identity_provider::sign_in_url(call, session),
    };
    Reply::redirect(status, url)
        .header("Set-Cookie", cookie_with_secret(call, session))
        .header("Cache-Control", "no-store")
}

fn set_cookie(call: &Call, name: &str, value: &str, max_age: i64) -> String {
    let secure = if call.base_url().starts_with("https:") {
        "; Secure"
    } else {
        ""
    };
    format!("{name}={value}; Path=/sso; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}")
}

/// One cookie for each sign-in, as for AuthKit's.
fn cookie_name(session_id: &str) -> String {
    format!("workos_{session_id}")
}

fn cookie_with_secret(call: &Call, session: &SsoSession) -> String {
    let left = session.expires_at().duration_since(call.environment.clock.now());
    set_cookie(
        call,
        &cookie_name(&session.id),
        session.secret().expose(),
        left.as_secs(),
    )
}

/// The sign-in with this id, if this browser started it and can go on with it.
fn find(call: &Call, id: &str) -> Option<SsoSession> {
    let state = call.environment.state();
    let session = state.sso_sessions.get(id)?;
    let given = call.cookie(&cookie_name(id))?;
    let valid = session.secret().matches(given) && session.expires_at() > call.environment.clock.now();
    valid.then(|| SsoSession::clone(session))
}

/// Whether the sign-in is still where it was found: not finished by another tab in the meantime.
fn is_current(tx: &Transaction<'_>, session: &SsoSession) -> bool {
    tx.unexpired::<SsoSession>(&session.id)
        .is_some_and(|present| **present == *session)
}

/// Takes the answer of an identity provider, whatever protocol it came by: `answer` runs in the transaction that uses it up.
pub(in crate::hosted) fn finish(
    call: &Call,
    session: &SsoSession,
    answer: impl FnOnce(&mut Transaction<'_>) -> Result<Assertion, Refusal>,
) -> Result<Reply, ApiError> {
    enum Next {
        Consent(Arc<SsoSession>),
        Exit(Exit),
    }
    let next = call.environment.transact(|tx| {
        if !is_current(tx, session) {
            return Ok(None);
        }
        let answer = answer(tx);
        let profile = match sso::answer(tx, session, answer)? {
            Ok(profile) => profile,
            Err(error) => return sso::fail(tx, session, error).map(|exit| Some(Next::Exit(exit))),
        };
        if sso::needs_consent(tx, session, &profile, call.cookie(consent::COOKIE)) {
            return sso::ask_consent(tx, session, &profile).map(|session| Some(Next::Consent(session)));
        }
        sso::succeed(tx, session, &profile).map(|exit| Some(Next::Exit(exit)))
    })?;
    match next {
        Some(Next::Consent(session)) => {
            let query = form_urlencoded::Serializer::new(String::new())
                .append_pair("client_id", &call.environment.client_id)
                .append_pair(consent::SESSION, &session.id)
                .finish();
            Ok(Reply::redirect(303, format!("{CONSENT}?{query}"))
                .header("Set-Cookie", cookie_with_secret(call, &session))
                .header("Cache-Control", "no-store"))
        }
        Some(Next::Exit(exit)) => leave(call, session, exit),
        None => error::sign_in_not_found(call),
    }
}

fn leave(call: &Call, session: &SsoSession, exit: Exit) -> Result<Reply, ApiError> {
    let reply = match exit {
        Exit::Leave(url) => Reply::redirect(303, url),
        Exit::AuthKit {
            authorization_session_id,
            outcome,
        } => authkit::go_on(call, &authorization_session_id, outcome)?,
        Exit::Portal(portal_session_id) => {
            Reply::redirect(303, portal::sso::result_url(call, &portal_session_id, session))
        }
    };
    Ok(reply
        .header("Set-Cookie", set_cookie(call, &cookie_name(&session.id), "", 0))
        .header("Cache-Control", "no-store"))
}
