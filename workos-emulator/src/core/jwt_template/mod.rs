//! JWT templates: text that renders to a JSON object of claims. Source: <https://workos.com/docs/authkit/jwt-templates>.
//!
//! * here – what a template is made of, and what can be wrong with one.
//! * [`parse`] – from text to a template: JSON in which `{{ … }}` can stand for a value or in a string.
//! * [`paths`] – what expressions can refer to.
//! * [`render`] – from a template and its context to claims.

mod parse;
mod paths;
mod render;
#[cfg(test)]
mod tests;

use serde_json::Value;

/// The claims that a template cannot set.
const RESERVED: [&str; 6] = ["iss", "sub", "exp", "iat", "nbf", "jti"];

/// The size of the rendered object at most, in bytes.
pub(crate) const MAX_SIZE: usize = 3072;

/// A template that was checked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Template {
    claims: Vec<(String, Node)>,
}

/// A value of the JSON that a template is.
#[derive(Debug, Clone, PartialEq)]
enum Node {
    /// A number, a boolean, or null.
    Scalar(Value),
    Text(Vec<Part>),
    Expression(Expression),
    Array(Vec<Self>),
    Object(Vec<(String, Self)>),
}

/// A part of a string.
#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(String),
    Expression(Expression),
}

/// Operands of which the first that is not null is the value: `user.first_name || 'Someone'`.
#[derive(Debug, Clone, PartialEq)]
struct Expression(Vec<Operand>);

#[derive(Debug, Clone, PartialEq)]
enum Operand {
    Literal(String),
    /// The names and numbers between the dots.
    Path(Vec<String>),
}

/// What is wrong with a template, in WorkOS's words where it has some.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidTemplate {
    #[error("Template must render to an object with at least one explicitly defined top-level key")]
    NoObject,
    #[error("Keys reserved (iss, sub, exp, etc.)")]
    ReservedKey,
    #[error("String encapsulated expression cannot contain object reference")]
    ObjectInString,
    #[error("Invalid expression segment")]
    InvalidSegment,
    #[error("Template parse error: missing '}}}}'")]
    MissingBraces,
    #[error("Expression cannot be empty")]
    EmptyExpression,
    #[error("Invalid path: \"{0}\"")]
    InvalidPath(String),
    /// Not JSON.
    #[error("Template parse error: {0}")]
    Syntax(&'static str),
}

/// Why a valid template gives no claims for somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RenderError {
    #[error("String encapsulated expression cannot contain object reference")]
    ObjectInString,
    #[error("The rendered JWT template is larger than {MAX_SIZE} bytes")]
    TooBig,
}
