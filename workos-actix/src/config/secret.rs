//! The secrets of webhooks and Actions: each is an environment variable of its own.

use super::{ConfigError, ConfigProblem};

/// The secret in an environment variable. `found_at` says where WorkOS shows it.
pub(crate) fn secret_from_env(name: &'static str, found_at: &str) -> Result<String, ConfigError> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the configuration reads the environment"
    )]
    secret(name, found_at, std::env::var(name).ok())
}

fn secret(name: &'static str, found_at: &str, value: Option<String>) -> Result<String, ConfigError> {
    // An empty variable is how a .env file says "not set".
    value
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
        .ok_or_else(|| {
            let explanation = format!("is missing: copy the secret from {found_at}.");
            ConfigError::new(vec![ConfigProblem::new(name, explanation)])
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_taken_whole_and_a_missing_one_is_explained() {
        let of =
            |value: Option<&str>| secret("WORKOS_WEBHOOK_SECRET", "the dashboard", value.map(str::to_owned));
        assert_eq!(of(Some("whsec_a, b\n")).unwrap(), "whsec_a, b");
        for missing in [None, Some(""), Some(" \n")] {
            let error = of(missing).unwrap_err();
            assert_eq!(error.problems()[0].setting(), "WORKOS_WEBHOOK_SECRET");
            assert_eq!(
                error.problems()[0].explanation(),
                "is missing: copy the secret from the dashboard."
            );
        }
    }
}
