//! Any [`SharedState`] behind one type, and under one time limit.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use super::{LogPage, SharedState, SharedStateError};
use crate::counted;

/// Nothing waits longer for one operation, whatever the implementation does.
const LIMIT: Duration = Duration::from_secs(2);

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, SharedStateError>> + Send + 'a>>;

trait DynSharedState: fmt::Debug + Send + Sync {
    fn get<'a>(&'a self, key: &'a str) -> Answer<'a, Option<String>>;
    fn set<'a>(&'a self, key: &'a str, value: &'a str, time_to_live: Duration) -> Answer<'a, ()>;
    fn set_if_absent<'a>(&'a self, key: &'a str, value: &'a str, time_to_live: Duration) -> Answer<'a, bool>;
    fn replace<'a>(&'a self, key: &'a str, value: &'a str, time_to_live: Duration) -> Answer<'a, bool>;
    fn delete<'a>(&'a self, key: &'a str) -> Answer<'a, ()>;
    fn delete_if_equal<'a>(&'a self, key: &'a str, value: &'a str) -> Answer<'a, bool>;
    fn append<'a>(&'a self, log: &'a str, entry: &'a str, keep: Duration) -> Answer<'a, ()>;
    fn read_log<'a>(&'a self, log: &'a str, after: Option<&'a str>) -> Answer<'a, LogPage>;
}

impl<S: SharedState> DynSharedState for S {
    fn get<'a>(&'a self, key: &'a str) -> Answer<'a, Option<String>> {
        Box::pin(in_time("get", SharedState::get(self, key)))
    }

    fn set<'a>(&'a self, key: &'a str, value: &'a str, time_to_live: Duration) -> Answer<'a, ()> {
        Box::pin(in_time("set", SharedState::set(self, key, value, time_to_live)))
    }

    fn set_if_absent<'a>(&'a self, key: &'a str, value: &'a str, time_to_live: Duration) -> Answer<'a, bool> {
        Box::pin(in_time(
            "set_if_absent",
            SharedState::set_if_absent(self, key, value, time_to_live),
        ))
    }

    fn replace<'a>(&'a self, key: &'a str, value: &'a str, time_to_live: Duration) -> Answer<'a, bool> {
        Box::pin(in_time(
            "replace",
            SharedState::replace(self, key, value, time_to_live),
        ))
    }

    fn delete<'a>(&'a self, key: &'a str) -> Answer<'a, ()> {
        Box::pin(in_time("delete", SharedState::delete(self, key)))
    }

    fn delete_if_equal<'a>(&'a self, key: &'a str, value: &'a str) -> Answer<'a, bool> {
        Box::pin(in_time(
            "delete_if_equal",
            SharedState::delete_if_equal(self, key, value),
        ))
    }

    fn append<'a>(&'a self, log: &'a str, entry: &'a str, keep: Duration) -> Answer<'a, ()> {
        Box::pin(in_time("append", SharedState::append(self, log, entry, keep)))
    }

    fn read_log<'a>(&'a self, log: &'a str, after: Option<&'a str>) -> Answer<'a, LogPage> {
        Box::pin(in_time("read_log", SharedState::read_log(self, log, after)))
    }
}

async fn in_time<T>(
    operation: &'static str,
    answer: impl Future<Output = Result<T, SharedStateError>>,
) -> Result<T, SharedStateError> {
    tokio::time::timeout(LIMIT, answer)
        .await
        .unwrap_or_else(|_| Err(SharedStateError::new("it did not answer in time")))
        .inspect_err(|_| counted::shared_state_failure(operation))
}

/// The shared state of an [`AuthKit`](crate::AuthKit) or a [`WebhookConfig`](crate::WebhookConfig).
#[derive(Debug, Clone)]
pub(crate) struct AnySharedState(Arc<dyn DynSharedState>);

impl AnySharedState {
    pub(crate) fn new(state: impl SharedState + 'static) -> Self {
        Self(Arc::new(state))
    }

    pub(crate) async fn get(&self, key: &str) -> Result<Option<String>, SharedStateError> {
        self.0.get(key).await
    }

    pub(crate) async fn set(
        &self,
        key: &str,
        value: &str,
        time_to_live: Duration,
    ) -> Result<(), SharedStateError> {
        self.0.set(key, value, time_to_live).await
    }

    pub(crate) async fn set_if_absent(
        &self,
        key: &str,
        value: &str,
        time_to_live: Duration,
    ) -> Result<bool, SharedStateError> {
        self.0.set_if_absent(key, value, time_to_live).await
    }

    pub(crate) async fn replace(
        &self,
        key: &str,
        value: &str,
        time_to_live: Duration,
    ) -> Result<bool, SharedStateError> {
        self.0.replace(key, value, time_to_live).await
    }

    pub(crate) async fn delete(&self, key: &str) -> Result<(), SharedStateError> {
        self.0.delete(key).await
    }

    pub(crate) async fn delete_if_equal(&self, key: &str, value: &str) -> Result<bool, SharedStateError> {
        self.0.delete_if_equal(key, value).await
    }

    pub(crate) async fn append(
        &self,
        log: &str,
        entry: &str,
        keep: Duration,
    ) -> Result<(), SharedStateError> {
        self.0.append(log, entry, keep).await
    }

    pub(crate) async fn read_log(&self, log: &str, after: Option<&str>) -> Result<LogPage, SharedStateError> {
        self.0.read_log(log, after).await
    }
}
