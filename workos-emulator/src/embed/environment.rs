//! An environment, as tests handle it.

use std::sync::Arc;

use super::{
    EmulatedClock, EmulatorError, Events, Mailbox, Webhooks,
    connect::ConnectApplicationBuilder,
    connection::ConnectionBuilder,
    create::{Organization, OrganizationBuilder, RoleBuilder, UserBuilder},
    directory::DirectoryBuilder,
    invitation::InvitationBuilder,
};
use crate::{
    control::environments::{self, NewEnvironment},
    environment::Environment,
    seed::Seed,
    server::registry::Registry,
};

/// An environment of an [`Emulator`](super::Emulator): a whole WorkOS environment with its own data, keys, settings and
/// time. A clone is the same environment.
///
/// What is created through it is a test's set-up: it is subject to the rules of the API, except for the password policy,
/// and emits the same events.
#[derive(Debug, Clone)]
pub struct EmulatedEnvironment {
    pub(super) inner: Arc<Environment>,
    pub(super) registry: Arc<Registry>,
    pub(super) url: String,
    pub(super) runtime: tokio::runtime::Handle,
}

impl EmulatedEnvironment {
    /// The base URL, without a trailing slash: `http://127.0.0.1:49152`. All environments of an emulator have the same;
    /// the API key or the client id tells which one is meant.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The secret API key: `sk_test_…`. Of several, the oldest.
    #[must_use]
    pub fn api_key(&self) -> String {
        environments::api_key(&self.inner).unwrap_or_default()
    }

    /// The client id of the environment's AuthKit application: `client_…`
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.inner.client_id
    }

    /// The environment's name; `default` for the one that an emulator begins with.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// A further environment of the same emulator, empty and isolated.
    ///
    /// # Errors
    /// When another environment has this name.
    pub fn environment(&self, name: impl Into<String>) -> Result<Self, EmulatorError> {
        self.created(&NewEnvironment {
            name: name.into(),
            ..NewEnvironment::default()
        })
    }

    /// A further environment that begins as a copy of this one as it is now, with keys of its own. It costs about as
    /// much as an empty one, whatever there is to copy.
    ///
    /// # Errors
    /// When another environment has this name.
    pub fn fork(&self, name: impl Into<String>) -> Result<Self, EmulatorError> {
        self.created(&NewEnvironment {
            name: name.into(),
            fork_of: Some(Arc::clone(&self.inner)),
            ..NewEnvironment::default()
        })
    }

    fn created(&self, new: &NewEnvironment) -> Result<Self, EmulatorError> {
        let inner = environments::create(&self.registry, new)?;
        Ok(Self {
            inner,
            ..self.clone()
        })
    }

    /// Adds what a seed names to what is there: the text of a seed file, YAML or JSON. All of it or nothing.
    ///
    /// # Errors
    /// When the seed is wrong, or something of it is there already.
    pub fn seed(&self, text: &str) -> Result<(), EmulatorError> {
        let seed = Seed::read(text)?;
        let prepared = seed.prepare(&self.inner)?;
        self.inner.transact(|tx| {
            prepared.check_keys(&self.registry, &self.inner)?;
            prepared.plant(tx)
        })?;
        self.registry
            .add(&self.inner)
            .map_err(EmulatorError::refused("seeding"))
    }

    /// Back to the state after seeding: data, clock, mailbox, hooks, deliveries.
    pub fn reset(&self) {
        self.inner.reset();
    }

    /// A user to be created.
    pub fn user(&self, email: impl Into<String>) -> UserBuilder {
        UserBuilder::new(self.clone(), email.into())
    }

    /// An organization to be created.
    pub fn organization(&self, name: impl Into<String>) -> OrganizationBuilder {
        OrganizationBuilder::new(self.clone(), name.into())
    }

    /// An SSO connection of an organization to be created.
    pub fn connection(&self, organization: &Organization) -> ConnectionBuilder {
        ConnectionBuilder::new(self.clone(), &organization.id)
    }

    /// A role of the environment to be created. `member` is there from the beginning; naming it changes it.
    pub fn role(&self, slug: impl AsRef<str>) -> RoleBuilder {
        RoleBuilder::new(self.clone(), slug.as_ref())
    }

    /// An invitation to be sent to this address.
    pub fn invitation(&self, email: impl Into<String>) -> InvitationBuilder {
        InvitationBuilder::new(self.clone(), email.into())
    }

    /// A directory of an organization to be created, and the people and groups in it.
    ///
    /// ```
    /// # async fn create() -> Result<(), workos_emulator::EmulatorError> {
    /// use workos_emulator::{DirectoryPerson, Emulator};
    ///
    /// let emulator = Emulator::start().await?;
    /// let acme = emulator.organization("Acme").domain("acme.example").create()?;
    /// emulator.role("developer").create()?;
    /// let directory = emulator
    ///     .directory(&acme)
    ///     .provider("okta scim v2.0")
    ///     .group_with_role("Engineering", "developer")
    ///     .user(DirectoryPerson::new("ada@acme.example").first_name("Ada").group("Engineering"))
    ///     .create()?;
    /// // An identity provider pushes more of them to directory.scim_url, with directory.bearer_token.
    /// assert!(directory.bearer_token.starts_with("se_"));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(create()).unwrap();
    /// ```
    pub fn directory(&self, organization: &Organization) -> DirectoryBuilder {
        DirectoryBuilder::new(self.clone(), organization)
    }

    /// A Connect application to be created.
    ///
    /// ```
    /// # async fn create() -> Result<(), workos_emulator::EmulatorError> {
    /// let emulator = workos_emulator::Emulator::start().await?;
    /// let acme = emulator.organization("Acme").create()?;
    /// let robot = emulator.connect_application("Robot").m2m(&acme).scopes(["robots:run"]).create()?;
    /// // POST {emulator.url()}/oauth2/token with grant_type=client_credentials and these:
    /// assert!(robot.client_id.starts_with("client_") && robot.client_secret.is_some());
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(create()).unwrap();
    /// ```
    pub fn connect_application(&self, name: impl Into<String>) -> ConnectApplicationBuilder {
        ConnectApplicationBuilder::new(self.clone(), name.into())
    }

    /// The environment's time.
    #[must_use]
    pub fn clock(&self) -> EmulatedClock {
        EmulatedClock(Arc::clone(&self.inner))
    }

    /// The e-mails that WorkOS would have sent.
    #[must_use]
    pub fn mailbox(&self) -> Mailbox {
        Mailbox(self.clone())
    }

    /// What happens in the environment.
    #[must_use]
    pub fn events(&self) -> Events {
        Events::new(self.clone())
    }

    /// The webhooks that reach their receivers.
    #[must_use]
    pub fn webhooks(&self) -> Webhooks {
        Webhooks::new(self.clone())
    }
}
