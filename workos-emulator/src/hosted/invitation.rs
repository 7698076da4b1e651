//! The page that an invitation's link opens, and what invitations do to the pages behind it.
//!
//! Opening the link changes nothing: programs that look through e-mails open links too. Its page has a form; that begins a
//! sign-in whose first page is the sign-up for an address without an account. Whether the invited address has one is shown
//! to whoever has the link, and that went to the address itself.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use url::Url;

use super::{
    chrome, error, page,
    pages::{Form, invitation::InvitationPage},
    visit::{self, Visit},
};
use crate::{
    api::user_management::{
        authorize::{
            request::{AuthorizationRequest, Callback, Goal},
            session::{self, AuthorizationSession},
        },
        invitations::{self, Invitation},
        redirect_uris, users,
    },
    server::{
        call::{Call, Query},
        error::ApiError,
        reply::Reply,
    },
    store::{State, Transaction},
};

/// Where invitations are accepted.
pub(crate) const PATH: &str = "/invite";

const TOKEN: &str = "invitation_token";

/// The code that ended a sign-in by an invitation, for an application that begins a sign-in of its own instead of taking it.
const COOKIE: &str = "workos_invited_code";

/// `GET /invite`
pub(super) fn show_invitation(call: &Call) -> Result<Reply, ApiError> {
    let token = call.query.get(TOKEN).unwrap_or_default();
    let invitation = match pending(call, token) {
        Ok(invitation) => invitation,
        Err(page) => return page,
    };
    let state = call.environment.state();
    let chrome = chrome(&call.environment);
    let organization = invitation
        .organization_id
        .as_deref()
        .and_then(|id| state.organizations.get(id));
    page(
        200,
        &InvitationPage {
            title: &format!(
                "Join {}",
                organization.map_or(&*chrome.environment, |organization| &organization.name)
            ),
            sentence: &invitations::sentence(&state, &invitation, &chrome.environment),
            form: Form {
                action: PATH,
                hidden: &[
                    ("client_id", call.query.get("client_id").unwrap_or_default()),
                    (TOKEN, token),
                ],
            },
            email: &invitation.email,
            is_new: users::find_by_email(&state, &invitation.email).is_none(),
            others: others(&invitation).as_deref(),
            chrome,
        },
    )
}

/// `POST /invite`: begins the sign-in.
pub(super) fn submit_invitation(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Fields {
        invitation_token: String,
        email: String,
    }
    if !call.is_same_origin() {
        return error::cross_site(call);
    }
    let Fields {
        invitation_token,
        email,
    } = call.body()?;
    let invitation = match pending(call, &invitation_token) {
        Ok(invitation) => invitation,
        Err(page) => return page,
    };
    let state = call.environment.state();
    let Some(redirect_uri) = redirect_uris::default(&state) else {
        return error::no_default_redirect_uri(call);
    };
    let client_id = &call.environment.client_id;
    let callback = Callback::new(&redirect_uri, &Query::default());
    let mut request = AuthorizationRequest::for_invitation(client_id, callback, &invitation, &state);
    if email == "other" && others(&invitation).is_some() {
        request.login_hint = None;
        request.sign_up = false;
    }
    let session = call.environment.transact(|tx| session::begin(tx, request))?;
    Ok(Reply {
        status: 303,
        ..visit::first_page(call, &session)
    })
}

/// The invitation with this token, or the page that says why it cannot be accepted.
fn pending(call: &Call, token: &str) -> Result<Arc<Invitation>, Result<Reply, ApiError>> {
    let state = call.environment.state();
    let now = call.environment.clock.now();
    match invitations::by_token(&state, token) {
        Some(invitation) if invitation.is_pending(now) => Ok(Arc::clone(invitation)),
        Some(invitation) => Err(error::invitation_over(call, Some(invitation.state(now)))),
        None => Err(error::invitation_over(call, None)),
    }
}

/// Who else may accept the invitation than the invited address.
pub(super) fn others(invitation: &Invitation) -> Option<String> {
    let domain = users::email::domain(&invitation.email);
    if invitation.organization_id.is_none() {
        return Some("any other address".to_owned());
    }
    let colleague = format!("somebody-else@{domain}");
    invitation
        .is_for(&colleague)
        .then(|| format!("another address at {domain}"))
}

/// The invitation that a sign-in is made with, as long as it can be accepted.
pub(super) fn of(visit: &Visit<'_>) -> Option<Arc<Invitation>> {
    let environment = &visit.call.environment;
    open(&environment.state(), &visit.session, environment.clock.now())
}

/// The same within a transaction.
pub(super) fn presented(tx: &Transaction<'_>, session: &AuthorizationSession) -> Option<Arc<Invitation>> {
    open(tx, session, tx.now())
}

fn open(state: &State, session: &AuthorizationSession, now: Timestamp) -> Option<Arc<Invitation>> {
    let digest = session.request.invitation.as_deref()?;
    invitations::open_by_digest(state, digest, now).ok().cloned()
}

/// What the pages of a sign-in say of its invitation.
pub(super) fn sentence(visit: &Visit<'_>) -> Option<String> {
    let environment = &visit.call.environment;
    let application = chrome(environment).environment;
    let invitation = of(visit)?;
    Some(invitations::sentence(
        &environment.state(),
        &invitation,
        &application,
    ))
}

/// Why somebody with this address cannot go on, whether or not they have an account.
pub(super) fn refusal(visit: &Visit<'_>, email: &str) -> Option<String> {
    let invitation = of(visit)?;
    if invitation.is_for(email) {
        return None;
    }
    let others = others(&invitation).map_or_else(String::new, |others| format!(", or {others}"));
    Some(format!(
        "This invitation is for {}. Use that address{others}.",
        invitation.email
    ))
}

/// The code of a complete sign-in by an invitation that this browser made.
pub(crate) fn unclaimed_code(call: &Call) -> Option<&str> {
    call.cookie(COOKIE)
}

/// Takes the cookie away.
pub(crate) fn removal(call: &Call) -> String {
    cookie(call, "", 0)
}

/// What lets the browser keep the code that it is sent away with, if no application asked for it.
pub(super) fn keep_code(visit: &Visit<'_>, url: &str) -> Option<String> {
    if !matches!(visit.session.request.goal, Goal::Invitation { .. }) {
        return None;
    }
    let url = Url::parse(url).ok()?;
    let (_, code) = url.query_pairs().find(|(name, _)| name == "code")?;
    let state = visit.call.environment.state();
    Some(cookie(
        visit.call,
        &code,
        state.settings().authorization_code_lifetime,
    ))
}

fn cookie(call: &Call, code: &str, max_age: u32) -> String {
    let secure = if call.base_url().starts_with("https:") {
        "; Secure"
    } else {
        ""
    };
    format!(
        "{COOKIE}={code}; Path=/user_management/authorize; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}"
    )
}
