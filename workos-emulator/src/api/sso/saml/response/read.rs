//! What stands in a response.

use base64::{Engine, alphabet, engine::GeneralPurpose, engine::general_purpose::GeneralPurposeConfig};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::LONGEST;
use crate::{
    api::sso::{
        identity_provider::Assertion,
        saml::{ASSERTION, PROTOCOL},
    },
    core::xml::{Document, Element},
};

const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";

/// The text of a message in base64, of a length that is read.
pub(super) fn decoded(response: &str) -> Result<String, String> {
    // Identity providers break lines, and some leave the padding away.
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent),
    );
    let too_long = || format!("The response is longer than {LONGEST} bytes.");
    if response.len() > LONGEST * 2 {
        return Err(too_long());
    }
    let response: String = response.split_whitespace().collect();
    if response.is_empty() {
        return Err("There is no SAMLResponse.".to_owned());
    }
    let bytes = LENIENT
        .decode(response)
        .map_err(|_| "The SAMLResponse is no base64.".to_owned())?;
    if bytes.len() > LONGEST {
        return Err(too_long());
    }
    String::from_utf8(bytes).map_err(|_| "The response is no UTF-8.".to_owned())
}

pub(super) fn response_in<'d>(document: &'d Document<'d>) -> Result<Element<'d>, String> {
    if document.has_remarks() {
        let detail =
            "There are comments or processing instructions in the response, which no signature speaks about.";
        return Err(detail.to_owned());
    }
    let root = document.root().map_err(|error| error.to_string())?;
    if root.is(PROTOCOL, "Response") && root.attribute("Version") == Some("2.0") {
        Ok(root)
    } else {
        Err(format!(
            "The message is a {}, not a Response of SAML 2.0.",
            root.name()
        ))
    }
}

/// What confirms that whoever brings the assertion is who it is about.
pub(super) fn confirmation<'d>(assertion: &Element<'d>) -> Result<Element<'d>, String> {
    let subject = assertion
        .first(ASSERTION, "Subject")
        .ok_or("The assertion has no Subject.")?;
    let mut bearers = subject
        .all(ASSERTION, "SubjectConfirmation")
        .filter(|confirmation| confirmation.attribute("Method") == Some(BEARER));
    bearers
        .find_map(|confirmation| confirmation.first(ASSERTION, "SubjectConfirmationData"))
        .ok_or_else(|| {
            "The assertion has no bearer SubjectConfirmation with SubjectConfirmationData.".to_owned()
        })
}

pub(super) fn given(element: &Element<'_>, name: &str) -> Option<String> {
    element
        .attribute(name)
        .filter(|value| !value.is_empty())
        .map(str::to_owned)
}

pub(super) fn time(element: &Element<'_>, name: &str) -> Result<Option<Timestamp>, String> {
    let parsed = element.attribute(name).map(|value| {
        let parsed = value.trim().parse::<Timestamp>();
        parsed.map_err(|_| format!("{name} is no time: '{value}'."))
    });
    parsed.transpose()
}

/// Who the assertion is about, and what it says of them. Attributes have a text, or several.
pub(super) fn read(assertion: &Element<'_>) -> Result<Assertion, String> {
    let subject = assertion
        .first(ASSERTION, "Subject")
        .and_then(|subject| subject.first(ASSERTION, "NameID"))
        .and_then(|name_id| name_id.text())
        .ok_or("The subject has no NameID.")?;
    let mut attributes: Map<String, Value> = Map::new();
    let statements = assertion.all(ASSERTION, "AttributeStatement");
    for attribute in
        statements.flat_map(|statement| statement.all(ASSERTION, "Attribute").collect::<Vec<_>>())
    {
        let Some(name) = given(&attribute, "Name") else {
            continue;
        };
        let values = attribute
            .all(ASSERTION, "AttributeValue")
            .filter_map(|value| value.text());
        let mut all: Vec<Value> = match attributes.remove(&name) {
            None => Vec::new(),
            Some(Value::Array(before)) => before,
            Some(before) => vec![before],
        };
        all.extend(values.map(Value::from));
        let value = match all.len() {
            1 => all.remove(0),
            _ => Value::Array(all),
        };
        attributes.insert(name, value);
    }
    let mut sessions = assertion.all(ASSERTION, "AuthnStatement");
    Ok(Assertion {
        subject,
        attributes,
        session_index: sessions.find_map(|session| given(&session, "SessionIndex")),
    })
}

/// A clause as a sentence.
pub(super) fn sentence(clause: &str) -> String {
    let mut characters = clause.chars();
    match characters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), characters.as_str()),
        None => String::new(),
    }
}
