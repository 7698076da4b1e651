//! From one organization to another.

use reqwest::Method;
use serde_json::json;

use crate::{
    app::TestApp,
    browser::{FORM, NAVIGATE, SAME_ORIGIN, query},
    fake_workos::LIFETIME,
};

const ROUTE: &str = "/auth/switch-organization";

#[actix_web::test]
async fn a_form_leads_to_the_organization_and_back_to_the_page() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    let before = browser.fetch("/me").await.json();
    assert_eq!(
        (&before["organization"], &before["role"]),
        (&json!("org_1"), &json!("admin"))
    );
    let old = browser.session().cloned();

    let response = browser
        .submit(ROUTE, &[("organization_id", "org_2"), ("return_to", "/me?tab=1")])
        .await;
    assert_eq!((response.status, response.location()), (303, "/me?tab=1"));
    assert!(response.header("cache-control").contains("no-store"));
    assert_ne!(browser.session().cloned(), old);
    let asked = app.workos.last_authenticate();
    assert_eq!(
        (&asked["grant_type"], &asked["organization_id"]),
        (&json!("refresh_token"), &json!("org_2"))
    );
    let after = browser.fetch("/me").await.json();
    assert_eq!(
        (&after["organization"], &after["role"]),
        (&json!("org_2"), &json!("member"))
    );
    assert_eq!(after["session"], before["session"], "the same session");

    // It stays there, and comes back.
    app.clock.advance(LIFETIME + 1);
    assert_eq!(browser.fetch("/me").await.json()["organization"], "org_2");
    let response = browser.submit(ROUTE, &[("organization_id", "org_1")]).await;
    assert_eq!((response.status, response.location()), (303, "/"));
    assert_eq!(browser.fetch("/me").await.json()["role"], "admin");
}

#[actix_web::test]
async fn a_script_gets_json() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    let response = browser
        .fetch_json(ROUTE, &json!({ "organization_id": "org_2" }))
        .await;
    assert_eq!(
        (response.status, response.json()),
        (200, json!({ "organization_id": "org_2" }))
    );
    assert_eq!(browser.fetch("/me").await.json()["organization"], "org_2");
}

#[actix_web::test]
async fn an_expired_token_is_refreshed_on_the_way() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    app.clock.advance(LIFETIME + 1);
    let response = browser.submit(ROUTE, &[("organization_id", "org_2")]).await;
    assert_eq!(response.status, 303);
    assert_eq!(browser.fetch("/me").await.json()["organization"], "org_2");
}

#[actix_web::test]
async fn unknown_and_foreign_organizations_are_forbidden_alike() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    let session = browser.session().cloned();
    let mut seen = Vec::new();
    for code in [
        "organization_not_found",
        "organization_membership_not_found",
        "invalid_organization_id",
    ] {
        app.workos
            .fail_authenticate(Some((400, json!({ "error": code }))));
        let response = browser
            .fetch_json(ROUTE, &json!({ "organization_id": "org_9" }))
            .await;
        assert_eq!(
            (response.status, response.json()["code"].as_str()),
            (403, Some("organization_forbidden"))
        );
        let page = browser
            .submit(
                ROUTE,
                &[("organization_id", "org_9"), ("return_to", "/me?\"><script>")],
            )
            .await;
        assert_eq!(page.status, 403);
        assert!(
            page.body.contains("You are not a member of this organization."),
            "{}",
            page.body
        );
        assert!(!page.body.contains("<script>"), "{}", page.body);
        assert!(
            page.body.contains("href=\"/me?%22%3E%3Cscript%3E\""),
            "{}",
            page.body
        );
        assert_eq!(browser.session().cloned(), session);
        seen.push((response.body, page.body));
    }
    seen.dedup();
    assert_eq!(seen.len(), 1);
    app.workos.fail_authenticate(None);
    assert_eq!(browser.fetch("/me").await.json()["organization"], "org_1");
    // The refused token was not used up.
    app.clock.advance(LIFETIME + 1);
    assert_eq!(browser.fetch("/me").await.json()["organization"], "org_1");
}

#[actix_web::test]
async fn an_organization_that_wants_more_sends_people_to_authkit() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    let session = browser.session().cloned();
    for (status, failure, code) in [
        (400, json!({ "error": "sso_required" }), "sso_required"),
        (400, json!({ "error": "mfa_enrollment" }), "mfa_enrollment"),
        (
            403,
            json!({ "code": "mfa_enrollment", "message": "" }),
            "mfa_enrollment",
        ),
        (
            403,
            json!({ "code": "mfa_challenge", "message": "" }),
            "mfa_challenge",
        ),
        (
            400,
            json!({ "error": "organization_authentication_methods_required" }),
            "organization_authentication_methods_required",
        ),
    ] {
        app.workos.fail_authenticate(Some((status, failure)));
        let response = browser
            .submit(
                ROUTE,
                &[("organization_id", "org_2&x"), ("return_to", "/me?a=b&c")],
            )
            .await;
        assert_eq!(response.status, 303, "{code}");
        assert_eq!(
            response.location(),
            "/auth/sign-in?return_to=%2Fme%3Fa%3Db%26c&organization_id=org_2%26x"
        );
        let sign_in = response.location().to_owned();
        let authorize = browser.clone().visit(&sign_in).await;
        assert_eq!(query(authorize.location())["organization_id"], "org_2&x");
        let response = browser
            .fetch_json(ROUTE, &json!({ "organization_id": "org_2" }))
            .await;
        assert_eq!(
            (response.status, response.json()["code"].as_str()),
            (403, Some(code))
        );
        assert_eq!(browser.session().cloned(), session, "still signed in");
    }
}

#[actix_web::test]
async fn passing_failures_keep_the_session() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    for (status, body) in [
        (408, json!({})),
        (429, json!({ "message": "Rate limit exceeded." })),
        (500, json!({})),
        (200, json!({ "nonsense": true })),
        (401, json!({ "message": "Unauthorized" })),
        (400, json!({ "error": "invalid_client" })),
    ] {
        app.workos.fail_authenticate(Some((status, body)));
        let response = browser
            .fetch_json(ROUTE, &json!({ "organization_id": "org_2" }))
            .await;
        assert_eq!(
            (response.status, response.json()["code"].as_str()),
            (503, Some("authentication_unavailable")),
            "{status}"
        );
        assert_eq!(response.header("retry-after"), "5");
        let page = browser.submit(ROUTE, &[("organization_id", "org_2")]).await;
        assert_eq!((page.status, page.header("retry-after")), (503, "5"));
        assert!(page.body.contains("You are still signed in"), "{}", page.body);
        assert_eq!(browser.fetch("/me").await.json()["organization"], "org_1");
    }
}

#[actix_web::test]
async fn a_session_that_is_over_ends() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    let failure = json!({ "error": "invalid_grant", "error_description": "Session has already ended." });
    app.workos.fail_authenticate(Some((400, failure)));
    let mut script = browser.clone();
    let response = browser
        .submit(ROUTE, &[("organization_id", "org_2"), ("return_to", "/me")])
        .await;
    assert_eq!(
        (response.status, response.location()),
        (303, "/auth/sign-in?return_to=%2Fme")
    );
    assert!(browser.session().is_none());
    let response = script
        .fetch_json(ROUTE, &json!({ "organization_id": "org_2" }))
        .await;
    assert_eq!(
        (response.status, response.json()["code"].as_str()),
        (401, Some("sign_in_required"))
    );
    // Nor without one.
    let response = app
        .browser()
        .submit(ROUTE, &[("organization_id", "org_2"), ("return_to", "/me")])
        .await;
    assert_eq!(
        (response.status, response.location()),
        (303, "/auth/sign-in?return_to=%2Fme")
    );
}

#[actix_web::test]
async fn another_site_cannot_switch_anyone() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    for site in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        let response = browser
            .send_body(
                Method::POST,
                ROUTE,
                &[site, FORM],
                "organization_id=org_2".to_owned(),
            )
            .await;
        assert_eq!(
            (response.status, response.json()["code"].as_str()),
            (403, Some("cross_origin_request"))
        );
    }
    let link = browser.visit(&format!("{ROUTE}?organization_id=org_2")).await;
    assert_eq!(link.status, 405);
    assert_eq!(app.workos.counts().refreshes, 0);
    assert_eq!(browser.fetch("/me").await.json()["organization"], "org_1");
}

#[actix_web::test]
async fn nothing_leads_off_the_site_or_back_into_a_route() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    for return_to in [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        ROUTE,
        "/auth/sign-out",
    ] {
        let response = browser
            .submit(ROUTE, &[("organization_id", "org_2"), ("return_to", return_to)])
            .await;
        assert_eq!((response.status, response.location()), (303, "/"), "{return_to}");
    }
}

#[actix_web::test]
async fn a_request_that_names_no_organization_is_told_so() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    let same_origin = [&NAVIGATE[..], &[SAME_ORIGIN]].concat();
    let mut answers = vec![
        browser.submit(ROUTE, &[("organization", "org_2")]).await,
        browser.submit(ROUTE, &[("organization_id", "")]).await,
        browser.fetch_json(ROUTE, &json!({ "organization_id": 2 })).await,
        browser.send(Method::POST, ROUTE, &same_origin).await,
    ];
    let text = [&same_origin[..], &[("content-type", "text/plain")]].concat();
    let body = json!({ "organization_id": "org_2" }).to_string();
    answers.push(browser.send_body(Method::POST, ROUTE, &text, body).await);
    for answer in answers {
        assert_eq!(answer.status, 400, "{}", answer.body);
        assert!(answer.body.contains("organization_id"), "{}", answer.body);
    }
    assert_eq!(app.workos.counts().refreshes, 0);
}

#[actix_web::test]
async fn a_session_too_large_for_cookies_there_is_an_error() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    let permissions: Vec<_> = (0..550).map(|number| format!("permission:{number}")).collect();
    app.workos.add_claims(json!({ "permissions": permissions }));
    let response = browser
        .fetch_json(ROUTE, &json!({ "organization_id": "org_2" }))
        .await;
    assert_eq!(
        (response.status, response.json()["code"].as_str()),
        (500, Some("session_not_kept"))
    );
}

#[actix_web::test]
async fn the_route_stays_open_where_everything_else_needs_a_user() {
    let app = TestApp::start_with(|builder| builder.require_auth().path_prefix("/account")).await;
    let mut browser = app.signed_in_at("/account/sign-in").await;
    let route = "/account/switch-organization";
    let response = browser.submit(route, &[("organization_id", "org_2")]).await;
    assert_eq!((response.status, response.location()), (303, "/"));
    let response = app
        .browser()
        .submit(route, &[("organization_id", "org_2"), ("return_to", "/me")])
        .await;
    assert_eq!(
        (response.status, response.location()),
        (303, "/account/sign-in?return_to=%2Fme")
    );
}
