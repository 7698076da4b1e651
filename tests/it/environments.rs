//! Environments: isolated from each other, reset, seeded, moved in time, set up and made to fail.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::{Value, json};
use workos::{
    organizations::{CreateOrganizationParams, ListOrganizationsParams},
    user_management::{
        AuthenticateWithPasswordParams, AuthenticateWithRefreshTokenParams, CreateUserParams,
        CreateUserParamsBody, ListUsersParams, Password,
    },
};
use workos_emulator::{EmulatedEnvironment, Emulator};

use crate::{
    http::call,
    sdk::{self, claims, refusal},
};

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse battery staple";

async fn emails(environment: &EmulatedEnvironment) -> Vec<String> {
    let sdk = sdk::client(environment);
    let users = sdk
        .user_management()
        .list_users(ListUsersParams::default())
        .await
        .unwrap();
    users.data.into_iter().map(|user| user.email).collect()
}

async fn sign_in(
    environment: &EmulatedEnvironment,
    password: &str,
) -> Result<workos::AuthenticateResponse, workos::Error> {
    let params = AuthenticateWithPasswordParams::new(EMAIL, password);
    sdk::client(environment)
        .user_management()
        .authenticate_with_password(params)
        .await
}

async fn control(environment: &EmulatedEnvironment, method: Method, path: &str, body: Value) -> Value {
    let (status, answer) = call(environment, method, &format!("/_emulate/{path}"), &body).await;
    assert!(status < 300, "{path} {body}: {status} {answer}");
    answer
}

#[actix_web::test]
async fn two_environments_know_nothing_of_each_other() {
    let emulator = Emulator::start().await.unwrap();
    let staging = emulator.environment("staging").unwrap();
    for (environment, password) in [(&*emulator, PASSWORD), (&staging, "nine patient windmills")] {
        let mut user = CreateUserParamsBody::new(EMAIL);
        user.external_id = Some("1".to_owned());
        user.email_verified = Some(true);
        user.password = Some(Password::Plaintext {
            password: password.to_owned(),
        });
        // The same e-mail address and external id are free in each.
        let created = sdk::client(environment)
            .user_management()
            .create_user(CreateUserParams::new(user))
            .await;
        created.unwrap();
    }
    let (here, there) = (sdk::client(&emulator), sdk::client(&staging));
    let named = serde_json::from_value(json!({"name": "Acme"})).unwrap();
    let acme = here
        .organizations()
        .create_organization(CreateOrganizationParams::new(named))
        .await
        .unwrap();
    assert_eq!(
        refusal(there.organizations().get_organization(&acme.id).await).0,
        404
    );
    let organizations = there
        .organizations()
        .list_organizations(ListOrganizationsParams::default())
        .await;
    assert_eq!(organizations.unwrap().data.len(), 0);
    let ada_here = here.user_management().get_user_by_external_id("1").await.unwrap();
    let ada_there = there
        .user_management()
        .get_user_by_external_id("1")
        .await
        .unwrap();
    assert_ne!(ada_here.id, ada_there.id);
    assert_eq!(
        refusal(there.user_management().get_user(&ada_here.id).await).0,
        404
    );
    let deleted = there.user_management().delete_user(&ada_here.id).await;
    assert_eq!(refusal(deleted).0, 404);

    // The client id decides where somebody signs in.
    assert_eq!(
        refusal(sign_in(&staging, PASSWORD).await),
        (400, "invalid_credentials".to_owned())
    );
    let tokens = sign_in(&staging, "nine patient windmills").await.unwrap();
    assert_eq!(tokens.user.id, ada_there.id);
    assert_eq!(
        claims(&tokens.access_token)["client_id"],
        json!(staging.client_id())
    );
    // A refresh token of one is none in the other, and neither is its API key for the other's client.
    let refresh = AuthenticateWithRefreshTokenParams::new(tokens.refresh_token.expose());
    let refused = here
        .user_management()
        .authenticate_with_refresh_token(refresh)
        .await;
    assert_eq!(refusal(refused), (400, "invalid_grant".to_owned()));
    let body = json!({
        "grant_type": "password", "client_id": staging.client_id(), "client_secret": emulator.api_key(),
        "email": EMAIL, "password": "nine patient windmills",
    });
    let (status, answer) = call(&staging, Method::POST, "/user_management/authenticate", &body).await;
    assert_eq!((status, &answer["error"]), (400, &json!("invalid_client")));
    let (_, events) = call(
        &emulator,
        Method::GET,
        "/events?events[]=session.created",
        &Value::Null,
    )
    .await;
    assert_eq!(events["data"], json!([]), "nobody signed in here");
}

#[actix_web::test]
async fn two_emulators_in_one_process_know_nothing_of_each_other() {
    let (one, other) = (Emulator::start().await.unwrap(), Emulator::start().await.unwrap());
    assert_ne!(one.url(), other.url());
    one.user(EMAIL).create().unwrap();
    one.clock().advance(Duration::from_secs(3600));
    assert_eq!(emails(&one).await, [EMAIL]);
    assert!(emails(&other).await.is_empty());
    assert!(other.clock().now() < one.clock().now());
    one.stop().await;
    assert!(emails(&other).await.is_empty(), "and runs on");
}

#[actix_web::test]
async fn a_reset_goes_back_to_the_seed() {
    let seed = format!("users: [{{email: {EMAIL}, password: {PASSWORD}, email_verified: true}}]");
    let emulator = Emulator::builder().seed(seed).start().await.unwrap();
    let tokens = sign_in(&emulator, PASSWORD).await.unwrap();
    emulator.user("eve@example.com").create().unwrap();
    emulator.clock().advance(Duration::from_secs(3600));
    control(&emulator, Method::PATCH, "settings", json!({"sign_up": false})).await;
    control(
        &emulator,
        Method::POST,
        "hooks",
        json!({"method": "*", "path": "*", "status": 500}),
    )
    .await;
    control(&emulator, Method::POST, "reset", Value::Null).await;

    assert_eq!(emails(&emulator).await, [EMAIL]);
    assert_eq!(
        control(&emulator, Method::GET, "clock", Value::Null).await["offset_ms"],
        0
    );
    assert_eq!(
        control(&emulator, Method::GET, "settings", Value::Null).await["sign_up"],
        true
    );
    assert_eq!(
        control(&emulator, Method::GET, "hooks", Value::Null).await,
        json!([])
    );
    let refresh = AuthenticateWithRefreshTokenParams::new(tokens.refresh_token.expose());
    let refused = sdk::client(&emulator)
        .user_management()
        .authenticate_with_refresh_token(refresh)
        .await;
    assert_eq!(refusal(refused).0, 400, "the session is gone");
    sign_in(&emulator, PASSWORD).await.unwrap();
}

#[actix_web::test]
async fn a_seed_over_http_is_there_for_the_sdk() {
    let emulator = Emulator::start().await.unwrap();
    let seed = json!({
        "permissions": [{"slug": "posts:write", "name": "Write posts"}],
        "roles": [{"slug": "editor", "name": "Editor", "permissions": ["posts:write"]}],
        "users": [{"email": EMAIL, "password": PASSWORD, "email_verified": true, "metadata": {"plan": "team"}}],
        "organizations": [{"name": "Acme", "memberships": [{"email": EMAIL, "role": "editor"}]}],
    });
    let seeded = control(&emulator, Method::POST, "seed", seed.clone()).await;
    assert_eq!(
        seeded["created"],
        json!({"permissions": 1, "roles": 1, "users": 1, "organizations": 1, "memberships": 1})
    );
    let tokens = sign_in(&emulator, PASSWORD).await.unwrap();
    assert_eq!(
        tokens.organization_id.as_deref(),
        seeded["ids"]["organizations"]["Acme"].as_str()
    );
    let claims = claims(&tokens.access_token);
    assert_eq!(
        (&claims["role"], &claims["permissions"]),
        (&json!("editor"), &json!(["posts:write"]))
    );
    let (status, refused) = call(&emulator, Method::POST, "/_emulate/seed", &seed).await;
    assert_eq!((status, refused["errors"].is_array()), (422, true), "{refused}");
    assert_eq!(emails(&emulator).await, [EMAIL]);
}

#[actix_web::test]
async fn a_snapshot_brings_back_people_sessions_and_time() {
    let emulator = Emulator::start().await.unwrap();
    emulator.user(EMAIL).password(PASSWORD).create().unwrap();
    let tokens = sign_in(&emulator, PASSWORD).await.unwrap();
    let kept = control(&emulator, Method::POST, "snapshots", json!({"name": "signed in"})).await;
    let sdk = sdk::client(&emulator);
    sdk.user_management().delete_user(&tokens.user.id).await.unwrap();
    emulator.clock().advance(Duration::from_secs(7200));
    assert!(emails(&emulator).await.is_empty());
    let restore = format!("snapshots/{}/restore", kept["id"].as_str().unwrap());
    control(&emulator, Method::POST, &restore, Value::Null).await;
    assert_eq!(emails(&emulator).await, [EMAIL]);
    let refresh = AuthenticateWithRefreshTokenParams::new(tokens.refresh_token.expose());
    let refreshed = sdk
        .user_management()
        .authenticate_with_refresh_token(refresh)
        .await
        .unwrap();
    assert_eq!(
        claims(&refreshed.access_token)["sid"],
        claims(&tokens.access_token)["sid"]
    );
}

#[actix_web::test]
async fn expiries_follow_the_clock_and_the_settings() {
    let emulator = Emulator::start().await.unwrap();
    emulator.user(EMAIL).password(PASSWORD).create().unwrap();
    let settings =
        json!({"access_token_lifetime": 60, "session_inactivity": 600, "issuer": "https://api.workos.com"});
    control(&emulator, Method::PATCH, "settings", settings).await;
    control(
        &emulator,
        Method::POST,
        "clock",
        json!({"set": "2030-01-01T00:00:00Z", "freeze": true}),
    )
    .await;
    let tokens = sign_in(&emulator, PASSWORD).await.unwrap();
    let at_first = claims(&tokens.access_token);
    assert_eq!(
        (at_first["iat"].as_i64(), at_first["exp"].as_i64()),
        (Some(1_893_456_000), Some(1_893_456_060))
    );
    assert_eq!(at_first["iss"], "https://api.workos.com");

    let refresh = async |token: &str| {
        let params = AuthenticateWithRefreshTokenParams::new(token);
        sdk::client(&emulator)
            .user_management()
            .authenticate_with_refresh_token(params)
            .await
    };
    control(&emulator, Method::POST, "clock", json!({"advance": "9m59s"})).await;
    let second = refresh(tokens.refresh_token.expose()).await.unwrap();
    assert_eq!(claims(&second.access_token)["auth_time"], at_first["auth_time"]);
    // The last token is good for 30 seconds more, for the same pair.
    control(&emulator, Method::POST, "clock", json!({"advance": "29s"})).await;
    let again = refresh(tokens.refresh_token.expose()).await.unwrap();
    assert_eq!(again.refresh_token.expose(), second.refresh_token.expose());
    control(&emulator, Method::POST, "clock", json!({"advance": "2s"})).await;
    assert_eq!(
        refusal(refresh(tokens.refresh_token.expose()).await),
        (400, "invalid_grant".to_owned())
    );
    control(&emulator, Method::POST, "clock", json!({"advance": "10m"})).await;
    assert_eq!(
        refusal(refresh(second.refresh_token.expose()).await),
        (400, "invalid_grant".to_owned())
    );

    let wrong = json!({"sign_up": false, "access_token_lifetime": "long"});
    let (status, refused) = call(&emulator, Method::PATCH, "/_emulate/settings", &wrong).await;
    assert_eq!(
        (status, &refused["errors"][0]["field"]),
        (422, &json!("access_token_lifetime"))
    );
    assert_eq!(
        control(&emulator, Method::GET, "settings", Value::Null).await["sign_up"],
        true
    );
}

#[actix_web::test]
async fn a_hook_makes_an_operation_fail_as_often_as_it_says() {
    let emulator = Emulator::start().await.unwrap();
    let sdk = sdk::client(&emulator);
    let hook = json!({
        "method": "POST", "path": "/organizations", "status": 429, "count": 2,
        "body": {"message": "Too many requests.", "code": "rate_limit_exceeded"},
    });
    control(&emulator, Method::POST, "hooks", hook).await;
    let create = async || {
        let named = serde_json::from_value(json!({"name": "Acme"})).unwrap();
        sdk.organizations()
            .create_organization(CreateOrganizationParams::new(named))
            .await
    };
    let limited = (429, "rate_limit_exceeded".to_owned());
    assert_eq!(
        (refusal(create().await), refusal(create().await)),
        (limited.clone(), limited)
    );
    assert!(
        sdk.organizations()
            .list_organizations(Default::default())
            .await
            .unwrap()
            .data
            .is_empty()
    );
    create().await.unwrap();
    // Until it is taken away.
    let hook = json!({"method": "*", "path": "/user_management/*", "status": 503});
    let hook = control(&emulator, Method::POST, "hooks", hook).await;
    let users = async || sdk.user_management().list_users(ListUsersParams::default()).await;
    assert_eq!((refusal(users().await).0, refusal(users().await).0), (503, 503));
    control(
        &emulator,
        Method::DELETE,
        &format!("hooks/{}", hook["id"].as_str().unwrap()),
        Value::Null,
    )
    .await;
    users().await.unwrap();
}

#[actix_web::test]
async fn rotated_keys_sign_new_tokens_and_old_tokens_still_verify() {
    let emulator = Emulator::start().await.unwrap();
    emulator.user(EMAIL).password(PASSWORD).create().unwrap();
    let sdk = sdk::client(&emulator);
    let old = sign_in(&emulator, PASSWORD).await.unwrap().access_token;
    let rotated = control(&emulator, Method::POST, "keys/rotate", json!({})).await;
    let new = sign_in(&emulator, PASSWORD).await.unwrap().access_token;
    assert_ne!(kid(&old), kid(&new));
    assert_eq!(json!(kid(&new)), rotated["kid"]);
    let published = sdk
        .user_management()
        .get_jwks(emulator.client_id())
        .await
        .unwrap();
    let published: Vec<_> = published.keys.iter().map(|key| key.kid.clone()).collect();
    assert_eq!(published, [kid(&new), kid(&old)], "the old one stays");
}

/// The `kid` in a token's header.
fn kid(token: &workos::SecretString) -> String {
    let header = token.expose().split('.').next().unwrap();
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}
