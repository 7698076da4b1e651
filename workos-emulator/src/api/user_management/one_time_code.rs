//! One-time codes: six digits that people read in an e-mail and type.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    core::{clock, secret::Secret},
    server::error::ApiError,
    store::Transaction,
};

/// Life of a code. Source: <https://workos.com/docs/authkit/magic-auth>, for Magic Auth; assumed for the others.
const LIFETIME: SignedDuration = SignedDuration::from_mins(10);

/// How often a code may be typed wrongly. Assumption: production limits it, but does not say how.
const MOST_FAILURES: u8 = 5;

/// A code, until when it is good, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OneTimeCode {
    /// Kept as it is: the API shows it to the application, which may send the mail itself.
    pub(crate) value: Secret,
    #[serde(with = "clock::timestamp")]
    pub(crate) expires_at: Timestamp,
    failures: u8,
    state: CodeState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum CodeState {
    Fresh,
    Used,
    /// A newer code has taken its place.
    Replaced,
}

/// Why a code is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CodeRefusal {
    Incorrect,
    PreviouslyUsed,
    Expired,
    TooManyAttempts,
}

impl CodeRefusal {
    /// What somebody is told who signs in with a code that was sent to `to`. The last sentence was seen in production; the
    /// others follow it.
    pub(crate) fn at_sign_in(self, to: &str) -> ApiError {
        let (code, message) = match self {
            Self::Incorrect => ("invalid_one_time_code", "is incorrect"),
            Self::PreviouslyUsed => ("one_time_code_previously_used", "was used already"),
            Self::Expired => ("one_time_code_expired", "has expired"),
            Self::TooManyAttempts => (
                "one_time_code_too_many_attempts",
                "has had too many failed attempts",
            ),
        };
        ApiError::bad_request(code, format!("One-time code for '{to}' {message}."))
    }
}

impl OneTimeCode {
    pub(crate) fn new(tx: &mut Transaction<'_>) -> Self {
        Self {
            value: Secret::new(tx.code()),
            expires_at: clock::saturating_add(tx.now(), LIFETIME),
            failures: 0,
            state: CodeState::Fresh,
        }
    }

    /// Whether the code still can be used.
    pub(crate) fn is_open(&self, now: Timestamp) -> bool {
        self.state == CodeState::Fresh && self.failures < MOST_FAILURES && now < self.expires_at
    }

    /// Whether it has done what it was for.
    pub(crate) fn is_used(&self) -> bool {
        self.state == CodeState::Used
    }

    /// Takes `given`, at most once; the caller keeps the changed code whatever the outcome, as failures are counted.
    ///
    /// Only who knows the code learns that it was used, or is too old.
    pub(crate) fn take(&mut self, given: &str, now: Timestamp) -> Result<(), CodeRefusal> {
        if self.failures >= MOST_FAILURES {
            return Err(CodeRefusal::TooManyAttempts);
        }
        if !self.value.matches(given) || self.state == CodeState::Replaced {
            self.failures += 1;
            return Err(CodeRefusal::Incorrect);
        }
        if self.state == CodeState::Used {
            return Err(CodeRefusal::PreviouslyUsed);
        }
        if now >= self.expires_at {
            return Err(CodeRefusal::Expired);
        }
        self.state = CodeState::Used;
        Ok(())
    }

    /// Makes it void: a newer one was asked for.
    pub(crate) fn replace(&mut self) {
        if self.state == CodeState::Fresh {
            self.state = CodeState::Replaced;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Environment;

    fn code() -> (OneTimeCode, Timestamp) {
        let environment = Environment::for_tests();
        let code = environment
            .transact(|tx| Ok::<_, ()>(OneTimeCode::new(tx)))
            .unwrap();
        (code, environment.clock.now())
    }

    #[test]
    fn has_six_digits_and_is_good_once() {
        let (mut code, now) = code();
        let digits = code.value.expose().to_owned();
        assert!(
            digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_digit()),
            "{digits}"
        );
        assert!(code.is_open(now));
        assert_eq!(code.take(&digits, now), Ok(()));
        assert_eq!(code.take(&digits, now), Err(CodeRefusal::PreviouslyUsed));
        assert!(!code.is_open(now));
    }

    #[test]
    fn expires_after_ten_minutes() {
        let (mut code, now) = code();
        let digits = code.value.expose().to_owned();
        let end = now + SignedDuration::from_mins(10);
        assert!(code.is_open(end - SignedDuration::from_millis(1)));
        assert_eq!(code.take(&digits, end), Err(CodeRefusal::Expired));
    }

    #[test]
    fn a_sixth_guess_is_not_looked_at() {
        let (mut code, now) = code();
        let digits = code.value.expose().to_owned();
        for _ in 0..MOST_FAILURES {
            assert_eq!(code.take("x", now), Err(CodeRefusal::Incorrect));
        }
        assert_eq!(code.take(&digits, now), Err(CodeRefusal::TooManyAttempts));
    }

    #[test]
    fn a_replaced_code_is_a_wrong_one() {
        let (mut code, now) = code();
        let digits = code.value.expose().to_owned();
        code.replace();
        assert_eq!(code.take(&digits, now), Err(CodeRefusal::Incorrect));
    }
}
