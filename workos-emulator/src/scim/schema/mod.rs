//! The schemas, as data: what the server publishes, and what filters, paths and bodies are read by.

mod attribute;
mod discovery;
mod group;
mod user;

use serde_json::{Value, json};

pub(crate) use self::attribute::{Attribute, Mutability, Type};
use self::attribute::{date_time, find, reference, string};

/// A schema. Source: RFC 7643 section 7.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) attributes: &'static [Attribute],
}

/// Every schema that the server publishes.
pub(super) const ALL: &[&Schema] = &[
    &user::USER,
    &user::ENTERPRISE_USER,
    &group::GROUP,
    &discovery::SERVICE_PROVIDER_CONFIG,
    &discovery::RESOURCE_TYPE,
    &discovery::SCHEMA,
];

impl Schema {
    /// The schema as it is published. Source: RFC 7643 section 8.7.
    pub(super) fn body(&self) -> Value {
        json!({
            "schemas": [discovery::SCHEMA.id],
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "attributes": self.attributes.iter().map(Attribute::body).collect::<Vec<_>>(),
        })
    }
}

/// A kind of resource: its schema, and the extensions that are known of it.
#[derive(Debug)]
pub(crate) struct ResourceType {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    /// `/Users`
    pub(crate) endpoint: &'static str,
    pub(crate) schema: &'static Schema,
    pub(crate) extensions: &'static [&'static Schema],
}

pub(crate) const USER: ResourceType = ResourceType {
    name: "User",
    description: "A person of the directory.",
    endpoint: "/Users",
    schema: &user::USER,
    extensions: &[&user::ENTERPRISE_USER],
};

pub(crate) const GROUP: ResourceType = ResourceType {
    name: "Group",
    description: "A group of the directory.",
    endpoint: "/Groups",
    schema: &group::GROUP,
    extensions: &[],
};

const META: &[Attribute] = &[
    string("resourceType", "What the resource is.")
        .case_exact()
        .read_only(),
    date_time("created", "When the resource was made.").read_only(),
    date_time("lastModified", "When the resource was last changed.").read_only(),
    reference("location", &["uri"], "Where the resource is.").read_only(),
    string("version", "The version of the resource, as in ETag.")
        .case_exact()
        .read_only(),
];

/// What every resource has beside the attributes of its schema. Source: RFC 7643 section 3.1.
const COMMON: &[Attribute] = &[
    string("id", "The id that the server gave.")
        .case_exact()
        .read_only()
        .always()
        .unique(),
    string("externalId", "The id that the client gave.").case_exact(),
    attribute::complex("meta", META, "About the resource.").read_only(),
    reference("schemas", &["uri"], "The URIs of its schemas.")
        .many()
        .always(),
];

impl ResourceType {
    /// The resource type as it is published. Source: RFC 7643 section 6.
    pub(super) fn body(&self) -> Value {
        let extensions = self.extensions.iter();
        let extensions = extensions.map(|extension| json!({"schema": extension.id, "required": false}));
        json!({
            "schemas": [discovery::RESOURCE_TYPE.id],
            "id": self.name,
            "name": self.name,
            "description": self.description,
            "endpoint": self.endpoint,
            "schema": self.schema.id,
            "schemaExtensions": extensions.collect::<Vec<_>>(),
        })
    }

    /// An attribute of the resource itself, by its name in any case.
    pub(crate) fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        find(self.schema.attributes, name).or_else(|| find(COMMON, name))
    }

    /// The extension of this URI, in any case.
    pub(crate) fn extension(&self, uri: &str) -> Option<&'static Schema> {
        let mut extensions = self.extensions.iter().copied();
        extensions.find(|extension| extension.id.eq_ignore_ascii_case(uri))
    }

    /// An attribute of an extension, or of the resource itself where no extension is meant.
    pub(crate) fn resolve(&self, extension: Option<&str>, name: &str) -> Option<&'static Attribute> {
        match extension {
            Some(uri) => find(self.extension(uri)?.attributes, name),
            None => self.attribute(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case() {
        assert_eq!(USER.attribute("USERNAME").unwrap().name, "userName");
        assert_eq!(USER.attribute("externalid").unwrap().name, "externalId");
        let uri = "URN:ietf:params:scim:schemas:extension:enterprise:2.0:user";
        assert_eq!(USER.resolve(Some(uri), "Department").unwrap().name, "department");
        assert!(USER.resolve(None, "department").is_none());
        assert!(GROUP.attribute("userName").is_none());
    }

    #[test]
    fn publishes_what_it_goes_by() {
        let user = user::USER.body();
        let emails = user["attributes"].as_array().unwrap();
        let emails = emails
            .iter()
            .find(|attribute| attribute["name"] == "emails")
            .unwrap();
        assert_eq!(emails["multiValued"], true);
        assert_eq!(
            emails["subAttributes"][2]["canonicalValues"],
            json!(["work", "home", "other"])
        );
        assert_eq!(
            USER.body()["schemaExtensions"],
            json!([{"schema": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", "required": false}])
        );
        let names: Vec<_> = ALL.iter().map(|schema| schema.name).collect();
        assert!(names.contains(&"ResourceType") && names.contains(&"Schema"));
    }
}
