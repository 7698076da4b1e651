//! What several processes of an app know together.

mod any;
mod memory;
#[cfg(feature = "redis")]
mod redis;
mod sessions;
#[cfg(test)]
pub(crate) mod testing;

use std::{fmt, future::Future, time::Duration};

use actix_web::{HttpResponse, ResponseError, http::StatusCode};
use thiserror::Error;

pub use self::memory::MemorySharedState;
#[cfg(feature = "redis")]
pub use self::redis::RedisSharedState;
pub(crate) use self::{any::AnySharedState, sessions::SharedSessions};
use crate::error::AuthError;

/// What several processes of an app know together: which refresh is under way, which sessions have ended, which webhooks
/// were accepted.
///
/// [`AuthKitBuilder::shared_state`](crate::AuthKitBuilder::shared_state) and
/// [`WebhookConfig::shared_state`](crate::WebhookConfig::shared_state) take one. There are two here: `RedisSharedState`
/// behind the feature `redis`, for several machines, and [`MemorySharedState`], for tests. Another database needs these
/// few operations:
///
/// - a value is there until its time to live is over, and no longer;
/// - [`set_if_absent`](Self::set_if_absent), [`replace`](Self::replace) and [`delete_if_equal`](Self::delete_if_equal)
///   are atomic: of several processes that ask at once, one is told `true`;
/// - a log keeps its entries in the order in which they were appended.
///
/// Values that hold secrets come sealed with the cookie password, keys that stand for secrets come hashed: who reads the
/// database cannot act for anybody. Whoever may write to it can end sessions and hold up refreshes, so keep it to
/// yourselves.
///
/// An operation that takes longer than two seconds counts as failed, whatever the implementation does.
pub trait SharedState: fmt::Debug + Send + Sync {
    /// The value of a key.
    ///
    /// # Errors
    /// When the database cannot be asked. The same holds for every operation.
    fn get(&self, key: &str) -> impl Future<Output = Result<Option<String>, SharedStateError>> + Send;

    /// Gives a key a value, whether it has one or not.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    fn set(
        &self,
        key: &str,
        value: &str,
        time_to_live: Duration,
    ) -> impl Future<Output = Result<(), SharedStateError>> + Send;

    /// Gives a key a value if it has none; tells whether it did.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    fn set_if_absent(
        &self,
        key: &str,
        value: &str,
        time_to_live: Duration,
    ) -> impl Future<Output = Result<bool, SharedStateError>> + Send;

    /// Gives a key a value if it has one; tells whether it did.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    fn replace(
        &self,
        key: &str,
        value: &str,
        time_to_live: Duration,
    ) -> impl Future<Output = Result<bool, SharedStateError>> + Send;

    /// Takes a key away.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    fn delete(&self, key: &str) -> impl Future<Output = Result<(), SharedStateError>> + Send;

    /// Takes a key away if it has this value; tells whether it did.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    fn delete_if_equal(
        &self,
        key: &str,
        value: &str,
    ) -> impl Future<Output = Result<bool, SharedStateError>> + Send;

    /// Adds an entry to the end of a log. It must be readable for `keep` at least.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    fn append(
        &self,
        log: &str,
        entry: &str,
        keep: Duration,
    ) -> impl Future<Output = Result<(), SharedStateError>> + Send;

    /// The entries of a log after a position, oldest first: all of them, or as many as are good to handle at once.
    /// `None` begins with the oldest there is.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    fn read_log(
        &self,
        log: &str,
        after: Option<&str>,
    ) -> impl Future<Output = Result<LogPage, SharedStateError>> + Send;
}

/// Entries of a log, from [`SharedState::read_log`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogPage {
    /// Oldest first. Empty when there is nothing after the position.
    pub entries: Vec<String>,
    /// The position of the last entry; read on from there. `None` when there are no entries.
    pub position: Option<String>,
}

/// The shared state cannot be asked, or did not answer in time.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the shared state cannot be reached: {0}")]
pub struct SharedStateError(String);

/// 503: to be tried again.
impl ResponseError for SharedStateError {
    fn status_code(&self) -> StatusCode {
        StatusCode::SERVICE_UNAVAILABLE
    }

    fn error_response(&self) -> HttpResponse {
        tracing::error!("{self}");
        AuthError::unavailable().error_response()
    }
}

impl SharedStateError {
    /// Says why, for the log. Leave out the password of the database.
    pub fn new(reason: impl fmt::Display) -> Self {
        Self(reason.to_string())
    }
}
