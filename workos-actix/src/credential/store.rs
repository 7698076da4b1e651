//! Any `actix_session` store behind one type, so that [`AuthKit`](crate::AuthKit) needs no type parameter.

use std::{collections::HashMap, fmt, future::Future, pin::Pin, sync::Arc};

use actix_session::storage::{LoadError, SessionKey, SessionStore};
use actix_web::cookie::time::Duration;

use crate::counted;

/// How long a store elsewhere may take for one operation. Not every store has a limit of its own, and no request may hang
/// because of one.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(3);

pub(crate) type StoredState = HashMap<String, String>;

/// Store futures need not be `Send`: they run on the worker that handles the request.
type LocalBoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

trait DynSessionStore: Send + Sync {
    fn load<'a>(&'a self, key: &'a SessionKey) -> LocalBoxFuture<'a, Result<Option<StoredState>, String>>;
    fn save<'a>(
        &'a self,
        state: StoredState,
        ttl: &'a Duration,
    ) -> LocalBoxFuture<'a, Result<SessionKey, String>>;
    fn update<'a>(
        &'a self,
        key: SessionKey,
        state: StoredState,
        ttl: &'a Duration,
    ) -> LocalBoxFuture<'a, Result<SessionKey, String>>;
    fn delete<'a>(&'a self, key: &'a SessionKey) -> LocalBoxFuture<'a, Result<(), String>>;
}

impl<S: SessionStore + Send + Sync> DynSessionStore for S {
    fn load<'a>(&'a self, key: &'a SessionKey) -> LocalBoxFuture<'a, Result<Option<StoredState>, String>> {
        Box::pin(async move {
            match SessionStore::load(self, key).await {
                Ok(state) => Ok(state),
                // A state written by another program or version is no session of ours.
                Err(LoadError::Deserialization(_)) => Ok(None),
                Err(error @ LoadError::Other(_)) => Err(explain(&error)),
            }
        })
    }

    fn save<'a>(
        &'a self,
        state: StoredState,
        ttl: &'a Duration,
    ) -> LocalBoxFuture<'a, Result<SessionKey, String>> {
        Box::pin(async move {
            SessionStore::save(self, state, ttl)
                .await
                .map_err(|error| explain(&error))
        })
    }

    fn update<'a>(
        &'a self,
        key: SessionKey,
        state: StoredState,
        ttl: &'a Duration,
    ) -> LocalBoxFuture<'a, Result<SessionKey, String>> {
        Box::pin(async move {
            SessionStore::update(self, key, state, ttl)
                .await
                .map_err(|error| explain(&error))
        })
    }

    fn delete<'a>(&'a self, key: &'a SessionKey) -> LocalBoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            SessionStore::delete(self, key)
                .await
                .map_err(|error| error.to_string())
        })
    }
}

fn explain(error: &dyn std::error::Error) -> String {
    error
        .source()
        .map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

/// The store of an [`AuthKit`](crate::AuthKit).
#[derive(Clone)]
pub(crate) struct AnySessionStore(Arc<dyn DynSessionStore>);

impl fmt::Debug for AnySessionStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnySessionStore")
    }
}

impl AnySessionStore {
    /// A store is asked at every request. Not for long: see [`LIMIT`].
    pub(crate) fn new(store: impl SessionStore + Send + Sync + 'static) -> Self {
        Self(Arc::new(store))
    }

    /// The state kept under a key; `None` when there is none, or the key is none.
    pub(crate) async fn load(&self, key: &str) -> Result<Option<StoredState>, String> {
        match SessionKey::try_from(key.to_owned()) {
            Ok(key) => in_time("load", self.0.load(&key)).await,
            Err(_) => Ok(None),
        }
    }

    /// Keeps a state under a fresh key.
    pub(crate) async fn save(&self, state: StoredState, ttl: &Duration) -> Result<String, String> {
        in_time("save", self.0.save(state, ttl)).await.map(String::from)
    }

    /// Replaces the state under a key; answers the key to use from now on.
    pub(crate) async fn update(
        &self,
        key: &str,
        state: StoredState,
        ttl: &Duration,
    ) -> Result<String, String> {
        match SessionKey::try_from(key.to_owned()) {
            Ok(key) => in_time("update", self.0.update(key, state, ttl))
                .await
                .map(String::from),
            Err(error) => Err(error.to_string()),
        }
    }

    pub(crate) async fn delete(&self, key: &str) -> Result<(), String> {
        match SessionKey::try_from(key.to_owned()) {
            Ok(key) => in_time("delete", self.0.delete(&key)).await,
            Err(_) => Ok(()),
        }
    }
}

async fn in_time<T>(
    operation: &'static str,
    answer: impl Future<Output = Result<T, String>>,
) -> Result<T, String> {
    tokio::time::timeout(LIMIT, answer)
        .await
        .unwrap_or_else(|_| Err("it did not answer in time".to_owned()))
        .inspect_err(|_| counted::session_store_failure(operation))
}
