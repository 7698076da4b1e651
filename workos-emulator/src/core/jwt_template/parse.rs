//! From text to a template.

use serde_json::Value;

use super::{
    Expression, InvalidTemplate, Node, Operand, Part, RESERVED, Template,
    paths::{self, Kind},
};

/// How deep a template can nest.
const MAX_DEPTH: usize = 64;

impl Template {
    /// Reads and checks a template.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidTemplate> {
        let mut parser = Parser { rest: text };
        let root = parser.value(0)?;
        parser.skip_whitespace();
        let claims = match root {
            Node::Object(claims) if !claims.is_empty() => claims,
            _ => return Err(InvalidTemplate::NoObject),
        };
        if !parser.rest.is_empty() {
            return Err(InvalidTemplate::Syntax("text behind the object"));
        }
        if claims.iter().any(|(key, _)| RESERVED.contains(&key.as_str())) {
            return Err(InvalidTemplate::ReservedKey);
        }
        Ok(Self { claims })
    }
}

/// What is still to be read.
struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn value(&mut self, depth: usize) -> Result<Node, InvalidTemplate> {
        if depth > MAX_DEPTH {
            return Err(InvalidTemplate::Syntax("nested too deeply"));
        }
        self.skip_whitespace();
        if self.take("{{") {
            return self.expression(false).map(Node::Expression);
        }
        if self.take("{") {
            return self.members(depth).map(Node::Object);
        }
        if self.take("[") {
            return self.items(depth).map(Node::Array);
        }
        if self.take("\"") {
            return self.text().map(Node::Text);
        }
        self.scalar()
    }

    /// The members of an object, behind its brace. Assumption: keys are plain text, without expressions.
    fn members(&mut self, depth: usize) -> Result<Vec<(String, Node)>, InvalidTemplate> {
        let mut members = Vec::new();
        self.skip_whitespace();
        if self.take("}") {
            return Ok(members);
        }
        loop {
            self.skip_whitespace();
            if !self.take("\"") {
                return Err(InvalidTemplate::Syntax("a key must be a string"));
            }
            let key = match self.text()?.as_slice() {
                [] => String::new(),
                [Part::Text(key)] => key.clone(),
                _ => return Err(InvalidTemplate::Syntax("a key must not have expressions")),
            };
            self.skip_whitespace();
            if !self.take(":") {
                return Err(InvalidTemplate::Syntax("missing ':'"));
            }
            members.push((key, self.value(depth + 1)?));
            self.skip_whitespace();
            if self.take("}") {
                return Ok(members);
            }
            if !self.take(",") {
                return Err(InvalidTemplate::Syntax("missing ',' or '}'"));
            }
        }
    }

    /// The items of an array, behind its bracket.
    fn items(&mut self, depth: usize) -> Result<Vec<Node>, InvalidTemplate> {
        let mut items = Vec::new();
        self.skip_whitespace();
        if self.take("]") {
            return Ok(items);
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.skip_whitespace();
            if self.take("]") {
                return Ok(items);
            }
            if !self.take(",") {
                return Err(InvalidTemplate::Syntax("missing ',' or ']'"));
            }
        }
    }

    fn scalar(&mut self) -> Result<Node, InvalidTemplate> {
        let ends = |c: char| c.is_ascii_whitespace() || ",]}".contains(c);
        let word = self.take_until(self.rest.find(ends).unwrap_or(self.rest.len()));
        match serde_json::from_str(word) {
            Ok(scalar @ (Value::Null | Value::Bool(_) | Value::Number(_))) => Ok(Node::Scalar(scalar)),
            _ => Err(InvalidTemplate::Syntax("this is not JSON")),
        }
    }

    /// The parts of a string, behind its first quote.
    fn text(&mut self) -> Result<Vec<Part>, InvalidTemplate> {
        let mut parts = Vec::new();
        loop {
            let length = self.plain_length()?;
            let plain = self.take_until(length);
            if !plain.is_empty() {
                // JSON's own escapes.
                let plain: String = serde_json::from_str(&format!("\"{plain}\""))
                    .map_err(|_| InvalidTemplate::Syntax("this is not a JSON string"))?;
                parts.push(Part::Text(plain));
            }
            if self.take("\"") {
                return Ok(parts);
            }
            self.take("{{");
            parts.push(Part::Expression(self.expression(true)?));
        }
    }

    /// How far it is to the end of the string, or to the next expression in it.
    fn plain_length(&self) -> Result<usize, InvalidTemplate> {
        let mut characters = self.rest.char_indices();
        while let Some((at, c)) = characters.next() {
            match c {
                '"' => return Ok(at),
                '{' if self.rest[at..].starts_with("{{") => return Ok(at),
                '\\' => drop(characters.next()),
                _ => {}
            }
        }
        Err(InvalidTemplate::Syntax("a string has no end"))
    }

    /// An expression, behind its braces. In a string, the quote that would end the string cannot stand in it.
    fn expression(&mut self, in_string: bool) -> Result<Expression, InvalidTemplate> {
        let mut quote = None;
        let mut end = None;
        for (at, c) in self.rest.char_indices() {
            match (quote, c) {
                (_, '"') if in_string => break,
                (None, '\'' | '"') => quote = Some(c),
                (Some(open), _) if open == c => quote = None,
                (None, '}') if self.rest[at..].starts_with("}}") => {
                    end = Some(at);
                    break;
                }
                _ => {}
            }
        }
        let content = self.take_until(end.ok_or(InvalidTemplate::MissingBraces)?);
        self.take("}}");
        operands(content, in_string)
    }

    fn skip_whitespace(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Goes on behind `token`, if it is next.
    fn take(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn take_until(&mut self, at: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(at);
        self.rest = rest;
        taken
    }
}

/// The operands of an expression.
fn operands(content: &str, in_string: bool) -> Result<Expression, InvalidTemplate> {
    if content.trim().is_empty() {
        return Err(InvalidTemplate::EmptyExpression);
    }
    let mut operands = Vec::new();
    let mut rest = content;
    loop {
        rest = rest.trim_start();
        let operand;
        (operand, rest) = match rest.chars().next() {
            Some(quote @ ('\'' | '"')) => {
                let (literal, rest) = rest[1..]
                    .split_once(quote)
                    .ok_or(InvalidTemplate::InvalidSegment)?;
                (Operand::Literal(literal.to_owned()), rest)
            }
            _ => {
                let (segment, rest) = rest.split_at(rest.find("||").unwrap_or(rest.len()));
                (path(segment.trim(), in_string)?, rest)
            }
        };
        operands.push(operand);
        rest = rest.trim_start();
        if rest.is_empty() {
            return Ok(Expression(operands));
        }
        rest = rest.strip_prefix("||").ok_or(InvalidTemplate::InvalidSegment)?;
    }
}

/// A path that leads somewhere: in a string, not to an object.
fn path(text: &str, in_string: bool) -> Result<Operand, InvalidTemplate> {
    let is_name = |segment: &str| {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        !segment.is_empty() && segment.chars().all(is_allowed)
    };
    if !text.split('.').all(is_name) {
        return Err(InvalidTemplate::InvalidSegment);
    }
    let segments: Vec<String> = text.split('.').map(str::to_owned).collect();
    match paths::kind(&segments) {
        None => Err(InvalidTemplate::InvalidPath(text.to_owned())),
        Some(Kind::Object) if in_string => Err(InvalidTemplate::ObjectInString),
        Some(_) => Ok(Operand::Path(segments)),
    }
}
