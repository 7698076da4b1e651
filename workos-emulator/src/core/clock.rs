//! The environment's time. Nothing in the emulator asks the system for the time but [`system_time`].

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// A source of the current time.
pub(crate) type TimeSource = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The system's clock, the default source.
pub(crate) fn system_time() -> TimeSource {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place where time comes in"
    )]
    Arc::new(Timestamp::now)
}

/// How the environment's time relates to its source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ClockSetting {
    /// How far it is ahead of its source, unless it is frozen.
    pub(crate) offset: SignedDuration,
    pub(crate) frozen_at: Option<Timestamp>,
}

impl ClockSetting {
    /// The environment's time when the source's is `real`, in whole milliseconds.
    fn at(self, real: Timestamp) -> Timestamp {
        whole_milliseconds(
            self.frozen_at
                .unwrap_or_else(|| saturating_add(real, self.offset)),
        )
    }
}

/// A clock that can be moved, set and frozen; expiries and webhook retries follow it.
pub(crate) struct Clock {
    source: TimeSource,
    setting: Mutex<ClockSetting>,
    moved: watch::Sender<()>,
}

impl Clock {
    pub(crate) fn new(source: TimeSource) -> Self {
        Self {
            source,
            setting: Mutex::default(),
            moved: watch::Sender::new(()),
        }
    }

    /// The current time in whole milliseconds, as the API shows it.
    pub(crate) fn now(&self) -> Timestamp {
        self.setting().at((self.source)())
    }

    /// The source's time, however the clock was moved: for what another program compares with its own time.
    pub(crate) fn source_time(&self) -> Timestamp {
        whole_milliseconds((self.source)())
    }

    /// Moves the time forward, whether it is frozen or running.
    pub(crate) fn advance(&self, by: Duration) {
        let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
        self.change(|setting, _| match &mut setting.frozen_at {
            Some(at) => *at = saturating_add(*at, by),
            None => setting.offset = setting.offset.saturating_add(by),
        });
    }

    /// Jumps to a time; a running clock goes on from there.
    pub(crate) fn set(&self, to: Timestamp) {
        self.change(|setting, real| match &mut setting.frozen_at {
            Some(at) => *at = to,
            None => setting.offset = to.duration_since(real),
        });
    }

    /// Stops the time where it is, or lets it run on from there.
    pub(crate) fn freeze(&self, frozen: bool) {
        let now = self.now();
        self.change(|setting, real| {
            if frozen {
                setting.frozen_at = Some(now);
            } else if setting.frozen_at.take().is_some() {
                setting.offset = now.duration_since(real);
            }
        });
    }

    /// Back to the source's time.
    pub(crate) fn reset(&self) {
        self.restore(ClockSetting::default());
    }

    pub(crate) fn setting(&self) -> ClockSetting {
        *self.setting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn restore(&self, to: ClockSetting) {
        self.change(|setting, _| *setting = to);
    }

    pub(crate) fn is_frozen(&self) -> bool {
        self.setting().frozen_at.is_some()
    }

    /// How far the environment's time is ahead of the source's, in milliseconds.
    pub(crate) fn offset_milliseconds(&self) -> i64 {
        // Both from one reading: the source goes on between two.
        let real = (self.source)();
        self.setting().at(real).as_millisecond() - whole_milliseconds(real).as_millisecond()
    }

    /// Waits until the environment's time has reached `deadline`, however it gets there.
    pub(crate) async fn wait_until(&self, deadline: Timestamp) {
        let mut moved = self.moved.subscribe();
        loop {
            moved.borrow_and_update();
            let now = self.now();
            if now >= deadline {
                return;
            }
            let remaining = Duration::try_from(deadline.duration_since(now)).unwrap_or_default();
            // A frozen clock only moves by hand. The sender lives as long as the clock: `changed` does not fail.
            if self.is_frozen() {
                let _ = moved.changed().await;
            } else {
                let _ = tokio::time::timeout(remaining, moved.changed()).await;
            }
        }
    }

    fn change(&self, change: impl FnOnce(&mut ClockSetting, Timestamp)) {
        let real = (self.source)();
        change(
            &mut self.setting.lock().unwrap_or_else(PoisonError::into_inner),
            real,
        );
        self.moved.send_replace(());
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock")
            .field("setting", &self.setting())
            .finish_non_exhaustive()
    }
}

/// `2026-01-15T12:00:00.000Z`: ISO 8601 in UTC with milliseconds, as every timestamp of the API.
pub(crate) fn iso8601(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// Serialises a timestamp as the API writes it; reads any RFC 3339 timestamp.
pub(crate) mod timestamp {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{at:.3}"))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        Timestamp::deserialize(from)
    }

    /// The same for a timestamp that may be null.
    pub(crate) mod option {
        use jiff::Timestamp;
        use serde::{Deserialize, Deserializer, Serializer};

        pub(crate) fn serialize<S: Serializer>(at: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
            match at {
                Some(at) => super::serialize(at, to),
                None => to.serialize_none(),
            }
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
            Option::deserialize(from)
        }
    }
}

/// `at + duration`, stopping at the ends of time instead of failing.
pub(crate) fn saturating_add(at: Timestamp, duration: SignedDuration) -> Timestamp {
    at.saturating_add(duration).unwrap_or(Timestamp::MAX)
}

fn whole_milliseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn clock() -> Clock {
        let start = at("2026-01-15T12:00:00.000900Z");
        Clock::new(Arc::new(move || start))
    }

    #[test]
    fn shows_whole_milliseconds() {
        assert_eq!(iso8601(clock().now()), "2026-01-15T12:00:00.000Z");
    }

    #[test]
    fn moves_sets_freezes_and_resets() {
        let clock = clock();
        clock.advance(Duration::from_secs(60));
        assert_eq!(iso8601(clock.now()), "2026-01-15T12:01:00.000Z");
        clock.freeze(true);
        clock.set(at("2030-01-01T00:00:00Z"));
        clock.advance(Duration::from_millis(5));
        assert_eq!(iso8601(clock.now()), "2030-01-01T00:00:00.005Z");
        clock.freeze(false);
        assert_eq!(iso8601(clock.now()), "2030-01-01T00:00:00.005Z");
        clock.reset();
        assert_eq!(clock.offset_milliseconds(), 0);
    }

    #[test]
    fn a_running_clock_that_was_not_moved_has_no_offset() {
        let ticks = AtomicI64::new(0);
        let clock = Clock::new(Arc::new(move || {
            Timestamp::from_millisecond(ticks.fetch_add(1, Ordering::Relaxed)).unwrap()
        }));
        assert_eq!(clock.offset_milliseconds(), 0);
    }

    #[test]
    fn never_overflows() {
        let clock = clock();
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        assert!(clock.now() > at("9000-01-01T00:00:00Z"));
    }

    #[tokio::test]
    async fn a_waiting_task_follows_the_clock() {
        let clock = Arc::new(clock());
        let deadline = at("2026-01-18T12:00:00Z");
        let waiting = tokio::spawn({
            let clock = Arc::clone(&clock);
            async move { clock.wait_until(deadline).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        clock.advance(Duration::from_secs(3 * 24 * 3600));
        waiting.await.unwrap();
    }
}
