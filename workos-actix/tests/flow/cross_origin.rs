//! Forms of other sites, with the session cookie that the browser adds (CSRF).

use reqwest::Method;
use workos_actix::AuthKitBuilder;

use crate::{
    app::TestApp,
    bearer_tokens::{claims, token},
    browser::FORM,
};

const FOREIGN: [&[(&str, &str)]; 6] = [
    &[("origin", "https://evil.example")],
    &[
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "cross-site"),
    ],
    &[("sec-fetch-site", "cross-site")],
    // A neighbour, who may be anybody's.
    &[
        ("origin", "http://other.localhost"),
        ("sec-fetch-site", "same-site"),
    ],
    // A sandboxed frame, or a redirect through another site.
    &[("origin", "null"), FORM],
    &[
        ("origin", "https://evil.example"),
        ("x-forwarded-host", "evil.example"),
    ],
];

#[actix_web::test]
async fn another_site_changes_nothing_with_the_session() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    for headers in FOREIGN {
        for (method, path) in [
            (Method::POST, "/who"),
            (Method::DELETE, "/who"),
            (Method::POST, "/me"),
            (Method::POST, "/scope/page"),
            (Method::POST, "/refresh"),
            (Method::POST, "/session/org_2"),
            (Method::POST, "/leave"),
            (Method::POST, "/auth/switch-organization"),
            (Method::POST, "/auth/sign-out"),
        ] {
            let response = browser.send(method, path, headers).await;
            assert_eq!(
                response.refusal(),
                (403, "cross_origin_request".to_owned()),
                "{path} {headers:?}"
            );
        }
        let response = browser.send(Method::POST, "/perhaps", headers).await;
        assert_eq!(response.body, "nobody", "the session does not count");
        let response = browser.send(Method::GET, "/who", headers).await;
        assert_eq!(response.status, 200, "reading is CORS's affair");
    }
    assert_eq!(browser.fetch("/me").await.json()["organization"], "org_1");
    assert_eq!(app.workos.counts().refreshes, 0);
}

#[actix_web::test]
async fn pages_of_this_site_and_programs_are_not_disturbed() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    let own = app.url.clone();
    let cases: [&[(&str, &str)]; 5] = [
        &[],
        &[("origin", &own)],
        &[("origin", &own), ("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "same-origin"), ("origin", "null")],
        &[("sec-fetch-site", "none")],
    ];
    for headers in cases {
        for method in [Method::POST, Method::DELETE] {
            let response = browser.send(method, "/who", headers).await;
            assert_eq!(response.status, 200, "{headers:?}");
        }
        assert_eq!(
            browser.send(Method::POST, "/perhaps", headers).await.body,
            "user_1"
        );
    }
}

#[actix_web::test]
async fn what_needs_nobody_and_what_needs_no_cookie_is_not_checked() {
    let app = TestApp::start_with(AuthKitBuilder::bearer_tokens).await;
    let mut browser = app.signed_in().await;
    let authorization = format!("Bearer {}", token(&claims()));
    for headers in FOREIGN {
        // A webhook, or a form for everybody.
        assert_eq!(
            browser.send(Method::POST, "/open-to-all", headers).await.body,
            "taken"
        );
        // Without a session there is nothing to abuse: it is the answer for strangers.
        let response = app.browser().send(Method::POST, "/who", headers).await;
        assert_eq!(response.refusal(), (401, "sign_in_required".to_owned()));
        let headers = [headers, &[("authorization", authorization.as_str())]].concat();
        let response = browser.send(Method::POST, "/who", &headers).await;
        assert_eq!(
            response.json()["credential"],
            "access_token",
            "no browser adds that"
        );
    }
}

#[actix_web::test]
async fn require_auth_refuses_before_the_handler() {
    let app =
        TestApp::start_with(|builder| builder.require_auth().unauthenticated_paths(["/open-to-all"])).await;
    let mut browser = app.signed_in().await;
    for headers in FOREIGN {
        let response = browser.send(Method::POST, "/style.css", headers).await;
        assert_eq!(response.refusal(), (403, "cross_origin_request".to_owned()));
        assert_eq!(
            browser.send(Method::POST, "/open-to-all", headers).await.status,
            200
        );
    }
}

#[actix_web::test]
async fn a_socket_of_another_site_is_not_opened() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    let upgrade = [("connection", "upgrade"), ("upgrade", "websocket")];
    let foreign = [&upgrade[..], &[("origin", "https://evil.example")]].concat();
    let response = browser.send(Method::GET, "/who", &foreign).await;
    assert_eq!(response.refusal(), (403, "cross_origin_request".to_owned()));
    let own = [&upgrade[..], &[("origin", app.url.as_str())]].concat();
    assert_eq!(browser.send(Method::GET, "/who", &own).await.status, 200);
}

#[actix_web::test]
async fn origins_are_trusted_by_name_and_the_check_can_be_left_to_the_app() {
    let trusting = TestApp::start_with(|builder| builder.trusted_origins(["https://evil.example"])).await;
    let mut browser = trusting.signed_in().await;
    for headers in &FOREIGN[..2] {
        assert_eq!(browser.send(Method::POST, "/who", headers).await.status, 200);
    }
    assert_eq!(
        browser.send(Method::POST, "/who", FOREIGN[2]).await.status,
        403,
        "nobody is named"
    );
    assert_eq!(browser.send(Method::POST, "/who", FOREIGN[3]).await.status, 403);

    let careless = TestApp::start_with(|builder| builder.check_origin(false)).await;
    let mut browser = careless.signed_in().await;
    for headers in FOREIGN {
        assert_eq!(browser.send(Method::POST, "/who", headers).await.status, 200);
        let response = browser.send(Method::POST, "/auth/sign-out", headers).await;
        assert_eq!(response.status, 403, "the routes of the kit go on checking");
    }
}
