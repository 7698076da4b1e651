use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::*;
use crate::{
    api::user_management::{
        authenticate::{
            fixture::{EMAIL, Fixture},
            method::AuthenticationMethod,
            sign_in::SignIn,
        },
        sessions::Device,
        users::{self, User},
    },
    core::webauthn::{
        Refusal, RelyingParty,
        software_authenticator::{SoftwareAuthenticator, decoded, encoded},
    },
};

const ORIGIN: &str = "http://localhost:4100";
const SESSION: &str = "authorization_session_1";

/// Ada with her passkey, and the sign-in that she is in.
struct Ada {
    fixture: Fixture,
    authenticator: SoftwareAuthenticator,
}

fn relying_party() -> RelyingParty {
    RelyingParty::of(ORIGIN).unwrap()
}

impl Fixture {
    fn found_user(&self, id: &str) -> Arc<User> {
        users::find(&self.environment.state(), id).unwrap().clone()
    }

    fn creation_options(&self, session_id: &str, user_id: &str) -> Value {
        let user = self.found_user(user_id);
        self.environment
            .transact(|tx| begin_registration(tx, session_id, &relying_party(), "Acme", &user))
            .unwrap()
    }

    fn register(&self, session_id: &str, user_id: &str, response: Value) -> Result<(), Refusal> {
        let user = self.found_user(user_id);
        let response = serde_json::from_value(response).unwrap();
        self.environment
            .transact(|tx| register(tx, session_id, &relying_party(), &user, &response))
            .unwrap()
            .map(|_| ())
    }

    fn request_options(&self, session_id: &str) -> Value {
        self.environment
            .transact(|tx| begin_authentication(tx, session_id, &relying_party()))
            .unwrap()
    }

    fn present(&self, session_id: &str, response: Value) -> Result<String, Refusal> {
        let response = serde_json::from_value(response).unwrap();
        let device = Device {
            ip_address: Some("192.0.2.1".to_owned()),
            user_agent: Some("Firefox".to_owned()),
        };
        self.environment
            .transact(|tx| authenticate(tx, session_id, &relying_party(), &response, &device))
            .unwrap()
            .map(|user| user.id.clone())
    }
}

fn ada() -> Ada {
    let fixture = Fixture::new();
    fixture.set(|settings| settings.sign_in_methods.passkey = true);
    let mut authenticator = SoftwareAuthenticator::new(ORIGIN);
    let options = fixture.creation_options(SESSION, &fixture.user_id);
    let response = authenticator.create(&options);
    assert_eq!(fixture.register(SESSION, &fixture.user_id, response), Ok(()));
    Ada {
        fixture,
        authenticator,
    }
}

impl Ada {
    /// Her answer to a challenge of a sign-in.
    fn answer(&mut self, session_id: &str) -> Value {
        let options = self.fixture.request_options(session_id);
        self.authenticator.get(&options)
    }

    fn last_event(&self) -> (String, Value) {
        self.fixture.events("authentication.passkey").pop().unwrap()
    }

    fn sign_count(&self) -> u32 {
        let state = self.fixture.environment.state();
        state
            .passkeys
            .find(BY_USER, &self.fixture.user_id)
            .unwrap()
            .sign_count
    }
}

#[test]
fn the_browser_is_asked_for_a_discoverable_key_that_verifies_its_user() {
    let it = ada();
    let options = it.fixture.creation_options(SESSION, &it.fixture.user_id);
    assert_eq!(decoded(&options["user"]["id"]), it.fixture.user_id.as_bytes());
    assert!(decoded(&options["challenge"]).len() >= 32);
    let credential_id = encoded(&it.authenticator.credential_id);
    let expected = json!({
        "rp": {"id": "localhost", "name": "Acme"},
        "user": {"id": options["user"]["id"], "name": EMAIL, "displayName": EMAIL},
        "challenge": options["challenge"],
        "pubKeyCredParams": [{"type": "public-key", "alg": -7}, {"type": "public-key", "alg": -257}],
        "timeout": 300_000,
        "excludeCredentials": [{"type": "public-key", "id": credential_id}],
        "authenticatorSelection": {
            "residentKey": "required", "requireResidentKey": true, "userVerification": "required",
        },
        "attestation": "none",
    });
    assert_eq!(options, expected);
    let options = it.fixture.request_options(SESSION);
    let expected = json!({
        "rpId": "localhost", "challenge": options["challenge"], "timeout": 300_000,
        "allowCredentials": [], "userVerification": "required",
    });
    assert_eq!(options, expected);
}

#[test]
fn a_passkey_tells_who_signs_in() {
    let mut it = ada();
    let answer = it.answer(SESSION);
    assert_eq!(
        it.fixture.present(SESSION, answer),
        Ok(it.fixture.user_id.clone())
    );
    let (name, data) = it.last_event();
    assert_eq!(name, "authentication.passkey_succeeded");
    let expected = json!({
        "type": "passkey", "status": "succeeded", "ip_address": "192.0.2.1", "user_agent": "Firefox",
        "user_id": it.fixture.user_id, "email": EMAIL,
    });
    assert_eq!(data, expected);
    assert_eq!(it.sign_count(), 1);
}

#[test]
fn a_challenge_is_answered_once_whatever_the_answer_is_worth() {
    let mut it = ada();
    let answer = it.answer(SESSION);
    it.fixture.present(SESSION, answer.clone()).unwrap();
    assert_eq!(it.fixture.present(SESSION, answer), Err(Refusal::WrongChallenge));

    let mut wrong = it.answer(SESSION);
    let right = wrong.clone();
    wrong["response"]["signature"] = encoded(b"no signature").into();
    assert_eq!(it.fixture.present(SESSION, wrong), Err(Refusal::WrongSignature));
    assert_eq!(it.fixture.present(SESSION, right), Err(Refusal::WrongChallenge));

    // A newer challenge takes the place of the one before.
    let older = it.answer(SESSION);
    let newer = it.answer(SESSION);
    assert_eq!(it.fixture.present(SESSION, older), Err(Refusal::WrongChallenge));
    assert_eq!(it.fixture.present(SESSION, newer), Err(Refusal::WrongChallenge));

    // And the same for a registration.
    let fixture = &it.fixture;
    let grace = fixture.add_user("grace@example.com");
    let mut authenticator = SoftwareAuthenticator::new(ORIGIN);
    let response = authenticator.create(&fixture.creation_options(SESSION, &grace));
    assert_eq!(fixture.register(SESSION, &grace, response), Ok(()));
    let mut another = SoftwareAuthenticator::new(ORIGIN);
    let response = another.create(&json!({
        "rp": {"id": "localhost"}, "user": {"id": ""}, "challenge": encoded(b"made up"),
    }));
    assert_eq!(
        fixture.register(SESSION, &grace, response),
        Err(Refusal::WrongChallenge)
    );
}

#[test]
fn a_challenge_is_for_one_sign_in_one_ceremony_and_five_minutes() {
    let mut it = ada();
    let answer = it.answer(SESSION);
    assert_eq!(
        it.fixture.present("authorization_session_2", answer.clone()),
        Err(Refusal::WrongChallenge)
    );
    it.fixture.request_options("authorization_session_2");
    assert_eq!(
        it.fixture.present("authorization_session_2", answer.clone()),
        Err(Refusal::WrongChallenge)
    );
    it.fixture.present(SESSION, answer).unwrap();

    // The challenge of a registration, signed as one of a sign-in.
    let user_id = it.fixture.user_id.clone();
    let options = it.fixture.creation_options(SESSION, &user_id);
    let request = json!({"rpId": "localhost", "challenge": options["challenge"]});
    let answer = it.authenticator.get(&request);
    assert_eq!(it.fixture.present(SESSION, answer), Err(Refusal::WrongChallenge));

    for (seconds, outcome) in [(299, Ok(user_id)), (300, Err(Refusal::WrongChallenge))] {
        let answer = it.answer(SESSION);
        it.fixture.advance(seconds);
        assert_eq!(it.fixture.present(SESSION, answer), outcome);
    }
}

/// The key of one user does not let another one in, in this environment or in another.
#[test]
fn a_passkey_is_its_own_users_alone() {
    let mut it = ada();
    let grace = it.fixture.add_user("grace@example.com");
    it.authenticator.user_handle = grace.clone().into_bytes();
    let answer = it.answer(SESSION);
    assert_eq!(
        it.fixture.present(SESSION, answer),
        Err(Refusal::UnknownCredential)
    );
    it.authenticator.user_handle = Vec::new();
    let answer = it.answer(SESSION);
    assert_eq!(
        it.fixture.present(SESSION, answer),
        Err(Refusal::UnknownCredential)
    );

    // Grace registers what Ada has, to take it over.
    let response = it
        .authenticator
        .create(&it.fixture.creation_options(SESSION, &grace));
    let refused = it.fixture.register(SESSION, &grace, response);
    assert_eq!(refused, Err(Refusal::CredentialInUse));
    let mut own = SoftwareAuthenticator::new(ORIGIN);
    own.credential_id.clone_from(&it.authenticator.credential_id);
    let response = own.create(&it.fixture.creation_options(SESSION, &grace));
    let refused = it.fixture.register(SESSION, &grace, response);
    assert_eq!(refused, Err(Refusal::CredentialInUse));

    let other = ada();
    it.authenticator.user_handle = it.fixture.user_id.clone().into_bytes();
    let answer = it.authenticator.get(&other.fixture.request_options(SESSION));
    assert_eq!(
        other.fixture.present(SESSION, answer),
        Err(Refusal::UnknownCredential)
    );
    let (name, data) = other.last_event();
    assert_eq!(name, "authentication.passkey_failed");
    let expected = json!({
        "type": "passkey", "status": "failed", "ip_address": "192.0.2.1", "user_agent": "Firefox",
        "user_id": null, "email": null,
        "error": {"code": "invalid_credentials", "message": "No user has this passkey."},
    });
    assert_eq!(data, expected);
}

#[test]
fn a_copy_is_found_out_by_its_counter() {
    let mut it = ada();
    for _ in 0..2 {
        let answer = it.answer(SESSION);
        it.fixture.present(SESSION, answer).unwrap();
    }
    it.authenticator.sign_count = 1;
    let answer = it.answer(SESSION);
    assert_eq!(
        it.fixture.present(SESSION, answer),
        Err(Refusal::CounterNotIncreased)
    );
    assert_eq!(it.sign_count(), 2);
    let (name, data) = it.last_event();
    assert_eq!(name, "authentication.passkey_failed");
    assert_eq!(
        (&data["user_id"], &data["email"]),
        (&json!(it.fixture.user_id), &json!(EMAIL))
    );
    assert!(
        data["error"]["message"].as_str().unwrap().contains("cloned"),
        "{data}"
    );
}

#[test]
fn a_deleted_user_leaves_nothing_behind() {
    let mut it = ada();
    let answer = it.answer(SESSION);
    let user_id = it.fixture.user_id.clone();
    it.fixture
        .environment
        .transact(|tx| {
            postpone(tx, &user_id, true)?;
            users::delete(tx, &user_id)
        })
        .unwrap();
    let state = it.fixture.environment.state();
    assert_eq!((state.passkeys.len(), state.passkey_reminders.len()), (0, 0));
    assert_eq!(
        it.fixture.present(SESSION, answer),
        Err(Refusal::UnknownCredential)
    );
}

#[test]
fn a_passkey_is_offered_to_who_has_none_and_has_not_declined() {
    let fixture = Fixture::new();
    let offered = |method: AuthenticationMethod| {
        let sign_in = SignIn::new(&fixture.user_id, method, Device::default());
        let state = fixture.environment.state();
        is_offered(
            &state,
            &fixture.found_user(&fixture.user_id),
            &sign_in,
            fixture.environment.clock.now(),
        )
    };
    let password = AuthenticationMethod::Password;
    assert!(!offered(password), "passkeys are off");
    fixture.set(|settings| settings.sign_in_methods.passkey = true);
    assert!(offered(password) && offered(AuthenticationMethod::MagicAuth));
    for method in [
        AuthenticationMethod::Impersonation,
        AuthenticationMethod::Sso,
        AuthenticationMethod::GoogleOAuth,
        AuthenticationMethod::Passkey,
    ] {
        assert!(!offered(method), "{method:?}");
    }
    fixture.set(|settings| settings.sign_in_methods.passkey_progressive_enrollment = false);
    assert!(!offered(password));
    fixture.set(|settings| settings.sign_in_methods.passkey_progressive_enrollment = true);

    let decline = |for_good| {
        let declined = fixture
            .environment
            .transact(|tx| postpone(tx, &fixture.user_id, for_good));
        declined.unwrap();
    };
    decline(false);
    fixture
        .environment
        .clock
        .advance(Duration::from_secs(14 * 24 * 3600 - 1));
    assert!(!offered(password));
    fixture.environment.clock.advance(Duration::from_secs(1));
    assert!(offered(password));
    decline(true);
    fixture
        .environment
        .clock
        .advance(Duration::from_secs(400 * 24 * 3600));
    assert!(!offered(password));
}

/// A seed may give ids that are too long for a user handle.
#[test]
fn who_cannot_be_named_to_an_authenticator_is_offered_none() {
    let it = ada();
    let now = it.fixture.environment.clock.now();
    let mut user = User::clone(&it.fixture.found_user(&it.fixture.user_id));
    let state = it.fixture.environment.state();
    for (length, offered) in [(64, true), (65, false)] {
        user.id = "u".repeat(length);
        let sign_in = SignIn::new(&user.id, AuthenticationMethod::Password, Device::default());
        assert_eq!(is_offered(&state, &user, &sign_in, now), offered, "{length}");
    }
}
