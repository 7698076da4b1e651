//! What authentication adds to a request.
//!
//! `cargo bench -p workos-actix --bench authenticated_request`. `plain` is the same request without the middleware: the difference to it is ours.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a benchmark that fails should stop"
)]

#[path = "../tests/flow/app.rs"]
#[expect(dead_code, reason = "the benchmark needs only a part of the flow tests")]
mod app;
#[path = "../tests/flow/browser.rs"]
#[expect(dead_code, reason = "the benchmark needs only a part of the flow tests")]
mod browser;
#[path = "../tests/flow/credential_pages.rs"]
mod credential_pages;
#[path = "../tests/flow/fake_api.rs"]
#[expect(dead_code, reason = "the benchmark needs only a part of the flow tests")]
mod fake_api;
#[path = "../tests/flow/fake_workos.rs"]
#[expect(dead_code, reason = "the benchmark needs only a part of the flow tests")]
mod fake_workos;
#[path = "../tests/flow/handlers.rs"]
mod handlers;

use std::cell::RefCell;

use actix_session::{Session, SessionMiddleware, storage::CookieSessionStore};
use actix_web::{
    App,
    cookie::Key,
    dev::{Service, ServiceResponse},
    rt::{System, SystemRunner},
    test::{TestRequest, init_service},
    web,
};
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use divan::Bencher;
use serde_json::json;
use workos_actix::{AuthContext, AuthKitBuilder, AuthUser, MemorySharedState};

use crate::{
    app::TestApp,
    fake_api::key_of_organization,
    fake_workos::{KID, LIFETIME, NOW, modulus, sign},
};

const API_KEY: &str = "sk_0123456789abcdef";

fn main() {
    divan::main();
}

async fn length_of_email(user: AuthUser) -> String {
    user.email().len().to_string()
}

async fn length_of_subject(auth: AuthContext) -> String {
    auth.subject().len().to_string()
}

/// Sends requests with the given cookies to a service that was made before, one after another.
fn call<S, R, B>(bencher: Bencher<'_, '_>, system: &SystemRunner, service: S, request: impl Fn() -> R)
where
    S: Service<R, Response = ServiceResponse<B>>,
    S::Error: std::fmt::Debug,
{
    bencher.with_inputs(request).bench_local_values(|request| {
        let response = system.block_on(service.call(request)).unwrap();
        assert_eq!(response.status(), 200);
        response
    });
}

#[divan::bench]
fn plain(bencher: Bencher<'_, '_>) {
    let system = System::new();
    let app = App::new().route("/", web::get().to(|| async { "18" }));
    let service = system.block_on(init_service(app));
    call(bencher, &system, service, || {
        TestRequest::get().uri("/").to_request()
    });
}

/// What `actix-session` alone takes to read its encrypted cookie.
#[divan::bench]
fn bare_session(bencher: Bencher<'_, '_>) {
    let system = System::new();
    let sessions = SessionMiddleware::new(CookieSessionStore::default(), Key::from(&[7; 64]));
    let app = App::new()
        .wrap(sessions)
        .route(
            "/begin",
            web::get().to(|session: Session| async move { session.insert("email", "ada@example.com") }),
        )
        .route(
            "/",
            web::get().to(|session: Session| async move {
                let email = session.get::<String>("email").unwrap().unwrap();
                email.len().to_string()
            }),
        );
    let service = system.block_on(init_service(app));
    let begin = TestRequest::get().uri("/begin").to_request();
    let begun = system.block_on(async { service.call(begin).await.unwrap() });
    let cookie = begun.response().cookies().next().unwrap().stripped().to_string();
    call(bencher, &system, service, || {
        TestRequest::get()
            .uri("/")
            .insert_header(("cookie", cookie.as_str()))
            .to_request()
    });
}

/// Nobody is signed in: the handler does not ask for anybody.
#[divan::bench]
fn no_session(bencher: Bencher<'_, '_>) {
    let system = System::new();
    let app = system.block_on(TestApp::start());
    let routes = App::new()
        .wrap(app.authkit.middleware())
        .route("/", web::get().to(|| async { "18" }));
    let service = system.block_on(init_service(routes));
    call(bencher, &system, service, || {
        TestRequest::get().uri("/").to_request()
    });
}

#[divan::bench]
fn cached_session(bencher: Bencher<'_, '_>) {
    cached(bencher, |builder| builder);
}

/// With the cookie of WorkOS's JavaScript kits.
#[divan::bench]
fn cached_sealed_session(bencher: Bencher<'_, '_>) {
    cached(bencher, AuthKitBuilder::sealed_cookie);
}

/// On one of several machines: who has signed out on the others is known, too.
#[divan::bench]
fn cached_session_of_several_machines(bencher: Bencher<'_, '_>) {
    cached(bencher, |builder| builder.shared_state(MemorySharedState::new()));
}

fn cached(bencher: Bencher<'_, '_>, settings: Settings) {
    let system = System::new();
    let (app, cookies) = system.block_on(signed_in(settings, 1));
    let routes = App::new()
        .wrap(app.authkit.middleware())
        .route("/", web::get().to(length_of_email));
    let service = system.block_on(init_service(routes));
    let request = || {
        TestRequest::get()
            .uri("/")
            .insert_header(("cookie", cookies[0].as_str()))
            .to_request()
    };
    system.block_on(async { service.call(request()).await.unwrap() });
    call(bencher, &system, service, request);
}

#[divan::bench]
fn cached_bearer_token(bencher: Bencher<'_, '_>) {
    let system = System::new();
    let app = system.block_on(TestApp::start_with(AuthKitBuilder::bearer_tokens));
    cached_bearer(bencher, &system, &app, &token(0));
}

#[divan::bench]
fn cached_api_key(bencher: Bencher<'_, '_>) {
    let system = System::new();
    let app = system.block_on(TestApp::start_with(AuthKitBuilder::api_keys));
    app.workos
        .api()
        .add_key(API_KEY, key_of_organization("api_key_1"));
    cached_bearer(bencher, &system, &app, API_KEY);
}

fn cached_bearer(bencher: Bencher<'_, '_>, system: &SystemRunner, app: &TestApp, credential: &str) {
    let routes = App::new()
        .wrap(app.authkit.middleware())
        .route("/", web::get().to(length_of_subject));
    let service = system.block_on(init_service(routes));
    let authorization = format!("Bearer {credential}");
    let request = || {
        TestRequest::get()
            .uri("/")
            .insert_header(("authorization", authorization.as_str()))
            .to_request()
    };
    system.block_on(async { service.call(request()).await.unwrap() });
    call(bencher, system, service, request);
}

const FIRST_SIGHTS: u32 = 1000;

/// Decrypt, parse, verify RS256, and put into the cache.
#[divan::bench(sample_count = 100, sample_size = 10)]
fn first_sight_of_a_session(bencher: Bencher<'_, '_>) {
    first_sight(bencher, |builder| builder);
}

#[divan::bench(sample_count = 100, sample_size = 10)]
fn first_sight_of_a_sealed_session(bencher: Bencher<'_, '_>) {
    first_sight(bencher, AuthKitBuilder::sealed_cookie);
}

/// A token in `Authorization`, with nothing around it: parse, verify RS256, and put into the cache.
#[divan::bench(sample_count = 100, sample_size = 10)]
fn first_sight_of_a_bearer_token(bencher: Bencher<'_, '_>) {
    let system = System::new();
    let app = system.block_on(TestApp::start_with(AuthKitBuilder::bearer_tokens));
    let tokens = (0..=FIRST_SIGHTS).map(|number| format!("Bearer {}", token(number)));
    let tokens = RefCell::new(tokens.collect::<Vec<_>>());
    let routes = App::new()
        .wrap(app.authkit.middleware())
        .route("/", web::get().to(length_of_subject));
    let service = system.block_on(init_service(routes));
    let request = || {
        let token = tokens.borrow_mut().pop().unwrap();
        TestRequest::get()
            .uri("/")
            .insert_header(("authorization", token))
            .to_request()
    };
    system.block_on(async { service.call(request()).await.unwrap() });
    call(bencher, &system, service, request);
}

fn token(number: u32) -> String {
    let claims = json!({
        "iss": "https://api.workos.com", "sub": "user_1", "sid": "session_1", "jti": format!("jti_{number}"),
        "iat": NOW, "exp": NOW + LIFETIME, "org_id": "org_1", "role": "admin", "roles": ["admin"],
        "permissions": ["posts:write"],
    });
    sign("RS256", KID, &claims)
}

/// RS256 alone, with a key that was parsed before: what no first sight can be faster than.
#[divan::bench]
fn rs256_verification(bencher: Bencher<'_, '_>) {
    let token = sign("RS256", KID, &json!({ "sub": "user_1", "x": "x".repeat(400) }));
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let components = RsaPublicKeyComponents {
        n: URL_SAFE_NO_PAD.decode(modulus()).unwrap(),
        e: vec![1, 0, 1],
    };
    let key = components
        .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
        .unwrap();
    bencher.bench_local(|| key.verify_sig(signed.as_bytes(), &signature).unwrap());
}

fn first_sight(bencher: Bencher<'_, '_>, settings: Settings) {
    let system = System::new();
    // One more, to fetch the key set.
    let (app, cookies) = system.block_on(signed_in(settings, FIRST_SIGHTS + 1));
    let cookies = RefCell::new(cookies);
    let routes = App::new()
        .wrap(app.authkit.middleware())
        .route("/", web::get().to(length_of_email));
    let service = system.block_on(init_service(routes));
    let request = || {
        let cookie = cookies.borrow_mut().pop().unwrap();
        TestRequest::get()
            .uri("/")
            .insert_header(("cookie", cookie))
            .to_request()
    };
    system.block_on(async { service.call(request()).await.unwrap() });
    call(bencher, &system, service, request);
}

type Settings = fn(AuthKitBuilder) -> AuthKitBuilder;

async fn signed_in(settings: Settings, sessions: u32) -> (TestApp, Vec<String>) {
    let app = TestApp::start_with(settings).await;
    let mut cookies = Vec::new();
    for _ in 0..sessions {
        let browser = app.signed_in().await;
        cookies.push(format!("wos-session={}", browser.session().unwrap()));
    }
    (app, cookies)
}
