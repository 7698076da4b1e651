use serde_json::{Value, json};

use super::*;
use crate::{
    api::user_management::{
        authenticate::fixture::{EMAIL, Fixture, PASSWORD, merged, refusal},
        radar_challenges::{create_radar_challenge, get_radar_challenge},
    },
    server::reply::Reply,
};

const PHONE: &str = "+15555550123";

/// Ada's password is right, and Radar wants to know more.
struct Challenged {
    fixture: Fixture,
    refused: ApiError,
}

fn challenged(channel: Channel) -> Challenged {
    let fixture = Fixture::new();
    fixture.set(|settings| settings.radar_challenge = Some(channel));
    let refused = fixture.with_password(PASSWORD).unwrap_err();
    assert_eq!(refused.status, 403);
    Challenged { fixture, refused }
}

impl Challenged {
    fn token(&self) -> &Value {
        &self.refused.body["pending_authentication_token"]
    }

    /// The code that came last.
    fn code(&self) -> String {
        let state = self.fixture.environment.state();
        state.messages.iter().last().unwrap().code.clone().unwrap()
    }

    /// A code that is not the right one.
    fn wrong(&self) -> String {
        let first = if self.code().starts_with('0') { "1" } else { "0" };
        format!("{first}{}", &self.code()[1..])
    }

    fn by_email(&self, with: Value) -> Result<Value, ApiError> {
        let body = json!({
            "grant_type": "urn:workos:oauth:grant-type:radar-email-challenge:code",
            "code": self.code(),
            "radar_challenge_id": self.refused.body.get("radar_challenge_id"),
            "pending_authentication_token": self.token(),
        });
        self.fixture.authenticate(merged(body, with))
    }

    fn send_sms(&self, with: Value) -> (u16, Value) {
        let body = json!({
            "user_id": self.fixture.user_id, "pending_authentication_token": self.token(), "phone_number": PHONE,
        });
        let reply = create_radar_challenge(&self.fixture.call("", merged(body, with)));
        let reply = reply.unwrap_or_else(Reply::from);
        (reply.status, serde_json::from_slice(&reply.body).unwrap())
    }

    fn by_sms(&self, sent: &Value, with: Value) -> Result<Value, ApiError> {
        let body = json!({
            "grant_type": "urn:workos:oauth:grant-type:radar-sms-challenge:code",
            "code": self.code(),
            "verification_id": sent["verification_id"],
            "phone_number": PHONE,
            "pending_authentication_token": self.token(),
        });
        self.fixture.authenticate(merged(body, with))
    }
}

fn bad_request(code: &str) -> (u16, String) {
    (400, code.to_owned())
}

#[test]
fn a_code_by_email_ends_the_challenge_once() {
    let challenged = challenged(Channel::Email);
    let fixture = &challenged.fixture;
    assert_eq!(challenged.refused.code(), Some("radar_challenge"));
    let id = challenged.refused.body["radar_challenge_id"].as_str().unwrap();
    assert!(id.starts_with("radar_challenge_"));
    let mut call = fixture.call("", Value::Null);
    let shown = |call: &Call| {
        let reply = get_radar_challenge(call)?;
        Ok::<Value, ApiError>(serde_json::from_slice(&reply.body).unwrap())
    };
    assert_eq!(shown(&call).unwrap_err().status, 404);
    call = Call::for_tests(&fixture.environment, &[("id", id)], "", Value::Null);
    assert_eq!(
        shown(&call).unwrap(),
        json!({
            "object": "radar_challenge",
            "id": id,
            "type": "email",
            "user_id": fixture.user_id,
            "email": EMAIL,
            "expires_at": "2026-01-15T12:10:00.000Z",
            "created_at": "2026-01-15T12:00:00.000Z",
            "updated_at": "2026-01-15T12:00:00.000Z",
            "code": challenged.code(),
        })
    );
    let data = json!({"type": "email", "radar_challenge_id": id, "user_id": fixture.user_id, "email": EMAIL});
    assert_eq!(
        fixture.events("radar."),
        [("radar.challenge_created".to_owned(), data)]
    );
    let wrong = json!({"code": challenged.wrong()});
    assert_eq!(
        refusal(challenged.by_email(wrong)),
        bad_request("invalid_one_time_code")
    );
    let signed_in = challenged.by_email(json!({})).unwrap();
    assert_eq!(signed_in["authentication_method"], "Password");
    assert_eq!(fixture.claims(&signed_in).sub, fixture.user_id);
    let again = refusal(challenged.by_email(json!({})));
    assert_eq!(again, bad_request("invalid_pending_authentication_token"));
    // The code is burnt too, for whoever begins anew with it.
    let token = fixture.with_password(PASSWORD).unwrap_err().body["pending_authentication_token"].clone();
    let used = shown(&call).unwrap()["code"].clone();
    let with = json!({"pending_authentication_token": token, "code": used});
    assert_eq!(
        refusal(challenged.by_email(with)),
        bad_request("one_time_code_previously_used")
    );
}

#[test]
fn the_challenge_cannot_be_gone_around() {
    let challenged = challenged(Channel::Email);
    let acme = challenged.fixture.add_own_organization("Acme");
    let around = challenged.fixture.authenticate(json!({
        "grant_type": "urn:workos:oauth:grant-type:organization-selection",
        "pending_authentication_token": challenged.token(),
        "organization_id": acme,
    }));
    assert_eq!(refusal(around), (403, "radar_challenge".to_owned()));
    assert_eq!(challenged.fixture.events("session."), []);
}

#[test]
fn what_follows_a_challenge_is_asked_for_after_it() {
    let challenged = challenged(Channel::Email);
    challenged.fixture.add_own_organization("Acme");
    challenged.fixture.add_own_organization("Globex");
    let refused = refusal(challenged.by_email(json!({})));
    assert_eq!(refused, (403, "organization_selection_required".to_owned()));
}

#[test]
fn codes_expire_and_guesses_are_counted() {
    let expired = challenged(Channel::Email);
    expired
        .fixture
        .set(|settings| settings.pending_authentication_lifetime = 3600);
    let token = expired.fixture.with_password(PASSWORD).unwrap_err();
    let with = json!({
        "pending_authentication_token": token.body["pending_authentication_token"],
        "radar_challenge_id": token.body["radar_challenge_id"],
    });
    expired.fixture.advance(600);
    assert_eq!(
        refusal(expired.by_email(with)),
        bad_request("one_time_code_expired")
    );
    assert_eq!(
        refusal(expired.by_email(json!({}))),
        bad_request("invalid_pending_authentication_token")
    );

    let guessed = challenged(Channel::Email);
    for _ in 0..5 {
        let wrong = json!({"code": guessed.wrong()});
        assert_eq!(
            refusal(guessed.by_email(wrong)),
            bad_request("invalid_one_time_code")
        );
    }
    assert_eq!(
        refusal(guessed.by_email(json!({}))),
        bad_request("one_time_code_too_many_attempts")
    );
}

#[test]
fn a_code_by_sms_goes_to_the_number_that_was_asked_for() {
    let challenged = challenged(Channel::Sms);
    assert_eq!(challenged.refused.code(), Some("radar_sign_up_challenge"));
    let fixture = &challenged.fixture;
    assert_eq!(challenged.refused.body["user"]["id"], fixture.user_id.as_str());
    let (status, sent) = challenged.send_sms(json!({}));
    let id = sent["verification_id"].as_str().unwrap();
    assert!(id.starts_with("vrf_"));
    assert_eq!((status, &sent["phone_number"]), (201, &json!(PHONE)));
    let call = Call::for_tests(&fixture.environment, &[("id", id)], "", Value::Null);
    assert_eq!(
        get_radar_challenge(&call).unwrap_err().status,
        404,
        "its code is not shown"
    );
    assert_eq!(
        fixture.environment.state().messages.iter().last().unwrap().to,
        PHONE
    );
    for (with, code) in [
        (json!({"verification_id": null}), "verification_id_required"),
        (json!({"phone_number": null}), "phone_number_required"),
        (json!({"phone_number": "+15555550124"}), "invalid_one_time_code"),
        (json!({"code": challenged.wrong()}), "invalid_one_time_code"),
        (
            json!({"pending_authentication_token": "x"}),
            "invalid_pending_authentication_token",
        ),
    ] {
        assert_eq!(refusal(challenged.by_sms(&sent, with)), bad_request(code));
    }
    let unknown = challenged.by_sms(&sent, json!({"verification_id": "vrf_1"}));
    assert_eq!(refusal(unknown), (404, "entity_not_found".to_owned()));
    let without_secret = challenged.by_sms(&sent, json!({"client_secret": null}));
    assert_eq!(refusal(without_secret).0, 422);
    assert_eq!(
        challenged.by_sms(&sent, json!({})).unwrap()["user"]["email"],
        EMAIL
    );
}

#[test]
fn an_sms_is_sent_for_a_sign_in_that_waits_for_one() {
    let challenged = challenged(Channel::Sms);
    let other = challenged.fixture.add_user("eve@example.com");
    for (with, status, code) in [
        (json!({"user_id": "user_1"}), 404, "entity_not_found"),
        (json!({"user_id": other}), 400, "user_mismatch"),
        (
            json!({"pending_authentication_token": "x"}),
            400,
            "invalid_pending_authentication_token",
        ),
        (json!({"phone_number": "555"}), 422, "invalid_request_parameters"),
        (json!({"phone_number": 5}), 422, "invalid_request_parameters"),
    ] {
        let (refused, body) = challenged.send_sms(with);
        assert_eq!((refused, body["code"].as_str()), (status, Some(code)));
    }
    assert_eq!(challenged.fixture.environment.state().radar_challenges.len(), 0);
    let (fixture, by_email) = (&challenged.fixture, Some(Channel::Email));
    fixture.set(|settings| settings.radar_challenge = by_email);
    let email = fixture.with_password(PASSWORD).unwrap_err();
    let token = &email.body["pending_authentication_token"];
    let (status, refused) = challenged.send_sms(json!({"pending_authentication_token": token}));
    assert_eq!(
        (status, refused["code"].as_str()),
        (400, Some("invalid_pending_authentication_token"))
    );
}

#[test]
fn another_users_code_is_no_answer() {
    let eves = challenged(Channel::Email);
    let eve = eves.fixture.add_user("eve@example.com");
    let body = json!({"grant_type": "password", "email": "eve@example.com", "password": PASSWORD});
    let refused = eves.fixture.authenticate(body).unwrap_err();
    assert_eq!(refused.body["user"]["id"], eve.as_str());
    // Eve's code, on Ada's sign-in.
    let with = json!({"radar_challenge_id": refused.body["radar_challenge_id"]});
    assert_eq!(refusal(eves.by_email(with)), bad_request("user_mismatch"));
}
