//! Re-authentication, and signing out of more or less than the session.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    app::TestApp,
    browser::{FETCH, NAVIGATE, SAME_ORIGIN, query},
    fake_workos::{LIFETIME, sign},
};

#[actix_web::test]
async fn whoever_signed_in_long_ago_proves_it_again() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    app.clock.advance(60);
    assert_eq!(browser.visit("/own/recent").await.body, "user_1");
    app.clock.advance(1);
    let response = browser.visit("/own/recent?a=b").await;
    assert_eq!(
        (response.status, response.location()),
        (307, "/auth/sign-in?return_to=%2Fown%2Frecent%3Fa%3Db&max_age=60")
    );
    assert_eq!(browser.fetch("/me").await.status, 200, "still signed in");
    let location = response.location().to_owned();
    let authorize = browser.visit(&location).await;
    assert_eq!(query(authorize.location())["max_age"], "60");
    let callback = crate::browser::callback_path(&app.workos, authorize.location());
    assert_eq!(browser.visit(&callback).await.location(), "/own/recent?a=b");
    assert_eq!(browser.visit("/own/recent?a=b").await.body, "user_1");
}

#[actix_web::test]
async fn programs_are_told_what_is_missing() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    app.clock.advance(61);
    let response = browser.fetch("/own/recent").await;
    assert_eq!(
        (response.status, response.json()["code"].as_str()),
        (401, Some("reauthentication_required"))
    );
    assert_eq!(
        response.header("www-authenticate"),
        "Bearer error=\"insufficient_user_authentication\", max_age=\"60\""
    );
    // What was posted is not posted again.
    let headers = [&NAVIGATE[..], &[SAME_ORIGIN]].concat();
    let response = browser.send(Method::POST, "/own/recent", &headers).await;
    assert_eq!(
        (response.status, response.location()),
        (303, "/auth/sign-in?max_age=60")
    );
    let stranger = app.browser().fetch("/own/recent").await;
    assert_eq!(stranger.json()["code"], "sign_in_required");
}

#[actix_web::test]
async fn refreshing_is_no_fresh_sign_in_and_a_token_without_a_time_is_never_one() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    let signed_in_at = app.clock.seconds();
    app.workos.add_claims(json!({ "auth_time": signed_in_at }));
    app.clock.advance(LIFETIME + 1);
    assert_eq!(browser.fetch("/own/recent").await.status, 401);
    assert_eq!(app.workos.counts().refreshes, 1);

    app.workos.mint_with(|mut claims: Value| {
        claims.as_object_mut().unwrap().remove("auth_time");
        sign("RS256", crate::fake_workos::KID, &claims)
    });
    let mut without = app.signed_in().await;
    let response = without.visit("/own/recent").await;
    assert_eq!(response.status, 401, "and no loop through AuthKit");
}

#[actix_web::test]
async fn this_browser_alone_can_be_signed_out() {
    let app = TestApp::start_with(|builder| builder.after_sign_out("https://acme.example/bye")).await;
    let mut browser = app.signed_in().await;
    let mut copy = browser.clone();
    let response = browser
        .submit("/auth/sign-out", &[("scope", "here"), ("return_to", "/bye")])
        .await;
    assert_eq!((response.status, response.location()), (303, "/bye"));
    assert!(browser.cookies.is_empty());
    assert_eq!(copy.fetch("/me").await.status, 401);
    // Nothing is left to end: the app's own page.
    let response = browser.submit("/auth/sign-out", &[]).await;
    assert_eq!(response.location(), "https://acme.example/bye");
    let mut link = app.signed_in().await;
    assert_eq!(
        link.visit("/auth/sign-out?scope=here").await.location(),
        "https://acme.example/bye"
    );
    assert!(link.cookies.is_empty());
}

#[actix_web::test]
async fn a_link_that_signs_out_everywhere_asks_first() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    let response = browser
        .visit("/auth/sign-out?scope=everywhere&return_to=/bye")
        .await;
    assert_eq!(response.status, 200);
    assert!(
        response.body.contains(
            "<form method=\"post\" action=\"/auth/sign-out?return_to=%2Fbye&amp;scope=everywhere\">"
        ),
        "{}",
        response.body
    );
    assert_eq!(browser.fetch("/me").await.status, 200, "still signed in");
    // WorkOS has no list of sessions to give here: nobody is signed out by halves.
    let response = browser
        .submit("/auth/sign-out?return_to=%2Fbye&scope=everywhere", &[])
        .await;
    assert_eq!(response.status, 503, "{}", response.body);
    assert!(response.body.contains("You are still signed in"));
    assert_eq!(browser.fetch("/me").await.status, 200);
}

#[actix_web::test]
async fn a_scope_that_is_not_understood_ends_nothing() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    assert_eq!(
        browser.submit("/auth/sign-out", &[("scope", "all")]).await.status,
        400
    );
    assert_eq!(browser.visit("/auth/sign-out?scope=all").await.status, 400);
    let headers = [&FETCH[..], &[SAME_ORIGIN, ("content-type", "text/plain")]].concat();
    let response = browser
        .send_body(Method::POST, "/auth/sign-out", &headers, "scope=here".to_owned())
        .await;
    assert_eq!(response.status, 400);
    let long = [("scope", "here".repeat(8000))];
    let long: Vec<_> = long.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(browser.submit("/auth/sign-out", &long).await.status, 413);
    assert_eq!(browser.fetch("/me").await.status, 200);
    let response = browser
        .fetch_json(
            "/auth/sign-out",
            &json!({ "scope": "here", "return_to": "//evil.example" }),
        )
        .await;
    assert_eq!((response.status, response.location()), (303, "/"));
}
