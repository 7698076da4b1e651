//! `GET` on the redirect URI: the sign-in comes back from AuthKit.

use std::{rc::Rc, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    http::{StatusCode, header::USER_AGENT},
    web::Query,
};
use serde::Deserialize;
use thiserror::Error;
use url::form_urlencoded;
use workos::{
    UserManagementAuthenticationScreenHint as ScreenHint, user_management::AuthenticateWithCodeParams,
};

use super::{redirect, refuse, return_path, sign_in, verifier_cookie::Attempt};
use crate::{
    context::{RequestAuth, SessionChange},
    credential::Session,
    token::verify::{TokenError, unverified_session_id},
};

#[derive(Default, Deserialize)]
pub(crate) struct CallbackQuery {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// Why a sign-in was not completed.
#[derive(Debug, Error)]
pub(crate) enum CallbackError {
    #[error("The sign-in response is incomplete.")]
    Malformed,
    #[error(
        "This sign-in was not started in this browser, was started too long ago, or is already completed."
    )]
    UnknownAttempt,
    #[error("{}", .description.as_deref().unwrap_or("The sign-in was refused."))]
    Provider {
        code: String,
        description: Option<String>,
    },
    #[error("WorkOS did not accept the sign-in.")]
    Rejected { code: String },
    #[error("WorkOS answered in a way that cannot be used.")]
    BadAnswer,
    #[error("WorkOS cannot be reached. Try again in a moment.")]
    Unavailable,
}

impl CallbackError {
    fn code(&self) -> &str {
        match self {
            Self::Malformed => "invalid_request",
            Self::UnknownAttempt => "invalid_state",
            Self::Provider { code, .. } | Self::Rejected { code } => code,
            Self::BadAnswer => "bad_gateway",
            Self::Unavailable => "temporarily_unavailable",
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Malformed | Self::UnknownAttempt => StatusCode::BAD_REQUEST,
            Self::Provider { code, .. } => match code.as_str() {
                "server_error" => StatusCode::BAD_GATEWAY,
                "temporarily_unavailable" => StatusCode::SERVICE_UNAVAILABLE,
                _ => StatusCode::UNAUTHORIZED,
            },
            Self::Rejected { .. } => StatusCode::UNAUTHORIZED,
            Self::BadAnswer => StatusCode::BAD_GATEWAY,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

pub(crate) async fn callback(request: HttpRequest, query: Option<Query<CallbackQuery>>) -> HttpResponse {
    let auth = match RequestAuth::of(&request) {
        Ok(auth) => auth,
        Err(error) => return error.error_response(),
    };
    let query = query.map(Query::into_inner).unwrap_or_default();
    let Some(state) = query.state.clone().filter(|state| !state.is_empty()) else {
        // Nobody here asked for this code, so it is not ours to use: an attacker could have planted it.
        if query.code.is_some() && query.error.is_none() {
            return sign_in::begin(&request, sign_in::SignInQuery::default(), ScreenHint::SignIn);
        }
        return failure(
            &auth,
            &request,
            &provider_error(&query).unwrap_or(CallbackError::Malformed),
        );
    };
    let mut response = match complete(&auth, &request, query, &state).await {
        Ok((session, return_to)) => {
            auth.change_session(SessionChange::Begin(session));
            redirect(StatusCode::TEMPORARY_REDIRECT, &return_to)
        }
        Err(error) => failure(&auth, &request, &error),
    };
    // Good for one callback, however it ended. The name is a hash: safe, whatever the state was.
    if let Err(error) = response.add_cookie(&auth.authkit.verifier_cookies().removal(&state)) {
        tracing::error!(%error, "the sign-in cookie cannot be removed");
    }
    response
}

async fn complete(
    auth: &Rc<RequestAuth>,
    request: &HttpRequest,
    query: CallbackQuery,
    state: &str,
) -> Result<(Arc<Session>, String), CallbackError> {
    let attempt = auth
        .authkit
        .verifier_cookies()
        .find(request.headers(), state)
        .ok_or(CallbackError::UnknownAttempt)?;
    if let Some(error) = provider_error(&query) {
        return Err(error);
    }
    let code = query
        .code
        .filter(|code| !code.is_empty())
        .ok_or(CallbackError::Malformed)?;
    let session = exchange(auth, request, &code, &attempt).await?;
    let paths = &auth.authkit.config().paths;
    let return_to = return_path(&auth.authkit, attempt.return_to.as_deref());
    Ok((
        session,
        return_to.map_or_else(|| paths.after_sign_in.clone(), |path| path.to_string()),
    ))
}

/// The code for a session, and the proof that WorkOS made it.
async fn exchange(
    auth: &Rc<RequestAuth>,
    request: &HttpRequest,
    code: &str,
    attempt: &Attempt,
) -> Result<Arc<Session>, CallbackError> {
    let authkit = &auth.authkit;
    let user_agent = request
        .headers()
        .get(USER_AGENT)
        .and_then(|value| value.to_str().ok());
    let params = AuthenticateWithCodeParams {
        code_verifier: Some(attempt.code_verifier.as_str().into()),
        user_agent: user_agent.map(str::to_owned),
        ..AuthenticateWithCodeParams::new(code)
    };
    let response = authkit
        .client()
        .user_management()
        .authenticate_with_code(params)
        .await;
    let session = Session::from(response.map_err(|error| {
        tracing::warn!(%error, "the authorization code was not accepted");
        classify(&error)
    })?);
    if let Some(session_id) = unverified_session_id(session.access_token.expose()) {
        authkit.verified().revive(&session_id).await;
    }
    authkit.verify_session(&session).await.map_err(|error| {
        tracing::error!(%error, "the access token of the sign-in is not acceptable");
        match error {
            TokenError::Unavailable(_) | TokenError::UnknownKey => CallbackError::Unavailable,
            _ => CallbackError::BadAnswer,
        }
    })?;
    tracing::info!(user.id = %session.user.id, "signed in");
    Ok(Arc::new(session))
}

fn classify(error: &workos::Error) -> CallbackError {
    let api = match error {
        workos::Error::Api(api) => api,
        workos::Error::Network(_) => return CallbackError::Unavailable,
        _ => return CallbackError::BadAnswer,
    };
    match (api.status, api.code.as_deref()) {
        (408 | 429 | 500.., _) => CallbackError::Unavailable,
        // Our own credentials are refused: nothing the person can mend.
        (401, _) | (_, Some("invalid_client" | "unauthorized_client")) => CallbackError::BadAnswer,
        (_, code) => CallbackError::Rejected {
            code: code.unwrap_or("invalid_grant").to_owned(),
        },
    }
}

/// `error` and `error_description` as the provider sent them, bounded; escaping is up to who shows them.
fn provider_error(query: &CallbackQuery) -> Option<CallbackError> {
    let bounded = |text: &String| {
        text.chars()
            .filter(|c| !c.is_control())
            .take(300)
            .collect::<String>()
    };
    let code = query
        .error
        .as_ref()
        .map(bounded)
        .filter(|code| !code.is_empty())?;
    let description = query
        .error_description
        .as_ref()
        .map(bounded)
        .filter(|text| !text.is_empty());
    Some(CallbackError::Provider { code, description })
}

fn failure(auth: &RequestAuth, request: &HttpRequest, error: &CallbackError) -> HttpResponse {
    let paths = &auth.authkit.config().paths;
    tracing::warn!(code = error.code(), "sign-in failed: {error}");
    if matches!(error, CallbackError::UnknownAttempt) {
        tracing::warn!(
            redirect_uri = %auth.authkit.config().redirect_uri,
            "if this happens to everyone: open the app under the host of the redirect URI, because the cookies of \
             another host (127.0.0.1 is not localhost) do not arrive here"
        );
    }
    if let Some(target) = &paths.sign_in_failed {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("error", error.code())
            .append_pair("error_description", &error.to_string())
            .finish();
        let (target, fragment) = match target.split_once('#') {
            Some((target, fragment)) => (target, format!("#{fragment}")),
            None => (target.as_str(), String::new()),
        };
        let separator = if target.contains('?') { '&' } else { '?' };
        return redirect(
            StatusCode::TEMPORARY_REDIRECT,
            &format!("{target}{separator}{query}{fragment}"),
        );
    }
    refuse(
        request,
        error.status(),
        error.code(),
        &error.to_string(),
        (&paths.sign_in, "Sign in again"),
    )
}
