//! Attribute paths: `userName`, `name.givenName`, `urn:…:User:department`. Source: RFC 7644 sections 3.10 and 3.5.2.

use serde_json::{Map, Value};

use super::{
    error::ScimError,
    schema::{Attribute, ResourceType},
};

/// The longest attribute path that is read, in bytes.
const LONGEST: usize = 512;

/// Where an attribute is. Names are as the client wrote them: they are compared in any case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AttributePath {
    /// The URI of an extension; none for the resource's own attributes.
    pub(crate) extension: Option<String>,
    pub(crate) name: String,
    pub(crate) sub: Option<String>,
}

/// What a path is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Attribute(AttributePath),
    /// An extension as a whole, by its URI.
    Extension(String),
}

/// The part of `text` that may stand in an attribute path. A path ends at blanks, brackets and parentheses.
pub(super) fn is_path_char(character: char) -> bool {
    character.is_alphanumeric() || "-_$.:#/%~+@".contains(character)
}

fn is_name(name: &str) -> bool {
    let mut characters = name.chars();
    let first = characters.next();
    first.is_some_and(|first| first.is_alphanumeric() || first == '$' || first == '_')
        && characters.all(|character| character.is_alphanumeric() || "-_$".contains(character))
}

impl Target {
    /// Reads a path without filter.
    pub(crate) fn parse(text: &str, resource_type: &ResourceType) -> Result<Self, ScimError> {
        let wrong = || ScimError::path(format!("'{}' is no attribute path.", shortened(text)));
        if text.len() > LONGEST {
            return Err(wrong());
        }
        let has_uri = text
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("urn:"));
        if !has_uri {
            return AttributePath::parse(None, text)
                .map(Self::Attribute)
                .ok_or_else(wrong);
        }
        if let Some(rest) = below(text, resource_type.schema.id) {
            let rest = rest.filter(|rest| !rest.is_empty()).ok_or_else(wrong)?;
            return AttributePath::parse(None, rest)
                .map(Self::Attribute)
                .ok_or_else(wrong);
        }
        for extension in resource_type.extensions {
            if let Some(rest) = below(text, extension.id) {
                let uri = extension.id.to_owned();
                return match rest {
                    None => Ok(Self::Extension(uri)),
                    Some(rest) => AttributePath::parse(Some(uri), rest)
                        .map(Self::Attribute)
                        .ok_or_else(wrong),
                };
            }
        }
        // An extension that is not known: `urn:…:2.0:User` is one as a whole, `urn:…:2.0:User:team` an attribute of it.
        let (uri, name) = text.rsplit_once(':').ok_or_else(wrong)?;
        if !uri.contains(':') || uri.split(':').any(str::is_empty) || !text.chars().all(is_path_char) {
            return Err(wrong());
        }
        if name.eq_ignore_ascii_case(resource_type.name) {
            return Ok(Self::Extension(text.to_owned()));
        }
        AttributePath::parse(Some(uri.to_owned()), name)
            .map(Self::Attribute)
            .ok_or_else(wrong)
    }
}

/// What stands behind `uri:`; the inner none where nothing does.
fn below<'t>(text: &'t str, uri: &str) -> Option<Option<&'t str>> {
    let start = text.get(..uri.len())?;
    let rest = &text[uri.len()..];
    if !start.eq_ignore_ascii_case(uri) {
        return None;
    }
    match rest.strip_prefix(':') {
        Some(rest) => Some(Some(rest)),
        None => rest.is_empty().then_some(None),
    }
}

impl AttributePath {
    fn parse(extension: Option<String>, text: &str) -> Option<Self> {
        let (name, sub) = match text.split_once('.') {
            Some((name, sub)) => (name, Some(sub)),
            None => (text, None),
        };
        (is_name(name) && sub.is_none_or(is_name)).then(|| Self {
            extension,
            name: name.to_owned(),
            sub: sub.map(str::to_owned),
        })
    }

    /// How the attribute is described, where the schema has it.
    pub(crate) fn attribute(&self, resource_type: &ResourceType) -> Option<&'static Attribute> {
        resource_type.resolve(self.extension.as_deref(), &self.name)
    }

    /// How the sub-attribute is described, or the attribute where the path ends there.
    pub(crate) fn leaf(&self, resource_type: &ResourceType) -> Option<&'static Attribute> {
        let attribute = self.attribute(resource_type)?;
        match &self.sub {
            Some(sub) => attribute.sub_attribute(sub),
            None => Some(attribute),
        }
    }

    /// Whether it is this attribute of the resource itself, with or without this sub-attribute.
    pub(crate) fn is(&self, name: &str, sub: Option<&str>) -> bool {
        let same_sub = match (&self.sub, sub) {
            (Some(own), Some(other)) => own.eq_ignore_ascii_case(other),
            (None, None) => true,
            _ => false,
        };
        self.extension.is_none() && self.name.eq_ignore_ascii_case(name) && same_sub
    }

    /// The value of the attribute, without regard to the sub-attribute.
    pub(crate) fn value<'v>(&self, resource: &'v Map<String, Value>) -> Option<&'v Value> {
        let members = match &self.extension {
            Some(uri) => member(resource, uri)?.as_object()?,
            None => resource,
        };
        member(members, &self.name)
    }
}

/// A member by its name in any case.
pub(super) fn member<'v>(object: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    object.get(name).or_else(|| {
        let mut members = object.iter();
        members.find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    })
}

/// The name by which an object has this member, in any case.
pub(super) fn key_of(object: &Map<String, Value>, name: &str) -> Option<String> {
    let mut keys = object.keys();
    keys.find(|key| key.eq_ignore_ascii_case(name)).cloned()
}

/// As much of a text as fits in an error.
pub(super) fn shortened(text: &str) -> String {
    let mut characters = text.chars();
    let start: String = characters.by_ref().take(80).collect();
    if characters.next().is_some() {
        format!("{start}…")
    } else {
        start
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::schema::USER, *};

    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    fn attribute(text: &str) -> (Option<String>, String, Option<String>) {
        match Target::parse(text, &USER).unwrap() {
            Target::Attribute(path) => (path.extension, path.name, path.sub),
            Target::Extension(uri) => panic!("{uri}"),
        }
    }

    #[test]
    fn reads_names_and_uris() {
        assert_eq!(attribute("userName"), (None, "userName".into(), None));
        assert_eq!(
            attribute("name.givenName"),
            (None, "name".into(), Some("givenName".into()))
        );
        assert_eq!(
            attribute("urn:ietf:params:scim:schemas:core:2.0:User:name.familyName"),
            (None, "name".into(), Some("familyName".into()))
        );
        assert_eq!(
            attribute(&format!("{}:manager.value", ENTERPRISE.to_uppercase())),
            (Some(ENTERPRISE.into()), "manager".into(), Some("value".into()))
        );
        assert_eq!(
            attribute("urn:ietf:params:scim:schemas:extension:acme:2.0:User:team"),
            (
                Some("urn:ietf:params:scim:schemas:extension:acme:2.0:User".into()),
                "team".into(),
                None
            )
        );
        for whole in [ENTERPRISE, "urn:ietf:params:scim:schemas:extension:acme:2.0:User"] {
            assert_eq!(Target::parse(whole, &USER), Ok(Target::Extension(whole.into())));
        }
    }

    #[test]
    fn refuses_what_is_no_path() {
        for wrong in [
            "",
            ".",
            "a.",
            ".b",
            "a.b.c",
            "a b",
            "a[",
            "urn:",
            &format!("{ENTERPRISE}:"),
            "é\u{0}",
            &"a".repeat(600),
        ] {
            let read = Target::parse(wrong, &USER);
            assert!(
                read.as_ref().is_err_and(|refusal| refusal.status == 400),
                "{wrong}: {read:?}"
            );
        }
    }

    #[test]
    fn finds_values_in_any_case() {
        let resource = json!({"UserName": "ada", ENTERPRISE: {"department": "Engines"}});
        let resource = resource.as_object().unwrap();
        for (path, value) in [
            ("username", "ada"),
            (&format!("{ENTERPRISE}:Department"), "Engines"),
        ] {
            let Target::Attribute(path) = Target::parse(path, &USER).unwrap() else {
                panic!("{path}");
            };
            assert_eq!(path.value(resource), Some(&json!(value)));
        }
    }
}
