//! Requirements on scopes, routes and handler arguments, and what a refusal looks like.

use std::{future::Future, pin::Pin, rc::Rc};

use actix_web::{
    App, HttpRequest, HttpResponse,
    body::MessageBody,
    dev::ServiceResponse,
    http::StatusCode,
    test::{TestRequest, call_service, init_service, read_body},
    web,
};
use serde_json::{Value, json};
use workos_actix::{
    AuthError, AuthKitBuilder, NotImpersonated, RecentAuth, Require, Required, Requires, ensure_signed_in,
    require,
};

use crate::{
    app::TestApp,
    browser::{Browser, FETCH, NAVIGATE},
    fake_workos::NOW,
};

struct CanWrite;

impl Requires for CanWrite {
    fn require() -> Require {
        require().permission("documents:write")
    }
}

async fn write(auth: Required<CanWrite>) -> String {
    format!("written by {}", auth.subject())
}

async fn maybe(auth: Option<Required<CanWrite>>) -> &'static str {
    if auth.is_some() { "writer" } else { "reader" }
}

async fn checked(request: HttpRequest) -> Result<String, AuthError> {
    let auth = require()
        .any_permission(["documents:delete", "documents:write"])
        .check(&request)?;
    Ok(auth.subject().to_owned())
}

async fn themselves(_: Required<NotImpersonated>) -> &'static str {
    "themselves"
}

async fn recent(_: Required<RecentAuth<300>>) -> &'static str {
    "recent"
}

/// A scope for each requirement, and handlers that ask by their arguments.
fn pages(app: &mut web::ServiceConfig) {
    let scopes = [
        ("/known", require()),
        ("/person", ensure_signed_in()),
        ("/admin", require().role("admin")),
        ("/billing", require().role("billing")),
        ("/admin-or-billing", require().any_role(["billing", "admin"])),
        ("/no-role", require().any_role(Vec::<String>::new())),
        ("/read", require().permission("documents:read")),
        (
            "/read-write",
            require().permissions(["documents:read", "documents:write"]),
        ),
        (
            "/read-delete",
            require().permissions(["documents:read", "documents:delete"]),
        ),
        ("/beta", require().feature_flag("beta")),
        ("/alpha", require().feature_flag("alpha")),
        ("/audit", require().entitlement("audit")),
        ("/vault", require().entitlement("vault")),
        ("/organization", require().organization()),
        ("/org-1", require().organization_id("org_1")),
        ("/org-2", require().organization_id("org_2")),
        ("/session", require().session()),
        ("/not-impersonated", require().not_impersonated()),
        ("/first-lack", require().role("billing").feature_flag("alpha")),
    ];
    for (path, requirement) in scopes {
        app.service(
            web::scope(path)
                .wrap(requirement)
                .route("", web::get().to(|| async { "inside" })),
        );
    }
    app.route("/write", web::get().to(write))
        .route("/maybe", web::get().to(maybe))
        .route("/checked", web::get().to(checked))
        .route("/themselves", web::get().to(themselves))
        .route("/recent", web::get().to(recent))
        .service(
            web::resource("/editor")
                .route(
                    web::get()
                        .guard(require().feature_flag("beta"))
                        .to(|| async { "new editor" }),
                )
                .route(web::get().to(|| async { "old editor" })),
        )
        .service(
            web::resource("/hidden")
                .guard(require().feature_flag("alpha"))
                .route(web::get().to(|| async { "hidden" })),
        );
}

type Pending<T> = Pin<Box<dyn Future<Output = T>>>;

/// The guarded app as one browser sees it.
struct Visitor {
    cookie: String,
    send: Box<dyn Fn(TestRequest) -> Pending<Answer>>,
}

struct Answer {
    status: StatusCode,
    response: HttpResponse<()>,
    body: String,
}

impl Answer {
    fn code(&self) -> Value {
        let body: Value =
            serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body));
        body["code"].clone()
    }

    fn header(&self, name: &str) -> &str {
        let value = self.response.headers().get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }
}

async fn answer<B: MessageBody>(response: ServiceResponse<B>) -> Answer {
    let status = response.status();
    let mut head = HttpResponse::new(status).drop_body();
    for (name, value) in response.headers() {
        head.headers_mut().append(name.clone(), value.clone());
    }
    let body = String::from_utf8(read_body(response).await.to_vec()).unwrap();
    Answer {
        status,
        response: head,
        body,
    }
}

impl Visitor {
    async fn get(&self, path: &str, headers: &[(&'static str, &'static str)]) -> Answer {
        let request = headers
            .iter()
            .fold(TestRequest::get().uri(path), |request, header| {
                request.insert_header(*header)
            });
        (self.send)(request.insert_header(("cookie", self.cookie.clone()))).await
    }

    async fn fetch(&self, path: &str) -> Answer {
        self.get(path, &FETCH).await
    }

    async fn visit(&self, path: &str) -> Answer {
        self.get(path, &NAVIGATE).await
    }
}

fn cookie(browser: &Browser) -> String {
    browser
        .session()
        .map_or_else(String::new, |session| format!("wos-session={session}"))
}

/// The guarded app, with the middlewares given, for one browser.
macro_rules! visitor {
    ($browser:expr $(, $middleware:expr)?) => {{
        let service = Rc::new(init_service(App::new().configure(pages)$(.wrap($middleware))?).await);
        Visitor {
            cookie: cookie(&$browser),
            send: Box::new(move |request| {
                let service = Rc::clone(&service);
                Box::pin(async move { answer(call_service(&*service, request.to_request()).await).await })
            }),
        }
    }};
}

fn unchanged(builder: AuthKitBuilder) -> AuthKitBuilder {
    builder
}

async fn app_with(claims: Value, settings: impl FnOnce(AuthKitBuilder) -> AuthKitBuilder) -> TestApp {
    let app = TestApp::start_with(settings).await;
    app.workos.add_claims(claims);
    app
}

fn usual() -> Value {
    json!({
        "role": "admin", "roles": ["admin", "member"], "permissions": ["documents:read", "documents:write"],
        "entitlements": ["audit"], "feature_flags": ["beta"],
    })
}

#[actix_web::test]
async fn a_scope_lets_in_who_has_what_it_asks_and_says_what_the_others_lack() {
    let app = app_with(usual(), unchanged).await;
    let visitor = visitor!(app.signed_in().await, app.authkit.middleware());
    for path in [
        "/known",
        "/person",
        "/admin",
        "/admin-or-billing",
        "/read",
        "/read-write",
        "/beta",
        "/audit",
        "/organization",
        "/org-1",
        "/session",
        "/not-impersonated",
    ] {
        let answer = visitor.fetch(path).await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (StatusCode::OK, "inside"),
            "{path}"
        );
        assert_eq!(answer.header("vary"), "Cookie", "{path}");
    }
    for (path, code) in [
        ("/billing", "role_required"),
        ("/no-role", "role_required"),
        ("/read-delete", "permission_required"),
        ("/alpha", "feature_flag_required"),
        ("/vault", "entitlement_required"),
        ("/org-2", "organization_forbidden"),
        ("/first-lack", "role_required"),
    ] {
        let answer = visitor.fetch(path).await;
        assert_eq!(
            (answer.status, answer.code()),
            (StatusCode::FORBIDDEN, json!(code)),
            "{path}"
        );
        assert_eq!(answer.header("vary"), "Cookie", "{path}");
    }
    let lacks = visitor.fetch("/read-delete").await.body;
    assert!(lacks.contains("documents:read and documents:delete"), "{lacks}");
}

#[actix_web::test]
async fn nobody_is_401_or_on_the_way_to_sign_in_everywhere() {
    let app = app_with(usual(), unchanged).await;
    let visitor = visitor!(app.browser(), app.authkit.middleware());
    for path in [
        "/known",
        "/person",
        "/admin",
        "/write",
        "/checked",
        "/themselves",
        "/recent",
    ] {
        let answer = visitor.fetch(path).await;
        assert_eq!(
            (answer.status, answer.code()),
            (StatusCode::UNAUTHORIZED, json!("sign_in_required")),
            "{path}"
        );
        let answer = visitor.visit(path).await;
        assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT, "{path}");
        assert!(answer.header("location").contains("return_to=%2F"), "{path}");
    }
    assert_eq!(visitor.fetch("/maybe").await.body, "reader");
}

#[actix_web::test]
async fn handlers_ask_by_their_arguments() {
    let app = app_with(usual(), unchanged).await;
    let writer = visitor!(app.signed_in().await, app.authkit.middleware());
    assert_eq!(writer.fetch("/write").await.body, "written by user_1");
    assert_eq!(writer.fetch("/maybe").await.body, "writer");
    assert_eq!(writer.fetch("/checked").await.body, "user_1");
    app.workos
        .add_claims(json!({ "permissions": ["documents:read"] }));
    let reader = visitor!(app.signed_in().await, app.authkit.middleware());
    for path in ["/write", "/checked"] {
        let answer = reader.fetch(path).await;
        assert_eq!(
            (answer.status, answer.code()),
            (StatusCode::FORBIDDEN, json!("permission_required")),
            "{path}"
        );
    }
    assert_eq!(reader.fetch("/maybe").await.body, "reader");
}

#[actix_web::test]
async fn an_impersonator_stays_out_where_only_the_person_may_go() {
    let claims = json!({ "act": { "sub": "support@workos.example" } });
    let app = app_with(claims, unchanged).await;
    let visitor = visitor!(app.signed_in().await, app.authkit.middleware());
    for path in ["/not-impersonated", "/themselves"] {
        let answer = visitor.fetch(path).await;
        assert_eq!(
            (answer.status, answer.code()),
            (StatusCode::FORBIDDEN, json!("impersonation_forbidden")),
            "{path}"
        );
    }
    assert_eq!(visitor.fetch("/person").await.status, StatusCode::OK);
}

#[actix_web::test]
async fn a_route_guard_chooses_and_does_not_tell() {
    let app = app_with(usual(), unchanged).await;
    let visitor = visitor!(app.signed_in().await, app.authkit.middleware());
    let answer = visitor.fetch("/editor").await;
    assert_eq!(answer.body, "new editor");
    assert_eq!(answer.header("vary"), "Cookie");
    assert_eq!(visitor.fetch("/hidden").await.status, StatusCode::NOT_FOUND);
    let stranger = visitor!(app.browser(), app.authkit.middleware());
    let answer = stranger.visit("/editor").await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (StatusCode::OK, "old editor")
    );
    assert_eq!(answer.header("vary"), "Cookie");
}

#[actix_web::test]
async fn a_person_is_refused_with_a_page_and_a_program_with_json() {
    let app = app_with(usual(), unchanged).await;
    let visitor = visitor!(app.signed_in().await, app.authkit.middleware());
    for path in ["/billing", "/org-2"] {
        let answer = visitor.visit(path).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(answer.header("content-type").starts_with("text/html"), "{path}");
        assert!(answer.body.contains("<h1>Not allowed</h1>"), "{}", answer.body);
        assert_eq!(answer.header("vary"), "Cookie");
    }
    app.workos.add_claims(json!({ "permissions": [] }));
    let reader = visitor!(app.signed_in().await, app.authkit.middleware());
    let answer = reader.visit("/write").await;
    assert!(
        answer.body.contains("this needs the permission documents:write"),
        "{}",
        answer.body
    );
}

#[actix_web::test]
async fn the_app_may_answer_every_refusal_itself() {
    let app = app_with(usual(), |builder| {
        builder.on_refusal(|error, request| match error {
            AuthError::Forbidden { requirement } => {
                Some(HttpResponse::ImATeapot().body(format!("{} {}", request.path(), requirement.code())))
            }
            AuthError::SignInRequired { redirect } if redirect.is_none() => {
                Some(HttpResponse::PaymentRequired().finish())
            }
            _ => None,
        })
    })
    .await;
    let visitor = visitor!(app.signed_in().await, app.authkit.middleware());
    let answer = visitor.visit("/billing").await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (StatusCode::IM_A_TEAPOT, "/billing role_required")
    );
    assert_eq!(
        answer.header("cache-control"),
        "private, no-cache, no-store, must-revalidate, max-age=0"
    );
    app.workos.add_claims(json!({ "permissions": [] }));
    let reader = visitor!(app.signed_in().await, app.authkit.middleware());
    assert_eq!(reader.fetch("/write").await.body, "/write permission_required");
    let stranger = visitor!(app.browser(), app.authkit.middleware());
    assert_eq!(
        stranger.fetch("/write").await.status,
        StatusCode::PAYMENT_REQUIRED
    );
    assert_eq!(
        stranger.visit("/write").await.status,
        StatusCode::TEMPORARY_REDIRECT
    );
}

#[actix_web::test]
async fn the_responder_answers_for_require_auth_too() {
    let app = app_with(usual(), |builder| {
        builder
            .require_auth()
            .on_refusal(|_, _| Some(HttpResponse::ImATeapot().finish()))
    })
    .await;
    let stranger = visitor!(app.browser(), app.authkit.middleware());
    assert_eq!(
        stranger.fetch("/no-such-page").await.status,
        StatusCode::IM_A_TEAPOT
    );
}

#[actix_web::test]
async fn a_guard_without_the_middleware_is_a_clear_500() {
    let app = TestApp::start().await;
    let visitor = visitor!(app.browser());
    for path in ["/admin", "/write"] {
        let answer = visitor.fetch(path).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
        assert!(
            answer.body.contains(".wrap(authkit.middleware())"),
            "{path}: {}",
            answer.body
        );
    }
}

#[actix_web::test]
async fn whoever_signed_in_long_ago_proves_it_again() {
    let app = app_with(json!({ "auth_time": NOW }), unchanged).await;
    let visitor = visitor!(app.signed_in().await, app.authkit.middleware());
    assert_eq!(visitor.fetch("/recent").await.body, "recent");
    app.clock.advance(301);
    app.workos.add_claims(json!({ "auth_time": NOW }));
    let visitor = visitor!(app.signed_in().await, app.authkit.middleware());
    let answer = visitor.fetch("/recent").await;
    assert_eq!(
        (answer.status, answer.code()),
        (StatusCode::UNAUTHORIZED, json!("reauthentication_required"))
    );
    assert!(
        answer
            .header("www-authenticate")
            .contains("insufficient_user_authentication"),
        "{}",
        answer.header("www-authenticate")
    );
    let answer = visitor.visit("/recent").await;
    assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(
        answer.header("location"),
        "/auth/sign-in?return_to=%2Frecent&max_age=300"
    );
}
