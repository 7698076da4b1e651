//! What the middleware does to responses, and where it lets requests through.

use actix_web::{App, middleware::DefaultHeaders, test::TestRequest};
use reqwest::Method;

use crate::{
    app::{TestApp, pages},
    browser::NAVIGATE,
    fake_workos::LIFETIME,
};

const PRIVATE: &str = "private, no-cache, no-store, must-revalidate, max-age=0";

#[actix_web::test]
async fn only_what_depends_on_the_user_is_kept_out_of_caches() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    for path in ["/", "/me", "/scope/page"] {
        let response = browser.fetch(path).await;
        assert_eq!(response.header("cache-control"), PRIVATE, "{path}");
        assert_eq!(response.header("pragma"), "no-cache");
        assert_eq!(response.header("expires"), "0");
        assert_eq!(response.header("vary"), "Cookie");
    }
    let response = browser.fetch("/own-caching").await;
    assert_eq!(response.header("cache-control"), "private, max-age=60");
    assert_eq!(response.header("vary"), "Cookie");
    let response = browser.fetch("/style.css").await;
    assert_eq!(
        (response.header("cache-control"), response.header("vary")),
        ("", "")
    );
    let response = app.browser().fetch("/me").await;
    assert_eq!(
        (response.status, response.header("cache-control")),
        (401, PRIVATE)
    );
}

#[actix_web::test]
async fn the_rotated_cookie_arrives_with_an_inner_middlewares_error() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    let old = browser.session().cloned();
    app.clock.advance(LIFETIME + 1);
    let response = browser.fetch("/teapot").await;
    assert_eq!(
        (response.status, response.body.as_str()),
        (418, "short and stout")
    );
    assert_ne!(browser.session().cloned(), old);
    assert_eq!(response.header("cache-control"), PRIVATE);
}

#[actix_web::test]
async fn a_missing_middleware_is_a_clear_500() {
    let app = TestApp::start().await;
    let service =
        actix_web::test::init_service(App::new().configure(app.authkit.routes()).configure(pages)).await;
    for path in [
        "/me",
        "/scope/page",
        "/auth/sign-in",
        "/auth/callback?code=a&state=b",
        "/auth/sign-out",
    ] {
        let response =
            actix_web::test::call_service(&service, TestRequest::get().uri(path).to_request()).await;
        assert_eq!(response.status(), 500, "{path}");
        let body = actix_web::test::read_body(response).await;
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(body.contains(".wrap(authkit.middleware())"), "{path}: {body}");
    }
}

#[actix_web::test]
async fn require_auth_protects_everything_but_the_open_paths() {
    let app = TestApp::start_with(|builder| {
        builder
            .require_auth()
            .unauthenticated_paths(["/", "/style.css", "/teapot/(.*)"])
    })
    .await;
    let mut browser = app.browser();
    assert_eq!(browser.visit("/").await.body, "hello stranger");
    assert_eq!(browser.visit("/style.css").await.status, 200);
    for path in [
        "/me",
        "/no-such-page",
        "/scope/page",
        "//style.css",
        "/x/..%2fstyle.css",
        "/STYLE.CSS",
        "/auth/sign-in/",
    ] {
        let response = browser.visit(path).await;
        assert_eq!(response.status, 307, "{path}");
        assert!(response.location().starts_with("/auth/sign-in"), "{path}");
        assert_eq!(browser.fetch(path).await.status, 401, "{path}");
    }
    let preflight = [
        ("access-control-request-method", "GET"),
        ("origin", "https://spa.example"),
    ];
    assert_ne!(browser.send(Method::OPTIONS, "/me", &preflight).await.status, 401);
    assert_eq!(browser.sign_in(&app.workos, "/auth/sign-in").await.status, 307);
    assert_eq!(browser.visit("/no-such-page").await.status, 404);
}

/// As CORS and logs do, which have no say in what is an error to Actix.
#[actix_web::test]
async fn refusals_pass_through_what_is_wrapped_around() {
    for (is_closed, path) in [(false, "/me"), (false, "/scope/page"), (true, "/no-such-page")] {
        let app = TestApp::start_with(|builder| {
            if is_closed {
                builder.require_auth()
            } else {
                builder
            }
        })
        .await;
        let service = actix_web::test::init_service(
            App::new()
                .wrap(app.authkit.middleware())
                .configure(pages)
                .wrap(DefaultHeaders::new().add(("Access-Control-Allow-Origin", "https://spa.example"))),
        )
        .await;
        let request = TestRequest::get().uri(path).to_request();
        let response = actix_web::test::try_call_service(&service, request)
            .await
            .unwrap();
        assert_eq!(response.status(), 401, "{path}");
        let allowed = response.headers().get("access-control-allow-origin").unwrap();
        assert_eq!(allowed, "https://spa.example", "{path}");
    }
}

#[actix_web::test]
async fn odd_cookies_and_headers_do_no_harm() {
    let app = TestApp::start().await;
    let service =
        actix_web::test::init_service(App::new().wrap(app.authkit.middleware()).configure(pages)).await;
    let long = format!("wos-session={}", "A".repeat(100_000));
    for cookie in [
        &b"wos-session="[..],
        b"wos-session",
        b"wos-session=%",
        b"wos-session=%00%ff",
        b"wos-session=\xff\xfe\xfd",
        b"=;;;=; wos-session==; \xff",
        b"wos-session=a; wos-session=b; wos-session=c; wos-session=d; wos-session=e",
        long.as_bytes(),
    ] {
        let cookie = actix_web::http::header::HeaderValue::from_bytes(cookie).unwrap();
        let request = TestRequest::get()
            .uri("/me")
            .insert_header(("cookie", cookie))
            .to_request();
        let response = actix_web::test::call_service(&service, request).await;
        assert_eq!(response.status(), 401);
    }
    // A cookie that somebody tossed in front of the real one does not sign anyone out.
    let browser = app.signed_in().await;
    let cookie = format!("wos-session=tossed; wos-session={}", browser.session().unwrap());
    let request = TestRequest::get()
        .uri("/me")
        .insert_header(("cookie", cookie))
        .to_request();
    assert_eq!(
        actix_web::test::call_service(&service, request).await.status(),
        200
    );
    let _ = NAVIGATE;
}
