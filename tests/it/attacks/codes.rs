//! What is good for one thing, tried for another: another purpose, user, client or environment.

use reqwest::Method;
use serde_json::{Value, json};
use workos_emulator::Emulator;

use super::wire::{authenticate, grant, post};
use crate::{http, social::settings};

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
const PASSWORD: &str = "seven quiet lighthouses";

async fn code(emulator: &Emulator, path: &str, body: Value, to: &str) -> String {
    post(emulator, path, body).await;
    let mail = emulator.mailbox().last_to(to).unwrap();
    mail.code().unwrap().to_owned()
}

async fn magic(emulator: &Emulator, email: &str, code: &str) -> (u16, Value) {
    let body = json!({"grant_type": grant("magic-auth:code"), "email": email, "code": code});
    authenticate(emulator, body).await
}

#[actix_web::test]
async fn a_code_is_for_its_purpose_its_user_and_its_environment() {
    let emulator = Emulator::start().await.unwrap();
    let staging = emulator.environment("staging").unwrap();
    settings(&emulator, json!({"rate_limits": false})).await;
    for environment in [&*emulator, &staging] {
        for email in [ADA, BOB] {
            let user = environment.user(email).password(PASSWORD).email_verified(false);
            user.create().unwrap();
        }
    }
    let id = |email: &'static str| {
        let emulator = &emulator;
        async move {
            let path = format!("/user_management/users?email={email}");
            let (_, list) = http::call(emulator, Method::GET, &path, &Value::Null).await;
            list["data"][0]["id"].as_str().unwrap().to_owned()
        }
    };
    let (ada, bob) = (id(ADA).await, id(BOB).await);
    let of = |user: &str, operation: &str| format!("/user_management/users/{user}/{operation}");
    let password = json!({"grant_type": "password", "email": ADA, "password": PASSWORD});
    let (_, held) = authenticate(&emulator, password).await;
    let pending = held["pending_authentication_token"].as_str().unwrap();

    let verification = code(&emulator, &of(&ada, "email_verification/send"), json!({}), ADA).await;
    let bobs_verification = code(&emulator, &of(&bob, "email_verification/send"), json!({}), BOB).await;
    let magic_code = code(
        &emulator,
        "/user_management/magic_auth",
        json!({"email": ADA}),
        ADA,
    )
    .await;
    let bobs_magic = code(
        &emulator,
        "/user_management/magic_auth",
        json!({"email": BOB}),
        BOB,
    )
    .await;
    let new = "ada@new.example";
    let change = code(
        &emulator,
        &of(&ada, "email_change/send"),
        json!({"new_email": new}),
        new,
    )
    .await;
    let reset = post(
        &emulator,
        "/user_management/password_reset",
        json!({"email": ADA}),
    )
    .await;
    let reset = reset["password_reset_token"].as_str().unwrap().to_owned();

    // Three wrong codes at the most for each right one, so that none is void for having been guessed at.
    for (what, wrong) in [
        ("verification", &verification),
        ("change", &change),
        ("another user's", &bobs_magic),
        ("reset", &reset),
    ] {
        let (status, answer) = magic(&emulator, ADA, wrong).await;
        assert!(
            status == 400 && answer["access_token"].is_null(),
            "{what}: {answer}"
        );
    }
    for (what, wrong) in [
        ("magic", &magic_code),
        ("change", &change),
        ("another user's", &bobs_verification),
    ] {
        let body = json!({
            "grant_type": grant("email-verification:code"), "code": wrong, "pending_authentication_token": pending,
        });
        let (status, answer) = authenticate(&emulator, body).await;
        assert!(
            status == 400 && answer["access_token"].is_null(),
            "{what}: {answer}"
        );
    }
    let (status, _) = http::call(
        &emulator,
        Method::POST,
        &of(&ada, "email_verification/confirm"),
        &json!({"code": magic_code}),
    )
    .await;
    assert_eq!(status, 400);
    for wrong in [&magic_code, &verification] {
        let path = of(&ada, "email_change/confirm");
        let (status, _) = http::call(&emulator, Method::POST, &path, &json!({"code": wrong})).await;
        assert_eq!(status, 400);
    }
    for wrong in [&magic_code, &verification, &change, &pending.to_owned()] {
        let body = json!({"token": wrong, "new_password": "nine patient windmills"});
        let path = "/user_management/password_reset/confirm";
        let (status, _) = http::call(&emulator, Method::POST, path, &body).await;
        assert_eq!(status, 404);
    }
    let elsewhere = json!({"grant_type": grant("magic-auth:code"), "email": ADA, "code": magic_code});
    let (status, answer) = authenticate(&staging, elsewhere).await;
    assert!(status == 400 && answer["access_token"].is_null(), "{answer}");

    // Each is still good for what it is.
    let body = json!({
        "grant_type": grant("email-verification:code"), "code": verification, "pending_authentication_token": pending,
    });
    assert_eq!(authenticate(&emulator, body).await.0, 200);
    assert_eq!(magic(&emulator, BOB, &bobs_magic).await.0, 200);
    assert_eq!(magic(&emulator, ADA, &magic_code).await.0, 200);
    let path = of(&ada, "email_change/confirm");
    assert_eq!(
        http::call(&emulator, Method::POST, &path, &json!({"code": change}))
            .await
            .0,
        200
    );
}

/// What waits for one step is not brought past it by the answer to another, nor by another application.
#[actix_web::test]
async fn a_sign_in_that_waits_for_one_step_passes_by_no_other() {
    let emulator = Emulator::start().await.unwrap();
    settings(&emulator, json!({"rate_limits": false})).await;
    let staging = emulator.environment("staging").unwrap();
    let acme = emulator.organization("Acme").create().unwrap();
    let globex = emulator.organization("Globex").create().unwrap();
    let bob = emulator.user(BOB).password(PASSWORD).create().unwrap();
    let enroll = |user: String| {
        let emulator = &emulator;
        async move {
            let path = format!("/user_management/users/{user}/auth_factors");
            post(emulator, &path, json!({"type": "totp"})).await
        }
    };
    let bobs = enroll(bob.id.clone()).await;
    let bobs_challenge = bobs["authentication_challenge"]["id"].as_str().unwrap();
    for (gate, verified, mfa) in [
        ("email_verification_required", false, false),
        ("mfa_challenge", true, true),
        ("organization_selection_required", true, false),
    ] {
        let email = format!("{gate}@example.com");
        let user = emulator.user(&email).password(PASSWORD).email_verified(verified);
        let user = user
            .member_of(&acme, "member")
            .member_of(&globex, "member")
            .create()
            .unwrap();
        if mfa {
            enroll(user.id.clone()).await;
        }
        let password = json!({"grant_type": "password", "email": email, "password": PASSWORD});
        let (status, held) = authenticate(&emulator, password).await;
        assert_eq!((status, &held["code"]), (403, &json!(gate)), "{held}");
        let token = &held["pending_authentication_token"];
        let code = emulator.totp_code(&bob).unwrap();
        let answers = [
            (
                "email_verification_required",
                grant("email-verification:code"),
                json!({"code": "000000"}),
            ),
            (
                "mfa_challenge",
                grant("mfa-totp"),
                json!({"code": code, "authentication_challenge_id": bobs_challenge}),
            ),
            (
                "organization_selection_required",
                grant("organization-selection"),
                json!({"organization_id": acme.id}),
            ),
            (
                "",
                grant("radar-email-challenge:code"),
                json!({"code": "000000", "radar_challenge_id": "radar_challenge_1"}),
            ),
            (
                "",
                grant("radar-sms-challenge:code"),
                json!({"code": "000000", "verification_id": "v", "phone_number": "+15005550006"}),
            ),
            (
                "",
                grant("magic-auth:code"),
                json!({"code": "000000", "email": email}),
            ),
        ];
        for (of, name, mut body) in answers {
            body["grant_type"] = name.clone().into();
            body["pending_authentication_token"] = token.clone();
            for (client_id, environment) in [("client_other", &*emulator), (staging.client_id(), &staging)] {
                let mut foreign = body.clone();
                foreign["client_id"] = client_id.into();
                let (status, answer) = authenticate(environment, foreign).await;
                assert!(
                    (400..500).contains(&status) && answer["access_token"].is_null(),
                    "{gate} {name}: {answer}"
                );
            }
            if of != gate {
                let (status, answer) = authenticate(&emulator, body).await;
                assert!(
                    (400..500).contains(&status) && answer["access_token"].is_null(),
                    "{gate} {name}: {answer}"
                );
            }
        }
        let path = format!("/user_management/users/{}/sessions", user.id);
        let (_, sessions) = http::call(&emulator, Method::GET, &path, &Value::Null).await;
        assert_eq!(sessions["data"], json!([]), "{gate}");
    }
}

/// What was sent to a former address is good for nothing, also after a return to it.
#[actix_web::test]
async fn a_change_of_address_voids_what_was_sent_to_the_old_one() {
    let emulator = Emulator::start().await.unwrap();
    let ada = emulator
        .user(ADA)
        .password(PASSWORD)
        .email_verified(false)
        .create()
        .unwrap();
    let path = format!("/user_management/users/{}", ada.id);
    let verification = code(
        &emulator,
        &format!("{path}/email_verification/send"),
        json!({}),
        ADA,
    )
    .await;
    let magic_code = code(
        &emulator,
        "/user_management/magic_auth",
        json!({"email": ADA}),
        ADA,
    )
    .await;
    let reset = post(
        &emulator,
        "/user_management/password_reset",
        json!({"email": ADA}),
    )
    .await;
    for email in ["ada@new.example", ADA] {
        let (status, user) = http::call(&emulator, Method::PUT, &path, &json!({"email": email})).await;
        assert_eq!((status, &user["email"]), (200, &json!(email)));
        assert_eq!(magic(&emulator, email, &magic_code).await.0, 400, "{email}");
        let confirm = json!({"code": verification});
        let (status, _) = http::call(
            &emulator,
            Method::POST,
            &format!("{path}/email_verification/confirm"),
            &confirm,
        )
        .await;
        assert_eq!(status, 400, "{email}");
        let confirm =
            json!({"token": reset["password_reset_token"], "new_password": "nine patient windmills"});
        let (status, _) = http::call(
            &emulator,
            Method::POST,
            "/user_management/password_reset/confirm",
            &confirm,
        )
        .await;
        assert!(status == 400 || status == 404, "{email}: {status}");
    }
}
