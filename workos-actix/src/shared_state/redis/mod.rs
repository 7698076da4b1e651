//! Shared by everybody who reaches one Redis.

mod connection;

use std::{fmt, sync::Arc, time::Duration};

use redis::{Cmd, Pipeline, cmd, pipe};

use self::connection::Connection;
use super::{LogPage, SharedState, SharedStateError};

const DEFAULT_PREFIX: &str = "workos-actix:";
/// A log keeps about as many entries; older ones are dropped.
const MAX_LOG: usize = 100_000;
const PAGE: usize = 1_000;
/// Atomic, as every script is.
const DELETE_IF_EQUAL: &str =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) else return 0 end";

/// A [`SharedState`] in Redis 5 or newer, or a server that speaks as it does (Valkey, KeyDB, Dragonfly): for an app on
/// several machines. Behind the feature `redis`.
///
/// ```no_run
/// use actix_web::{App, HttpServer};
/// use workos_actix::{AuthKit, RedisSharedState, WebhookConfig};
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let redis = RedisSharedState::connect("redis://127.0.0.1:6379").await?;
/// let authkit = AuthKit::builder().env().shared_state(redis.clone()).build()?;
/// let webhooks = WebhookConfig::new("whsec_…").shared_state(redis);
/// HttpServer::new(move || {
///     App::new()
///         .wrap(authkit.middleware())
///         .configure(authkit.routes())
///         .app_data(webhooks.clone())
/// })
/// # .bind(("127.0.0.1", 8080))?.run().await?;
/// # Ok(()) }
/// ```
///
/// Clones share one connection, over which commands go without waiting for one another. A connection attempt and a command
/// are given one second each; a connection that breaks or does not answer is replaced at the next command, and
/// attempts that fail are made at most once a second.
///
/// Everything in Redis has a time to live: nothing is left behind, and a `volatile-*` eviction policy would throw away
/// what is still needed, so give it enough memory, with `maxmemory-policy noeviction`. Restarted without its data
/// (`appendonly no`), Redis forgets which refreshes have just been settled; WorkOS answers a repeated refresh of the last
/// 30 seconds with the same tokens, which covers that.
#[derive(Clone)]
pub struct RedisSharedState {
    connection: Arc<Connection>,
    prefix: Arc<str>,
}

impl fmt::Debug for RedisSharedState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSharedState")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl RedisSharedState {
    /// Connects to `redis://[user:password@]host[:port][/database]`, `redis+unix:///path`, or, with the feature
    /// `redis-tls`, `rediss://…`.
    ///
    /// # Errors
    /// When the URL is none of these, or the server cannot be reached: better at start than at the first request.
    /// Afterwards an outage is no reason to restart.
    pub async fn connect(url: &str) -> Result<Self, SharedStateError> {
        let connection = Connection::open(url)?;
        let _: String = connection.run(&cmd("PING")).await?;
        Ok(Self {
            connection: Arc::new(connection),
            prefix: DEFAULT_PREFIX.into(),
        })
    }

    /// What every key begins with, `workos-actix:` by default. Two apps with one Redis database need different ones.
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// A command about one key.
    fn about(&self, name: &str, key: &str) -> Cmd {
        let mut command = cmd(name);
        command.arg(self.key(key));
        command
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    fn set_command(&self, key: &str, value: &str, time_to_live: Duration) -> Cmd {
        let mut command = self.about("SET", key);
        command.arg(value).arg("PX").arg(milliseconds(time_to_live));
        command
    }
}

/// Redis refuses a time to live of zero.
fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 2).max(1)
}

/// As `XREAD` answers: a list of streams, each with entries of an id and fields.
type Streams = Option<Vec<(String, Vec<(String, Vec<(String, String)>)>)>>;

impl SharedState for RedisSharedState {
    async fn get(&self, key: &str) -> Result<Option<String>, SharedStateError> {
        self.connection.run(&self.about("GET", key)).await
    }

    async fn set(&self, key: &str, value: &str, time_to_live: Duration) -> Result<(), SharedStateError> {
        self.connection
            .run(&self.set_command(key, value, time_to_live))
            .await
    }

    async fn set_if_absent(
        &self,
        key: &str,
        value: &str,
        time_to_live: Duration,
    ) -> Result<bool, SharedStateError> {
        let mut command = self.set_command(key, value, time_to_live);
        command.arg("NX");
        self.connection.run(&command).await
    }

    async fn replace(
        &self,
        key: &str,
        value: &str,
        time_to_live: Duration,
    ) -> Result<bool, SharedStateError> {
        let mut command = self.set_command(key, value, time_to_live);
        command.arg("XX");
        self.connection.run(&command).await
    }

    async fn delete(&self, key: &str) -> Result<(), SharedStateError> {
        self.connection.run(&self.about("DEL", key)).await
    }

    async fn delete_if_equal(&self, key: &str, value: &str) -> Result<bool, SharedStateError> {
        let mut command = cmd("EVAL");
        command.arg(DELETE_IF_EQUAL).arg(1).arg(self.key(key)).arg(value);
        self.connection.run(&command).await
    }

    /// A stream: its ids are given by the server, so that the order is everybody's.
    async fn append(&self, log: &str, entry: &str, keep: Duration) -> Result<(), SharedStateError> {
        let log = self.key(log);
        let mut commands: Pipeline = pipe();
        commands
            .atomic()
            .cmd("XADD")
            .arg(&log)
            .arg("MAXLEN")
            .arg("~")
            .arg(MAX_LOG)
            .arg("*")
            .arg("entry")
            .arg(entry)
            .ignore()
            .cmd("PEXPIRE")
            .arg(&log)
            .arg(milliseconds(keep))
            .ignore();
        self.connection.run_all(&commands).await
    }

    async fn read_log(&self, log: &str, after: Option<&str>) -> Result<LogPage, SharedStateError> {
        let mut command = cmd("XREAD");
        command
            .arg("COUNT")
            .arg(PAGE)
            .arg("STREAMS")
            .arg(self.key(log))
            .arg(after.unwrap_or("0"));
        let streams: Streams = self.connection.run(&command).await?;
        let mut page = LogPage::default();
        for (id, fields) in streams.into_iter().flatten().flat_map(|(_, entries)| entries) {
            page.entries.extend(fields.into_iter().map(|(_, entry)| entry));
            page.position = Some(id);
        }
        Ok(page)
    }
}
