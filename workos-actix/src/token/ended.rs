//! Sessions that have ended: their access tokens are genuine until they expire, but no longer welcome.
//!
//! One process knows them from memory. Several machines tell each other through a log of the shared state, which each of
//! them reads every second, away from the requests: a request asks its own memory, and how old that knowledge is.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use moka::{future::Cache, policy::EvictionPolicy};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep},
};

use crate::shared_state::{AnySharedState, SharedStateError};

const MAX_SESSIONS: u64 = 100_000;
/// The longest that an access token can live, with room to spare.
const MEMORY: Duration = Duration::from_secs(60 * 60 * 24);
const LOG: &str = "ended-sessions";
const ENDED: &str = "ended ";
const REVIVED: &str = "revived ";
const INTERVAL: Duration = Duration::from_secs(1);
/// A reader that has not read for so long may be stuck on a worker that is: another one is started.
const OVERDUE: Duration = Duration::from_secs(4);
/// How long a request waits for a reading, when there is none to go by and the last one did not fail.
const READING: Duration = Duration::from_secs(2);
const MAX_UNTOLD: usize = 10_000;

/// The sessions that have ended, here and, with a shared state, on any machine.
#[derive(Debug, Clone)]
pub(crate) struct EndedSessions {
    here: Cache<String, ()>,
    log: Option<Arc<Log>>,
}

/// What the machines tell each other.
#[derive(Debug)]
struct Log {
    state: AnySharedState,
    max_age: Duration,
    knowledge: watch::Sender<Knowledge>,
    /// How far the log is read. Its lock makes readings one after another.
    position: tokio::sync::Mutex<Option<String>>,
    /// What could not be told yet.
    untold: Mutex<VecDeque<String>>,
    reader: Mutex<Option<Reader>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Knowledge {
    /// When the last reading that succeeded began.
    read_at: Option<Instant>,
    /// Whether the last reading failed.
    is_failing: bool,
}

impl Knowledge {
    /// `None` before the first reading.
    fn age(&self) -> Option<Duration> {
        self.read_at.map(|time| time.elapsed())
    }

    fn is_current(&self, max_age: Duration) -> bool {
        self.age().is_some_and(|age| age <= max_age)
    }
}

#[derive(Debug)]
struct Reader {
    task: JoinHandle<()>,
    since: Instant,
}

impl EndedSessions {
    pub(crate) fn new() -> Self {
        Self {
            here: Cache::builder()
                .max_capacity(MAX_SESSIONS)
                // The oldest goes first: its token expires first.
                .eviction_policy(EvictionPolicy::lru())
                .time_to_live(MEMORY)
                .build(),
            log: None,
        }
    }

    /// Shares the knowledge. It counts as none when it is older than `max_age`.
    pub(crate) fn shared(mut self, state: AnySharedState, max_age: Duration) -> Self {
        self.log = Some(Arc::new(Log {
            state,
            max_age,
            knowledge: watch::Sender::default(),
            position: tokio::sync::Mutex::default(),
            untold: Mutex::default(),
            reader: Mutex::default(),
        }));
        self
    }

    /// Whether a session has ended, as far as this process knows.
    pub(crate) fn contains(&self, session_id: &str) -> bool {
        self.here.contains_key(session_id)
    }

    /// Whether this process knows enough to tell who has been signed out elsewhere.
    pub(crate) async fn is_known(&self) -> bool {
        let Some(log) = &self.log else { return true };
        let is_current = log.is_current();
        // Otherwise somebody is reading, obviously.
        if !is_current || !log.knowledge.borrow().is_current(INTERVAL * 2) {
            log.keep_reading(&self.here);
        }
        if is_current {
            return true;
        }
        // The process has just started or was asleep: a reading is under way.
        Box::pin(log.will_be_current()).await
    }

    /// Ends a session, here at once.
    ///
    /// An error means that the other machines do not know it yet. They are told as soon as the shared state is back, as
    /// long as this process lives.
    pub(crate) async fn end(&self, session_id: &str) -> Result<(), SharedStateError> {
        self.here.insert(session_id.to_owned(), ()).await;
        self.tell(format!("{ENDED}{session_id}")).await
    }

    /// WorkOS signed the same session in again: the browser had not followed the sign-out to WorkOS.
    pub(crate) async fn revive(&self, session_id: &str) -> Result<(), SharedStateError> {
        if let Some(log) = &self.log {
            // Otherwise a sign-out of the last second would be read afterwards.
            let read = log.read(&self.here).await;
            if !log.is_current() {
                read?;
            }
        }
        if !self.contains(session_id) {
            return Ok(());
        }
        self.here.invalidate(session_id).await;
        self.tell(format!("{REVIVED}{session_id}")).await
    }

    async fn tell(&self, entry: String) -> Result<(), SharedStateError> {
        let Some(log) = &self.log else { return Ok(()) };
        log.keep_reading(&self.here);
        let told = log.state.append(LOG, &entry, MEMORY).await;
        if told.is_err() {
            let mut untold = log.untold.lock().unwrap_or_else(PoisonError::into_inner);
            if untold.len() == MAX_UNTOLD {
                untold.pop_front();
            }
            untold.push_back(entry);
        }
        told
    }
}

impl Log {
    fn is_current(&self) -> bool {
        self.knowledge.borrow().is_current(self.max_age)
    }

    /// Whether the reading that is under way succeeds soon.
    async fn will_be_current(&self) -> bool {
        let mut knowledge = self.knowledge.subscribe();
        let reading = knowledge.wait_for(|now| now.is_failing || now.is_current(self.max_age));
        let has_ended = tokio::time::timeout(READING, reading).await.is_ok();
        has_ended && self.is_current()
    }

    /// Has a task that reads, on this worker if none of the others has one.
    fn keep_reading(self: &Arc<Self>, here: &Cache<String, ()>) {
        let overdue = !self.knowledge.borrow().is_current(OVERDUE);
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Reader { task, since }) = reader.as_ref() {
            let is_stuck = overdue && since.elapsed() > OVERDUE;
            if !task.is_finished() && !is_stuck {
                return;
            }
            task.abort();
        }
        *reader = Some(Reader {
            task: tokio::spawn(follow(Arc::downgrade(self), here.clone())),
            since: Instant::now(),
        });
    }

    /// Tells what is untold, and reads what is new.
    async fn read(&self, here: &Cache<String, ()>) -> Result<(), SharedStateError> {
        let mut position = self.position.lock().await;
        let began = Instant::now();
        let result = self.read_from(&mut position, here).await;
        let is_failing = result.is_err();
        if is_failing {
            // From the beginning next time: what is there then may be another log.
            *position = None;
        }
        let mut was_failing = false;
        self.knowledge.send_modify(|knowledge| {
            was_failing = knowledge.is_failing;
            knowledge.is_failing = is_failing;
            if !is_failing {
                knowledge.read_at = Some(began);
            }
        });
        match &result {
            Ok(()) if was_failing => tracing::info!("the sign-outs of other machines are known again"),
            Err(error) if !was_failing => {
                tracing::error!(%error, max_age = ?self.max_age, "the sign-outs of other machines cannot be read; when the \
                    last reading is too old, sessions are answered with 503");
            }
            _ => {}
        }
        result
    }

    async fn read_from(
        &self,
        position: &mut Option<String>,
        here: &Cache<String, ()>,
    ) -> Result<(), SharedStateError> {
        while let Some(entry) = self.next_untold() {
            self.state.append(LOG, &entry, MEMORY).await?;
            self.untold
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop_front();
        }
        loop {
            let page = self.state.read_log(LOG, position.as_deref()).await?;
            if page.entries.is_empty() {
                return Ok(());
            }
            for entry in &page.entries {
                if let Some(session_id) = entry.strip_prefix(ENDED) {
                    here.insert(session_id.to_owned(), ()).await;
                } else if let Some(session_id) = entry.strip_prefix(REVIVED) {
                    here.invalidate(session_id).await;
                }
            }
            *position = page.position;
        }
    }

    fn next_untold(&self) -> Option<String> {
        let untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        untold.front().cloned()
    }
}

/// Reads every second, as long as somebody wants to know.
async fn follow(log: Weak<Log>, here: Cache<String, ()>) {
    while let Some(log) = log.upgrade() {
        // What it says is said and remembered by `read`.
        let _ = log.read(&here).await;
        drop(log);
        sleep(INTERVAL).await;
    }
}

#[cfg(test)]
#[path = "ended_tests.rs"]
mod tests;
