//! `GET` on the redirect URI: the sign-in comes back from AuthKit.

use std::{rc::Rc, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{HeaderValue, USER_AGENT},
    },
    web::Query,
};
use serde::Deserialize;
use url::form_urlencoded;
use workos::user_management::AuthenticateWithCodeParams;

use super::{redirect, refuse, return_path};
use crate::{
    SignInError, SignedIn,
    context::{RequestAuth, SessionChange},
    counted,
    credential::Session,
    verifier_cookie::{Attempt, Purpose},
};

#[derive(Default, Deserialize)]
pub(crate) struct CallbackQuery {
    pub(crate) code: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) error_description: Option<String>,
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
            return auth.authkit.sign_in(&request).redirect();
        }
        let error = provider_error(&query).unwrap_or(SignInError::Malformed);
        return failure(&auth, &request, &error).await;
    };
    let mut response = match complete(&auth, &request, query, &state).await {
        Ok((session, location)) => {
            counted::sign_in("signed_in");
            auth.change_session(SessionChange::Begin(session));
            redirect(StatusCode::TEMPORARY_REDIRECT, &location)
        }
        Err(error) => failure(&auth, &request, &error).await,
    };
    // Good for one callback, however it ended. The name is a hash: safe, whatever the state was.
    if let Err(error) = response.add_cookie(&auth.authkit.verifier_cookies().removal(&state)) {
        tracing::error!(%error, "the sign-in cookie cannot be removed");
    }
    response
}

/// The session, and where the person goes.
async fn complete(
    auth: &Rc<RequestAuth>,
    request: &HttpRequest,
    query: CallbackQuery,
    state: &str,
) -> Result<(Arc<Session>, String), SignInError> {
    let attempt = auth
        .authkit
        .verifier_cookies()
        .find(request.headers(), state)
        .filter(|attempt| attempt.purpose == Purpose::AuthKit && is_at_its_place(auth, request, attempt))
        .ok_or(SignInError::UnknownAttempt)?;
    if let Some(error) = provider_error(&query) {
        return Err(error);
    }
    let code = query
        .code
        .filter(|code| !code.is_empty())
        .ok_or(SignInError::Malformed)?;
    let (session, signed_in) = exchange(auth, request, &code, &attempt).await?;
    let user_id = signed_in.user.id().to_owned();
    let location = auth.authkit.hooks().succeeded(signed_in).await?;
    if let Err(error) = HeaderValue::from_str(&location) {
        return Err(SignInError::Hook(Arc::new(error)));
    }
    tracing::info!(user.id = %user_id, "signed in");
    Ok((session, location))
}

/// Whether the sign-in comes back to the host that it was begun for, where the request decides that.
fn is_at_its_place(auth: &RequestAuth, request: &HttpRequest, attempt: &Attempt) -> bool {
    let Some(expected) = &attempt.redirect_uri else {
        return true;
    };
    let here = auth.authkit.redirect_uri_of(request).ok().flatten();
    here.is_some_and(|here| here.as_str() == expected)
}

/// The code for a session, and the proof that WorkOS made it.
async fn exchange(
    auth: &Rc<RequestAuth>,
    request: &HttpRequest,
    code: &str,
    attempt: &Attempt,
) -> Result<(Arc<Session>, SignedIn), SignInError> {
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
    let mut response = response.map_err(|error| {
        tracing::warn!(%error, "the authorization code was not accepted");
        classify(&error)
    })?;
    let authentication_method = response.authentication_method.clone();
    let oauth_tokens = response.oauth_tokens.take();
    let session = Session::from(response);
    let context = authkit.accept(&session).await?;
    let return_to = return_path(authkit, attempt.return_to.as_deref());
    let signed_in = SignedIn {
        user: context.known_user().ok_or(SignInError::BadAnswer)?,
        refresh_token: session.refresh_token.clone(),
        authentication_method,
        oauth_tokens,
        return_to: return_to.map_or_else(
            || authkit.config().paths.after_sign_in.clone(),
            |path| path.to_string(),
        ),
        state: attempt.app_state.clone(),
    };
    Ok((Arc::new(session), signed_in))
}

pub(crate) fn classify(error: &workos::Error) -> SignInError {
    let api = match error {
        workos::Error::Api(api) => api,
        workos::Error::Network(_) => return SignInError::Unavailable,
        _ => return SignInError::BadAnswer,
    };
    match (api.status, api.code.as_deref()) {
        (408 | 429 | 500.., _) => SignInError::Unavailable,
        // Our own credentials are refused: nothing the person can mend.
        (401, _) | (_, Some("invalid_client" | "unauthorized_client")) => SignInError::BadAnswer,
        (_, code) => SignInError::Rejected {
            code: code.unwrap_or("invalid_grant").to_owned(),
        },
    }
}

/// `error` and `error_description` as the provider sent them, bounded; escaping is up to who shows them.
pub(crate) fn provider_error(query: &CallbackQuery) -> Option<SignInError> {
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
    Some(SignInError::Provider { code, description })
}

async fn failure(auth: &RequestAuth, request: &HttpRequest, error: &SignInError) -> HttpResponse {
    let paths = &auth.authkit.config().paths;
    counted::sign_in(error.outcome());
    match error.hook_error() {
        Some(cause) => tracing::error!(%cause, "the app's on_success has failed"),
        None => tracing::warn!(code = error.code(), "sign-in failed: {error}"),
    }
    if matches!(error, SignInError::UnknownAttempt) {
        tracing::warn!(
            redirect_uri = %auth.authkit.config().redirect_uri,
            "if this happens to everyone: open the app under the host of the redirect URI, because the cookies of \
             another host (127.0.0.1 is not localhost) do not arrive here"
        );
    }
    if let Some(response) = auth.authkit.hooks().failed(error).await {
        return response;
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
