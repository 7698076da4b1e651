//! `POST /auth/sign-out` and `GET /auth/sign-out`: out of here, and out of WorkOS.

use actix_web::{HttpRequest, HttpResponse, ResponseError, http::StatusCode, web::Query};
use serde::Deserialize;
use url::Url;
use workos::user_management::GetLogoutUrlParams;

use super::{redirect, refuse, refuse_other_site, return_path};
use crate::{
    context::{RequestAuth, SessionChange},
    navigation, page,
};

#[derive(Debug, Default, Deserialize)]
pub(crate) struct SignOutQuery {
    pub(super) return_to: Option<String>,
}

/// For forms and scripts of this site; another site's form is refused.
pub(crate) async fn post(request: HttpRequest, query: Option<Query<SignOutQuery>>) -> HttpResponse {
    let auth = match RequestAuth::of(&request) {
        Ok(auth) => auth,
        Err(error) => return error.error_response(),
    };
    if let Some(refusal) = refuse_other_site(&auth, &request, "Another site may not sign you out.") {
        return refusal;
    }
    sign_out(&auth, query, StatusCode::SEE_OTHER)
}

/// For links. An image or a script cannot use it, a prefetch does not, and a link on another site asks first.
pub(crate) async fn get(request: HttpRequest, query: Option<Query<SignOutQuery>>) -> HttpResponse {
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
    if navigation::is_cross_site(request.headers()) {
        let action = &auth.authkit.config().paths.sign_out;
        return page::confirmation_page(&mut HttpResponse::Ok(), "Sign out?", action, "Sign out");
    }
    sign_out(&auth, query, StatusCode::TEMPORARY_REDIRECT)
}

pub(crate) fn sign_out(
    auth: &RequestAuth,
    query: Option<Query<SignOutQuery>>,
    status: StatusCode,
) -> HttpResponse {
    let config = auth.authkit.config();
    let asked = query.and_then(|query| return_path(&auth.authkit, query.return_to.as_deref()));
    let session_id = auth.session_id();
    auth.change_session(SessionChange::End);
    let Some(session_id) = session_id else {
        // Nobody was signed in: WorkOS has nothing to end.
        return redirect(status, asked.as_ref().map_or("/", |path| path.as_str()));
    };
    // WorkOS wants an absolute URL, one of the sign-out redirects in its dashboard.
    let return_to = match asked {
        Some(path) => config.redirect_uri.join(path.as_str()).ok(),
        None => config.paths.after_sign_out.clone(),
    };
    let params = GetLogoutUrlParams {
        return_to: return_to.map(String::from),
        ..GetLogoutUrlParams::new(session_id)
    };
    match auth.authkit.client().user_management().get_logout_url(params) {
        Ok(url) if Url::parse(&url).is_ok() => redirect(status, &url),
        _ => redirect(status, "/"),
    }
}
