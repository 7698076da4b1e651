use serde_json::{Value, json};

use crate::{
    api::user_management::{
        authenticate::fixture::{Fixture, PASSWORD, merged, refusal},
        email_verification::{get_email_verification, send_verification_email, verify_email},
        users,
    },
    control::sign_in::{WantedSignIn, sign_in_as},
    server::{call::Call, error::ApiError, reply::Reply},
};

const GRANT: &str = "urn:workos:oauth:grant-type:email-verification:code";
const GRACE: &str = "grace@example.com";

/// Grace, whose address is not verified.
fn unverified(fixture: &Fixture) -> String {
    let body = json!({"email": GRACE, "password": PASSWORD});
    let grace = fixture.run(users::create_user, body);
    assert_eq!(grace["email_verified"], false);
    grace["id"].as_str().unwrap().to_owned()
}

fn with_password(fixture: &Fixture) -> Result<Value, ApiError> {
    fixture.authenticate(json!({"grant_type": "password", "email": GRACE, "password": PASSWORD}))
}

/// What the gate answers.
fn held_up(fixture: &Fixture) -> Value {
    let refused = with_password(fixture).unwrap_err();
    assert_eq!(
        (refused.status, refused.code()),
        (403, Some("email_verification_required"))
    );
    refused.body.into()
}

fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body[name].as_str().unwrap()
}

fn redeem(fixture: &Fixture, token: &str, code: &str) -> Result<Value, ApiError> {
    fixture.authenticate(json!({"grant_type": GRANT, "pending_authentication_token": token, "code": code}))
}

fn of_user(
    fixture: &Fixture,
    operation: fn(&Call) -> Result<Reply, ApiError>,
    id: &str,
    body: Value,
) -> Result<Value, ApiError> {
    let reply = operation(&Call::for_tests(&fixture.environment, &[("id", id)], "", body))?;
    assert_eq!(reply.status, 200);
    Ok(serde_json::from_slice(&reply.body).unwrap())
}

fn confirm(fixture: &Fixture, id: &str, code: &str) -> Result<Value, ApiError> {
    of_user(fixture, verify_email, id, json!({"code": code}))
}

fn send(fixture: &Fixture, id: &str) -> Result<Value, ApiError> {
    of_user(fixture, send_verification_email, id, json!({}))
}

/// The code of the last mail.
fn mailed(fixture: &Fixture) -> String {
    let state = fixture.environment.state();
    let mail = state.messages.iter().last().unwrap();
    assert_eq!(
        (mail.kind.as_str(), mail.to.as_str()),
        ("email_verification", GRACE)
    );
    mail.code.clone().unwrap()
}

fn names_after(fixture: &Fixture, before: usize) -> Vec<String> {
    let events = fixture.events("").into_iter().skip(before);
    events.map(|(name, _)| name).collect()
}

fn refused(code: &str) -> (u16, String) {
    (400, code.to_owned())
}

#[test]
fn the_gate_sends_a_code_which_lets_her_in() {
    let fixture = Fixture::new();
    unverified(&fixture);
    let before = fixture.events("").len();
    let gate = held_up(&fixture);
    let mut members: Vec<_> = gate.as_object().unwrap().keys().cloned().collect();
    members.sort();
    assert_eq!(
        members,
        [
            "code",
            "email",
            "email_verification_id",
            "message",
            "pending_authentication_token"
        ]
    );
    assert_eq!(
        (text(&gate, "email"), text(&gate, "message")),
        (GRACE, "Email ownership must be verified before authentication.")
    );
    let id = text(&gate, "email_verification_id");
    let verification = of_user(&fixture, get_email_verification, id, Value::Null).unwrap();
    let code = text(&verification, "code");
    assert_eq!(
        (code, text(&verification, "email")),
        (mailed(&fixture).as_str(), GRACE)
    );

    let signed_in = redeem(&fixture, text(&gate, "pending_authentication_token"), code).unwrap();
    assert_eq!(signed_in["user"]["email_verified"], true);
    assert_eq!(signed_in["authentication_method"], "Password");
    assert_eq!(
        names_after(&fixture, before),
        [
            "authentication.password_succeeded",
            "email_verification.created",
            "authentication.email_verification_succeeded",
            "user.updated",
            "session.created",
        ]
    );
    with_password(&fixture).unwrap();
}

#[test]
fn a_token_and_a_code_are_good_once() {
    let fixture = Fixture::new();
    unverified(&fixture);
    let gate = held_up(&fixture);
    let (token, code) = (text(&gate, "pending_authentication_token"), mailed(&fixture));
    redeem(&fixture, token, &code).unwrap();
    assert_eq!(
        refusal(redeem(&fixture, token, &code)),
        refused("invalid_pending_authentication_token")
    );
    assert_eq!(
        refusal(redeem(&fixture, "none", &code)),
        refused("invalid_pending_authentication_token")
    );
}

#[test]
fn each_refusal_has_its_code_and_is_told() {
    let fixture = Fixture::new();
    unverified(&fixture);
    let gate = held_up(&fixture);
    let (token, code) = (text(&gate, "pending_authentication_token"), mailed(&fixture));
    assert_eq!(
        refusal(redeem(&fixture, token, "x")),
        refused("invalid_one_time_code")
    );
    fixture.set(|settings| settings.pending_authentication_lifetime = 3600);
    let gate = held_up(&fixture);
    let newer = mailed(&fixture);
    assert_ne!(code, newer);
    let token = text(&gate, "pending_authentication_token");
    assert_eq!(
        refusal(redeem(&fixture, token, &code)),
        refused("invalid_one_time_code")
    );
    fixture.advance(600);
    assert_eq!(
        refusal(redeem(&fixture, token, &newer)),
        refused("one_time_code_expired")
    );
    for _ in 0..4 {
        redeem(&fixture, token, "x").unwrap_err();
    }
    assert_eq!(
        refusal(redeem(&fixture, token, &newer)),
        refused("one_time_code_too_many_attempts")
    );
    let failed = fixture.events("authentication.email_verification_failed");
    assert_eq!(failed.len(), 8);
    assert_eq!(
        (&failed[2].1["error"]["code"], &failed[2].1["email"]),
        (&json!("one_time_code_expired"), &json!(GRACE))
    );
}

#[test]
fn who_tries_again_and_again_gets_the_last_code_until_it_is_void() {
    let fixture = Fixture::new();
    unverified(&fixture);
    for _ in 0..3 {
        held_up(&fixture);
    }
    let code = mailed(&fixture);
    let gate = held_up(&fixture);
    assert_eq!(fixture.environment.state().messages.len(), 3);
    let token = text(&gate, "pending_authentication_token");
    for _ in 0..5 {
        redeem(&fixture, token, "x").unwrap_err();
    }
    assert_eq!(
        refusal(with_password(&fixture)),
        (429, "rate_limit_exceeded".to_owned())
    );
    fixture.advance(60);
    assert_eq!(
        refusal(redeem(&fixture, token, &code)),
        refused("one_time_code_too_many_attempts")
    );
    held_up(&fixture);
    redeem(&fixture, token, &mailed(&fixture)).unwrap();
}

#[test]
fn the_next_gate_follows_with_a_new_token() {
    let fixture = Fixture::new();
    let grace = unverified(&fixture);
    for name in ["Acme", "Globex"] {
        let id = fixture.add_organization(name);
        fixture.add_membership(&id, json!({"user_id": grace}));
    }
    let gate = held_up(&fixture);
    let token = text(&gate, "pending_authentication_token");
    let next = redeem(&fixture, token, &mailed(&fixture)).unwrap_err();
    assert_eq!(
        (next.status, next.code()),
        (403, Some("organization_selection_required"))
    );
    assert_ne!(next.body["pending_authentication_token"], token);
    let choice = json!({
        "grant_type": "urn:workos:oauth:grant-type:organization-selection",
        "pending_authentication_token": next.body["pending_authentication_token"],
        "organization_id": next.body["organizations"][0]["id"],
    });
    assert_eq!(
        fixture.authenticate(choice).unwrap()["user"]["email_verified"],
        true
    );
}

#[test]
fn who_is_verified_or_need_not_be_is_not_held_up() {
    let fixture = Fixture::new();
    unverified(&fixture);
    fixture.signed_in();
    let short_cut = WantedSignIn {
        email: Some(GRACE.to_owned()),
        ..WantedSignIn::default()
    };
    let environment = &fixture.environment;
    let signed_in = sign_in_as(environment, "http://auth.test", &short_cut, Default::default()).unwrap();
    assert!(!signed_in.user.email_verified);
    fixture.set(|settings| settings.email_verification = false);
    with_password(&fixture).unwrap();
    assert_eq!(fixture.environment.state().messages.len(), 0);
}

#[test]
fn an_application_can_send_and_confirm_by_itself() {
    let fixture = Fixture::new();
    let grace = unverified(&fixture);
    let before = fixture.events("").len();
    assert_eq!(send(&fixture, &grace).unwrap()["user"]["email_verified"], false);
    let confirmed = confirm(&fixture, &grace, &mailed(&fixture)).unwrap();
    assert_eq!(
        (&confirmed["user"]["id"], &confirmed["user"]["email_verified"]),
        (&json!(grace), &json!(true))
    );
    assert_eq!(
        names_after(&fixture, before),
        [
            "email_verification.created",
            "authentication.email_verification_succeeded",
            "user.updated"
        ]
    );
    assert_eq!(refusal(send(&fixture, &grace)), refused("email_already_verified"));
    assert_eq!(
        refusal(confirm(&fixture, &grace, "123456")),
        refused("email_previously_verified")
    );
    with_password(&fixture).unwrap();
}

#[test]
fn a_confirmation_names_what_is_wrong() {
    let fixture = Fixture::new();
    let grace = unverified(&fixture);
    let incorrect = refused("email_verification_code_incorrect");
    assert_eq!(
        refusal(confirm(&fixture, &grace, "123456")),
        incorrect,
        "none was sent"
    );
    send(&fixture, &grace).unwrap();
    assert_eq!(refusal(confirm(&fixture, &grace, "x")), incorrect);
    assert_eq!(
        refusal(confirm(&fixture, &fixture.user_id, "x")).1,
        "email_previously_verified"
    );
    let old = mailed(&fixture);
    fixture.advance(600);
    assert_eq!(
        refusal(confirm(&fixture, &grace, &old)),
        refused("email_verification_code_expired")
    );
    send(&fixture, &grace).unwrap();
    let used = mailed(&fixture);
    confirm(&fixture, &grace, &used).unwrap();
    // Away and back: the address is unverified again.
    for email in ["hopper@example.com", GRACE] {
        of_user(&fixture, users::update_user, &grace, json!({"email": email})).unwrap();
    }
    assert_eq!(
        refusal(confirm(&fixture, &grace, &used)),
        refused("email_verification_code_previously_used")
    );
    for nobody in [confirm(&fixture, "user_none", "x"), send(&fixture, "user_none")] {
        assert_eq!(nobody.unwrap_err().status, 404);
    }
    assert_eq!(
        of_user(&fixture, verify_email, &grace, json!({}))
            .unwrap_err()
            .status,
        422
    );
    assert_eq!(
        of_user(
            &fixture,
            get_email_verification,
            "email_verification_none",
            Value::Null
        )
        .unwrap_err()
        .status,
        404
    );
}

#[test]
fn a_code_does_not_verify_the_address_that_came_after_it() {
    let fixture = Fixture::new();
    let grace = unverified(&fixture);
    send(&fixture, &grace).unwrap();
    let code = mailed(&fixture);
    of_user(
        &fixture,
        users::update_user,
        &grace,
        json!({"email": "victim@example.com"}),
    )
    .unwrap();
    assert_eq!(
        refusal(confirm(&fixture, &grace, &code)),
        refused("email_verification_code_incorrect")
    );
    assert!(
        !fixture
            .environment
            .state()
            .users
            .get(&grace)
            .unwrap()
            .email_verified
    );
}

#[test]
fn codes_are_limited_by_user() {
    let fixture = Fixture::new();
    let grace = unverified(&fixture);
    for _ in 0..3 {
        send(&fixture, &grace).unwrap();
    }
    assert_eq!(send(&fixture, &grace).unwrap_err().status, 429);
    fixture.advance(60);
    send(&fixture, &grace).unwrap();
    fixture.set(|settings| settings.daily_email_quota = Some(0));
    let quota = (429, "daily_quota_exceeded".to_owned());
    assert_eq!(refusal(send(&fixture, &grace)), quota);
    fixture.advance(600);
    assert_eq!(refusal(with_password(&fixture)), quota);
}

#[test]
fn a_deleted_user_leaves_no_codes_and_no_way_on() {
    let fixture = Fixture::new();
    let grace = unverified(&fixture);
    let gate = held_up(&fixture);
    let code = mailed(&fixture);
    users::delete_user(&Call::for_tests(
        &fixture.environment,
        &[("id", &grace)],
        "",
        Value::Null,
    ))
    .unwrap();
    let state = fixture.environment.state();
    assert_eq!(state.email_verifications.len(), 0);
    assert_eq!(
        refusal(redeem(
            &fixture,
            text(&gate, "pending_authentication_token"),
            &code
        )),
        refused("invalid_pending_authentication_token")
    );
}

#[test]
fn a_token_is_for_its_client_and_needs_the_secret() {
    let fixture = Fixture::new();
    unverified(&fixture);
    let gate = held_up(&fixture);
    let answer = json!({
        "grant_type": GRANT, "code": mailed(&fixture),
        "pending_authentication_token": gate["pending_authentication_token"],
    });
    let without_secret = merged(answer.clone(), json!({"client_secret": null}));
    assert_eq!(fixture.authenticate(without_secret).unwrap_err().status, 422);
    let of_another = merged(answer.clone(), json!({"client_id": "client_other"}));
    assert_eq!(
        refusal(fixture.authenticate(of_another)),
        refused("invalid_pending_authentication_token")
    );
    fixture.authenticate(answer).unwrap();
}
