//! Signing out.

use reqwest::Method;

use crate::{
    app::TestApp,
    browser::{FETCH, NAVIGATE, query},
    fake_workos::LIFETIME,
};

#[actix_web::test]
async fn a_post_signs_out_here_and_at_workos() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    let mut stolen = browser.clone();
    assert_eq!(stolen.fetch("/me").await.status, 200);
    let headers = [NAVIGATE[0], NAVIGATE[1], ("sec-fetch-site", "same-origin")];
    let response = browser.send(Method::POST, "/auth/sign-out", &headers).await;
    assert_eq!(response.status, 303);
    assert_eq!(
        response.location(),
        format!(
            "{}/user_management/sessions/logout?session_id=session_2",
            app.workos.url()
        )
    );
    assert!(browser.cookies.is_empty());
    // A copy of the cookie is worthless from now on, cached or not.
    assert_eq!(stolen.fetch("/me").await.status, 401);
}

#[actix_web::test]
async fn signing_out_works_with_an_expired_token_and_workos_down() {
    let app = TestApp::start_with(|builder| builder.after_sign_out("https://acme.example/bye")).await;
    let mut browser = app.signed_in().await;
    app.clock.advance(LIFETIME * 10);
    app.workos.stop().await;
    let response = browser.visit("/auth/sign-out").await;
    assert_eq!(response.status, 307);
    let logout = query(response.location());
    assert_eq!(logout["session_id"], "session_2");
    assert_eq!(logout["return_to"], "https://acme.example/bye");
    assert!(browser.cookies.is_empty());
}

#[actix_web::test]
async fn return_to_becomes_an_absolute_url_of_this_site() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    let response = browser.visit("/auth/sign-out?return_to=/bye").await;
    assert_eq!(
        query(response.location())["return_to"],
        format!("{}/bye", app.url)
    );
    // Nobody is signed in any more: no detour.
    assert_eq!(
        browser.visit("/auth/sign-out?return_to=/bye").await.location(),
        "/bye"
    );
    assert_eq!(
        browser
            .visit("/auth/sign-out?return_to=//evil.example")
            .await
            .location(),
        "/"
    );
}

#[actix_web::test]
async fn another_site_cannot_sign_anyone_out() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    for headers in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
    ] {
        let response = browser.send(Method::POST, "/auth/sign-out", headers).await;
        assert_eq!(
            (response.status, response.json()["code"].as_str()),
            (403, Some("cross_origin_request"))
        );
    }
    // <img src="…/auth/sign-out">
    assert_eq!(
        browser.send(Method::GET, "/auth/sign-out", &FETCH).await.status,
        403
    );
    let prefetch = [NAVIGATE[0], NAVIGATE[1], ("purpose", "prefetch")];
    assert_eq!(
        browser
            .send(Method::GET, "/auth/sign-out", &prefetch)
            .await
            .status,
        503
    );
    // A link on another site asks first.
    let link = [NAVIGATE[0], NAVIGATE[1], ("sec-fetch-site", "cross-site")];
    let response = browser.send(Method::GET, "/auth/sign-out", &link).await;
    assert_eq!(response.status, 200);
    assert!(
        response
            .body
            .contains("<form method=\"post\" action=\"/auth/sign-out\">"),
        "{}",
        response.body
    );
    assert_eq!(browser.fetch("/me").await.status, 200, "still signed in");
    let origin = app.url.clone();
    assert_eq!(
        browser
            .send(Method::POST, "/auth/sign-out", &[("origin", &origin)])
            .await
            .status,
        303
    );
}
