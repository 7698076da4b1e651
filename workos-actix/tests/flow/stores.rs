//! Sessions kept on the server, in a store that is not ours.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use actix_session::storage::{
    LoadError, SaveError, SessionKey, SessionStore, UpdateError, generate_session_key,
};
use actix_web::{App, cookie::time::Duration, test::TestRequest};
use serde_json::json;
use tokio::sync::Notify;

use crate::{
    app::{TestApp, pages},
    fake_workos::LIFETIME,
};

type State = HashMap<String, String>;

/// What a Redis would be: shared by all workers, and sometimes away.
#[derive(Clone, Default)]
struct Memory {
    sessions: Arc<Mutex<HashMap<String, State>>>,
    away: Arc<AtomicBool>,
    update: Arc<Notify>,
}

impl Memory {
    fn check(&self) -> std::io::Result<()> {
        if self.away.load(Ordering::Relaxed) {
            return Err(std::io::Error::other("connection refused"));
        }
        Ok(())
    }

    async fn updated(&self) {
        // A bound for the case that fails: it never comes.
        let limit = std::time::Duration::from_secs(10);
        tokio::time::timeout(limit, self.update.notified()).await.unwrap();
    }

    fn keys(&self) -> Vec<String> {
        self.sessions.lock().unwrap().keys().cloned().collect()
    }
}

impl SessionStore for Memory {
    async fn load(&self, key: &SessionKey) -> Result<Option<State>, LoadError> {
        self.check().map_err(|error| LoadError::Other(error.into()))?;
        Ok(self.sessions.lock().unwrap().get(key.as_ref()).cloned())
    }

    async fn save(&self, state: State, _: &Duration) -> Result<SessionKey, SaveError> {
        self.check().map_err(|error| SaveError::Other(error.into()))?;
        let key = generate_session_key();
        self.sessions
            .lock()
            .unwrap()
            .insert(key.as_ref().to_owned(), state);
        Ok(key)
    }

    async fn update(&self, key: SessionKey, state: State, _: &Duration) -> Result<SessionKey, UpdateError> {
        self.check().map_err(|error| UpdateError::Other(error.into()))?;
        self.sessions
            .lock()
            .unwrap()
            .insert(key.as_ref().to_owned(), state);
        self.update.notify_one();
        Ok(key)
    }

    async fn update_ttl(&self, _: &SessionKey, _: &Duration) -> Result<(), anyhow::Error> {
        Ok(())
    }

    async fn delete(&self, key: &SessionKey) -> Result<(), anyhow::Error> {
        self.check()?;
        self.sessions.lock().unwrap().remove(key.as_ref());
        Ok(())
    }
}

#[actix_web::test]
async fn a_session_lives_and_ends_in_the_store() {
    let store = Memory::default();
    let app = TestApp::start_with(|builder| builder.session_store(store.clone())).await;
    let mut browser = app.signed_in().await;
    assert!(browser.session().unwrap().len() < 200, "the cookie is only a key");
    assert_eq!(browser.fetch("/me").await.json()["jti"], "jti_2");
    let keys = store.keys();
    assert_eq!(keys.len(), 1);

    // Refreshed in its place; the old cookie is the current one.
    app.clock.advance(LIFETIME + 1);
    let mut other_tab = browser.clone();
    assert_eq!(browser.fetch("/me").await.json()["jti"], "jti_3");
    app.clock.advance(60);
    assert_eq!(other_tab.fetch("/me").await.json()["jti"], "jti_3");
    assert_eq!((store.keys(), app.workos.counts().refreshes), (keys.clone(), 1));

    // Against session fixation: a new sign-in gets a new key, and the old one is gone.
    let mut fixed = browser.clone();
    browser.sign_in(&app.workos, "/auth/sign-in").await;
    assert_eq!(store.keys().len(), 1);
    assert_ne!(store.keys(), keys);
    assert_eq!(fixed.fetch("/me").await.status, 401);

    // Deleted by another machine: over at once, although its token was verified before.
    assert_eq!(browser.fetch("/me").await.status, 200);
    store.sessions.lock().unwrap().clear();
    assert_eq!(browser.fetch("/me").await.status, 401);
}

#[actix_web::test]
async fn a_planted_session_does_not_survive_a_sign_in() {
    let store = Memory::default();
    let app = TestApp::start_with(|builder| builder.session_store(store.clone())).await;
    // The attacker's own session, in the victim's browser.
    let mut attacker = app.signed_in().await;
    for own_flow in [false, true] {
        let planted = store.keys();
        let mut victim = attacker.clone();
        if own_flow {
            let answer = app.workos.begin_session();
            assert_eq!(victim.fetch_json("/own/session", &answer).await.status, 200);
        } else {
            victim.sign_in(&app.workos, "/auth/sign-in").await;
        }
        assert_ne!(victim.session(), attacker.session());
        assert_eq!(store.keys().len(), 1);
        assert_ne!(store.keys(), planted, "the key is a new one");
        assert_eq!(
            attacker.fetch("/me").await.status,
            401,
            "and the old one is nobody's"
        );
        attacker = victim;
    }
}

#[actix_web::test]
async fn another_organization_takes_the_place_of_the_first() {
    let store = Memory::default();
    let app = TestApp::start_with(|builder| builder.session_store(store.clone())).await;
    let mut browser = app.signed_in().await;
    let mut other_tab = browser.clone();
    assert_eq!(other_tab.fetch("/me").await.json()["organization"], "org_1");
    let keys = store.keys();
    let response = browser
        .submit("/auth/switch-organization", &[("organization_id", "org_2")])
        .await;
    assert_eq!(response.status, 303, "{}", response.body);
    assert_eq!(store.keys(), keys);
    // The other tab has the same cookie, and moves along at once.
    assert_eq!(other_tab.fetch("/me").await.json()["organization"], "org_2");
    assert_eq!(app.workos.counts().refreshes, 1);
}

#[actix_web::test]
async fn a_switch_that_cannot_be_stored_is_an_error() {
    let store = Memory::default();
    let app = TestApp::start_with(|builder| builder.session_store(store.clone())).await;
    let mut browser = app.signed_in().await;
    app.workos.hold();
    let mut tab = browser.clone();
    let switch = actix_web::rt::spawn(async move {
        tab.fetch_json(
            "/auth/switch-organization",
            &json!({ "organization_id": "org_2" }),
        )
        .await
    });
    app.workos.refreshes_reach(1).await;
    store.away.store(true, Ordering::Relaxed);
    app.workos.release();
    let response = switch.await.unwrap();
    assert_eq!(
        (response.status, response.json()["code"].as_str()),
        (500, Some("session_not_kept"))
    );
    // The store has the old session; for the grace time that is as good as the new one.
    store.away.store(false, Ordering::Relaxed);
    assert_eq!(browser.fetch("/me").await.json()["organization"], "org_1");
    let response = browser
        .fetch_json(
            "/auth/switch-organization",
            &json!({ "organization_id": "org_2" }),
        )
        .await;
    assert_eq!(
        (response.status, response.json()),
        (200, json!({ "organization_id": "org_2" }))
    );
    assert_eq!(app.workos.counts().refreshes, 1);
}

#[actix_web::test]
async fn signing_out_deletes_the_session() {
    let store = Memory::default();
    let app = TestApp::start_with(|builder| builder.session_store(store.clone())).await;
    let mut browser = app.signed_in().await;
    browser.visit("/auth/sign-out").await;
    assert_eq!(store.keys().len(), 0);
}

#[actix_web::test]
async fn a_store_that_is_away_is_503_and_signs_nobody_out() {
    let store = Memory::default();
    let app = TestApp::start_with(|builder| builder.session_store(store.clone())).await;
    let mut browser = app.signed_in().await;
    store.away.store(true, Ordering::Relaxed);
    assert_eq!(browser.fetch("/me").await.status, 503);
    assert!(browser.session().is_some());
    let mut other = app.browser();
    assert_eq!(other.sign_in(&app.workos, "/auth/sign-in").await.status, 503);
    store.away.store(false, Ordering::Relaxed);
    assert_eq!(browser.fetch("/me").await.status, 200);
}

#[actix_web::test]
async fn a_client_that_disconnects_does_not_keep_a_rotation_from_the_store() {
    let store = Memory::default();
    let app = TestApp::start_with(|builder| builder.session_store(store.clone())).await;
    let mut browser = app.signed_in().await;
    app.clock.advance(LIFETIME + 1);
    app.workos.hold();
    let service = App::new().wrap(app.authkit.middleware()).configure(pages);
    let service = actix_web::test::init_service(service).await;
    let cookie = format!("wos-session={}", browser.session().unwrap());
    let request = TestRequest::get()
        .uri("/me")
        .insert_header(("cookie", cookie))
        .to_request();
    tokio::select! {
        biased;
        _ = actix_web::test::call_service(&service, request) => panic!("WorkOS holds the answer back"),
        () = app.workos.refreshes_reach(1) => {}
    }
    app.workos.release();
    store.updated().await;
    // Long after every grace time.
    app.clock.advance(LIFETIME - 60);
    assert_eq!(browser.fetch("/me").await.json()["jti"], "jti_3");
    assert_eq!(app.workos.counts().refreshes, 1);
}
