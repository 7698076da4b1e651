//! Sign-in through a connection, in the browser: off to the identity provider, back, and on to whoever asked.
//!
//! Which protocol is spoken is decided in two places: [`depart`] sends the browser to the provider, and whatever takes the
//! provider's answer calls [`finish`] with what it says. So far there is one provider, the stand-in of
//! [`identity_provider`].

use serde::Deserialize;
use url::{Url, form_urlencoded};

use super::{
    chrome, error, identity_provider, page,
    pages::{Form, provider::ProviderRefusedPage, sso::SignInConsentPage},
    sign_in,
    visit::{self, Visit},
};
use crate::{
    api::{
        sso::{
            connections,
            identity_provider::{Assertion, Refusal},
            profiles,
            sign_in::{self as sso, Exit, Purpose, SsoArrival, SsoSession, Stage},
        },
        user_management::{
            authenticate::sso::conclude,
            authorize::{
                self,
                request::{AuthorizationError, Callback},
                session::{self, AuthorizationSession, Step},
            },
            redirect_uris,
        },
    },
    core::secret::Secret,
    server::{
        call::{Call, Query},
        error::ApiError,
        reply::Reply,
    },
    store::{Expiring, State, Transaction},
};

/// From AuthKit's pages to a connection.
pub(super) const PATH: &str = "/authkit/sso";
pub(super) const REFUSED: &str = "/authkit/sso/refused";
pub(super) const CONSENT: &str = "/sso/consent";

/// The parameter, and hidden field, that names the sign-in.
const SESSION: &str = "sso_session_id";
/// What a browser has in which somebody has agreed to sign in.
const CONSENT_COOKIE: &str = "workos_sso_consent";
const CONSENT_LIFETIME: i64 = 365 * 24 * 3600;

/// Where the stand-in sends people back to.
pub(super) fn callback(call: &Call, connection_id: &str) -> String {
    format!("{}/sso/callback/{connection_id}", call.base_url())
}

/// Off to the identity provider. It binds the sign-in to the browser.
pub(crate) fn depart(call: &Call, session: &SsoSession, status: u16) -> Reply {
    Reply::redirect(status, identity_provider::sign_in_url(call, session))
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

/// `GET /sso/callback/{connection_id}`: the way back from the stand-in.
pub(super) fn finish_sso(call: &Call) -> Result<Reply, ApiError> {
    match call.query.get("state") {
        Some(state) => finish_solicited(call, state),
        None => finish_unsolicited(call),
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

/// Nobody asked: somebody began at the identity provider.
fn finish_unsolicited(call: &Call) -> Result<Reply, ApiError> {
    let connection_id = call.param("connection_id");
    let code = call.query.get("code").unwrap_or_default();
    let device = authorize::device(call);
    let begun = call.environment.transact(|tx| {
        let Some(connection) = tx.connections.get(connection_id).cloned() else {
            return Ok(Err(Stop::NotFound));
        };
        let Some((assertion, relay_state)) = identity_provider::redeem(tx, connection_id, code, None) else {
            return Ok(Err(Stop::NotFound));
        };
        let Some(redirect_uri) = destination(tx, relay_state.as_deref()) else {
            return Ok(Err(Stop::Nowhere));
        };
        let callback = Callback::new(&redirect_uri, &Query::default());
        let session = sso::begin(tx, &connection, Purpose::Unsolicited { callback }, None, device)?;
        Ok::<_, ApiError>(Ok((session, assertion)))
    })?;
    match begun {
        Ok((session, assertion)) => finish(call, &session, |_| Ok(assertion)),
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

/// Takes the answer of an identity provider, whatever protocol it came by: `answer` runs in the transaction that uses it up.
pub(super) fn finish(
    call: &Call,
    session: &SsoSession,
    answer: impl FnOnce(&mut Transaction<'_>) -> Result<Assertion, Refusal>,
) -> Result<Reply, ApiError> {
    enum Next {
        Consent(std::sync::Arc<SsoSession>),
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
        if sso::needs_consent(tx, session, &profile, call.cookie(CONSENT_COOKIE)) {
            return sso::ask_consent(tx, session, &profile).map(|session| Some(Next::Consent(session)));
        }
        sso::succeed(tx, session, &profile).map(|exit| Some(Next::Exit(exit)))
    })?;
    match next {
        Some(Next::Consent(session)) => {
            let query = form_urlencoded::Serializer::new(String::new())
                .append_pair("client_id", &call.environment.client_id)
                .append_pair(SESSION, &session.id)
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
        } => go_on(call, &authorization_session_id, outcome)?,
    };
    Ok(reply
        .header("Set-Cookie", set_cookie(call, &cookie_name(&session.id), "", 0))
        .header("Cache-Control", "no-store"))
}

/// Where AuthKit is told what became of it.
enum On {
    Step(Step),
    Refused(&'static str),
}

/// Goes on in AuthKit. An application that named the connection is told at once, whatever it is; on AuthKit's own pages the
/// person goes on, or chooses another way.
fn go_on(
    call: &Call,
    authorization_session_id: &str,
    outcome: Result<Box<SsoArrival>, AuthorizationError>,
) -> Result<Reply, ApiError> {
    let Some(session) = call
        .environment
        .state()
        .authorization_sessions
        .get(authorization_session_id)
        .cloned()
    else {
        return error::sign_in_not_found(call);
    };
    let visit = Visit { call, session };
    let on = call.environment.transact(|tx| {
        if !visit.is_current(tx) {
            return Ok(None);
        }
        let session: &AuthorizationSession = &visit.session;
        let request = &session.request;
        if request.connection_id.is_some() {
            session::end(tx, session);
            let url = match outcome {
                Ok(arrival) => session::reach(tx, request, *arrival)?,
                Err(error) => request.goal.failed(&request.client_id, &error),
            };
            return Ok(Some(On::Step(Step::Leave(url))));
        }
        let arrival = match outcome {
            Ok(arrival) => *arrival,
            Err(error) => return Ok(Some(On::Refused(error.code()))),
        };
        match conclude(tx, arrival)? {
            Ok(begun) => {
                let wanted = request
                    .organization_id
                    .clone()
                    .or_else(|| begun.organization_id.clone());
                session::go_on(tx, session, begun.to(wanted.as_deref())).map(|step| Some(On::Step(step)))
            }
            Err(_) => Ok(Some(On::Refused("server_error"))),
        }
    })?;
    match on {
        Some(On::Step(step)) => Ok(visit.go(step)),
        Some(On::Refused(reason)) => Ok(Reply::redirect(
            303,
            format!("{}&reason={reason}", visit.url(REFUSED)),
        )),
        None => error::sign_in_not_found(call),
    }
}

/// Sends somebody from AuthKit's pages to a connection, if it can be used.
pub(super) fn depart_from(
    visit: &Visit<'_>,
    connection_id: &str,
    email: Option<&str>,
) -> Result<Reply, ApiError> {
    let call = visit.call;
    let session = call.environment.transact(|tx| {
        if !visit.is_current(tx) {
            return Ok(None);
        }
        let session = match email {
            Some(email) => session::identified(tx, &visit.session, email)?,
            None => visit.session.clone(),
        };
        let Ok(connection) = connections::find(tx, connection_id).cloned() else {
            return Ok(None);
        };
        let purpose = Purpose::AuthKit {
            authorization_session_id: session.id.clone(),
        };
        let hint = email.map(str::to_owned).or_else(|| session.email.clone());
        sso::begin(tx, &connection, purpose, hint, visit.device()).map(Some)
    })?;
    match session {
        Some(session) => Ok(depart(call, &session, 303)),
        None => error::sign_in_not_found(call),
    }
}

/// `POST /authkit/sso`: goes to a connection that the page offers.
pub(super) fn submit_sso(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Fields {
        connection_id: String,
    }
    visit::submit(call, |visit| {
        let Fields { connection_id } = call.body()?;
        let usable = call
            .environment
            .state()
            .connections
            .get(&connection_id)
            .is_some_and(|connection| connection.organization_id.is_some() && connection.state.is_linked());
        if usable {
            depart_from(visit, &connection_id, None)
        } else {
            Ok(visit.to(sign_in::PATH))
        }
    })
}

/// `GET /authkit/sso/refused`
pub(super) fn show_sso_refused(call: &Call) -> Result<Reply, ApiError> {
    visit::show(call, |visit| {
        let text = match call.query.get("reason") {
            Some("access_denied") => "Your identity provider did not let you in.",
            Some("profile_not_allowed_outside_organization") => {
                "Your identity provider knows you by an email address that is not one of your organization."
            }
            Some("signin_consent_denied") => "You said that it was not you who signed in.",
            Some("connection_unlinked") => "Single sign-on is switched off for your organization.",
            _ => {
                "The answer of your identity provider cannot be used. Its administrator can look at what it sent."
            }
        };
        page(
            400,
            &ProviderRefusedPage {
                chrome: chrome(&call.environment),
                title: "You are not signed in",
                text,
                sign_in_url: &visit.url(sign_in::PATH),
            },
        )
    })
}

/// The sign-in that waits for consent, and the profile that it is about.
fn waiting(call: &Call, id: Option<&str>) -> Option<(SsoSession, String)> {
    let session = find(call, id?)?;
    match &session.stage {
        Stage::Consent { profile_id } => {
            let profile_id = profile_id.clone();
            Some((session, profile_id))
        }
        Stage::Away => None,
    }
}

/// `GET /sso/consent`: is it you who signs in?
pub(super) fn show_sign_in_consent(call: &Call) -> Result<Reply, ApiError> {
    let Some((session, profile_id)) = waiting(call, call.query.get(SESSION)) else {
        return error::sign_in_not_found(call);
    };
    let state = call.environment.state();
    let Ok(profile) = profiles::find(&state, &profile_id) else {
        return error::sign_in_not_found(call);
    };
    let connection = connections::find(&state, &session.connection_id)?;
    let organization = connection
        .organization_id
        .as_deref()
        .and_then(|id| state.organizations.get(id));
    page(
        200,
        &SignInConsentPage {
            chrome: chrome(&call.environment),
            form: Form {
                action: CONSENT,
                hidden: &[("client_id", &call.environment.client_id), (SESSION, &session.id)],
            },
            email: &profile.email,
            name: profile.full_name(),
            organization: organization.map_or(connection.name.as_str(), |organization| &organization.name),
            provider: connection.r#type().name,
        },
    )
}

/// `POST /sso/consent`
pub(super) fn submit_sign_in_consent(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Fields {
        sso_session_id: String,
        decision: String,
    }
    if !call.is_same_origin() {
        return error::cross_site(call);
    }
    let Fields {
        sso_session_id,
        decision,
    } = call.body()?;
    let Some((session, profile_id)) = waiting(call, Some(&sso_session_id)) else {
        return error::sign_in_not_found(call);
    };
    let agreed = decision == "continue";
    let present = call
        .cookie(CONSENT_COOKIE)
        .filter(|token| token.len() == TOKEN_LENGTH);
    let outcome = call.environment.transact(|tx| {
        if !is_current(tx, &session) {
            return Ok(None);
        }
        if !agreed {
            let exit = sso::refuse_consent(tx, &session)?;
            return Ok(Some((exit, None)));
        }
        let token = match present {
            Some(token) => token.to_owned(),
            None => tx.token(TOKEN_LENGTH),
        };
        let exit = sso::consent(tx, &session, &profile_id, &token)?;
        Ok::<_, ApiError>(Some((exit, Some(Secret::new(token)))))
    })?;
    let Some((exit, token)) = outcome else {
        return error::sign_in_not_found(call);
    };
    let reply = leave(call, &session, exit)?;
    Ok(match token {
        Some(token) => reply.header(
            "Set-Cookie",
            set_cookie(call, CONSENT_COOKIE, token.expose(), CONSENT_LIFETIME),
        ),
        None => reply,
    })
}

const TOKEN_LENGTH: usize = 32;
