//! As much of WorkOS as a request needs, in memory. It knows what the tests of this process have made, and nobody else.

use std::{
    collections::HashMap,
    future::Future,
    io,
    pin::Pin,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use url::Url;
use workos::transport::{HttpRequest, HttpResponse, HttpTransport, TransportError};

use super::TestUser;
use crate::clock::{Clock, unix_seconds};

/// What the tests have made. Shared by all AuthKits of the process: a test makes one, and another one its request.
static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Known {
    /// By refresh token.
    sessions: HashMap<String, TestUser>,
    users: HashMap<String, TestUser>,
    /// By value.
    api_keys: HashMap<String, Value>,
}

fn known() -> MutexGuard<'static, Known> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn remember_session(refresh_token: &str, user: &TestUser) {
    known().sessions.insert(refresh_token.to_owned(), user.clone());
}

pub(super) fn remember_user(user: &TestUser) {
    known().users.insert(user.user_id().to_owned(), user.clone());
}

pub(super) fn remember_api_key(value: &str, key: Value) {
    known().api_keys.insert(value.to_owned(), key);
}

/// The SDK's requests, answered here.
pub(crate) struct InMemoryTransport {
    clock: Arc<dyn Clock>,
}

impl InMemoryTransport {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }

    fn answer(&self, request: &HttpRequest) -> Result<(StatusCode, Value), TransportError> {
        let path = Url::parse(&request.url).map_err(TransportError::other)?;
        let body: Value = request
            .body
            .as_ref()
            .and_then(|body| serde_json::from_slice(body).ok())
            .unwrap_or_default();
        match (&request.method, path.path()) {
            (&Method::POST, "/user_management/authenticate") => Ok(self.authenticate(&body)),
            (&Method::POST, "/api_keys/validations") => {
                let value = body["value"].as_str().unwrap_or_default();
                let key = known().api_keys.get(value).cloned();
                Ok((StatusCode::OK, json!({ "api_key": key })))
            }
            (&Method::GET, path) if path.starts_with("/user_management/users/") => {
                let id = path.rsplit('/').next().unwrap_or_default();
                Ok(match known().users.get(id) {
                    Some(user) => (StatusCode::OK, json!(user.user())),
                    None => {
                        let error = json!({ "code": "entity_not_found", "message": "no user of this test" });
                        (StatusCode::NOT_FOUND, error)
                    }
                })
            }
            (method, path) => Err(TransportError::other(io::Error::other(format!(
                "{method} {path} is asked of the WorkOS of `workos_actix::testing`, which has no such operation; point \
                 `api_base_url` of an ordinary `AuthKit::builder()` at a `workos-emulator`, which has"
            )))),
        }
    }

    /// New tokens for a session, perhaps in another organization. Every refresh token stays good, so that a test may send the
    /// same request twice.
    fn authenticate(&self, body: &Value) -> (StatusCode, Value) {
        let refused = |error: &str| (StatusCode::BAD_REQUEST, json!({ "error": error }));
        let token = body["refresh_token"].as_str().unwrap_or_default();
        let user = known().sessions.get(token).cloned();
        let Some(user) = user else {
            return refused("invalid_grant");
        };
        let moved = match body["organization_id"].as_str() {
            Some(id) => user.moved_to(id),
            None => Some(user),
        };
        match moved {
            Some(user) => {
                let answer = user.refreshed().answer(unix_seconds(self.clock.as_ref()));
                (StatusCode::OK, answer)
            }
            None => refused("organization_membership_not_found"),
        }
    }
}

impl HttpTransport for InMemoryTransport {
    fn execute<'this, 'future>(
        &'this self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, TransportError>> + Send + 'future>>
    where
        'this: 'future,
        Self: 'future,
    {
        let answer = self.answer(&request);
        Box::pin(async move {
            let (status, body) = answer?;
            Ok(HttpResponse {
                status,
                headers: Default::default(),
                body: body.to_string().into(),
            })
        })
    }
}
