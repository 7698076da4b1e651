//! Each event once, by several machines.

use std::{error::Error, time::Duration};

use super::{Claim, EventClaims};
use crate::{
    digest::sha256_base64url,
    random::{SystemRandomness, unguessable},
    shared_state::AnySharedState,
};

/// How much longer than its handlers may take a claim lasts, when the process that has it dies.
const LEASE_MARGIN: Duration = Duration::from_secs(60);
/// WorkOS delivers again for three days.
const MEMORY: Duration = Duration::from_secs(4 * 24 * 60 * 60);
const DONE: &str = "done";

/// The claims of one delivery, in the shared state.
#[derive(Debug)]
pub(super) struct SharedClaims {
    state: AnySharedState,
    lease: Duration,
    own: String,
}

impl SharedClaims {
    pub(super) fn new(state: AnySharedState, timeout: Duration) -> Self {
        Self {
            state,
            lease: timeout.saturating_add(LEASE_MARGIN),
            own: format!("claimed {}", unguessable(&SystemRandomness)),
        }
    }
}

/// A hash, so that no id takes more than its share of the database.
fn key(event_id: &str) -> String {
    format!("event:{}", sha256_base64url(event_id))
}

impl EventClaims for SharedClaims {
    async fn claim(&self, event_id: &str) -> Result<Claim, Box<dyn Error + Send + Sync>> {
        let key = key(event_id);
        if self.state.set_if_absent(&key, &self.own, self.lease).await? {
            return Ok(Claim::Fresh);
        }
        Ok(match self.state.get(&key).await?.as_deref() {
            Some(DONE) => Claim::Done,
            // Ours after all: the answer that said so was lost, and the question repeated.
            Some(claim) if claim == self.own => Claim::Fresh,
            // Also one that was released just now: the next delivery will have it.
            _ => Claim::InProgress,
        })
    }

    async fn complete(&self, event_id: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(self.state.set(&key(event_id), DONE, MEMORY).await?)
    }

    async fn release(&self, event_id: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.state.delete_if_equal(&key(event_id), &self.own).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared_state::{
        SharedState,
        testing::{Mood, Moody},
    };

    fn delivery(state: &Moody) -> SharedClaims {
        SharedClaims::new(AnySharedState::new(state.clone()), Duration::from_secs(300))
    }

    async fn claim(state: &Moody) -> Claim {
        delivery(state).claim("event_1").await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn an_event_is_handled_once_by_all_machines_together() {
        let state = Moody::default();
        let first = delivery(&state);
        assert_eq!(first.claim("event_1").await.unwrap(), Claim::Fresh);
        assert_eq!(first.claim("event_1").await.unwrap(), Claim::Fresh);
        assert_eq!(claim(&state).await, Claim::InProgress);
        first.release("event_1").await.unwrap();
        let second = delivery(&state);
        assert_eq!(second.claim("event_1").await.unwrap(), Claim::Fresh);
        // Who has lost the claim cannot give it back.
        first.release("event_1").await.unwrap();
        assert_eq!(claim(&state).await, Claim::InProgress);
        second.complete("event_1").await.unwrap();
        assert_eq!(claim(&state).await, Claim::Done);
        second.release("event_1").await.unwrap();
        tokio::time::advance(MEMORY - Duration::from_secs(1)).await;
        assert_eq!(claim(&state).await, Claim::Done);
        assert!(state.memory.get("event:event_1").await.unwrap().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn the_claim_of_a_machine_that_died_runs_out_after_its_handlers_time() {
        let state = Moody::default();
        assert_eq!(claim(&state).await, Claim::Fresh);
        tokio::time::advance(Duration::from_secs(301)).await;
        assert_eq!(claim(&state).await, Claim::InProgress);
        tokio::time::advance(LEASE_MARGIN).await;
        assert_eq!(claim(&state).await, Claim::Fresh);
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_is_an_error() {
        let state = Moody::default();
        for mood in [Mood::Away, Mood::Silent] {
            state.is(mood);
            assert!(delivery(&state).claim("event_1").await.is_err());
            assert!(delivery(&state).complete("event_1").await.is_err());
            assert!(delivery(&state).release("event_1").await.is_err());
        }
    }
}
