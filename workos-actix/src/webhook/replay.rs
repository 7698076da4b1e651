//! The memory of accepted deliveries.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Mutex, PoisonError},
};

use crate::digest::Fingerprint;

/// About 10 MB. Only requests that are really signed get in, so an attacker cannot fill it.
const MAX_DELIVERIES: usize = 100_000;

/// Which signed requests were accepted, for as long as their signature would be.
#[derive(Debug, Default)]
pub(super) struct Deliveries(Mutex<Accepted>);

#[derive(Debug, Default)]
struct Accepted {
    known: HashSet<Fingerprint>,
    /// In order of arrival, with the time until which the signature is acceptable (milliseconds since the epoch).
    by_age: VecDeque<(i64, Fingerprint)>,
}

impl Deliveries {
    /// Remembers a delivery; `false` when it is known already.
    pub(super) fn accept(&self, delivery: Fingerprint, acceptable_until: i64, now: i64) -> bool {
        let mut accepted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
        assert_eq!(deliveries.0.lock().unwrap().known.len(), MAX_DELIVERIES);
        assert!(!deliveries.accept(delivery(MAX_DELIVERIES), 100, 0));
        assert!(deliveries.accept(delivery(0), 100, 0));
        assert!(deliveries.accept(delivery(MAX_DELIVERIES * 2), 300, 101));
        assert_eq!(deliveries.0.lock().unwrap().known.len(), 1);
    }
}
