//! Who wants to sign in? The first page asks for the e-mail address alone; how its owner proves to be who is a matter of
//! the pages behind it.

use serde::Deserialize;

use super::{
    chrome, error, invitation, magic_auth, page, page_with_script,
    pages::{Form, SignInPage},
    passkey, password, provider, sso,
    visit::{self, Visit},
    waitlist,
};
use crate::{
    api::{
        organizations::BY_VERIFIED_DOMAIN,
        sso::connections,
        user_management::{
            self,
            authenticate::method::AuthenticationMethod,
            authorize::session,
            organization_policies,
            users::{self, NewUser},
        },
    },
    server::{call::Call, error::ApiError, reply::Reply},
    store::State,
};

pub(crate) const PATH: &str = "/authkit/sign-in";

/// `GET /authkit/sign-in`
pub(super) fn show_sign_in(call: &Call) -> Result<Reply, ApiError> {
    visit::show(call, |visit| {
        form(
            visit,
            200,
            visit.session.email.as_deref().unwrap_or_default(),
            None,
        )
    })
}

/// `POST /authkit/sign-in`: goes on in the same way for an address that is known and for one that is not.
pub(super) fn submit_sign_in(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Fields {
        email: String,
    }
    visit::submit(call, |visit| {
        let Fields { email } = call.body()?;
        let email = email.trim();
        if users::email::normalized(email).is_none() {
            let problem = "Enter an email address, like name@company.com.";
            return form(visit, 400, email, Some(problem));
        }
        if let Some(refusal) = invitation::refusal(visit, email) {
            return form(visit, 400, email, Some(&refusal));
        }
        if let Some(connection_id) = connection_of(&call.environment.state(), email) {
            return sso::depart_from(visit, &connection_id, Some(email));
        }
        let Some(next) = way_in(call) else {
            let problem = "Nobody can sign in with an email address here.";
            return form(visit, 400, email, Some(problem));
        };
        let identified = call.environment.transact(|tx| {
            if !visit.is_current(tx) {
                return Ok::<_, ApiError>(None);
            }
            let session = session::identified(tx, &visit.session, email)?;
            let visit = Visit { call, session };
            let outcome = match next {
                WayIn::Password => Ok(()),
                WayIn::Code => magic_auth::send(tx, &visit, email, NewUser::default())?,
            };
            Ok(Some((visit, outcome)))
        })?;
        match (identified, next) {
            (Some((visit, _)), WayIn::Password) => Ok(visit.to(password::PATH)),
            (Some((visit, outcome)), WayIn::Code) => magic_auth::sent(&visit, outcome),
            (None, _) => error::sign_in_not_found(call),
        }
    })
}

/// The connection of the organization that has verified the domain of an address, where its policy lets people come through
/// it. Of several the oldest.
///
/// Source: "WorkOS detects when their email domain matches a verified domain of an organization and prompts the user to sign
/// in through the organization's IdP" (<https://workos.com/docs/authkit/jit-provisioning>).
fn connection_of(state: &State, email: &str) -> Option<String> {
    let email = users::email::normalized(email)?;
    let (_, domain) = email.rsplit_once('@')?;
    let organization = state.organizations.find(BY_VERIFIED_DOMAIN, domain)?;
    let policy = organization_policies::of(state, &organization.id).domain_policy;
    let allows = policy.is_none_or(|policy| policy.auth_methods.contains(&AuthenticationMethod::Sso));
    let connection = connections::active_of(state, &organization.id).next()?;
    allows.then(|| connection.id.clone())
}

/// How the owner of an address proves to be who.
#[derive(Clone, Copy)]
enum WayIn {
    /// With a password; from its page there is a way to a code, where codes are on too.
    Password,
    Code,
}

/// What the settings offer, the same for everybody: who is known, and has a password, is not for this page to tell.
fn way_in(call: &Call) -> Option<WayIn> {
    if password::is_on(call) {
        return Some(WayIn::Password);
    }
    user_management::magic_auth::is_on(&call.environment.state()).then_some(WayIn::Code)
}

pub(super) fn form(
    visit: &Visit<'_>,
    status: u16,
    email: &str,
    error: Option<&str>,
) -> Result<Reply, ApiError> {
    let hidden = visit.hidden();
    let passkey = passkey::choice(visit, &hidden);
    let page = if passkey.is_some() { page_with_script } else { page };
    let sign_up = waitlist::or_sign_up(visit).map(|(path, label)| (visit.url(path), label));
    let own = Form {
        action: PATH,
        hidden: &hidden,
    };
    let state = visit.call.environment.state();
    let methods = &state.settings().sign_in_methods;
    page(
        status,
        &SignInPage {
            chrome: chrome(&visit.call.environment),
            invitation: invitation::sentence(visit).as_deref(),
            form: own,
            email,
            error,
            passkey,
            sign_up: sign_up.as_ref().map(|(url, label)| (url.as_str(), *label)),
            providers: provider::buttons(&state, own),
            by_email: methods.password || methods.magic_auth || state.connections.len() > 0,
        },
    )
}
