//! An Actix app, a browser and the emulator: sign-in, refresh, sign-out.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use workos::user_management::{ListSessionsParams, RevokeSessionParams};

use crate::{
    app::{EXPIRED, PASSWORD, TestApp},
    browser::Browser,
    http,
    proxy::Grants,
    sdk,
};

async fn sessions(app: &TestApp, user_id: &str) -> Vec<String> {
    let sdk = sdk::client(&app.emulator);
    let sessions = sdk
        .user_management()
        .list_sessions(user_id, ListSessionsParams::default())
        .await;
    sessions
        .unwrap()
        .data
        .into_iter()
        .map(|session| session.id)
        .collect()
}

#[actix_web::test]
async fn a_browser_signs_in_and_comes_back_to_the_page_it_wanted() {
    let app = TestApp::start().await;
    let browser = Browser::new();
    assert_eq!(browser.visit(app.path("/")).await.text, "hello stranger");
    let form = browser.visit(app.path("/me?tab=2")).await;
    assert_eq!((form.status, form.url.path()), (200, "/authkit/sign-in"));
    assert!(form.url.as_str().starts_with(app.proxy.url()));
    let email = app.ada.email.as_str();
    let refused = browser.sign_in(&form, email, "wrong").await;
    assert_eq!((refused.status, refused.url.path()), (400, "/authkit/password"));
    assert!(refused.text.contains("Incorrect email or password."));
    assert!(!browser.has_session(&app.url));

    let page = browser.submit(&refused, &[("password", PASSWORD)]).await;
    assert_eq!(
        (page.status, page.url.as_str()),
        (200, app.path("/me?tab=2").as_str())
    );
    let me = page.json();
    let expected = json!({
        "id": app.ada.id, "email": email, "name": "Ada", "organization": app.acme.id, "role": "editor",
        "permissions": ["posts:read", "posts:write"], "session": me["session"], "jti": me["jti"],
        "impersonator": null,
    });
    assert_eq!(me, expected);
    assert_eq!(
        sessions(&app, &app.ada.id).await,
        [me["session"].as_str().unwrap()]
    );
    assert_eq!(browser.visit(app.path("/")).await.text, format!("hello {email}"));
    assert_eq!(browser.visit(app.path("/app/page")).await.text, "inside");
    assert_eq!(
        app.proxy.grants(),
        Grants {
            codes: 1,
            refreshes: 0
        }
    );
}

#[actix_web::test]
async fn somebody_new_signs_up() {
    let app = TestApp::start().await;
    let browser = Browser::new();
    let form = browser.visit(app.path("/auth/sign-up?return_to=/me")).await;
    assert_eq!(form.url.path(), "/authkit/sign-up");
    let weak = browser
        .submit(&form, &[("email", "eve@example.com"), ("password", "short")])
        .await;
    assert_eq!((weak.status, weak.url.path()), (400, "/authkit/sign-up"));
    let fields = [
        ("first_name", "Eve"),
        ("last_name", ""),
        ("email", "eve@example.com"),
        ("password", PASSWORD),
    ];
    let verification = browser.submit(&weak, &fields).await;
    assert_eq!(verification.url.path(), "/authkit/verify-email");
    let mail = app.emulator.mailbox().last_to("eve@example.com").unwrap();
    assert_eq!(mail.url(), Some(verification.url.as_str()));
    let code = mail.code().unwrap();
    let me = browser.submit(&verification, &[("code", code)]).await.json();
    assert_eq!(
        (&me["email"], &me["name"]),
        (&json!("eve@example.com"), &json!("Eve"))
    );
    assert_eq!(
        (&me["organization"], &me["permissions"]),
        (&Value::Null, &json!([]))
    );
}

#[actix_web::test]
async fn a_member_of_several_organizations_picks_one() {
    let app = TestApp::start().await;
    let browser = Browser::new();
    let form = browser.visit(app.path("/me")).await;
    let picker = browser.sign_in(&form, &app.bob.email, PASSWORD).await;
    assert_eq!(picker.url.path(), "/authkit/organization");
    assert!(picker.text.contains(&app.acme.id) && picker.text.contains(&app.globex.id));
    let made_up = browser
        .submit(&picker, &[("organization_id", "org_made_up")])
        .await;
    assert_eq!(
        (made_up.status, made_up.url.path()),
        (400, "/authkit/organization")
    );
    let me = browser
        .submit(&made_up, &[("organization_id", &app.globex.id)])
        .await
        .json();
    assert_eq!(
        (&me["organization"], &me["role"]),
        (&json!(app.globex.id), &json!("editor"))
    );
}

#[actix_web::test]
async fn a_program_gets_401_as_json_and_no_redirect() {
    let app = TestApp::start().await;
    for path in ["/me", "/app/page"] {
        let (status, body) = http::answer(http::client().get(app.path(path))).await;
        assert_eq!(status, 401, "{path}");
        assert_eq!(
            (&body["code"], body["detail"].is_string()),
            (&json!("sign_in_required"), true),
            "{body}"
        );
        assert_eq!(
            Browser::new().fetch(app.path(path)).await.status,
            401,
            "a script of a page as well"
        );
    }
    assert_eq!(app.proxy.grants(), Grants::default());
}

#[actix_web::test]
async fn a_hundred_requests_on_an_expired_session_refresh_once() {
    let app = TestApp::start().await;
    let (browser, before) = app.signed_in().await;
    app.advance(EXPIRED);
    app.proxy.hold();
    let arrived = app.arrived();
    let mut requests = JoinSet::new();
    for _ in 0..100 {
        // Each has the old cookie.
        let (tab, url) = (browser.copy(&app.url), app.path("/me"));
        requests.spawn_local(async move {
            let page = tab.fetch(&url).await;
            (page.status, page.json(), tab)
        });
    }
    app.arrivals_reach(arrived + 100).await;
    app.proxy.refreshes_reach(1).await;
    app.proxy.release();
    let answers = requests.join_all().await;
    let (_, after, _) = &answers[0];
    assert_ne!(after["jti"], before.json()["jti"]);
    assert_eq!(after["session"], before.json()["session"]);
    for (status, me, _) in &answers {
        assert_eq!((*status, me), (200, after));
    }
    assert_eq!(app.proxy.grants().refreshes, 1);
    // Every cookie that was set is good, also at the next expiry, which is again one refresh.
    app.advance(EXPIRED);
    let answers: Arc<Vec<Browser>> = Arc::new(answers.into_iter().map(|(_, _, tab)| tab).collect());
    for tab in answers.iter().take(10) {
        assert_eq!(tab.fetch(app.path("/me")).await.status, 200);
    }
    assert_eq!(app.proxy.grants().refreshes, 2);
}

#[actix_web::test]
async fn a_refresh_brings_what_has_changed_at_workos() {
    let app = TestApp::start().await;
    let (browser, _) = app.signed_in().await;
    let path = format!("/user_management/organization_memberships?user_id={}", app.ada.id);
    let (_, list) = http::call(&app.emulator, Method::GET, &path, &Value::Null).await;
    let path = format!(
        "/user_management/organization_memberships/{}",
        list["data"][0]["id"].as_str().unwrap()
    );
    let (status, _) = http::call(&app.emulator, Method::PUT, &path, &json!({"role_slug": "member"})).await;
    assert_eq!(status, 200);
    assert_eq!(
        browser.fetch(app.path("/me")).await.json()["role"],
        "editor",
        "until the token expires"
    );
    app.advance(EXPIRED);
    let me = browser.fetch(app.path("/me")).await.json();
    assert_eq!((&me["role"], &me["permissions"]), (&json!("member"), &json!([])));
}

#[actix_web::test]
async fn an_unreachable_workos_is_503_and_nobody_is_signed_out() {
    let app = TestApp::start().await;
    let (browser, _) = app.signed_in().await;
    app.proxy.break_connections(true);
    assert_eq!(
        browser.fetch(app.path("/me")).await.status,
        200,
        "a good token needs no WorkOS"
    );
    app.advance(EXPIRED);
    let refused = browser.fetch(app.path("/me")).await;
    assert_eq!(refused.refusal(), (503, "authentication_unavailable".to_owned()));
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(
        browser.step(app.path("/app/page")).await.status,
        503,
        "a browser is not sent to sign in either"
    );
    assert!(browser.has_session(&app.url));
    app.proxy.break_connections(false);
    assert_eq!(
        browser.fetch(app.path("/me")).await.status,
        200,
        "still signed in"
    );
    // WorkOS answers, but is not well.
    app.advance(EXPIRED);
    let hook = json!({"method": "POST", "path": "/user_management/authenticate", "status": 500});
    let (_, hook) = http::call(&app.emulator, Method::POST, "/_emulate/hooks", &hook).await;
    assert_eq!(browser.fetch(app.path("/me")).await.status, 503);
    let hook = format!("/_emulate/hooks/{}", hook["id"].as_str().unwrap());
    http::call(&app.emulator, Method::DELETE, &hook, &Value::Null).await;
    assert_eq!(browser.fetch(app.path("/me")).await.status, 200);
}

#[actix_web::test]
async fn a_workos_that_is_gone_is_503_as_well() {
    let app = TestApp::start().await;
    let (browser, _) = app.signed_in().await;
    app.advance(EXPIRED);
    let TestApp { emulator, url, .. } = app;
    emulator.stop().await;
    let refused = browser.fetch(format!("{url}/me")).await;
    assert_eq!(refused.refusal(), (503, "authentication_unavailable".to_owned()));
    assert!(browser.has_session(&url));
    assert_eq!(
        browser.fetch(&url).await.text,
        "hello stranger",
        "what needs no user goes on"
    );
}

#[actix_web::test]
async fn sign_out_ends_the_session_at_the_emulator_too() {
    let app = TestApp::start().await;
    let (browser, _) = app.signed_in().await;
    let copied = browser.copy(&app.url);
    assert_eq!(sessions(&app, &app.ada.id).await.len(), 1);
    let page = browser.post(app.path("/auth/sign-out?return_to=/")).await;
    assert_eq!(
        (page.url.as_str(), page.text.as_str()),
        (app.path("/").as_str(), "hello stranger")
    );
    assert!(!browser.has_session(&app.url));
    assert!(sessions(&app, &app.ada.id).await.is_empty());
    assert_eq!(
        copied.fetch(app.path("/me")).await.status,
        401,
        "a copied cookie is worthless"
    );
    app.advance(EXPIRED);
    assert_eq!(copied.fetch(app.path("/me")).await.status, 401);

    // Without a return path WorkOS says that it is done.
    let (browser, _) = app.signed_in().await;
    let page = browser.visit(app.path("/auth/sign-out")).await;
    assert_eq!(page.url.path(), "/authkit/signed-out");
    assert!(sessions(&app, &app.ada.id).await.is_empty());
}

#[actix_web::test]
async fn a_session_revoked_at_workos_ends_here_when_its_token_does() {
    let app = TestApp::start().await;
    let (browser, page) = app.signed_in().await;
    let session = json!({"session_id": page.json()["session"]});
    let params = RevokeSessionParams::new(serde_json::from_value(session).unwrap());
    sdk::client(&app.emulator)
        .user_management()
        .revoke_session(params)
        .await
        .unwrap();
    assert_eq!(
        browser.fetch(app.path("/me")).await.status,
        200,
        "access tokens are verified without WorkOS"
    );
    app.advance(EXPIRED);
    assert_eq!(
        browser.fetch(app.path("/me")).await.refusal(),
        (401, "sign_in_required".to_owned())
    );
    assert!(!browser.has_session(&app.url));
    let form = browser.visit(app.path("/me")).await;
    assert_eq!(form.url.path(), "/authkit/sign-in");
}

#[actix_web::test]
async fn sessions_outlive_a_rotation_of_the_signing_key() {
    let app = TestApp::start().await;
    let (browser, _) = app.signed_in().await;
    let (status, _) = http::call(&app.emulator, Method::POST, "/_emulate/keys/rotate", &json!({})).await;
    assert_eq!(status, 200);
    assert_eq!(browser.fetch(app.path("/me")).await.status, 200);
    app.advance(EXPIRED);
    assert_eq!(
        browser.fetch(app.path("/me")).await.status,
        200,
        "the new key is fetched"
    );
    app.signed_in().await;
}
