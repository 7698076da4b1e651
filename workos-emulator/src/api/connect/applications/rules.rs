//! How applications come to be, change and go.

use std::sync::Arc;

use serde::Deserialize;

use super::{BY_CLIENT_ID, BY_ORGANIZATION, BY_SCOPE, ConnectApplication, DYNAMIC, Kind, OAuth, Party, find};
use crate::{
    api::{
        connect::{
            client_secrets, consents,
            redirect_uris::{self, RedirectUriInput},
            scopes,
        },
        organizations,
    },
    server::{body::Patch, error::ApiError},
    store::Transaction,
};

/// The longest name, in characters. Assumption: production's limit is not documented.
const MAX_NAME_LENGTH: usize = 255;

/// How many applications that registered themselves are kept: anybody can make them. The oldest go first.
const MOST_DYNAMIC: usize = 1_000;

/// An application to be made.
#[derive(Debug, Clone)]
pub(crate) struct NewApplication {
    /// Only a seed gives one.
    pub(crate) client_id: Option<String>,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) audience: Option<String>,
    pub(crate) kind: Kind,
}

impl NewApplication {
    pub(crate) fn named(name: &str, kind: Kind) -> Self {
        Self {
            client_id: None,
            name: name.to_owned(),
            description: None,
            scopes: Vec::new(),
            audience: None,
            kind,
        }
    }
}

/// `PUT /connect/applications/{id}`
#[derive(Debug, Default, Deserialize)]
pub(super) struct UpdateApplication {
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) description: Patch<String>,
    pub(super) scopes: Option<Vec<String>>,
    pub(super) redirect_uris: Option<Vec<RedirectUriInput>>,
}

/// Makes an application. What it may ask for is checked by whoever lets somebody say it: [`scopes::check`].
pub(crate) fn create(
    tx: &mut Transaction<'_>,
    new: NewApplication,
) -> Result<Arc<ConnectApplication>, ApiError> {
    check_name(&new.name)?;
    let client_id = match new.client_id {
        Some(id) if tx.connect_applications.find(BY_CLIENT_ID, &id).is_some() => {
            return Err(ApiError::conflict(
                "client_id_taken",
                format!("The client id '{id}' is used already."),
            ));
        }
        Some(id) => id,
        None => tx.id("client"),
    };
    let application = ConnectApplication {
        id: tx.id("conn_app"),
        client_id,
        name: new.name,
        description: new.description,
        scopes: scopes::distinct(new.scopes),
        audience: new.audience,
        kind: new.kind,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    if let Some(id) = application.organization_id() {
        organizations::find(tx, id)?;
    }
    if application.is_dynamic() {
        make_room(tx)?;
    }
    Ok(tx.put(application)?)
}

fn make_room(tx: &mut Transaction<'_>) -> Result<(), ApiError> {
    if tx.connect_applications.filed(DYNAMIC) < MOST_DYNAMIC {
        return Ok(());
    }
    let oldest = tx.connect_applications.find(DYNAMIC, "");
    match oldest.map(|application| application.id.clone()) {
        Some(id) => delete(tx, &id),
        None => Ok(()),
    }
}

/// Changes an application. Tokens that it has keep the scopes that it had.
pub(super) fn update(
    tx: &mut Transaction<'_>,
    id: &str,
    changes: UpdateApplication,
) -> Result<Arc<ConnectApplication>, ApiError> {
    let before = Arc::clone(find(tx, id)?);
    let mut application = ConnectApplication::clone(&before);
    if let Some(name) = changes.name {
        check_name(&name)?;
        application.name = name;
    }
    changes.description.apply_to(&mut application.description);
    if let Some(given) = changes.scopes {
        scopes::check(tx, &given)?;
        application.scopes = scopes::distinct(given);
    }
    if let Some(given) = changes.redirect_uris {
        let Kind::OAuth(oauth) = &mut application.kind else {
            return Err(only_oauth("redirect_uris"));
        };
        oauth.redirect_uris = redirect_uris::checked(given)?;
    }
    if application == *before {
        return Ok(before);
    }
    application.updated_at = tx.now();
    Ok(tx.put(application)?)
}

/// Deletes an application, its secrets, and all that people let it have: its tokens end.
pub(super) fn delete(tx: &mut Transaction<'_>, id: &str) -> Result<(), ApiError> {
    let application = Arc::clone(find(tx, id)?);
    client_secrets::delete_of_application(tx, &application.id);
    consents::delete_of_application(tx, &application.id)?;
    tx.delete::<ConnectApplication>(&application.id);
    Ok(())
}

/// Deletes the applications of an organization that is being deleted.
///
/// Assumption: production's cascade is not documented; an application cannot be without the organization that owns it.
pub(crate) fn delete_of_organization(
    tx: &mut Transaction<'_>,
    organization_id: &str,
) -> Result<(), ApiError> {
    let owned = tx.connect_applications.group(BY_ORGANIZATION, organization_id);
    let ids: Vec<_> = owned.map(|application| application.id.clone()).collect();
    ids.iter().try_for_each(|id| delete(tx, id))
}

/// Takes a permission that is gone from every application that may ask for it.
pub(crate) fn remove_scope_from_all(tx: &mut Transaction<'_>, slug: &str) -> Result<(), ApiError> {
    let holders: Vec<_> = tx
        .connect_applications
        .group(BY_SCOPE, slug)
        .map(Arc::clone)
        .collect();
    for holder in holders {
        let mut application = ConnectApplication::clone(&holder);
        application.scopes.retain(|scope| scope != slug);
        application.updated_at = tx.now();
        tx.put(application)?;
    }
    Ok(())
}

/// Gives every application a client id of its own, in the copy of an environment: a client id says which one is meant.
pub(crate) fn with_new_client_ids(tx: &mut Transaction<'_>) -> Result<(), ApiError> {
    let copied: Vec<_> = tx.connect_applications.iter().map(Arc::clone).collect();
    for application in copied {
        let client_id = tx.id("client");
        tx.put(ConnectApplication {
            client_id,
            ..ConnectApplication::clone(&application)
        })?;
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let (code, message) = match name.chars().count() {
        _ if name.trim().is_empty() => ("required", "name must not be empty.".to_owned()),
        ..=MAX_NAME_LENGTH => return Ok(()),
        _ => (
            "too_long",
            format!("name has at most {MAX_NAME_LENGTH} characters."),
        ),
    };
    Err(ApiError::invalid_field("name", code, message))
}

fn only_oauth(field: &str) -> ApiError {
    let message = format!("{field} is for applications of the type oauth.");
    ApiError::invalid_field(field, "not_allowed", message)
}

/// What `POST /connect/applications` takes, of either type.
#[derive(Debug, Deserialize)]
pub(super) struct CreateApplication {
    application_type: ApplicationType,
    name: String,
    description: Option<String>,
    scopes: Option<Vec<String>>,
    redirect_uris: Option<Vec<RedirectUriInput>>,
    uses_pkce: Option<bool>,
    is_first_party: Option<bool>,
    organization_id: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ApplicationType {
    Oauth,
    M2m,
}

impl CreateApplication {
    /// The application that is asked for.
    ///
    /// A first-party application belongs to no organization, whichever it names.
    ///
    /// Assumption: a machine that has redirect URIs is refused rather than understood half.
    pub(super) fn checked(self) -> Result<NewApplication, ApiError> {
        let kind = match self.application_type {
            ApplicationType::M2m => {
                if self.redirect_uris.is_some_and(|uris| !uris.is_empty()) {
                    return Err(only_oauth("redirect_uris"));
                }
                if self.uses_pkce == Some(true) {
                    return Err(only_oauth("uses_pkce"));
                }
                if self.is_first_party == Some(true) {
                    let message = "An M2M application is a third party's.";
                    return Err(ApiError::invalid_field("is_first_party", "not_allowed", message));
                }
                let organization_id = self.organization_id.ok_or_else(|| required("organization_id"))?;
                Kind::M2m { organization_id }
            }
            ApplicationType::Oauth => {
                let is_first_party = self.is_first_party.ok_or_else(|| required("is_first_party"))?;
                let party = match (is_first_party, self.organization_id) {
                    (true, _) => Party::First,
                    (false, Some(organization_id)) => Party::Third { organization_id },
                    (false, None) => return Err(required("organization_id")),
                };
                Kind::OAuth(OAuth {
                    redirect_uris: redirect_uris::checked(self.redirect_uris.unwrap_or_default())?,
                    uses_pkce: self.uses_pkce.unwrap_or_default(),
                    party,
                })
            }
        };
        Ok(NewApplication {
            description: self.description,
            scopes: self.scopes.unwrap_or_default(),
            ..NewApplication::named(&self.name, kind)
        })
    }
}

fn required(field: &str) -> ApiError {
    ApiError::invalid_field(field, "required", format!("{field} is required."))
}
