//! Sessions on two machines, in cookies and in Redis, and where they end.

use std::time::Duration;

use actix_session::storage::RedisSessionStore;
use reqwest::Method;
use serde_json::json;
use workos_actix::{AuthKit, AuthKitBuilder};

use super::{Data, Machines, RedisServer, eventually};
use crate::{
    app::TestApp,
    browser::Browser,
    fake_workos::{KID, LIFETIME, NOW, sign},
};

/// Two machines whose sessions are in Redis.
async fn in_redis(data: Data) -> Machines {
    Machines::start_with(data, AuthKitBuilder::sessions_in_shared_state).await
}

async fn is_signed_out(browser: &Browser) -> bool {
    browser.clone().fetch("/me").await.status == 401
}

#[actix_web::test]
async fn who_signs_out_on_one_machine_is_signed_out_on_the_other() {
    let Machines { redis, first, second } = Machines::start(Data::Kept).await;
    let mut browser = first.signed_in().await;
    let mut stays = second.signed_in().await;
    // A copy of the cookie, which the other machine has verified before.
    let stolen = second.takes_over(&browser);
    assert_eq!(stolen.clone().fetch("/me").await.status, 200);
    browser.visit("/auth/sign-out").await;
    eventually("the other machine knows", Duration::from_secs(5), async || {
        is_signed_out(&stolen).await
    })
    .await;
    // A machine that starts now knows, too.
    let state = redis.connect().await;
    let late = second.another(|builder| builder.shared_state(state));
    assert!(is_signed_out(&late.takes_over(&stolen)).await);
    assert_eq!(stays.fetch("/me").await.status, 200);
    assert_eq!(late.takes_over(&stays).fetch("/me").await.status, 200);
}

#[actix_web::test]
async fn an_access_token_ends_with_its_session_on_every_machine() {
    let Machines { redis, first, second } = Machines::start_with(Data::Kept, |builder| {
        builder.bearer_tokens().revocation_max_age(Duration::from_secs(3))
    })
    .await;
    let mut browser = first.signed_in().await;
    let session_id = browser.fetch("/me").await.json()["session"].clone();
    let claims = json!({
        "iss": "https://api.workos.com", "sub": "user_1", "sid": session_id, "jti": "jti_9",
        "iat": NOW, "exp": NOW + LIFETIME,
    });
    let header = format!("Bearer {}", sign("RS256", KID, &claims));
    let ask = async || {
        let mut program = second.browser();
        let headers = [("authorization", header.as_str())];
        program.send(Method::GET, "/scope/page", &headers).await.status
    };
    assert_eq!(ask().await, 200);
    redis.freeze();
    eventually("nobody can tell", Duration::from_secs(10), async || {
        ask().await == 503
    })
    .await;
    redis.thaw();
    eventually("it is known again", Duration::from_secs(10), async || {
        ask().await == 200
    })
    .await;
    browser.visit("/auth/sign-out").await;
    eventually("the other machine knows", Duration::from_secs(5), async || {
        ask().await == 401
    })
    .await;
}

#[actix_web::test]
async fn sessions_in_redis_are_everywhere_sealed_and_end_everywhere_at_once() {
    let Machines { redis, first, second } = in_redis(Data::Kept).await;
    let mut browser = first.signed_in().await;
    assert!(browser.session().unwrap().len() < 200, "the cookie is only a key");
    let mut other = second.takes_over(&browser);
    assert_eq!(other.fetch("/me").await.json()["jti"], "jti_2");

    let dump = redis.dump();
    assert!(dump.contains("workos-actix:session:"), "{dump}");
    // The last one begins every access token, and is too long for a chance in what is sealed.
    for secret in ["refresh_", "alice@acme.example", "eyJhbGciOi"] {
        assert!(!dump.contains(secret), "{secret} in {dump}");
    }

    // Refreshed in its place, once: the cookie is the same on both.
    first.clock.advance(LIFETIME + 1);
    assert_eq!(other.fetch("/me").await.json()["jti"], "jti_3");
    assert_eq!(browser.fetch("/me").await.json()["jti"], "jti_3");
    assert_eq!(first.workos.counts().refreshes, 1);

    let mut copy = other.clone();
    browser.visit("/auth/sign-out").await;
    assert_eq!(copy.fetch("/me").await.status, 401);
    assert!(!redis.dump().contains("workos-actix:session:"));
}

#[actix_web::test]
async fn sessions_in_redis_survive_its_restart() {
    let Machines {
        mut redis,
        first,
        second,
    } = in_redis(Data::Kept).await;
    let mut browser = first.signed_in().await;
    redis.kill();
    let mut other = second.takes_over(&browser);
    for browser in [&mut browser, &mut other] {
        let response = browser.fetch("/me").await;
        assert_eq!(response.status, 503);
        assert_eq!(response.header("retry-after"), "5");
        assert!(browser.session().is_some());
    }
    // Nobody is told that they are signed out while the session lives on.
    assert_eq!(browser.visit("/auth/sign-out").await.status, 503);
    assert!(browser.session().is_some());
    redis.restart();
    for browser in [&browser, &other] {
        eventually("the session is back", Duration::from_secs(5), async || {
            browser.clone().fetch("/me").await.status == 200
        })
        .await;
    }
    // Frozen, it costs time, but not for ever.
    redis.freeze();
    let answer = tokio::time::timeout(Duration::from_secs(5), browser.fetch("/me")).await;
    assert_eq!(answer.expect("no request hangs").status, 503);
    redis.thaw();
    eventually("the session is back", Duration::from_secs(5), async || {
        other.clone().fetch("/me").await.status == 200
    })
    .await;
    assert_eq!(first.workos.counts().refreshes, 0);
}

#[actix_web::test]
async fn a_session_in_redis_lives_as_long_as_its_cookie() {
    let machines = Machines::start_with(Data::Lost, |builder| {
        builder
            .sessions_in_shared_state()
            .cookie_max_age(Duration::from_secs(1))
    })
    .await;
    let browser = machines.first.signed_in().await;
    let cookie = browser.clone();
    eventually("the session runs out", Duration::from_secs(5), async || {
        is_signed_out(&cookie).await
    })
    .await;
}

/// The store that `actix-session` has for Redis, with its own connection: as any other store.
#[actix_web::test]
async fn the_store_of_actix_session_works_and_cannot_hang_a_request() {
    let mut redis = RedisServer::start(Data::Kept);
    let store = RedisSessionStore::new(redis.url()).await.unwrap();
    let other_store = RedisSessionStore::new(redis.url()).await.unwrap();
    let first = TestApp::start_with(|builder| builder.session_store(store)).await;
    let second = first.another(|builder| builder.session_store(other_store));
    let mut browser = first.signed_in().await;
    let mut other = second.takes_over(&browser);
    assert_eq!(other.fetch("/me").await.json()["jti"], "jti_2");
    first.clock.advance(LIFETIME + 1);
    assert_eq!(browser.fetch("/me").await.json()["jti"], "jti_3");
    assert_eq!(other.fetch("/me").await.json()["jti"], "jti_3");

    redis.freeze();
    let answer = tokio::time::timeout(Duration::from_secs(6), browser.fetch("/me")).await;
    assert_eq!(answer.expect("no request hangs").status, 503);
    redis.thaw();
    eventually("it answers again", Duration::from_secs(10), async || {
        browser.clone().fetch("/me").await.status == 200
    })
    .await;
    redis.kill();
    let answer = tokio::time::timeout(Duration::from_secs(6), other.fetch("/me")).await;
    assert_eq!(answer.expect("no request hangs").status, 503);
    assert!(other.session().is_some());
}

#[actix_web::test]
async fn sessions_need_a_state_to_be_in() {
    let error = AuthKit::builder()
        .api_key("sk_test_1")
        .client_id("client_1")
        .cookie_password("0123456789abcdef0123456789abcdef")
        .redirect_uri("http://localhost/auth/callback")
        .sessions_in_shared_state()
        .build()
        .unwrap_err();
    assert!(error.to_string().contains("shared_state("), "{error}");
}
