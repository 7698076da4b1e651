use std::time::Duration;

use actix_web::{
    App, HttpRequest, HttpResponse,
    test::{self, TestRequest},
    web,
};
use serde_json::{Value, json};

use super::*;
use crate::{
    AuthContext, AuthError, AuthExt, AuthUser, MemorySharedState, NotImpersonated, RecentAuth, Required,
};

async fn who(auth: AuthContext) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "credential": auth.credential().as_str(), "subject": auth.subject(), "organization": auth.organization_id(),
        "role": auth.role(), "roles": auth.roles(), "permissions": auth.permissions(), "flags": auth.feature_flags(),
        "entitlements": auth.entitlements(), "impersonator": auth.impersonator(),
        "plan": auth.claims().and_then(|claims| claims.custom.get("plan")),
        "scopes": auth.scopes().collect::<Vec<_>>(),
    }))
}

async fn me(user: AuthUser) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "email": user.email(), "name": user.name() }))
}

async fn switch(
    request: HttpRequest,
    to: web::Path<String>,
    authkit: web::Data<AuthKit>,
) -> Result<String, AuthError> {
    let user = authkit.switch_organization(&request, &to).await?;
    assert_eq!(request.auth()?.unwrap().organization_id(), Some(to.as_str()));
    Ok(user.role().unwrap_or_default().to_owned())
}

async fn outside(authkit: web::Data<AuthKit>) -> String {
    let events = authkit.client().user_management().get_user("user_1").await;
    let unknown = authkit.client().organizations().get_organization("org_1").await;
    format!("{} {}", events.unwrap_err(), unknown.unwrap_err())
}

/// The app of an AuthKit; a macro, because its type has no name.
macro_rules! app_of {
    ($authkit:expr) => {{
        let authkit: &AuthKit = $authkit;
        let app = App::new()
            .app_data(web::Data::new(authkit.clone()))
            .wrap(authkit.middleware())
            .configure(authkit.routes())
            .route("/who", web::get().to(who))
            .route("/me", web::get().to(me))
            .route("/switch/{to}", web::post().to(switch))
            .route("/outside", web::get().to(outside))
            .route(
                "/recent",
                web::get().to(|_: Required<RecentAuth<60>>| async { "recent" }),
            )
            .route(
                "/themselves",
                web::get().to(|_: Required<NotImpersonated>| async { "themselves" }),
            );
        test::init_service(app).await
    }};
}

/// Status and body.
macro_rules! ask {
    ($app:expr, $request:expr) => {{
        let response = test::call_service(&$app, $request.to_request()).await;
        let status = response.status().as_u16();
        let body = test::read_body(response).await;
        (status, String::from_utf8(body.to_vec()).unwrap())
    }};
}

fn json_of((status, body): (u16, String)) -> Value {
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

fn alice() -> TestUser {
    TestUser::new("alice@acme.example")
        .name("Alice", "Doe")
        .organization("org_1")
        .role("admin")
        .permissions(["posts:write"])
        .entitlements(["audit"])
        .feature_flags(["beta"])
        .claim("plan", "pro")
}

#[actix_web::test]
async fn a_user_is_whoever_the_test_says() {
    let app = app_of!(&authkit());
    let get = |path: &str| TestRequest::get().uri(path);
    let user = alice().id("user_1");
    let expected = json!({
        "credential": "session", "subject": "user_1", "organization": "org_1", "role": "admin", "roles": ["admin"],
        "permissions": ["posts:write"], "flags": ["beta"], "entitlements": ["audit"], "impersonator": null,
        "plan": "pro", "scopes": [],
    });
    let who = json_of(ask!(app, get("/who").signed_in_as(&user)));
    assert_eq!(who, expected);
    let me = json!({ "email": "alice@acme.example", "name": "Alice Doe" });
    assert_eq!(json_of(ask!(app, get("/me").signed_in_as(&user))), me);
    assert_eq!(json_of(ask!(app, get("/me").with_access_token(&user))), me);
    let who = json_of(ask!(app, get("/who").with_access_token(&user)));
    assert_eq!(who["credential"], "access_token");

    let (status, body) = ask!(app, get("/who"));
    assert_eq!(status, 401);
    assert!(body.contains("sign_in_required"), "{body}");
}

#[actix_web::test]
async fn impersonation_and_the_time_of_the_sign_in_are_as_given() {
    let app = app_of!(&authkit());
    let get = |path: &str| TestRequest::get().uri(path);
    let support = alice().impersonated_by("support@acme.example");
    let who = json_of(ask!(app, get("/who").signed_in_as(&support)));
    assert_eq!(who["impersonator"], json!({ "email": "support@acme.example" }));
    assert_eq!(ask!(app, get("/themselves").signed_in_as(&support)).0, 403);
    assert_eq!(ask!(app, get("/themselves").signed_in_as(&alice())).0, 200);
    let long_ago = alice().authenticated_ago(Duration::from_secs(3600));
    assert_eq!(ask!(app, get("/recent").signed_in_as(&long_ago)).0, 401);
    assert_eq!(ask!(app, get("/recent").signed_in_as(&alice())).0, 200);
}

#[actix_web::test]
async fn keys_and_machines_are_programs() {
    let app = app_of!(&authkit());
    let get = |path: &str| TestRequest::get().uri(path);
    let key = TestApiKey::new("org_2")
        .id("api_key_1")
        .permissions(["posts:read"]);
    let who = json_of(ask!(app, get("/who").with_api_key(&key)));
    assert_eq!(
        (&who["subject"], &who["organization"], &who["permissions"]),
        (&json!("api_key_1"), &json!("org_2"), &json!(["posts:read"]))
    );
    assert_eq!(ask!(app, get("/me").with_api_key(&key)).0, 403);
    let machine = TestMachine::new("client_robot")
        .organization("org_3")
        .scopes(["posts:read", "posts:write"]);
    let who = json_of(ask!(app, get("/who").with_machine_token(&machine)));
    assert_eq!(
        (&who["credential"], &who["subject"], &who["scopes"]),
        (
            &json!("machine"),
            &json!("client_robot"),
            &json!(["posts:read", "posts:write"])
        )
    );
    assert!(!format!("{key:?}").contains(key.issued()));
}

#[actix_web::test]
async fn an_expired_session_is_refreshed_for_good() {
    let app = app_of!(&authkit());
    let request = TestRequest::get().uri("/who").signed_in_as(&alice().expired());
    let response = test::call_service(&app, request.to_request()).await;
    assert_eq!(response.status(), 200);
    let cookies: Vec<_> = response
        .response()
        .cookies()
        .map(actix_web::cookie::Cookie::into_owned)
        .collect();
    assert_eq!(cookies[0].name(), "wos-session");
    let who = json_of(ask!(app, TestRequest::get().uri("/who").with_cookies(cookies)));
    assert_eq!(who["role"], "admin");
    let (status, _) = ask!(
        app,
        TestRequest::get()
            .uri("/who")
            .with_access_token(&alice().expired())
    );
    assert_eq!(status, 401, "nobody refreshes a bare token");
}

#[actix_web::test]
async fn a_session_moves_to_the_organizations_of_its_user_only() {
    let app = app_of!(&authkit());
    let user = alice().member_of("org_2", "member");
    let switch = |to: &str| {
        TestRequest::post()
            .uri(&format!("/switch/{to}"))
            .signed_in_as(&user)
    };
    assert_eq!(ask!(app, switch("org_2")), (200, "member".to_owned()));
    let (status, body) = ask!(app, switch("org_3"));
    assert!(status == 403 && body.contains("organization_forbidden"), "{body}");
}

#[actix_web::test]
async fn settings_of_the_app_count() {
    let shared = MemorySharedState::new();
    for authkit in [
        builder().sealed_cookie().cookie_name("acme"),
        builder().cookie_password("another password of 32 characters"),
        builder().shared_state(shared).sessions_in_shared_state(),
        builder().clock(LongAgo),
    ] {
        let authkit = authkit.build().unwrap();
        let app = app_of!(&authkit);
        let cookies = session_cookies(&authkit, &alice()).await.unwrap();
        let request = TestRequest::get().uri("/who").with_cookies(cookies);
        assert_eq!(json_of(ask!(app, request))["subject"], json!(alice().user_id()));
    }
    let authkit = builder().build().unwrap();
    let app = app_of!(&authkit);
    let request = TestRequest::get().uri("/who").with_access_token(&alice());
    assert_eq!(ask!(app, request).0, 401, "only if they are accepted");
}

#[derive(Debug)]
struct LongAgo;

impl crate::Clock for LongAgo {
    fn now(&self) -> std::time::SystemTime {
        std::time::UNIX_EPOCH + Duration::from_secs(1_000_000_000)
    }
}

#[actix_web::test]
async fn an_authkit_that_is_made_otherwise_knows_nobody_of_a_test() {
    let real = AuthKit::builder()
        .api_key("sk_test_1")
        .client_id("client_test")
        .cookie_password("0123456789abcdef0123456789abcdef")
        .redirect_uri("http://localhost:8080/auth/callback")
        .api_base_url("http://127.0.0.1:9")
        .build()
        .unwrap();
    let app = app_of!(&real);
    let request = TestRequest::get().uri("/who").signed_in_as(&alice());
    assert_eq!(ask!(app, request).0, 401);
    // Even sealed with its own password, a session of a test has no signature that counts.
    let cookies = session_cookies(&real, &alice()).await.unwrap();
    let request = TestRequest::get().uri("/who").with_cookies(cookies);
    assert_eq!(ask!(app, request).0, 503);
}

#[actix_web::test]
async fn what_the_workos_of_the_tests_has_not_says_so() {
    let app = app_of!(&authkit());
    let (_, said) = ask!(app, TestRequest::get().uri("/outside"));
    assert!(said.contains("no user of this test"), "{said}");
    assert!(said.contains("workos-emulator"), "{said}");
}

#[actix_web::test]
async fn secrets_are_of_this_process() {
    assert!(COOKIE_PASSWORD.len() >= 32);
    assert_ne!(*COOKIE_PASSWORD, random());
    assert!(!format!("{:?}", authkit()).contains(COOKIE_PASSWORD.as_str()));
}
