mod cascade;

use serde_json::{Value, json};

use super::{
    challenges::{challenge_factor, verify_challenge},
    factors::{delete_factor, enroll_factor, get_factor},
    user_factors::{create_user_auth_factor, list_user_auth_factors},
};
use crate::{
    api::user_management::authenticate::fixture::{EMAIL, Fixture, merged},
    core::{
        qr_code,
        totp::{TotpSecret, step_at},
    },
    server::{call::Call, error::ApiError, reply::Reply},
};

const PHONE: &str = "+15555550123";
const NOW: &str = "2026-01-15T12:00:00.000Z";

/// Status and body of the answer.
fn answer(
    fixture: &Fixture,
    operation: fn(&Call) -> Result<Reply, ApiError>,
    params: &[(&str, &str)],
    body: Value,
) -> (u16, Value) {
    let reply = operation(&Call::for_tests(&fixture.environment, params, "", body));
    let reply = reply.unwrap_or_else(Reply::from);
    (
        reply.status,
        serde_json::from_slice(&reply.body).unwrap_or_default(),
    )
}

fn enroll(fixture: &Fixture, body: Value) -> (u16, Value) {
    answer(fixture, enroll_factor, &[], body)
}

fn enrolled(fixture: &Fixture, body: Value) -> Value {
    let (status, factor) = enroll(fixture, body);
    assert_eq!(status, 201, "{factor}");
    factor
}

fn totp(fixture: &Fixture) -> Value {
    enrolled(
        fixture,
        json!({"type": "totp", "totp_issuer": "Foo Corp", "totp_user": "ada"}),
    )
}

fn id(of: &Value) -> &str {
    of["id"].as_str().unwrap()
}

fn challenge(fixture: &Fixture, factor: &Value, body: Value) -> Value {
    let (status, challenge) = answer(fixture, challenge_factor, &[("id", id(factor))], body);
    assert_eq!(status, 201, "{challenge}");
    challenge
}

fn verify(fixture: &Fixture, challenge: &Value, code: &str) -> (u16, Value) {
    answer(
        fixture,
        verify_challenge,
        &[("id", id(challenge))],
        json!({"code": code}),
    )
}

/// Whether the code was right, from an answer that is no refusal.
fn valid(fixture: &Fixture, challenge: &Value, code: &str) -> bool {
    let (status, body) = verify(fixture, challenge, code);
    assert_eq!(
        (status, &body["challenge"]["id"]),
        (201, &challenge["id"]),
        "{body}"
    );
    body["valid"].as_bool().unwrap()
}

fn refusal((status, body): (u16, Value)) -> (u16, String) {
    (status, body["code"].as_str().unwrap_or_default().to_owned())
}

/// The code that the app shows, `steps` from now.
fn code(fixture: &Fixture, factor: &Value, steps: i64) -> String {
    let secret = TotpSecret::parse(factor["totp"]["secret"].as_str().unwrap()).unwrap();
    let now = step_at(fixture.environment.clock.now());
    secret.code(now.checked_add_signed(steps).unwrap())
}

fn last_message(fixture: &Fixture) -> (String, String, String, String) {
    let state = fixture.environment.state();
    let message = state.messages.iter().last().unwrap();
    (
        message.kind.clone(),
        message.to.clone(),
        message.text.clone(),
        message.code.clone().unwrap(),
    )
}

#[test]
fn an_authenticator_app_gets_secret_uri_and_qr_code_once() {
    let fixture = Fixture::new();
    let factor = totp(&fixture);
    let secret = factor["totp"]["secret"].as_str().unwrap();
    assert_eq!(secret.len(), 32, "160 bits");
    let uri = format!("otpauth://totp/Foo%20Corp:ada?secret={secret}&issuer=Foo%20Corp");
    let qr_code = factor["totp"]["qr_code"].as_str().unwrap();
    assert_eq!(qr_code::scan(qr_code), uri);
    assert_eq!(
        factor,
        json!({
            "object": "authentication_factor", "id": id(&factor), "type": "totp",
            "totp": {"issuer": "Foo Corp", "user": "ada", "secret": secret, "qr_code": qr_code, "uri": uri},
            "created_at": NOW, "updated_at": NOW,
        })
    );
    assert!(id(&factor).starts_with("auth_factor_"));
    let shown = answer(&fixture, get_factor, &[("id", id(&factor))], Value::Null);
    assert_eq!(
        shown,
        (
            200,
            json!({
                "object": "authentication_factor", "id": id(&factor), "type": "totp",
                "totp": {"issuer": "Foo Corp", "user": "ada"},
                "created_at": NOW, "updated_at": NOW,
            })
        )
    );
    assert_ne!(totp(&fixture)["totp"]["secret"], secret, "each has its own");
}

#[test]
fn a_challenge_of_an_app_is_answered_once_by_a_code_used_once() {
    let fixture = Fixture::new();
    let factor = totp(&fixture);
    let first = challenge(
        &fixture,
        &factor,
        json!({"sms_template": "for apps, this means nothing"}),
    );
    assert_eq!(
        first,
        json!({
            "object": "authentication_challenge", "id": id(&first),
            "authentication_factor_id": id(&factor), "created_at": NOW, "updated_at": NOW,
        })
    );
    assert!(!valid(&fixture, &first, &code(&fixture, &factor, 2)));
    assert!(!valid(&fixture, &first, "12345"));
    let right = code(&fixture, &factor, 0);
    assert!(valid(&fixture, &first, &right));
    assert_eq!(
        verify(&fixture, &first, &code(&fixture, &factor, 1)),
        (
            422,
            json!({
                "code": "authentication_challenge_previously_verified",
                "message": format!("The authentication challenge '{}' has already been verified.", id(&first)),
            })
        )
    );
    let second = challenge(&fixture, &factor, json!({}));
    assert!(
        !valid(&fixture, &second, &right),
        "the code is used, whatever the challenge"
    );
    assert!(
        !valid(&fixture, &second, &code(&fixture, &factor, -1)),
        "so is the one before"
    );
    fixture.advance(365 * 24 * 3600);
    assert!(
        valid(&fixture, &second, &code(&fixture, &factor, 0)),
        "it does not expire"
    );
}

#[test]
fn wrong_codes_lock_an_app_for_a_while_whatever_the_challenge() {
    let fixture = Fixture::new();
    let factor = totp(&fixture);
    for _ in 0..5 {
        let challenge = challenge(&fixture, &factor, json!({}));
        assert!(!valid(&fixture, &challenge, "x"));
    }
    let challenge = challenge(&fixture, &factor, json!({}));
    let locked = (400, "one_time_code_too_many_attempts".to_owned());
    assert_eq!(
        refusal(verify(&fixture, &challenge, &code(&fixture, &factor, 0))),
        locked
    );
    fixture.advance(599);
    assert_eq!(
        refusal(verify(&fixture, &challenge, &code(&fixture, &factor, 0))),
        locked
    );
    fixture.advance(1);
    assert!(valid(&fixture, &challenge, &code(&fixture, &factor, 0)));
}

#[test]
fn an_sms_brings_a_code_that_lasts_ten_minutes() {
    let fixture = Fixture::new();
    let factor = enrolled(&fixture, json!({"type": "sms", "phone_number": PHONE}));
    assert_eq!(
        factor,
        json!({
            "object": "authentication_factor", "id": id(&factor), "type": "sms",
            "sms": {"phone_number": PHONE}, "created_at": NOW, "updated_at": NOW,
        })
    );
    let template = json!({"sms_template": "Foo Corp says {{code}}."});
    let first = challenge(&fixture, &factor, template);
    assert_eq!(first["expires_at"], "2026-01-15T12:10:00.000Z");
    assert_eq!(first.get("code"), None, "it is for the phone's owner");
    let (kind, to, text, sent) = last_message(&fixture);
    assert_eq!((kind.as_str(), to.as_str()), ("sms", PHONE));
    assert!(text.contains(&format!("Foo Corp says {sent}.")), "{text}");
    assert!(valid(&fixture, &first, &sent));
    assert_eq!(
        refusal(verify(&fixture, &first, &sent)),
        (422, "authentication_challenge_previously_verified".to_owned())
    );

    let second = challenge(&fixture, &factor, json!({}));
    let (.., text, sent) = last_message(&fixture);
    assert!(
        text.contains(&format!("Your verification code is {sent}.")),
        "{text}"
    );
    fixture.advance(600);
    assert_eq!(
        verify(&fixture, &second, &sent),
        (
            422,
            json!({
                "code": "authentication_challenge_expired",
                "message": format!("The authentication challenge '{}' has expired.", id(&second)),
            })
        )
    );

    let third = challenge(&fixture, &factor, json!({}));
    let (.., sent) = last_message(&fixture);
    for _ in 0..5 {
        assert!(!valid(&fixture, &third, "x"));
    }
    assert_eq!(
        refusal(verify(&fixture, &third, &sent)),
        (400, "one_time_code_too_many_attempts".to_owned())
    );
}

#[test]
fn a_generic_code_is_given_to_the_application() {
    let fixture = Fixture::new();
    let factor = enrolled(&fixture, json!({"type": "generic_otp"}));
    assert_eq!((factor.get("sms"), factor.get("totp")), (None, None));
    let challenge = challenge(&fixture, &factor, json!({}));
    assert_eq!(fixture.environment.state().messages.len(), 0);
    let code = challenge["code"].as_str().unwrap();
    assert_eq!(code.len(), 6);
    assert!(valid(&fixture, &challenge, code));
}

#[test]
fn what_cannot_be_enrolled_is_said_field_by_field() {
    let fixture = Fixture::new();
    let app = json!({"type": "totp", "totp_issuer": "Foo", "totp_user": "ada"});
    for (body, fields) in [
        (json!({}), vec!["type"]),
        (json!({"type": "webauthn"}), vec!["type"]),
        (json!({"type": "totp"}), vec!["totp_issuer", "totp_user"]),
        (
            merged(app.clone(), json!({"totp_issuer": " "})),
            vec!["totp_issuer"],
        ),
        (
            merged(app.clone(), json!({"totp_user": "a:b"})),
            vec!["totp_user"],
        ),
        (
            merged(app.clone(), json!({"totp_issuer": "x".repeat(2400)})),
            vec!["totp_issuer"],
        ),
        (merged(app, json!({"user_id": "user_none"})), vec!["user_id"]),
        (json!({"type": "sms"}), vec!["phone_number"]),
    ] {
        let (status, refused) = enroll(&fixture, body.clone());
        assert_eq!(status, 422, "{body}");
        let errors = refused["errors"].as_array().unwrap();
        let named: Vec<_> = errors.iter().map(|error| &error["field"]).collect();
        assert_eq!(named, fields, "{body}");
    }
    assert_eq!(
        enroll(&fixture, json!({"type": "sms", "phone_number": "foo"})),
        (
            422,
            json!({"code": "invalid_phone_number", "message": "Phone number is invalid: 'foo'."})
        )
    );
    assert_eq!(fixture.environment.state().authentication_factors.len(), 0);
    let factor = enrolled(&fixture, json!({"type": "sms", "phone_number": PHONE}));
    let without_code = json!({"sms_template": "Hello."});
    let refused = answer(&fixture, challenge_factor, &[("id", id(&factor))], without_code);
    assert_eq!(refused.0, 422);
    let state = fixture.environment.state();
    assert_eq!(
        (state.messages.len(), state.authentication_challenges.len()),
        (0, 0)
    );
}

#[test]
fn what_is_not_there_is_not_found() {
    let fixture = Fixture::new();
    let not_found = (404, "entity_not_found".to_owned());
    let none = [("id", "none"), ("userlandUserId", "none")];
    for operation in [
        get_factor as fn(&Call) -> Result<Reply, ApiError>,
        delete_factor,
        challenge_factor,
        verify_challenge,
        list_user_auth_factors,
        create_user_auth_factor,
    ] {
        let body = json!({"code": "123456", "type": "totp"});
        assert_eq!(refusal(answer(&fixture, operation, &none, body)), not_found);
    }
    let challenge = challenge(&fixture, &totp(&fixture), json!({}));
    let without_code = answer(&fixture, verify_challenge, &[("id", id(&challenge))], json!({}));
    assert_eq!(without_code.0, 422);
}

#[test]
fn a_factor_takes_its_challenges_along() {
    let fixture = Fixture::new();
    let (kept, gone) = (totp(&fixture), totp(&fixture));
    let other = challenge(&fixture, &kept, json!({}));
    let challenge = challenge(&fixture, &gone, json!({}));
    let deleted = answer(&fixture, delete_factor, &[("id", id(&gone))], Value::Null);
    assert_eq!(deleted, (204, Value::Null));
    for (operation, of) in [
        (get_factor as fn(&Call) -> Result<Reply, ApiError>, &gone),
        (delete_factor, &gone),
        (verify_challenge, &challenge),
    ] {
        let outcome = answer(&fixture, operation, &[("id", id(of))], json!({"code": "1"}));
        assert_eq!(outcome.0, 404);
    }
    assert!(valid(&fixture, &other, &code(&fixture, &kept, 0)));
}

#[test]
fn a_user_gets_an_app_and_a_challenge() {
    let fixture = Fixture::new();
    let user = [("userlandUserId", fixture.user_id.as_str())];
    let create = |body| answer(&fixture, create_user_auth_factor, &user, body);
    let (status, created) = create(json!({"type": "totp"}));
    assert_eq!(status, 201, "{created}");
    let factor = &created["authentication_factor"];
    assert_eq!(
        (
            &factor["user_id"],
            &factor["totp"]["issuer"],
            &factor["totp"]["user"]
        ),
        (&json!(fixture.user_id), &json!("test"), &json!(EMAIL))
    );
    let uri = factor["totp"]["uri"].as_str().unwrap();
    assert_eq!(qr_code::scan(factor["totp"]["qr_code"].as_str().unwrap()), uri);
    let challenge = &created["authentication_challenge"];
    assert_eq!(challenge["authentication_factor_id"], factor["id"]);
    assert!(valid(&fixture, challenge, &code(&fixture, factor, 0)));

    fixture.set(|settings| settings.branding.name = Some("Acme: Staging".to_owned()));
    let (_, own) = create(json!({
        "type": "totp", "totp_user": "Ada", "totp_secret": "jbsw y3dp ehpk 3pxp",
    }));
    let own = &own["authentication_factor"]["totp"];
    assert_eq!(
        (&own["issuer"], &own["user"], &own["secret"]),
        (&json!("Acme  Staging"), &json!("Ada"), &json!("JBSWY3DPEHPK3PXP"))
    );

    for (body, field) in [
        (json!({}), "type"),
        (json!({"type": "sms"}), "type"),
        (
            json!({"type": "totp", "totp_secret": "not base32!"}),
            "totp_secret",
        ),
        (json!({"type": "totp", "totp_secret": ""}), "totp_secret"),
        (json!({"type": "totp", "totp_issuer": ":"}), "totp_issuer"),
    ] {
        let (status, refused) = create(body);
        assert_eq!((status, &refused["errors"][0]["field"]), (422, &json!(field)));
    }

    enrolled(
        &fixture,
        json!({"type": "sms", "phone_number": PHONE, "user_id": fixture.user_id}),
    );
    totp(&fixture);
    let (status, list) = answer(&fixture, list_user_auth_factors, &user, Value::Null);
    let listed = list["data"].as_array().unwrap();
    let types: Vec<_> = listed
        .iter()
        .filter_map(|factor| factor["type"].as_str())
        .collect();
    assert_eq!(
        (status, types),
        (200, vec!["sms", "totp", "totp"]),
        "newest first"
    );
    assert_eq!(list["list_metadata"], json!({"before": null, "after": null}));
    assert_eq!(
        list["data"][1]["totp"],
        json!({"issuer": "Acme  Staging", "user": "Ada"})
    );
}

#[test]
fn no_secret_is_shown_by_debug() {
    let fixture = Fixture::new();
    let factor = totp(&fixture);
    let shown = format!(
        "{:?}",
        fixture
            .environment
            .state()
            .authentication_factors
            .get(id(&factor))
    );
    assert!(
        !shown.contains(factor["totp"]["secret"].as_str().unwrap()),
        "{shown}"
    );
}
