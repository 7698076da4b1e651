//! From a template and its context to claims.

use serde_json::{Map, Value};

use super::{Expression, MAX_SIZE, Node, Operand, Part, RenderError, Template};

impl Template {
    /// The claims for a context: an object with `user`, `organization` and `organization_membership`. A claim that is null
    /// is left out.
    pub(crate) fn render(&self, context: &Value) -> Result<Map<String, Value>, RenderError> {
        let mut claims = Map::new();
        for (key, node) in &self.claims {
            let value = node.render(context)?;
            claims.insert(key.clone(), value);
        }
        claims.retain(|_, value| !value.is_null());
        let size = serde_json::to_vec(&claims).map_or(0, |text| text.len());
        if size > MAX_SIZE {
            return Err(RenderError::TooBig);
        }
        Ok(claims)
    }
}

impl Node {
    fn render(&self, context: &Value) -> Result<Value, RenderError> {
        match self {
            Self::Scalar(scalar) => Ok(scalar.clone()),
            Self::Text(parts) => text(parts, context),
            Self::Expression(expression) => Ok(match expression.evaluate(context) {
                Value::String(text) => text.trim().into(),
                value => value,
            }),
            Self::Array(items) => items.iter().map(|item| item.render(context)).collect(),
            Self::Object(members) => members
                .iter()
                .map(|(key, node)| Ok((key.clone(), node.render(context)?)))
                .collect(),
        }
    }
}

/// A string. Null is nothing in it; a string that is but one null expression is null itself, so that its claim is left out.
fn text(parts: &[Part], context: &Value) -> Result<Value, RenderError> {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Text(plain) => text.push_str(plain),
            Part::Expression(expression) => match expression.evaluate(context) {
                Value::Null if parts.len() == 1 => return Ok(Value::Null),
                Value::Null => {}
                Value::String(value) => text.push_str(&value),
                Value::Array(_) | Value::Object(_) => return Err(RenderError::ObjectInString),
                scalar @ (Value::Bool(_) | Value::Number(_)) => text.push_str(&scalar.to_string()),
            },
        }
    }
    Ok(text.trim().into())
}

impl Expression {
    /// The first operand that is not null.
    fn evaluate(&self, context: &Value) -> Value {
        let values = self.0.iter().map(|operand| operand.value(context));
        values
            .into_iter()
            .find(|value| !value.is_null())
            .unwrap_or_default()
    }
}

impl Operand {
    /// What is not there is null.
    fn value(&self, context: &Value) -> Value {
        match self {
            Self::Literal(text) => text.as_str().into(),
            Self::Path(segments) => segments
                .iter()
                .try_fold(context, |value, segment| match value {
                    Value::Array(items) => items.get(segment.parse::<usize>().ok()?),
                    value => value.get(segment),
                })
                .cloned()
                .unwrap_or_default(),
        }
    }
}
