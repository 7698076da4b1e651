//! What an app does of its own when a sign-in comes back.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use actix_web::{HttpResponse, http::StatusCode};
use workos_actix::{AfterSignIn, AuthKitBuilder, SignInError, SignedIn};

use crate::app::TestApp;

/// What a hook was called with.
struct Calls<T>(Arc<Mutex<Vec<T>>>);

impl<T> Clone for Calls<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Clone> Calls<T> {
    fn new() -> Self {
        Self(Arc::default())
    }

    fn push(&self, call: T) {
        self.0.lock().unwrap().push(call);
    }

    fn all(&self) -> Vec<T> {
        self.0.lock().unwrap().clone()
    }
}

#[derive(Debug)]
struct Deactivated;

impl fmt::Display for Deactivated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("row 7 of the table says so")
    }
}

impl std::error::Error for Deactivated {}

fn refuse_everybody(builder: AuthKitBuilder) -> AuthKitBuilder {
    builder.on_success(|_| async { Err(Deactivated.into()) })
}

#[actix_web::test]
async fn success_is_told_with_everything_that_workos_answered() {
    let calls = Calls::<SignedIn>::new();
    let hook = calls.clone();
    let app = TestApp::start_with(|builder| {
        builder.on_success(move |signed_in| {
            hook.push(signed_in);
            async { Ok(AfterSignIn::Return) }
        })
    })
    .await;
    let mut browser = app.browser();
    let response = browser
        .sign_in(&app.workos, "/auth/sign-in?return_to=/me?tab=1")
        .await;
    assert_eq!((response.status, response.location()), (307, "/me?tab=1"));

    let [signed_in] = &calls.all()[..] else {
        panic!("one call")
    };
    let user = &signed_in.user;
    assert_eq!((user.id(), user.email()), ("user_1", "alice@acme.example"));
    assert_eq!(
        (user.organization_id(), user.role()),
        (Some("org_1"), Some("admin"))
    );
    assert!(user.impersonator().is_none());
    assert_eq!(signed_in.return_to, "/me?tab=1");
    assert_eq!(
        signed_in.authentication_method.as_ref().unwrap().as_str(),
        "Password"
    );
    assert!(signed_in.refresh_token.expose().starts_with("refresh_"));
    let shown = format!("{signed_in:?}");
    assert!(!shown.contains(signed_in.refresh_token.expose()), "{shown}");
    assert!(!shown.contains(user.access_token().expose()), "{shown}");

    // It is the sign-in that the app works with from now on, and neither a request nor a refresh is one.
    assert_eq!(browser.fetch("/me").await.json()["session"], user.session_id());
    app.clock.advance(290);
    assert_eq!(browser.fetch("/me").await.status, 200);
    assert_eq!(calls.all().len(), 1);
}

#[actix_web::test]
async fn success_may_lead_elsewhere() {
    let app = TestApp::start_with(|builder| {
        builder
            .on_success(|_| async { Ok(AfterSignIn::Redirect("https://other.example/welcome".to_owned())) })
    })
    .await;
    let mut browser = app.browser();
    let response = browser.sign_in(&app.workos, "/auth/sign-in?return_to=/me").await;
    assert_eq!(
        (response.status, response.location()),
        (307, "https://other.example/welcome")
    );
    assert_eq!(browser.fetch("/me").await.status, 200);
}

#[actix_web::test]
async fn a_redirect_that_is_no_header_signs_nobody_in() {
    let app = TestApp::start_with(|builder| {
        builder.on_success(|_| async { Ok(AfterSignIn::Redirect("/a\r\nSet-Cookie: x=y".to_owned())) })
    })
    .await;
    let mut browser = app.browser();
    let response = browser.sign_in(&app.workos, "/auth/sign-in").await;
    assert_eq!(response.status, 500);
    assert!(browser.cookies.is_empty(), "{:?}", browser.cookies);
}

#[actix_web::test]
async fn a_hook_that_fails_signs_nobody_in() {
    let app = TestApp::start_with(refuse_everybody).await;
    let mut browser = app.browser();
    let callback = browser.authorize(&app.workos, "/auth/sign-in").await;
    let response = browser.visit(&callback).await;
    assert_eq!(response.status, 500);
    assert!(
        response.body.contains("could not be completed here"),
        "{}",
        response.body
    );
    assert!(!response.body.contains("row 7"), "the cause is for the log");
    assert!(browser.cookies.is_empty(), "{:?}", browser.cookies);
    assert_eq!(browser.fetch("/me").await.status, 401);
    // The sign-in is spent, however it ended.
    assert_eq!(browser.visit(&callback).await.status, 400);
}

#[actix_web::test]
async fn a_hook_that_fails_leaves_the_earlier_session_alone() {
    let refuses = Arc::new(Mutex::new(false));
    let refused = Arc::clone(&refuses);
    let app = TestApp::start_with(|builder| {
        builder.on_success(move |_| {
            let refused = *refused.lock().unwrap();
            async move {
                match refused {
                    true => Err(Deactivated.into()),
                    false => Ok(AfterSignIn::Return),
                }
            }
        })
    })
    .await;
    let mut browser = app.signed_in().await;
    let session = browser.fetch("/me").await.json()["session"].clone();
    *refuses.lock().unwrap() = true;
    assert_eq!(browser.sign_in(&app.workos, "/auth/sign-in").await.status, 500);
    assert_eq!(browser.fetch("/me").await.json()["session"], session);
}

#[actix_web::test]
async fn the_app_answers_the_failure_of_its_own_hook() {
    let app = TestApp::start_with(|builder| {
        refuse_everybody(builder).on_error(|error| async move {
            let cause = error.hook_error()?;
            assert!(cause.is::<Deactivated>());
            let body = format!("{} {}", error.code(), error.status());
            Some(HttpResponse::Forbidden().body(body))
        })
    })
    .await;
    let mut browser = app.browser();
    let response = browser.sign_in(&app.workos, "/auth/sign-in").await;
    assert_eq!(response.status, 403);
    assert_eq!(response.body, "sign_in_hook_failed 500 Internal Server Error");
    assert!(browser.cookies.is_empty(), "{:?}", browser.cookies);
}

#[actix_web::test]
async fn what_the_provider_says_is_passed_on_and_escaped() {
    let calls = Calls::<SignInError>::new();
    let hook = calls.clone();
    let app = TestApp::start_with(|builder| {
        builder.on_error(move |error| {
            hook.push(error.clone());
            async move { Some(HttpResponse::build(error.status()).body(error.message_html())) }
        })
    })
    .await;
    let mut browser = app.browser();
    let response = browser
        .visit("/auth/callback?error=access_denied&error_description=%3Cscript%3Ealert(%22hi%22)%3C/script%3E%0A")
        .await;
    assert_eq!(response.status, 401);
    assert_eq!(
        response.body,
        "&lt;script&gt;alert(&quot;hi&quot;)&lt;/script&gt;"
    );
    let [SignInError::Provider { code, description }] = &calls.all()[..] else {
        panic!("one refusal of the provider")
    };
    assert_eq!(code, "access_denied");
    assert_eq!(description.as_deref(), Some("<script>alert(\"hi\")</script>"));
}

#[actix_web::test]
async fn every_failure_is_typed() {
    let calls = Calls::<SignInError>::new();
    let hook = calls.clone();
    let app = TestApp::start_with(|builder| {
        builder.on_error(move |error| {
            hook.push(error);
            async { None }
        })
    })
    .await;
    let mut browser = app.browser();
    assert_eq!(browser.visit("/auth/callback").await.status, 400);
    assert_eq!(browser.visit("/auth/callback?code=a&state=b").await.status, 400);
    let callback = browser.authorize(&app.workos, "/auth/sign-in").await;
    let invented = callback.replace("code=", "code=no_");
    assert_eq!(browser.visit(&invented).await.status, 401);
    let failures: Vec<_> = calls
        .all()
        .iter()
        .map(|error| (error.code().to_owned(), error.status()))
        .collect();
    let expected = [
        ("invalid_request", StatusCode::BAD_REQUEST),
        ("invalid_state", StatusCode::BAD_REQUEST),
        ("invalid_grant", StatusCode::UNAUTHORIZED),
    ];
    assert_eq!(failures, expected.map(|(code, status)| (code.to_owned(), status)));
}
