//! Each event once: who handles it, and whether it was handled.

use std::{
    collections::{HashMap, VecDeque},
    error::Error,
    future::Future,
    pin::Pin,
    sync::{Mutex, PoisonError},
};

use crate::digest::{Fingerprint, fingerprint};

/// About 10 MB. WorkOS tries for three days; only events that it really signed get in.
const MAX_EVENTS: usize = 100_000;

/// What is known of an event that has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// It is new, and from now on claimed by whoever asked.
    Fresh,
    /// Another request has claimed it, and is not done.
    InProgress,
    /// It was handled, and successfully.
    Done,
}

/// Remembers which events were handled, by event id, so that none is handled twice.
///
/// [`WebhookHandlers`](crate::WebhookHandlers) keeps this in memory, for the last 100,000 events. Several processes behind
/// one URL, or an app that must remember across a restart, keep it where all of them see it: in Redis, or in a table of the
/// app's own.
///
/// A claim belongs to one request until it is completed or released. A process that dies does neither: let its claims run
/// out, some time after the [handler's](crate::WebhookHandlers::timeout), so that WorkOS's next delivery is handled.
/// Answer in bounded time; after ten seconds the claims count as unavailable.
///
/// ```
/// # use std::{collections::HashMap, error::Error, sync::Mutex};
/// use workos_actix::{Claim, EventClaims};
///
/// /// Whether an event was completed.
/// #[derive(Default)]
/// struct Table(Mutex<HashMap<String, bool>>);
///
/// impl EventClaims for Table {
///     async fn claim(&self, event_id: &str) -> Result<Claim, Box<dyn Error + Send + Sync>> {
///         let mut rows = self.0.lock().map_err(|error| error.to_string())?;
///         // INSERT INTO webhook_events (id) VALUES ($1) ON CONFLICT DO NOTHING
///         Ok(match rows.get(event_id) {
///             Some(true) => Claim::Done,
///             Some(false) => Claim::InProgress,
///             None => {
///                 rows.insert(event_id.to_owned(), false);
///                 Claim::Fresh
///             }
///         })
///     }
///
///     async fn complete(&self, event_id: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
///         let mut rows = self.0.lock().map_err(|error| error.to_string())?;
///         rows.insert(event_id.to_owned(), true);
///         Ok(())
///     }
///
///     async fn release(&self, event_id: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
///         let mut rows = self.0.lock().map_err(|error| error.to_string())?;
///         rows.remove(event_id);
///         Ok(())
///     }
/// }
/// ```
pub trait EventClaims: Send + Sync + 'static {
    /// Claims an event, if nobody has: of any number that ask at the same time, one gets [`Claim::Fresh`].
    ///
    /// An error is answered with 503, and WorkOS delivers the event again.
    fn claim(&self, event_id: &str) -> impl Future<Output = Result<Claim, Box<dyn Error + Send + Sync>>>;

    /// The event was handled: it is [`Claim::Done`] from now on, for at least the three days in which WorkOS delivers again.
    fn complete(&self, event_id: &str) -> impl Future<Output = Result<(), Box<dyn Error + Send + Sync>>>;

    /// The handler has failed: the event is [`Claim::Fresh`] again.
    fn release(&self, event_id: &str) -> impl Future<Output = Result<(), Box<dyn Error + Send + Sync>>>;
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Box<dyn Error + Send + Sync>>> + 'a>>;

/// Any [`EventClaims`] behind one type.
pub(super) trait DynEventClaims: Send + Sync {
    fn claim<'a>(&'a self, event_id: &'a str) -> Answer<'a, Claim>;
    fn complete<'a>(&'a self, event_id: &'a str) -> Answer<'a, ()>;
    fn release<'a>(&'a self, event_id: &'a str) -> Answer<'a, ()>;
}

impl<C: EventClaims> DynEventClaims for C {
    fn claim<'a>(&'a self, event_id: &'a str) -> Answer<'a, Claim> {
        Box::pin(EventClaims::claim(self, event_id))
    }

    fn complete<'a>(&'a self, event_id: &'a str) -> Answer<'a, ()> {
        Box::pin(EventClaims::complete(self, event_id))
    }

    fn release<'a>(&'a self, event_id: &'a str) -> Answer<'a, ()> {
        Box::pin(EventClaims::release(self, event_id))
    }
}

/// The claims of one process. Nothing is forgotten while it is in progress.
#[derive(Debug, Default)]
pub(super) struct MemoryClaims(Mutex<Events>);

#[derive(Debug, Default)]
struct Events {
    /// Whether it is done.
    known: HashMap<Fingerprint, bool>,
    /// Those that are, in order.
    done: VecDeque<Fingerprint>,
}

impl MemoryClaims {
    fn with<T>(&self, event_id: &str, change: impl FnOnce(&mut Events, Fingerprint) -> T) -> T {
        let mut events = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A hash, so that no id takes more than its share of memory.
        change(&mut events, fingerprint(&[event_id.as_bytes()]))
    }
}

impl EventClaims for MemoryClaims {
    async fn claim(&self, event_id: &str) -> Result<Claim, Box<dyn Error + Send + Sync>> {
        Ok(self.with(event_id, |events, id| match events.known.get(&id) {
            Some(true) => Claim::Done,
            Some(false) => Claim::InProgress,
            None => {
                events.known.insert(id, false);
                Claim::Fresh
            }
        }))
    }

    async fn complete(&self, event_id: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.with(event_id, |events, id| {
            if events.known.insert(id, true) == Some(true) {
                return;
            }
            events.done.push_back(id);
            if events.done.len() > MAX_EVENTS
                && let Some(oldest) = events.done.pop_front()
            {
                events.known.remove(&oldest);
            }
        });
        Ok(())
    }

    async fn release(&self, event_id: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.with(event_id, |events, id| {
            if events.known.get(&id) == Some(&false) {
                events.known.remove(&id);
            }
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn claim(claims: &MemoryClaims, id: &str) -> Claim {
        EventClaims::claim(claims, id).await.unwrap()
    }

    async fn complete(claims: &MemoryClaims, id: &str) {
        EventClaims::complete(claims, id).await.unwrap();
    }

    #[actix_web::test]
    async fn a_claim_is_had_by_one_until_it_is_released_or_done() {
        let claims = MemoryClaims::default();
        assert_eq!(claim(&claims, "event_1").await, Claim::Fresh);
        assert_eq!(claim(&claims, "event_1").await, Claim::InProgress);
        assert_eq!(claim(&claims, "event_2").await, Claim::Fresh);
        EventClaims::release(&claims, "event_1").await.unwrap();
        assert_eq!(claim(&claims, "event_1").await, Claim::Fresh);
        complete(&claims, "event_1").await;
        assert_eq!(claim(&claims, "event_1").await, Claim::Done);
        // Whoever lost the claim cannot undo what was done.
        EventClaims::release(&claims, "event_1").await.unwrap();
        assert_eq!(claim(&claims, "event_1").await, Claim::Done);
        assert_eq!(claim(&claims, "event_2").await, Claim::InProgress);
    }

    #[actix_web::test]
    async fn memory_is_bounded_and_forgets_the_oldest_that_is_done() {
        let claims = MemoryClaims::default();
        assert_eq!(claim(&claims, "in progress").await, Claim::Fresh);
        for number in 0..=MAX_EVENTS {
            complete(&claims, &number.to_string()).await;
            complete(&claims, &number.to_string()).await;
        }
        assert_eq!(claims.0.lock().unwrap().known.len(), MAX_EVENTS + 1);
        assert_eq!(claims.0.lock().unwrap().done.len(), MAX_EVENTS);
        assert_eq!(claim(&claims, &MAX_EVENTS.to_string()).await, Claim::Done);
        assert_eq!(claim(&claims, "1").await, Claim::Done);
        assert_eq!(claim(&claims, "in progress").await, Claim::InProgress);
        assert_eq!(claim(&claims, "0").await, Claim::Fresh);
    }
}
