//! A hook of the app that panics: it costs its request, as in any handler, and nobody is signed in or out by it.

use actix_web::HttpResponse;
use workos_actix::{AfterSignIn, AuthError};

use crate::{app::TestApp, fake_workos::LIFETIME};

/// Stands in the output of the tests.
const EXPECTED: &str = "expected by the test";

#[actix_web::test]
async fn on_success_signs_nobody_in() {
    let app = TestApp::start_with(|builder| {
        builder.on_success(|signed_in| async move {
            assert_ne!(signed_in.return_to, "/panic", "{EXPECTED}");
            Ok(AfterSignIn::Return)
        })
    })
    .await;
    for _ in 0..4 {
        let mut browser = app.browser();
        let callback = browser
            .authorize(&app.workos, "/auth/sign-in?return_to=/panic")
            .await;
        assert!(
            browser.try_fetch(&callback).await.is_err(),
            "the connection is closed"
        );
        assert!(browser.session().is_none());
        assert_eq!(browser.fetch("/me").await.status, 401);
    }
    // Both workers are still there.
    for _ in 0..4 {
        let mut browser = app.signed_in().await;
        assert_eq!(browser.fetch("/me").await.status, 200);
    }
}

#[actix_web::test]
async fn on_error_signs_nobody_in() {
    let app = TestApp::start_with(|builder| {
        builder.on_error(|error| async move {
            assert_ne!(error.code(), "invalid_state", "{EXPECTED}");
            None
        })
    })
    .await;
    let mut browser = app.signed_in().await;
    let before = browser.session().cloned();
    assert!(browser.try_fetch("/auth/callback?code=a&state=b").await.is_err());
    assert_eq!(browser.session().cloned(), before);
    assert_eq!(
        browser.fetch("/me").await.status,
        200,
        "who was signed in still is"
    );
}

#[actix_web::test]
async fn on_refusal_lets_nobody_in() {
    let app = TestApp::start_with(|builder| {
        builder.on_refusal(|error, request| match error {
            AuthError::SignInRequired { .. } if request.path() == "/me" => panic!("{EXPECTED}"),
            _ => Some(HttpResponse::Unauthorized().body("mine")),
        })
    })
    .await;
    for _ in 0..4 {
        assert!(app.browser().try_fetch("/me").await.is_err());
        assert_eq!(app.browser().fetch("/debug").await.body, "mine");
    }
}

#[actix_web::test]
async fn what_is_told_of_refreshes_changes_nothing() {
    let app = TestApp::start_with(|builder| {
        builder
            .on_session_refreshed(|_| async { panic!("{EXPECTED}") })
            .on_session_refresh_error(|_| async { panic!("{EXPECTED}") })
    })
    .await;
    let mut browser = app.signed_in().await;
    for number in 1..=3 {
        app.clock.advance(LIFETIME + 1);
        assert_eq!(browser.fetch("/me").await.status, 200);
        assert_eq!(app.workos.counts().refreshes, number);
    }
    app.clock.advance(LIFETIME + 1);
    let failure = serde_json::json!({ "error": "invalid_grant" });
    app.workos.fail_authenticate(Some((400, failure)));
    assert_eq!(browser.fetch("/me").await.status, 401);
    assert!(browser.session().is_none());
}

#[actix_web::test]
async fn a_redirect_uri_that_cannot_be_chosen_begins_nothing() {
    let app = TestApp::start_with(|builder| {
        builder.redirect_uri_for(|request| {
            assert_ne!(request.query_string(), "panic", "{EXPECTED}");
            None
        })
    })
    .await;
    let mut browser = app.browser();
    // The browser of the tests panics, too, where there is no answer.
    let visit = actix_web::rt::spawn(async move { browser.visit("/auth/sign-in?panic").await.status });
    assert!(visit.await.is_err());
    let mut browser = app.signed_in().await;
    assert_eq!(browser.fetch("/me").await.status, 200);
}
