//! `POST /auth/switch-organization`: the same person, in another of their organizations.

use actix_web::{HttpRequest, HttpResponse, ResponseError, http::StatusCode, web::Payload};
use serde::Deserialize;
use serde_json::json;

use super::{
    fields::{self, Fields},
    redirect, refuse, refuse_other_site, return_path,
};
use crate::{AuthError, context::RequestAuth, navigation};

#[derive(Deserialize)]
struct Switch {
    organization_id: String,
    return_to: Option<String>,
}

/// For forms and scripts of this site: a form is answered with a page to go to, JSON with JSON.
pub(crate) async fn post(request: HttpRequest, payload: Payload) -> HttpResponse {
    let auth = match RequestAuth::of(&request) {
        Ok(auth) => auth,
        Err(error) => return error.error_response(),
    };
    let message = "Another site may not switch your organization.";
    if let Some(refusal) = refuse_other_site(&auth, &request, message) {
        return refusal;
    }
    let Fields {
        fields: switch,
        is_form,
    } = match fields::read::<Switch>(&request, payload).await {
        Ok(Some(switch)) if !switch.fields.organization_id.is_empty() => switch,
        Ok(_) => return malformed(&request),
        Err(refusal) if refusal.status() == StatusCode::BAD_REQUEST => return malformed(&request),
        Err(refusal) => return refusal,
    };
    let authkit = &auth.authkit;
    let return_to = return_path(authkit, switch.return_to.as_deref());
    let switched = authkit
        .renew(&request, Some(&switch.organization_id), return_to.as_ref())
        .await;
    match switched {
        Ok(_) if is_form => {
            let after_sign_in = &authkit.config().paths.after_sign_in;
            let page = return_to
                .as_ref()
                .map_or(after_sign_in.as_str(), |path| path.as_str());
            redirect(StatusCode::SEE_OTHER, page)
        }
        Ok(user) => HttpResponse::Ok().json(json!({ "organization_id": user.organization_id() })),
        Err(error) if error.redirect().is_some() || !navigation::is_navigation(request.head()) => {
            error.error_response()
        }
        Err(error) => {
            let back = return_to.as_ref().map_or("/", |path| path.as_str());
            let (status, message) = (error.status_code(), sentence(&error));
            refuse(&request, status, error.code(), &message, (back, "Back"))
        }
    }
}

fn malformed(request: &HttpRequest) -> HttpResponse {
    refuse(
        request,
        StatusCode::BAD_REQUEST,
        "invalid_request",
        "The organization is missing: send `organization_id` as a form or as JSON.",
        ("/", "Back"),
    )
}

/// What a person reads.
fn sentence(error: &AuthError) -> String {
    match error {
        AuthError::OrganizationForbidden => "You are not a member of this organization.".to_owned(),
        AuthError::Unavailable { .. } => {
            "The organization cannot be switched at the moment. You are still signed in; try again."
                .to_owned()
        }
        other => other.to_string(),
    }
}
