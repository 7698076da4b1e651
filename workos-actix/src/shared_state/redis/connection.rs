//! One connection to Redis, replaced when it breaks.
//!
//! `redis` has a `ConnectionManager` for this. It keeps a connection whose server has stopped answering, and sleeps for
//! seconds between attempts while every command waits for it; an app that must not hang needs it the other way round.

use std::{future::Future, time::Duration};

use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError, RedisResult,
    aio::MultiplexedConnection,
};
use tokio::{sync::Mutex, time::Instant};

use super::SharedStateError;

const CONNECT_LIMIT: Duration = Duration::from_secs(1);
const COMMAND_LIMIT: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Connection {
    client: Client,
    config: AsyncConnectionConfig,
    link: Mutex<Link>,
}

#[derive(Default)]
struct Link {
    current: Option<MultiplexedConnection>,
    /// Tells a connection from the one that took its place.
    generation: u64,
    /// Attempts to connect that failed, one after the other.
    failures: u32,
    not_before: Option<Instant>,
}

impl Link {
    fn pause(&mut self) {
        let pause = FIRST_PAUSE
            .saturating_mul(1 << self.failures.min(10))
            .min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        self.not_before = Some(Instant::now() + pause);
    }
}

impl Connection {
    /// Does not connect yet.
    pub(super) fn open(url: &str) -> Result<Self, SharedStateError> {
        Ok(Self {
            client: Client::open(url).map_err(SharedStateError::new)?,
            // The time limits are ours, because a connection that exceeds them is to be replaced.
            config: AsyncConnectionConfig::new(),
            link: Mutex::default(),
        })
    }

    pub(super) async fn run<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, SharedStateError> {
        self.attempt(|mut link| async move { command.query_async(&mut link).await })
            .await
    }

    pub(super) async fn run_all(&self, commands: &Pipeline) -> Result<(), SharedStateError> {
        self.attempt(|mut link| async move { commands.query_async(&mut link).await })
            .await
    }

    /// Runs something on the connection; once more on a new one, if the server had closed it meanwhile.
    async fn attempt<T, F>(&self, run: impl Fn(MultiplexedConnection) -> F) -> Result<T, SharedStateError>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let mut may_repeat = true;
        loop {
            let (link, generation) = self.link().await?;
            match tokio::time::timeout(COMMAND_LIMIT, run(link)).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) if must_reconnect(&error) => {
                    self.drop_link(generation).await;
                    if !may_repeat {
                        return Err(SharedStateError::new(error));
                    }
                    may_repeat = false;
                }
                Ok(Err(error)) => return Err(SharedStateError::new(error)),
                Err(_) => {
                    let mut link = self.link.lock().await;
                    if link.generation == generation {
                        link.current = None;
                        link.pause();
                    }
                    return Err(SharedStateError::new("it does not answer"));
                }
            }
        }
    }

    /// The connection, made now if there is none. One attempt serves all who wait for it.
    async fn link(&self) -> Result<(MultiplexedConnection, u64), SharedStateError> {
        let mut link = self.link.lock().await;
        if let Some(current) = &link.current {
            return Ok((current.clone(), link.generation));
        }
        if link.not_before.is_some_and(|time| Instant::now() < time) {
            return Err(SharedStateError::new("it could not be reached a moment ago"));
        }
        let attempt = self
            .client
            .get_multiplexed_async_connection_with_config(&self.config);
        let reason = match tokio::time::timeout(CONNECT_LIMIT, attempt).await {
            Ok(Ok(connection)) => {
                link.current = Some(connection.clone());
                link.generation += 1;
                link.failures = 0;
                link.not_before = None;
                return Ok((connection, link.generation));
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the connection was not made in time".to_owned(),
        };
        link.pause();
        Err(SharedStateError::new(reason))
    }

    async fn drop_link(&self, generation: u64) {
        let mut link = self.link.lock().await;
        if link.generation == generation {
            link.current = None;
        }
    }
}

/// Whether another connection may do better: this one is broken, or its server has become a replica.
fn must_reconnect(error: &RedisError) -> bool {
    error.is_io_error() || error.is_unrecoverable_error() || error.kind() == ErrorKind::ReadOnly
}
