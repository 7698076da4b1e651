//! `GET /auth/sign-in` and `GET /auth/sign-up`: off to AuthKit.

use actix_web::{HttpRequest, HttpResponse, ResponseError, http::StatusCode, web::Query};
use serde::Deserialize;
use workos::{
    UserManagementAuthenticationProvider as Provider, UserManagementAuthenticationScreenHint as ScreenHint,
    user_management::GetAuthorizationUrlParams,
};

use super::{redirect, refuse, return_path};
use crate::{AuthError, context::RequestAuth, digest::sha256_base64url, navigation, random::unguessable};

/// What a link to the route may ask for. The rest of the authorize request is not for strangers to choose.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct SignInQuery {
    return_to: Option<String>,
    organization_id: Option<String>,
    login_hint: Option<String>,
}

pub(crate) async fn sign_in(request: HttpRequest, query: Option<Query<SignInQuery>>) -> HttpResponse {
    begin(
        &request,
        query.map(Query::into_inner).unwrap_or_default(),
        ScreenHint::SignIn,
    )
}

pub(crate) async fn sign_up(request: HttpRequest, query: Option<Query<SignInQuery>>) -> HttpResponse {
    begin(
        &request,
        query.map(Query::into_inner).unwrap_or_default(),
        ScreenHint::SignUp,
    )
}

/// Redirects to AuthKit, with a fresh state and PKCE verifier that only this browser holds.
pub(super) fn begin(request: &HttpRequest, query: SignInQuery, screen: ScreenHint) -> HttpResponse {
    let auth = match RequestAuth::of(request) {
        Ok(auth) => auth,
        Err(error) => return error.error_response(),
    };
    let authkit = &auth.authkit;
    let paths = &authkit.config().paths;
    if navigation::is_prefetch(request.headers()) {
        // No cookie for a click that may never come.
        return HttpResponse::ServiceUnavailable()
            .insert_header(("Cache-Control", "no-store"))
            .finish();
    }
    if navigation::is_subrequest(request.headers()) {
        let message = "sign-in is a page: go there with a navigation, not with fetch";
        return refuse(
            request,
            StatusCode::BAD_REQUEST,
            "navigation_required",
            message,
            (&paths.sign_in, "Sign in"),
        );
    }

    let state = unguessable(authkit.randomness());
    let code_verifier = unguessable(authkit.randomness());
    let return_to = return_path(authkit, query.return_to.as_deref()).map(|path| path.to_string());
    let params = GetAuthorizationUrlParams {
        provider: Some(Provider::Authkit),
        state: Some(state.clone()),
        code_challenge: Some(sha256_base64url(&code_verifier)),
        code_challenge_method: Some("S256".to_owned()),
        screen_hint: Some(screen),
        organization_id: query.organization_id.filter(|id| !id.is_empty()),
        login_hint: query.login_hint.filter(|hint| !hint.is_empty()),
        ..GetAuthorizationUrlParams::new(authkit.config().redirect_uri.as_str())
    };
    let url = match authkit.client().user_management().get_authorization_url(params) {
        Ok(url) => url,
        Err(error) => {
            tracing::error!(%error, "the authorization URL cannot be made");
            return AuthError::Unavailable {
                retry_after: std::time::Duration::ZERO,
            }
            .error_response();
        }
    };
    let mut response = redirect(StatusCode::TEMPORARY_REDIRECT, &url);
    for cookie in authkit
        .verifier_cookies()
        .begin(request.headers(), &state, &code_verifier, return_to)
    {
        if let Err(error) = response.add_cookie(&cookie) {
            tracing::error!(%error, "the sign-in cookie cannot be set");
        }
    }
    response.headers_mut().insert(
        actix_web::http::header::CACHE_CONTROL,
        actix_web::http::header::HeaderValue::from_static("no-store"),
    );
    response
}
