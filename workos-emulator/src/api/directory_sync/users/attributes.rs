//! What is read from a user as SCIM describes it (RFC 7643 section 4.1).

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::api::user_management::users::email;

/// An e-mail address of a directory user.
#[derive(Debug, Serialize)]
pub(crate) struct Email<'a> {
    primary: bool,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'a str>,
    pub(super) value: Option<&'a str>,
}

/// A member that is text with anything in it.
pub(crate) fn text<'a>(attributes: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    not_blank(attributes.get(name)?)
}

fn not_blank(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.trim().is_empty())
}

fn part_of_name<'a>(attributes: &'a Map<String, Value>, part: &str) -> Option<&'a str> {
    not_blank(attributes.get("name")?.get(part)?)
}

pub(crate) fn first_name(attributes: &Map<String, Value>) -> Option<&str> {
    part_of_name(attributes, "givenName")
}

pub(crate) fn last_name(attributes: &Map<String, Value>) -> Option<&str> {
    part_of_name(attributes, "familyName")
}

/// The full name: `name.formatted`, else first and last name, else `displayName`.
///
/// Assumption: which of them production takes is not documented.
pub(crate) fn name(attributes: &Map<String, Value>) -> Option<String> {
    let parts: Vec<_> = [first_name(attributes), last_name(attributes)]
        .into_iter()
        .flatten()
        .map(str::trim)
        .collect();
    part_of_name(attributes, "formatted")
        .map(str::to_owned)
        .or_else(|| (!parts.is_empty()).then(|| parts.join(" ")))
        .or_else(|| text(attributes, "displayName").map(str::to_owned))
}

fn listed_emails(attributes: &Map<String, Value>) -> impl Iterator<Item = Email<'_>> {
    let emails = attributes.get("emails").and_then(Value::as_array);
    emails.into_iter().flatten().map(|email| Email {
        primary: email.get("primary").and_then(Value::as_bool).unwrap_or_default(),
        kind: email.get("type").and_then(Value::as_str),
        value: email.get("value").and_then(not_blank),
    })
}

pub(crate) fn emails(attributes: &Map<String, Value>) -> Vec<Email<'_>> {
    listed_emails(attributes).collect()
}

/// The primary address: the one that says so, else the first of type `work`, else of type `home`, else the first. One
/// that is no address is none.
///
/// Assumptions: production's rule for a list that has none of the three is not known; the address is lower-cased, as those of
/// AuthKit users are.
pub(crate) fn primary_email(attributes: &Map<String, Value>) -> Option<String> {
    let emails: Vec<_> = listed_emails(attributes)
        .filter(|email| email.value.is_some())
        .collect();
    let of_type = |kind: &str| {
        emails
            .iter()
            .find(|email| email.kind.is_some_and(|given| given.eq_ignore_ascii_case(kind)))
    };
    let primary = emails
        .iter()
        .find(|email| email.primary)
        .or_else(|| of_type("work"))
        .or_else(|| of_type("home"))
        .or_else(|| emails.first())?;
    email::normalized(primary.value?)
}

/// Whether there is any address; one is made of a `userName` that looks like one.
pub(super) fn fill_in_email(attributes: &mut Map<String, Value>) -> bool {
    if listed_emails(attributes).any(|email| email.value.is_some()) {
        return true;
    }
    let Some(address) = text(attributes, "userName").filter(|name| email::normalized(name).is_some()) else {
        return false;
    };
    let email = json!([{"primary": true, "type": "work", "value": address}]);
    attributes.insert("emails".to_owned(), email);
    true
}

/// `active`: true where nothing is said; nothing where it is no boolean.
pub(super) fn active(attributes: &Map<String, Value>) -> Option<bool> {
    match attributes.get("active") {
        None | Some(Value::Null) => Some(true),
        Some(active) => active.as_bool(),
    }
}
