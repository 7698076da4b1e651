//! `POST /oauth2/introspection`: is a token still good (RFC 7662)? Source:
//! <https://workos.com/docs/reference/workos-connect/introspection>.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    access_tokens::{self, Active},
    applications::{self, ConnectApplication},
    client::{Client, Credentials, Form, invalid_client},
    token::grants,
};
use crate::{
    server::{api_key, call::Call, error::ApiError, reply::Reply},
    store::State,
};

/// Who asks.
enum Asking {
    /// The environment, by its own client id and its API key.
    Environment,
    Application(Arc<ConnectApplication>),
}

impl Asking {
    fn identify(call: &Call, form: Form<'_>) -> Result<Self, ApiError> {
        let credentials = Credentials::of(call, form)?;
        let secret = credentials.client_secret.as_deref();
        let is_application =
            applications::by_client_id(&call.environment.state(), &credentials.client_id).is_some();
        if !is_application && secret.is_some_and(|secret| api_key::is_valid(&call.environment, secret)) {
            return Ok(Self::Environment);
        }
        let client = Client::with(call, &credentials)?;
        if !client.authenticated {
            return Err(invalid_client("The client_secret is required."));
        }
        Ok(Self::Application(client.application))
    }

    /// Assumption: an application of a third party may ask about its own tokens alone; one's own, and the environment
    /// itself, about all.
    fn may_ask_about(&self, application: &ConnectApplication) -> bool {
        match self {
            Self::Environment => true,
            Self::Application(own) => own.is_first_party() || own.id == application.id,
        }
    }
}

/// `POST /oauth2/introspection`. `token_type_hint` is not needed.
pub(crate) fn introspection(call: &Call) -> Result<Reply, ApiError> {
    let form = Form::of(call)?;
    let asking = Asking::identify(call, form)?;
    let token = form.require("token")?;
    let state = call.environment.state();
    let found = access_token(call, &state, &asking, token);
    let found = found.or_else(|| refresh_token(call, &state, &asking, token));
    let body = found.unwrap_or_else(|| json!({"active": false}));
    Ok(Reply::ok(&body)?.header("Cache-Control", "no-store"))
}

fn access_token(call: &Call, state: &State, asking: &Asking, token: &str) -> Option<Value> {
    let active = access_tokens::active(state, call.environment.clock.now(), token)?;
    let Active {
        claims, application, ..
    } = active;
    asking.may_ask_about(&application).then(|| {
        let mut body = json!({
            "active": true,
            "token_type": "access_token",
            "client_id": application.client_id,
            "iss": claims.iss,
            "sub": claims.sub,
            "iat": claims.iat,
            "exp": claims.exp,
        });
        // As documented, a machine's token has no `jti` here.
        if let Some(sid) = claims.sid {
            body["sid"] = sid.into();
            body["jti"] = claims.jti.into();
        }
        if let Some(org_id) = claims.org_id {
            body["org_id"] = org_id.into();
        }
        if let Some(scope) = claims.scope.filter(|scope| !scope.is_empty()) {
            body["scope"] = scope.into();
        }
        body
    })
}

fn refresh_token(call: &Call, state: &State, asking: &Asking, token: &str) -> Option<Value> {
    let grant = grants::current(state, call.environment.clock.now(), token)?;
    let consent = state.connect_consents.get(&grant.consent_id)?;
    let application = state.connect_applications.get(&grant.application_id)?;
    if !consent.is_in_force(state) || !asking.may_ask_about(application) {
        return None;
    }
    let mut body = json!({
        "active": true,
        "token_type": "refresh_token",
        "client_id": application.client_id,
        "iss": access_tokens::issuer(call),
        "sub": consent.user_id,
        "iat": grant.issued_at.as_second(),
        "scope": grant.authorization.scopes.join(" "),
    });
    if let Some(org_id) = &consent.organization_id {
        body["org_id"] = org_id.as_str().into();
    }
    Some(body)
}
