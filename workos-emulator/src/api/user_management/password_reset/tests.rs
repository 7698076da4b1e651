use serde_json::Value;

use super::*;
use crate::{
    api::{
        organizations,
        user_management::{
            authenticate::fixture::{EMAIL, Fixture, PASSWORD, refusal},
            organization_policies::{DomainPolicy, PolicyChanges},
        },
    },
    server::body::Patch,
};

const NEW: &str = "quiet lighthouse keeper";

/// What a request for Ada answers.
fn asked(fixture: &Fixture) -> Value {
    fixture.run(reset_password, json!({"email": EMAIL}))
}

fn token(reset: &Value) -> &str {
    reset["password_reset_token"].as_str().unwrap()
}

fn confirmed(fixture: &Fixture, token: &str, password: &str) -> Result<Value, ApiError> {
    let body = json!({"token": token, "new_password": password});
    let reply = confirm_password_reset(&fixture.call("", body))?;
    assert_eq!(reply.status, 200);
    Ok(serde_json::from_slice(&reply.body).unwrap())
}

/// Status, code and inner code of a refusal.
fn refused(fixture: &Fixture, token: &str) -> (u16, String, String) {
    let refused = confirmed(fixture, token, NEW).unwrap_err();
    let inner = refused
        .body
        .get("errors")
        .map_or("", |errors| errors[0]["code"].as_str().unwrap_or_default());
    let code = refused.code().unwrap_or_default().to_owned();
    (refused.status, code, inner.to_owned())
}

fn of_token(code: &str) -> (u16, String, String) {
    (400, "password_reset_error".to_owned(), code.to_owned())
}

fn unknown() -> (u16, String, String) {
    (404, "entity_not_found".to_owned(), String::new())
}

#[test]
fn a_token_sets_the_password_verifies_the_address_and_ends_all_sessions() {
    let fixture = Fixture::new();
    fixture
        .environment
        .transact(|tx| {
            let user = User::clone(users::find(tx, &fixture.user_id)?);
            let unverified = User {
                email_verified: false,
                ..user
            };
            tx.put(unverified).map_err(ApiError::from)
        })
        .unwrap();
    fixture.set(|settings| settings.email_verification = false);
    let session = fixture.claims(&fixture.signed_in()).sid;
    let other = fixture.claims(&fixture.signed_in()).sid;
    let reset = asked(&fixture);
    assert_eq!(
        reset,
        json!({
            "object": "password_reset", "id": reset["id"], "user_id": fixture.user_id, "email": EMAIL,
            "expires_at": "2026-01-15T12:15:00.000Z", "created_at": "2026-01-15T12:00:00.000Z",
            "password_reset_token": token(&reset),
            "password_reset_url": format!(
                "http://auth.test/authkit/reset-password?token={}&client_id={}",
                token(&reset), fixture.environment.client_id,
            ),
        })
    );
    assert_eq!(token(&reset).len(), 25);
    let before = fixture.events("").len();

    let answer = confirmed(&fixture, token(&reset), NEW).unwrap();
    assert_eq!(
        (&answer["user"]["id"], &answer["user"]["email_verified"]),
        (&json!(fixture.user_id), &json!(true))
    );
    let events = fixture.events("").split_off(before);
    let names: Vec<_> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "user.updated",
            "password_reset.succeeded",
            "session.revoked",
            "session.revoked"
        ]
    );
    assert_eq!(events[0].1, answer["user"]);
    assert_eq!(
        events[1].1,
        json!({
            "object": "password_reset", "id": reset["id"], "user_id": fixture.user_id, "email": EMAIL,
            "expires_at": "2026-01-15T12:15:00.000Z", "created_at": "2026-01-15T12:00:00.000Z",
        })
    );
    assert_eq!(
        (&events[2].1["id"], &events[3].1["id"]),
        (&json!(session), &json!(other))
    );
    assert_eq!(refusal(fixture.with_password(PASSWORD)).0, 400);
    assert!(fixture.with_password(NEW).is_ok());
}

#[test]
fn the_event_and_the_mail_say_what_they_may() {
    let fixture = Fixture::new();
    let reset = asked(&fixture);
    let created = fixture.events("password_reset.").pop().unwrap();
    assert_eq!(created.0, "password_reset.created");
    let text = created.1.to_string();
    assert!(text.contains(EMAIL) && !text.contains(token(&reset)), "{text}");
    let state = fixture.environment.state();
    let message = state.messages.iter().next_back().unwrap();
    assert_eq!(
        (message.kind.as_str(), message.to.as_str()),
        ("password_reset", EMAIL)
    );
    assert_eq!(message.token.as_deref(), Some(token(&reset)));
    assert_eq!(message.url.as_deref(), reset["password_reset_url"].as_str());
    assert_eq!(fixture.environment.state().messages.len(), 1);
}

#[test]
fn a_token_is_good_once_and_for_a_quarter_of_an_hour() {
    let fixture = Fixture::new();
    let late = asked(&fixture);
    fixture.advance(15 * 60);
    assert_eq!(
        refused(&fixture, token(&late)),
        of_token("password_reset_token_expired")
    );
    let used = asked(&fixture);
    fixture.advance(15 * 60 - 1);
    confirmed(&fixture, token(&used), NEW).unwrap();
    assert_eq!(
        refused(&fixture, token(&used)),
        of_token("password_reset_token_used")
    );
    for unknown_token in ["", "x", &token(&used)[1..]] {
        assert_eq!(refused(&fixture, unknown_token), unknown());
    }
    assert!(fixture.with_password(NEW).is_ok());
}

#[test]
fn only_the_newest_token_of_a_user_is_good() {
    let fixture = Fixture::new();
    fixture.add_user("bob@example.com");
    let of_bob = fixture.run(reset_password, json!({"email": "bob@example.com"}));
    let (older, newer) = (asked(&fixture), asked(&fixture));
    assert_eq!(
        refused(&fixture, token(&older)),
        of_token("password_reset_token_replaced")
    );
    confirmed(&fixture, token(&newer), NEW).unwrap();
    let answer = confirmed(&fixture, token(&of_bob), NEW).unwrap();
    assert_eq!(answer["user"]["email"], "bob@example.com");
}

#[test]
fn a_token_is_void_once_the_password_or_the_address_has_changed() {
    let fixture = Fixture::new();
    let update = |changes: Value| {
        let call = Call::for_tests(&fixture.environment, &[("id", &fixture.user_id)], "", changes);
        users::update_user(&call).unwrap()
    };
    let reset = asked(&fixture);
    update(json!({"first_name": "Ada"}));
    update(json!({"password": "another quiet lighthouse"}));
    assert_eq!(
        refused(&fixture, token(&reset)),
        of_token("password_reset_token_replaced")
    );
    let reset = asked(&fixture);
    update(json!({"email": "ada@elsewhere.example"}));
    assert_eq!(
        refused(&fixture, token(&reset)),
        of_token("password_reset_token_replaced")
    );
}

#[test]
fn a_weak_password_uses_nothing_up() {
    let fixture = Fixture::new();
    let reset = asked(&fixture);
    let weak = confirmed(&fixture, token(&reset), "password").unwrap_err();
    assert_eq!((weak.status, weak.code()), (400, Some("password_reset_error")));
    let codes: Vec<_> = weak.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["code"])
        .collect();
    assert_eq!(
        codes,
        ["password_too_short", "password_too_weak", "password_pwned"]
    );
    assert!(fixture.events("password_reset.succeeded").is_empty());
    confirmed(&fixture, token(&reset), NEW).unwrap();
}

#[test]
fn the_policy_can_refuse_former_passwords() {
    let fixture = Fixture::new();
    fixture.set(|settings| settings.password_policy.history = 1);
    let reset = asked(&fixture);
    let same = confirmed(&fixture, token(&reset), PASSWORD).unwrap_err();
    assert_eq!(same.body["errors"][0]["code"], "password_used_before");
    confirmed(&fixture, token(&reset), NEW).unwrap();
}

#[test]
fn without_sign_in_by_password_there_is_nothing_to_reset() {
    let fixture = Fixture::new();
    let reset = asked(&fixture);
    fixture.set(|settings| settings.sign_in_methods.password = false);
    let off = (403, "email_password_auth_disabled".to_owned(), String::new());
    assert_eq!(refused(&fixture, token(&reset)), off);
    let asked = reset_password(&fixture.call("", json!({"email": EMAIL}))).unwrap_err();
    assert_eq!(
        (asked.status, asked.code()),
        (403, Some("email_password_auth_disabled"))
    );
    assert_eq!(fixture.environment.state().messages.len(), 1);
}

#[test]
fn wrong_requests_are_told_what_is_wrong() {
    let fixture = Fixture::new();
    let refused = |operation: fn(&Call) -> Result<Reply, ApiError>, body: Value| {
        let refused = operation(&fixture.call("", body)).unwrap_err();
        (refused.status, refused.code().unwrap_or_default().to_owned())
    };
    let invalid = (422, "invalid_request_parameters".to_owned());
    for body in [json!({}), json!({"email": null}), json!({"email": 1})] {
        assert_eq!(refused(reset_password, body), invalid);
    }
    for body in [
        json!({"token": "x"}),
        json!({"new_password": NEW}),
        json!({"token": 1, "new_password": NEW}),
    ] {
        assert_eq!(refused(confirm_password_reset, body), invalid);
    }
    let missing = (404, "entity_not_found".to_owned());
    assert_eq!(
        refused(reset_password, json!({"email": "nobody@example.com"})),
        missing
    );
    assert_eq!(refused(get_password_reset, json!({})), missing);
    assert!(fixture.environment.state().password_resets.len() == 0);
}

#[test]
fn a_reset_can_be_read_with_its_token_and_goes_with_its_user() {
    let fixture = Fixture::new();
    let reset = asked(&fixture);
    let id = reset["id"].as_str().unwrap();
    let read = |id: &str| {
        get_password_reset(&Call::for_tests(
            &fixture.environment,
            &[("id", id)],
            "",
            json!({}),
        ))
    };
    let mut shown: Value = serde_json::from_slice(&read(id).unwrap().body).unwrap();
    // Read by another client, which reaches the emulator by another name.
    assert!(
        shown["password_reset_url"]
            .as_str()
            .unwrap()
            .starts_with("http://localhost/authkit/")
    );
    shown["password_reset_url"] = reset["password_reset_url"].clone();
    assert_eq!(shown, reset);
    asked(&fixture);
    assert_eq!(fixture.environment.state().password_resets.len(), 2);
    fixture
        .environment
        .transact(|tx| users::delete(tx, &fixture.user_id))
        .unwrap();
    assert_eq!(fixture.environment.state().password_resets.len(), 0);
    assert_eq!(refused(&fixture, token(&reset)), unknown());
    assert_eq!(read(id).unwrap_err().status, 404);
}

#[test]
fn the_application_can_have_a_page_of_its_own() {
    let fixture = Fixture::new();
    fixture.set(|settings| {
        settings.password_reset_url = Some("https://app.example.com/reset?lang=en#form".to_owned());
    });
    let reset = asked(&fixture);
    assert_eq!(
        reset["password_reset_url"],
        format!(
            "https://app.example.com/reset?lang=en&token={}#form",
            token(&reset)
        )
    );
}

#[test]
fn three_links_a_minute_go_to_an_address() {
    let fixture = Fixture::new();
    fixture.add_user("bob@example.com");
    let ask = |email: &str| reset_password(&fixture.call("", json!({"email": email})));
    for _ in 0..3 {
        ask(EMAIL).unwrap();
    }
    let refused = ask("ADA@example.com").unwrap_err();
    assert_eq!(refused.status, 429);
    assert!(
        refused
            .headers
            .iter()
            .any(|(name, value)| *name == "Retry-After" && value == "60")
    );
    assert_eq!(fixture.environment.state().messages.len(), 3);
    ask("bob@example.com").unwrap();
    fixture.advance(60);
    ask(EMAIL).unwrap();
    fixture.set(|settings| settings.daily_email_quota = Some(0));
    fixture.advance(60);
    let refused = ask(EMAIL).unwrap_err();
    assert_eq!(
        (refused.status, refused.code()),
        (429, Some("daily_quota_exceeded"))
    );
}

#[test]
fn whose_domain_has_no_passwords_gets_no_link() {
    let fixture = Fixture::new();
    let domain = json!({"name": "Example", "domain_data": [{"domain": "example.com", "state": "verified"}]});
    let organization = fixture.run(organizations::create_organization, domain);
    let allow = |methods: &[AuthenticationMethod]| {
        let changes = PolicyChanges {
            domain_policy: Patch::Set(DomainPolicy {
                auth_methods: methods.to_vec(),
            }),
            ..PolicyChanges::default()
        };
        let id = organization["id"].as_str().unwrap();
        fixture
            .environment
            .transact(|tx| organization_policies::change(tx, id, changes))
            .unwrap();
    };
    let ask = || reset_password(&fixture.call("", json!({"email": EMAIL})));
    allow(&[AuthenticationMethod::MagicAuth]);
    let refused = ask().unwrap_err();
    assert_eq!(
        (refused.status, refused.code()),
        (403, Some("password_reset_not_allowed"))
    );
    assert_eq!(fixture.environment.state().messages.len(), 0);
    allow(&[AuthenticationMethod::MagicAuth, AuthenticationMethod::Password]);
    ask().unwrap();
}
