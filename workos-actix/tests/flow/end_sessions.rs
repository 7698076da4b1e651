//! Sessions that the app is told have ended at WorkOS.

use serde_json::json;

use crate::{
    app::TestApp,
    bearer_tokens::{accepting, claims, token, with},
};

#[actix_web::test]
async fn a_session_ends_for_its_cookie_and_its_token_and_no_other_does() {
    let app = accepting().await;
    let first = token(&claims());
    let second = token(&with(&json!({"sid": "session_2"})));
    for token in [&first, &second] {
        assert_eq!(app.browser().ask("/who", token).await.status, 200);
    }
    app.authkit.end_session("session_1").await.unwrap();
    assert_eq!(app.browser().ask("/who", &first).await.refusal().0, 401);
    assert_eq!(app.browser().ask("/who", &second).await.status, 200);
    // One that was never seen before, of the same session.
    let later = token(&with(&json!({"jti": "jti_2"})));
    assert_eq!(app.browser().ask("/who", &later).await.refusal().0, 401);
}

#[actix_web::test]
async fn all_sessions_of_a_user_end_and_those_of_others_do_not() {
    let app = accepting().await;
    let others = token(&with(&json!({"sub": "user_2", "sid": "session_9"})));
    let sessions = ["session_1", "session_2"].map(|sid| token(&with(&json!({ "sid": sid }))));
    for token in sessions.iter().chain([&others]) {
        assert_eq!(app.browser().ask("/who", token).await.status, 200);
    }
    app.authkit.end_sessions_of_user("user_1").await.unwrap();
    for token in &sessions {
        assert_eq!(app.browser().ask("/who", token).await.refusal().0, 401);
    }
    assert_eq!(app.browser().ask("/who", &others).await.status, 200);
}

#[actix_web::test]
async fn a_cookie_of_an_ended_session_is_removed() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    let mut copy = browser.clone();
    assert_eq!(browser.fetch("/me").await.status, 200);
    app.authkit.end_session("session_2").await.unwrap();
    assert_eq!(browser.fetch("/me").await.status, 401);
    assert!(browser.session().is_none());
    assert_eq!(copy.fetch("/me").await.status, 401);
}
