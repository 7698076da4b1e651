//! The access token for scripts of the site.

use reqwest::Method;
use serde_json::json;

use crate::{
    app::TestApp,
    browser::{Browser, FETCH, NAVIGATE, Response, SAME_ORIGIN},
    fake_workos::{LIFETIME, NOW},
};

const SCRIPT: (&str, &str) = ("x-requested-with", "fetch");

async fn app() -> TestApp {
    TestApp::start_with(workos_actix::AuthKitBuilder::token_route).await
}

async fn ask(browser: &mut Browser, method: Method) -> Response {
    let headers = [&FETCH[..], &[SAME_ORIGIN, SCRIPT]].concat();
    browser.send(method, "/auth/token", &headers).await
}

#[actix_web::test]
async fn scripts_of_the_site_get_the_token() {
    let app = app().await;
    let mut browser = app.signed_in().await;
    let response = ask(&mut browser, Method::GET).await;
    assert_eq!(response.status, 200);
    assert!(response.header("cache-control").contains("no-store"));
    let token = response.json();
    assert_eq!(token["access_token"].as_str().unwrap().split('.').count(), 3);
    let rest = json!({
        "access_token": token["access_token"], "token_type": "Bearer", "expires_in": LIFETIME,
        "expires_at": NOW + LIFETIME, "user_id": "user_1", "session_id": "session_2", "organization_id": "org_1",
    });
    assert_eq!(token, rest);
    assert!(
        !response.body.contains("refresh"),
        "the refresh token stays in the cookie"
    );

    // The same while it is good, a new one when it is due, and a new one on demand.
    app.clock.advance(10);
    let again = ask(&mut browser, Method::GET).await.json();
    assert_eq!(again["access_token"], token["access_token"]);
    assert_eq!(again["expires_in"], LIFETIME - 10);
    app.clock.advance(LIFETIME);
    let due = ask(&mut browser, Method::GET).await.json();
    assert_ne!(due["access_token"], token["access_token"]);
    assert_eq!(due["expires_in"], LIFETIME);
    assert_eq!(app.workos.counts().refreshes, 1);
    let forced = ask(&mut browser, Method::POST).await.json();
    assert_ne!(forced["access_token"], due["access_token"]);
    assert_eq!(app.workos.counts().refreshes, 2);
    assert_eq!(browser.fetch("/me").await.json()["session"], "session_2");
}

#[actix_web::test]
async fn nobody_signed_in_is_json_and_never_a_redirect() {
    let app = app().await;
    for method in [Method::GET, Method::POST] {
        for mode in [NAVIGATE[1], FETCH[1]] {
            let headers = [NAVIGATE[0], mode, SAME_ORIGIN, SCRIPT];
            let response = app.browser().send(method.clone(), "/auth/token", &headers).await;
            assert_eq!(
                (response.status, response.json()["code"].as_str()),
                (401, Some("sign_in_required"))
            );
            assert!(response.header("cache-control").contains("no-store"));
        }
    }
}

#[actix_web::test]
async fn nobody_else_gets_it() {
    let app = app().await;
    let mut browser = app.signed_in().await;
    for method in [Method::GET, Method::POST] {
        for headers in [
            &[("sec-fetch-site", "cross-site"), SCRIPT][..],
            &[("sec-fetch-site", "same-site"), SCRIPT],
            &[("origin", "https://evil.example"), SCRIPT],
            &[("origin", "null"), SCRIPT],
            // What a page can make a browser send without asking: a link, an image, a form.
            &[SAME_ORIGIN],
            &[("sec-fetch-site", "none")],
            &NAVIGATE,
            &[],
        ] {
            let response = browser.send(method.clone(), "/auth/token", headers).await;
            assert_eq!(response.status, 403, "{headers:?}");
            assert!(!response.body.contains("eyJ"), "{headers:?}");
            assert_eq!(response.header("access-control-allow-origin"), "");
        }
    }
    assert_eq!(app.workos.counts().refreshes, 0);
}

#[actix_web::test]
async fn an_unreachable_workos_is_503_once_the_token_is_gone() {
    let app = app().await;
    let mut browser = app.signed_in().await;
    app.workos.fail_authenticate(Some((503, json!({}))));
    let forced = ask(&mut browser, Method::POST).await;
    assert_eq!(forced.status, 503);
    assert_eq!(ask(&mut browser, Method::GET).await.status, 200);
    app.clock.advance(LIFETIME + 1);
    let response = ask(&mut browser, Method::GET).await;
    assert_eq!((response.status, response.header("retry-after")), (503, "5"));
    app.workos.fail_authenticate(None);
    assert_eq!(ask(&mut browser, Method::GET).await.status, 200);
}

#[actix_web::test]
async fn the_route_is_there_only_on_demand() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    assert_eq!(ask(&mut browser, Method::GET).await.status, 404);
    let open = TestApp::start_with(|builder| builder.token_route().require_auth()).await;
    assert_eq!(
        ask(&mut open.browser(), Method::GET).await.json()["code"],
        "sign_in_required"
    );
}
