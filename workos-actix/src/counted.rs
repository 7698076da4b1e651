//! What is counted, for the feature `metrics`; without it all of this is nothing. The names are explained in `metrics.rs`.

use std::time::Duration;

#[cfg(feature = "metrics")]
use tokio::time::Instant;

macro_rules! count {
    ($name:literal $(, $label:literal => $value:expr)*) => {{
        #[cfg(feature = "metrics")]
        ::metrics::counter!($name $(, $label => $value)*).increment(1);
        #[cfg(not(feature = "metrics"))]
        let _ = ($($value,)*);
    }};
}

macro_rules! took {
    ($name:literal, $time:expr $(, $label:literal => $value:expr)*) => {{
        #[cfg(feature = "metrics")]
        ::metrics::histogram!($name $(, $label => $value)*).record($time);
        #[cfg(not(feature = "metrics"))]
        let _ = ($time, $($value,)*);
    }};
}

/// How long something takes, when somebody counts.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    #[cfg(feature = "metrics")]
    began: Instant,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self {
            #[cfg(feature = "metrics")]
            began: Instant::now(),
        }
    }

    #[cfg(feature = "metrics")]
    fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    #[cfg(not(feature = "metrics"))]
    #[expect(clippy::unused_self, reason = "without the feature nothing is measured")]
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

pub(crate) fn request(credential: &'static str, outcome: &'static str, stopwatch: &Stopwatch) {
    count!("authkit_requests_total", "credential" => credential, "outcome" => outcome);
    took!("authkit_authentication_seconds", stopwatch.elapsed(), "credential" => credential);
}

pub(crate) fn verification(outcome: &'static str) {
    count!("authkit_verifications_total", "outcome" => outcome);
}

pub(crate) fn refresh(outcome: &'static str, stopwatch: &Stopwatch) {
    count!("authkit_refreshes_total", "outcome" => outcome);
    took!("authkit_refresh_seconds", stopwatch.elapsed(), "outcome" => outcome);
}

/// A refresh that somebody else has made, or is making.
pub(crate) fn shared_refresh(source: &'static str) {
    count!("authkit_shared_refreshes_total", "source" => source);
}

pub(crate) fn key_set_fetch(is_fetched: bool) {
    let outcome = if is_fetched { "fetched" } else { "failed" };
    count!("authkit_key_set_fetches_total", "outcome" => outcome);
}

pub(crate) fn api_key(outcome: &'static str) {
    count!("authkit_api_key_validations_total", "outcome" => outcome);
}

pub(crate) fn sign_in(outcome: &'static str) {
    count!("authkit_sign_ins_total", "outcome" => outcome);
}

pub(crate) fn webhook(outcome: &'static str) {
    count!("authkit_webhooks_total", "outcome" => outcome);
}

pub(crate) fn action(outcome: &'static str) {
    count!("authkit_actions_total", "outcome" => outcome);
}

pub(crate) fn session_store_failure(operation: &'static str) {
    count!("authkit_session_store_failures_total", "operation" => operation);
}

pub(crate) fn shared_state_failure(operation: &'static str) {
    count!("authkit_shared_state_failures_total", "operation" => operation);
}
