//! What clients send, brought into the form of the schemas: names as the schema spells them, types as it wants them.
//! Source: RFC 7643 sections 2 and 3.

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    Profile,
    error::ScimError,
    schema::{Attribute, Mutability, ResourceType, Type},
};

/// How a value is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) profile: Profile,
    /// In a PATCH: one value may stand for many, and WorkOS's profile takes the spellings of Entra ID and Okta.
    pub(super) patch: bool,
}

impl Reading {
    fn is_forgiving(self) -> bool {
        self.patch && self.profile == Profile::WorkOs
    }

    fn is_strict(self) -> bool {
        self.profile == Profile::Rfc7644
    }

    /// The message is WorkOS's. Source: the SCIM data requirements that WorkOS publishes with its scim-bridge.
    fn mismatch(self, path: &str, expected: &str, received: &Value) -> ScimError {
        let detail = format!("'{path}' is expected {expected}, received {}", name_of(received));
        if self.is_strict() {
            ScimError::value(detail)
        } else {
            ScimError::syntax(detail)
        }
    }
}

fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Whether a value is as good as none (RFC 7643 section 2.5).
pub(super) fn is_unassigned(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// The attributes of a resource that is created or replaced. What the server alone decides (`id`, `meta`, a user's
/// groups) is passed over, and so is a password: it is not kept.
///
/// The RFC's profile knows the attributes of its schemas alone and wants `schemas` and the required attributes; WorkOS
/// keeps everything, for custom attributes.
pub(super) fn resource(
    body: &Value,
    resource_type: &ResourceType,
    profile: Profile,
) -> Result<Map<String, Value>, ScimError> {
    let Value::Object(members) = body else {
        return Err(ScimError::syntax("The body must be a JSON object."));
    };
    let reading = Reading {
        profile,
        patch: false,
    };
    let mut resource = Map::new();
    for (name, value) in members {
        if is_unassigned(value) {
            continue;
        }
        let (name, value) = if let Some(extension) = resource_type.extension(name) {
            let value = reading.members(value, extension.id, |name| {
                resource_type.resolve(Some(extension.id), name)
            })?;
            (extension.id, value)
        } else if let Some(attribute) = resource_type.attribute(name) {
            if is_servers(attribute) {
                continue;
            }
            (attribute.name, reading.value(attribute, value, attribute.name)?)
        } else if reading.is_strict() {
            continue;
        } else {
            (name.as_str(), value.clone())
        };
        if !is_unassigned(&value) && resource.insert(name.to_owned(), value).is_some() {
            return Err(ScimError::syntax(format!("'{name}' is given more than once.")));
        }
    }
    if reading.is_strict() {
        check_schemas(members, resource_type)?;
        check_required(&resource, resource_type)?;
    }
    Ok(resource)
}

/// Whether clients cannot give the attribute a value that is kept.
pub(super) fn is_servers(attribute: &Attribute) -> bool {
    matches!(attribute.mutability, Mutability::ReadOnly | Mutability::WriteOnly)
        || attribute.name == "schemas"
}

/// Source: RFC 7643 section 3.
fn check_schemas(members: &Map<String, Value>, resource_type: &ResourceType) -> Result<(), ScimError> {
    let schemas = super::path::member(members, "schemas").and_then(Value::as_array);
    let mut uris = schemas.into_iter().flatten().filter_map(Value::as_str);
    if uris.any(|uri| uri.eq_ignore_ascii_case(resource_type.schema.id)) {
        return Ok(());
    }
    let detail = format!("'schemas' must have {}.", resource_type.schema.id);
    Err(ScimError::syntax(detail))
}

/// Refuses a resource that lacks what its schema requires.
pub(super) fn check_required(
    resource: &Map<String, Value>,
    resource_type: &ResourceType,
) -> Result<(), ScimError> {
    for attribute in resource_type
        .schema
        .attributes
        .iter()
        .filter(|attribute| attribute.required)
    {
        let value = resource.get(attribute.name);
        if value.is_none_or(|value| value.as_str().is_some_and(|text| text.trim().is_empty())) {
            return Err(ScimError::value(format!("'{}' is required", attribute.name)));
        }
    }
    Ok(())
}

impl Reading {
    /// A value of `attribute`; the many values of one that may have many.
    pub(super) fn value(self, attribute: &Attribute, value: &Value, path: &str) -> Result<Value, ScimError> {
        if !attribute.multi_valued {
            return self.one(attribute, value, path);
        }
        let items = match value {
            Value::Array(items) => items.as_slice(),
            one if self.patch => std::slice::from_ref(one),
            other => return Err(self.mismatch(path, "array", other)),
        };
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            values.push(self.one(attribute, item, path)?);
        }
        let primary = |value: &&Value| value.get("primary") == Some(&Value::Bool(true));
        if self.is_strict() && values.iter().filter(primary).count() > 1 {
            return Err(ScimError::value(format!(
                "'{path}' has more than one primary value."
            )));
        }
        Ok(Value::Array(values))
    }

    /// One value, also of an attribute that may have many.
    pub(super) fn one(self, attribute: &Attribute, value: &Value, path: &str) -> Result<Value, ScimError> {
        if self.is_forgiving()
            && let Some(unwrapped) = unwrapped(attribute, value)
        {
            return self.one(attribute, &unwrapped, path);
        }
        match (attribute.kind, value) {
            (Type::Complex, Value::Object(_)) => {
                self.members(value, path, |name| attribute.sub_attribute(name))
            }
            (Type::Complex, other) => Err(self.mismatch(path, "object", other)),
            (Type::Boolean, Value::Bool(_)) => Ok(value.clone()),
            (Type::Boolean, other) => Err(self.mismatch(path, "boolean", other)),
            (Type::Integer, Value::Number(number)) if number.is_i64() => Ok(value.clone()),
            (Type::Integer, other) => Err(self.mismatch(path, "integer", other)),
            (kind, Value::String(text)) => {
                let fits = match kind {
                    Type::DateTime => text.parse::<Timestamp>().is_ok(),
                    Type::Binary => STANDARD.decode(text).is_ok(),
                    _ => true,
                };
                if self.is_strict() && !fits {
                    return Err(ScimError::value(format!(
                        "'{path}' is not in the form of its type."
                    )));
                }
                Ok(value.clone())
            }
            (_, other) => Err(self.mismatch(path, "string", other)),
        }
    }

    /// The members of a complex value or of an extension.
    fn members(
        self,
        value: &Value,
        path: &str,
        attribute: impl Fn(&str) -> Option<&'static Attribute>,
    ) -> Result<Value, ScimError> {
        let Value::Object(given) = value else {
            return Err(self.mismatch(path, "object", value));
        };
        let mut members = Map::new();
        for (name, value) in given {
            if is_unassigned(value) {
                continue;
            }
            let (name, value) = match attribute(name) {
                Some(attribute) if self.is_strict() && attribute.mutability == Mutability::ReadOnly => {
                    continue;
                }
                Some(attribute) => {
                    let path = format!("{path}.{}", attribute.name);
                    (attribute.name, self.value(attribute, value, &path)?)
                }
                None if self.is_strict() => continue,
                None => (name.as_str(), value.clone()),
            };
            if members.insert(name.to_owned(), value).is_some() {
                return Err(ScimError::syntax(format!(
                    "'{path}.{name}' is given more than once."
                )));
            }
        }
        Ok(Value::Object(members))
    }
}

/// What identity providers mean by a value of another type.
///
/// Entra ID sends booleans as `"True"`, a manager as the bare id, and single values as `[{"value": …}]`. Source:
/// <https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-config-problem-scim-compatibility>.
fn unwrapped(attribute: &Attribute, value: &Value) -> Option<Value> {
    match (attribute.kind, value) {
        (_, Value::Array(items)) => match items.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        },
        (Type::Boolean, Value::String(text)) => match text.trim().to_ascii_lowercase().as_str() {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            _ => None,
        },
        (Type::Complex, Value::String(_) | Value::Number(_)) => Some(Value::Object(Map::from_iter([(
            "value".to_owned(),
            value.clone(),
        )]))),
        (Type::Complex, _) => None,
        (_, Value::Object(members)) => super::path::member(members, "value")
            .filter(|inner| !inner.is_object())
            .cloned(),
        (Type::String, Value::Number(number)) => Some(number.to_string().into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::schema::USER, *};

    const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    fn read(body: &Value, profile: Profile) -> Result<Value, ScimError> {
        resource(body, &USER, profile).map(Value::Object)
    }

    #[test]
    fn spells_names_as_the_schema_does_and_passes_over_what_is_the_servers() {
        let body = json!({
            "schemas": [CORE], "id": "1", "meta": {"version": "x"}, "groups": [{"value": "g"}], "password": "secret",
            "USERNAME": "Ada", "Name": {"givenname": "Ada", "middleName": null}, "emails": [], "title": null,
            ENTERPRISE.to_uppercase(): {"DEPARTMENT": "Engines"}, "shoeSize": 40,
        });
        let expected = json!({
            "userName": "Ada", "name": {"givenName": "Ada"}, ENTERPRISE: {"department": "Engines"}, "shoeSize": 40,
        });
        assert_eq!(read(&body, Profile::WorkOs), Ok(expected));
        let strict = read(&body, Profile::Rfc7644).unwrap();
        assert_eq!(strict.get("shoeSize"), None);
        assert_eq!(strict[ENTERPRISE]["department"], "Engines");
    }

    #[test]
    fn says_what_was_expected() {
        for (attribute, value, detail) in [
            (
                "active",
                json!("true"),
                "'active' is expected boolean, received string",
            ),
            (
                "emails",
                json!("a@b"),
                "'emails' is expected array, received string",
            ),
            (
                "emails",
                json!(["a@b"]),
                "'emails' is expected object, received string",
            ),
            (
                "emails",
                json!([{"value": 1}]),
                "'emails.value' is expected string, received number",
            ),
            ("name", json!({"givenName": []}), ""),
            (
                "name",
                json!({"givenName": true}),
                "'name.givenName' is expected string, received boolean",
            ),
            (
                "userName",
                json!({"value": "ada"}),
                "'userName' is expected string, received object",
            ),
        ] {
            let body = json!({"schemas": [CORE], "userName": "ada"});
            let mut body = body.as_object().unwrap().clone();
            body.insert(attribute.to_owned(), value);
            let body = Value::Object(body);
            for (profile, kind) in [
                (
                    Profile::WorkOs,
                    ScimError::syntax as fn(&'static str) -> ScimError,
                ),
                (Profile::Rfc7644, ScimError::value),
            ] {
                let expected = (!detail.is_empty()).then(|| kind(detail));
                assert_eq!(read(&body, profile).err(), expected, "{body}");
            }
        }
    }

    #[test]
    fn the_rfc_wants_schemas_and_required_attributes_and_one_primary() {
        for (body, detail) in [
            (json!({"userName": "ada"}), format!("'schemas' must have {CORE}.")),
            (json!({"schemas": [CORE]}), "'userName' is required".to_owned()),
            (
                json!({"schemas": [CORE], "userName": " "}),
                "'userName' is required".to_owned(),
            ),
            (
                json!({"schemas": [CORE], "userName": "a", "emails": [{"primary": true}, {"primary": true}]}),
                "'emails' has more than one primary value.".to_owned(),
            ),
            (
                json!({"schemas": [CORE], "userName": "a", "x509Certificates": [{"value": "?"}]}),
                "'x509Certificates.value' is not in the form of its type.".to_owned(),
            ),
        ] {
            assert_eq!(read(&body, Profile::Rfc7644).unwrap_err().detail, detail);
            assert!(read(&body, Profile::WorkOs).is_ok(), "{body}");
        }
    }

    #[test]
    fn a_name_in_two_spellings_is_refused() {
        let body = json!({"userName": "ada", "username": "root"});
        assert_eq!(
            read(&body, Profile::WorkOs),
            Err(ScimError::syntax("'userName' is given more than once."))
        );
    }
}
