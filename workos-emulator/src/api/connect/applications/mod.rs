//! Connect applications. Source: <https://workos.com/docs/reference/workos-connect/applications>.
//!
//! * here – what an application is, how it is shown, and how it is found.
//! * [`rules`] – how applications come to be, change and go. The catalogue of events has none for them.
//! * [`operations`] – the API's operations.

mod operations;
mod rules;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub(crate) use self::{
    operations::{
        create_application, delete_application, get_application, list_applications, update_application,
    },
    rules::{NewApplication, create, delete_of_organization, remove_scope_from_all, with_new_client_ids},
};
use super::redirect_uris::RedirectUri;
use crate::{
    core::clock,
    server::error::ApiError,
    store::{Index, Record, State, group},
};

/// An application as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ConnectApplication {
    pub(crate) id: String,
    /// `client_…`, unless a seed pins another one.
    pub(crate) client_id: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    /// What it may ask for, besides the scopes that every OAuth application may ask for.
    pub(crate) scopes: Vec<String>,
    /// `aud` of its access tokens, where a seed sets one.
    pub(crate) audience: Option<String>,
    pub(crate) kind: Kind,
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    pub(crate) updated_at: Timestamp,
}

/// Whom an application acts for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// People.
    OAuth(OAuth),
    /// Itself, on behalf of an organization.
    M2m { organization_id: String },
}

/// An application that people sign in to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OAuth {
    pub(crate) redirect_uris: Vec<RedirectUri>,
    /// It is public: it has no need of a secret, and has to prove itself by PKCE.
    pub(crate) uses_pkce: bool,
    pub(crate) party: Party,
}

/// Whose an OAuth application is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Party {
    /// One's own: people are not asked whether they trust it.
    First,
    /// An organization's.
    Third { organization_id: String },
    /// It registered itself (RFC 7591).
    Dynamic,
}

pub(crate) const BY_CLIENT_ID: Index<ConnectApplication> =
    Index::unique("client_id", |row| vec![(row.client_id.as_str().into(), 0)]);
/// The applications that registered in one way, and again those of them that belong to one organization.
const BY_REGISTRATION: Index<ConnectApplication> = Index::ordered("registration", |row| {
    let registration = row.registration();
    let own = (registration.into(), 0);
    let of = |id: &str| (group(&[registration, id]), 0);
    row.organization_id().map(of).into_iter().chain([own]).collect()
});
const BY_ORGANIZATION: Index<ConnectApplication> = Index::ordered("organization", |row| {
    row.organization_id()
        .map(|id| (id.into(), 0))
        .into_iter()
        .collect()
});
const BY_SCOPE: Index<ConnectApplication> = Index::ordered("scope", |row| {
    row.scopes.iter().map(|slug| (slug.as_str().into(), 0)).collect()
});
/// Those that registered themselves.
const DYNAMIC: Index<ConnectApplication> = Index::ordered("dynamic", |row| {
    row.is_dynamic().then_some(("".into(), 0)).into_iter().collect()
});

impl Record for ConnectApplication {
    const INDEXES: &'static [Index<Self>] =
        &[BY_CLIENT_ID, BY_REGISTRATION, BY_ORGANIZATION, BY_SCOPE, DYNAMIC];

    fn id(&self) -> &str {
        &self.id
    }
}

const AUTHENTICATED: &str = "authenticated";
const DYNAMICALLY: &str = "dynamic";

impl ConnectApplication {
    pub(crate) fn oauth(&self) -> Option<&OAuth> {
        match &self.kind {
            Kind::OAuth(oauth) => Some(oauth),
            Kind::M2m { .. } => None,
        }
    }

    /// The organization that it belongs to.
    pub(crate) fn organization_id(&self) -> Option<&str> {
        match &self.kind {
            Kind::M2m { organization_id } => Some(organization_id),
            Kind::OAuth(oauth) => match &oauth.party {
                Party::Third { organization_id } => Some(organization_id),
                Party::First | Party::Dynamic => None,
            },
        }
    }

    pub(crate) fn is_first_party(&self) -> bool {
        self.oauth().is_some_and(|oauth| oauth.party == Party::First)
    }

    pub(crate) fn is_dynamic(&self) -> bool {
        self.oauth().is_some_and(|oauth| oauth.party == Party::Dynamic)
    }

    /// It can do without a secret.
    pub(crate) fn is_public(&self) -> bool {
        self.oauth().is_some_and(|oauth| oauth.uses_pkce)
    }

    fn registration(&self) -> &'static str {
        if self.is_dynamic() {
            DYNAMICALLY
        } else {
            AUTHENTICATED
        }
    }

    /// The application as the API shows it: only the members that its kind has.
    pub(crate) fn body(&self) -> Value {
        let Value::Object(mut body) = json!({
            "object": "connect_application",
            "id": self.id,
            "client_id": self.client_id,
            "name": self.name,
            "description": self.description,
            "scopes": self.scopes,
            "created_at": clock::iso8601(self.created_at),
            "updated_at": clock::iso8601(self.updated_at),
        }) else {
            return Value::Null;
        };
        body.extend(self.kind.members());
        Value::Object(body)
    }
}

impl Kind {
    fn members(&self) -> Map<String, Value> {
        let members = match self {
            Self::M2m { organization_id } => json!({
                "application_type": "m2m",
                "organization_id": organization_id,
            }),
            Self::OAuth(oauth) => {
                let mut members = json!({
                    "application_type": "oauth",
                    "redirect_uris": oauth.redirect_uris,
                    "uses_pkce": oauth.uses_pkce,
                    "is_first_party": oauth.party == Party::First,
                });
                match &oauth.party {
                    Party::First => {}
                    Party::Third { organization_id } => {
                        members["was_dynamically_registered"] = json!(false);
                        members["organization_id"] = json!(organization_id);
                    }
                    Party::Dynamic => members["was_dynamically_registered"] = json!(true),
                }
                members
            }
        };
        match members {
            Value::Object(members) => members,
            _ => Map::new(),
        }
    }
}

/// The application with this id or this client id, or the refusal.
pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Arc<ConnectApplication>, ApiError> {
    state
        .connect_applications
        .get(id)
        .or_else(|| by_client_id(state, id))
        .ok_or_else(|| ApiError::not_found("Connect application", id))
}

pub(crate) fn by_client_id<'a>(state: &'a State, client_id: &str) -> Option<&'a Arc<ConnectApplication>> {
    state.connect_applications.find(BY_CLIENT_ID, client_id)
}
