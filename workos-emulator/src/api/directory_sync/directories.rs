//! Directories. Source: <https://workos.com/docs/reference/directory-sync/directory>.

mod operations;
mod rules;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use self::{
    operations::{create_directory_sync, delete_directory, get_directory, list_directories},
    rules::{DirectoryChanges, NewDirectory, create, delete, delete_of_organization, go_on_deleting, update},
};
use crate::{
    core::clock,
    server::error::ApiError,
    store::{Index, Record, State},
};

/// Which provider a directory is filled by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum DirectoryType {
    #[serde(rename = "azure scim v2.0")]
    AzureScim,
    #[serde(rename = "bamboohr")]
    BambooHr,
    #[serde(rename = "breathe hr")]
    BreatheHr,
    #[serde(rename = "cezanne hr")]
    CezanneHr,
    #[serde(rename = "cyberark scim v2.0")]
    CyberArkScim,
    #[serde(rename = "fourth hr")]
    FourthHr,
    #[default]
    #[serde(rename = "generic scim v2.0")]
    GenericScim,
    #[serde(rename = "gsuite directory")]
    Gsuite,
    #[serde(rename = "hibob")]
    Hibob,
    #[serde(rename = "jump cloud scim v2.0")]
    JumpCloudScim,
    #[serde(rename = "okta scim v2.0")]
    OktaScim,
    #[serde(rename = "onelogin scim v2.0")]
    OneLoginScim,
    #[serde(rename = "people hr")]
    PeopleHr,
    #[serde(rename = "personio")]
    Personio,
    #[serde(rename = "pingfederate scim v2.0")]
    PingFederateScim,
    #[serde(rename = "rippling scim v2.0")]
    RipplingScim,
    #[serde(rename = "s3")]
    S3,
    #[serde(rename = "sailpoint scim v2.0")]
    SailPointScim,
    #[serde(rename = "sftp")]
    Sftp,
    #[serde(rename = "sftp workday")]
    SftpWorkday,
    #[serde(rename = "workday")]
    Workday,
}

impl DirectoryType {
    /// Whether the provider pushes by SCIM.
    pub(crate) fn is_scim(self) -> bool {
        matches!(
            self,
            Self::AzureScim
                | Self::CyberArkScim
                | Self::GenericScim
                | Self::JumpCloudScim
                | Self::OktaScim
                | Self::OneLoginScim
                | Self::PingFederateScim
                | Self::RipplingScim
                | Self::SailPointScim
        )
    }

    /// Whether its users have roles by their groups.
    pub(super) fn has_roles(self) -> bool {
        self.is_scim() || self == Self::Gsuite
    }
}

/// How well the link to the provider works.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DirectoryState {
    #[default]
    Linked,
    Unlinked,
    Validating,
    InvalidCredentials,
    Deleting,
}

impl DirectoryState {
    /// The word that events have for it, which the API does not share.
    fn in_events(self) -> &'static str {
        match self {
            Self::Linked => "active",
            Self::Unlinked => "inactive",
            Self::Validating => "validating",
            Self::InvalidCredentials => "invalid_credentials",
            Self::Deleting => "deleting",
        }
    }
}

/// A directory as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Directory {
    pub(crate) id: String,
    pub(crate) organization_id: String,
    pub(crate) name: String,
    pub(crate) domain: Option<String>,
    pub(crate) r#type: DirectoryType,
    pub(crate) state: DirectoryState,
    /// Its place in SCIM URLs: `/scim/v2.0/{external_key}`.
    pub(crate) external_key: String,
    /// When somebody last asked for a synchronization.
    #[serde(with = "clock::timestamp::option")]
    pub(crate) sync_requested_at: Option<Timestamp>,
    /// Roles that groups of these names get when they come.
    pub(crate) group_roles: Vec<GroupRole>,
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    pub(crate) updated_at: Timestamp,
}

/// That the members of a group have a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GroupRole {
    pub(crate) name: String,
    /// A slug.
    pub(crate) role: String,
}

pub(crate) const BY_EXTERNAL_KEY: Index<Directory> = Index::unique("external_key", |directory| {
    vec![(directory.external_key.as_str().into(), 0)]
});
pub(crate) const BY_ORGANIZATION: Index<Directory> = Index::ordered("organization", |directory| {
    vec![(directory.organization_id.as_str().into(), 0)]
});
pub(crate) const BY_DOMAIN: Index<Directory> = Index::ordered("domain", |directory| {
    let domain = directory.domain.iter();
    domain.map(|domain| (domain.to_lowercase().into(), 0)).collect()
});

impl Record for Directory {
    const INDEXES: &'static [Index<Self>] = &[BY_EXTERNAL_KEY, BY_ORGANIZATION, BY_DOMAIN];

    fn id(&self) -> &str {
        &self.id
    }
}

/// How much a directory holds. It is a row of its own, so that rules may hold on to a [`Directory`] while they fill it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DirectoryCounts {
    /// The directory's id.
    pub(crate) id: String,
    /// Users that the application sees, unless they are inactive.
    pub(crate) active: u64,
    /// Inactive users that the application sees.
    pub(crate) inactive: u64,
    /// Users that the application does not see, but the provider does.
    pub(crate) hidden: u64,
    pub(crate) groups: u64,
}

impl Record for DirectoryCounts {
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.id
    }
}

/// That a deleted directory's users and groups are still to be dropped. It has the directory's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DirectoryRemains {
    pub(crate) id: String,
}

impl Record for DirectoryRemains {
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.id
    }
}

/// Whether the deletion of a directory is to be gone on with.
pub(crate) fn has_remains(state: &State) -> bool {
    state.directory_remains.len() > 0
}

/// What a directory holds in numbers.
pub(crate) fn counts(state: &State, directory_id: &str) -> DirectoryCounts {
    let counts = state.directory_counts.get(directory_id);
    counts
        .map(|counts| DirectoryCounts::clone(counts))
        .unwrap_or_default()
}

/// A directory as the API shows it.
#[derive(Debug, Serialize)]
#[serde(tag = "object", rename = "directory")]
pub(crate) struct DirectoryBody<'a> {
    id: &'a str,
    organization_id: &'a str,
    external_key: &'a str,
    r#type: DirectoryType,
    state: DirectoryState,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<&'a str>,
    metadata: Metadata,
    #[serde(with = "clock::timestamp")]
    created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    updated_at: Timestamp,
}

#[derive(Debug, Serialize)]
struct Metadata {
    users: UserCounts,
    groups: u64,
}

#[derive(Debug, Serialize)]
struct UserCounts {
    active: u64,
    inactive: u64,
}

/// A directory as `dsync.deleted` shows it, and with the rest as `dsync.activated` does.
#[derive(Debug, Serialize)]
#[serde(tag = "object", rename = "directory")]
struct EventData<'a> {
    id: &'a str,
    organization_id: &'a str,
    r#type: DirectoryType,
    state: &'static str,
    name: &'a str,
    #[serde(with = "clock::timestamp")]
    created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    updated_at: Timestamp,
}

#[derive(Debug, Serialize)]
struct ActivatedData<'a> {
    #[serde(flatten)]
    directory: EventData<'a>,
    external_key: &'a str,
    domains: Vec<ActivatedDomain<'a>>,
}

/// A domain of the directory's organization.
#[derive(Debug, Serialize)]
#[serde(tag = "object", rename = "organization_domain")]
struct ActivatedDomain<'a> {
    id: &'a str,
    domain: &'a str,
}

impl Directory {
    pub(crate) fn body(&self, state: &State) -> DirectoryBody<'_> {
        let counts = counts(state, &self.id);
        DirectoryBody {
            id: &self.id,
            organization_id: &self.organization_id,
            external_key: &self.external_key,
            r#type: self.r#type,
            state: self.state,
            name: &self.name,
            domain: self.domain.as_deref(),
            metadata: Metadata {
                users: UserCounts {
                    active: counts.active,
                    inactive: counts.inactive,
                },
                groups: counts.groups,
            },
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }

    fn event_data(&self) -> EventData<'_> {
        EventData {
            id: &self.id,
            organization_id: &self.organization_id,
            r#type: self.r#type,
            state: self.state.in_events(),
            name: &self.name,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }

    fn activated_data<'a>(&'a self, state: &'a State) -> ActivatedData<'a> {
        let organization = state.organizations.get(&self.organization_id);
        let domains = organization
            .into_iter()
            .flat_map(|organization| &organization.domains);
        ActivatedData {
            directory: self.event_data(),
            external_key: &self.external_key,
            domains: domains
                .map(|domain| ActivatedDomain {
                    id: &domain.id,
                    domain: &domain.domain,
                })
                .collect(),
        }
    }
}

/// The directory with this id, or the refusal.
pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Arc<Directory>, ApiError> {
    state
        .directories
        .get(id)
        .ok_or_else(|| ApiError::not_found("Directory", id))
}

/// The directory that a SCIM URL names.
pub(crate) fn by_external_key<'a>(state: &'a State, key: &str) -> Option<&'a Arc<Directory>> {
    state.directories.find(BY_EXTERNAL_KEY, key)
}
