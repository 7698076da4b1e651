//! From text to a filter, by recursive descent. Source: RFC 7644 figure 1.

use serde_json::Value;

use super::{Comparison, Filter};
use crate::scim::{
    error::ScimError,
    path::{AttributePath, Target, is_path_char, shortened},
    schema::{ResourceType, Type},
};

/// The longest filter that is read, in bytes.
const LONGEST: usize = 16 * 1024;
/// How deep parentheses, brackets and `not` may stand in each other.
const DEEPEST: usize = 50;
/// How many comparisons a filter may have.
const MOST: usize = 500;

/// What the names in a filter are about.
#[derive(Debug, Clone, Copy)]
pub(in crate::scim) enum Scope<'p> {
    /// The resource.
    Resource,
    /// A value of this multi-valued attribute.
    Value(&'p AttributePath),
}

/// Reads filters, and paths with filters in them.
#[derive(Debug)]
pub(in crate::scim) struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    comparisons: usize,
    resource_type: &'static ResourceType,
}

impl<'t> Parser<'t> {
    pub(in crate::scim) fn new(
        text: &'t str,
        resource_type: &'static ResourceType,
    ) -> Result<Self, ScimError> {
        if text.len() > LONGEST {
            return Err(ScimError::filter(format!(
                "A filter has at most {LONGEST} bytes."
            )));
        }
        Ok(Self {
            text,
            at: 0,
            depth: 0,
            comparisons: 0,
            resource_type,
        })
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// Takes this character, where it stands next.
    pub(in crate::scim) fn takes(&mut self, character: char) -> bool {
        self.skip_blanks();
        let taken = self.rest().starts_with(character);
        if taken {
            self.at += character.len_utf8();
        }
        taken
    }

    fn expect(&mut self, character: char) -> Result<(), ScimError> {
        if self.takes(character) {
            return Ok(());
        }
        Err(self.wrong(&format!("'{character}'")))
    }

    pub(in crate::scim) fn end(&mut self) -> Result<(), ScimError> {
        self.skip_blanks();
        if self.rest().is_empty() {
            return Ok(());
        }
        Err(self.wrong("the end"))
    }

    fn wrong(&self, expected: &str) -> ScimError {
        let found = match self.rest() {
            "" => "the end".to_owned(),
            rest => format!("'{}'", shortened(rest)),
        };
        ScimError::filter(format!("Expected {expected} but found {found}."))
    }

    /// Takes the characters of a path or a word, as far as they go.
    pub(in crate::scim) fn word(&mut self) -> &'t str {
        self.skip_blanks();
        let rest = self.rest();
        let end = rest
            .find(|character| !is_path_char(character))
            .unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// Takes this word, in any case, where it stands next.
    fn takes_word(&mut self, wanted: &str) -> bool {
        let before = self.at;
        if self.word().eq_ignore_ascii_case(wanted) {
            return true;
        }
        self.at = before;
        false
    }

    /// `or` binds less than `and`, and both less than `not`.
    pub(in crate::scim) fn filter(&mut self, scope: Scope<'_>) -> Result<Filter, ScimError> {
        let first = self.conjunction(scope)?;
        let mut any = vec![first];
        while self.takes_word("or") {
            any.push(self.conjunction(scope)?);
        }
        Ok(one_or(any, Filter::Or))
    }

    fn conjunction(&mut self, scope: Scope<'_>) -> Result<Filter, ScimError> {
        let first = self.term(scope)?;
        let mut all = vec![first];
        while self.takes_word("and") {
            all.push(self.term(scope)?);
        }
        Ok(one_or(all, Filter::And))
    }

    /// One level further in.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, ScimError>) -> Result<T, ScimError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(ScimError::filter(format!(
                "A filter is at most {DEEPEST} levels deep."
            )));
        }
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn term(&mut self, scope: Scope<'_>) -> Result<Filter, ScimError> {
        if self.takes('(') {
            let filter = self.deeper(|parser| parser.filter(scope))?;
            self.expect(')')?;
            return Ok(filter);
        }
        let before = self.at;
        if self.takes_word("not") {
            if self.takes('(') {
                let filter = self.deeper(|parser| parser.filter(scope))?;
                self.expect(')')?;
                return Ok(Filter::Not(Box::new(filter)));
            }
            self.at = before;
        }
        self.attribute_expression(scope)
    }

    fn attribute_expression(&mut self, scope: Scope<'_>) -> Result<Filter, ScimError> {
        self.comparisons += 1;
        if self.comparisons > MOST {
            return Err(ScimError::filter(format!(
                "A filter has at most {MOST} comparisons."
            )));
        }
        let path = self.path(scope)?;
        if matches!(scope, Scope::Resource) && self.takes('[') {
            return self.value_filter(path);
        }
        self.comparison(path, scope)
    }

    /// An attribute's name, which a colon must not begin and no blank is in.
    fn path(&mut self, scope: Scope<'_>) -> Result<AttributePath, ScimError> {
        let before = self.at;
        let word = self.word();
        if word.is_empty() {
            return Err(self.wrong("an attribute"));
        }
        // A sub-attribute has no URI.
        let is_sub = matches!(scope, Scope::Value(_));
        let target = Target::parse(word, self.resource_type);
        match target {
            Ok(Target::Attribute(path)) if !is_sub || !word.contains([':', '.']) => Ok(path),
            _ => {
                self.at = before;
                Err(self.wrong("an attribute"))
            }
        }
    }

    /// The rest of `emails[type eq "work"]`.
    ///
    /// `emails[type eq "work"].value eq "a@b"` is not in the RFC's grammar, but identity providers send it: it means what
    /// `emails[type eq "work" and value eq "a@b"]` does.
    fn value_filter(&mut self, path: AttributePath) -> Result<Filter, ScimError> {
        let filter = self.deeper(|parser| parser.filter(Scope::Value(&path)))?;
        self.expect(']')?;
        let filter = if self.rest().starts_with('.') {
            self.at += 1;
            let scope = Scope::Value(&path);
            let sub = self.path(scope)?;
            Filter::And(vec![filter, self.comparison(sub, scope)?])
        } else {
            filter
        };
        Ok(Filter::AnyValue {
            path,
            filter: Box::new(filter),
        })
    }

    fn comparison(&mut self, path: AttributePath, scope: Scope<'_>) -> Result<Filter, ScimError> {
        let before = self.at;
        let operator = self.word().to_ascii_lowercase();
        if operator == "pr" {
            return Ok(Filter::Present(path));
        }
        let comparison = match operator.as_str() {
            "eq" => Comparison::Equal,
            "ne" => Comparison::NotEqual,
            "co" => Comparison::Contains,
            "sw" => Comparison::StartsWith,
            "ew" => Comparison::EndsWith,
            "gt" => Comparison::GreaterThan,
            "ge" => Comparison::GreaterOrEqual,
            "lt" => Comparison::LessThan,
            "le" => Comparison::LessOrEqual,
            _ => {
                self.at = before;
                return Err(self.wrong("an operator (eq, ne, co, sw, ew, gt, ge, lt, le, pr)"));
            }
        };
        let value = self.value()?;
        self.check(&path, scope, comparison, &value)?;
        Ok(Filter::Compare {
            path,
            comparison,
            value,
        })
    }

    /// A JSON string, number, boolean or null. Booleans and null are taken in any case.
    fn value(&mut self) -> Result<Value, ScimError> {
        self.skip_blanks();
        let rest = self.rest();
        if rest.starts_with('"') {
            let end = end_of_string(rest).ok_or_else(|| self.wrong("a closing \""))?;
            let value = serde_json::from_str(&rest[..end]).map_err(|_| self.wrong("a JSON string"))?;
            self.at += end;
            return Ok(value);
        }
        let before = self.at;
        let word = self.word();
        let number = || serde_json::from_str::<Value>(word).ok().filter(Value::is_number);
        let value = match word.to_ascii_lowercase().as_str() {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            "null" => Some(Value::Null),
            _ => number(),
        };
        value.ok_or_else(|| {
            self.at = before;
            self.wrong("a value: \"text\", a number, true, false or null")
        })
    }

    /// Booleans and binaries have no order, and only text has parts (RFC 7644 table 3).
    fn check(
        &self,
        path: &AttributePath,
        scope: Scope<'_>,
        comparison: Comparison,
        value: &Value,
    ) -> Result<(), ScimError> {
        let kind = match scope {
            Scope::Resource => path.leaf(self.resource_type),
            Scope::Value(outer) => outer
                .attribute(self.resource_type)
                .and_then(|attribute| attribute.sub_attribute(&path.name)),
        };
        let kind = kind.map(|attribute| attribute.kind);
        let fits = match comparison {
            Comparison::Equal | Comparison::NotEqual => true,
            Comparison::Contains | Comparison::StartsWith | Comparison::EndsWith => {
                value.is_string() && kind != Some(Type::Boolean)
            }
            _ => {
                (value.is_string() || value.is_number())
                    && !matches!(kind, Some(Type::Boolean | Type::Binary))
            }
        };
        if fits {
            return Ok(());
        }
        Err(ScimError::filter(format!(
            "'{}' cannot be compared like that with {value}.",
            path.name
        )))
    }
}

fn one_or(mut filters: Vec<Filter>, many: fn(Vec<Filter>) -> Filter) -> Filter {
    match filters.pop() {
        Some(only) if filters.is_empty() => only,
        Some(last) => {
            filters.push(last);
            many(filters)
        }
        None => many(filters),
    }
}

/// Where the JSON string at the start of `text` ends.
fn end_of_string(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}
