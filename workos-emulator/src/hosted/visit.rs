//! A browser's visit to a page of a sign-in: is it the browser that started the sign-in, and does the form come from us?

use std::sync::Arc;

use url::form_urlencoded;

use super::{another_way, error, invitation, mfa, mfa_enroll, organization, sign_in, sign_up, verify_email};
use crate::{
    api::user_management::{
        authenticate::sign_in::NextStep,
        authorize::{
            self,
            session::{AuthorizationSession, Step},
        },
        sessions::Device,
    },
    server::{call::Call, error::ApiError, reply::Reply},
    store::{Expiring, Transaction},
};

/// The parameter, and hidden field, that names the sign-in.
pub(super) const SESSION: &str = "authorization_session_id";

/// What a page is told by that something was sent again.
const AGAIN: &str = "sent=again";

/// A visit by the browser that started the sign-in.
pub(super) struct Visit<'a> {
    pub(super) call: &'a Call,
    pub(super) session: Arc<AuthorizationSession>,
}

/// Shows a page of a sign-in, to the browser that started it.
pub(super) fn show(
    call: &Call,
    page: impl FnOnce(&Visit<'_>) -> Result<Reply, ApiError>,
) -> Result<Reply, ApiError> {
    match find(call, call.query.get(SESSION)) {
        Some(session) => page(&Visit { call, session }),
        None => error::sign_in_not_found(call),
    }
}

/// Takes a form of a sign-in, from our own page in the browser that started it.
pub(super) fn submit(
    call: &Call,
    form: impl FnOnce(&Visit<'_>) -> Result<Reply, ApiError>,
) -> Result<Reply, ApiError> {
    // What is no browser says nothing of where it comes from, and needs the cookie all the same.
    if !call.is_same_origin() {
        return error::cross_site(call);
    }
    let id = call.raw_body().get(SESSION).and_then(|id| id.as_str());
    match find(call, id) {
        Some(session) => form(&Visit { call, session }),
        None => error::sign_in_not_found(call),
    }
}

/// The sign-in with this id, if this browser started it and can go on with it.
pub(super) fn of<'a>(call: &'a Call, id: Option<&str>) -> Option<Visit<'a>> {
    let session = find(call, id)?;
    Some(Visit { call, session })
}

/// Takes back who left a sign-in for a provider or an application, in the browser that started it.
pub(super) fn comes_back(
    call: &Call,
    session_id: Option<&str>,
    page: impl FnOnce(&Visit<'_>) -> Result<Reply, ApiError>,
) -> Result<Reply, ApiError> {
    match find(call, session_id) {
        Some(session) => page(&Visit { call, session }),
        None => error::sign_in_not_found(call),
    }
}

fn find(call: &Call, id: Option<&str>) -> Option<Arc<AuthorizationSession>> {
    let id = id?;
    let state = call.environment.state();
    let session = state.authorization_sessions.get(id)?;
    let given = call.cookie(&cookie_name(id))?;
    let valid = session.secret().matches(given) && session.expires_at() > call.environment.clock.now();
    valid.then(|| Arc::clone(session))
}

/// One cookie for each sign-in, so that two in one browser do not meet, and none that was there before is trusted.
fn cookie_name(session_id: &str) -> String {
    format!("workos_{session_id}")
}

fn cookie(call: &Call, session: &AuthorizationSession, value: &str, max_age: i64) -> String {
    let name = cookie_name(&session.id);
    let secure = if call.base_url().starts_with("https:") {
        "; Secure"
    } else {
        ""
    };
    format!("{name}={value}; Path=/authkit; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}")
}

pub(super) fn cookie_with_secret(call: &Call, session: &AuthorizationSession) -> String {
    let left = session.expires_at().duration_since(call.environment.clock.now());
    cookie(call, session, session.secret().expose(), left.as_secs())
}

fn url(path: &str, session: &AuthorizationSession) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", &session.request.client_id)
        .append_pair(SESSION, &session.id)
        .finish();
    format!("{path}?{query}")
}

/// From the authorization request to the first page. It binds the sign-in to the browser.
pub(crate) fn first_page(call: &Call, session: &AuthorizationSession) -> Reply {
    let path = if session.request.sign_up {
        sign_up::PATH
    } else {
        sign_in::PATH
    };
    enter_at(call, path, session)
}

fn enter_at(call: &Call, path: &str, session: &AuthorizationSession) -> Reply {
    Reply::redirect(302, format!("{}{}", call.base_url(), url(path, session)))
        .header("Set-Cookie", cookie_with_secret(call, session))
        .header("Cache-Control", "no-store")
}

/// From the authorization request to wherever a sign-in has come that was made without a page.
pub(crate) fn enter(call: &Call, step: Step) -> Reply {
    match step {
        Step::Page(next, session) => enter_at(call, path(&next), &session),
        Step::Confirm(path, session) => enter_at(call, path, &session),
        Step::Leave(url) => Reply::redirect(302, url).header("Cache-Control", "no-store"),
    }
}

/// From the authorization request to a page of somebody else, from which the browser will come back.
pub(crate) fn leave_for(call: &Call, session: &AuthorizationSession, url: impl Into<String>) -> Reply {
    Reply::redirect(302, url)
        .header("Set-Cookie", cookie_with_secret(call, session))
        .header("Cache-Control", "no-store")
}

/// The page of a step.
fn path(step: &NextStep) -> &'static str {
    match step {
        NextStep::VerifyEmail => verify_email::PATH,
        NextStep::EnrollFactor => mfa_enroll::PATH,
        NextStep::ChallengeFactor => mfa::PATH,
        NextStep::ChooseOrganization(_) => organization::PATH,
        NextStep::ComeAnotherWay(_) => another_way::PATH,
        NextStep::Enter(_) => sign_in::PATH,
    }
}

impl Visit<'_> {
    /// The address of another page of the same sign-in.
    pub(super) fn url(&self, path: &str) -> String {
        url(path, &self.session)
    }

    /// The same for an e-mail: it can be opened in the browser that started the sign-in.
    pub(super) fn link(&self, path: &str) -> String {
        format!("{}{}", self.call.base_url(), self.url(path))
    }

    /// What the forms of this sign-in take along.
    pub(super) fn hidden(&self) -> [(&str, &str); 2] {
        [
            ("client_id", &self.session.request.client_id),
            (SESSION, &self.session.id),
        ]
    }

    pub(super) fn device(&self) -> Device {
        authorize::device(self.call)
    }

    /// Whether the sign-in is still where this visit found it: not finished by another tab in the meantime.
    pub(super) fn is_current(&self, tx: &Transaction<'_>) -> bool {
        tx.unexpired::<AuthorizationSession>(&self.session.id)
            .is_some_and(|session| *session == self.session)
    }

    /// To another page of the same sign-in, as after a form.
    pub(super) fn to(&self, path: &str) -> Reply {
        Reply::redirect(303, self.url(path)).header("Cache-Control", "no-store")
    }

    /// The same, to a page that then says that it was sent again.
    pub(super) fn to_again(&self, path: &str) -> Reply {
        Reply::redirect(303, format!("{}&{AGAIN}", self.url(path))).header("Cache-Control", "no-store")
    }

    /// Whether the page was reached so.
    pub(super) fn is_again(&self) -> bool {
        self.call.query.get("sent") == Some("again")
    }

    /// Takes a form: `rule` makes the step, or refuses it with what `again` shows with the page. Refusals are committed.
    pub(super) fn step<R>(
        &self,
        rule: impl FnOnce(&mut Transaction<'_>) -> Result<Result<Step, R>, ApiError>,
        again: impl FnOnce(R) -> Result<Reply, ApiError>,
    ) -> Result<Reply, ApiError> {
        let outcome = self.call.environment.transact(|tx| {
            if self.is_current(tx) {
                rule(tx).map(Some)
            } else {
                Ok(None)
            }
        })?;
        match outcome {
            Some(Ok(step)) => Ok(self.go(step)),
            Some(Err(refusal)) => again(refusal),
            None => error::sign_in_not_found(self.call),
        }
    }

    /// To the page of a further step, with the new secret.
    fn on(&self, path: &str, session: &AuthorizationSession) -> Reply {
        Reply::redirect(303, url(path, session)).header("Set-Cookie", cookie_with_secret(self.call, session))
    }

    /// Goes on after a form was taken: 303, so that a reload does not send it again.
    pub(super) fn go(&self, step: Step) -> Reply {
        let reply = match step {
            Step::Page(next, session) => {
                let reply = self.on(path(&next), &session);
                if next == NextStep::VerifyEmail {
                    let call = self.call;
                    verify_email::send_first_code(&Visit { call, session });
                }
                reply
            }
            Step::Confirm(path, session) => self.on(path, &session),
            Step::Leave(url) => {
                let kept = invitation::keep_code(self, &url);
                let mut reply =
                    Reply::redirect(303, url).header("Set-Cookie", cookie(self.call, &self.session, "", 0));
                reply.headers.extend(kept.map(|cookie| ("Set-Cookie", cookie)));
                reply
            }
        };
        reply.header("Cache-Control", "no-store")
    }
}

#[cfg(test)]
mod tests;
