//! `GET /auth/token` and `POST /auth/token`: the access token, for scripts of this site.

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    http::{StatusCode, header::CACHE_CONTROL},
};
use serde_json::json;

use super::refuse;
use crate::{AuthError, AuthUser, context::RequestAuth, navigation};

/// A form cannot send it, and another site's script only with the leave of CORS, which nobody gives here.
const SCRIPT_HEADER: &str = "x-requested-with";

/// The token as it is; the middleware has refreshed it if that was due.
pub(crate) async fn get(request: HttpRequest) -> HttpResponse {
    let auth = match RequestAuth::of(&request) {
        Ok(auth) => auth,
        Err(error) => return error.error_response(),
    };
    if let Some(refusal) = refuse_others(&auth, &request) {
        return refusal;
    }
    match auth.user() {
        Ok(Some(user)) => token(&auth, &user),
        Ok(None) => no_token(&AuthError::SignInRequired { redirect: None }),
        Err(error) => no_token(&error),
    }
}

/// A new token, whatever the old one is still good for.
pub(crate) async fn post(request: HttpRequest) -> HttpResponse {
    let auth = match RequestAuth::of(&request) {
        Ok(auth) => auth,
        Err(error) => return error.error_response(),
    };
    if let Some(refusal) = refuse_others(&auth, &request) {
        return refusal;
    }
    match auth.authkit.refresh_session(&request).await {
        Ok(user) => token(&auth, &user),
        Err(error) => no_token(&error),
    }
}

/// The answer to whatever is no script of this site.
fn refuse_others(auth: &RequestAuth, request: &HttpRequest) -> Option<HttpResponse> {
    // Origins that are trusted to send something are not trusted to get the token.
    let (code, message) =
        if !navigation::is_same_origin(request.headers(), &auth.authkit.config().origins.own) {
            (
                "cross_origin_request",
                "Only scripts of this site get the access token.",
            )
        } else if !request.headers().contains_key(SCRIPT_HEADER) {
            (
                "script_required",
                "Send the header `X-Requested-With`, as only a script of this site can.",
            )
        } else {
            return None;
        };
    Some(refuse(
        request,
        StatusCode::FORBIDDEN,
        code,
        message,
        ("/", "Back"),
    ))
}

fn token(auth: &RequestAuth, user: &AuthUser) -> HttpResponse {
    let expires_at = user.claims().exp;
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(json!({
            "access_token": user.access_token().expose(),
            "token_type": "Bearer",
            "expires_in": expires_at.saturating_sub(auth.authkit.now()).max(0),
            "expires_at": expires_at,
            "user_id": user.id(),
            "session_id": user.session_id(),
            "organization_id": user.organization_id(),
        }))
}

/// JSON, wherever the browser says that it navigates to: a script cannot follow a redirect to a page.
fn no_token(error: &AuthError) -> HttpResponse {
    let mut response = error.without_redirect().error_response();
    response.headers_mut().insert(
        CACHE_CONTROL,
        actix_web::http::header::HeaderValue::from_static("no-store"),
    );
    response
}
