//! Handlers of the app's own: sign-ins with options, sessions of other flows, re-authentication, single sign-on.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::json;
use workos_actix::{AuthError, AuthExt, AuthKit, SignIn, SignInError, workos::AuthenticateResponse};

pub(crate) fn configure(app: &mut web::ServiceConfig) {
    app.route("/own/sign-in", web::get().to(sign_in))
        .route("/own/sign-in", web::post().to(sign_in))
        .route("/own/url", web::get().to(url))
        .route("/own/session", web::post().to(save_session))
        .route("/own/recent", web::get().to(recent))
        .route("/own/recent", web::post().to(recent));
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Campaign {
    pub(crate) name: String,
    pub(crate) number: u32,
}

/// Which options, by name.
#[derive(Deserialize)]
struct Case {
    case: String,
}

fn with<'a>(sign_in: SignIn<'a>, case: &str) -> SignIn<'a> {
    match case {
        "every" => sign_in
            .organization("org_9")
            .login_hint("a@b.example")
            .domain_hint("b.example")
            .prompt("login")
            .max_age(Duration::from_secs(60))
            .invitation_token("inv_token")
            .provider_scopes(["calendar", "mail"])
            .provider_query_param("hd", "b.example")
            .return_to("/me?tab=1"),
        "connection" => sign_in.connection("conn_1"),
        "google" => sign_in.provider("GoogleOAuth"),
        "state" => sign_in.state(&Campaign {
            name: "spring".to_owned(),
            number: 7,
        }),
        "large-state" => sign_in.state(&"x".repeat(1023)),
        "connection-and-provider" => sign_in.connection("conn_1").provider("GoogleOAuth"),
        "connection-and-organization" => sign_in.connection("conn_1").organization("org_1"),
        "google-and-age" => sign_in.provider("GoogleOAuth").max_age(Duration::ZERO),
        other => match other.strip_prefix("redirect:") {
            Some(uri) => sign_in.redirect_uri(uri),
            None => sign_in.return_to(other),
        },
    }
}

async fn sign_in(request: HttpRequest, query: web::Query<Case>, authkit: web::Data<AuthKit>) -> HttpResponse {
    with(authkit.sign_in(&request), &query.case).redirect()
}

async fn url(
    request: HttpRequest,
    query: web::Query<Case>,
    authkit: web::Data<AuthKit>,
) -> Result<String, workos_actix::AuthorizeError> {
    with(authkit.sign_up(&request), &query.case).url()
}

async fn save_session(
    request: HttpRequest,
    authkit: web::Data<AuthKit>,
    answer: web::Json<AuthenticateResponse>,
) -> Result<HttpResponse, SignInError> {
    let user = authkit.save_session(&request, answer.into_inner()).await?;
    // Whoever asks later in the same request knows them too.
    let seen = request.auth().ok().flatten();
    assert_eq!(seen.unwrap().user_id(), Some(user.id()));
    Ok(HttpResponse::Ok().json(json!({ "id": user.id(), "session": user.session_id() })))
}

async fn recent(request: HttpRequest, authkit: web::Data<AuthKit>) -> Result<String, AuthError> {
    let person = authkit.require_recent_auth(&request, Duration::from_secs(60))?;
    Ok(person.subject().to_owned())
}
