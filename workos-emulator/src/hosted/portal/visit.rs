//! A browser's visit to the Admin Portal: is it the one that opened the link, and is the page part of what was opened?

use std::sync::Arc;

use url::form_urlencoded;

use super::{chrome, error, intents, overview, pages::portal::Frame};
use crate::{
    api::{
        admin_portal::{intent::Intent, sessions::PortalSession},
        organizations::Organization,
    },
    hosted::pages::Chrome,
    server::{call::Call, error::ApiError, reply::Reply},
    store::Expiring,
};

/// The parameter, and hidden field, that names the session.
const SESSION: &str = "portal_session_id";

/// A visit by the browser that opened the link.
pub(super) struct Visit<'a> {
    pub(super) call: &'a Call,
    pub(super) session: Arc<PortalSession>,
    pub(super) organization: Arc<Organization>,
}

/// Shows a page, which is about an intent or about none.
pub(super) fn show(
    call: &Call,
    intent: Option<Intent>,
    page: impl FnOnce(&Visit<'_>) -> Result<Reply, ApiError>,
) -> Result<Reply, ApiError> {
    match find(call, call.query.get(SESSION), intent) {
        Some(visit) => page(&visit),
        None => error::portal_session_over(call),
    }
}

/// Takes a form, from our own page in the browser that opened the link.
pub(super) fn submit(
    call: &Call,
    intent: Option<Intent>,
    form: impl FnOnce(&Visit<'_>) -> Result<Reply, ApiError>,
) -> Result<Reply, ApiError> {
    match submitted(call, intent) {
        Ok(visit) => form(&visit),
        Err(refusal) => refusal,
    }
}

/// The visit whose form this is, or the page that refuses it.
pub(super) fn submitted(call: &Call, intent: Option<Intent>) -> Result<Visit<'_>, Result<Reply, ApiError>> {
    // What is no browser says nothing of where it comes from, and needs the cookie all the same.
    if !call.is_same_origin() {
        return Err(error::cross_site_portal(call));
    }
    let id = call.raw_body().get(SESSION).and_then(|id| id.as_str());
    find(call, id, intent).ok_or_else(|| error::portal_session_over(call))
}

fn find<'a>(call: &'a Call, id: Option<&str>, intent: Option<Intent>) -> Option<Visit<'a>> {
    let id = id?;
    let state = call.environment.state();
    let session = state.portal_sessions.get(id)?;
    let given = call.cookie(&cookie_name(id))?;
    let valid = session.secret.matches(given)
        && session.expires_at() > call.environment.clock.now()
        && intent.is_none_or(|intent| session.access.intents.contains(&intent));
    if !valid {
        return None;
    }
    let organization = state.organizations.get(&session.access.organization_id)?;
    Some(Visit {
        call,
        session: Arc::clone(session),
        organization: Arc::clone(organization),
    })
}

/// One cookie for each session, so that two in one browser do not meet.
fn cookie_name(session_id: &str) -> String {
    format!("workos_{session_id}")
}

fn cookie(call: &Call, session: &PortalSession, value: &str, max_age: i64) -> String {
    let name = cookie_name(&session.id);
    let secure = if call.base_url().starts_with("https:") {
        "; Secure"
    } else {
        ""
    };
    format!("{name}={value}; Path=/portal; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}")
}

/// From the link to the first page. It binds the session to the browser.
pub(super) fn enter(call: &Call, session: &PortalSession, path: &str) -> Reply {
    let left = session.expires_at().duration_since(call.environment.clock.now());
    let secret = cookie(call, session, session.secret.expose(), left.as_secs());
    Reply::redirect(303, url(call, &session.id, path))
        .header("Set-Cookie", secret)
        .header("Referrer-Policy", "no-referrer")
        .header("Cache-Control", "no-store")
}

/// The address of a page in a session.
pub(super) fn url(call: &Call, session_id: &str, path: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", &call.environment.client_id)
        .append_pair(SESSION, session_id)
        .finish();
    format!("{path}?{query}")
}

impl Visit<'_> {
    /// The address of another page of the session.
    pub(super) fn url(&self, path: &str) -> String {
        url(self.call, &self.session.id, path)
    }

    /// What the forms of the session take along.
    pub(super) fn hidden(&self) -> [(&str, &str); 2] {
        [
            ("client_id", &self.call.environment.client_id),
            (SESSION, &self.session.id),
        ]
    }

    /// To another page, as after a form: 303, so that a reload does not send it again.
    pub(super) fn to(&self, path: &str) -> Reply {
        Reply::redirect(303, self.url(path)).header("Cache-Control", "no-store")
    }

    /// Out of the portal, at the end of the session.
    pub(super) fn leave(&self, url: impl Into<String>) -> Reply {
        Reply::redirect(303, url)
            .header("Set-Cookie", cookie(self.call, &self.session, "", 0))
            .header("Cache-Control", "no-store")
    }

    pub(super) fn chrome(&self) -> Chrome<'_> {
        chrome(&self.call.environment)
    }

    /// What frames every page of the portal. On the overview itself no way leads there.
    pub(super) fn frame(&self, path: &str) -> Frame<'_> {
        let is_overview = path == overview::PATH;
        let several = self.session.access.intents.len() > 1;
        let back = if !is_overview && several {
            Some((self.url(overview::PATH), "Overview"))
        } else {
            None
        };
        Frame {
            organization: &self.organization.name,
            return_url: self.session.access.return_url.as_deref(),
            back,
            finish: intents::is_any_done(self),
            finish_action: overview::FINISH,
            hidden: self.hidden(),
        }
    }
}
