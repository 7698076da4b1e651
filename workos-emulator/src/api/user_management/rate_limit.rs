//! How often somebody may try to sign in, or begin to, and may be sent e-mails. Source: <https://workos.com/docs/reference/rate-limits>.
//!
//! A limit counts in windows of a minute, by the environment's clock; a window begins with the first request that it
//! counts (an assumption). The windows are rows like others: a reset ends them, and a fork has them too.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    core::{clock, secret::Secret},
    server::error::ApiError,
    store::{Expiring, Record, State, Transaction},
};

/// What is limited. Each kind counts for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// Attempts to authenticate, by e-mail address or challenge.
    ///
    /// Production counts each of them. Here those that succeed are free, so that a test suite may sign one person in as
    /// often as it likes: [`check`] comes before the attempt, and [`count`] after one that failed.
    Authenticate,
    /// Codes to sign in with, by e-mail address.
    MagicAuth,
    /// Codes that verify an address, by user.
    EmailVerification,
    /// Codes that change an address, by user. Assumption: limited like the others.
    EmailChange,
    /// Links to a new password, by e-mail address.
    PasswordReset,
    /// Sign-ins that begin at `sso/authorize`, by connection, or by provider of social login.
    SsoAuthorize,
}

/// What a window counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RateWindow {
    /// The kind, and the digest of whom it is about: whatever a stranger sends is as long.
    id: String,
    count: u32,
    #[serde(with = "clock::timestamp")]
    ends_at: Timestamp,
}

impl Record for RateWindow {
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.id
    }
}

impl Expiring for RateWindow {
    fn expires_at(&self) -> Timestamp {
        self.ends_at
    }
}

/// The window of all e-mails of an environment.
const DAY: &str = "day";

impl Limit {
    /// How many in a minute.
    fn most(self) -> u32 {
        match self {
            Self::Authenticate => 10,
            Self::MagicAuth | Self::EmailVerification | Self::EmailChange | Self::PasswordReset => 3,
            Self::SsoAuthorize => 1000,
        }
    }

    fn id(self, subject: &str) -> String {
        let name = match self {
            Self::Authenticate => "authenticate",
            Self::MagicAuth => "magic_auth",
            Self::EmailVerification => "email_verification",
            Self::EmailChange => "email_change",
            Self::PasswordReset => "password_reset",
            Self::SsoAuthorize => "sso_authorize",
        };
        format!("{name}:{}", Secret::digest(&subject.trim().to_lowercase()))
    }

    /// The quota of e-mails in a day, where it counts for this and is set.
    fn quota(self, state: &State) -> Option<u32> {
        match self {
            Self::Authenticate | Self::SsoAuthorize => None,
            _ => state.settings().daily_email_quota,
        }
    }

    /// 429 with `Retry-After`. The sentence was seen in production; the code of what is no authentication is assumed.
    fn exceeded(self, wait: SignedDuration) -> ApiError {
        let message = "Rate limit exceeded. See the WorkOS docs for more information: \
                       https://workos.com/docs/reference/rate-limits";
        let refusal = match self {
            Self::Authenticate => ApiError {
                status: 429,
                ..ApiError::oauth("too_many_requests", message)
            },
            _ => ApiError::new(429, "rate_limit_exceeded", message),
        };
        retry_after(refusal, wait)
    }
}

/// Refuses what would be one too many. `subject` is an e-mail address, whatever its case, or an id.
pub(crate) fn check(tx: &Transaction<'_>, limit: Limit, subject: &str) -> Result<(), ApiError> {
    let wait = |window: &Arc<RateWindow>| window.ends_at.duration_since(tx.now());
    let full = |id: &str, most: u32| {
        let window = tx.unexpired::<RateWindow>(id);
        window.filter(|window| window.count >= most).map(wait)
    };
    if tx.settings().rate_limits
        && let Some(wait) = full(&limit.id(subject), limit.most())
    {
        return Err(limit.exceeded(wait));
    }
    if let Some(quota) = limit.quota(tx)
        && let Some(wait) = (quota == 0).then(day).or_else(|| full(DAY, quota))
    {
        let message = format!("The environment sends {quota} emails in a day, and has sent them.");
        return Err(retry_after(
            ApiError::new(429, "daily_quota_exceeded", message),
            wait,
        ));
    }
    Ok(())
}

/// Counts one, or refuses it. What is undone by an error afterwards is not counted.
pub(crate) fn count(tx: &mut Transaction<'_>, limit: Limit, subject: &str) -> Result<(), ApiError> {
    check(tx, limit, subject)?;
    if tx.settings().rate_limits {
        add(tx, limit.id(subject), SignedDuration::from_mins(1))?;
    }
    if limit.quota(tx).is_some() {
        add(tx, DAY.to_owned(), day())?;
    }
    Ok(())
}

/// Counts one request about `subject` in a window of a second. One too many is not counted, and is false.
pub(crate) fn count_in_second(tx: &mut Transaction<'_>, subject: &str, most: u32) -> Result<bool, ApiError> {
    let id = format!("second:{subject}");
    let full = tx
        .unexpired::<RateWindow>(&id)
        .is_some_and(|window| window.count >= most);
    if !full {
        add(tx, id, SignedDuration::from_secs(1))?;
    }
    Ok(!full)
}

fn day() -> SignedDuration {
    SignedDuration::from_hours(24)
}

fn add(tx: &mut Transaction<'_>, id: String, length: SignedDuration) -> Result<(), ApiError> {
    let open = tx.unexpired::<RateWindow>(&id).cloned();
    // Deleted first, so that those that nobody adds to come to stand in front, where they are cleared away.
    tx.delete::<RateWindow>(&id);
    let window = match open {
        Some(open) => RateWindow {
            count: open.count + 1,
            ..RateWindow::clone(&open)
        },
        None => RateWindow {
            id,
            count: 1,
            ends_at: clock::saturating_add(tx.now(), length),
        },
    };
    tx.put_expiring(window)?;
    Ok(())
}

fn retry_after(refusal: ApiError, wait: SignedDuration) -> ApiError {
    let seconds = wait.as_secs() + i64::from(wait.subsec_nanos() > 0);
    refusal.header("Retry-After", seconds.max(1).to_string())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{control::settings::Settings, environment::Environment, store::MOST_EXPIRING};

    fn sent(environment: &Environment, limit: Limit, to: &str) -> Result<(), ApiError> {
        environment.transact(|tx| count(tx, limit, to))
    }

    fn set(environment: &Environment, settings: Settings) {
        environment.transact(|tx| tx.put(settings)).unwrap();
    }

    fn retry_after_of(refused: &ApiError) -> &str {
        let header = refused.headers.iter().find(|(name, _)| *name == "Retry-After");
        &header.unwrap().1
    }

    #[test]
    fn three_codes_a_minute_go_to_an_address_whatever_its_case() {
        let environment = Environment::for_tests();
        for to in ["ada@example.com", " Ada@Example.com", "ADA@EXAMPLE.COM"] {
            sent(&environment, Limit::MagicAuth, to).unwrap();
            environment.clock.advance(Duration::from_secs(10));
        }
        let refused = sent(&environment, Limit::MagicAuth, "ada@example.com").unwrap_err();
        assert_eq!(
            (refused.status, refused.code()),
            (429, Some("rate_limit_exceeded"))
        );
        assert_eq!(retry_after_of(&refused), "30");
        sent(&environment, Limit::MagicAuth, "grace@example.com").unwrap();
        sent(&environment, Limit::PasswordReset, "ada@example.com").unwrap();
        environment.clock.advance(Duration::from_millis(29_999));
        assert_eq!(
            retry_after_of(&sent(&environment, Limit::MagicAuth, "ada@example.com").unwrap_err()),
            "1"
        );
        environment.clock.advance(Duration::from_millis(1));
        sent(&environment, Limit::MagicAuth, "ada@example.com").unwrap();
    }

    #[test]
    fn ten_failed_attempts_a_minute_are_looked_at() {
        let environment = Environment::for_tests();
        for _ in 0..10 {
            sent(&environment, Limit::Authenticate, "ada@example.com").unwrap();
        }
        let refused = environment
            .transact(|tx| check(tx, Limit::Authenticate, "ada@example.com"))
            .unwrap_err();
        assert_eq!((refused.status, refused.code()), (429, Some("too_many_requests")));
        assert!(refused.body["error_description"].is_string());
        assert_eq!(retry_after_of(&refused), "60");
    }

    #[test]
    fn a_thousand_sign_ins_a_minute_begin_through_a_connection() {
        let environment = Environment::for_tests();
        for _ in 0..1000 {
            sent(&environment, Limit::SsoAuthorize, "conn_1").unwrap();
        }
        let refused = sent(&environment, Limit::SsoAuthorize, "conn_1").unwrap_err();
        assert_eq!(
            (refused.status, refused.code()),
            (429, Some("rate_limit_exceeded"))
        );
        sent(&environment, Limit::SsoAuthorize, "conn_2").unwrap();
        environment.clock.advance(Duration::from_secs(60));
        sent(&environment, Limit::SsoAuthorize, "conn_1").unwrap();
    }

    #[test]
    fn the_limits_can_be_switched_off() {
        let environment = Environment::for_tests();
        let settings = Settings {
            rate_limits: false,
            ..Settings::default()
        };
        set(&environment, settings);
        for _ in 0..20 {
            sent(&environment, Limit::MagicAuth, "ada@example.com").unwrap();
        }
        assert_eq!(environment.state().rate_windows.len(), 0);
    }

    #[test]
    fn a_quota_is_for_all_emails_of_a_day() {
        let environment = Environment::for_tests();
        let settings = Settings {
            daily_email_quota: Some(2),
            ..Settings::default()
        };
        set(&environment, settings);
        sent(&environment, Limit::MagicAuth, "ada@example.com").unwrap();
        sent(&environment, Limit::PasswordReset, "grace@example.com").unwrap();
        environment.clock.advance(Duration::from_secs(3600));
        let refused = sent(&environment, Limit::EmailVerification, "user_1").unwrap_err();
        assert_eq!(
            (refused.status, refused.code()),
            (429, Some("daily_quota_exceeded"))
        );
        assert_eq!(retry_after_of(&refused), (23 * 3600).to_string());
        sent(&environment, Limit::Authenticate, "ada@example.com").unwrap();
        environment.clock.advance(Duration::from_secs(23 * 3600));
        sent(&environment, Limit::EmailVerification, "user_1").unwrap();
    }

    #[test]
    fn strangers_cannot_fill_the_memory() {
        let environment = Environment::for_tests();
        for number in 0..MOST_EXPIRING + 10 {
            sent(&environment, Limit::MagicAuth, &format!("{number}@example.com")).unwrap();
        }
        assert_eq!(environment.state().rate_windows.len(), MOST_EXPIRING);
        environment.clock.advance(Duration::from_secs(60));
        let left = environment.state().rate_windows.len();
        sent(&environment, Limit::MagicAuth, "ada@example.com").unwrap();
        assert!(environment.state().rate_windows.len() < left);
    }
}
