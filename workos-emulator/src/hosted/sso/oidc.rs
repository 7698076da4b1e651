//! To an OpenID provider and back.

use std::{sync::Arc, time::Duration};

use url::form_urlencoded;

use super::{consent::SESSION, find, finish, is_current};
use crate::{
    api::sso::{
        connections::{Connection, ProtocolOptions},
        identity_provider::{Assertion, Provider, Refusal, provider},
        oidc::{self, OidcRequest, Returned},
        sign_in::{SsoSession, Stage},
        traces::{StepName, Steps},
    },
    hosted::error,
    server::{call::Call, error::ApiError, operation::Answer, reply::Reply},
};

/// How long a provider is asked in all, while somebody waits.
const PATIENCE: Duration = Duration::from_secs(15);

/// Where a provider is looked up, for the browser to be sent to it.
pub(super) fn start_url(call: &Call, session: &SsoSession) -> String {
    let state = call.environment.state();
    let connection = state.connections.get(&session.connection_id);
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", &call.environment.client_id)
        .append_pair(SESSION, &session.id)
        .finish();
    let external_key = connection.map_or("", |connection| &connection.external_key);
    format!("{}/sso/oidc/{external_key}/start?{query}", call.base_url())
}

/// The sign-in with this id that this browser started, and its connection, if that is the one of the path.
fn found(call: &Call, id: &str) -> Option<(SsoSession, Arc<Connection>)> {
    let session = find(call, id)?;
    let state = call.environment.state();
    let connection = Arc::clone(state.connections.get(&session.connection_id)?);
    let fits = connection.external_key == call.param("external_key");
    fits.then_some((session, connection))
}

/// `GET /sso/oidc/{external_key}/start`: on to the provider.
pub(in crate::hosted) fn start_oidc(call: Call) -> Answer {
    Box::pin(async move { start(&call).await })
}

async fn start(call: &Call) -> Result<Reply, ApiError> {
    let found = found(call, call.query.get(SESSION).unwrap_or_default());
    // Somebody who went back in the browser is sent there once more.
    let found = found.filter(|(session, connection)| {
        let is_away = matches!(session.stage, Stage::Away | Stage::Oidc(_));
        is_away && provider(connection) == Provider::Oidc
    });
    let Some((session, connection)) = found else {
        return error::sign_in_not_found(call);
    };
    let ProtocolOptions::Oidc(options) = &connection.options else {
        return error::sign_in_not_found(call);
    };
    let environment = &call.environment;
    let now = environment.clock.now();
    match environment
        .providers
        .metadata(&options.discovery_endpoint, now)
        .await
    {
        Ok(metadata) => {
            let redirect_uri = oidc::redirect_uri(&call.base_url(), &connection);
            let url = environment.transact(|tx| {
                if is_current(tx, &session) {
                    oidc::ask(tx, &session, options, &metadata, redirect_uri).map(Some)
                } else {
                    Ok(None)
                }
            })?;
            match url {
                Some(url) => Ok(Reply::redirect(302, String::from(url)).header("Cache-Control", "no-store")),
                None => error::sign_in_not_found(call),
            }
        }
        Err(reason) => {
            let mut steps = Steps::default();
            steps.failed(StepName::Discovery, reason.clone());
            environment.transact(|tx| steps.write(tx, &session.id))?;
            finish(call, &session, |_| Err(Refusal::Failed(reason)))
        }
    }
}

/// `GET /sso/oidc/{external_key}/callback`: the way back from the provider.
pub(in crate::hosted) fn finish_oidc(mut call: Call) -> Answer {
    Box::pin(async move {
        let id = SsoSession::id_in(call.query.get("state").unwrap_or_default());
        // The provider knows nothing of environments.
        if let Some(environment) = call.registry.by_sso_session(id) {
            call.environment = environment;
        }
        come_back(&call).await
    })
}

async fn come_back(call: &Call) -> Result<Reply, ApiError> {
    let state = call.query.get("state").unwrap_or_default();
    let found = found(call, SsoSession::id_in(state)).filter(|(session, _)| session.state.matches(state));
    let Some((session, connection)) = found else {
        return error::sign_in_not_found(call);
    };
    let Stage::Oidc(request) = &session.stage else {
        return error::sign_in_not_found(call);
    };
    let answered = call.environment.transact(|tx| {
        if is_current(tx, &session) {
            oidc::answered(tx, &session).map(Some)
        } else {
            Ok(None)
        }
    })?;
    let Some(session) = answered else {
        return error::sign_in_not_found(call);
    };
    let mut steps = Steps::default();
    let answer = conclude(call, &connection, request, &mut steps).await;
    call.environment.transact(|tx| steps.write(tx, &session.id))?;
    finish(call, &session, |_| answer)
}

async fn conclude(
    call: &Call,
    connection: &Connection,
    request: &OidcRequest,
    steps: &mut Steps,
) -> Result<Assertion, Refusal> {
    let returned = Returned {
        code: call.query.get("code"),
        error: call.query.get("error"),
        error_description: call.query.get("error_description"),
        iss: call.query.get("iss"),
    };
    let conclusion = oidc::conclude(&call.environment, connection, request, returned, steps);
    match tokio::time::timeout(PATIENCE, conclusion).await {
        Ok(conclusion) => conclusion,
        Err(_) => Err(Refusal::Failed(format!(
            "its answers took more than {} seconds in all.",
            PATIENCE.as_secs()
        ))),
    }
}
