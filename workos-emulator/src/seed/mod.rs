//! Seed files: what an environment starts with. The format is that of `@workos/emulate`.
//!
//! A seed is read ([`format`](self::format)), its passwords are hashed, and then it is planted in one transaction by the
//! rules that the API uses ([`plant`](self::plant)). All that is wrong in one of these steps is told at once.

mod document;
mod format;
mod plant;

use std::fmt;

use serde_json::Value;

use self::format::Document;
pub(crate) use self::{document::Problem, plant::Seeded};
use crate::{
    control::environments::{self, FillError, Start},
    core::{clock, ids},
    environment::Environment,
    server::error::{ApiError, FieldError},
};

/// A seed that has been read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seed {
    document: Document,
    warnings: Vec<String>,
}

/// Why a seed cannot be used: every problem with the path of the key that it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct InvalidSeed {
    problems: Vec<Problem>,
}

impl Seed {
    /// Reads YAML 1.2 or JSON.
    pub(crate) fn read(text: &str) -> Result<Self, InvalidSeed> {
        let value = parse(text).map_err(|message| InvalidSeed::of([Problem::new("(document)", message)]))?;
        Self::of(value, text)
    }

    /// The body of a request: text, or a JSON object.
    pub(crate) fn from_body(body: Value) -> Result<Self, InvalidSeed> {
        match body {
            Value::String(text) => Self::read(&text),
            body => Self::of(body, ""),
        }
    }

    fn of(value: Value, text: &str) -> Result<Self, InvalidSeed> {
        let (document, report) = Document::read(value, text);
        if report.problems.is_empty() {
            Ok(Self {
                document,
                warnings: report.warnings,
            })
        } else {
            Err(InvalidSeed::of(report.problems))
        }
    }
}

fn parse(text: &str) -> Result<Value, String> {
    // serde_json says better what is wrong with JSON.
    if text.trim_start().starts_with(['{', '[']) {
        return serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"));
    }
    let options = serde_saphyr::options! {
        // As YAML 1.2 has it: yes and no are text.
        strict_booleans: true,
        // Seeds of many thousand users are fine; bombs of aliases are still refused.
        budget: serde_saphyr::budget! {
            max_nodes: 20_000_000,
            max_events: 60_000_000,
            max_depth: 64,
        },
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| format!("is not YAML: {error}"))
}

impl InvalidSeed {
    pub(crate) fn of(problems: impl IntoIterator<Item = Problem>) -> Self {
        Self {
            problems: problems.into_iter().collect(),
        }
    }

    /// Each problem as `path: message (got: value)`: `users[0].email: is required`.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        self.problems.iter().map(ToString::to_string).collect()
    }
}

impl fmt::Display for InvalidSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Invalid seed configuration:")?;
        self.problems
            .iter()
            .try_for_each(|problem| write!(f, "\n  - {problem}"))
    }
}

impl std::error::Error for InvalidSeed {}

impl From<InvalidSeed> for ApiError {
    fn from(invalid: InvalidSeed) -> Self {
        let errors = invalid.problems.into_iter().map(|problem| {
            FieldError::new(problem.path.clone(), "invalid_seed").message(problem.to_string())
        });
        Self::invalid(errors)
    }
}

/// Checks the text of a seed file, YAML or JSON, without starting anything. What is passed over comes back as
/// `path: message`.
///
/// ```
/// let invalid = workos_emulator::validate_seed("users: [{name: Ann}]").unwrap_err();
/// assert_eq!(invalid.problems(), ["users[0].email: is required"]);
/// ```
///
/// # Errors
/// With everything that is wrong, each with the path of its key.
pub fn validate_seed(text: &str) -> Result<Vec<String>, InvalidSeed> {
    let seed = Seed::read(text)?;
    // Planting it in an environment of its own finds what only the rules know.
    let environment = Environment::new("validation", None, clock::system_time(), ids::system_randomness());
    let start = Start {
        seed: Some(&seed),
        ..Start::default()
    };
    match environments::fill(&environment, start) {
        Ok(seeded) => Ok(seeded.warnings().to_vec()),
        Err(FillError::Seed(invalid)) => Err(invalid),
        Err(FillError::Rule(refusal)) => Err(InvalidSeed::of([Problem::new(
            "(document)",
            refusal.explanation(),
        )])),
    }
}

#[cfg(test)]
mod tests;
