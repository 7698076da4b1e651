//! How an attribute is described. Source: RFC 7643 section 7.

use serde_json::{Value, json};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    String,
    Boolean,
    Integer,
    DateTime,
    Binary,
    Reference,
    Complex,
}

impl Type {
    const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::DateTime => "dateTime",
            Self::Binary => "binary",
            Self::Reference => "reference",
            Self::Complex => "complex",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutability {
    ReadWrite,
    ReadOnly,
    Immutable,
    WriteOnly,
}

impl Mutability {
    const fn as_str(self) -> &'static str {
        match self {
            Self::ReadWrite => "readWrite",
            Self::ReadOnly => "readOnly",
            Self::Immutable => "immutable",
            Self::WriteOnly => "writeOnly",
        }
    }
}

/// An attribute of a schema, or a sub-attribute.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attribute {
    pub(crate) name: &'static str,
    pub(crate) kind: Type,
    pub(crate) multi_valued: bool,
    pub(crate) required: bool,
    pub(crate) case_exact: bool,
    pub(crate) mutability: Mutability,
    /// `default`, `always` or `never`.
    pub(crate) returned: &'static str,
    /// `none` or `server`.
    pub(crate) uniqueness: &'static str,
    pub(crate) canonical_values: &'static [&'static str],
    pub(crate) reference_types: &'static [&'static str],
    pub(crate) sub_attributes: &'static [Self],
    pub(crate) description: &'static str,
}

/// An attribute of this type with RFC 7643's defaults (section 2.2).
const fn attribute(name: &'static str, kind: Type, description: &'static str) -> Attribute {
    Attribute {
        name,
        kind,
        multi_valued: false,
        required: false,
        case_exact: false,
        mutability: Mutability::ReadWrite,
        returned: "default",
        uniqueness: "none",
        canonical_values: &[],
        reference_types: &[],
        sub_attributes: &[],
        description,
    }
}

pub(super) const fn string(name: &'static str, description: &'static str) -> Attribute {
    attribute(name, Type::String, description)
}

pub(super) const fn boolean(name: &'static str, description: &'static str) -> Attribute {
    attribute(name, Type::Boolean, description)
}

pub(super) const fn integer(name: &'static str, description: &'static str) -> Attribute {
    attribute(name, Type::Integer, description)
}

pub(super) const fn date_time(name: &'static str, description: &'static str) -> Attribute {
    attribute(name, Type::DateTime, description)
}

pub(super) const fn binary(name: &'static str, description: &'static str) -> Attribute {
    attribute(name, Type::Binary, description).case_exact()
}

pub(super) const fn reference(
    name: &'static str,
    reference_types: &'static [&'static str],
    description: &'static str,
) -> Attribute {
    let mut attribute = attribute(name, Type::Reference, description).case_exact();
    attribute.reference_types = reference_types;
    attribute
}

pub(super) const fn complex(
    name: &'static str,
    sub_attributes: &'static [Attribute],
    description: &'static str,
) -> Attribute {
    let mut attribute = attribute(name, Type::Complex, description);
    attribute.sub_attributes = sub_attributes;
    attribute
}

impl Attribute {
    pub(super) const fn many(mut self) -> Self {
        self.multi_valued = true;
        self
    }

    pub(super) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(super) const fn case_exact(mut self) -> Self {
        self.case_exact = true;
        self
    }

    pub(super) const fn read_only(mut self) -> Self {
        self.mutability = Mutability::ReadOnly;
        self
    }

    pub(super) const fn immutable(mut self) -> Self {
        self.mutability = Mutability::Immutable;
        self
    }

    pub(super) const fn write_only(mut self) -> Self {
        self.mutability = Mutability::WriteOnly;
        self.returned = "never";
        self
    }

    pub(super) const fn always(mut self) -> Self {
        self.returned = "always";
        self
    }

    pub(super) const fn unique(mut self) -> Self {
        self.uniqueness = "server";
        self
    }

    pub(super) const fn one_of(mut self, values: &'static [&'static str]) -> Self {
        self.canonical_values = values;
        self
    }

    pub(crate) fn sub_attribute(&self, name: &str) -> Option<&'static Self> {
        find(self.sub_attributes, name)
    }

    pub(super) fn body(&self) -> Value {
        let mut body = json!({
            "name": self.name,
            "type": self.kind.as_str(),
            "multiValued": self.multi_valued,
            "description": self.description,
            "required": self.required,
            "mutability": self.mutability.as_str(),
            "returned": self.returned,
        });
        match self.kind {
            Type::String | Type::Reference | Type::Binary => {
                body["caseExact"] = self.case_exact.into();
                body["uniqueness"] = self.uniqueness.into();
            }
            Type::Complex => {
                let sub_attributes = self.sub_attributes.iter().map(Self::body);
                body["subAttributes"] = sub_attributes.collect();
            }
            Type::Boolean | Type::Integer | Type::DateTime => {}
        }
        if !self.canonical_values.is_empty() {
            body["canonicalValues"] = json!(self.canonical_values);
        }
        if !self.reference_types.is_empty() {
            body["referenceTypes"] = json!(self.reference_types);
        }
        body
    }
}

/// The attribute of this name, in any case (RFC 7643 section 2.1).
pub(super) fn find(attributes: &'static [Attribute], name: &str) -> Option<&'static Attribute> {
    attributes
        .iter()
        .find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}
