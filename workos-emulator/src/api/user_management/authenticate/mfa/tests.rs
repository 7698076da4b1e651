use std::ops::Deref;

use serde_json::{Value, json};

use super::*;
use crate::{
    api::{
        multi_factor_auth::{
            challenges::challenge_factor,
            factors::{AuthenticationFactor, BY_USER, FactorKind},
            user_factors::create_user_auth_factor,
        },
        user_management::{
            authenticate::{
                fixture::{EMAIL, Fixture, PASSWORD, merged, refusal},
                method::AuthenticationMethod,
            },
            authorize::get_authorization_url,
        },
    },
    core::jwt::Impersonator,
};

const MFA: &str = "urn:workos:oauth:grant-type:mfa-totp";

fn bad_request(code: &str) -> (u16, String) {
    (400, code.to_owned())
}

/// Ada and her authenticator app.
struct Ada(Fixture);

impl Deref for Ada {
    type Target = Fixture;

    fn deref(&self) -> &Fixture {
        &self.0
    }
}

impl Ada {
    fn new() -> Self {
        Self(Fixture::new())
    }

    /// An authenticator app of a user; gives its factor and a challenge.
    fn enroll(&self, user_id: &str) -> Value {
        let call = Call::for_tests(
            &self.environment,
            &[("userlandUserId", user_id)],
            "",
            json!({"type": "totp"}),
        );
        let reply = create_user_auth_factor(&call).unwrap();
        serde_json::from_slice(&reply.body).unwrap()
    }

    /// Ada's newest app.
    fn app(&self) -> Arc<AuthenticationFactor> {
        let state = self.environment.state();
        let factors = state.authentication_factors.group(BY_USER, &self.user_id);
        Arc::clone(factors.last().unwrap())
    }

    /// A code that it takes.
    fn code(&self) -> String {
        match &self.app().kind {
            FactorKind::Totp(totp) => totp.next_code(self.environment.clock.now()),
            other => panic!("{other:?}"),
        }
    }

    fn challenge(&self, factor: &str) -> String {
        let call = Call::for_tests(&self.environment, &[("id", factor)], "", json!({}));
        let reply = challenge_factor(&call).unwrap();
        let challenge: Value = serde_json::from_slice(&reply.body).unwrap();
        challenge["id"].as_str().unwrap().to_owned()
    }

    /// The refusal of Ada's right password.
    fn stopped(&self) -> ApiError {
        let refused = self.with_password(PASSWORD).unwrap_err();
        assert_eq!(refused.status, 403);
        refused
    }

    /// Answers a refusal with a code that is right, unless `with` says else.
    fn finish(&self, refused: &ApiError, with: Value) -> Result<Value, ApiError> {
        let body = json!({
            "grant_type": MFA,
            "code": self.code(),
            "authentication_challenge_id": self.challenge(&self.app().id),
            "pending_authentication_token": refused.body["pending_authentication_token"],
        });
        self.authenticate(merged(body, with))
    }

    fn step(&self, sign_in: &SignIn) -> Option<NextStep> {
        let state = self.environment.state();
        next_step(&state, state.users.get(&self.user_id).unwrap(), sign_in)
    }
}

#[test]
fn who_has_an_app_is_asked_for_its_code() {
    let ada = Ada::new();
    ada.with_password(PASSWORD).unwrap();
    ada.enroll(&ada.user_id);
    let refused = ada.stopped();
    let token = &refused.body["pending_authentication_token"];
    assert_eq!(token.as_str().unwrap().len(), 25);
    let body = Value::from(refused.body.clone());
    assert_eq!(body["user"].get("metadata"), None);
    assert_eq!(
        body,
        json!({
            "code": "mfa_challenge",
            "message": "The user must complete an MFA challenge to finish authenticating.",
            "pending_authentication_token": token,
            "authentication_factors": [{"id": ada.app().id, "type": "totp"}],
            "user": body["user"],
        })
    );
    let signed_in = ada.finish(&refused, json!({"user_agent": "curl"})).unwrap();
    assert_eq!(
        (&signed_in["user"]["email"], &signed_in["authentication_method"]),
        (&json!(EMAIL), &json!("Password"))
    );
    let events = ada.events("");
    let (succeeded, data) = &events[events.len() - 2];
    assert_eq!(succeeded, "authentication.mfa_succeeded");
    assert_eq!(
        *data,
        json!({
            "type": "mfa", "status": "succeeded", "user_id": ada.user_id, "email": EMAIL,
            "ip_address": null, "user_agent": "curl",
        })
    );
    assert_eq!(events[events.len() - 1].0, "session.created");
}

#[test]
fn who_must_have_one_enrolls_it_and_goes_on() {
    let ada = Ada::new();
    ada.set(|settings| settings.mfa = Mfa::Required);
    let refused = ada.stopped();
    let body = Value::from(refused.body.clone());
    assert_eq!(
        body,
        json!({
            "code": "mfa_enrollment",
            "message": "The user must enroll in MFA to finish authenticating.",
            "pending_authentication_token": body["pending_authentication_token"],
            "user": body["user"],
        })
    );
    let enrolled = ada.enroll(&ada.user_id);
    let with = json!({"authentication_challenge_id": enrolled["authentication_challenge"]["id"]});
    let signed_in = ada.finish(&refused, with).unwrap();
    assert_eq!(ada.claims(&signed_in).sub, ada.user_id);
    assert_eq!(
        ada.stopped().code(),
        Some("mfa_challenge"),
        "from now on it is asked for"
    );
}

#[test]
fn the_setting_and_the_method_decide() {
    use AuthenticationMethod as By;
    let ada = Ada::new();
    let sign_in = |method| SignIn::new(&ada.user_id, method, Device::default());
    let (enroll, challenge) = (Some(NextStep::EnrollFactor), Some(NextStep::ChallengeFactor));
    for (setting, without_app, with_app) in [
        (Mfa::Off, &None, &None),
        (Mfa::Optional, &None, &challenge),
        (Mfa::Required, &enroll, &challenge),
    ] {
        let ada = Ada::new();
        ada.set(|settings| settings.mfa = setting);
        let sign_in = SignIn::new(&ada.user_id, By::Password, Device::default());
        assert_eq!(ada.step(&sign_in), *without_app, "{setting:?}");
        ada.enroll(&ada.user_id);
        assert_eq!(ada.step(&sign_in), *with_app, "{setting:?}");
    }

    ada.set(|settings| settings.mfa = Mfa::Required);
    for method in [By::Password, By::MagicAuth, By::GoogleOAuth, By::XeroOAuth] {
        assert_eq!(ada.step(&sign_in(method)), enroll, "{method:?}");
    }
    for method in [
        By::Sso,
        By::Passkey,
        By::Impersonation,
        By::CrossAppAuth,
        By::MigratedSession,
    ] {
        assert_eq!(ada.step(&sign_in(method)), None, "{method:?}");
    }
    let shown = SignIn {
        second_factor: true,
        ..sign_in(By::Password)
    };
    assert_eq!(ada.step(&shown), None);
    let impersonated = SignIn {
        impersonator: Some(Impersonator {
            email: "admin@example.com".to_owned(),
            reason: None,
        }),
        ..sign_in(By::Password)
    };
    assert_eq!(ada.step(&impersonated), None);

    // An organization may demand it where the environment does not.
    ada.set(|settings| settings.mfa = Mfa::Off);
    let state = ada.environment.state();
    let user = state.users.get(&ada.user_id).unwrap();
    assert_eq!(missing(&state, user, &sign_in(By::Password)), enroll);
    assert_eq!(missing(&state, user, &shown), None);
}

#[test]
fn a_factor_by_sms_is_no_second_factor_of_authkit() {
    use crate::api::multi_factor_auth::factors::enroll_factor;
    let ada = Ada::new();
    let sms = json!({"type": "sms", "phone_number": "+15555550123", "user_id": ada.user_id});
    let sms = ada.run(enroll_factor, sms);
    ada.with_password(PASSWORD).unwrap();
    ada.set(|settings| settings.mfa = Mfa::Required);
    let refused = ada.stopped();
    assert_eq!(refused.code(), Some("mfa_enrollment"));
    ada.enroll(&ada.user_id);
    let challenge = ada.challenge(sms["id"].as_str().unwrap());
    let sent = ada
        .environment
        .state()
        .messages
        .iter()
        .last()
        .unwrap()
        .code
        .clone();
    let by_sms = json!({"authentication_challenge_id": challenge, "code": sent});
    assert_eq!(refusal(ada.finish(&refused, by_sms)).0, 404);
    ada.finish(&refused, json!({})).unwrap();
}

#[test]
fn a_code_a_challenge_and_a_token_are_good_once() {
    let ada = Ada::new();
    ada.enroll(&ada.user_id);
    let (first, second) = (ada.stopped(), ada.stopped());
    let code = ada.code();
    let challenge = ada.challenge(&ada.app().id);
    ada.finish(
        &first,
        json!({"code": code, "authentication_challenge_id": challenge}),
    )
    .unwrap();
    let used = bad_request("one_time_code_previously_used");
    assert_eq!(refusal(ada.finish(&second, json!({"code": code}))), used);
    let answered = json!({"authentication_challenge_id": challenge});
    assert_eq!(refusal(ada.finish(&second, answered)), used);
    assert_eq!(
        refusal(ada.finish(&first, json!({}))),
        bad_request("invalid_pending_authentication_token")
    );
    ada.finish(&second, json!({})).unwrap();
}

#[test]
fn wrong_codes_are_counted_told_and_end_in_a_lock() {
    let ada = Ada::new();
    ada.enroll(&ada.user_id);
    let refused = ada.stopped();
    for _ in 0..5 {
        let outcome = ada.finish(&refused, json!({"code": "x"}));
        assert_eq!(refusal(outcome), bad_request("invalid_one_time_code"));
    }
    let failed = ada.events("authentication.mfa_failed");
    assert_eq!(failed.len(), 5);
    assert_eq!(
        failed[0].1,
        json!({
            "type": "mfa", "status": "failed", "user_id": ada.user_id, "email": EMAIL,
            "ip_address": null, "user_agent": null,
            "error": {
                "code": "invalid_one_time_code",
                "message": format!("One-time code for '{EMAIL}' is incorrect."),
            },
        })
    );
    let locked = ada.finish(&refused, json!({})).unwrap_err();
    assert_eq!(
        (locked.status, Value::from(locked.body)),
        (
            400,
            json!({
                "code": "one_time_code_too_many_attempts",
                "message": format!("One-time code for '{EMAIL}' has had too many failed attempts."),
            })
        )
    );
    let anew = ada.stopped();
    let still = ada.finish(&anew, json!({}));
    assert_eq!(refusal(still), bad_request("one_time_code_too_many_attempts"));
    ada.advance(600);
    let after = ada.stopped();
    ada.finish(&after, json!({})).unwrap();
    assert_eq!(
        refusal(ada.finish(&anew, json!({}))),
        bad_request("invalid_pending_authentication_token"),
        "its ten minutes are over"
    );
}

#[test]
fn the_grant_is_for_this_user_client_and_step() {
    let ada = Ada::new();
    ada.enroll(&ada.user_id);
    let refused = ada.stopped();
    let invalid = bad_request("invalid_pending_authentication_token");
    let attempt = |with| refusal(ada.finish(&refused, with));

    let other_id = ada.add_user("eve@example.com");
    let other = ada.enroll(&other_id);
    let of_other = &other["authentication_challenge"]["id"];
    assert_eq!(
        attempt(json!({"authentication_challenge_id": of_other})),
        bad_request("user_mismatch")
    );
    assert_eq!(attempt(json!({"authentication_challenge_id": "none"})).0, 404);
    assert_eq!(attempt(json!({"pending_authentication_token": "none"})), invalid);
    assert_eq!(attempt(json!({"client_id": "client_other"})), invalid);
    let required = (422, "invalid_request_parameters".to_owned());
    assert_eq!(attempt(json!({"client_secret": null})), required);
    assert_eq!(attempt(json!({"code": null})), required);

    // A sign-in that waits for an organization, and one that Radar holds up.
    ada.set(|settings| settings.mfa = Mfa::Off);
    ada.add_own_organization("Acme");
    ada.add_own_organization("Globex");
    let choosing = ada.stopped();
    assert_eq!(choosing.code(), Some("organization_selection_required"));
    ada.set(|settings| {
        settings.radar_challenge = Some(crate::api::user_management::radar_challenges::Channel::Sms);
        settings.mfa = Mfa::Optional;
    });
    let held_up = ada.stopped();
    assert_eq!(refusal(ada.finish(&held_up, json!({}))), invalid);
    assert_eq!(ada.events("authentication.mfa_failed"), []);
    assert_eq!(ada.events("authentication.mfa_succeeded"), []);

    ada.set(|settings| settings.radar_challenge = None);
    let chooses = ada.finish(&refused, json!({})).unwrap_err();
    assert_eq!(
        chooses.code(),
        Some("organization_selection_required"),
        "the next gate follows"
    );
    assert_eq!(
        refusal(ada.finish(&chooses, json!({}))),
        invalid,
        "the factor was shown"
    );
}

#[test]
fn a_code_without_a_page_is_asked_for_when_it_is_redeemed() {
    let ada = Ada::new();
    ada.register_redirect_uri("http://localhost:3000/callback");
    ada.enroll(&ada.user_id);
    let query = format!(
        "response_type=code&client_id=client_app&redirect_uri=http://localhost:3000/callback&provider=authkit&login_hint={EMAIL}"
    );
    let reply = get_authorization_url(&ada.call(&query, Value::Null)).unwrap();
    let (_, location) = &reply.headers[0];
    let code = url::Url::parse(location).unwrap();
    let code = code
        .query_pairs()
        .find(|(name, _)| name == "code")
        .unwrap()
        .1
        .into_owned();
    let redeemed = ada.authenticate(json!({"grant_type": "authorization_code", "code": code}));
    let refused = redeemed.unwrap_err();
    assert_eq!((refused.status, refused.code()), (403, Some("mfa_challenge")));
    ada.finish(&refused, json!({})).unwrap();
}

#[test]
fn a_session_made_by_a_test_is_not_held_up() {
    use crate::control::sign_in::{WantedSignIn, sign_in_as};
    let ada = Ada::new();
    ada.set(|settings| settings.mfa = Mfa::Required);
    let wanted = WantedSignIn {
        user_id: Some(ada.user_id.clone()),
        ..WantedSignIn::default()
    };
    sign_in_as(&ada.environment, "http://auth.test", &wanted, Device::default()).unwrap();
}

#[test]
fn a_session_remembers_its_second_factor() {
    let ada = Ada::new();
    let remembered = |response: &Value| {
        let session_id = ada.claims(response).sid;
        let state = ada.environment.state();
        let tokens = state.refresh_tokens.get(&session_id).unwrap();
        serde_json::to_value(tokens).unwrap()["second_factor"]
            .as_bool()
            .unwrap()
    };
    assert!(!remembered(&ada.signed_in()));
    ada.enroll(&ada.user_id);
    let signed_in = ada.finish(&ada.stopped(), json!({})).unwrap();
    assert!(remembered(&signed_in));
    let refreshed = ada.authenticate(json!({
        "grant_type": "refresh_token", "refresh_token": signed_in["refresh_token"],
    }));
    assert!(remembered(&refreshed.unwrap()), "through refreshes");
}
