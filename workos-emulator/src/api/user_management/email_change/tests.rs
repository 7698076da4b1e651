use serde_json::{Value, json};

use super::*;
use crate::api::{
    directory_sync::directories::{self, NewDirectory},
    user_management::{
        authenticate::fixture::{EMAIL, Fixture, PASSWORD, refusal},
        memberships::{MembershipStatus, NewMembership},
    },
};

const NEW: &str = "countess@example.com";

fn call(fixture: &Fixture, id: &str, body: Value) -> Call {
    Call::for_tests(&fixture.environment, &[("id", id)], "", body)
}

fn answered(outcome: Result<Reply, ApiError>) -> Result<Value, ApiError> {
    outcome.map(|reply| {
        assert_eq!(reply.status, 200);
        serde_json::from_slice(&reply.body).unwrap()
    })
}

fn sent(fixture: &Fixture, new_email: &str) -> Result<Value, ApiError> {
    let body = json!({ "new_email": new_email });
    answered(send_email_change(&call(fixture, &fixture.user_id, body)))
}

fn confirmed(fixture: &Fixture, code: &str) -> Result<Value, ApiError> {
    let body = json!({ "code": code });
    answered(confirm_email_change(&call(fixture, &fixture.user_id, body)))
}

fn mailed(fixture: &Fixture) -> String {
    let state = fixture.environment.state();
    let mail = state.messages.iter().last().unwrap();
    assert_eq!((mail.kind.as_str(), mail.to.as_str()), ("email_change", NEW));
    mail.code.clone().unwrap()
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[test]
fn a_code_to_the_new_address_makes_it_hers() {
    let fixture = Fixture::new();
    let sent = sent(&fixture, " Countess@Example.com ").unwrap();
    assert_eq!(
        (
            &sent["object"],
            &sent["new_email"],
            &sent["user"]["email"],
            &sent["expires_at"]
        ),
        (
            &json!("email_change"),
            &json!(NEW),
            &json!(EMAIL),
            &json!("2026-01-15T12:10:00.000Z")
        )
    );
    assert_eq!(sent.get("code"), None);
    let before = fixture.events("").len();
    let confirmed = confirmed(&fixture, &mailed(&fixture)).unwrap();
    assert_eq!(
        (
            &confirmed["object"],
            &confirmed["user"]["email"],
            &confirmed["user"]["email_verified"]
        ),
        (&json!("email_change_confirmation"), &json!(NEW), &json!(true))
    );
    let names: Vec<_> = fixture
        .events("")
        .into_iter()
        .skip(before)
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["user.updated"]);
    let grant = json!({"grant_type": "password", "email": NEW, "password": PASSWORD});
    fixture.authenticate(grant).unwrap();
    assert_eq!(fixture.with_password(PASSWORD).unwrap_err().status, 404);
}

#[test]
fn a_send_names_what_is_wrong() {
    let fixture = Fixture::new();
    fixture.add_user("grace@example.com");
    assert_eq!(
        refusal(sent(&fixture, "Ada@example.com")),
        refused(409, "email_change_not_needed")
    );
    assert_eq!(
        refusal(sent(&fixture, "GRACE@example.com")),
        refused(409, "email_not_available")
    );
    assert_eq!(refusal(sent(&fixture, "nowhere")), refused(422, "invalid_email"));
    let missing = answered(send_email_change(&call(&fixture, &fixture.user_id, json!({}))));
    assert_eq!(refusal(missing), refused(422, "invalid_request_parameters"));
    let nobody = send_email_change(&call(&fixture, "user_none", json!({"new_email": NEW})));
    assert_eq!(nobody.unwrap_err().status, 404);
    for _ in 0..3 {
        sent(&fixture, NEW).unwrap();
    }
    assert_eq!(refusal(sent(&fixture, NEW)), refused(429, "rate_limit_exceeded"));
    fixture.set(|settings| settings.daily_email_quota = Some(0));
    fixture.advance(60);
    assert_eq!(refusal(sent(&fixture, NEW)), refused(429, "daily_quota_exceeded"));
}

#[test]
fn a_confirmation_names_what_is_wrong() {
    let fixture = Fixture::new();
    assert_eq!(
        refusal(confirmed(&fixture, "123456")),
        refused(409, "no_pending_email_change")
    );
    sent(&fixture, NEW).unwrap();
    let old = mailed(&fixture);
    assert_eq!(
        refusal(confirmed(&fixture, "x")),
        refused(400, "email_change_code_incorrect")
    );
    fixture.advance(600);
    assert_eq!(
        refusal(confirmed(&fixture, &old)),
        refused(400, "email_change_code_expired")
    );
    sent(&fixture, NEW).unwrap();
    let guessed = mailed(&fixture);
    assert_eq!(
        refusal(confirmed(&fixture, &old)),
        refused(400, "email_change_code_incorrect"),
        "a newer one was sent"
    );
    for _ in 0..4 {
        confirmed(&fixture, "x").unwrap_err();
    }
    assert_eq!(
        refusal(confirmed(&fixture, &guessed)),
        refused(429, "email_change_too_many_attempts")
    );
    sent(&fixture, NEW).unwrap();
    let used = mailed(&fixture);
    confirmed(&fixture, &used).unwrap();
    assert_eq!(
        refusal(confirmed(&fixture, &used)),
        refused(409, "email_change_code_previously_used")
    );
    assert_eq!(
        refusal(confirmed(&fixture, "x")),
        refused(409, "no_pending_email_change")
    );
    let missing = answered(confirm_email_change(&call(&fixture, &fixture.user_id, json!({}))));
    assert_eq!(refusal(missing), refused(422, "invalid_request_parameters"));
    let nobody = confirm_email_change(&call(&fixture, "user_none", json!({"code": used})));
    assert_eq!(nobody.unwrap_err().status, 404);
}

#[test]
fn an_address_that_was_taken_meanwhile_burns_no_code() {
    let fixture = Fixture::new();
    sent(&fixture, NEW).unwrap();
    let code = mailed(&fixture);
    let other = fixture.add_user(NEW);
    assert_eq!(
        refusal(confirmed(&fixture, &code)),
        refused(409, "email_not_available")
    );
    users::delete_user(&call(&fixture, &other, Value::Null)).unwrap();
    confirmed(&fixture, &code).unwrap();
}

#[test]
fn a_directory_keeps_the_address_of_its_users() {
    let fixture = Fixture::new();
    sent(&fixture, NEW).unwrap();
    let code = mailed(&fixture);
    let organization_id = fixture.add_organization("Acme");
    let directory = NewDirectory {
        organization_id: organization_id.clone(),
        name: "Acme Okta".to_owned(),
        ..NewDirectory::default()
    };
    let directory = fixture
        .environment
        .transact(|tx| directories::create(tx, directory))
        .unwrap();
    let membership = NewMembership {
        id: None,
        user_id: fixture.user_id.clone(),
        organization_id,
        roles: Vec::new(),
        status: MembershipStatus::Active,
        directory_id: Some(directory.id.clone()),
    };
    fixture
        .environment
        .transact(|tx| memberships::create(tx, membership))
        .unwrap();
    let not_allowed = refused(409, "email_change_not_allowed");
    assert_eq!(refusal(sent(&fixture, NEW)), not_allowed);
    assert_eq!(refusal(confirmed(&fixture, &code)), not_allowed);
    let update = users::update_user(&call(&fixture, &fixture.user_id, json!({ "email": NEW })));
    assert_eq!(
        refusal(answered(update)),
        refused(400, "email_change_not_allowed")
    );
    let same = users::update_user(&call(&fixture, &fixture.user_id, json!({ "email": EMAIL })));
    answered(same).unwrap();
    // Nobody manages them when it is deleted.
    fixture
        .environment
        .transact(|tx| directories::delete(tx, &directory.id))
        .unwrap();
    confirmed(&fixture, &code).unwrap();
}
