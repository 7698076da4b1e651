//! An environment: a whole WorkOS environment with its own data, keys, settings and time.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use rand::{SeedableRng, rngs::StdRng};
use tokio::sync::watch;

use crate::{
    api::sso::oidc::Providers,
    control::snapshots::Snapshots,
    core::{
        clock::{Clock, ClockSetting, TimeSource},
        ids::IdGenerator,
    },
    server::request_log::RequestLog,
    store::{Of, State, Transaction},
};

/// A whole state and the time that goes with it. It costs a pointer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot {
    state: Arc<State>,
    clock: ClockSetting,
}

/// Readers take the present state and never wait; writers go one after the other.
#[derive(Debug)]
pub(crate) struct Environment {
    /// `environment_…`
    pub(crate) id: String,
    pub(crate) name: String,
    /// The AuthKit application of the environment: `client_…`
    pub(crate) client_id: String,
    pub(crate) clock: Clock,
    state: ArcSwap<State>,
    writer: Mutex<IdGenerator>,
    committed: watch::Sender<u64>,
    /// What a reset goes back to.
    start: ArcSwap<Snapshot>,
    pub(crate) snapshots: Snapshots,
    /// The last requests to it.
    pub(crate) requests: RequestLog,
    /// The OpenID providers of its connections.
    pub(crate) providers: Providers,
}

impl Environment {
    /// An empty environment; without a name, its id is its name.
    pub(crate) fn new(name: &str, client_id: Option<String>, time: TimeSource, randomness: StdRng) -> Self {
        let clock = Clock::new(time);
        let mut ids = IdGenerator::new(randomness);
        let now = clock.now();
        let id = ids.id("environment", now);
        Self {
            name: if name.is_empty() {
                id.clone()
            } else {
                name.to_owned()
            },
            id,
            client_id: client_id.unwrap_or_else(|| ids.id("client", now)),
            clock,
            state: ArcSwap::default(),
            writer: Mutex::new(ids),
            committed: watch::Sender::new(0),
            start: ArcSwap::default(),
            snapshots: Snapshots::default(),
            requests: RequestLog::default(),
            providers: Providers::default(),
        }
    }

    /// The state as last committed.
    pub(crate) fn state(&self) -> Arc<State> {
        self.state.load_full()
    }

    /// Runs `rule`, and commits its changes and events together if it succeeds; otherwise nothing has happened.
    ///
    /// A rule whose *refusal* changes something (a code that is burnt, an event of a failed sign-in) succeeds with
    /// the refusal as its value: `transact(|tx| Ok(Err(refusal)))??`.
    pub(crate) fn transact<T, E>(
        &self,
        rule: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.transact_at(None, rule)
    }

    /// The same for a client that reaches the emulator at `base_url`: there lead the links in e-mails that the rule sends.
    pub(crate) fn transact_at<T, E>(
        &self,
        base_url: Option<&str>,
        rule: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut ids = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let state = State::clone(&self.state.load());
        let of = Of {
            environment_id: &self.id,
            environment_name: &self.name,
            client_id: &self.client_id,
            base_url,
        };
        let mut tx = Transaction::new(of, state, self.clock.now(), &mut ids);
        let value = rule(&mut tx)?;
        if let Some((state, commit)) = tx.finish() {
            self.state.store(Arc::new(state));
            self.committed.send_replace(commit.sequence);
        }
        Ok(value)
    }

    /// A source of randomness for work outside a transaction.
    pub(crate) fn randomness(&self) -> StdRng {
        let mut ids = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        StdRng::from_rng(ids.randomness())
    }

    /// Puts another state in the place of this one: reset, restore, fork.
    pub(crate) fn replace(&self, state: State) {
        let _ids = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let sequence = self.state.load().sequence.max(state.sequence) + 1;
        self.state.store(Arc::new(State { sequence, ..state }));
        self.committed.send_replace(sequence);
    }

    /// The environment as it is now.
    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            state: self.state(),
            clock: self.clock.setting(),
        }
    }

    /// Brings back what `snapshot` has.
    pub(crate) fn restore(&self, snapshot: &Snapshot) {
        self.clock.restore(snapshot.clock);
        self.replace(State::clone(&snapshot.state));
    }

    /// Lets [`reset`](Self::reset) come back to what is here now.
    pub(crate) fn keep_start(&self) {
        self.start.store(Arc::new(self.snapshot()));
    }

    /// Back to the state after seeding.
    pub(crate) fn reset(&self) {
        self.restore(&self.start.load());
        self.requests.empty();
    }

    /// Waits until `found` finds something in the state, but no longer than `timeout` of real time. It looks when something
    /// was committed, and at the beginning.
    pub(crate) async fn wait_for<T>(
        &self,
        timeout: Duration,
        found: impl Fn(&State) -> Option<T>,
    ) -> Option<T> {
        let mut commits = self.commits();
        let found = async {
            loop {
                commits.borrow_and_update();
                if let Some(found) = found(&self.state()) {
                    return found;
                }
                // The sender is ours: it is not dropped.
                let _ = commits.changed().await;
            }
        };
        tokio::time::timeout(timeout, found).await.ok()
    }

    /// Tells of every commit.
    pub(crate) fn commits(&self) -> watch::Receiver<u64> {
        self.committed.subscribe()
    }
}

#[cfg(test)]
impl Environment {
    /// An empty environment, frozen at 2026-01-15T12:00:00Z.
    pub(crate) fn for_tests() -> Self {
        let now: jiff::Timestamp = "2026-01-15T12:00:00Z".parse().unwrap();
        Self::new("test", None, Arc::new(move || now), StdRng::seed_from_u64(1))
    }
}
