//! The third step: where the identity provider is. OpenID Connect needs a client, SAML what stands in metadata: as a file,
//! at an address, or typed.

use serde::Deserialize;

use super::{
    INTENT, error, frame_of,
    guides::{gives_files, guide},
    own, page,
    pages::{
        Form, TextField,
        portal::sso::{ConfigurationFields, ConfigurationPage, OidcFields, SamlFields},
    },
    path, provider, show,
    steps::{self, Step},
    visit::{self, Visit},
};
use crate::{
    api::sso::{
        certificates,
        connection_type::Protocol,
        connections::{self, Configuration, Connection, ConnectionState, ProtocolOptions},
        identity_provider::is_somebodys,
        saml::metadata::parse_idp_metadata,
    },
    core::secret::Secret,
    server::{call::Call, error::ApiError, operation::Answer, reply::Reply},
};

/// What was typed, or chosen.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    /// How SAML metadata come: one of the other fields.
    way: Way,
    metadata_file: String,
    metadata_xml: String,
    metadata_url: String,
    sso_url: String,
    entity_id: String,
    certificate: String,
    discovery_endpoint: String,
    idp_client_id: String,
    idp_client_secret: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Way {
    Url,
    #[default]
    File,
    Manual,
}

/// What is wrong, by the name of the control.
struct Problem {
    field: &'static str,
    text: String,
}

impl Problem {
    fn new(field: &'static str, text: impl Into<String>) -> Self {
        Self {
            field,
            text: text.into(),
        }
    }
}

/// `GET /portal/sso/{id}/configuration`
pub(crate) fn show_configuration(call: &Call) -> Result<Reply, ApiError> {
    show(call, |visit, connection| {
        let present = present(visit, connection);
        configuration(visit, 200, connection, &present, &[])
    })
}

/// `POST /portal/sso/{id}/configuration`: an OpenID provider is asked first who it is.
pub(crate) fn submit_configuration(call: Call) -> Answer {
    Box::pin(async move { submit(&call).await })
}

async fn submit(call: &Call) -> Result<Reply, ApiError> {
    let visit = match visit::submitted(call, INTENT) {
        Ok(visit) => visit,
        Err(refusal) => return refusal,
    };
    let Some(connection) = own(&visit) else {
        return error::portal_session_over(call);
    };
    let fields: Fields = call.body()?;
    let refused = |problems: &[Problem]| configuration(&visit, 400, &connection, &fields, problems);
    let wanted = match wanted(&connection, &fields) {
        Ok(wanted) => wanted,
        Err(problems) => return refused(&problems),
    };
    if let Some(problem) = unreachable(call, &wanted).await {
        return refused(&[problem]);
    }
    let configured = call
        .environment
        .transact(|tx| connections::configure(tx, &connection.id, wanted));
    match configured {
        Ok(connection) => Ok(visit.to(&after(&connection))),
        Err(refusal) if refusal.status < 500 => refused(&problems(&refusal, fields.way)),
        Err(failure) => Err(failure),
    }
}

/// Why the identity provider that is named cannot be used, where there may be one at its address.
async fn unreachable(call: &Call, wanted: &Configuration) -> Option<Problem> {
    let Configuration::Oidc {
        discovery_endpoint, ..
    } = wanted
    else {
        return None;
    };
    if !is_somebodys(discovery_endpoint) {
        return None;
    }
    let environment = &call.environment;
    let now = environment.clock.now();
    let discovered = environment.providers.metadata(discovery_endpoint, now).await;
    let reason = discovered.err()?;
    Some(Problem::new("discovery_endpoint", reason))
}

fn after(connection: &Connection) -> String {
    match connection.state {
        ConnectionState::Validating => Step::Test.path(connection),
        _ => path(connection),
    }
}

/// What the form says, if it says enough.
fn wanted(connection: &Connection, fields: &Fields) -> Result<Configuration, Vec<Problem>> {
    if connection.r#type().protocol == Protocol::Oidc {
        let secret = fields.idp_client_secret.trim();
        let has_secret =
            matches!(&connection.options, ProtocolOptions::Oidc(options) if options.client_secret.is_some());
        return complete(
            &[
                (
                    "discovery_endpoint",
                    &fields.discovery_endpoint,
                    "Enter the discovery endpoint.",
                ),
                ("idp_client_id", &fields.idp_client_id, "Enter the client ID."),
                (
                    "idp_client_secret",
                    if has_secret { "present" } else { secret },
                    "Enter the client secret.",
                ),
            ],
            || Configuration::Oidc {
                discovery_endpoint: fields.discovery_endpoint.trim().to_owned(),
                client_id: fields.idp_client_id.trim().to_owned(),
                client_secret: (!secret.is_empty()).then(|| Secret::new(secret)),
            },
        );
    }
    match fields.way {
        Way::Url => complete(
            &[("metadata_url", &fields.metadata_url, "Enter the metadata URL.")],
            || Configuration::MetadataUrl(fields.metadata_url.trim().to_owned()),
        ),
        Way::File => {
            let (field, xml) = match fields.metadata_file.trim() {
                "" => ("metadata_xml", fields.metadata_xml.trim()),
                file => ("metadata_file", file),
            };
            if xml.is_empty() {
                return Err(vec![Problem::new(
                    "metadata_file",
                    "Choose the metadata file, or paste what stands in it.",
                )]);
            }
            match parse_idp_metadata(xml) {
                Ok(metadata) => Ok(Configuration::Metadata {
                    entity_id: metadata.entity_id,
                    sso_url: metadata.sso_url,
                    certificates: metadata.certificates,
                }),
                Err(error) => Err(vec![Problem::new(
                    field,
                    format!("This cannot be used: {error}."),
                )]),
            }
        }
        Way::Manual => complete(
            &[
                ("sso_url", &fields.sso_url, "Enter the SSO URL."),
                ("entity_id", &fields.entity_id, "Enter the entity ID."),
                ("certificate", &fields.certificate, "Paste the certificate."),
            ],
            || Configuration::Metadata {
                entity_id: fields.entity_id.trim().to_owned(),
                sso_url: fields.sso_url.trim().to_owned(),
                certificates: certificates::each(&fields.certificate),
            },
        ),
    }
}

/// What is made of fields that are all there, else which are not.
fn complete(
    fields: &[(&'static str, &str, &str)],
    made: impl FnOnce() -> Configuration,
) -> Result<Configuration, Vec<Problem>> {
    let missing: Vec<_> = fields
        .iter()
        .filter(|(_, value, _)| value.trim().is_empty())
        .map(|(field, _, problem)| Problem::new(field, *problem))
        .collect();
    if missing.is_empty() {
        Ok(made())
    } else {
        Err(missing)
    }
}

/// A refusal of the rule, in the words of the page.
fn problems(refusal: &ApiError, way: Way) -> Vec<Problem> {
    let url = "Enter the whole address, beginning with https://.";
    let named = |(field, message): (&str, &str)| match field {
        "saml_options.idp_metadata_url" => Problem::new("metadata_url", url),
        "saml_options.idp_sso_url" if way == Way::Manual => Problem::new("sso_url", url),
        "saml_options.idp_signing_certs" if way == Way::Manual => Problem::new(
            "certificate",
            message.replacen("saml_options.idp_signing_certs", "The certificate", 1),
        ),
        "oidc_options.discovery_endpoint" => Problem::new("discovery_endpoint", url),
        "oidc_options.client_id" => Problem::new("idp_client_id", message),
        "oidc_options.client_secret" => Problem::new("idp_client_secret", message),
        _ => Problem::new("metadata_file", message),
    };
    refusal.fields().into_iter().map(named).collect()
}

/// What is set up now, for the controls to begin with. Secrets are not shown.
fn present(visit: &Visit<'_>, connection: &Connection) -> Fields {
    let mut fields = Fields::default();
    match &connection.options {
        ProtocolOptions::None => {}
        ProtocolOptions::Oidc(options) => {
            fields.discovery_endpoint.clone_from(&options.discovery_endpoint);
            fields.idp_client_id.clone_from(&options.client_id);
        }
        ProtocolOptions::Saml(options) => {
            let text = |option: &Option<String>| option.clone().unwrap_or_default();
            fields.metadata_url = text(&options.idp_metadata_url);
            fields.sso_url = text(&options.idp_sso_url);
            fields.entity_id = text(&options.idp_entity_id);
            if options.idp_metadata_url.is_none() {
                fields.way = Way::Manual;
                let state = visit.call.environment.state();
                let pems = certificates::of_idp(&state, &connection.id);
                fields.certificate = pems.map(|certificate| certificate.value.as_str()).collect();
            } else {
                fields.way = Way::Url;
            }
        }
    }
    fields
}

fn configuration(
    visit: &Visit<'_>,
    status: u16,
    connection: &Connection,
    fields: &Fields,
    problems: &[Problem],
) -> Result<Reply, ApiError> {
    let kind = connection.r#type();
    let of = |field: &str| -> Vec<String> {
        let of_field = problems.iter().filter(|problem| problem.field == field);
        of_field.map(|problem| problem.text.clone()).collect()
    };
    let names = [
        "metadata_file",
        "metadata_xml",
        "metadata_url",
        "sso_url",
        "entity_id",
        "certificate",
        "discovery_endpoint",
        "idp_client_id",
        "idp_client_secret",
    ];
    let [
        file,
        xml,
        url,
        sso_url,
        entity_id,
        certificate,
        discovery,
        client_id,
        client_secret,
    ] = names.map(of);
    let field = |value, problems| TextField { value, problems };
    let has_secret =
        matches!(&connection.options, ProtocolOptions::Oidc(options) if options.client_secret.is_some());
    let fields = if kind.protocol == Protocol::Oidc {
        ConfigurationFields::Oidc(OidcFields {
            discovery_endpoint: field(&fields.discovery_endpoint, &discovery),
            client_id: field(&fields.idp_client_id, &client_id),
            client_secret: field("", &client_secret),
            has_secret,
        })
    } else {
        let begun = connection.options != ProtocolOptions::None || !problems.is_empty();
        let open = match begun {
            true => fields.way,
            false if gives_files(kind) => Way::File,
            false => Way::Url,
        };
        ConfigurationFields::Saml(SamlFields {
            file: field("", &file),
            xml: field(&fields.metadata_xml, &xml),
            url: field(&fields.metadata_url, &url),
            sso_url: field(&fields.sso_url, &sso_url),
            entity_id: field(&fields.entity_id, &entity_id),
            certificate: field(&fields.certificate, &certificate),
            by_file: open == Way::File,
            by_url: open == Way::Url,
            by_hand: open == Way::Manual,
        })
    };
    page(
        status,
        &ConfigurationPage {
            chrome: visit.chrome(),
            frame: frame_of(visit, connection),
            way: &steps::way(visit, connection, Step::Configuration),
            form: Form {
                action: &Step::Configuration.path(connection),
                hidden: &visit.hidden(),
            },
            provider: provider(kind),
            where_to_find: guide(kind).metadata,
            fields,
            refused: !problems.is_empty(),
        },
    )
}
