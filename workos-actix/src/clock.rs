//! Where time comes from.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The source of the current time.
///
/// Everything in this crate that expires asks a `Clock`, so a test can move time instead of waiting for it. Production
/// uses [`SystemClock`], the default.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The current time.
    fn now(&self) -> SystemTime;
}

/// The clock of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the system clock"
    )]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// Time since 1970-01-01 UTC; zero for a clock that is set before it.
fn since_epoch(clock: &dyn Clock) -> Duration {
    clock.now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Whole seconds since the epoch, as JWT claims count them.
pub(crate) fn unix_seconds(clock: &dyn Clock) -> i64 {
    i64::try_from(since_epoch(clock).as_secs()).unwrap_or(i64::MAX)
}

/// Milliseconds since the epoch, as webhook signatures count them.
pub(crate) fn unix_millis(clock: &dyn Clock) -> i64 {
    i64::try_from(since_epoch(clock).as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
pub(crate) mod testing {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A clock that stands still until it is moved.
    #[derive(Debug, Clone)]
    pub(crate) struct TestClock(Arc<Mutex<SystemTime>>);

    impl TestClock {
        pub(crate) fn at_seconds(seconds: u64) -> Self {
            Self(Arc::new(Mutex::new(UNIX_EPOCH + Duration::from_secs(seconds))))
        }

        pub(crate) fn advance(&self, by: Duration) {
            *self.0.lock().unwrap() += by;
        }
    }

    impl Clock for TestClock {
        fn now(&self) -> SystemTime {
            *self.0.lock().unwrap()
        }
    }
}
