//! The second step: what the identity provider sends of a person, and by which names.

use serde_json::Value;

use super::{
    frame_of,
    guides::guide,
    page,
    pages::{
        Form, TextField,
        portal::sso::{AttributeRow, AttributesPage},
    },
    path, provider, show,
    steps::{self, Step},
    submit,
    visit::Visit,
};
use crate::{
    api::sso::{
        connection_type::Protocol,
        connections::{self, AttributeMaps, Connection, ConnectionChanges, StandardAttributes},
        identity_provider::{Mapped, mapped},
    },
    server::{call::Call, error::ApiError, reply::Reply},
};

/// The fields of a profile that a page asks for: what they are called, and whether nobody signs in without.
const FIELDS: [(&str, &str, bool); 5] = [
    ("idp_id", "User ID", true),
    ("email", "Email", true),
    ("first_name", "First name", false),
    ("last_name", "Last name", false),
    ("groups", "Groups", false),
];

/// What stands before the name of a custom attribute in the form.
const CUSTOM: &str = "custom:";

/// The longest name of an attribute, in characters. Names of claims are URIs.
const LONGEST: usize = 255;

/// `GET /portal/sso/{id}/attributes`
pub(crate) fn show_attributes(call: &Call) -> Result<Reply, ApiError> {
    show(call, |visit, connection| {
        attributes(visit, 200, connection, false)
    })
}

/// `POST /portal/sso/{id}/attributes`: what is left empty is sent under its usual name.
pub(crate) fn submit_attributes(call: &Call) -> Result<Reply, ApiError> {
    submit(call, |visit, connection| {
        let given = |name: &str| call.raw_body().get(name).and_then(Value::as_str).map(str::trim);
        let names = FIELDS.iter().filter_map(|(field, _, _)| given(field));
        if names.clone().any(|name| name.chars().count() > LONGEST) {
            return attributes(visit, 400, connection, true);
        }
        call.environment.transact(|tx| {
            let present = connections::find(tx, &connection.id)?;
            let changes = ConnectionChanges {
                attribute_maps: Some(changed(present, given)),
                ..ConnectionChanges::default()
            };
            connections::update(tx, &connection.id, changes)
        })?;
        Ok(visit.to(&after(connection)))
    })
}

/// Whoever is in the middle of the setup goes on with it.
fn after(connection: &Connection) -> String {
    match steps::next(connection) {
        Some(_) => Step::Attributes.path(connection),
        None => path(connection),
    }
}

fn changed<'a>(connection: &Connection, given: impl Fn(&str) -> Option<&'a str>) -> AttributeMaps {
    let AttributeMaps {
        standard_attributes: present,
        custom_attributes,
    } = &connection.attribute_maps;
    let usual = mapped(connection);
    let standard = |field: &str, present: &Option<String>| {
        let Some(name) = given(field) else {
            return present.clone();
        };
        let is_usual = usual.iter().any(|one| one.field == field && one.usual == name);
        (!name.is_empty() && !is_usual).then(|| name.to_owned())
    };
    let custom = custom_attributes.iter().map(|(name, theirs)| {
        let wanted = given(&format!("{CUSTOM}{name}")).filter(|wanted| !wanted.is_empty());
        (name.clone(), wanted.unwrap_or(theirs).to_owned())
    });
    AttributeMaps {
        standard_attributes: StandardAttributes {
            idp_id: standard("idp_id", &present.idp_id),
            email: standard("email", &present.email),
            first_name: standard("first_name", &present.first_name),
            last_name: standard("last_name", &present.last_name),
            groups: standard("groups", &present.groups),
            name: present.name.clone(),
        },
        custom_attributes: custom.collect(),
    }
}

/// What has to be sent, and what it becomes.
pub(super) fn rows(connection: &Connection) -> Vec<AttributeRow> {
    let guide = guide(connection.r#type());
    let mapped = mapped(connection);
    let standard = FIELDS.iter().filter_map(|(field, label, required)| {
        let Mapped { attribute, .. } = mapped.iter().find(|one| one.field == *field)?;
        let source = guide.sources.iter().find(|(known, _)| known == field);
        Some(AttributeRow {
            name: (*field).to_owned(),
            label: (*label).to_owned(),
            attribute: attribute.clone(),
            required: *required,
            source: source.map(|(_, source)| *source),
        })
    });
    let custom = connection
        .attribute_maps
        .custom_attributes
        .iter()
        .map(|(name, attribute)| AttributeRow {
            name: format!("{CUSTOM}{name}"),
            label: name.clone(),
            attribute: attribute.clone(),
            required: false,
            source: None,
        });
    standard.chain(custom).collect()
}

fn attributes(
    visit: &Visit<'_>,
    status: u16,
    connection: &Connection,
    refused: bool,
) -> Result<Reply, ApiError> {
    let kind = connection.r#type();
    let rows = rows(connection);
    let fields: Vec<_> = rows
        .iter()
        .map(|row| (row, TextField::filled(&row.attribute)))
        .collect();
    page(
        status,
        &AttributesPage {
            chrome: visit.chrome(),
            frame: frame_of(visit, connection),
            way: &steps::way(visit, connection, Step::Attributes),
            form: Form {
                action: &Step::Attributes.path(connection),
                hidden: &visit.hidden(),
            },
            provider: provider(kind),
            claims: kind.protocol == Protocol::Oidc,
            fields: &fields,
            longest: LONGEST,
            refused,
            next_url: &visit.url(&Step::Configuration.path(connection)),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::{
            organizations::{self, CreateOrganization},
            sso::connections::NewConnection,
        },
        environment::Environment,
    };

    fn connection() -> Connection {
        let environment = Environment::for_tests();
        let created = environment.transact(|tx| {
            let acme = CreateOrganization {
                name: "Acme".to_owned(),
                ..CreateOrganization::default()
            };
            let acme = organizations::create(tx, acme)?;
            let mut new = NewConnection::active(Some(acme.id.clone()), "OktaSAML");
            new.attribute_maps.standard_attributes.last_name = Some("sn".to_owned());
            let custom = ("badge".to_owned(), "employeeBadge".to_owned());
            new.attribute_maps.custom_attributes.extend([custom]);
            connections::create(tx, new)
        });
        Connection::clone(&created.unwrap())
    }

    #[test]
    fn only_names_that_are_not_the_usual_ones_are_written_down() {
        let connection = connection();
        let sent = |name: &str| match name {
            "idp_id" => Some("id"),
            "email" => Some("mail"),
            "first_name" => Some(""),
            "custom:badge" => Some("badgeNumber"),
            "custom:other" => Some("nobody asked"),
            _ => None,
        };
        let maps = changed(&connection, sent);
        let standard = StandardAttributes {
            email: Some("mail".to_owned()),
            last_name: Some("sn".to_owned()),
            ..StandardAttributes::default()
        };
        assert_eq!(maps.standard_attributes, standard);
        let custom: Vec<_> = maps.custom_attributes.into_iter().collect();
        assert_eq!(custom, [("badge".to_owned(), "badgeNumber".to_owned())]);
    }
}
