//! Handlers that ask for a part of whoever sent the request.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::json;
use workos_actix::{
    AccessToken, ApiKey, AuthContext, AuthError, AuthUser, Claims, Impersonator, OrganizationId, Session,
};

/// What a JWT template adds.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    plan: String,
    seats: Option<u32>,
}

pub(crate) fn pages(app: &mut web::ServiceConfig) {
    app.route("/who", web::get().to(who))
        .route("/who", web::post().to(who))
        .route("/who", web::delete().to(who))
        .route("/perhaps", web::post().to(perhaps))
        .route("/open-to-all", web::post().to(|| async { "taken" }))
        .route(
            "/organization",
            web::get().to(|id: OrganizationId| async move { id.into_inner() }),
        )
        .route(
            "/token",
            web::get().to(|token: AccessToken| async move { format!("{} {token:?}", token.expose()) }),
        )
        .route(
            "/plan",
            web::get().to(|claims: Claims<Plan>| async move { web::Json(claims) }),
        )
        .route(
            "/claims",
            web::get().to(|claims: Claims| async move { web::Json(claims) }),
        )
        .route(
            "/impersonator",
            web::get().to(|who: Impersonator| async move { web::Json(who) }),
        )
        .route(
            "/session",
            web::get().to(|session: Session| async move { session.id().to_owned() }),
        )
        .route("/session/{organization}", web::post().to(switch))
        .route(
            "/leave",
            web::post().to(|session: Session| async move { session.sign_out(Some("/goodbye")) }),
        )
        .route("/api-key", web::get().to(api_key))
        .route("/optional", web::get().to(optional));
}

async fn who(auth: AuthContext) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "credential": auth.credential().as_str(), "subject": auth.subject(), "user": auth.user_id(),
        "session": auth.session_id(), "organization": auth.organization_id(), "role": auth.role(),
        "roles": auth.roles(), "permissions": auth.permissions(), "entitlements": auth.entitlements(),
        "feature_flags": auth.feature_flags(), "impersonator": auth.impersonator(), "auth_time": auth.auth_time(),
        "scopes": auth.scopes().collect::<Vec<_>>(), "has_token": auth.access_token().is_some(),
    }))
}

async fn perhaps(user: Option<AuthUser>) -> String {
    user.map_or("nobody".to_owned(), |user| user.id().to_owned())
}

async fn switch(session: Session, organization: web::Path<String>) -> Result<String, AuthError> {
    let user = session.switch_organization(&organization).await?;
    let refreshed = session.refresh().await?;
    assert_eq!(user.organization_id(), refreshed.organization_id());
    Ok(format!("{} {}", session.id(), user.organization_id().unwrap()))
}

async fn api_key(key: ApiKey) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "id": key.id(), "name": key.name(), "organization": key.organization_id(), "user": key.user_id(),
        "permissions": key.permissions(), "shown": key.details().obfuscated_value, "debug": format!("{key:?}"),
    }))
}

/// Which of them are there.
async fn optional(
    (user, context): (Option<AuthUser>, Option<AuthContext>),
    (token, session, key): (Option<AccessToken>, Option<Session>, Option<ApiKey>),
    organization: Option<OrganizationId>,
    impersonator: Option<Impersonator>,
    plan: Option<Claims<Plan>>,
) -> String {
    [
        ("user", user.is_some()),
        ("context", context.is_some()),
        ("token", token.is_some()),
        ("organization", organization.is_some()),
        ("impersonator", impersonator.is_some()),
        ("session", session.is_some()),
        ("key", key.is_some()),
        ("plan", plan.is_some()),
    ]
    .into_iter()
    .filter_map(|(name, is_there)| is_there.then_some(name))
    .collect::<Vec<_>>()
    .join(" ")
}
