//! The OpenID providers that an environment has spoken to: what they say of themselves, and their keys, for a while.
//!
//! What is remembered is no part of the environment's state: it is looked up again whenever it is missing.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::{
    super::outbound::{self, Answer, Outbound, Request},
    metadata::Metadata,
};
use crate::core::jws::PublishedKeys;

/// How long something is remembered, by the environment's clock, and by real time where that one stands still.
const LIFETIME: Duration = Duration::from_secs(300);
/// How many documents, and how many sets of keys, are remembered at most.
const MOST: usize = 64;
/// How often in a minute of real time a set of keys is fetched anew because a token names a key that is not in it.
const MOST_REFRESHES: u32 = 5;
const MINUTE: Duration = Duration::from_secs(60);

/// What was fetched from an address.
#[derive(Debug)]
struct Remembered<T> {
    value: Arc<T>,
    at: Timestamp,
    since: Instant,
    /// The minute in which it was fetched anew, and how often.
    refreshes: (Instant, u32),
}

/// By address.
#[derive(Debug)]
struct Cache<T> {
    entries: Mutex<BTreeMap<String, Remembered<T>>>,
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self {
            entries: Mutex::default(),
        }
    }
}

impl<T> Cache<T> {
    /// What is remembered, if it is fresh.
    fn get(&self, address: &str, now: Timestamp) -> Option<Arc<T>> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let found = entries.get(address)?;
        let age = now.duration_since(found.at);
        let lifetime = SignedDuration::try_from(LIFETIME).unwrap_or_default();
        let is_fresh = (SignedDuration::ZERO..lifetime).contains(&age) && found.since.elapsed() < LIFETIME;
        is_fresh.then(|| Arc::clone(&found.value))
    }

    fn put(&self, address: &str, value: T, now: Timestamp) -> Arc<T> {
        let value = Arc::new(value);
        let since = Instant::now();
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let refreshes = entries.get(address).map_or((since, 0), |entry| entry.refreshes);
        if !entries.contains_key(address) && entries.len() >= MOST {
            let oldest = entries.iter().min_by_key(|(_, entry)| entry.since);
            if let Some(oldest) = oldest.map(|(address, _)| address.clone()) {
                entries.remove(&oldest);
            }
        }
        entries.insert(
            address.to_owned(),
            Remembered {
                value: Arc::clone(&value),
                at: now,
                since,
                refreshes,
            },
        );
        value
    }

    /// Counts one more time that it is fetched although it is fresh, unless that is too often.
    fn may_refresh(&self, address: &str) -> bool {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(entry) = entries.get_mut(address) else {
            return true;
        };
        if entry.refreshes.0.elapsed() >= MINUTE {
            entry.refreshes = (Instant::now(), 0);
        }
        entry.refreshes.1 += 1;
        entry.refreshes.1 <= MOST_REFRESHES
    }
}

/// The providers.
#[derive(Debug, Default)]
pub(crate) struct Providers {
    pub(super) outbound: Outbound,
    documents: Cache<Metadata>,
    keys: Cache<PublishedKeys>,
}

impl Providers {
    /// What the provider at this discovery endpoint says of itself.
    pub(crate) async fn metadata(
        &self,
        discovery_endpoint: &str,
        now: Timestamp,
    ) -> Result<Arc<Metadata>, String> {
        if let Some(known) = self.documents.get(discovery_endpoint, now) {
            return Ok(known);
        }
        let answer = self.fetch(discovery_endpoint).await?;
        let metadata = Metadata::read(discovery_endpoint, &answer.body)?;
        Ok(self.documents.put(discovery_endpoint, metadata, now))
    }

    /// The keys of a provider; those that are remembered, unless a token names one that is not among them.
    pub(super) async fn keys(
        &self,
        metadata: &Metadata,
        now: Timestamp,
        anew: bool,
    ) -> Result<Arc<PublishedKeys>, String> {
        let address = metadata.jwks_uri.as_str();
        if let Some(known) = self.keys.get(address, now)
            && (!anew || !self.keys.may_refresh(address))
        {
            return Ok(known);
        }
        let answer = self.fetch(address).await?;
        let keys = PublishedKeys::parse(&answer.body).ok_or_else(|| format!("{address} is no JWK set."))?;
        Ok(self.keys.put(address, keys, now))
    }

    /// What stands at an address of a provider.
    pub(crate) async fn fetch(&self, address: &str) -> Result<Answer, String> {
        let url = outbound::checked(address)?;
        let answer = self.outbound.send(Request::get(&url)).await?;
        if answer.status == 200 {
            Ok(answer)
        } else {
            Err(format!("{address} answered with {}.", answer.status))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_remembered_for_five_minutes_of_the_environments_clock() {
        let cache = Cache::default();
        let now: Timestamp = "2026-01-15T12:00:00Z".parse().unwrap();
        let after = |seconds| now + SignedDuration::from_secs(seconds);
        cache.put("a", 1, now);
        assert_eq!(cache.get("a", after(299)).as_deref(), Some(&1));
        assert_eq!(cache.get("a", after(300)), None);
        assert_eq!(cache.get("a", after(-1)), None, "the clock was set back");
        assert_eq!(cache.get("b", now), None);
    }

    #[test]
    fn the_oldest_makes_room() {
        let cache = Cache::default();
        let now = Timestamp::UNIX_EPOCH;
        for number in 0..MOST + 10 {
            cache.put(&number.to_string(), number, now);
        }
        assert_eq!(cache.entries.lock().unwrap().len(), MOST);
        assert_eq!(cache.get("0", now), None);
        assert!(cache.get(&(MOST + 9).to_string(), now).is_some());
    }

    #[test]
    fn unknown_keys_are_asked_for_a_few_times_a_minute() {
        let cache = Cache::default();
        cache.put("a", 1, Timestamp::UNIX_EPOCH);
        let asked = (0..20).filter(|_| {
            let may = cache.may_refresh("a");
            if may {
                cache.put("a", 1, Timestamp::UNIX_EPOCH);
            }
            may
        });
        assert_eq!(asked.count(), MOST_REFRESHES as usize);
    }
}
