//! How an app is tested with `workos_actix::testing`: no WorkOS, no network, no bypass.
//!
//!     cargo test --example testing
//!
//! The tests are below, as they would stand in an app's own crate. `cargo run --example testing` shows what they see.

use std::error::Error;

use actix_web::{App, HttpResponse, test, web};
use serde_json::json;
use workos_actix::{
    AuthKit, AuthUser, NotImpersonated, Required, require,
    testing::{self, TestRequestExt, TestUser},
};

/// The app; `main` of a real one would hand it `AuthKit::from_env()?`.
fn app(authkit: &AuthKit) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
    let routes = authkit.routes();
    move |app| {
        app.configure(routes)
            .route("/me", web::get().to(me))
            .route("/account", web::delete().to(close_account))
            .service(
                web::scope("/posts")
                    .wrap(require().permission("posts:write"))
                    .route("", web::post().to(write)),
            );
    }
}

async fn me(user: AuthUser) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "email": user.email(), "beta": user.has_feature_flag("beta") }))
}

async fn write(user: AuthUser) -> HttpResponse {
    HttpResponse::Created().body(format!("written by {}", user.email()))
}

/// Support may look, but not do this.
async fn close_account(_: Required<NotImpersonated>) -> HttpResponse {
    HttpResponse::NoContent().finish()
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let authkit = testing::authkit();
    let app = App::new().wrap(authkit.middleware()).configure(app(&authkit));
    let app = test::init_service(app).await;
    let alice = TestUser::new("alice@acme.example").organization("org_1");
    let writer = alice.clone().role("editor").permissions(["posts:write"]);
    for (who, request) in [
        ("nobody", test::TestRequest::post()),
        ("alice", test::TestRequest::post().signed_in_as(&alice)),
        (
            "alice as an editor",
            test::TestRequest::post().signed_in_as(&writer),
        ),
    ] {
        let response = test::call_service(&app, request.uri("/posts").to_request()).await;
        let status = response.status();
        let body = test::read_body(response).await;
        println!("{who}: {status}, {}", String::from_utf8_lossy(&body));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The app under test; a macro, because its type has no name.
    macro_rules! app {
        () => {{
            let authkit = testing::authkit();
            let app = App::new().wrap(authkit.middleware()).configure(app(&authkit));
            test::init_service(app).await
        }};
    }

    #[actix_web::test]
    async fn a_signed_in_user_sees_themselves() {
        let app = app!();
        let alice = TestUser::new("alice@acme.example").feature_flags(["beta"]);
        let request = test::TestRequest::get().uri("/me").signed_in_as(&alice);
        let body: serde_json::Value = test::call_and_read_body_json(&app, request.to_request()).await;
        assert_eq!(body, json!({ "email": "alice@acme.example", "beta": true }));
    }

    #[actix_web::test]
    async fn only_writers_write() {
        let app = app!();
        let post = || test::TestRequest::post().uri("/posts");
        let reader = TestUser::new("alice@acme.example").permissions(["posts:read"]);
        let writer = TestUser::new("bob@acme.example").permissions(["posts:write"]);
        for (request, status) in [
            (post(), 401),
            (post().signed_in_as(&reader), 403),
            (post().signed_in_as(&writer), 201),
            // Another site's page, in a browser that is signed in.
            (
                post()
                    .signed_in_as(&writer)
                    .insert_header(("sec-fetch-site", "cross-site")),
                403,
            ),
        ] {
            let response = test::call_service(&app, request.to_request()).await;
            assert_eq!(response.status(), status);
        }
    }

    #[actix_web::test]
    async fn support_cannot_close_accounts() {
        let app = app!();
        let alice = TestUser::new("alice@acme.example");
        let delete = || test::TestRequest::delete().uri("/account");
        let request = delete().signed_in_as(&alice);
        assert_eq!(test::call_service(&app, request.to_request()).await.status(), 204);
        let support = alice.impersonated_by("support@acme.example");
        let request = delete().signed_in_as(&support);
        assert_eq!(test::call_service(&app, request.to_request()).await.status(), 403);
    }

    #[actix_web::test]
    async fn a_browser_is_sent_to_sign_in_and_comes_back() {
        let app = app!();
        let visit = test::TestRequest::get()
            .uri("/me")
            .insert_header(("accept", "text/html"))
            .insert_header(("sec-fetch-mode", "navigate"))
            .insert_header(("sec-fetch-dest", "document"));
        let response = test::call_service(&app, visit.to_request()).await;
        assert!(response.status().is_redirection());
        assert_eq!(
            response.headers().get("location").unwrap(),
            "/auth/sign-in?return_to=%2Fme"
        );
    }
}
