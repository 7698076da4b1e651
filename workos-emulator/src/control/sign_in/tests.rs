use serde_json::{Value, json};

use super::*;
use crate::api::user_management::authenticate::fixture::{EMAIL, Fixture};

impl Fixture {
    fn control(&self, body: Value) -> Result<Value, ApiError> {
        let reply = sign_in(&self.call("", body))?;
        Ok(serde_json::from_slice(&reply.body).unwrap())
    }
}

#[test]
fn signs_in_by_id_or_email() {
    let fixture = Fixture::new();
    let response = fixture.control(json!({"user_id": fixture.user_id})).unwrap();
    let claims = fixture.claims(&response);
    assert_eq!(
        (&claims.sub, &claims.client_id),
        (&fixture.user_id, &fixture.environment.client_id)
    );
    let response = fixture
        .control(json!({"email": EMAIL, "authentication_method": "GoogleOAuth"}))
        .unwrap();
    assert_eq!(response["authentication_method"], "GoogleOAuth");
    let names: Vec<_> = fixture
        .events("authentication.")
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(
        names,
        [
            "authentication.password_succeeded",
            "authentication.oauth_succeeded"
        ]
    );
    assert_eq!(fixture.events("session.")[1].1["auth_method"], "oauth");
}

#[test]
fn keeps_to_the_memberships() {
    let fixture = Fixture::new();
    let [acme, _] = [
        fixture.add_own_organization("Acme"),
        fixture.add_own_organization("Globex"),
    ];
    let foreign = fixture.add_organization("Initech");
    let with =
        |organization_id: Value| fixture.control(json!({"email": EMAIL, "organization_id": organization_id}));
    assert_eq!(with(json!(acme)).unwrap()["organization_id"], *acme);
    assert_eq!(
        with(Value::Null).unwrap_err().code(),
        Some("organization_selection_required")
    );
    assert_eq!(
        with(json!(foreign)).unwrap_err().code(),
        Some("organization_membership_not_found")
    );
}

#[test]
fn refuses_nobody_and_nonsense() {
    let fixture = Fixture::new();
    for (body, status) in [
        (json!({}), 422),
        (json!({"user_id": "user_none"}), 404),
        (json!({"email": "nobody@example.com"}), 404),
        (json!({"email": EMAIL, "authentication_method": "Charm"}), 422),
    ] {
        assert_eq!(
            fixture.control(body.clone()).unwrap_err().status,
            status,
            "{body}"
        );
    }
    assert_eq!(fixture.environment.state().sessions.len(), 0);
}
