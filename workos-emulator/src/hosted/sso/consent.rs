//! The page that asks whether it is you who signs in.

use serde::Deserialize;

use super::{find, is_current, leave, set_cookie};
use crate::{
    api::sso::{
        connections, profiles,
        sign_in::{self as sso, SsoSession, Stage},
    },
    core::secret::Secret,
    hosted::{
        chrome, error, page,
        pages::{Form, sso::SignInConsentPage},
    },
    server::{call::Call, error::ApiError, reply::Reply},
};

pub(in crate::hosted) const CONSENT: &str = "/sso/consent";

/// The parameter, and hidden field, that names the sign-in.
pub(super) const SESSION: &str = "sso_session_id";
/// What a browser has in which somebody has agreed to sign in.
pub(super) const COOKIE: &str = "workos_sso_consent";
const COOKIE_LIFETIME: i64 = 365 * 24 * 3600;
const TOKEN_LENGTH: usize = 32;

/// The sign-in that waits for consent, and the profile that it is about.
fn waiting(call: &Call, id: Option<&str>) -> Option<(SsoSession, String)> {
    let session = find(call, id?)?;
    let Stage::Consent { profile_id } = &session.stage else {
        return None;
    };
    let profile_id = profile_id.clone();
    Some((session, profile_id))
}

/// `GET /sso/consent`: is it you who signs in?
pub(in crate::hosted) fn show_sign_in_consent(call: &Call) -> Result<Reply, ApiError> {
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
pub(in crate::hosted) fn submit_sign_in_consent(call: &Call) -> Result<Reply, ApiError> {
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
    let present = call.cookie(COOKIE).filter(|token| token.len() == TOKEN_LENGTH);
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
            set_cookie(call, COOKIE, token.expose(), COOKIE_LIFETIME),
        ),
        None => reply,
    })
}
