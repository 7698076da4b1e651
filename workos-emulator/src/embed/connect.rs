//! Connect applications of a test's set-up.

use std::fmt;

use super::{EmulatedEnvironment, EmulatorError, Organization};
use crate::{
    api::{
        authorization::permissions::{self, NewPermission},
        connect::{
            applications::{self, Kind, NewApplication, OAuth, Party},
            client_secrets,
            redirect_uris::{self, RedirectUriInput},
        },
    },
    server::error::ApiError,
};

/// A Connect application that was created. `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectApplication {
    /// `conn_app_…`
    pub id: String,
    /// `client_…`, for `/oauth2/authorize` and `/oauth2/token`.
    pub client_id: String,
    /// Its first client secret; `None` for a public application.
    pub client_secret: Option<String>,
}

impl fmt::Debug for ConnectApplication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectApplication")
            .field("id", &self.id)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// A Connect application to be created: a first-party OAuth application, unless said otherwise.
#[derive(Debug)]
#[must_use = "call create() to create the application"]
pub struct ConnectApplicationBuilder {
    environment: EmulatedEnvironment,
    name: String,
    redirect_uris: Vec<String>,
    scopes: Vec<String>,
    is_public: bool,
    owner: Option<String>,
    is_m2m: bool,
}

impl ConnectApplicationBuilder {
    pub(super) fn new(environment: EmulatedEnvironment, name: String) -> Self {
        Self {
            environment,
            name,
            redirect_uris: Vec::new(),
            scopes: Vec::new(),
            is_public: false,
            owner: None,
            is_m2m: false,
        }
    }

    /// Where a sign-in may lead to. Once for each; the first is the default.
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uris.push(uri.into());
        self
    }

    /// The slugs of the permissions that it may ask for. Those that do not exist yet are created.
    pub fn scopes<S: Into<String>>(mut self, slugs: impl IntoIterator<Item = S>) -> Self {
        self.scopes = slugs.into_iter().map(Into::into).collect();
        self
    }

    /// It has no secret, and proves itself by PKCE.
    pub fn public(mut self) -> Self {
        self.is_public = true;
        self
    }

    /// It is this organization's, and people are asked whether they allow it what it asks for.
    pub fn third_party(mut self, organization: &Organization) -> Self {
        self.owner = Some(organization.id.clone());
        self.is_m2m = false;
        self
    }

    /// It signs nobody in, but gets tokens for this organization by `client_credentials`.
    pub fn m2m(mut self, organization: &Organization) -> Self {
        self.owner = Some(organization.id.clone());
        self.is_m2m = true;
        self
    }

    /// Creates the application, and a client secret unless it is public.
    ///
    /// # Errors
    /// When the name is empty, or a redirect URI or a slug is not one.
    pub fn create(self) -> Result<ConnectApplication, EmulatorError> {
        let what = format!("creating the Connect application {}", self.name);
        let environment = &self.environment;
        let inputs = self
            .redirect_uris
            .iter()
            .map(|uri| RedirectUriInput::new(uri.as_str()))
            .collect();
        let has_secret = self.is_m2m || !self.is_public;
        let created = redirect_uris::checked(inputs).and_then(|redirect_uris| {
            let kind = match (self.is_m2m, self.owner) {
                (true, Some(organization_id)) => Kind::M2m { organization_id },
                (_, owner) => Kind::OAuth(OAuth {
                    redirect_uris,
                    uses_pkce: self.is_public,
                    party: owner.map_or(Party::First, |organization_id| Party::Third { organization_id }),
                }),
            };
            let new = NewApplication {
                scopes: self.scopes,
                ..NewApplication::named(&self.name, kind)
            };
            environment.inner.transact(|tx| {
                for slug in &new.scopes {
                    if permissions::find(tx, slug).is_err() {
                        let permission = NewPermission {
                            slug: slug.clone(),
                            name: slug.clone(),
                            ..NewPermission::default()
                        };
                        permissions::create(tx, permission)?;
                    }
                }
                let application = applications::create(tx, new)?;
                let secret = match has_secret {
                    true => Some(client_secrets::create(tx, &application.id)?.1),
                    false => None,
                };
                Ok::<_, ApiError>((application, secret))
            })
        });
        let (application, secret) = created.map_err(EmulatorError::refused(what))?;
        environment
            .registry
            .add_client(&environment.inner, &application.client_id);
        Ok(ConnectApplication {
            id: application.id.clone(),
            client_id: application.client_id.clone(),
            client_secret: secret.map(|secret| secret.expose().to_owned()),
        })
    }
}
