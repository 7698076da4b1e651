//! What of the WorkOS API a request with a bearer credential needs: profiles, API keys, the keys of machines.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use actix_web::{HttpResponse, http::StatusCode, web};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};

const OPEN: usize = 10_000;

/// The state behind it, shared by all workers.
#[derive(Clone)]
pub(crate) struct FakeApi(Arc<Inner>);

struct Inner {
    keys: Mutex<HashMap<String, Value>>,
    /// Instead of every answer of the API.
    failure: Mutex<Option<(u16, Option<u64>)>>,
    gone: Mutex<bool>,
    calls: watch::Sender<Calls>,
    /// Questions about keys that begin with `sk_held` pass while this has permits.
    gate: Semaphore,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Calls {
    pub(crate) users: usize,
    pub(crate) validations: usize,
}

impl FakeApi {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inner {
            keys: Mutex::default(),
            failure: Mutex::default(),
            gone: Mutex::default(),
            calls: watch::Sender::default(),
            gate: Semaphore::new(OPEN),
        }))
    }

    pub(crate) fn routes(&self) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
        let api = self.clone();
        move |app| {
            app.app_data(web::Data::new(api))
                .route("/user_management/users/{id}", web::get().to(user))
                .route("/api_keys/validations", web::post().to(validate));
        }
    }

    pub(crate) fn calls(&self) -> Calls {
        *self.0.calls.borrow()
    }

    /// Waits until so many questions about API keys have come.
    pub(crate) async fn validations_reach(&self, number: usize) {
        let mut calls = self.0.calls.subscribe();
        calls.wait_for(|calls| calls.validations >= number).await.unwrap();
    }

    /// From now on WorkOS knows the key.
    pub(crate) fn add_key(&self, value: &str, key: Value) {
        self.0.keys.lock().unwrap().insert(value.to_owned(), key);
    }

    pub(crate) fn revoke_key(&self, value: &str) {
        self.0.keys.lock().unwrap().remove(value);
    }

    /// From now on every answer has this status, and tells to come back after so many seconds.
    pub(crate) fn fail(&self, failure: Option<(u16, Option<u64>)>) {
        *self.0.failure.lock().unwrap() = failure;
    }

    /// From now on there is no user.
    pub(crate) fn delete_users(&self) {
        *self.0.gone.lock().unwrap() = true;
    }

    pub(crate) fn hold(&self) {
        self.0.gate.forget_permits(OPEN);
    }

    pub(crate) fn release(&self) {
        self.0.gate.add_permits(OPEN);
    }

    fn failure(&self) -> Option<HttpResponse> {
        let (status, retry_after) = (*self.0.failure.lock().unwrap())?;
        let mut response = HttpResponse::build(StatusCode::from_u16(status).unwrap());
        if let Some(seconds) = retry_after {
            response.insert_header(("Retry-After", seconds.to_string()));
        }
        Some(response.json(json!({ "message": "no" })))
    }
}

async fn user(api: web::Data<FakeApi>, id: web::Path<String>) -> HttpResponse {
    api.0.calls.send_modify(|calls| calls.users += 1);
    if let Some(failure) = api.failure() {
        return failure;
    }
    if *api.0.gone.lock().unwrap() {
        return HttpResponse::NotFound()
            .json(json!({ "code": "entity_not_found", "message": "User not found" }));
    }
    HttpResponse::Ok().json(crate::fake_workos::user(&id))
}

async fn validate(api: web::Data<FakeApi>, body: web::Json<Value>) -> HttpResponse {
    api.0.calls.send_modify(|calls| calls.validations += 1);
    let value = body["value"].as_str().unwrap();
    if value.starts_with("sk_held") {
        let _permit = api.0.gate.acquire().await.unwrap();
    }
    if let Some(failure) = api.failure() {
        return failure;
    }
    HttpResponse::Ok().json(json!({ "api_key": api.0.keys.lock().unwrap().get(value) }))
}

/// An API key of an organization.
pub(crate) fn key_of_organization(id: &str) -> Value {
    key(id, &json!({ "type": "organization", "id": "org_1" }))
}

/// An API key that a user has in an organization.
pub(crate) fn key_of_user(id: &str) -> Value {
    key(
        id,
        &json!({ "type": "user", "id": "user_1", "organization_id": "org_2" }),
    )
}

fn key(id: &str, owner: &Value) -> Value {
    json!({
        "object": "api_key", "id": id, "owner": owner, "name": "CI", "obfuscated_value": "sk_...3456",
        "last_used_at": null, "expires_at": null, "permissions": ["posts:read"],
        "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z",
    })
}
