//! AuthKit's side: from its pages to a connection, and on when somebody is back.

use serde::Deserialize;

use super::depart;
use crate::{
    api::{
        sso::{
            connections,
            sign_in::{self as sso, Purpose, SsoArrival},
        },
        user_management::{
            authenticate::sso::conclude,
            authorize::{
                request::AuthorizationError,
                session::{self, AuthorizationSession, Step},
            },
        },
    },
    hosted::{
        chrome, error, page,
        pages::provider::ProviderRefusedPage,
        sign_in,
        visit::{self, Visit},
    },
    server::{call::Call, error::ApiError, reply::Reply},
};

/// From AuthKit's pages to a connection.
pub(in crate::hosted) const PATH: &str = "/authkit/sso";
pub(in crate::hosted) const REFUSED: &str = "/authkit/sso/refused";

/// Where AuthKit is told what became of it.
enum On {
    Step(Step),
    Refused(&'static str),
}

/// Goes on in AuthKit. An application that named the connection is told at once, whatever it is; on AuthKit's own pages the
/// person goes on, or chooses another way.
pub(super) fn go_on(
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
pub(in crate::hosted) fn depart_from(
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
pub(in crate::hosted) fn submit_sso(call: &Call) -> Result<Reply, ApiError> {
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
pub(in crate::hosted) fn show_sso_refused(call: &Call) -> Result<Reply, ApiError> {
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
