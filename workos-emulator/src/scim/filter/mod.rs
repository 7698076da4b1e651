//! Filters: `userName eq "ada" and emails[type eq "work"]`. Source: RFC 7644 section 3.4.2.2.

mod evaluate;
mod lookup;
mod parse;
#[cfg(test)]
mod tests;

use serde_json::Value;

pub(crate) use self::lookup::Lookup;
pub(super) use self::{
    evaluate::{folded, values},
    parse::{Parser, Scope},
};
use super::{error::ScimError, path::AttributePath, schema::ResourceType};

/// The operators that compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Contains,
    StartsWith,
    EndsWith,
    GreaterThan,
    GreaterOrEqual,
    LessThan,
    LessOrEqual,
}

/// A condition that a resource, or a value of a multi-valued attribute, meets or not.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Filter {
    /// All of them; at least one.
    And(Vec<Self>),
    /// Any of them; at least one.
    Or(Vec<Self>),
    Not(Box<Self>),
    /// `pr`
    Present(AttributePath),
    Compare {
        path: AttributePath,
        comparison: Comparison,
        /// Text, a number, a boolean or null.
        value: Value,
    },
    /// `emails[type eq "work"]`: any value of the attribute meets the condition.
    AnyValue {
        path: AttributePath,
        filter: Box<Self>,
    },
}

impl Filter {
    /// Reads a filter; what is none, or too large or too deep, is refused.
    pub(crate) fn parse(text: &str, resource_type: &'static ResourceType) -> Result<Self, ScimError> {
        let mut parser = Parser::new(text, resource_type)?;
        let filter = parser.filter(Scope::Resource)?;
        parser.end()?;
        Ok(filter)
    }
}
