mod gates;

use serde_json::{Value, json};

use crate::{
    api::user_management::{
        authenticate::fixture::{CLIENT_ID, EMAIL, Fixture, PASSWORD, refusal},
        authorize,
        memberships::{self, MembershipStatus},
        users,
    },
    server::error::ApiError,
};

#[test]
fn gives_a_session_and_its_tokens() {
    let fixture = Fixture::new();
    let response = fixture.signed_in();
    let members: Vec<_> = response.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        members,
        ["access_token", "authentication_method", "refresh_token", "user"]
    );
    assert_eq!(response["authentication_method"], "Password");
    assert_eq!(response["user"]["id"], *fixture.user_id);
    assert_eq!(response["user"]["last_sign_in_at"], "2026-01-15T12:00:00.000Z");
    assert_eq!(response["user"].get("metadata"), None);
    assert_eq!(response["refresh_token"].as_str().unwrap().len(), 25);

    let claims = fixture.claims(&response);
    let now = fixture.environment.clock.now().as_second();
    assert_eq!(
        claims.iss,
        format!("http://auth.test/user_management/{CLIENT_ID}")
    );
    assert_eq!(
        (claims.sub.as_str(), claims.client_id.as_str()),
        (fixture.user_id.as_str(), CLIENT_ID)
    );
    assert_eq!((claims.iat, claims.auth_time, claims.exp), (now, now, now + 300));
    assert_eq!((claims.org_id, claims.role, claims.roles), (None, None, None));
    assert!(claims.permissions.is_empty());
    let session = fixture
        .environment
        .state()
        .sessions
        .get(&claims.sid)
        .cloned()
        .unwrap();
    assert_eq!(session.user_id, fixture.user_id);
}

#[test]
fn tells_of_itself_but_not_of_the_user() {
    let fixture = Fixture::new();
    fixture
        .authenticate(json!({
            "grant_type": "password", "email": "ADA@example.com", "password": PASSWORD,
            "ip_address": "203.0.113.7", "user_agent": "Browser",
        }))
        .unwrap();
    let succeeded = fixture.events("authentication.");
    assert_eq!(
        succeeded,
        [(
            "authentication.password_succeeded".to_owned(),
            json!({
                "type": "password", "status": "succeeded", "ip_address": "203.0.113.7", "user_agent": "Browser",
                "user_id": fixture.user_id, "email": EMAIL,
            })
        )]
    );
    let created = fixture.events("session.");
    assert_eq!(created[0].0, "session.created");
    assert_eq!(created[0].1["auth_method"], "password");
    assert_eq!(created[0].1["user_agent"], "Browser");
    assert_eq!(fixture.events("user.updated"), []);
}

#[test]
fn a_token_names_organization_roles_and_permissions() {
    let fixture = Fixture::new();
    fixture.add_role("editor", &["posts:write", "posts:read"]);
    let id = fixture.add_organization("Acme");
    fixture.add_membership(&id, json!({"role_slug": "editor"}));
    let response = fixture.signed_in();
    assert_eq!(response["organization_id"], *id);
    let claims = fixture.claims(&response);
    assert_eq!(claims.org_id.as_deref(), Some(id.as_str()));
    assert_eq!(claims.role.as_deref(), Some("editor"));
    assert_eq!(claims.roles.as_deref(), Some(["editor".to_owned()].as_slice()));
    assert_eq!(claims.permissions, ["posts:write", "posts:read"]);
}

#[test]
fn an_issuer_can_be_set() {
    let fixture = Fixture::new();
    fixture.set(|settings| settings.issuer = Some("https://api.workos.com".to_owned()));
    assert_eq!(fixture.claims(&fixture.signed_in()).iss, "https://api.workos.com");
}

#[test]
fn a_wrong_password_is_refused_and_recorded() {
    let fixture = Fixture::new();
    assert_eq!(
        refusal(fixture.with_password("wrong")),
        (400, "invalid_credentials".to_owned())
    );
    let failed = fixture.events("authentication.");
    assert_eq!(failed[0].0, "authentication.password_failed");
    assert_eq!(failed[0].1["user_id"], *fixture.user_id);
    assert_eq!(failed[0].1["error"]["code"], "invalid_credentials");
    assert_eq!(fixture.environment.state().sessions.len(), 0);
}

#[test]
fn an_unknown_email_is_refused_and_recorded() {
    let fixture = Fixture::new();
    let unknown = fixture
        .authenticate(json!({"grant_type": "password", "email": "bob@example.com", "password": PASSWORD}));
    assert_eq!(refusal(unknown), (404, "entity_not_found".to_owned()));
    let failed = fixture.events("authentication.");
    assert_eq!(failed[0].1["user_id"], Value::Null);
    assert_eq!(failed[0].1["email"], "bob@example.com");
}

/// Anybody at the hosted page can fail, with as much text as they like.
#[test]
fn a_failed_sign_in_is_recorded_in_few_bytes() {
    let fixture = Fixture::new();
    for email in [
        "a".repeat(500_000),
        format!("{}@example.com", "a".repeat(500_000)),
        "\0".to_owned(),
    ] {
        let body = json!({"grant_type": "password", "email": email, "password": PASSWORD});
        assert_eq!(
            refusal(fixture.authenticate(body)),
            (404, "entity_not_found".to_owned())
        );
    }
    let failed = fixture.events("authentication.");
    assert_eq!(failed.len(), 3);
    assert!(failed.iter().all(|(_, data)| data["email"].is_null()));

    let mut call = fixture.call("", Value::Null);
    let name = actix_web::http::header::HeaderValue::from_str(&"x".repeat(100_000)).unwrap();
    call.headers.insert(actix_web::http::header::USER_AGENT, name);
    assert_eq!(authorize::device(&call).user_agent.unwrap().len(), 512);
}

#[test]
fn nobody_signs_in_without_a_password() {
    let fixture = Fixture::new();
    fixture.run(users::create_user, json!({"email": "eve@example.com"}));
    for password in ["", "null", PASSWORD] {
        let body = json!({"grant_type": "password", "email": "eve@example.com", "password": password});
        assert_eq!(
            refusal(fixture.authenticate(body)),
            (400, "invalid_credentials".to_owned())
        );
    }
}

#[test]
fn inactive_and_pending_memberships_do_not_count() {
    let fixture = Fixture::new();
    let acme = fixture.add_own_organization("Acme");
    for status in [MembershipStatus::Inactive, MembershipStatus::Pending] {
        let id = fixture.add_own_organization("Other");
        let state = fixture.environment.state();
        let mut membership = memberships::active(&state, &fixture.user_id, &id)
            .unwrap()
            .clone();
        membership.status = status;
        fixture.environment.transact(|tx| tx.put(membership)).unwrap();
    }
    assert_eq!(fixture.signed_in()["organization_id"], *acme);
}

#[test]
fn the_client_must_be_known_and_prove_itself() {
    let fixture = Fixture::new();
    let with = |client_id: Value, client_secret: Value| {
        refusal(fixture.authenticate(json!({
            "grant_type": "password", "email": EMAIL, "password": PASSWORD,
            "client_id": client_id, "client_secret": client_secret,
        })))
    };
    let invalid_client = (400, "invalid_client".to_owned());
    let missing = (422, "invalid_request_parameters".to_owned());
    assert_eq!(with(json!("app"), json!("sk_test_app")), invalid_client);
    assert_eq!(with(json!(CLIENT_ID), json!("sk_test_other")), invalid_client);
    assert_eq!(with(json!(CLIENT_ID), json!("")), invalid_client);
    assert_eq!(with(json!(CLIENT_ID), Value::Null), missing);
    assert_eq!(with(Value::Null, json!("sk_test_app")), missing);
    fixture.set(|settings| settings.strict_client_id = true);
    assert_eq!(with(json!(CLIENT_ID), json!("sk_test_app")), invalid_client);
    assert_eq!(
        fixture.events("authentication."),
        [],
        "no credential was looked at"
    );
}

#[test]
fn grants_are_known_by_name() {
    let fixture = Fixture::new();
    let with = |grant_type: Value| refusal(fixture.authenticate(json!({"grant_type": grant_type})));
    assert_eq!(
        with(json!("client_credentials")),
        (400, "unsupported_grant_type".to_owned())
    );
    assert_eq!(with(Value::Null), (422, "invalid_request_parameters".to_owned()));
    assert_eq!(
        with(json!("password")),
        (422, "invalid_request_parameters".to_owned())
    );
}

#[test]
fn a_password_that_changes_while_it_is_checked_is_not_taken() {
    use super::super::password::{check, conclude};
    let fixture = Fixture::new();
    let environment = &fixture.environment;
    let checked = check(&environment.state(), EMAIL, PASSWORD);
    let given = users::password::GivenPassword {
        password: Some(crate::core::secret::Secret::new("another long password")),
        ..Default::default()
    };
    let hash = users::password::prepare(environment, EMAIL, &given)
        .unwrap()
        .unwrap();
    environment
        .transact(|tx| users::password::set(tx, &fixture.user_id, hash).map(drop))
        .unwrap();
    let outcome = environment.transact(|tx| conclude(tx, &checked, &Default::default()));
    assert_eq!(
        outcome
            .unwrap()
            .map_err(|refusal: ApiError| refusal.status)
            .unwrap_err(),
        400
    );
}
