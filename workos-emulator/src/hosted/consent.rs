//! The consent page: does the person let an application have what it asks for?

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    chrome, error, page,
    pages::{
        Form,
        consent::{ConsentChoice, ConsentGroup, ConsentPage},
    },
    sign_in,
    visit::{self, Visit},
};
use crate::{
    api::{
        connect::{
            applications::ConnectApplication,
            authorize::{
                self,
                request::{Answer, ConnectRequest},
            },
            consent_options::{Choices, ConsentOption},
            scopes,
        },
        user_management::{
            authenticate::{
                method::AuthenticationMethod,
                sign_in::{NextStep, SignIn, next_step},
            },
            authorize::{
                request::Goal,
                session::{self, Step},
            },
            users::User,
        },
    },
    server::{call::Call, error::ApiError, reply::Reply},
    store::State,
};

pub(crate) const PATH: &str = "/authkit/consent";

/// What a person is asked who has made every step of the sign-in.
struct Asked<'a> {
    request: &'a ConnectRequest,
    sign_in: &'a SignIn,
    application: Arc<ConnectApplication>,
    user: Arc<User>,
}

/// Nothing where the sign-in has another goal, or a step of it is missing: the consent does not stand in for it.
fn asked<'a>(visit: &'a Visit<'_>, state: &State) -> Option<Asked<'a>> {
    let Goal::Connect(request) = &visit.session.request.goal else {
        return None;
    };
    let sign_in = visit.session.authenticated.as_ref()?;
    let user = state.users.get(&sign_in.user_id)?;
    let Ok(NextStep::Enter(organization_id)) =
        next_step(state, user, sign_in, visit.call.environment.clock.now())
    else {
        return None;
    };
    (organization_id == sign_in.organization_id).then_some(())?;
    Some(Asked {
        request,
        sign_in,
        application: Arc::clone(state.connect_applications.get(&request.application_id)?),
        user: Arc::clone(user),
    })
}

/// `GET /authkit/consent`
pub(super) fn show_consent(call: &Call) -> Result<Reply, ApiError> {
    visit::show(call, |visit| form(visit, 200, None))
}

/// `POST /authkit/consent`
pub(super) fn submit_consent(call: &Call) -> Result<Reply, ApiError> {
    visit::submit(call, |visit| {
        let state = call.environment.state();
        let Some(Asked { request, sign_in, .. }) = asked(visit, &state) else {
            return error::sign_in_not_found(call);
        };
        let fields = call.raw_body();
        let allows = match fields.get("decision").and_then(Value::as_str) {
            Some("allow") => true,
            Some("deny") => false,
            _ => return form(visit, 400, Some("Choose whether you allow it.")),
        };
        let client_id = &visit.session.request.client_id;
        visit.step(
            |tx| {
                let url = if allows {
                    let Some(chosen) = chosen(&request.options, fields) else {
                        return Ok(Err("Choose one of the options."));
                    };
                    // Somebody may have left the organization while the page was open.
                    if asked(visit, tx).is_none() {
                        return Ok(Err("This is not possible any more. Sign in again."));
                    }
                    authorize::reach(tx, client_id, request, sign_in, chosen)?
                } else {
                    authorize::deny(tx, client_id, request)?
                };
                session::end(tx, &visit.session);
                Ok(Ok(Step::Leave(url)))
            },
            |refusal| form(visit, 400, Some(refusal)),
        )
    })
}

fn field_name(at: usize) -> String {
    format!("option_{at}")
}

/// The claims that the person chose; nothing where a choice is missing, or is none of the page's.
fn chosen(options: &[ConsentOption], fields: &Value) -> Option<Map<String, Value>> {
    let choices = options.iter().enumerate().map(|(at, option)| {
        let value = fields.get(field_name(at))?.as_str()?;
        option
            .offers(value)
            .then(|| (option.claim.clone(), Value::from(value)))
    });
    choices.collect()
}

fn form(visit: &Visit<'_>, status: u16, error: Option<&str>) -> Result<Reply, ApiError> {
    let state = visit.call.environment.state();
    let Some(Asked {
        request,
        sign_in,
        application,
        user,
    }) = asked(visit, &state)
    else {
        return error::sign_in_not_found(visit.call);
    };
    let name_of = |id: &str| state.organizations.get(id).map(|found| found.name.as_str());
    let scopes = scopes::in_words(&state, &request.scopes);
    // Who signed in at an application of one's own is nobody else at AuthKit.
    let sign_in_url =
        (sign_in.method != AuthenticationMethod::ExternalAuth).then(|| visit.url(sign_in::PATH));
    let choices: Vec<_> = request
        .options
        .iter()
        .enumerate()
        .map(|(at, option)| ConsentChoice {
            name: field_name(at),
            label: &option.label,
            groups: groups(option),
        })
        .collect();
    let destination = match &request.answer {
        Answer::Code { callback, .. } => Some(shown(&callback.redirect_uri)),
        Answer::Device { .. } => None,
    };
    page(
        status,
        &ConsentPage {
            chrome: chrome(&visit.call.environment),
            form: Form {
                action: PATH,
                hidden: &visit.hidden(),
            },
            application: &application.name,
            owner: application.organization_id().and_then(name_of),
            is_unverified: application.is_dynamic(),
            email: &user.email,
            organization: sign_in.organization_id.as_deref().and_then(name_of),
            resource: request.resource.as_deref(),
            scopes: &scopes,
            choices: &choices,
            destination: destination.as_deref(),
            error,
            sign_in_url: sign_in_url.as_deref(),
        },
    )
}

fn groups(option: &ConsentOption) -> Vec<ConsentGroup<'_>> {
    let groups = option.choices.iter().map(|choices| ConsentGroup {
        label: match choices {
            Choices::Group { group, .. } => Some(group),
            Choices::Choice(_) => None,
        },
        choices: choices
            .each()
            .iter()
            .map(|choice| (choice.value.as_str(), choice.label.as_str()))
            .collect(),
    });
    groups.collect()
}

/// What tells people where they go: the site, or the scheme of an application on their device.
fn shown(redirect_uri: &str) -> String {
    match url::Url::parse(redirect_uri) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => {
            let host = url.host_str().unwrap_or_default();
            match url.port() {
                Some(port) => format!("{host}:{port}"),
                None => host.to_owned(),
            }
        }
        Ok(url) => format!("{}:", url.scheme()),
        Err(_) => redirect_uri.to_owned(),
    }
}
