//! Shared within one process.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{LogPage, SharedState, SharedStateError};

/// Expired values are swept out whenever there are twice as many values as after the last time, but not below this.
const MIN_SWEEP: usize = 1024;

/// A [`SharedState`] in the memory of one process, shared by clones: for tests of an app that runs on several machines,
/// and for several [`AuthKit`](crate::AuthKit)s in one process. One `AuthKit` alone needs none.
///
/// It measures time with `tokio::time`, so a test can pause it. It is not bounded: nothing in it outlives its time to
/// live, and strangers cannot put anything in.
#[derive(Debug, Clone, Default)]
pub struct MemorySharedState(Arc<Mutex<Memory>>);

#[derive(Debug, Default)]
struct Memory {
    values: HashMap<String, Value>,
    sweep_at: usize,
    logs: HashMap<String, VecDeque<Entry>>,
    appended: u64,
}

#[derive(Debug)]
struct Value {
    text: String,
    until: Instant,
}

#[derive(Debug)]
struct Entry {
    position: u64,
    text: String,
    until: Instant,
}

impl MemorySharedState {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn get(&self, key: &str) -> Option<&str> {
        let value = self.values.get(key)?;
        (Instant::now() < value.until).then_some(value.text.as_str())
    }

    fn set(&mut self, key: &str, value: &str, time_to_live: Duration) {
        let now = Instant::now();
        if self.values.len() >= self.sweep_at.max(MIN_SWEEP) {
            self.values.retain(|_, value| now < value.until);
            self.sweep_at = self.values.len() * 2;
        }
        let value = Value {
            text: value.to_owned(),
            until: now + time_to_live,
        };
        self.values.insert(key.to_owned(), value);
    }
}

impl SharedState for MemorySharedState {
    async fn get(&self, key: &str) -> Result<Option<String>, SharedStateError> {
        Ok(self.lock().get(key).map(str::to_owned))
    }

    async fn set(&self, key: &str, value: &str, time_to_live: Duration) -> Result<(), SharedStateError> {
        self.lock().set(key, value, time_to_live);
        Ok(())
    }

    async fn set_if_absent(
        &self,
        key: &str,
        value: &str,
        time_to_live: Duration,
    ) -> Result<bool, SharedStateError> {
        let mut memory = self.lock();
        let is_absent = memory.get(key).is_none();
        if is_absent {
            memory.set(key, value, time_to_live);
        }
        Ok(is_absent)
    }

    async fn replace(
        &self,
        key: &str,
        value: &str,
        time_to_live: Duration,
    ) -> Result<bool, SharedStateError> {
        let mut memory = self.lock();
        let is_there = memory.get(key).is_some();
        if is_there {
            memory.set(key, value, time_to_live);
        }
        Ok(is_there)
    }

    async fn delete(&self, key: &str) -> Result<(), SharedStateError> {
        self.lock().values.remove(key);
        Ok(())
    }

    async fn delete_if_equal(&self, key: &str, value: &str) -> Result<bool, SharedStateError> {
        let mut memory = self.lock();
        let is_equal = memory.get(key) == Some(value);
        if is_equal {
            memory.values.remove(key);
        }
        Ok(is_equal)
    }

    async fn append(&self, log: &str, entry: &str, keep: Duration) -> Result<(), SharedStateError> {
        let mut memory = self.lock();
        memory.appended += 1;
        let (position, now) = (memory.appended, Instant::now());
        let entries = memory.logs.entry(log.to_owned()).or_default();
        while entries.front().is_some_and(|oldest| oldest.until <= now) {
            entries.pop_front();
        }
        entries.push_back(Entry {
            position,
            text: entry.to_owned(),
            until: now + keep,
        });
        Ok(())
    }

    async fn read_log(&self, log: &str, after: Option<&str>) -> Result<LogPage, SharedStateError> {
        let after = after.map_or(Ok(0), str::parse).map_err(SharedStateError::new)?;
        let memory = self.lock();
        let Some(entries) = memory.logs.get(log) else {
            return Ok(LogPage::default());
        };
        let mut page = LogPage::default();
        for entry in entries.range(entries.partition_point(|entry| entry.position <= after)..) {
            page.entries.push(entry.text.clone());
            page.position = Some(entry.position.to_string());
        }
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn values_last_as_long_as_they_are_told_to() {
        let state = MemorySharedState::new();
        state.set("a", "1", MINUTE).await.unwrap();
        assert!(!state.set_if_absent("a", "2", MINUTE).await.unwrap());
        assert!(!state.replace("b", "2", MINUTE).await.unwrap());
        assert_eq!(state.clone().get("a").await.unwrap().as_deref(), Some("1"));
        tokio::time::advance(MINUTE).await;
        assert_eq!(state.get("a").await.unwrap(), None);
        assert!(!state.replace("a", "2", MINUTE).await.unwrap());
        assert!(!state.delete_if_equal("a", "1").await.unwrap());
        assert!(state.set_if_absent("a", "2", MINUTE).await.unwrap());
        assert!(state.replace("a", "3", MINUTE).await.unwrap());
        assert!(!state.delete_if_equal("a", "2").await.unwrap());
        assert!(state.delete_if_equal("a", "3").await.unwrap());
        assert_eq!(state.get("a").await.unwrap(), None);
        state.set("a", "4", MINUTE).await.unwrap();
        state.delete("a").await.unwrap();
        assert_eq!(state.get("a").await.unwrap(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn memory_does_not_grow_with_what_has_expired() {
        let state = MemorySharedState::new();
        for number in 0..MIN_SWEEP * 10 {
            state.set(&number.to_string(), "x", MINUTE).await.unwrap();
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert!(state.lock().values.len() <= MIN_SWEEP);
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_is_read_from_where_one_was() {
        let state = MemorySharedState::new();
        assert_eq!(state.read_log("log", None).await.unwrap(), LogPage::default());
        state.append("log", "1", MINUTE).await.unwrap();
        state.append("other", "x", MINUTE).await.unwrap();
        state.append("log", "2", MINUTE).await.unwrap();
        let page = state.read_log("log", None).await.unwrap();
        assert_eq!(page.entries, ["1", "2"]);
        let position = page.position.unwrap();
        let next = state.read_log("log", Some(&position)).await.unwrap();
        assert_eq!(next, LogPage::default());
        tokio::time::advance(MINUTE).await;
        state.append("log", "3", MINUTE).await.unwrap();
        let next = state.read_log("log", Some(&position)).await.unwrap();
        assert_eq!(next.entries, ["3"]);
        assert_eq!(state.read_log("log", None).await.unwrap().entries, ["3"]);
        assert!(state.read_log("log", Some("nonsense")).await.is_err());
    }
}
