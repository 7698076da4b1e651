//! Directories of a test's set-up.

use serde_json::Value;

use super::{EmulatedEnvironment, EmulatorError, create::Organization};
use crate::{
    api::directory_sync::{
        directories::NewDirectory,
        plain::{self, FilledDirectory, NamedGroup, Person, PlainGroup},
    },
    server::error::ApiError,
};

/// A directory that was created, and what an identity provider needs to push into it.
#[derive(Clone)]
#[non_exhaustive]
pub struct Directory {
    /// `directory_…`
    pub id: String,
    /// Its name.
    pub name: String,
    /// The base URL of its SCIM endpoint, without a trailing slash: `…/scim/v2.0/{external_key}`.
    pub scim_url: String,
    /// The bearer token of the SCIM endpoint: `se_…`
    pub bearer_token: String,
}

/// Shows no token.
impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Directory")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("scim_url", &self.scim_url)
            .finish_non_exhaustive()
    }
}

/// A person in a directory to be created.
#[derive(Debug, Clone)]
pub struct DirectoryPerson(Person);

impl DirectoryPerson {
    /// A person with this primary e-mail address, which is their username as well.
    pub fn new(email: impl Into<String>) -> Self {
        Self(Person {
            email: email.into(),
            ..Person::default()
        })
    }

    /// The first name.
    #[must_use]
    pub fn first_name(mut self, name: impl Into<String>) -> Self {
        self.0.first_name = Some(name.into());
        self
    }

    /// The last name.
    #[must_use]
    pub fn last_name(mut self, name: impl Into<String>) -> Self {
        self.0.last_name = Some(name.into());
        self
    }

    /// The id that the provider has for the person. Default: the e-mail address.
    #[must_use]
    pub fn idp_id(mut self, id: impl Into<String>) -> Self {
        self.0.idp_id = Some(id.into());
        self
    }

    /// The job title.
    #[must_use]
    pub fn job_title(mut self, title: impl Into<String>) -> Self {
        self.0.job_title = Some(title.into());
        self
    }

    /// A group that the person is in, which is made if it is not there yet.
    #[must_use]
    pub fn group(mut self, name: impl Into<String>) -> Self {
        self.0.groups.push(name.into());
        self
    }

    /// A member of `custom_attributes`.
    #[must_use]
    pub fn custom_attribute(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.custom_attributes.insert(name.into(), value.into());
        self
    }
}

/// A directory to be created.
#[derive(Debug)]
#[must_use = "call create() to create the directory"]
pub struct DirectoryBuilder {
    environment: EmulatedEnvironment,
    new: FilledDirectory,
    /// As in the API: `okta scim v2.0`.
    provider: Option<String>,
}

impl DirectoryBuilder {
    pub(super) fn new(environment: EmulatedEnvironment, organization: &Organization) -> Self {
        let directory = NewDirectory {
            organization_id: organization.id.clone(),
            name: organization.name.clone(),
            ..NewDirectory::default()
        };
        Self {
            environment,
            new: FilledDirectory {
                directory,
                ..FilledDirectory::default()
            },
            provider: None,
        }
    }

    /// The name. Default: that of the organization.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.new.directory.name = name.into();
        self
    }

    /// The provider, as the API's `type` has it: `okta scim v2.0`, `azure scim v2.0`, `gsuite directory`, … Default:
    /// `generic scim v2.0`.
    pub fn provider(mut self, provider: impl Into<String>) -> Self {
        self.provider = Some(provider.into());
        self
    }

    /// A group.
    pub fn group(mut self, name: impl Into<String>) -> Self {
        self.new.groups.push(NamedGroup::Name(name.into()).group());
        self
    }

    /// A group whose members have a role.
    pub fn group_with_role(mut self, name: impl Into<String>, role: impl Into<String>) -> Self {
        self.new.groups.push(PlainGroup {
            name: name.into(),
            role: Some(role.into()),
            ..PlainGroup::default()
        });
        self
    }

    /// A person.
    pub fn user(mut self, person: DirectoryPerson) -> Self {
        self.new.users.push(person.0);
        self
    }

    /// Creates the directory and fills it, with the events of a first synchronization: `dsync.activated`, then
    /// `dsync.user.created`, `dsync.group.created` and `dsync.group.user_added`.
    ///
    /// # Errors
    /// When there is no such provider or role, or two people have the same e-mail address.
    pub fn create(self) -> Result<Directory, EmulatorError> {
        let what = format!("creating the directory {}", self.new.directory.name);
        let mut new = self.new;
        let created = self
            .environment
            .inner
            .transact_at(Some(self.environment.url()), |tx| {
                if let Some(provider) = self.provider {
                    new.directory.r#type = serde_json::from_value(provider.as_str().into())
                        .map_err(|_| ApiError::not_found("Directory type", &provider))?;
                }
                plain::create_filled(tx, new).map_err(ApiError::from)
            });
        let (directory, token) = created.map_err(EmulatorError::refused(what))?;
        Ok(Directory {
            id: directory.id.clone(),
            name: directory.name.clone(),
            scim_url: format!("{}/scim/v2.0/{}", self.environment.url(), directory.external_key),
            bearer_token: token.expose().to_owned(),
        })
    }
}
