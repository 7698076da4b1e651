//! What is wrong with a configuration, in words that say how to mend it.

use std::fmt;

/// Everything that is wrong with the configuration, reported at once.
///
/// `Display` prints one problem per line; each names the environment variable (and the builder method), what it should
/// look like, and how to get one. `Debug` prints the same: it is what a `main` that returns the error shows.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigError {
    problems: Vec<ConfigProblem>,
}

impl ConfigError {
    pub(super) fn new(problems: Vec<ConfigProblem>) -> Self {
        Self { problems }
    }

    /// The single problems, in the order in which the settings are documented.
    #[must_use]
    pub fn problems(&self) -> &[ConfigProblem] {
        &self.problems
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WorkOS is not configured:")?;
        for problem in &self.problems {
            write!(f, "\n  - {problem}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ConfigError {}

/// One setting that is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    setting: &'static str,
    explanation: String,
}

impl ConfigProblem {
    pub(super) fn new(setting: &'static str, explanation: impl Into<String>) -> Self {
        Self {
            setting,
            explanation: explanation.into(),
        }
    }

    /// The environment variable, or the builder method where there is no variable.
    #[must_use]
    pub fn setting(&self) -> &str {
        self.setting
    }

    /// What is wrong and how to mend it. Never contains the value of a secret.
    #[must_use]
    pub fn explanation(&self) -> &str {
        &self.explanation
    }
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.setting, self.explanation)
    }
}
