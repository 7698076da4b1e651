//! The memory of accepted deliveries.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    digest::Fingerprint,
    shared_state::{AnySharedState, SharedStateError},
};

/// About 10 MB. Only requests that are really signed get in, so an attacker cannot fill it.
const MAX_DELIVERIES: usize = 100_000;
/// By how much the clocks of two machines may differ.
const CLOCKS_APART: Duration = Duration::from_secs(60);

/// Which signed requests were accepted, for as long as their signature would be.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    here: Mutex<Accepted>,
    shared: Option<AnySharedState>,
}

#[derive(Debug, Default)]
struct Accepted {
    known: HashSet<Fingerprint>,
    /// In order of arrival, with the time until which the signature is acceptable (milliseconds since the epoch).
    by_age: VecDeque<(i64, Fingerprint)>,
}

impl Deliveries {
    /// Remembered by several machines together.
    pub(super) fn shared(state: AnySharedState) -> Self {
        Self {
            here: Mutex::default(),
            shared: Some(state),
        }
    }

    pub(super) fn shared_state(&self) -> Option<&AnySharedState> {
        self.shared.as_ref()
    }

    /// Remembers a delivery; `false` when it is known already, here or on any machine.
    ///
    /// An error leaves no trace, unless the answer of the shared state is all that was lost: then the next copy is refused,
    /// and WorkOS signs another one when it retries.
    pub(super) async fn accept_everywhere(
        &self,
        delivery: Fingerprint,
        acceptable_until: i64,
        now: i64,
    ) -> Result<bool, SharedStateError> {
        let Some(state) = &self.shared else {
            return Ok(self.accept(delivery, acceptable_until, now));
        };
        let key = format!("webhook:{}", URL_SAFE_NO_PAD.encode(delivery));
        // The last millisecond is still acceptable, and another machine's clock may be behind.
        let left = Duration::from_millis(acceptable_until.saturating_sub(now).max(0).unsigned_abs());
        state.set_if_absent(&key, "accepted", left + CLOCKS_APART).await
    }

    /// Remembers a delivery in this process; `false` when it is known here already.
    pub(super) fn accept(&self, delivery: Fingerprint, acceptable_until: i64, now: i64) -> bool {
        let mut accepted = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(&(until, oldest)) = accepted.by_age.front()
            && (until < now || accepted.by_age.len() >= MAX_DELIVERIES)
        {
            accepted.by_age.pop_front();
            accepted.known.remove(&oldest);
        }
        if !accepted.known.insert(delivery) {
            return false;
        }
        accepted.by_age.push_back((acceptable_until, delivery));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared_state::testing::{Mood, Moody};

    fn delivery(number: usize) -> Fingerprint {
        crate::digest::fingerprint(&[&number.to_be_bytes()])
    }

    #[test]
    fn a_delivery_is_accepted_once_while_its_signature_lasts() {
        let deliveries = Deliveries::default();
        assert!(deliveries.accept(delivery(1), 100, 0));
        assert!(!deliveries.accept(delivery(1), 100, 50));
        assert!(!deliveries.accept(delivery(1), 100, 100));
        assert!(deliveries.accept(delivery(2), 200, 50));
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_goes_first() {
        let deliveries = Deliveries::default();
        for number in 0..=MAX_DELIVERIES {
            assert!(deliveries.accept(delivery(number), 100, 0));
        }
        assert_eq!(deliveries.here.lock().unwrap().known.len(), MAX_DELIVERIES);
        assert!(!deliveries.accept(delivery(MAX_DELIVERIES), 100, 0));
        assert!(deliveries.accept(delivery(0), 100, 0));
        assert!(deliveries.accept(delivery(MAX_DELIVERIES * 2), 300, 101));
        assert_eq!(deliveries.here.lock().unwrap().known.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn machines_accept_a_delivery_once_together() {
        let state = Moody::default();
        let machine = || Deliveries::shared(AnySharedState::new(state.clone()));
        let (first, second) = (machine(), machine());
        let accept = async |machine: &Deliveries, number: usize, now: i64| {
            machine.accept_everywhere(delivery(number), 100_000, now).await
        };
        assert_eq!(accept(&first, 1, 0).await, Ok(true));
        assert_eq!(accept(&first, 1, 0).await, Ok(false));
        assert_eq!(accept(&second, 1, 50_000).await, Ok(false));
        assert_eq!(accept(&second, 2, 100_000).await, Ok(true));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(accept(&first, 2, 100_000).await, Ok(false));
        tokio::time::advance(Duration::from_secs(98)).await;
        assert_eq!(accept(&second, 1, 100_000).await, Ok(false));
        for mood in [Mood::Away, Mood::Silent] {
            state.is(mood);
            assert!(accept(&first, 3, 0).await.is_err());
        }
        state.is(Mood::Well);
        assert_eq!(accept(&first, 3, 0).await, Ok(true));
    }
}
