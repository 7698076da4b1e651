//! `POST /auth/sign-out` and `GET /auth/sign-out`: out of here, and out of WorkOS.

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    http::StatusCode,
    web::{Payload, Query},
};
use serde::Deserialize;
use url::form_urlencoded;

use super::{fields, refuse, refuse_other_site};
use crate::{AuthError, context::RequestAuth, navigation, page, sign_out::Scope};

#[derive(Debug, Default, Deserialize)]
struct Wanted {
    return_to: Option<String>,
    /// `here`, `everywhere`, or the session when nothing is said.
    scope: Option<Scope>,
}

/// For forms and scripts of this site; another site's form is refused.
pub(crate) async fn post(request: HttpRequest, payload: Payload) -> HttpResponse {
    let auth = match RequestAuth::of(&request) {
        Ok(auth) => auth,
        Err(error) => return error.error_response(),
    };
    if let Some(refusal) = refuse_other_site(&auth, &request, "Another site may not sign you out.") {
        return refusal;
    }
    let Ok(query) = Query::<Wanted>::from_query(request.query_string()) else {
        return not_understood(&request);
    };
    let sent = match fields::read::<Wanted>(&request, payload).await {
        Ok(sent) => sent.map(|sent| sent.fields).unwrap_or_default(),
        Err(refusal) => return refusal,
    };
    let wanted = Wanted {
        return_to: sent.return_to.or_else(|| query.return_to.clone()),
        scope: sent.scope.or(query.scope),
    };
    sign_out(&auth, &request, &wanted).await
}

/// For links. An image or a script cannot use it, a prefetch does not, and a link on another site asks first, as does
/// every link that would sign out everywhere.
pub(crate) async fn get(request: HttpRequest) -> HttpResponse {
    let auth = match RequestAuth::of(&request) {
        Ok(auth) => auth,
        Err(error) => return error.error_response(),
    };
    if navigation::is_prefetch(request.headers()) {
        return HttpResponse::ServiceUnavailable()
            .insert_header(("Cache-Control", "no-store"))
            .finish();
    }
    if navigation::is_subrequest(request.headers()) {
        let message = "Signing out needs a navigation or a POST.";
        return refuse(
            &request,
            StatusCode::FORBIDDEN,
            "navigation_required",
            message,
            ("/", "Back"),
        );
    }
    let Ok(Query(wanted)) = Query::<Wanted>::from_query(request.query_string()) else {
        return not_understood(&request);
    };
    let is_everywhere = wanted.scope == Some(Scope::Everywhere);
    if is_everywhere || navigation::is_cross_site(request.headers()) {
        return confirm(&auth, &wanted);
    }
    sign_out(&auth, &request, &wanted).await
}

async fn sign_out(auth: &RequestAuth, request: &HttpRequest, wanted: &Wanted) -> HttpResponse {
    let mut sign_out = auth
        .authkit
        .sign_out(request)
        .scope(wanted.scope.unwrap_or_default());
    if let Some(path) = &wanted.return_to {
        sign_out = sign_out.return_to(path);
    }
    match sign_out.redirect().await {
        Ok(response) => response,
        Err(error) => {
            let message = match error {
                AuthError::Unavailable { .. } if wanted.scope != Some(Scope::Everywhere) => {
                    "You cannot be signed out at the moment. You are still signed in; try again.".to_owned()
                }
                AuthError::Unavailable { .. } => {
                    "You cannot be signed out everywhere at the moment. You are still signed in; try again."
                        .to_owned()
                }
                _ => error.to_string(),
            };
            refuse(
                request,
                error.status_code(),
                error.code(),
                &message,
                ("/", "Back"),
            )
        }
    }
}

/// A page with a button, which posts the same.
fn confirm(auth: &RequestAuth, wanted: &Wanted) -> HttpResponse {
    let path = &auth.authkit.config().paths.sign_out;
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(return_to) = super::return_path(&auth.authkit, wanted.return_to.as_deref()) {
        query.append_pair("return_to", return_to.as_str());
    }
    let (title, label) = match wanted.scope {
        Some(Scope::Everywhere) => {
            query.append_pair("scope", "everywhere");
            ("Sign out everywhere?", "Sign out everywhere")
        }
        Some(Scope::Here) => {
            query.append_pair("scope", "here");
            ("Sign out?", "Sign out")
        }
        _ => ("Sign out?", "Sign out"),
    };
    let query = query.finish();
    let action = if query.is_empty() {
        path.clone()
    } else {
        format!("{path}?{query}")
    };
    page::confirmation_page(&mut HttpResponse::Ok(), title, &action, label)
}

fn not_understood(request: &HttpRequest) -> HttpResponse {
    let message = "What to sign out of is not understood: `scope` is `here`, `everywhere` or nothing.";
    refuse(
        request,
        StatusCode::BAD_REQUEST,
        "invalid_request",
        message,
        ("/", "Back"),
    )
}
