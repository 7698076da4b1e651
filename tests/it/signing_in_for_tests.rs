//! `workos_actix::testing::sign_in` against a running app and the emulator.

use workos_actix::testing;

use crate::{app::TestApp, http};

#[actix_web::test]
async fn the_cookie_of_a_signed_in_browser() {
    let app = TestApp::start().await;
    let sign_in = app.path("/auth/sign-in").to_string();
    let cookie = testing::sign_in(&sign_in, "ada@example.com").await.unwrap();
    assert!(cookie.starts_with("wos-session="), "{cookie}");
    assert!(!cookie.contains("wos-auth-verifier"));
    let request = http::client().get(app.path("/me")).header("cookie", cookie);
    let (status, me) = http::answer(request).await;
    assert_eq!((status, me["email"].as_str()), (200, Some("ada@example.com")));

    let error = testing::sign_in(&sign_in, "nobody@example.com")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("nobody is signed in"), "{error}");
}
