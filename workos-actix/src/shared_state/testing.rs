//! A shared state that fails on demand.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{LogPage, MemorySharedState, SharedState, SharedStateError};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Mood {
    #[default]
    Well,
    Away,
    /// It takes every question and answers none.
    Silent,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Moody {
    pub(crate) memory: MemorySharedState,
    mood: Arc<Mutex<Mood>>,
}

impl Moody {
    pub(crate) fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    async fn check(&self) -> Result<(), SharedStateError> {
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Well => Ok(()),
            Mood::Away => Err(SharedStateError::new("connection refused")),
            Mood::Silent => std::future::pending().await,
        }
    }
}

impl SharedState for Moody {
    async fn get(&self, key: &str) -> Result<Option<String>, SharedStateError> {
        self.check().await?;
        self.memory.get(key).await
    }

    async fn set(&self, key: &str, value: &str, time_to_live: Duration) -> Result<(), SharedStateError> {
        self.check().await?;
        self.memory.set(key, value, time_to_live).await
    }

    async fn set_if_absent(
        &self,
        key: &str,
        value: &str,
        time_to_live: Duration,
    ) -> Result<bool, SharedStateError> {
        self.check().await?;
        self.memory.set_if_absent(key, value, time_to_live).await
    }

    async fn replace(
        &self,
        key: &str,
        value: &str,
        time_to_live: Duration,
    ) -> Result<bool, SharedStateError> {
        self.check().await?;
        self.memory.replace(key, value, time_to_live).await
    }

    async fn delete(&self, key: &str) -> Result<(), SharedStateError> {
        self.check().await?;
        self.memory.delete(key).await
    }

    async fn delete_if_equal(&self, key: &str, value: &str) -> Result<bool, SharedStateError> {
        self.check().await?;
        self.memory.delete_if_equal(key, value).await
    }

    async fn append(&self, log: &str, entry: &str, keep: Duration) -> Result<(), SharedStateError> {
        self.check().await?;
        self.memory.append(log, entry, keep).await
    }

    async fn read_log(&self, log: &str, after: Option<&str>) -> Result<LogPage, SharedStateError> {
        self.check().await?;
        self.memory.read_log(log, after).await
    }
}
