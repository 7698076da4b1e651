//! Multi-factor authentication: its API and the grant through the SDK, and the pages in front of an app.

use std::time::UNIX_EPOCH;

use reqwest::Method;
use serde_json::{Value, json};
use totp_rs::Totp;
use workos::{
    AuthenticationChallengesVerifyRequest, AuthenticationFactorType, AuthenticationFactorsCreateRequest,
    AuthenticationFactorsCreateRequestType, AuthenticationMfaFailed, AuthenticationMfaSucceeded,
    ChallengeAuthenticationFactor, Client, EnrollUserAuthenticationFactor,
    multi_factor_auth::{
        ChallengeFactorParams, CreateUserAuthFactorParams, EnrollFactorParams, ListUserAuthFactorsParams,
        VerifyChallengeParams,
    },
    user_management::{AuthenticateWithPasswordParams, AuthenticateWithTotpParams},
};
use workos_emulator::{EmulatedClock, Emulator};

use crate::{
    app::{PASSWORD, TestApp},
    browser::Browser,
    http,
    sdk::{self, refusal, refused},
};

const EMAIL: &str = "ada@example.com";
const PHONE: &str = "+15555550123";
const SECRET: &str = "JBSWY3DPEHPK3PXP";

/// What an authenticator app shows that scanned this URI.
pub(crate) fn shown(uri: &str, clock: &EmulatedClock) -> String {
    let app = Totp::from_url_unchecked(uri).unwrap();
    let now = clock.now().duration_since(UNIX_EPOCH).unwrap();
    app.generate(now.as_secs()).to_string()
}

async fn set(emulator: &Emulator, settings: Value) {
    let (status, body) = http::call(emulator, Method::PATCH, "/_emulate/settings", &settings).await;
    assert_eq!(status, 200, "{body}");
}

/// Ada, with a password and with whatever the seed says more, whom the environment asks for a second factor.
async fn ada(more: &str) -> Emulator {
    let seed = format!(
        "users: [{{id: user_ada, email: {EMAIL}, password: {PASSWORD}, email_verified: true{more}}}]\nsettings: {{mfa: required}}"
    );
    Emulator::builder().seed(seed).start().await.unwrap()
}

/// The refusal of her password.
async fn stopped(sdk: &Client) -> Value {
    let params = AuthenticateWithPasswordParams::new(EMAIL, PASSWORD);
    let refused = refused(sdk.user_management().authenticate_with_password(params).await);
    assert_eq!(refused.status, 403);
    serde_json::from_slice(&refused.raw_body).unwrap()
}

async fn challenge(sdk: &Client, factor_id: &str) -> String {
    let params = ChallengeFactorParams::new(ChallengeAuthenticationFactor { sms_template: None });
    let challenge = sdk.multi_factor_auth().challenge_factor(factor_id, params).await;
    challenge.unwrap().id
}

fn answer(code: &str) -> VerifyChallengeParams {
    VerifyChallengeParams::new(AuthenticationChallengesVerifyRequest { code: code.into() })
}

#[actix_web::test]
async fn an_application_keeps_its_own_factors() {
    let emulator = Emulator::start().await.unwrap();
    let sdk = sdk::client(&emulator);
    let mfa = sdk.multi_factor_auth();
    let wanted = AuthenticationFactorsCreateRequest {
        type_: AuthenticationFactorsCreateRequestType::Totp,
        phone_number: None,
        totp_issuer: Some("Foo Corp".to_owned()),
        totp_user: Some("alan.turing@example.com".to_owned()),
        user_id: None,
    };
    let factor = mfa.enroll_factor(EnrollFactorParams::new(wanted)).await.unwrap();
    let totp = factor.totp.unwrap();
    assert!(totp.qr_code.expose().starts_with("data:image/png;base64,"));
    let found = mfa.get_factor(&factor.id).await.unwrap();
    assert_eq!(found.type_, AuthenticationFactorType::Totp);
    assert_eq!(found.totp.unwrap().issuer, "Foo Corp");

    let first = challenge(&sdk, &factor.id).await;
    let code = shown(totp.uri.expose(), &emulator.clock());
    let wrong = mfa.verify_challenge(&first, answer("12345")).await.unwrap();
    assert!(!wrong.valid);
    let right = mfa.verify_challenge(&first, answer(&code)).await.unwrap();
    assert!(right.valid);
    assert_eq!(
        (right.challenge.id, right.challenge.expires_at),
        (first.clone(), None)
    );
    assert_eq!(
        refusal(mfa.verify_challenge(&first, answer(&code)).await),
        (422, "authentication_challenge_previously_verified".to_owned())
    );
    mfa.delete_factor(&factor.id).await.unwrap();
    assert_eq!(refusal(mfa.get_factor(&factor.id).await).0, 404);
    assert_eq!(refusal(mfa.verify_challenge(&first, answer(&code)).await).0, 404);
}

#[actix_web::test]
async fn an_sms_lands_in_the_mailbox() {
    let emulator = Emulator::start().await.unwrap();
    let sdk = sdk::client(&emulator);
    let mfa = sdk.multi_factor_auth();
    let sms = |phone_number: &str| {
        EnrollFactorParams::new(AuthenticationFactorsCreateRequest {
            type_: AuthenticationFactorsCreateRequestType::Sms,
            phone_number: Some(phone_number.to_owned()),
            totp_issuer: None,
            totp_user: None,
            user_id: None,
        })
    };
    assert_eq!(
        refusal(mfa.enroll_factor(sms("foo")).await),
        (422, "invalid_phone_number".to_owned())
    );
    let factor = mfa.enroll_factor(sms(PHONE)).await.unwrap();
    assert_eq!(factor.sms.unwrap().phone_number, PHONE);
    let template = ChallengeAuthenticationFactor {
        sms_template: Some("Your Foo Corp one-time code is {{code}}.".to_owned()),
    };
    let challenge = mfa
        .challenge_factor(&factor.id, ChallengeFactorParams::new(template))
        .await;
    let challenge = challenge.unwrap();
    assert!(challenge.expires_at.is_some() && challenge.code.is_none());
    let message = emulator.mailbox().last_to(PHONE).unwrap();
    let code = message.code().unwrap();
    assert_eq!(message.kind(), "sms");
    assert!(
        message
            .text()
            .contains(&format!("Your Foo Corp one-time code is {code}."))
    );
    assert!(
        mfa.verify_challenge(&challenge.id, answer(code))
            .await
            .unwrap()
            .valid
    );
}

#[actix_web::test]
async fn a_user_enrolls_while_signing_in_and_is_challenged_from_then_on() {
    let emulator = ada("").await;
    let sdk = sdk::client(&emulator);
    let (mfa, users) = (sdk.multi_factor_auth(), sdk.user_management());
    let refused = stopped(&sdk).await;
    assert_eq!(refused["code"], "mfa_enrollment");
    let token = refused["pending_authentication_token"].as_str().unwrap();
    let wanted = CreateUserAuthFactorParams::new(EnrollUserAuthenticationFactor {
        type_: "totp".to_owned(),
        totp_issuer: None,
        totp_user: None,
        totp_secret: None,
    });
    let enrolled = mfa.create_user_auth_factor("user_ada", wanted).await.unwrap();
    let factor = enrolled.authentication_factor;
    let totp = factor.totp.unwrap();
    assert_eq!((totp.issuer.as_str(), totp.user.as_str()), ("Sandbox", EMAIL));
    let code = shown(totp.uri.expose(), &emulator.clock());
    let params = AuthenticateWithTotpParams::new(&code, token, enrolled.authentication_challenge.id);
    let signed_in = users.authenticate_with_totp(params).await.unwrap();
    assert_eq!(
        (signed_in.user.id.as_str(), signed_in.user.email.as_str()),
        ("user_ada", EMAIL)
    );

    let refused = stopped(&sdk).await;
    assert_eq!(refused["code"], "mfa_challenge");
    assert_eq!(
        refused["authentication_factors"],
        json!([{"id": factor.id, "type": "totp"}])
    );
    let token = refused["pending_authentication_token"].as_str().unwrap();
    let first = challenge(&sdk, &factor.id).await;
    let attempt = async |code: &str| {
        let params = AuthenticateWithTotpParams::new(code, token, &first);
        users.authenticate_with_totp(params).await
    };
    assert_eq!(
        refusal(attempt(&code).await),
        (400, "one_time_code_previously_used".to_owned())
    );
    assert_eq!(
        refusal(attempt("000").await),
        (400, "invalid_one_time_code".to_owned())
    );
    emulator.clock().advance(std::time::Duration::from_secs(30));
    attempt(&shown(totp.uri.expose(), &emulator.clock()))
        .await
        .unwrap();

    let listed = mfa
        .list_user_auth_factors("user_ada", ListUserAuthFactorsParams::default())
        .await
        .unwrap();
    let ids: Vec<_> = listed.data.iter().map(|listed| &listed.id).collect();
    assert_eq!(ids, [&factor.id]);
    let path = "/events?events=authentication.mfa_succeeded,authentication.mfa_failed";
    let (_, events) = http::call(&emulator, Method::GET, path, &Value::Null).await;
    let events = events["data"].as_array().unwrap();
    let names: Vec<_> = events
        .iter()
        .map(|event| event["event"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "authentication.mfa_succeeded",
            "authentication.mfa_failed",
            "authentication.mfa_failed",
            "authentication.mfa_succeeded",
        ]
    );
    let succeeded: AuthenticationMfaSucceeded = serde_json::from_value(events[0].clone()).unwrap();
    assert_eq!(succeeded.data.user_id, "user_ada");
    let failed: AuthenticationMfaFailed = serde_json::from_value(events[1].clone()).unwrap();
    assert_eq!(failed.data.error.code, "one_time_code_previously_used");
    assert_eq!(events[2]["data"]["error"]["code"], "invalid_one_time_code");

    users.delete_user("user_ada").await.unwrap();
    assert_eq!(refusal(mfa.get_factor(&factor.id).await).0, 404);
}

#[actix_web::test]
async fn a_seeded_app_has_a_secret_that_tests_know() {
    for (more, secret) in [
        (", totp: true", SECRET),
        (", totp_secret: KRUGKIDROVUWG2ZA", "KRUGKIDROVUWG2ZA"),
    ] {
        let emulator = ada(more).await;
        let sdk = sdk::client(&emulator);
        let refused = stopped(&sdk).await;
        assert_eq!(refused["code"], "mfa_challenge", "{more}");
        let factor_id = refused["authentication_factors"][0]["id"].as_str().unwrap();
        let code = shown(&format!("otpauth://totp/ada?secret={secret}"), &emulator.clock());
        let token = refused["pending_authentication_token"].as_str().unwrap();
        let params = AuthenticateWithTotpParams::new(code, token, challenge(&sdk, factor_id).await);
        sdk.user_management()
            .authenticate_with_totp(params)
            .await
            .unwrap();
    }
}

#[actix_web::test]
async fn an_app_sends_its_user_through_the_challenge() {
    let app = TestApp::start().await;
    let carol = app
        .emulator
        .user("carol@example.com")
        .password(PASSWORD)
        .totp(SECRET);
    let carol = carol.member_of(&app.acme, "member").create().unwrap();
    let browser = Browser::new();
    let form = browser.visit(app.path("/me")).await;
    let form = browser.sign_in(&form, &carol.email, PASSWORD).await;
    assert_eq!((form.status, form.url.path()), (200, "/authkit/mfa"));
    let again = browser.submit(&form, &[("code", "12 345")]).await;
    assert_eq!((again.status, again.url.path()), (400, "/authkit/mfa"));
    assert!(again.text.contains("This code is not right"), "{}", again.text);
    let code = app.emulator.totp_code(&carol).unwrap();
    let page = browser.submit(&again, &[("code", &code)]).await;
    assert_eq!((page.status, page.url.path()), (200, "/me"));
    assert_eq!(
        (&page.json()["email"], &page.json()["organization"]),
        (&json!("carol@example.com"), &json!(app.acme.id))
    );
}

#[actix_web::test]
async fn an_app_sends_its_user_through_the_enrollment() {
    let app = TestApp::start().await;
    set(&app.emulator, json!({"mfa": "required"})).await;
    let browser = Browser::new();
    let form = browser.visit(app.path("/me")).await;
    let form = browser.sign_in(&form, &app.ada.email, PASSWORD).await;
    assert_eq!((form.status, form.url.path()), (200, "/authkit/mfa/enroll"));
    assert_eq!(
        app.emulator.totp_code(&app.ada).unwrap_err().to_string(),
        format!(
            "making a code for ada@example.com was refused: Authentication factor of user not found: '{}'. (entity_not_found)",
            app.ada.id
        ),
        "there is no app yet"
    );
    let (_, key) = form.text.split_once("class=\"setup-key\">").unwrap();
    let secret = key.split_once('<').unwrap().0.replace(' ', "");
    let code = shown(
        &format!("otpauth://totp/ada?secret={secret}"),
        &app.emulator.clock(),
    );
    let page = browser.submit(&form, &[("code", &code)]).await;
    assert_eq!((page.status, page.url.path()), (200, "/me"));
    assert_eq!(page.json()["email"], "ada@example.com");
    assert!(app.emulator.totp_code(&app.ada).is_ok());
}

#[actix_web::test]
async fn a_secret_that_is_none_is_named() {
    let emulator = Emulator::start().await.unwrap();
    let refused = emulator.user(EMAIL).totp("not base32!").create().unwrap_err();
    assert!(
        refused.to_string().starts_with("totp: must be base32"),
        "{refused}"
    );
    assert!(!refused.to_string().contains("not base32"), "{refused}");
}
