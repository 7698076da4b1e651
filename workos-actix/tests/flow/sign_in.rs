//! Signing in.

use serde_json::json;

use crate::{
    app::TestApp,
    browser::{FETCH, NAVIGATE, callback_path, query},
    fake_workos::{NOW, unsigned, user},
};

#[actix_web::test]
async fn a_person_signs_in_and_the_app_knows_them() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    assert_eq!(browser.visit("/").await.body, "hello stranger");

    // The protected page sends them to sign in, and the sign-in brings them back to it.
    let response = browser.visit("/me?tab=1").await;
    assert_eq!(
        (response.status, response.location()),
        (307, "/auth/sign-in?return_to=%2Fme%3Ftab%3D1")
    );
    let sign_in = response.location().to_owned();
    let response = browser.visit(&sign_in).await;
    let authorize = query(response.location());
    assert_eq!(authorize["provider"], "authkit");
    assert_eq!(authorize["client_id"], "client_1");
    assert_eq!(authorize["screen_hint"], "sign-in");
    assert_eq!(authorize["redirect_uri"], format!("{}/auth/callback", app.url));
    let [cookie] = &response.set_cookies()[..] else {
        panic!("one cookie")
    };
    assert!(cookie.starts_with("wos-auth-verifier-"), "{cookie}");
    assert!(
        cookie.ends_with("; HttpOnly; SameSite=Lax; Path=/; Max-Age=600"),
        "{cookie}"
    );
    assert!(!cookie.contains(&authorize["state"]));

    let callback = callback_path(&app.workos, response.location());
    let response = browser.visit(&callback).await;
    assert_eq!((response.status, response.location()), (307, "/me?tab=1"));
    let session = response
        .set_cookies()
        .into_iter()
        .find(|cookie| cookie.starts_with("wos-session="))
        .unwrap();
    assert!(
        session.ends_with("; HttpOnly; SameSite=Lax; Path=/; Max-Age=34560000"),
        "{session}"
    );
    assert_eq!(browser.cookies.len(), 1, "the verifier cookie is gone");

    assert_eq!(
        browser.fetch("/me").await.json(),
        json!({
            "id": "user_1", "email": "alice@acme.example", "name": "Alice Doe", "session": "session_2",
            "organization": "org_1", "role": "admin", "roles": ["admin"], "permissions": ["posts:write"],
            "entitlements": ["audit"], "feature_flags": ["beta"], "impersonator": null, "jti": "jti_2",
            "auth_time": NOW,
        })
    );
    assert_eq!(browser.visit("/").await.body, "hello alice@acme.example");
    assert_eq!(browser.visit("/scope/page").await.body, "inside");
    let exchange = app.workos.last_authenticate();
    assert_eq!(exchange["grant_type"], "authorization_code");
    assert_eq!(exchange["code_verifier"].as_str().map(str::len), Some(43));
    assert_eq!(app.workos.counts().jwks, 1, "the key set was fetched once");
}

#[actix_web::test]
async fn sign_up_and_hints_are_passed_on_and_nothing_else() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let response = browser
        .visit("/auth/sign-up?organization_id=org_9&login_hint=a%40b.example&redirect_uri=https://evil.example&provider=x&state=y")
        .await;
    let authorize = query(response.location());
    assert_eq!(authorize["screen_hint"], "sign-up");
    assert_eq!(authorize["organization_id"], "org_9");
    assert_eq!(authorize["login_hint"], "a@b.example");
    assert_eq!(authorize["redirect_uri"], format!("{}/auth/callback", app.url));
    assert_eq!(authorize["provider"], "authkit");
    assert_ne!(authorize["state"], "y");
}

#[actix_web::test]
async fn two_tabs_sign_in_side_by_side() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let first = browser.authorize(&app.workos, "/auth/sign-in?return_to=/a").await;
    let second = browser.authorize(&app.workos, "/auth/sign-in?return_to=/b").await;
    assert_eq!(browser.visit(&first).await.location(), "/a");
    assert_eq!(browser.visit(&second).await.location(), "/b");
}

#[actix_web::test]
async fn too_many_pending_sign_ins_are_purged() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    for _ in 0..5 {
        browser.visit("/auth/sign-in").await;
    }
    assert_eq!(browser.cookies.len(), 5);
    let last = browser.authorize(&app.workos, "/auth/sign-in").await;
    assert_eq!(browser.cookies.len(), 1);
    assert_eq!(browser.visit(&last).await.status, 307);
    assert!(browser.session().is_some());
}

#[actix_web::test]
async fn only_navigations_begin_a_sign_in() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let response = browser.send(reqwest::Method::GET, "/auth/sign-in", &FETCH).await;
    assert_eq!(
        (response.status, response.json()["code"].as_str()),
        (400, Some("navigation_required"))
    );
    let prefetch = [NAVIGATE[0], NAVIGATE[1], ("sec-purpose", "prefetch")];
    assert_eq!(
        browser
            .send(reqwest::Method::GET, "/auth/sign-in", &prefetch)
            .await
            .status,
        503
    );
    assert!(browser.cookies.is_empty());
}

#[actix_web::test]
async fn programs_get_401_and_forms_see_other() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    for path in ["/me", "/scope/page"] {
        let response = browser.fetch(path).await;
        assert_eq!(
            (response.status, response.json()["code"].as_str()),
            (401, Some("sign_in_required"))
        );
        assert_eq!(response.header("www-authenticate"), "Bearer");
    }
    let response = browser.send(reqwest::Method::POST, "/me", &NAVIGATE).await;
    assert_eq!((response.status, response.location()), (303, "/auth/sign-in"));
}

#[actix_web::test]
async fn a_code_that_nobody_asked_for_starts_a_sign_in_instead() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let response = browser.visit("/auth/callback?code=planted").await;
    assert_eq!(response.status, 307);
    let callback = callback_path(&app.workos, response.location());
    assert_eq!(app.workos.counts().exchanges, 0, "the planted code was not used");
    assert_eq!(browser.visit(&callback).await.location(), "/");
    assert!(browser.session().is_some());
}

#[actix_web::test]
async fn the_providers_error_is_shown_escaped() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let callback = browser.authorize(&app.workos, "/auth/sign-in").await;
    let state = callback.split("state=").nth(1).unwrap().to_owned();
    let path = format!(
        "/auth/callback?error=access_denied&error_description=%3Cscript%3Ealert(1)%3C/script%3E&state={state}"
    );
    let mut program = browser.clone();
    let response = browser.visit(&path).await;
    assert_eq!(response.status, 401);
    assert!(
        response.body.contains("&lt;script&gt;alert(1)&lt;/script&gt;"),
        "{}",
        response.body
    );
    assert!(!response.body.contains("<script>"));
    assert!(browser.cookies.is_empty(), "the attempt is over");
    let response = program.fetch(&path).await;
    assert_eq!(
        (response.status, response.json()["code"].as_str()),
        (401, Some("access_denied"))
    );
}

#[actix_web::test]
async fn failures_go_to_the_apps_page_when_it_has_one() {
    let app = TestApp::start_with(|builder| builder.sign_in_failed("/oops?x=1#top")).await;
    let mut browser = app.browser();
    let response = browser
        .visit("/auth/callback?error=access_denied&error_description=No+%26+no")
        .await;
    assert_eq!(
        response.location(),
        "/oops?x=1&error=access_denied&error_description=No+%26+no#top"
    );
}

#[actix_web::test]
async fn callback_failures_are_told_apart() {
    let app = TestApp::start().await;
    for (failure, status, code) in [
        (
            Some((400, json!({ "error": "invalid_grant" }))),
            401,
            "invalid_grant",
        ),
        (
            Some((400, json!({ "error": "invalid_client" }))),
            502,
            "bad_gateway",
        ),
        (
            Some((401, json!({ "message": "Unauthorized" }))),
            502,
            "bad_gateway",
        ),
        (Some((200, json!({ "nonsense": true }))), 502, "bad_gateway"),
        (Some((500, json!({}))), 503, "temporarily_unavailable"),
        (Some((429, json!({}))), 503, "temporarily_unavailable"),
    ] {
        let mut browser = app.browser();
        let callback = browser.authorize(&app.workos, "/auth/sign-in").await;
        app.workos.fail_authenticate(failure);
        let response = browser.fetch(&callback).await;
        assert_eq!(
            (response.status, response.json()["code"].as_str()),
            (status, Some(code))
        );
        assert!(browser.cookies.is_empty());
    }
    for path in [
        "/auth/callback",
        "/auth/callback?code=",
        "/auth/callback?state=x",
        "/auth/callback?code=%ff&state=%00",
    ] {
        let response = app.browser().fetch(path).await;
        assert_eq!(response.status, 400, "{path}");
    }
}

#[actix_web::test]
async fn unreachable_keys_are_503_at_sign_in() {
    let app = TestApp::start().await;
    app.workos.fail_jwks(Some(500));
    let mut browser = app.browser();
    let response = browser.sign_in(&app.workos, "/auth/sign-in").await;
    assert_eq!(response.status, 503);
    assert_eq!(response.header("retry-after"), "5");
    app.workos.fail_jwks(None);
    assert_eq!(browser.sign_in(&app.workos, "/auth/sign-in").await.status, 307);
}

#[actix_web::test]
async fn impersonation_is_visible() {
    let app = TestApp::start().await;
    app.workos
        .add_claims(json!({ "act": { "sub": "admin@acme.example" } }));
    let mut browser = app.signed_in().await;
    assert_eq!(
        browser.fetch("/me").await.json()["impersonator"],
        json!({ "email": "admin@acme.example" })
    );
}

#[actix_web::test]
async fn a_session_too_large_for_cookies_is_an_error_and_no_loop() {
    let app = TestApp::start().await;
    app.workos
        .add_claims(json!({ "permissions": vec!["a:very:long:permission"; 360] }));
    let mut browser = app.browser();
    let response = browser.sign_in(&app.workos, "/auth/sign-in").await;
    assert_eq!(response.status, 500);
    assert!(browser.session().is_none());
}

#[actix_web::test]
async fn a_token_about_somebody_else_is_refused() {
    let app = TestApp::start().await;
    app.workos.set_user(user("user_2"));
    let response = app.browser().sign_in(&app.workos, "/auth/sign-in").await;
    assert_eq!(response.status, 502);
    app.workos.set_user(user("user_1"));
    app.workos
        .mint_with(|claims| format!("{}.", unsigned(&json!({ "alg": "none" }), &claims)));
    assert_eq!(
        app.browser().sign_in(&app.workos, "/auth/sign-in").await.status,
        502
    );
}
