//! The time of an environment.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use jiff::Timestamp;

use crate::{environment::Environment, timers};

/// The time of an environment: expiries and webhook retries follow it. It starts as the system's time.
#[derive(Debug, Clone)]
pub struct EmulatedClock(pub(super) Arc<Environment>);

impl EmulatedClock {
    /// The environment's time, in whole milliseconds.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        let since_1970 = self.0.clock.now().as_millisecond();
        SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(since_1970).unwrap_or_default())
    }

    /// Moves the time forward.
    pub fn advance(&self, by: Duration) {
        self.0.clock.advance(by);
        timers::run_due(&self.0);
    }

    /// Jumps to a time; a running clock goes on from there. Times beyond the year 9999 are the end of it.
    pub fn set(&self, to: SystemTime) {
        let since_1970 = to.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let to = i64::try_from(since_1970.as_millis()).ok();
        let to = to.and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok());
        self.0.clock.set(to.unwrap_or(Timestamp::MAX));
        timers::run_due(&self.0);
    }

    /// Stops the time where it is.
    pub fn freeze(&self) {
        self.0.clock.freeze(true);
    }

    /// Lets the time run on from where it was stopped.
    pub fn resume(&self) {
        self.0.clock.freeze(false);
    }

    /// Back to the system's time.
    pub fn reset(&self) {
        self.0.clock.reset();
        timers::run_due(&self.0);
    }
}
