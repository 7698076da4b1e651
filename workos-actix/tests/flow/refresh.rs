//! Refreshing: once, in time, and never at the user's expense.

use std::rc::Rc;

use actix_web::{App, test::TestRequest};
use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    app::{TestApp, pages},
    browser::Browser,
    fake_workos::{KID, LIFETIME, sign},
};

#[actix_web::test]
async fn a_hundred_requests_with_one_expired_session_refresh_once() {
    let app = TestApp::start().await;
    let browser = app.signed_in().await;
    app.clock.advance(LIFETIME + 1);
    app.workos.hold();
    let before = app.arrived();
    let mut requests = JoinSet::new();
    for _ in 0..100 {
        let mut tab = browser.clone();
        requests.spawn_local(async move {
            let response = tab.fetch("/me").await;
            (response.status, response.json()["jti"].clone(), tab.cookies)
        });
    }
    app.arrivals_reach(before + 100).await;
    app.workos.refreshes_reach(1).await;
    app.workos.release();
    let results = requests.join_all().await;
    assert!(
        results
            .iter()
            .all(|(status, jti, _)| (*status, jti) == (200, &json!("jti_3")))
    );
    assert_eq!(app.workos.counts().refreshes, 1);
    // Every one of the cookies that were set is good.
    for (_, _, cookies) in results {
        let mut tab = Browser::new(&app.url);
        tab.cookies = cookies;
        assert_eq!(tab.fetch("/me").await.status, 200);
    }
    assert_eq!(app.workos.counts().refreshes, 1);
}

#[actix_web::test]
async fn late_requests_with_the_old_cookie_get_the_settled_result() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    let mut late = browser.clone();
    let old = browser.session().cloned();
    app.clock.advance(LIFETIME + 1);
    assert_eq!(browser.fetch("/me").await.status, 200);
    assert_ne!(browser.session().cloned(), old);

    app.clock.advance(29);
    let response = late.fetch("/me").await;
    assert_eq!(
        (response.status, response.json()["jti"].clone()),
        (200, json!("jti_3"))
    );
    assert_ne!(
        late.session().cloned(),
        old,
        "the late request gets the new cookie too"
    );
    assert_eq!(app.workos.counts().refreshes, 1);

    // After the grace time the old refresh token is what it is: used.
    let mut too_late = app.browser();
    too_late.cookies.insert("wos-session".into(), old.unwrap());
    app.clock.advance(2);
    assert_eq!(too_late.fetch("/me").await.status, 401);
    assert!(too_late.session().is_none());
}

#[actix_web::test]
async fn a_client_that_disconnects_does_not_cut_a_rotation_in_half() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    app.clock.advance(LIFETIME + 1);
    app.workos.hold();
    let service =
        actix_web::test::init_service(App::new().wrap(app.authkit.middleware()).configure(pages)).await;
    let service = Rc::new(service);
    let request = TestRequest::get()
        .uri("/me")
        .insert_header(("cookie", format!("wos-session={}", browser.session().unwrap())))
        .to_request();
    tokio::select! {
        biased;
        _ = actix_web::test::call_service(&*service, request) => panic!("WorkOS holds the answer back"),
        () = app.workos.refreshes_reach(1) => {}
    }
    app.workos.release();
    assert_eq!(browser.fetch("/me").await.json()["jti"], "jti_3");
    assert_eq!(app.workos.counts().refreshes, 1);
}

#[actix_web::test]
async fn an_unreachable_workos_is_503_and_nobody_is_signed_out() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    let session = browser.session().cloned();
    app.clock.advance(LIFETIME + 1);
    app.workos.drop_connections(true);
    for path in ["/me", "/scope/page"] {
        let response = browser.fetch(path).await;
        assert_eq!(
            (response.status, response.json()["code"].as_str()),
            (503, Some("authentication_unavailable"))
        );
        assert_eq!(response.header("retry-after"), "5");
        assert_eq!(browser.session().cloned(), session);
    }
    assert_eq!(browser.fetch("/greeting").await.status, 503);
    assert_eq!(app.browser().fetch("/greeting").await.body, "stranger");
    assert_eq!(
        browser.visit("/style.css").await.status,
        200,
        "what needs no user goes on"
    );
    app.workos.drop_connections(false);
    assert_eq!(browser.fetch("/me").await.status, 200);
    assert_eq!(browser.fetch("/greeting").await.body, "user_1");
    // Not even a connection.
    app.clock.advance(LIFETIME + 1);
    app.workos.stop().await;
    assert_eq!(browser.fetch("/me").await.status, 503);
    assert!(browser.session().is_some());
}

#[actix_web::test]
async fn passing_failures_keep_the_session_and_final_ones_end_it() {
    let app = TestApp::start().await;
    let browser = app.signed_in().await;
    app.clock.advance(LIFETIME + 1);
    for (status, body) in [
        (408, json!({})),
        (429, json!({ "message": "Rate limit exceeded." })),
        (500, json!({})),
        (503, json!({})),
        (200, json!({ "nonsense": true })),
        (401, json!({ "message": "Unauthorized" })),
    ] {
        let mut browser = browser.clone();
        app.workos.fail_authenticate(Some((status, body)));
        assert_eq!(browser.fetch("/me").await.status, 503, "{status}");
        assert!(browser.session().is_some(), "{status}");
    }
    app.workos
        .fail_authenticate(Some((400, json!({ "error": "sso_required" }))));
    let mut ended = browser.clone();
    assert_eq!(ended.fetch("/me").await.status, 401);
    assert!(ended.session().is_none());
}

#[actix_web::test]
async fn tokens_are_refreshed_ahead_of_time() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    app.clock.advance(LIFETIME - 31);
    assert_eq!(browser.fetch("/me").await.json()["jti"], "jti_2");
    assert_eq!(app.workos.counts().refreshes, 0);
    app.clock.advance(1);
    assert_eq!(browser.fetch("/me").await.json()["jti"], "jti_3");
    assert_eq!(browser.fetch("/me").await.json()["jti"], "jti_3");
    assert_eq!(app.workos.counts().refreshes, 1);
}

#[actix_web::test]
async fn a_failed_early_refresh_serves_the_valid_token() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    app.clock.advance(LIFETIME - 10);
    for failure in [(500, json!({})), (400, json!({ "error": "invalid_grant" }))] {
        app.workos.fail_authenticate(Some(failure));
        let response = browser.fetch("/me").await;
        assert_eq!(
            (response.status, response.json()["jti"].clone()),
            (200, json!("jti_2"))
        );
        assert!(browser.session().is_some());
    }
}

#[actix_web::test]
async fn a_rotated_session_is_kept_while_its_key_cannot_be_fetched() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    let old = browser.session().cloned();
    app.clock.advance(LIFETIME + 1);
    app.workos.mint_with(|claims| sign("RS256", "next_key", &claims));
    app.workos.fail_jwks(Some(500));
    assert_eq!(browser.fetch("/me").await.status, 503);
    assert_ne!(browser.session().cloned(), old, "the rotation is not lost");
    app.workos.mint_with(|claims| sign("RS256", KID, &claims));
    app.workos.fail_jwks(None);
    app.clock.advance(LIFETIME + 1);
    assert_eq!(browser.fetch("/me").await.status, 200);
}

#[actix_web::test]
async fn a_late_request_hops_over_settled_sessions_that_expired() {
    let app = TestApp::start().await;
    app.workos
        .add_claims(json!({ "exp": crate::fake_workos::NOW + 10 }));
    let mut browser = app.signed_in().await;
    let mut late = browser.clone();
    app.clock.advance(11);
    app.workos
        .add_claims(json!({ "exp": crate::fake_workos::NOW + 20 }));
    assert_eq!(browser.fetch("/me").await.status, 200);
    app.clock.advance(10);
    app.workos
        .add_claims(json!({ "exp": crate::fake_workos::NOW + 500 }));
    let response = late.fetch("/me").await;
    assert_eq!((response.status, app.workos.counts().refreshes), (200, 2));
    assert_eq!(browser.fetch("/me").await.json()["jti"], response.json()["jti"]);
    assert_eq!(app.workos.counts().refreshes, 2);
}
