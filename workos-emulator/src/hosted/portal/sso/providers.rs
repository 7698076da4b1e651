//! Which identity provider it is: the first question of the setup.

use serde::Deserialize;

use super::{
    INTENT, PATH, page,
    pages::{
        Form,
        portal::sso::{ConnectionRow, ConnectionsPage, IdpChoice, ProvidersPage},
    },
    path, state_of, steps,
    visit::{self, Visit},
};
use crate::{
    api::sso::{
        connection_type::{self, CONNECTION_TYPES, ConnectionType, Protocol},
        connections::{self, Connection, ConnectionState},
    },
    server::{call::Call, error::ApiError, reply::Reply},
};

/// Those that are asked for most, first.
const POPULAR: [&str; 8] = [
    "OktaSAML",
    "AzureSAML",
    "GoogleSAML",
    "OneLoginSAML",
    "OktaOIDC",
    "EntraIdOIDC",
    "GenericSAML",
    "GenericOIDC",
];

/// `GET /portal/sso`: the choice, or what has come of it. `q` is a part of a provider's name.
pub(crate) fn show_providers(call: &Call) -> Result<Reply, ApiError> {
    visit::show(call, INTENT, |visit| {
        let state = call.environment.state();
        let set_up: Vec<_> = connections::of_organization(&state, &visit.organization.id)
            .filter(|connection| connection.state != ConnectionState::RequiresType)
            .collect();
        match set_up.as_slice() {
            [] => choose(visit, 200, false),
            [only] => Ok(visit.to(&next_path(only))),
            several => {
                let rows: Vec<_> = several
                    .iter()
                    .map(|connection| ConnectionRow {
                        name: &connection.name,
                        provider: connection.r#type().name,
                        protocol: protocol(connection.r#type()),
                        state: state_of(connection),
                        active: connection.state == ConnectionState::Active,
                        url: visit.url(&path(connection)),
                    })
                    .collect();
                page(
                    200,
                    &ConnectionsPage {
                        chrome: visit.chrome(),
                        frame: visit.frame(PATH),
                        connections: &rows,
                    },
                )
            }
        }
    })
}

/// `POST /portal/sso`: begins the setup. Slow: a SAML connection has keys of its own.
pub(crate) fn submit_provider(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Fields {
        provider: String,
    }
    visit::submit(call, INTENT, |visit| {
        let Fields { provider } = call.body()?;
        let Some(kind) = connection_type::by_slug(&provider).filter(|kind| kind.is_federated()) else {
            return choose(visit, 400, true);
        };
        let connection = connections::begin(&call.environment, &visit.organization.id, kind)?;
        Ok(visit.to(&next_path(&connection)))
    })
}

fn next_path(connection: &Connection) -> String {
    steps::next(connection).map_or_else(|| path(connection), |step| step.path(connection))
}

pub(super) fn protocol(kind: &ConnectionType) -> &'static str {
    match kind.protocol {
        Protocol::Oidc => "OpenID Connect",
        _ => "SAML",
    }
}

fn choice(kind: &'static ConnectionType) -> IdpChoice {
    IdpChoice {
        slug: kind.slug,
        name: match kind.slug {
            "GenericSAML" => "Custom SAML",
            "GenericOIDC" => "Custom OIDC",
            "ShibbolethGenericSAML" => "Shibboleth (generic)",
            _ => kind.name,
        },
        protocol: protocol(kind),
    }
}

/// What of a choice is looked for.
fn matches(choice: &IdpChoice, wanted: &str) -> bool {
    let name = format!("{} {} {}", choice.name, choice.protocol, choice.slug).to_lowercase();
    wanted
        .to_lowercase()
        .split_whitespace()
        .all(|word| name.contains(word))
}

fn choose(visit: &Visit<'_>, status: u16, refused: bool) -> Result<Reply, ApiError> {
    let wanted = visit.call.query.get("q").unwrap_or_default().trim();
    let mut all: Vec<_> = CONNECTION_TYPES
        .iter()
        .filter(|kind| kind.is_federated())
        .map(choice)
        .collect();
    all.sort_by_key(|choice| choice.name.to_lowercase());
    // The application may know already which one it is.
    let named = visit.session.access.options.sso.provider_type.as_deref();
    let named = named
        .and_then(connection_type::by_slug)
        .filter(|kind| kind.is_federated())
        .map(choice);
    let popular = POPULAR.iter().filter_map(|slug| connection_type::by_slug(slug));
    let shown: Vec<_> = match &named {
        _ if !wanted.is_empty() => all
            .iter()
            .copied()
            .filter(|choice| matches(choice, wanted))
            .collect(),
        Some(named) => vec![*named],
        None => popular.map(choice).collect(),
    };
    page(
        status,
        &ProvidersPage {
            chrome: visit.chrome(),
            frame: visit.frame(PATH),
            form: Form {
                action: PATH,
                hidden: &visit.hidden(),
            },
            wanted,
            shown: &shown,
            all: &all,
            refused,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_asked_for_most_can_be_chosen() {
        for slug in POPULAR {
            assert!(
                connection_type::by_slug(slug).is_some_and(ConnectionType::is_federated),
                "{slug}"
            );
        }
    }

    #[test]
    fn is_found_by_parts_of_its_name_and_its_protocol() {
        let entra = choice(connection_type::by_slug("EntraIdOIDC").unwrap());
        for wanted in ["entra", "ENTRA oidc", "microsoft openid", " id  connect "] {
            assert!(matches(&entra, wanted), "{wanted}");
        }
        for wanted in ["okta", "entra saml"] {
            assert!(!matches(&entra, wanted), "{wanted}");
        }
    }
}
