//! New tokens on request.

use serde_json::json;

use crate::{
    app::TestApp,
    browser::{FETCH, NAVIGATE, query},
    fake_workos::LIFETIME,
};

#[actix_web::test]
async fn a_handler_gets_new_tokens_while_the_old_are_good() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    let old = browser.session().cloned();
    assert_eq!(
        browser.fetch("/me").await.json()["permissions"],
        json!(["posts:write"])
    );
    app.workos.add_claims(json!({ "permissions": ["posts:delete"] }));
    assert_eq!(
        browser.fetch("/me").await.json()["permissions"],
        json!(["posts:write"])
    );
    let renewed = browser.send(reqwest::Method::POST, "/refresh", &FETCH).await;
    assert_eq!(
        (renewed.status, &renewed.json()["permissions"]),
        (200, &json!(["posts:delete"]))
    );
    assert_ne!(browser.session().cloned(), old);
    assert_eq!(browser.fetch("/me").await.json(), renewed.json());
    assert_eq!(app.workos.counts().refreshes, 1);
    assert!(app.workos.last_authenticate()["organization_id"].is_null());
}

#[actix_web::test]
async fn a_session_that_is_over_ends_although_its_token_is_good() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    let mut copy = browser.clone();
    app.workos
        .fail_authenticate(Some((400, json!({ "error": "invalid_grant" }))));
    let response = browser.send(reqwest::Method::POST, "/refresh", &FETCH).await;
    assert_eq!(
        (response.status, response.json()["code"].as_str()),
        (401, Some("sign_in_required"))
    );
    assert!(browser.session().is_none());
    assert_eq!(
        copy.fetch("/me").await.status,
        401,
        "a copy of the cookie neither"
    );
}

#[actix_web::test]
async fn nobody_is_signed_out_while_workos_is_away() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    app.workos.fail_authenticate(Some((500, json!({}))));
    let response = browser.send(reqwest::Method::POST, "/refresh", &FETCH).await;
    assert_eq!(
        (response.status, response.json()["code"].as_str()),
        (503, Some("authentication_unavailable"))
    );
    assert_eq!(browser.fetch("/me").await.json()["jti"], "jti_2");
    let stranger = app
        .browser()
        .send(reqwest::Method::POST, "/refresh", &FETCH)
        .await;
    assert_eq!(stranger.status, 401);
}

#[actix_web::test]
async fn a_handler_moves_the_request_into_the_organization_it_names() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    let moved = browser.fetch("/open/org_2").await;
    assert_eq!(
        (moved.status, &moved.json()["organization"], &moved.json()["role"]),
        (200, &json!("org_2"), &json!("member"))
    );
    assert_eq!(browser.fetch("/me").await.json(), moved.json());
    // Wherever the session was last.
    app.clock.advance(LIFETIME + 1);
    assert_eq!(browser.fetch("/me").await.json()["organization"], "org_2");
}

#[actix_web::test]
async fn what_a_handler_cannot_do_is_answered_for_it() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    let response = browser.fetch("/open/org_9").await;
    assert_eq!(
        (response.status, response.json()["code"].as_str()),
        (403, Some("organization_forbidden"))
    );
    let response = browser.visit("/open/org_9").await;
    assert_eq!(response.status, 403);
    assert!(
        response
            .body
            .contains("you are not a member of this organization"),
        "{}",
        response.body
    );
    app.workos
        .fail_authenticate(Some((400, json!({ "error": "sso_required" }))));
    let response = browser.visit("/open/org_2").await;
    assert_eq!(
        (response.status, response.location()),
        (
            307,
            "/auth/sign-in?return_to=%2Fopen%2Forg_2&organization_id=org_2"
        )
    );
    let sign_in = response.location().to_owned();
    let authorize = browser.send(reqwest::Method::GET, &sign_in, &NAVIGATE).await;
    assert_eq!(query(authorize.location())["organization_id"], "org_2");
    assert_eq!(
        browser.fetch("/me").await.json()["organization"],
        "org_1",
        "still signed in"
    );
}
