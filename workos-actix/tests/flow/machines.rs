//! Access tokens of M2M applications.

use serde_json::{Value, json};
use workos_actix::MachineTokens;

use crate::{
    app::TestApp,
    bearer_tokens::{claims, token},
    fake_workos::{KID, LIFETIME, NOW, sign},
};

fn machine(app: &TestApp, changes: &Value) -> String {
    let mut claims = json!({
        "iss": app.workos.url(), "sub": "client_robot", "org_id": "org_1", "jti": "jti_1", "iat": NOW,
        "exp": NOW + LIFETIME, "scope": "robots:run robots:read",
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    token(&claims)
}

async fn accepting(settings: impl FnOnce(MachineTokens) -> MachineTokens) -> TestApp {
    TestApp::start_for(|builder, workos| {
        builder.machine_tokens(settings(MachineTokens::issued_by(format!("{}/", workos.url()))))
    })
    .await
}

#[actix_web::test]
async fn a_machine_has_an_organization_and_scopes_and_is_no_user() {
    let app = accepting(|machines| machines).await;
    let token = machine(&app, &json!({}));
    let who = app.browser().ask("/who", &token).await;
    let expected = json!({
        "credential": "machine", "subject": "client_robot", "user": null, "session": null, "organization": "org_1",
        "role": null, "roles": [], "permissions": [], "entitlements": [], "feature_flags": [], "impersonator": null,
        "auth_time": null, "scopes": ["robots:run", "robots:read"], "has_token": true,
    });
    assert_eq!((who.status, who.json()), (200, expected));
    assert_eq!(
        app.browser().ask("/optional", &token).await.body,
        "context token organization"
    );
    let refused = app.browser().ask("/me", &token).await;
    assert_eq!(refused.refusal(), (403, "user_required".to_owned()));
    assert_eq!(
        app.browser().ask("/claims", &token).await.json()["scope"],
        "robots:run robots:read"
    );
    assert_eq!(app.workos.counts().jwks, 1);
    app.workos.stop().await;
    app.clock.advance(LIFETIME - 1);
    assert_eq!(app.browser().ask("/who", &token).await.status, 200);
    app.clock.advance(6);
    assert_eq!(app.browser().ask("/who", &token).await.status, 401);
}

#[actix_web::test]
async fn only_machines_that_were_named_are_accepted() {
    let app = accepting(|machines| {
        machines
            .client_ids(["client_robot"])
            .audiences(["https://api.example"])
    })
    .await;
    let good = json!({ "aud": "https://api.example" });
    assert_eq!(app.browser().ask("/who", &machine(&app, &good)).await.status, 200);
    for changes in [
        json!({}),
        json!({ "aud": "client_1" }),
        json!({ "aud": ["https://other.example"] }),
        json!({ "aud": "https://api.example", "sub": "client_stranger" }),
        json!({ "aud": "https://api.example", "client_id": "client_stranger" }),
        json!({ "aud": "https://api.example", "iss": "https://evil.example" }),
        json!({ "aud": "https://api.example", "exp": NOW - 5 }),
        json!({ "aud": "https://api.example", "nbf": NOW + 60 }),
    ] {
        let response = app.browser().ask("/who", &machine(&app, &changes)).await;
        assert_eq!(response.refusal(), (401, "invalid_token".to_owned()), "{changes}");
    }
}

#[actix_web::test]
async fn tokens_of_people_and_of_others_are_not_those_of_machines() {
    let app = accepting(|machines| machines).await;
    let iss = app.workos.url();
    let session = {
        let mut claims = claims();
        claims["iss"] = json!(iss);
        token(&claims)
    };
    for other in [
        session,
        machine(&app, &json!({ "sub": "user_1" })),
        machine(&app, &json!({ "sid": "session_1" })),
        machine(
            &app,
            &json!({ "sub": "user_1", "sid": "app_consent_1", "client_id": "client_robot" }),
        ),
        machine(&app, &json!({ "aud": "another_resource" })),
        machine(&app, &json!({ "iss": format!("{iss}.evil.example") })),
        sign(
            "none",
            KID,
            &json!({ "iss": iss, "sub": "client_robot", "exp": NOW + 60 }),
        ),
        sign(
            "RS256",
            "unknown",
            &json!({ "iss": iss, "sub": "client_robot", "exp": NOW + 60 }),
        ),
    ] {
        let response = app.browser().ask("/who", &other).await;
        assert_eq!(response.refusal(), (401, "invalid_token".to_owned()), "{other}");
    }
    let for_us = machine(&app, &json!({ "aud": "client_1" }));
    assert_eq!(app.browser().ask("/who", &for_us).await.status, 200);
}

#[actix_web::test]
async fn people_and_machines_are_told_apart_where_both_are_accepted() {
    let app = TestApp::start_for(|builder, workos| {
        let machines = MachineTokens::issued_by(workos.url());
        builder.bearer_tokens().machine_tokens(machines)
    })
    .await;
    for _ in 0..2 {
        let who = app.browser().ask("/who", &token(&claims())).await.json();
        assert_eq!(
            (&who["credential"], &who["subject"]),
            (&json!("access_token"), &json!("user_1"))
        );
        let who = app.browser().ask("/who", &machine(&app, &json!({}))).await.json();
        assert_eq!(
            (&who["credential"], &who["subject"]),
            (&json!("machine"), &json!("client_robot"))
        );
    }
}
