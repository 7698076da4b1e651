//! Sessions that the app's own flow began.

use serde_json::{Value, json};

use crate::{
    app::TestApp,
    browser::Browser,
    fake_workos::{sign, user},
};

async fn save(browser: &mut Browser, answer: &Value) -> crate::browser::Response {
    browser.fetch_json("/own/session", answer).await
}

#[actix_web::test]
async fn an_answer_of_workos_signs_in() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let answer = app.workos.begin_session();
    let response = save(&mut browser, &answer).await;
    assert_eq!(response.status, 200, "{}", response.body);
    assert_eq!(response.json(), json!({ "id": "user_1", "session": "session_1" }));
    assert!(response.header("cache-control").contains("no-store"));
    assert_eq!(browser.fetch("/me").await.json()["session"], "session_1");
    // It is refreshed as any other.
    app.clock.advance(290);
    assert_eq!(browser.fetch("/me").await.json()["jti"], "jti_2");
}

#[actix_web::test]
async fn it_takes_the_place_of_the_session_before() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    let planted = browser.session().cloned();
    let answer = app.workos.begin_session();
    assert_eq!(save(&mut browser, &answer).await.status, 200);
    assert_ne!(browser.session().cloned(), planted);
    assert_eq!(browser.fetch("/me").await.json()["session"], "session_3");
}

#[actix_web::test]
async fn what_workos_did_not_make_signs_nobody_in() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    let genuine = app.workos.begin_session();
    let with = |name: &str, value: Value| {
        let mut answer = genuine.clone();
        answer[name] = value;
        answer
    };
    for forged in [
        with("access_token", json!("a.b.c")),
        with("access_token", json!("")),
        with("user", user("user_2")),
        with(
            "access_token",
            json!(sign(
                "RS256",
                "other_key",
                &json!({ "sub": "user_1", "exp": 9_999_999_999_i64 })
            )),
        ),
    ] {
        let response = save(&mut browser, &forged).await;
        assert!([502, 503].contains(&response.status), "{}", response.status);
        assert!(response.set_cookies().is_empty());
    }
    assert_eq!(
        browser.fetch("/me").await.json()["session"],
        "session_2",
        "who was signed in still is"
    );
}

#[actix_web::test]
async fn another_site_signs_nobody_in() {
    let app = TestApp::start().await;
    let answer = app.workos.begin_session().to_string();
    for foreign in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        let mut browser = app.browser();
        let headers = [("content-type", "application/json"), foreign];
        let response = browser
            .send_body(reqwest::Method::POST, "/own/session", &headers, answer.clone())
            .await;
        assert_eq!(response.status, 403, "{foreign:?}");
        assert!(browser.cookies.is_empty());
    }
}

#[actix_web::test]
async fn a_session_too_large_for_the_cookie_is_an_error() {
    let app = TestApp::start().await;
    app.workos
        .add_claims(json!({ "permissions": vec!["a:very:long:permission"; 360] }));
    let mut browser = app.browser();
    let answer = app.workos.begin_session();
    assert_eq!(save(&mut browser, &answer).await.status, 500);
    assert!(browser.session().is_none());
}

#[actix_web::test]
async fn an_app_without_sessions_is_told_that_nobody_would_read_the_cookie() {
    let app = TestApp::start_with(|builder| builder.without_sessions().bearer_tokens()).await;
    let mut browser = app.browser();
    let answer = app.workos.begin_session();
    let response = save(&mut browser, &answer).await;
    assert_eq!(response.status, 500);
    assert!(response.body.contains("without_sessions()"), "{}", response.body);
    assert!(response.body.contains("save_session"), "{}", response.body);
    assert!(response.set_cookies().is_empty());
}
