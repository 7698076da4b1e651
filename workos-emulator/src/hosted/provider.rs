//! AuthKit's side of social login: the way to a provider and back, as an OAuth client (RFC 6749 section 4.1).
//!
//! Which provider it is, and that whoever comes back is who left, is in the sign-in: its `state` is good for one return, in
//! the browser that has the sign-in's cookie. The provider itself is [`stand_in`].

use serde::Deserialize;
use url::form_urlencoded;

use super::{
    chrome, error, page,
    pages::{
        Form,
        provider::{ProviderButton, ProviderButtons, ProviderRefusedPage},
    },
    sign_in, stand_in,
    visit::{self, Visit},
};
use crate::{
    api::user_management::{
        authenticate::{
            oauth::{self, Arrival},
            sign_in::check_membership,
        },
        authorize::{
            request::AuthorizationError,
            session::{self, AuthorizationSession, Step},
        },
        providers::{self, Provider},
    },
    server::{call::Call, error::ApiError, reply::Reply},
    store::{State, Transaction},
};

/// Where the buttons lead.
pub(super) const PATH: &str = "/authkit/oauth";
const REFUSED: &str = "/authkit/oauth/refused";

/// The redirect URI that AuthKit has at a provider.
pub(super) fn callback(call: &Call, provider: &Provider) -> String {
    let client_id = &call.environment.client_id;
    format!("{}{PATH}/{}/{client_id}/callback", call.base_url(), provider.path)
}

/// From the authorization request to the provider that it names, past AuthKit's own pages.
pub(crate) fn depart_at_once(call: &Call, session: &AuthorizationSession) -> Reply {
    Reply::redirect(302, destination(call, session))
        .header("Set-Cookie", visit::cookie_with_secret(call, session))
        .header("Cache-Control", "no-store")
}

/// The provider's authorization endpoint, with what AuthKit asks of it.
fn destination(call: &Call, session: &AuthorizationSession) -> String {
    let Some((leg, provider)) = session
        .provider
        .as_ref()
        .and_then(|leg| Some((leg, providers::by_method(leg.method)?)))
    else {
        return sign_in::PATH.to_owned();
    };
    let wanted = session.request.provider.as_ref();
    let scopes = provider.scopes(wanted.map_or(&[], |wanted| &wanted.scopes));
    let mut query = form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("client_id", &call.environment.client_id)
        .append_pair("redirect_uri", &callback(call, provider))
        .append_pair("response_type", "code")
        .append_pair("scope", &scopes.join(" "))
        .append_pair("state", leg.state.expose());
    if let Some(email) = &session.email {
        query.append_pair("login_hint", email);
    }
    // What AuthKit says itself, an application does not say otherwise.
    let own = ["client_id", "redirect_uri", "response_type", "scope", "state"];
    let more = wanted.map_or(&[][..], |wanted| &wanted.query_params);
    query.extend_pairs(more.iter().filter(|(name, _)| !own.contains(&name.as_str())));
    format!(
        "{}{}?{}",
        call.base_url(),
        stand_in::path(provider),
        query.finish()
    )
}

/// The buttons of the providers that are on, in their order.
pub(super) fn buttons<'a>(state: &State, form: Form<'a>) -> ProviderButtons<'a> {
    let slugs = &state.settings().sign_in_methods.providers;
    buttons_of(slugs.iter().filter_map(|slug| providers::by_slug(slug)), form)
}

pub(super) fn buttons_of<'a>(
    providers: impl Iterator<Item = &'static Provider>,
    form: Form<'a>,
) -> ProviderButtons<'a> {
    ProviderButtons {
        form: Form { action: PATH, ..form },
        buttons: providers
            .map(|provider| ProviderButton {
                slug: provider.slug,
                name: provider.name,
            })
            .collect(),
    }
}

/// `POST /authkit/oauth`: goes to a provider.
pub(super) fn submit_provider(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Fields {
        provider: String,
    }
    visit::submit(call, |visit| {
        let Fields { provider } = call.body()?;
        let Some(provider) = providers::by_slug(&provider) else {
            return Ok(visit.to(sign_in::PATH));
        };
        let session = call.environment.transact(|tx| {
            if !visit.is_current(tx) {
                return Ok(None);
            }
            session::depart(tx, &visit.session, provider.method).map(Some)
        })?;
        match session {
            Some(session) => {
                Ok(Reply::redirect(303, destination(call, &session)).header("Cache-Control", "no-store"))
            }
            None => error::sign_in_not_found(call),
        }
    })
}

/// Why somebody comes back from a provider with nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// They did not let the provider say who they are.
    Denied,
    /// The provider's code was no good.
    Failed,
    /// They are new, and nobody may sign up.
    SignUp,
}

impl Refusal {
    const ALL: [Self; 3] = [Self::Denied, Self::Failed, Self::SignUp];

    /// Source: <https://workos.com/docs/reference/authkit/authentication/get-authorization-url/error-codes>.
    fn code(self) -> &'static str {
        match self {
            Self::Denied => "access_denied",
            Self::Failed => "oauth_failed",
            Self::SignUp => "sign_up_not_allowed",
        }
    }

    fn description(self, provider: &Provider) -> String {
        match self {
            Self::Denied => format!("The user denied the request at {}.", provider.name),
            Self::Failed => format!("The sign-in at {} failed.", provider.name),
            Self::SignUp => "Sign-up is not allowed.".to_owned(),
        }
    }
}

/// `GET /authkit/oauth/{provider}/{client_id}/callback`: the way back.
pub(super) fn finish_provider(call: &Call) -> Result<Reply, ApiError> {
    let state = call.query.get("state").unwrap_or_default();
    let session_id = state.split_once('.').map_or("", |(id, _)| id);
    visit::comes_back(call, Some(session_id), |visit| {
        let expected = visit
            .session
            .provider
            .as_ref()
            .filter(|leg| leg.state.matches(state));
        let provider = providers::by_path(call.param("provider"));
        let Some(provider) = provider.filter(|of| expected.is_some_and(|leg| leg.method == of.method)) else {
            return error::sign_in_not_found(call);
        };
        let outcome = call.environment.transact(|tx| {
            if visit.is_current(tx) {
                finish(tx, visit, provider).map(Some)
            } else {
                Ok(None)
            }
        })?;
        match outcome {
            Some(Ok(step)) => Ok(visit.go(step)),
            Some(Err(refusal)) => {
                let url = format!(
                    "{}&provider={}&reason={}",
                    visit.url(REFUSED),
                    provider.path,
                    refusal.code()
                );
                Ok(Reply::redirect(303, url).header("Cache-Control", "no-store"))
            }
            None => error::sign_in_not_found(call),
        }
    })
}

/// What becomes of the sign-in: an application that named the provider is told at once, whatever it is; on AuthKit's own
/// pages the person goes on, or chooses another way.
fn finish(
    tx: &mut Transaction<'_>,
    visit: &Visit<'_>,
    provider: &Provider,
) -> Result<Result<Step, Refusal>, ApiError> {
    let call = visit.call;
    let session = session::arrive(tx, &visit.session)?;
    let request = &session.request;
    let code = call.query.get("code").unwrap_or_default();
    let refusal = match call.query.get("error") {
        Some("access_denied") => Err(Refusal::Denied),
        Some(_) => Err(Refusal::Failed),
        None => stand_in::redeem(tx, provider, code).ok_or(Refusal::Failed),
    };
    let granted = match refusal {
        Ok(granted) => granted,
        Err(refusal) => {
            let description = refusal.description(provider);
            oauth::failed(tx, provider, &visit.device(), (refusal.code(), &description))?;
            if request.provider.is_none() {
                return Ok(Err(refusal));
            }
            session::end(tx, &session);
            let error = AuthorizationError::new(refusal.code(), description);
            return Ok(Ok(Step::Leave(request.goal.failed(&request.client_id, &error))));
        }
    };
    let (profile, scopes) = granted;
    let arrival = Arrival {
        profile,
        tokens: oauth::tokens(tx, provider.method, scopes),
        device: visit.device(),
        invitation: request.invitation.clone(),
    };
    if request.provider.is_some() {
        session::end(tx, &session);
        return session::reach(tx, request, arrival).map(|url| Ok(Step::Leave(url)));
    }
    let Ok(begun) = oauth::conclude(tx, arrival)? else {
        return Ok(Err(Refusal::SignUp));
    };
    // Who was asked to come another way still wants to where they wanted.
    let before = session.authenticated.as_ref();
    let wanted = before
        .and_then(|before| before.organization_id.as_deref())
        .filter(|id| check_membership(tx, &begun.user_id, id).is_ok());
    session::go_on(tx, &session, begun.to(wanted)).map(Ok)
}

/// `GET /authkit/oauth/refused`
pub(super) fn show_provider_refused(call: &Call) -> Result<Reply, ApiError> {
    visit::show(call, |visit| {
        let provider = call.query.get("provider").and_then(providers::by_path);
        let reason = call.query.get("reason").unwrap_or_default();
        let refusal = Refusal::ALL.into_iter().find(|refusal| refusal.code() == reason);
        let (Some(provider), Some(refusal)) = (provider, refusal) else {
            return Ok(visit.to(sign_in::PATH));
        };
        let name = provider.name;
        let (title, text) = match refusal {
            Refusal::Denied => (
                "You are not signed in",
                format!("{name} was not allowed to say who you are."),
            ),
            Refusal::Failed => (
                "You are not signed in",
                format!("The answer from {name} came too late, or was no good."),
            ),
            Refusal::SignUp => (
                "You have no account here",
                format!(
                    "Nobody can sign up here on their own, with {name} or otherwise. Ask for an invitation."
                ),
            ),
        };
        page(
            400,
            &ProviderRefusedPage {
                chrome: chrome(&call.environment),
                title,
                text: &text,
                sign_in_url: &visit.url(sign_in::PATH),
            },
        )
    })
}
