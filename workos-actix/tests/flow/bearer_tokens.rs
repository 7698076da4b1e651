//! Access tokens in `Authorization`, and what handlers get of them.

use reqwest::Method;
use serde_json::{Value, json};
use workos_actix::AuthKitBuilder;

use crate::{
    app::TestApp,
    browser::{Browser, FETCH, NAVIGATE, Response},
    fake_workos::{KID, LIFETIME, NOW, sign},
};

pub(crate) fn claims() -> Value {
    json!({
        "iss": "https://api.workos.com", "sub": "user_1", "sid": "session_1", "jti": "jti_1", "iat": NOW,
        "exp": NOW + LIFETIME, "auth_time": NOW - 5, "org_id": "org_1", "role": "admin", "roles": ["admin"],
        "permissions": ["posts:write"], "entitlements": ["audit"], "feature_flags": ["beta"],
    })
}

/// The claims with some changed; null takes one away.
pub(crate) fn with(changes: &Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

pub(crate) fn token(claims: &Value) -> String {
    sign("RS256", KID, claims)
}

pub(crate) async fn accepting() -> TestApp {
    TestApp::start_with(AuthKitBuilder::bearer_tokens).await
}

impl Browser {
    /// Asks as a program with a credential.
    pub(crate) async fn ask(&mut self, path: &str, credential: &str) -> Response {
        self.ask_by(Method::GET, path, credential).await
    }

    pub(crate) async fn ask_by(&mut self, method: Method, path: &str, credential: &str) -> Response {
        let authorization = format!("Bearer {credential}");
        self.send(method, path, &[("authorization", &authorization)])
            .await
    }
}

impl Response {
    /// Status and code.
    pub(crate) fn refusal(&self) -> (u16, String) {
        (self.status, self.json()["code"].as_str().unwrap().to_owned())
    }
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[actix_web::test]
async fn a_token_says_who_it_is_and_workos_is_not_asked() {
    let app = accepting().await;
    let token = token(&claims());
    let response = app.browser().ask("/who", &token).await;
    let expected = json!({
        "credential": "access_token", "subject": "user_1", "user": "user_1", "session": "session_1",
        "organization": "org_1", "role": "admin", "roles": ["admin"], "permissions": ["posts:write"],
        "entitlements": ["audit"], "feature_flags": ["beta"], "impersonator": null, "auth_time": NOW - 5,
        "scopes": [], "has_token": true,
    });
    assert_eq!((response.status, response.json()), (200, expected));
    assert!(response.header("cache-control").starts_with("private, no-cache"));
    let vary: Vec<_> = response.headers.get_all("vary").iter().collect();
    assert_eq!(vary, ["Cookie", "Authorization"]);
    assert_eq!(app.browser().ask("/organization", &token).await.body, "org_1");
    let printed = app.browser().ask("/token", &token).await.body;
    let (exposed, debug) = printed.split_once(' ').unwrap();
    assert_eq!(exposed, token);
    assert!(debug.contains("user_1") && !debug.contains("eyJ"), "{debug}");
    assert_eq!(app.workos.api().calls().users, 0);
    assert_eq!(app.workos.counts().jwks, 1);
}

#[actix_web::test]
async fn the_profile_is_fetched_once_for_five_minutes() {
    let app = accepting().await;
    let long = token(&with(&json!({ "exp": NOW + 3600 })));
    let asks = (0..20).map(|_| {
        let (mut browser, long) = (app.browser(), long.clone());
        actix_web::rt::spawn(async move { browser.ask("/me", &long).await })
    });
    for asked in asks.collect::<Vec<_>>() {
        let me = asked.await.unwrap().json();
        assert_eq!(
            (&me["id"], &me["email"], &me["name"], &me["role"]),
            (
                &json!("user_1"),
                &json!("alice@acme.example"),
                &json!("Alice Doe"),
                &json!("admin")
            )
        );
    }
    assert_eq!(app.workos.api().calls().users, 1);
    app.clock.advance(299);
    assert_eq!(app.browser().ask("/me", &long).await.status, 200);
    assert_eq!(app.workos.api().calls().users, 1);
    app.clock.advance(1);
    assert_eq!(app.browser().ask("/me", &long).await.status, 200);
    assert_eq!(app.workos.api().calls().users, 2);

    // A user who is gone is nobody, and is not asked about again.
    app.workos.api().delete_users();
    app.clock.advance(300);
    for _ in 0..3 {
        let response = app.browser().ask("/me", &long).await;
        assert_eq!(response.refusal(), refused(401, "invalid_token"));
    }
    assert_eq!(app.workos.api().calls().users, 3);
    assert_eq!(app.browser().ask("/", &long).await.body, "hello stranger");
}

#[actix_web::test]
async fn without_workos_only_the_profile_is_missing() {
    let app = accepting().await;
    let token = token(&claims());
    assert_eq!(app.browser().ask("/who", &token).await.status, 200);
    app.workos.api().fail(Some((429, Some(17))));
    let response = app.browser().ask("/me", &token).await;
    assert_eq!(response.refusal(), refused(503, "authentication_unavailable"));
    assert_eq!(response.header("retry-after"), "17");
    app.workos.api().fail(None);
    assert_eq!(
        app.browser().ask("/me", &token).await.status,
        200,
        "nothing bad is remembered"
    );
    app.workos.stop().await;
    assert_eq!(app.browser().ask("/who", &token).await.status, 200);
    assert_eq!(app.browser().ask("/me", &token).await.status, 200);
}

#[actix_web::test]
async fn without_keys_nobody_is_refused_for_good() {
    let app = accepting().await;
    app.workos.fail_jwks(Some(500));
    let token = token(&claims());
    let response = app.browser().ask("/who", &token).await;
    assert_eq!(response.refusal(), refused(503, "authentication_unavailable"));
    assert_eq!(response.header("retry-after"), "5");
    assert_eq!(app.browser().ask("/style.css", &token).await.status, 200);
    app.workos.fail_jwks(None);
    assert_eq!(app.browser().ask("/who", &token).await.status, 200);
}

#[actix_web::test]
async fn what_is_not_switched_on_is_left_to_the_app() {
    let app = TestApp::start().await;
    let token = token(&claims());
    let response = app.browser().ask("/who", &token).await;
    assert_eq!(response.refusal(), refused(401, "sign_in_required"));
    assert_eq!(response.header("www-authenticate"), "Bearer");
    assert_eq!(response.header("vary"), "Cookie");
    let mut browser = app.signed_in().await;
    for credential in [token.as_str(), "not a token", "sk_made_up"] {
        let response = browser.ask("/who", credential).await;
        assert_eq!(response.json()["credential"], "session", "{credential}");
    }
}

#[actix_web::test]
async fn a_bearer_credential_is_judged_alone() {
    let app = accepting().await;
    let mut browser = app.signed_in().await;
    let session = browser.session().cloned();
    // A good one comes before the cookie.
    let other = token(&with(&json!({ "sub": "user_2", "sid": "session_9" })));
    assert_eq!(browser.ask("/who", &other).await.json()["subject"], "user_2");
    // A bad one is not mended by the cookie.
    for bad in ["nonsense", "a.b.c", &other[..other.len() - 4]] {
        let response = browser.ask("/who", bad).await;
        assert_eq!(response.refusal(), refused(401, "invalid_token"), "{bad}");
        let challenge = response.header("www-authenticate");
        assert!(
            challenge.starts_with("Bearer error=\"invalid_token\", error_description=\"the "),
            "{challenge}"
        );
        assert_eq!(browser.ask("/", bad).await.body, "hello stranger");
        assert_eq!(browser.ask("/greeting", bad).await.status, 401);
        assert_eq!(browser.ask("/scope/page", bad).await.status, 401);
        assert_eq!(browser.ask("/style.css", bad).await.status, 200, "nobody asked");
        assert_eq!(browser.ask_by(Method::POST, "/refresh", bad).await.status, 401);
    }
    // Nor does an expired cookie refresh meanwhile.
    app.clock.advance(LIFETIME + 10);
    assert_eq!(browser.ask("/who", "nonsense").await.status, 401);
    assert_eq!(app.workos.counts().refreshes, 0);
    assert_eq!(browser.session().cloned(), session);
    // Another scheme is another one's.
    let basic = [("authorization", "Basic YTpi")];
    let response = browser.send(Method::GET, "/who", &basic).await;
    assert_eq!(response.json()["credential"], "session");
}

#[actix_web::test]
async fn a_token_is_good_until_it_expires_and_while_its_key_is() {
    let app = accepting().await;
    let (token, mut browser) = (token(&claims()), app.browser());
    assert_eq!(browser.ask("/who", &token).await.status, 200);
    app.clock.advance(LIFETIME - 1);
    assert_eq!(browser.ask("/who", &token).await.status, 200);
    app.clock.advance(6);
    let response = browser.ask("/who", &token).await;
    assert_eq!(response.refusal(), refused(401, "invalid_token"));
    assert!(
        response
            .header("www-authenticate")
            .contains("the token has expired")
    );

    let token = sign("RS256", KID, &with(&json!({ "exp": NOW + 100_000 })));
    assert_eq!(browser.ask("/who", &token).await.status, 200);
    app.workos.publish("next_key");
    app.clock.advance(60);
    let next = sign("RS256", "next_key", &with(&json!({ "exp": NOW + 100_000 })));
    assert_eq!(browser.ask("/who", &next).await.status, 200);
    assert_eq!(
        browser.ask("/who", &token).await.status,
        401,
        "its key was withdrawn"
    );
}

#[actix_web::test]
async fn a_session_that_ended_takes_its_tokens_along() {
    let app = accepting().await;
    let mut browser = app.signed_in().await;
    let id = browser.fetch("/session").await.body;
    let token = token(&with(&json!({ "sid": id })));
    assert_eq!(app.browser().ask("/who", &token).await.status, 200);
    let response = browser.submit("/leave", &[]).await;
    assert_eq!(response.status, 303);
    assert!(response.location().contains(&id) && response.location().contains("goodbye"));
    assert_eq!(browser.session(), None);
    let response = app.browser().ask("/who", &token).await;
    assert_eq!(response.refusal(), refused(401, "invalid_token"));
    assert!(
        response
            .header("www-authenticate")
            .contains("the session of the token has ended")
    );
}

#[actix_web::test]
async fn each_part_is_there_or_says_that_it_is_missing() {
    let app = accepting().await;
    let ask = async |path: &str, token: &str| app.browser().ask(path, token).await;
    let plain = token(&with(&json!({ "org_id": null })));
    for (path, code) in [
        ("/organization", "organization_required"),
        ("/impersonator", "impersonation_required"),
        ("/session", "session_required"),
        ("/api-key", "api_key_required"),
        ("/plan", "custom_claims_required"),
    ] {
        let response = ask(path, &plain).await;
        assert_eq!(response.refusal(), refused(403, code), "{path}");
        assert!(response.json()["detail"].is_string());
        let nobody = app.browser().fetch(path).await;
        assert_eq!(nobody.refusal(), refused(401, "sign_in_required"), "{path}");
        assert_eq!(app.browser().visit(path).await.status, 307, "{path}");
    }
    assert_eq!(ask("/optional", &plain).await.body, "user context token");
    let rich = token(&with(&json!({
        "plan": "gold", "seats": 3, "act": { "sub": "support@workos.example" }, "nested": { "a": [1] },
    })));
    assert_eq!(
        ask("/optional", &rich).await.body,
        "user context token organization impersonator plan"
    );
    assert_eq!(
        ask("/impersonator", &rich).await.json(),
        json!({ "email": "support@workos.example" })
    );
    let plan = ask("/plan", &rich).await.json();
    assert_eq!(
        (&plan["plan"], &plan["seats"], &plan["sub"], &plan["nested"]),
        (&json!("gold"), &json!(3), &json!("user_1"), &Value::Null)
    );
    assert_eq!(ask("/claims", &rich).await.json()["nested"], json!({ "a": [1] }));
    let wrong = token(&with(&json!({ "plan": 7 })));
    assert_eq!(
        ask("/plan", &wrong).await.refusal(),
        refused(403, "custom_claims_required")
    );
    assert_eq!(app.browser().fetch("/optional").await.body, "");
    // The kit's own ways to renew a session are for sessions.
    let response = app.browser().ask_by(Method::POST, "/refresh", &rich).await;
    assert_eq!(response.refusal(), refused(403, "session_required"));
}

#[actix_web::test]
async fn a_session_has_the_same_parts_and_can_be_moved() {
    let app = TestApp::start().await;
    app.workos.add_claims(json!({ "plan": "gold" }));
    let mut browser = app.signed_in().await;
    assert_eq!(
        browser.fetch("/optional").await.body,
        "user context token organization session plan"
    );
    let who = browser.fetch("/who").await.json();
    assert_eq!(
        (&who["credential"], &who["user"], &who["organization"]),
        (&json!("session"), &json!("user_1"), &json!("org_1"))
    );
    let response = browser.submit("/session/org_2", &[]).await;
    let id = who["session"].as_str().unwrap();
    assert_eq!((response.status, response.body), (200, format!("{id} org_2")));
    assert_eq!(browser.fetch("/organization").await.body, "org_2");
    assert_eq!(app.workos.api().calls().users, 0, "the session has the profile");
}

#[actix_web::test]
async fn an_api_without_sessions_has_no_cookies_and_no_redirects() {
    let signed_in = TestApp::start().await.signed_in().await;
    let app = TestApp::start_with(|builder| builder.without_sessions().bearer_tokens().require_auth()).await;
    let mut browser = app.browser();
    browser.cookies = signed_in.cookies;
    for headers in [&NAVIGATE[..], &FETCH[..]] {
        let response = browser.send(Method::GET, "/who", headers).await;
        assert_eq!(response.refusal(), refused(401, "sign_in_required"));
        assert_eq!(response.header("vary"), "Authorization");
        assert!(response.set_cookies().is_empty());
    }
    let token = token(&claims());
    assert_eq!(browser.ask("/who", &token).await.status, 200);
    assert_eq!(browser.ask("/auth/sign-in", &token).await.status, 404);
}
