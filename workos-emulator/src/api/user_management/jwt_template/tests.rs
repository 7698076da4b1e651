//! The template of the environment, and what it does to access tokens.

use super::*;
use crate::api::{
    organizations::{self, entitlements},
    user_management::{authenticate::fixture::Fixture, users},
};

fn put(fixture: &Fixture, content: &str) -> Result<Arc<JwtTemplate>, ApiError> {
    fixture.environment.transact(|tx| set(tx, content.to_owned()))
}

/// All claims of a response's access token.
fn claims_of(fixture: &Fixture, response: &Value) -> Value {
    let token = response["access_token"].as_str().unwrap();
    let now = fixture.environment.clock.now();
    fixture.environment.state().keys().verify(token, now).unwrap()
}

fn refreshed(fixture: &Fixture, response: &Value) -> Result<Value, ApiError> {
    fixture.authenticate(json!({"grant_type": "refresh_token", "refresh_token": response["refresh_token"]}))
}

fn rename(fixture: &Fixture, first_name: &str) {
    let params = [("id", fixture.user_id.as_str())];
    let call = Call::for_tests(
        &fixture.environment,
        &params,
        "",
        json!({"first_name": first_name}),
    );
    users::update_user(&call).unwrap();
}

#[test]
fn the_template_is_kept_if_it_is_one() {
    let fixture = Fixture::new();
    let call = fixture.call("", json!({}));
    assert_eq!(get_jwt_template(&call).unwrap_err().status, 404);
    let refused = put(&fixture, r#"{"sub": "x"}"#).unwrap_err();
    assert_eq!(
        (refused.status, refused.code(), &refused.body["errors"][0]),
        (
            422,
            Some("invalid_request_parameters"),
            &json!({
                "field": "content", "code": "invalid_jwt_template", "message": "Keys reserved (iss, sub, exp, etc.)",
            })
        )
    );
    assert_eq!(get_jwt_template(&call).unwrap_err().status, 404);
    put(&fixture, r#"{"a": 1}"#).unwrap();
    fixture.advance(1);
    let content = r#"{"a": {{ user.email }}}"#;
    let call = fixture.call("", json!({"content": content}));
    let reply: Value = serde_json::from_slice(&update_jwt_template(&call).unwrap().body).unwrap();
    assert_eq!(
        reply,
        json!({
            "object": "jwt_template", "content": content, "created_at": "2026-01-15T12:00:00.000Z",
            "updated_at": "2026-01-15T12:00:01.000Z",
        })
    );
    assert!(put(&fixture, "{{").is_err());
    assert_eq!(find(&fixture.environment.state()).unwrap().content, content);
}

#[test]
fn tokens_have_the_claims_at_sign_in_and_at_refresh() {
    let fixture = Fixture::new();
    let acme = fixture.add_own_organization("Acme");
    let template = r#"{
        "urn:app:who": "{{ user.first_name || 'Someone' }} of {{ organization.name }}",
        "urn:app:plan": {{ user.metadata.plan }},
        "urn:app:none": {{ user.external_id }},
        "membership": {{ organization_membership.id }},
        "aud": "app",
        "role": "authenticated",
        "user_role": {{ organization_membership.role }},
        "roles": {{ organization_membership.roles }}
    }"#;
    put(&fixture, template).unwrap();
    let response = fixture.signed_in();
    let claims = claims_of(&fixture, &response);
    let state = fixture.environment.state();
    let membership = state.organization_memberships.iter().next().unwrap();
    for (name, value) in [
        ("urn:app:who", json!("Someone of Acme")),
        ("urn:app:plan", json!("pro")),
        ("urn:app:none", Value::Null),
        ("membership", json!(membership.id)),
        ("aud", json!("app")),
        ("role", json!("authenticated")),
        ("user_role", json!("member")),
        ("roles", json!(["member"])),
        ("org_id", json!(acme)),
        ("sub", json!(fixture.user_id)),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    rename(&fixture, "Ada");
    let refreshed = refreshed(&fixture, &response).unwrap();
    assert_eq!(claims_of(&fixture, &refreshed)["urn:app:who"], "Ada of Acme");
}

#[test]
fn without_an_organization_its_values_are_null() {
    let fixture = Fixture::new();
    let template =
        r#"{"org": "{{ organization.id }}", "role": {{ organization_membership.role || 'guest' }}}"#;
    put(&fixture, template).unwrap();
    let claims = claims_of(&fixture, &fixture.signed_in());
    assert!(claims.get("org").is_none());
    assert_eq!(claims["role"], "guest");
}

#[test]
fn the_context_shows_no_secrets_and_no_sign_in() {
    let fixture = Fixture::new();
    let acme = fixture.add_own_organization("Acme");
    let body = json!({"domain_data": [{"domain": "acme.example", "state": "pending"}]});
    let call = Call::for_tests(&fixture.environment, &[("id", &acme)], "", body);
    organizations::update_organization(&call).unwrap();
    put(
        &fixture,
        r#"{"u": {{ user }}, "o": {{ organization }}, "m": {{ organization_membership }}}"#,
    )
    .unwrap();
    let claims = claims_of(&fixture, &fixture.signed_in());
    assert_eq!(claims["u"]["email"], "ada@example.com");
    assert!(claims["u"].get("last_sign_in_at").is_none());
    assert_eq!(claims["o"]["domains"][0]["domain"], "acme.example");
    assert!(!claims.to_string().contains("verification_token"));
    let mut names: Vec<_> = claims["m"].as_object().unwrap().keys().cloned().collect();
    names.sort();
    let seen = [
        "created_at",
        "custom_attributes",
        "id",
        "object",
        "role",
        "roles",
        "updated_at",
    ];
    assert_eq!(names, seen);
}

#[test]
fn a_token_that_is_too_big_is_refused_and_nothing_has_happened() {
    let fixture = Fixture::new();
    let before = fixture.signed_in();
    let metadata = r#"{{ user.metadata }}"#;
    let many: Vec<_> = (0..200).map(|n| format!("\"c{n}\": {metadata}")).collect();
    put(&fixture, &format!("{{{}}}", many.join(","))).unwrap();
    let sessions = fixture.environment.state().sessions.len();
    let last_sign_in = |fixture: &Fixture| {
        let state = fixture.environment.state();
        users::find(&state, &fixture.user_id).unwrap().last_sign_in_at
    };
    let at = last_sign_in(&fixture);
    fixture.advance(1);
    for refused in [
        fixture.with_password(crate::api::user_management::authenticate::fixture::PASSWORD),
        refreshed(&fixture, &before),
    ] {
        let refused = refused.unwrap_err();
        assert_eq!((refused.status, refused.code()), (400, Some("token_too_big")));
        assert_eq!(refused.description(), "The request failed due to: token_too_big.");
    }
    assert_eq!(fixture.environment.state().sessions.len(), sessions);
    assert_eq!(last_sign_in(&fixture), at);
    // The refresh token is still good.
    put(&fixture, r#"{"a": 1}"#).unwrap();
    assert!(refreshed(&fixture, &before).is_ok());
}

#[test]
fn entitlements_of_the_organization_are_a_claim() {
    let fixture = Fixture::new();
    let acme = fixture.add_own_organization("Acme");
    let claim = || fixture.claims(&fixture.signed_in()).entitlements;
    let set = |keys: &[&str]| {
        let keys = keys.iter().map(ToString::to_string).collect();
        fixture
            .environment
            .transact(|tx| entitlements::set(tx, &acme, keys))
            .unwrap()
    };
    assert_eq!(claim(), None);
    set(&["audit-logs", "sso"]);
    assert_eq!(claim(), Some(vec!["audit-logs".to_owned(), "sso".to_owned()]));
    set(&[]);
    assert_eq!(claim(), None);
    let unknown = fixture
        .environment
        .transact(|tx| entitlements::set(tx, "org_x", Vec::new()));
    assert_eq!(unknown.unwrap_err().status, 404);
    let call = Call::for_tests(&fixture.environment, &[("id", &acme)], "", json!({}));
    organizations::delete_organization(&call).unwrap();
    assert_eq!(fixture.environment.state().entitlements.len(), 0);
}
