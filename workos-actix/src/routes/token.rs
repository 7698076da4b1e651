//! `GET /auth/token` and `POST /auth/token`: the access token, for scripts of this site.

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    http::{StatusCode, header::CACHE_CONTROL},
};
use serde_json::json;

use super::{refuse, refuse_other_site};
use crate::{AuthUser, context::RequestAuth};

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
    match auth.require_user(request.head()) {
        Ok(user) => token(&auth, &user),
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
    let message = "Only scripts of this site get the access token.";
    refuse_other_site(auth, request, message).or_else(|| {
        let message = "Send the header `X-Requested-With`, as only a script of this site can.";
        (!request.headers().contains_key(SCRIPT_HEADER)).then(|| {
            refuse(
                request,
                StatusCode::FORBIDDEN,
                "script_required",
                message,
                ("/", "Back"),
            )
        })
    })
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
fn no_token(error: &crate::AuthError) -> HttpResponse {
    let mut response = error.without_redirect().error_response();
    response.headers_mut().insert(
        CACHE_CONTROL,
        actix_web::http::header::HeaderValue::from_static("no-store"),
    );
    response
}
