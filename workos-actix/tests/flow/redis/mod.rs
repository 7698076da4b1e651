//! Several machines behind one real Redis, which is killed, restarted and frozen in the middle.

mod operations;
mod outages;
mod processes;
mod refreshes;
mod server;
mod sessions;
#[cfg(feature = "redis-tls")]
mod tls;
mod webhooks;

use std::{future::Future, time::Duration};

use tokio::time::Instant;
use workos_actix::AuthKitBuilder;

use self::server::{Data, RedisServer};
use crate::app::TestApp;

/// Two machines behind one Redis, with sessions in cookies.
pub(crate) struct Machines {
    pub(crate) redis: RedisServer,
    pub(crate) first: TestApp,
    pub(crate) second: TestApp,
}

impl Machines {
    pub(crate) async fn start(data: Data) -> Self {
        Self::start_with(data, |builder| builder).await
    }

    pub(crate) async fn start_with(data: Data, settings: fn(AuthKitBuilder) -> AuthKitBuilder) -> Self {
        let redis = RedisServer::start(data);
        let (one, other) = (redis.connect().await, redis.connect().await);
        let first = TestApp::start_with(|builder| settings(builder.shared_state(one))).await;
        let second = first.another(|builder| settings(builder.shared_state(other)));
        Self { redis, first, second }
    }
}

/// Asks until the answer is yes. What is waited for happens in other processes and in real time.
pub(crate) async fn eventually<F: Future<Output = bool>>(
    what: &str,
    limit: Duration,
    mut ask: impl FnMut() -> F,
) {
    let began = Instant::now();
    while !ask().await {
        assert!(began.elapsed() < limit, "not within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
