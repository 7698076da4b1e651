//! WorkOS API keys in `Authorization`.

use reqwest::Method;
use serde_json::{Value, json};
use workos_actix::AuthKitBuilder;

use crate::{
    app::TestApp,
    fake_api::{key_of_organization, key_of_user},
};

const KEY: &str = "sk_0123456789abcdef";

async fn accepting() -> TestApp {
    let app = TestApp::start_with(AuthKitBuilder::api_keys).await;
    app.workos.api().add_key(KEY, key_of_organization("api_key_1"));
    app
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[actix_web::test]
async fn a_key_opens_its_organization_and_is_no_user() {
    let app = accepting().await;
    app.workos.api().add_key("sk_of_a_user", key_of_user("api_key_2"));
    let mut program = app.browser();
    let who = program.ask("/who", KEY).await;
    let expected = json!({
        "credential": "api_key", "subject": "api_key_1", "user": null, "session": null, "organization": "org_1",
        "role": null, "roles": [], "permissions": ["posts:read"], "entitlements": [], "feature_flags": [],
        "impersonator": null, "auth_time": null, "scopes": [], "has_token": false,
    });
    assert_eq!((who.status, who.json()), (200, expected));
    let key = program.ask("/api-key", KEY).await.json();
    assert_eq!(
        (
            &key["id"],
            &key["name"],
            &key["organization"],
            &key["user"],
            &key["shown"]
        ),
        (
            &json!("api_key_1"),
            &json!("CI"),
            &json!("org_1"),
            &Value::Null,
            &json!("sk_...3456")
        )
    );
    assert!(!key["debug"].as_str().unwrap().contains(KEY));
    let key = program.ask("/api-key", "sk_of_a_user").await.json();
    assert_eq!(
        (&key["organization"], &key["user"]),
        (&json!("org_2"), &json!("user_1"))
    );
    assert_eq!(
        program.ask("/optional", KEY).await.body,
        "context organization key"
    );
    for (path, code) in [
        ("/me", "user_required"),
        ("/scope/page", "user_required"),
        ("/session", "session_required"),
        ("/token", "access_token_required"),
        ("/claims", "access_token_required"),
        ("/plan", "access_token_required"),
        ("/impersonator", "impersonation_required"),
    ] {
        assert_eq!(
            program.ask(path, KEY).await.refusal(),
            refused(403, code),
            "{path}"
        );
        assert_eq!(program.ask(path, "sk_of_a_user").await.status, 403, "{path}");
    }
    assert_eq!(program.ask("/", KEY).await.body, "hello stranger");
    assert_eq!(program.ask("/greeting", KEY).await.body, "api_key_1");
    assert_eq!(
        program.ask_by(Method::DELETE, "/who", KEY).await.status,
        200,
        "no browser, no forgery"
    );
    assert_eq!(app.workos.api().calls().users, 0);
}

#[actix_web::test]
async fn workos_is_asked_once_a_minute() {
    let app = accepting().await;
    let asks = (0..30).map(|_| {
        let mut program = app.browser();
        actix_web::rt::spawn(async move { program.ask("/who", KEY).await.status })
    });
    for asked in asks.collect::<Vec<_>>() {
        assert_eq!(asked.await.unwrap(), 200);
    }
    assert_eq!(app.workos.api().calls().validations, 1);
    app.workos.api().revoke_key(KEY);
    app.clock.advance(59);
    assert_eq!(
        app.browser().ask("/who", KEY).await.status,
        200,
        "for a minute at most"
    );
    app.clock.advance(1);
    for _ in 0..3 {
        let response = app.browser().ask("/who", KEY).await;
        assert_eq!(response.refusal(), refused(401, "invalid_token"));
        assert!(
            response
                .header("www-authenticate")
                .contains("the API key is not valid")
        );
    }
    assert_eq!(
        app.workos.api().calls().validations,
        2,
        "an unknown key is remembered too"
    );
    app.workos.api().add_key(KEY, key_of_organization("api_key_1"));
    app.clock.advance(30);
    assert_eq!(app.browser().ask("/who", KEY).await.status, 200);
    assert_eq!(app.workos.api().calls().validations, 3);
}

#[actix_web::test]
async fn what_cannot_be_a_key_is_not_asked_about() {
    let app = accepting().await;
    let long = format!("sk_{}", "a".repeat(300));
    for nonsense in ["sk_", "sk_a.b", "sk_a~b", "sk_a==", "sk_a/b", long.as_str()] {
        let response = app.browser().ask("/who", nonsense).await;
        assert_eq!(response.refusal(), refused(401, "invalid_token"), "{nonsense}");
    }
    // Tokens are another source, which is off.
    for token in ["a.b.c", "pk_live_1", "SK_0123456789abcdef"] {
        assert_eq!(app.browser().ask("/who", token).await.status, 401, "{token}");
    }
    assert_eq!(app.workos.api().calls().validations, 0);
}

#[actix_web::test]
async fn while_workos_is_not_well_nothing_is_accepted_or_forgotten() {
    let app = accepting().await;
    for (status, retry_after, told) in [
        (500, None, "5"),
        (429, Some(17), "17"),
        (401, None, "5"),
        (403, None, "5"),
    ] {
        app.workos.api().fail(Some((status, retry_after)));
        let response = app.browser().ask("/who", KEY).await;
        assert_eq!(
            response.refusal(),
            refused(503, "authentication_unavailable"),
            "{status}"
        );
        assert_eq!(response.header("retry-after"), told);
        assert_eq!(app.browser().ask("/style.css", KEY).await.status, 200);
    }
    app.workos.api().fail(None);
    assert_eq!(app.browser().ask("/who", KEY).await.status, 200);
    app.workos.stop().await;
    assert_eq!(
        app.browser().ask("/who", KEY).await.status,
        200,
        "for the rest of the minute"
    );
    app.clock.advance(60);
    assert_eq!(app.browser().ask("/who", KEY).await.status, 503);
}

#[actix_web::test]
async fn a_flood_of_made_up_keys_takes_turns_and_holds_up_nobody_known() {
    let app = accepting().await;
    assert_eq!(app.browser().ask("/who", KEY).await.status, 200);
    app.workos.api().hold();
    let arrived = app.arrived();
    let flood: Vec<_> = (0..40)
        .map(|number| {
            let mut program = app.browser();
            actix_web::rt::spawn(
                async move { program.ask("/who", &format!("sk_held_{number}")).await.status },
            )
        })
        .collect();
    app.arrivals_reach(arrived + 40).await;
    app.workos.api().validations_reach(5).await;
    app.clock.advance(60);
    assert_eq!(
        app.browser().ask("/who", KEY).await.status,
        200,
        "it has a lane of its own"
    );
    assert_eq!(app.workos.api().calls().validations, 6, "four at a time");
    app.workos.api().release();
    for asked in flood {
        let status = asked.await.unwrap();
        assert!([401, 503].contains(&status), "{status}");
    }
}

#[actix_web::test]
async fn require_auth_lets_a_key_in() {
    let app = TestApp::start_with(|builder| builder.api_keys().require_auth()).await;
    app.workos.api().add_key(KEY, key_of_organization("api_key_1"));
    assert_eq!(app.browser().ask("/style.css", KEY).await.status, 200);
    assert_eq!(app.browser().ask("/style.css", "sk_made_up").await.status, 401);
    assert_eq!(app.browser().fetch("/style.css").await.status, 401);
}
