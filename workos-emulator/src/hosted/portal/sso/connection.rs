//! A connection that is set up: what it is made of, who came through it, and its end.

use serde::Deserialize;

use super::{
    application, attributes, page,
    pages::{
        Form,
        portal::sso::{ConnectionPage, Setting},
    },
    path, provider, providers, show, state_of,
    steps::{self, Step},
    submit, test_sign_in,
    visit::Visit,
};
use crate::{
    api::{
        admin_portal::intent::Intent,
        sso::{
            certificates,
            connections::{self, Connection, ConnectionState, ProtocolOptions},
        },
    },
    hosted::portal::certificates as certificate_pages,
    server::{call::Call, error::ApiError, reply::Reply},
};

/// `GET /portal/sso/{id}`
pub(crate) fn show_connection(call: &Call) -> Result<Reply, ApiError> {
    show(call, |visit, connection| {
        // A connection of which nobody has said the kind begins where the kinds are.
        if connection.state == ConnectionState::RequiresType {
            return Ok(visit.to(super::PATH));
        }
        let kind = connection.r#type();
        let to = |step: Step| visit.url(&step.path(connection));
        page(
            200,
            &ConnectionPage {
                chrome: visit.chrome(),
                frame: visit.frame(super::PATH),
                form: Form {
                    action: &path(connection),
                    hidden: &visit.hidden(),
                },
                test_form: Form {
                    action: &Step::Test.path(connection),
                    hidden: &visit.hidden(),
                },
                title: kind.name,
                provider: provider(kind),
                protocol: providers::protocol(kind),
                state: state_of(connection),
                active: connection.state == ConnectionState::Active,
                configured: steps::is_configured(connection),
                next_url: steps::next(connection).map(to).as_deref(),
                configuration: &configuration(visit, connection),
                settings: &application::settings(visit, connection),
                attributes: &attributes::rows(connection),
                sessions: &test_sign_in::sessions(visit, connection)?,
                configuration_url: &to(Step::Configuration),
                attributes_url: &to(Step::Attributes),
                certificates_url: certificates_url(visit, connection).as_deref(),
            },
        )
    })
}

/// `POST /portal/sso/{id}`: an end to the connection, for a setup from scratch.
pub(crate) fn change_connection(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Fields {
        decision: String,
    }
    submit(call, |visit, connection| {
        let Fields { decision } = call.body()?;
        if decision != "reset" {
            return Ok(visit.to(&path(connection)));
        }
        call.environment
            .transact(|tx| connections::delete(tx, &connection.id))?;
        Ok(visit.to(super::PATH))
    })
}

fn certificates_url(visit: &Visit<'_>, connection: &Connection) -> Option<String> {
    let renews = visit.session.access.intents.contains(&Intent::CertificateRenewal);
    let is_saml = matches!(connection.options, ProtocolOptions::Saml(_));
    (renews && is_saml).then(|| visit.url(&certificate_pages::path(connection)))
}

/// Where the identity provider is. Secrets are not shown.
fn configuration(visit: &Visit<'_>, connection: &Connection) -> Vec<Setting> {
    let setting = |name, value: &str| Setting {
        name,
        theirs: None,
        value: value.to_owned(),
        is_link: false,
    };
    match &connection.options {
        ProtocolOptions::None => Vec::new(),
        ProtocolOptions::Oidc(options) => vec![
            setting("Discovery endpoint", &options.discovery_endpoint),
            setting("Client ID", &options.client_id),
        ],
        ProtocolOptions::Saml(options) => {
            let known = [
                ("Metadata URL", &options.idp_metadata_url),
                ("SSO URL", &options.idp_sso_url),
                ("Entity ID", &options.idp_entity_id),
            ];
            let known = known
                .into_iter()
                .filter_map(|(name, value)| Some(setting(name, value.as_deref()?)));
            let state = visit.call.environment.state();
            let signing = certificates::of_idp(&state, &connection.id);
            let signing = signing.map(|certificate| {
                let until = certificate.not_after.strftime("%b %-d, %Y").to_string();
                setting("Certificate", &format!("valid until {until}"))
            });
            known.chain(signing).collect()
        }
    }
}
