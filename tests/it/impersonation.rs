//! Somebody of the team in the app as one of its users: from the link to the end of the session.

use reqwest::Method;
use serde_json::json;

use crate::{
    app::{EXPIRED, TestApp},
    browser::Browser,
    http,
};

async fn link(app: &TestApp) -> String {
    let request = json!({
        "email": app.ada.email, "impersonator_email": "support@paperboat.example", "reason": "Ticket 17",
        "redirect_uri": app.path("/auth/callback"),
    });
    let (status, body) = http::call(&app.emulator, Method::POST, "/_emulate/impersonations", &request).await;
    assert_eq!(status, 201, "{body}");
    body["url"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn the_app_knows_who_is_behind_its_user() {
    let app = TestApp::start().await;
    let browser = Browser::new();
    // The callback comes without a state, so the app begins a sign-in of its own, which needs no question.
    let link = link(&app).await;
    // To look whether the link is good uses nothing up.
    let looked = http::client().head(&link).send().await.unwrap();
    assert_eq!(looked.status(), 200);
    let home = browser.visit(&link).await;
    assert_eq!(home.url.as_str(), app.path("/"));
    assert_eq!(home.text, format!("hello {}", app.ada.email));
    let me = browser.visit(app.path("/me")).await.json();
    let impersonator = json!({ "email": "support@paperboat.example", "reason": "Ticket 17" });
    assert_eq!(
        (&me["id"], &me["organization"], &me["impersonator"]),
        (&json!(app.ada.id), &json!(app.acme.id), &impersonator)
    );
    // A refresh does not make the user of the impersonator.
    app.advance(EXPIRED);
    let later = browser.visit(app.path("/me")).await.json();
    assert_ne!(later["jti"], me["jti"]);
    assert_eq!(later["impersonator"]["email"], "support@paperboat.example");
    // An hour after the start it is over, whatever was refreshed.
    for _ in 0..10 {
        app.advance(330);
        browser.visit(app.path("/me")).await;
    }
    assert_eq!(
        browser.visit(app.path("/me")).await.url.path(),
        "/authkit/sign-in"
    );
    // The link was good for one browser.
    let other = Browser::new().visit(&link).await;
    assert_ne!(other.url.as_str(), app.path("/"));
}

#[actix_web::test]
async fn stopping_is_signing_out() {
    let app = TestApp::start().await;
    let browser = Browser::new();
    browser.visit(link(&app).await).await;
    assert!(browser.has_session(&app.url));
    browser.post(app.path("/auth/sign-out")).await;
    assert!(!browser.has_session(&app.url));
    assert_eq!(browser.visit(app.path("/")).await.text, "hello stranger");
    assert_eq!(
        browser.visit(app.path("/me")).await.url.path(),
        "/authkit/sign-in"
    );
}
