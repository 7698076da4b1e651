//! What an app is told of refreshes.

use serde_json::json;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use workos_actix::{SessionRefreshError, SessionRefreshed};

use crate::{app::TestApp, fake_workos::LIFETIME};

#[derive(Debug)]
enum Told {
    Refreshed(SessionRefreshed),
    Failed(SessionRefreshError),
}

async fn app() -> (TestApp, UnboundedReceiver<Told>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let failed = sender.clone();
    let app = TestApp::start_with(|builder| {
        builder
            .on_session_refreshed(move |refreshed| {
                let sender = sender.clone();
                async move { sender.send(Told::Refreshed(refreshed)).unwrap() }
            })
            .on_session_refresh_error(move |error| {
                let sender = failed.clone();
                async move { sender.send(Told::Failed(error)).unwrap() }
            })
    })
    .await;
    (app, receiver)
}

#[actix_web::test]
async fn a_renewal_is_told_once() {
    let (app, mut told) = app().await;
    let mut browser = app.signed_in().await;
    browser.fetch("/me").await;
    app.clock.advance(LIFETIME + 1);
    let mut tabs: Vec<_> = (0..4).map(|_| browser.clone()).collect();
    for tab in &mut tabs {
        assert_eq!(tab.fetch("/me").await.json()["jti"], "jti_3");
    }
    let Some(Told::Refreshed(refreshed)) = told.recv().await else {
        panic!("renewed")
    };
    assert_eq!(refreshed.user.id(), "user_1");
    assert_eq!(refreshed.user.claims().jti.as_deref(), Some("jti_3"));

    // A switch is a renewal as well; a refusal of an organization is none, and no failure of the session.
    let tab = &mut tabs[0];
    let switch = |id: &'static str| json!({ "organization_id": id });
    let response = tab
        .fetch_json("/auth/switch-organization", &switch("org_2"))
        .await;
    assert_eq!(response.status, 200, "{}", response.body);
    let Some(Told::Refreshed(refreshed)) = told.recv().await else {
        panic!("renewed")
    };
    assert_eq!(refreshed.user.organization_id(), Some("org_2"));
    let response = tab
        .fetch_json("/auth/switch-organization", &switch("org_9"))
        .await;
    assert_eq!(response.status, 403);
    assert!(told.try_recv().is_err());
}

#[actix_web::test]
async fn failures_say_whether_they_pass() {
    let (app, mut told) = app().await;
    let mut browser = app.signed_in().await;
    app.clock.advance(LIFETIME + 1);
    app.workos.fail_authenticate(Some((503, json!({}))));
    for _ in 0..3 {
        assert_eq!(browser.fetch("/me").await.status, 503);
    }
    let Some(Told::Failed(error)) = told.recv().await else {
        panic!("failed")
    };
    assert_eq!(
        (
            error.user_id.as_str(),
            error.session_id.as_deref(),
            error.is_transient
        ),
        ("user_1", Some("session_2"), true)
    );
    app.workos
        .fail_authenticate(Some((400, json!({ "error": "invalid_grant" }))));
    assert_eq!(browser.fetch("/me").await.status, 401);
    let Some(Told::Failed(error)) = told.recv().await else {
        panic!("the transient one is told once a minute")
    };
    assert!(!error.is_transient);
    assert!(told.try_recv().is_err());
    assert!(browser.session().is_none());
}
