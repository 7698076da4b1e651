//! Sessions of one cookie and of several, in both forms: from the sign-in pages to the sign-out.

use workos_actix::AuthKitBuilder;

use crate::{
    app::{EXPIRED, PASSWORD, TestApp},
    browser::Browser,
};

const FORMS: [fn(AuthKitBuilder) -> AuthKitBuilder; 2] =
    [|builder| builder, AuthKitBuilder::sealed_cookie_in_pieces];

/// A user whose role has so many permissions signs in, lets the token expire, and signs out.
async fn live(settings: fn(AuthKitBuilder) -> AuthKitBuilder, permissions: usize, cookies: &[&str]) {
    let app = TestApp::start_with(settings).await;
    let slugs = (0..permissions).map(|number| format!("documents:permission-{number}"));
    app.emulator
        .role("librarian")
        .permissions(slugs)
        .create()
        .unwrap();
    let grace = app.emulator.user("grace@example.com").password(PASSWORD);
    let grace = grace.member_of(&app.acme, "librarian").create().unwrap();

    let browser = Browser::new();
    let form = browser.visit(app.path("/me")).await;
    let page = browser.sign_in(&form, &grace.email, PASSWORD).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let first = page.json();
    assert_eq!(first["permissions"].as_array().unwrap().len(), permissions);
    assert_eq!(browser.cookie_names(&app.url), cookies);

    app.advance(EXPIRED);
    let second = browser.fetch(app.path("/me")).await.json();
    assert_eq!(second["session"], first["session"]);
    assert_ne!(second["jti"], first["jti"]);
    assert_eq!(browser.cookie_names(&app.url), cookies);
    assert_eq!(browser.fetch(app.path("/me")).await.json()["jti"], second["jti"]);

    browser.post(app.path("/auth/sign-out")).await;
    assert_eq!(browser.cookie_names(&app.url), [""; 0]);
}

#[actix_web::test]
async fn a_session_of_one_cookie() {
    for form in FORMS {
        live(form, 2, &["wos-session"]).await;
    }
}

#[actix_web::test]
async fn a_session_of_several_cookies() {
    for form in FORMS {
        live(form, 100, &["wos-session.0", "wos-session.1"]).await;
    }
}
