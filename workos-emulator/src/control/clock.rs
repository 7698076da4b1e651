//! `/_emulate/clock`: the environment's time, which expiries and webhook retries follow.

use std::time::Duration;

use jiff::{SpanRelativeTo, Timestamp};
use serde::Deserialize;
use serde_json::json;

use crate::{
    core::clock::{self, Clock},
    environment::Environment,
    server::{call::Call, error::ApiError, reply::Reply},
    timers,
};

/// `POST /_emulate/clock`. Several members are done in this order: reset, set, advance, freeze.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct MoveClock {
    reset: bool,
    set: Option<Timestamp>,
    advance: Option<String>,
    freeze: Option<bool>,
}

/// `GET /_emulate/clock`
pub(super) fn get_clock(call: &Call) -> Result<Reply, ApiError> {
    show(&call.environment)
}

/// `POST /_emulate/clock`
pub(super) fn move_clock(call: &Call) -> Result<Reply, ApiError> {
    let wanted: MoveClock = call.body()?;
    let by = wanted
        .advance
        .as_deref()
        .map(|by| duration("advance", by))
        .transpose()?;
    if !wanted.reset && wanted.set.is_none() && by.is_none() && wanted.freeze.is_none() {
        return Err(ApiError::invalid_field(
            "advance",
            "required",
            "Send one of advance (\"10m\"), set (\"2026-01-01T00:00:00Z\"), freeze (true or false), reset (true).",
        ));
    }
    // Ids carry the time as milliseconds since 1970, and timestamps are written with a year of four digits.
    if wanted.set.is_some_and(|to| to < Timestamp::UNIX_EPOCH) {
        return Err(ApiError::invalid_field(
            "set",
            "invalid",
            "The clock can be set to 1970-01-01T00:00:00Z at the earliest.",
        ));
    }
    let clock = &call.environment.clock;
    if wanted.reset {
        clock.reset();
    }
    if let Some(to) = wanted.set {
        clock.set(to);
    }
    if let Some(by) = by {
        clock.advance(by);
    }
    if let Some(freeze) = wanted.freeze {
        clock.freeze(freeze);
    }
    timers::run_due(&call.environment);
    show(&call.environment)
}

fn show(environment: &Environment) -> Result<Reply, ApiError> {
    let clock: &Clock = &environment.clock;
    Reply::ok(&json!({
        "now": clock::iso8601(clock.now()),
        "offset_ms": clock.offset_milliseconds(),
        "frozen": clock.is_frozen(),
    }))
}

/// `10m`, `1h30m`, `500ms`, `3d`: units from milliseconds to weeks. A day has 24 hours.
pub(super) fn duration(field: &str, text: &str) -> Result<Duration, ApiError> {
    let wrong = || {
        ApiError::invalid_field(
            field,
            "invalid_duration",
            format!("'{text}' is not a duration, like 500ms, 10m, 1h30m or 3d."),
        )
    };
    let span: jiff::Span = text.trim().parse().map_err(|_| wrong())?;
    span.to_duration(SpanRelativeTo::days_are_24_hours())
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_no_time_before_1970() {
        let environment = std::sync::Arc::new(Environment::for_tests());
        let set = |to: &str| {
            let body = json!({"set": to, "freeze": true});
            move_clock(&Call::for_tests(&environment, &[], "", body))
        };
        for early in [
            "1969-12-31T23:59:59.999Z",
            "0001-01-01T00:00:00Z",
            "-009999-01-02T01:59:59Z",
        ] {
            assert_eq!(set(early).unwrap_err().status, 422, "{early}");
            assert!(!environment.clock.is_frozen());
        }
        assert_eq!(set("1970-01-01T00:00:00Z").unwrap().status, 200);
        assert_eq!(set("9999-12-30T22:00:00Z").unwrap().status, 200);
        assert_eq!(
            clock::iso8601(environment.clock.now()),
            "9999-12-30T22:00:00.000Z"
        );
    }

    #[test]
    fn reads_durations() {
        for (text, milliseconds) in [
            ("500ms", 500),
            ("10m", 600_000),
            ("1h30m", 5_400_000),
            ("3d", 3 * 24 * 3_600_000),
            (" 90s ", 90_000),
            ("PT1H", 3_600_000),
        ] {
            assert_eq!(
                duration("advance", text).unwrap(),
                Duration::from_millis(milliseconds),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_what_is_not_a_duration_or_goes_back() {
        for text in [
            "",
            "10",
            "ten minutes",
            "-10m",
            "1month",
            "10m ago",
            "999999999999h",
        ] {
            assert_eq!(duration("advance", text).unwrap_err().status, 422, "{text}");
        }
    }
}
