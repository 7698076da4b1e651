//! `custom_attributes`: what an environment wants to see of its directories' attributes.
//! Source: <https://workos.com/docs/directory-sync/attributes>.

use serde_json::{Map, Value, json};

use super::settings::{DirectorySync, PredefinedAttribute};

/// The schema of the enterprise extension (RFC 7643 section 4.3), whose members stand under this name.
pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// What `settings` wants of a user with these SCIM attributes. What the provider does not have is null.
pub(crate) fn of(settings: &DirectorySync, attributes: &Map<String, Value>) -> Map<String, Value> {
    let predefined = settings.predefined_attributes.iter().map(|attribute| {
        let name = serde_json::to_value(attribute).unwrap_or_default();
        let name = name.as_str().unwrap_or_default().to_owned();
        (name, attribute.of(attributes))
    });
    let own = settings
        .custom_attributes
        .iter()
        .map(|(name, path)| (name.clone(), at(attributes, path).cloned().unwrap_or_default()));
    predefined.chain(own).collect()
}

impl PredefinedAttribute {
    /// The value for a user with these SCIM attributes.
    ///
    /// Assumption: where each stands follows the schemas of RFC 7643; the start of an employment, which they do not have, is
    /// `employmentStartDate` or `startDate`, and the address of a manager is that of the extension's `manager`.
    fn of(self, attributes: &Map<String, Value>) -> Value {
        let first = |paths: &[&str]| {
            let found = paths.iter().find_map(|path| at(attributes, path));
            found.cloned().unwrap_or_default()
        };
        let extension = |name: &str| first(&[&format!("{ENTERPRISE}:{name}"), name]);
        match self {
            Self::Addresses => addresses(attributes),
            Self::CostCenterName => extension("costCenter"),
            Self::DepartmentName => extension("department"),
            Self::DivisionName => extension("division"),
            Self::Emails => first(&["emails"]),
            Self::EmployeeNumber => extension("employeeNumber"),
            Self::EmployeeType => first(&["userType", "employeeType"]),
            Self::EmploymentStartDate => {
                let extended = format!("{ENTERPRISE}:startDate");
                first(&["employmentStartDate", "startDate", &extended])
            }
            Self::JobTitle => first(&["title"]),
            Self::ManagerEmail => manager_email(attributes),
            Self::Organization => extension("organization"),
            Self::Username => first(&["userName"]),
        }
    }
}

/// The value at a path: members separated by dots, the first one maybe the name of a schema with a colon behind it. Null
/// counts as nothing.
fn at<'a>(attributes: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let value = attributes.get(path).or_else(|| {
        let (first, rest) = match path.rsplit_once(':') {
            Some((schema, rest)) => (schema, rest),
            None => path.split_once('.')?,
        };
        let first = attributes.get(first)?;
        rest.split('.')
            .try_fold(first, |value, name| match name.parse::<usize>() {
                Ok(index) if value.is_array() => value.get(index),
                _ => value.get(name),
            })
    })?;
    (!value.is_null()).then_some(value)
}

fn manager_email(attributes: &Map<String, Value>) -> Value {
    let paths = ["email", "value", "displayName"].map(|name| format!("{ENTERPRISE}:manager.{name}"));
    let given = [at(attributes, "managerEmail"), at(attributes, "manager_email")];
    paths
        .iter()
        .map(|path| at(attributes, path))
        .chain(given)
        .flatten()
        .find(|value| value.as_str().is_some_and(|text| text.contains('@')))
        .cloned()
        .unwrap_or_default()
}

/// SCIM's addresses in WorkOS's spelling.
fn addresses(attributes: &Map<String, Value>) -> Value {
    let Some(addresses) = attributes.get("addresses").and_then(Value::as_array) else {
        return Value::Null;
    };
    let text = |address: &Value, name: &str| address.get(name).cloned().unwrap_or_default();
    let shown = addresses.iter().map(|address| {
        let raw = ["streetAddress", "locality", "region", "postalCode", "country"]
            .iter()
            .filter_map(|name| address.get(*name)?.as_str())
            .collect::<Vec<_>>()
            .join(", ");
        let raw = address.get("formatted").cloned().unwrap_or(raw.into());
        json!({
            "type": text(address, "type"),
            "street_address": text(address, "streetAddress"),
            "locality": text(address, "locality"),
            "region": text(address, "region"),
            "postal_code": text(address, "postalCode"),
            "country": text(address, "country"),
            "raw_address": raw,
            "primary": address.get("primary").and_then(Value::as_bool).unwrap_or_default(),
        })
    });
    shown.collect()
}
