//! What an identity provider says: the border between the protocols and [`sign_in`](super::sign_in).
//!
//! Whatever speaks to an identity provider (the stand-in page, an OpenID Connect client, a SAML service provider) is done
//! when it has an [`Assertion`] or a [`Refusal`]; who the person is to WorkOS, and whether they may come, is decided behind
//! this border, in the same way for all.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use super::{
    connection_type::Protocol,
    connections::{AttributeMaps, Connection, ProtocolOptions, StandardAttributes},
};

/// Who answers for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Provider {
    /// The emulator's own page.
    StandIn,
    /// Somebody else, over OpenID Connect.
    Oidc,
    /// Somebody else, over SAML.
    Saml,
}

impl Provider {
    /// Whether the emulator speaks to it. The stand-in takes the place of all others.
    pub(crate) fn is_spoken_to(self) -> bool {
        matches!(self, Self::Oidc | Self::Saml)
    }
}

/// Who answers for a connection: the identity provider that its options name, and the stand-in where they name none.
///
/// Assumption: an address at a name that can never be anybody's (RFC 2606: `idp.example.com`, `okta.test`, …) names none.
/// It is what seeds and tests write that do not care, and the stand-in answers there as if nothing were set up.
pub(crate) fn provider(connection: &Connection) -> Provider {
    let (address, provider) = match &connection.options {
        ProtocolOptions::None => return Provider::StandIn,
        ProtocolOptions::Oidc(options) => (Some(&options.discovery_endpoint), Provider::Oidc),
        ProtocolOptions::Saml(options) => (
            options.idp_metadata_url.as_ref().or(options.idp_sso_url.as_ref()),
            Provider::Saml,
        ),
    };
    if address.is_some_and(|address| is_somebodys(address)) {
        provider
    } else {
        Provider::StandIn
    }
}

/// Whether there may be an identity provider at an address.
pub(crate) fn is_somebodys(address: &str) -> bool {
    let url = Url::parse(address).ok();
    let host = url.as_ref().and_then(Url::host_str);
    host.is_some_and(|host| !is_reserved(host))
}

/// Whether a name is reserved for examples and tests (RFC 2606 sections 2 and 3), and is no name of this machine.
fn is_reserved(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let mut labels = host.rsplit('.');
    matches!(
        (labels.next(), labels.next()),
        (Some("example" | "test" | "invalid"), _) | (Some("com" | "net" | "org"), Some("example"))
    )
}

/// What an identity provider says of somebody who has signed in there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Assertion {
    /// What the provider knows them by: the `NameID` of SAML, the `sub` of OpenID Connect.
    pub(crate) subject: String,
    /// Attributes or claims, named as the provider names them.
    pub(crate) attributes: Map<String, Value>,
    /// The session at the provider.
    pub(crate) session_index: Option<String>,
}

/// Why an identity provider says nothing of anybody, or why what it says is not to be believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "refusal", content = "detail", rename_all = "snake_case")]
pub(crate) enum Refusal {
    /// The person, or the provider, does not want it.
    Denied,
    /// The provider failed, in its own words.
    Failed(String),
    /// The answer is no good: forged, too old, used before, for somebody else.
    Untrusted(String),
}

/// Somebody at an identity provider, in WorkOS's terms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) idp_id: String,
    pub(crate) email: String,
    pub(crate) first_name: Option<String>,
    pub(crate) last_name: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) custom_attributes: Map<String, Value>,
}

/// An attribute that has to be there, and is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MissingAttribute {
    /// The field of the profile.
    pub(crate) field: &'static str,
    /// What the provider would have to send it as.
    pub(crate) attribute: String,
}

/// The names that identity providers use unless a connection says otherwise.
///
/// Source: <https://workos.com/docs/integrations/saml> and OpenID Connect Core 1.0 section 5.1.
fn defaults(connection: &Connection) -> [(&'static str, &'static str); 6] {
    let names = match connection.r#type().protocol {
        Protocol::Oidc | Protocol::OAuth => ["sub", "email", "given_name", "family_name", "groups", "name"],
        Protocol::Saml | Protocol::Other => ["id", "email", "firstName", "lastName", "groups", "name"],
    };
    let [idp_id, email, first_name, last_name, groups, name] = names;
    [
        ("idp_id", idp_id),
        ("email", email),
        ("first_name", first_name),
        ("last_name", last_name),
        ("groups", groups),
        ("name", name),
    ]
}

/// The provider's name of a standard field.
fn attribute<'a>(connection: &'a Connection, field: &'static str) -> &'a str {
    let StandardAttributes {
        idp_id,
        email,
        first_name,
        last_name,
        groups,
        name,
    } = &connection.attribute_maps.standard_attributes;
    let mapped = match field {
        "idp_id" => idp_id,
        "email" => email,
        "first_name" => first_name,
        "last_name" => last_name,
        "groups" => groups,
        _ => name,
    };
    let default = defaults(connection)
        .into_iter()
        .find(|(known, _)| *known == field);
    mapped
        .as_deref()
        .unwrap_or(default.map_or(field, |(_, name)| name))
}

/// What fills a field of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mapped {
    /// As [`StandardAttributes`] names it.
    pub(crate) field: &'static str,
    /// As the provider has to send it.
    pub(crate) attribute: String,
    /// The same, unless a connection says otherwise.
    pub(crate) usual: &'static str,
}

/// What fills the fields of the profiles of a connection.
pub(crate) fn mapped(connection: &Connection) -> [Mapped; 6] {
    defaults(connection).map(|(field, usual)| Mapped {
        field,
        attribute: attribute(connection, field).to_owned(),
        usual,
    })
}

/// One text of an attribute, which SAML always has a list of.
fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Array(values) => return values.first().and_then(text),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().filter_map(text).collect(),
        other => text(other).into_iter().collect(),
    }
}

/// Reads an assertion with the attribute maps of its connection.
///
/// Source: <https://workos.com/docs/sso/attributes>. Assumption: the subject stands in for an id that is not among the
/// attributes.
pub(crate) fn person(connection: &Connection, assertion: &Assertion) -> Result<Person, MissingAttribute> {
    let get = |field| assertion.attributes.get(attribute(connection, field));
    let one = |field| get(field).and_then(text);
    let missing = |field| MissingAttribute {
        field,
        attribute: attribute(connection, field).to_owned(),
    };
    let subject = Some(assertion.subject.trim().to_owned()).filter(|subject| !subject.is_empty());
    let AttributeMaps {
        custom_attributes, ..
    } = &connection.attribute_maps;
    let custom = custom_attributes
        .iter()
        .filter_map(|(name, theirs)| Some((name.clone(), assertion.attributes.get(theirs)?.clone())));
    Ok(Person {
        idp_id: one("idp_id").or(subject).ok_or_else(|| missing("idp_id"))?,
        email: one("email").ok_or_else(|| missing("email"))?,
        first_name: one("first_name"),
        last_name: one("last_name"),
        name: one("name"),
        groups: get("groups").map(texts).unwrap_or_default(),
        custom_attributes: custom.collect(),
    })
}

/// What an identity provider that is set up for the connection says of a person: the way back of [`person`].
pub(crate) fn assertion(
    connection: &Connection,
    person: &Person,
    more: &Map<String, Value>,
    session_index: Option<String>,
) -> Assertion {
    let mut attributes = more.clone();
    let mut put = |field, value: Option<Value>| {
        if let Some(value) = value {
            attributes.insert(attribute(connection, field).to_owned(), value);
        }
    };
    put("idp_id", Some(person.idp_id.as_str().into()));
    put("email", Some(person.email.as_str().into()));
    put("first_name", person.first_name.clone().map(Value::from));
    put("last_name", person.last_name.clone().map(Value::from));
    put("name", person.name.clone().map(Value::from));
    put(
        "groups",
        (!person.groups.is_empty()).then(|| person.groups.clone().into()),
    );
    for (name, theirs) in &connection.attribute_maps.custom_attributes {
        if let Some(value) = person.custom_attributes.get(name) {
            attributes.insert(theirs.clone(), value.clone());
        }
    }
    Assertion {
        subject: person.idp_id.clone(),
        attributes,
        session_index,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_for_examples_are_nobodys() {
        for host in [
            "example.com",
            "idp.EXAMPLE.org.",
            "okta.test",
            "idp.acme.example",
            "invalid",
        ] {
            assert!(is_reserved(host), "{host}");
        }
        for host in [
            "localhost",
            "127.0.0.1",
            "[::1]",
            "acme.okta.com",
            "example.com.evil.io",
            "myexample.com",
            "test.dev",
        ] {
            assert!(!is_reserved(host), "{host}");
        }
    }
}
