//! The codes of an authenticator app: which are taken, and how many wrong ones.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::factors::{AuthenticationFactor, FactorKind};
use crate::{
    api::user_management::one_time_code::CodeRefusal,
    core::{
        clock,
        totp::{TotpSecret, step_at},
    },
    server::error::ApiError,
    store::Transaction,
};

/// How many wrong codes lock a factor, and for how long. It is the factor that counts them, not a challenge or a page: those
/// are had for nothing by whoever knows the password.
///
/// Assumption: production limits attempts, but does not say how.
const MOST_FAILURES: u8 = 5;
const LOCKED: SignedDuration = SignedDuration::from_mins(10);

/// An authenticator app, and what its codes have been used for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TotpFactor {
    /// Which service the app shows the codes for.
    pub(crate) issuer: String,
    /// Which account of it.
    pub(crate) user: String,
    pub(crate) secret: TotpSecret,
    /// The step of the last code that was taken. A code is good once (RFC 6238 section 5.2).
    last_step: Option<u64>,
    /// How many codes were wrong since one was right, and when the last of them came.
    failures: u8,
    #[serde(with = "clock::timestamp::option")]
    failed_at: Option<Timestamp>,
}

impl TotpFactor {
    /// `last_step`: that of the code which proved that the app is set up.
    pub(super) fn new(issuer: String, user: String, secret: TotpSecret, last_step: Option<u64>) -> Self {
        Self {
            issuer,
            user,
            secret,
            last_step,
            failures: 0,
            failed_at: None,
        }
    }

    /// The next code that the factor takes: of the present step, or of the one behind the last that was taken.
    pub(crate) fn next_code(&self, now: Timestamp) -> String {
        let now = step_at(now);
        let unused = self.last_step.filter(|last| is_used(*last, now));
        self.secret.code(unused.map_or(now, |last| last + 1))
    }

    fn is_locked(&self, now: Timestamp) -> bool {
        let until = self.failed_at.map(|at| clock::saturating_add(at, LOCKED));
        self.failures >= MOST_FAILURES && until.is_some_and(|until| now < until)
    }

    /// The step that the code is good for.
    fn examine(&self, code: &str, now: Timestamp) -> Result<u64, CodeRefusal> {
        if self.is_locked(now) {
            return Err(CodeRefusal::TooManyAttempts);
        }
        let step = self.secret.step_of(code, now).ok_or(CodeRefusal::Incorrect)?;
        match self.last_step {
            Some(last) if is_used(last, step) => Err(CodeRefusal::PreviouslyUsed),
            _ => Ok(step),
        }
    }

    fn taken(&self, step: u64) -> Self {
        Self {
            last_step: Some(step),
            failures: 0,
            failed_at: None,
            ..self.clone()
        }
    }

    fn failed(&self, now: Timestamp) -> Self {
        // Who waited gets as many attempts as before.
        let before = match self.failures {
            MOST_FAILURES.. => 0,
            before => before,
        };
        Self {
            failures: before + 1,
            failed_at: Some(now),
            ..self.clone()
        }
    }
}

/// Whether a code of `step` is used when that of `last` is. Behind it, as far as its window went, none is taken either;
/// further back is only a clock that was set back.
fn is_used(last: u64, step: u64) -> bool {
    (last.saturating_sub(2)..=last).contains(&step)
}

/// Takes a code of one of these factors, those of a person who types it. The outcome stays, whichever it is.
pub(crate) fn take(
    tx: &mut Transaction<'_>,
    factors: &[Arc<AuthenticationFactor>],
    code: &str,
) -> Result<Result<(), CodeRefusal>, ApiError> {
    let now = tx.now();
    let examined: Vec<_> = factors
        .iter()
        .filter_map(|factor| match &factor.kind {
            FactorKind::Totp(totp) => Some((factor, totp, totp.examine(code, now))),
            FactorKind::GenericOtp | FactorKind::Sms { .. } => None,
        })
        .collect();
    for (factor, totp, outcome) in &examined {
        if let Ok(step) = outcome {
            tx.put(factor.with(totp.taken(*step)))?;
            return Ok(Ok(()));
        }
    }
    let any = |refusal| examined.iter().any(|(.., outcome)| *outcome == Err(refusal));
    // Who repeats a code that was right guesses nothing.
    if any(CodeRefusal::PreviouslyUsed) {
        return Ok(Err(CodeRefusal::PreviouslyUsed));
    }
    for (factor, totp, outcome) in &examined {
        if *outcome == Err(CodeRefusal::Incorrect) {
            tx.put(factor.with(totp.failed(now)))?;
        }
    }
    let all_locked = !examined.is_empty() && !any(CodeRefusal::Incorrect);
    Ok(Err(if all_locked {
        CodeRefusal::TooManyAttempts
    } else {
        CodeRefusal::Incorrect
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn factor() -> TotpFactor {
        TotpFactor::new(
            "Acme".to_owned(),
            "ada@example.com".to_owned(),
            TotpSecret::new([7; 20]),
            None,
        )
    }

    #[test]
    fn a_code_is_taken_once_and_none_before_it() {
        let factor = factor();
        let code = |step| factor.secret.code(step);
        let taken = factor.taken(factor.examine(&code(100), at(3000)).unwrap());
        for used in [99, 100] {
            assert_eq!(
                taken.examine(&code(used), at(3000)),
                Err(CodeRefusal::PreviouslyUsed)
            );
        }
        assert_eq!(taken.examine(&code(101), at(3000)), Ok(101));
        assert_eq!(
            taken.examine(&code(100), at(3030)),
            Err(CodeRefusal::PreviouslyUsed)
        );
        assert_eq!(taken.examine(&code(102), at(3030)), Ok(102));
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let factor = factor();
        let taken = factor.taken(1_000_000);
        assert_eq!(taken.examine(&factor.secret.code(100), at(3000)), Ok(100));
    }

    #[test]
    fn the_next_code_is_one_that_is_taken() {
        let (mut factor, now) = (factor(), at(3000));
        for _ in 0..2 {
            let step = factor.examine(&factor.next_code(now), now).unwrap();
            factor = factor.taken(step);
        }
        assert_eq!(
            factor.examine(&factor.next_code(now), now),
            Err(CodeRefusal::Incorrect),
            "it lies ahead of the window"
        );
        let later = at(3030);
        assert!(factor.examine(&factor.next_code(later), later).is_ok());
        let much_later = at(30_000);
        assert_eq!(factor.next_code(much_later), factor.secret.code(1000));
    }

    #[test]
    fn five_wrong_codes_lock_it_for_ten_minutes() {
        let mut factor = factor();
        let right = |factor: &TotpFactor, second| {
            factor.examine(&factor.secret.code(step_at(at(second))), at(second))
        };
        for nth in 0..MOST_FAILURES {
            assert!(right(&factor, 3000).is_ok(), "{nth}");
            factor = factor.failed(at(3000));
        }
        assert_eq!(right(&factor, 3000), Err(CodeRefusal::TooManyAttempts));
        assert_eq!(right(&factor, 3599), Err(CodeRefusal::TooManyAttempts));
        assert_eq!(right(&factor, 3600), Ok(120));
        let again = factor.failed(at(3600));
        assert!(right(&again, 3600).is_ok(), "the count begins anew");
        assert_eq!(factor.taken(120).failures, 0);
    }
}
