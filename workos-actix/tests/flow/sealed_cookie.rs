//! The sealed cookie of WorkOS's JavaScript kits, as far as it takes no JavaScript: that is in `tests/node` of the repository.

use actix_web::{App, test::TestRequest};
use serde_json::{Value, json};
use workos_actix::{AuthKit, AuthKitBuilder};

use crate::{
    app::{TestApp, pages},
    browser::Browser,
    fake_workos::LIFETIME,
};

const PASSWORD: &str = "0123456789abcdef0123456789abcdef";
const NEW_PASSWORD: &str = "fedcba9876543210fedcba9876543210";

async fn sealed() -> TestApp {
    TestApp::start_with(AuthKitBuilder::sealed_cookie).await
}

/// Another machine with the same WorkOS.
fn machine(app: &TestApp, settings: impl FnOnce(AuthKitBuilder) -> AuthKitBuilder) -> AuthKit {
    let builder = AuthKit::builder()
        .api_key("sk_test_1")
        .client_id("client_1")
        .cookie_password(PASSWORD)
        .redirect_uri(format!("{}/auth/callback", app.url))
        .api_base_url(app.workos.url())
        .clock(app.clock.clone());
    settings(builder).build().unwrap()
}

/// What a machine says of the user of a cookie, and the cookie that it sets.
async fn ask(authkit: &AuthKit, cookie: &str) -> (u16, Value, Option<String>) {
    let service = actix_web::test::init_service(App::new().wrap(authkit.middleware()).configure(pages)).await;
    let request = TestRequest::get()
        .uri("/me")
        .insert_header(("cookie", format!("wos-session={cookie}")))
        .to_request();
    let response = actix_web::test::call_service(&service, request).await;
    let status = response.status().as_u16();
    let set = response
        .response()
        .cookies()
        .find(|cookie| cookie.name() == "wos-session");
    let set = set
        .map(|cookie| cookie.value().to_owned())
        .filter(|value| !value.is_empty());
    let body = actix_web::test::read_body(response).await;
    (status, serde_json::from_slice(&body).unwrap_or_default(), set)
}

fn session(browser: &Browser) -> String {
    browser.session().unwrap().clone()
}

#[actix_web::test]
async fn the_cookie_is_a_seal_with_the_attributes_of_the_kits() {
    let app = sealed().await;
    let mut browser = app.browser();
    let response = browser.sign_in(&app.workos, "/auth/sign-in").await;
    let cookies = response.set_cookies();
    let cookie = cookies
        .iter()
        .find(|cookie| cookie.starts_with("wos-session="))
        .unwrap();
    let (value, attributes) = cookie.split_once("; ").unwrap();
    assert!(
        value.starts_with("wos-session=Fe26.2*1*") && value.ends_with("~2"),
        "{value}"
    );
    let mut attributes: Vec<_> = attributes.split("; ").collect();
    attributes.sort_unstable();
    assert_eq!(
        attributes,
        ["HttpOnly", "Max-Age=34560000", "Path=/", "SameSite=Lax"]
    );
    assert!(
        value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".*-_~=".contains(&byte))
    );

    let me = browser.fetch("/me").await;
    assert_eq!((me.status, me.json()["name"].as_str()), (200, Some("Alice Doe")));
    assert!(me.set_cookies().is_empty());
}

#[actix_web::test]
async fn it_lives_through_refreshes_switches_and_sign_out() {
    let app = sealed().await;
    let mut browser = app.signed_in().await;
    let mut late = browser.clone();
    app.clock.advance(LIFETIME + 1);
    assert_eq!(browser.fetch("/me").await.json()["jti"], "jti_3");
    assert!(session(&browser).starts_with("Fe26.2*1*") && session(&browser) != session(&late));
    assert_eq!(late.fetch("/me").await.json()["jti"], "jti_3");
    assert_eq!(app.workos.counts().refreshes, 1);

    let response = browser
        .submit("/auth/switch-organization", &[("organization_id", "org_2")])
        .await;
    assert_eq!(response.status, 303, "{}", response.body);
    assert_eq!(browser.fetch("/me").await.json()["organization"], "org_2");

    let copy = browser.clone();
    browser.visit("/auth/sign-out").await;
    assert!(browser.session().is_none());
    assert_eq!(
        copy.clone().fetch("/me").await.status,
        401,
        "signed out here at once"
    );
}

#[actix_web::test]
async fn two_machines_share_a_session_and_refresh_it_in_turn() {
    let app = sealed().await;
    let mut browser = app.signed_in().await;
    let other = machine(&app, AuthKitBuilder::sealed_cookie);
    let (status, me, set) = ask(&other, &session(&browser)).await;
    assert_eq!((status, me["jti"].as_str(), set), (200, Some("jti_2"), None));

    for number in [3, 5] {
        app.clock.advance(LIFETIME + 1);
        let (status, me, set) = ask(&other, &session(&browser)).await;
        assert_eq!((status, &me["jti"]), (200, &json!(format!("jti_{number}"))));
        browser.cookies.insert("wos-session".into(), set.unwrap());
        assert_eq!(browser.fetch("/me").await.json()["jti"], me["jti"]);

        app.clock.advance(LIFETIME + 1);
        let next = json!(format!("jti_{}", number + 1));
        assert_eq!(browser.fetch("/me").await.json()["jti"], next);
        let (status, me, set) = ask(&other, &session(&browser)).await;
        assert_eq!((status, &me["jti"], set), (200, &next, None));
    }
    assert_eq!(app.workos.counts().refreshes, 4);
}

#[actix_web::test]
async fn a_change_of_the_password_signs_nobody_out() {
    for settings in [|builder: AuthKitBuilder| builder, AuthKitBuilder::sealed_cookie] {
        let app = TestApp::start_with(settings).await;
        let old = session(&app.signed_in().await);
        let new = |builder: AuthKitBuilder| settings(builder).cookie_password(NEW_PASSWORD);
        let changed = machine(&app, new);
        assert_eq!(ask(&changed, &old).await.0, 401);

        let rotated = machine(&app, |builder| new(builder).previous_cookie_passwords([PASSWORD]));
        let (status, _, set) = ask(&rotated, &old).await;
        assert_eq!((status, set), (200, None));
        app.clock.advance(LIFETIME + 1);
        let (status, _, set) = ask(&rotated, &old).await;
        let set = set.unwrap();
        assert_eq!(status, 200);
        assert_eq!(ask(&changed, &set).await.0, 200, "written with the new one");
        assert_eq!(ask(&app.authkit, &set).await.0, 401);
    }
}

#[actix_web::test]
async fn a_sign_in_under_way_survives_a_change_of_the_password() {
    let app = TestApp::start_with(|builder| {
        builder
            .cookie_password(NEW_PASSWORD)
            .previous_cookie_passwords([PASSWORD])
    })
    .await;
    let before = machine(&app, |builder| builder);
    let service = App::new().wrap(before.middleware()).configure(before.routes());
    let service = actix_web::test::init_service(service).await;
    let begin = TestRequest::get()
        .uri("/auth/sign-in")
        .insert_header(("accept", "text/html"))
        .to_request();
    let begun = actix_web::test::call_service(&service, begin).await;
    let mut browser = app.browser();
    for cookie in begun.response().cookies() {
        browser
            .cookies
            .insert(cookie.name().to_owned(), cookie.value().to_owned());
    }
    let location = begun.headers().get("location").unwrap().to_str().unwrap();
    let callback = crate::browser::callback_path(&app.workos, location);
    assert_eq!(browser.visit(&callback).await.status, 307);
}

#[actix_web::test]
async fn the_two_forms_do_not_open_each_other() {
    let (encrypted, sealed) = (TestApp::start().await, sealed().await);
    let (one, other) = (encrypted.signed_in().await, sealed.signed_in().await);
    assert_eq!(ask(&encrypted.authkit, &session(&one)).await.0, 200);
    assert_eq!(ask(&sealed.authkit, &session(&other)).await.0, 200);
    assert_eq!(ask(&sealed.authkit, &session(&one)).await.0, 401);
    assert_eq!(ask(&encrypted.authkit, &session(&other)).await.0, 401);
}

#[actix_web::test]
async fn spliced_cut_and_foreign_seals_are_nobodys() {
    let app = sealed().await;
    let (one, other) = (session(&app.signed_in().await), session(&app.signed_in().await));
    let (a, b): (Vec<_>, Vec<_>) = (one.split('*').collect(), other.split('*').collect());
    for part in [2, 3, 4, 6, 7] {
        let mut spliced = a.clone();
        spliced[part] = b[part];
        assert_eq!(ask(&app.authkit, &spliced.join("*")).await.0, 401, "{part}");
    }
    for cut in (0..one.len() - 2).step_by(53) {
        assert_eq!(ask(&app.authkit, &one[..cut]).await.0, 401, "{cut}");
    }
    let foreign = machine(&app, |builder| {
        builder.sealed_cookie().cookie_password(NEW_PASSWORD)
    });
    assert_eq!(ask(&foreign, &one).await.0, 401);
    for odd in [
        "Fe26.2*******",
        "*******",
        "~2",
        "Fe26.2*1*%2a%00*é",
        &"Fe26.2*1*".repeat(10_000),
    ] {
        assert_eq!(ask(&app.authkit, odd).await.0, 401);
    }
    assert_eq!(
        ask(&app.authkit, &one.replace('*', "%2A")).await.0,
        200,
        "as some servers encode it"
    );
}

#[actix_web::test]
async fn what_the_kits_could_not_read_is_refused_unless_it_is_asked_for() {
    let app = sealed().await;
    app.workos
        .add_claims(json!({ "permissions": vec!["a:very:long:permission"; 120] }));
    let mut browser = app.browser();
    let response = browser.sign_in(&app.workos, "/auth/sign-in").await;
    assert_eq!(response.status, 500);
    assert!(!browser.cookies.keys().any(|name| name.starts_with("wos-session")));

    let in_pieces = TestApp::start_with(AuthKitBuilder::sealed_cookie_in_pieces).await;
    assert!(
        session(&in_pieces.signed_in().await).starts_with("Fe26.2*1*"),
        "one cookie while it fits"
    );
    in_pieces
        .workos
        .add_claims(json!({ "permissions": vec!["a:very:long:permission"; 120] }));
    let mut browser = in_pieces.signed_in().await;
    let names: Vec<_> = browser.cookies.keys().cloned().collect();
    assert_eq!(names, ["wos-session.0", "wos-session.1"]);
    assert_eq!(
        browser.fetch("/me").await.json()["permissions"]
            .as_array()
            .unwrap()
            .len(),
        120
    );
    let whole: String = browser.cookies.values().map(String::as_str).collect();
    assert!(whole.starts_with("Fe26.2*1*") && whole.ends_with("~2"));

    // Without the setting, pieces say nothing, and are removed where a session begins.
    let mut elsewhere = app.browser();
    elsewhere.cookies.clone_from(&browser.cookies);
    assert_eq!(elsewhere.fetch("/me").await.status, 401);
    app.workos.add_claims(json!({}));
    assert_eq!(elsewhere.sign_in(&app.workos, "/auth/sign-in").await.status, 307);
    assert_eq!(
        elsewhere.cookies.keys().cloned().collect::<Vec<_>>(),
        ["wos-session"]
    );
}
