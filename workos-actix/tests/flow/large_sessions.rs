//! Sessions that do not fit into one cookie.

use actix_web::{App, test::TestRequest};
use serde_json::json;

use crate::{
    app::{TestApp, pages},
    browser::Browser,
    fake_workos::LIFETIME,
};

const MAX_COOKIE_BYTES: usize = 4096;

/// From the next token on, sessions need so many cookies.
fn grow(app: &TestApp, cookies: usize) {
    let permissions = vec!["a:very:long:permission"; [0, 80, 200][cookies - 1]];
    app.workos.add_claims(json!({ "permissions": permissions }));
}

fn names(browser: &Browser) -> Vec<&str> {
    browser.cookies.keys().map(String::as_str).collect()
}

/// The status of `/me` for cookies as they stand.
async fn status(app: &TestApp, cookies: &[(&str, &str)]) -> u16 {
    let service =
        actix_web::test::init_service(App::new().wrap(app.authkit.middleware()).configure(pages)).await;
    let cookies: Vec<_> = cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let request = TestRequest::get()
        .uri("/me")
        .insert_header(("cookie", cookies.join("; ")))
        .to_request();
    actix_web::test::call_service(&service, request)
        .await
        .status()
        .as_u16()
}

#[actix_web::test]
async fn a_large_session_is_in_several_cookies_of_a_size_that_browsers_keep() {
    let app = TestApp::start().await;
    grow(&app, 3);
    let mut browser = app.browser();
    let response = browser.sign_in(&app.workos, "/auth/sign-in").await;
    assert_eq!(response.status, 307, "{}", response.body);
    assert_eq!(
        names(&browser),
        ["wos-session.0", "wos-session.1", "wos-session.2"]
    );
    for cookie in response.set_cookies() {
        assert!(cookie.len() <= MAX_COOKIE_BYTES, "{}", cookie.len());
        assert!(
            cookie.contains("HttpOnly; SameSite=Lax; Path=/; Max-Age="),
            "{cookie}"
        );
    }
    let me = browser.fetch("/me").await;
    assert_eq!(me.json()["permissions"].as_array().unwrap().len(), 200);
    assert!(me.set_cookies().is_empty());
    assert_eq!(browser.fetch("/me").await.status, 200);

    browser.visit("/auth/sign-out").await;
    assert_eq!(names(&browser), [""; 0]);
}

#[actix_web::test]
async fn it_grows_and_shrinks_and_leaves_nothing_behind() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    let expected: [&[&str]; 4] = [
        &["wos-session.0", "wos-session.1", "wos-session.2"],
        &["wos-session.0", "wos-session.1"],
        &["wos-session"],
        &["wos-session.0", "wos-session.1"],
    ];
    for (cookies, expected) in [3, 2, 1, 2].into_iter().zip(expected) {
        grow(&app, cookies);
        app.clock.advance(LIFETIME + 1);
        let mut late = browser.clone();
        assert_eq!(browser.fetch("/me").await.status, 200);
        assert_eq!(names(&browser), expected);
        let refreshes = app.workos.counts().refreshes;
        // A tab that comes late with the cookies of before, and everything after that, is served without another refresh.
        assert_eq!(late.fetch("/me").await.status, 200);
        assert_eq!(names(&late), expected);
        assert_eq!(browser.fetch("/me").await.status, 200);
        assert_eq!(app.workos.counts().refreshes, refreshes);
    }
    // Also when a route changes the session, and with an inner middleware's error.
    grow(&app, 3);
    let response = browser
        .submit("/auth/switch-organization", &[("organization_id", "org_2")])
        .await;
    assert_eq!(response.status, 303, "{}", response.body);
    assert_eq!(names(&browser).len(), 3);
    grow(&app, 1);
    app.clock.advance(LIFETIME + 1);
    assert_eq!(browser.fetch("/teapot").await.status, 418);
    assert_eq!(names(&browser), ["wos-session"]);
}

#[actix_web::test]
async fn pieces_open_only_together_and_with_nothing_else() {
    let app = TestApp::start().await;
    grow(&app, 2);
    let (one, other) = (app.signed_in().await, app.signed_in().await);
    let piece = |browser: &Browser, number: usize| browser.cookies[&format!("wos-session.{number}")].clone();
    let (a, b) = (piece(&one, 0), piece(&one, 1));
    let (other_a, other_b) = (piece(&other, 0), piece(&other, 1));
    assert_eq!(
        status(&app, &[("wos-session.0", &a), ("wos-session.1", &b)]).await,
        200
    );
    assert_eq!(
        status(&app, &[("wos-session.1", &b), ("wos-session.0", &a)]).await,
        200
    );
    // Spliced, missing, in the wrong place, under the name of the whole.
    for cookies in [
        [("wos-session.0", a.as_str()), ("wos-session.1", other_b.as_str())],
        [("wos-session.0", &other_a), ("wos-session.1", &b)],
        [("wos-session.0", &b), ("wos-session.1", &a)],
        [("wos-session.1", &a), ("wos-session.2", &b)],
        [("wos-session.0", &a), ("wos-session.2", &b)],
        [("wos-session", &a), ("wos-session.1", &b)],
        [("wos-session.0", &a), ("wos-session.01", &b)],
        [("wos-session.0", &a), ("other", "")],
        [("wos-session.1", &b), ("other", "")],
    ] {
        let names = cookies.map(|(name, _)| name);
        assert_eq!(status(&app, &cookies).await, 401, "{names:?}");
    }
    // Cut anywhere.
    for cut in (0..a.len()).step_by(97) {
        assert_eq!(
            status(&app, &[("wos-session.0", &a[..cut]), ("wos-session.1", &b)]).await,
            401
        );
    }
    for cut in (0..b.len()).step_by(97) {
        assert_eq!(
            status(&app, &[("wos-session.0", &a), ("wos-session.1", &b[..cut])]).await,
            401
        );
    }
    // Put together in one cookie, which no browser would keep, it is the same value.
    assert_eq!(status(&app, &[("wos-session", &format!("{a}{b}"))]).await, 200);
}

#[actix_web::test]
async fn tossed_pieces_sign_nobody_out() {
    let app = TestApp::start().await;
    grow(&app, 2);
    let browser = app.signed_in().await;
    let (a, b) = (
        &browser.cookies["wos-session.0"],
        &browser.cookies["wos-session.1"],
    );
    for tossed in [
        vec![
            ("wos-session.0", "evil"),
            ("wos-session.0", a),
            ("wos-session.1", b),
        ],
        vec![
            ("wos-session.0", a),
            ("wos-session.1", "evil"),
            ("wos-session.1", b),
        ],
        vec![
            ("wos-session.0", "e"),
            ("wos-session.1", "v"),
            ("wos-session.0", a),
            ("wos-session.1", b),
        ],
        vec![
            ("wos-session", "evil"),
            ("wos-session.0", a),
            ("wos-session.1", b),
        ],
        vec![
            ("wos-session.2", "evil"),
            ("wos-session.3", "evil"),
            ("wos-session.0", a),
            ("wos-session.1", b),
        ],
    ] {
        assert_eq!(status(&app, &tossed).await, 200);
    }
    let names: Vec<_> = (0..10_000)
        .map(|number| format!("wos-session.{number}"))
        .collect();
    let many: Vec<_> = names.iter().map(|name| (name.as_str(), "x")).collect();
    assert_eq!(status(&app, &many).await, 401);
    let many = vec![("wos-session.0", "x"); 10_000];
    assert_eq!(status(&app, &many).await, 401);
}
