//! Directory Sync in the portal: the link to the organization's provider, and who has come over it.
//!
//! Assumptions: an admin links one directory; the application may link more by other ways. It is linked from the start, as
//! the provider needs the endpoint before it can push anything.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::{
    page,
    pages::{
        Form,
        portal::{DirectoriesPage, DirectoryPage, DirectoryRow, ProviderChoice, Synced},
    },
    visit::{self, Visit},
};
use crate::{
    api::{
        admin_portal::intent::Intent,
        directory_sync::{
            directories::{self, BY_ORGANIZATION, Directory, DirectoryState, DirectoryType, NewDirectory},
            groups, tokens,
            users::{LISTED_BY_DIRECTORY, attributes},
        },
    },
    core::secret::Secret,
    hosted::error,
    server::{call::Call, error::ApiError, reply::Reply},
    store::State,
};

pub(crate) const PATH: &str = "/portal/directory-sync";

const INTENT: Option<Intent> = Some(Intent::Dsync);

/// How many users and groups a page names. The rest is counted.
const MOST_NAMED: usize = 50;

/// The providers that push by SCIM, by the names that their admins know.
const PROVIDERS: [(DirectoryType, &str); 9] = [
    (DirectoryType::OktaScim, "Okta"),
    (DirectoryType::AzureScim, "Microsoft Entra ID"),
    (DirectoryType::OneLoginScim, "OneLogin"),
    (DirectoryType::JumpCloudScim, "JumpCloud"),
    (DirectoryType::CyberArkScim, "CyberArk"),
    (DirectoryType::PingFederateScim, "PingFederate"),
    (DirectoryType::RipplingScim, "Rippling"),
    (DirectoryType::SailPointScim, "SailPoint"),
    (DirectoryType::GenericScim, "Another SCIM 2.0 provider"),
];

fn path(directory: &Directory) -> String {
    format!("{PATH}/{}", directory.id)
}

fn provider(directory: &Directory) -> &'static str {
    let known = PROVIDERS.iter().find(|(of, _)| *of == directory.r#type);
    known.map_or("Set up by the application", |(_, name)| name)
}

fn state_of(directory: &Directory) -> &'static str {
    match directory.state {
        DirectoryState::Linked => "Linked",
        DirectoryState::Unlinked => "Unlinked",
        DirectoryState::Validating => "Validating",
        DirectoryState::InvalidCredentials => "Invalid credentials",
        DirectoryState::Deleting => "Deleting",
    }
}

/// Whether the organization has a linked directory, and how many users came over it.
pub(super) fn synced(state: &State, organization_id: &str) -> Option<u64> {
    let directories = state.directories.group(BY_ORGANIZATION, organization_id);
    directories
        .filter(|directory| directory.state == DirectoryState::Linked)
        .map(|directory| directories::counts(state, &directory.id).active)
        .reduce(|one, other| one + other)
}

/// `GET /portal/directory-sync`
pub(crate) fn show_directories(call: &Call) -> Result<Reply, ApiError> {
    visit::show(call, INTENT, |visit| list(visit, 200, false))
}

/// `POST /portal/directory-sync`: links a provider, and shows once what it pushes with.
pub(crate) fn submit_directory(call: &Call) -> Result<Reply, ApiError> {
    visit::submit(call, INTENT, |visit| {
        let chosen = call.raw_body().get("provider").cloned().unwrap_or(Value::Null);
        let chosen = serde_json::from_value::<DirectoryType>(chosen).ok();
        let Some((r#type, name)) = PROVIDERS.into_iter().find(|(of, _)| Some(*of) == chosen) else {
            return list(visit, 400, true);
        };
        let organization_id = &visit.organization.id;
        let created = call.environment.transact(|tx| {
            if tx
                .directories
                .group(BY_ORGANIZATION, organization_id)
                .next()
                .is_some()
            {
                return Ok(None);
            }
            let new = NewDirectory {
                organization_id: organization_id.clone(),
                name: match r#type {
                    DirectoryType::GenericScim => "SCIM directory".to_owned(),
                    _ => name.to_owned(),
                },
                r#type,
                ..NewDirectory::default()
            };
            let directory = directories::create(tx, new)?;
            let (_, token) = tokens::create(tx, &directory, None)?;
            Ok::<_, ApiError>(Some((directory, token)))
        })?;
        match created {
            Some((directory, token)) => detail(visit, &directory, Some(&token)),
            // Somebody sent the form twice: the token was shown.
            None => Ok(visit.to(PATH)),
        }
    })
}

fn list(visit: &Visit<'_>, status: u16, refused: bool) -> Result<Reply, ApiError> {
    let state = visit.call.environment.state();
    let directories: Vec<_> = state
        .directories
        .group(BY_ORGANIZATION, &visit.organization.id)
        .map(|directory| DirectoryRow {
            name: &directory.name,
            provider: provider(directory),
            state: state_of(directory),
            linked: directory.state == DirectoryState::Linked,
            url: visit.url(&path(directory)),
        })
        .collect();
    let values = PROVIDERS.map(|(of, _)| serde_json::to_value(of).unwrap_or_default());
    let providers: Vec<_> = PROVIDERS
        .iter()
        .zip(&values)
        .map(|((_, name), value)| ProviderChoice {
            value: value.as_str().unwrap_or_default(),
            name,
        })
        .collect();
    page(
        status,
        &DirectoriesPage {
            chrome: visit.chrome(),
            frame: visit.frame(PATH),
            form: Form {
                action: PATH,
                hidden: &visit.hidden(),
            },
            directories: &directories,
            providers: &providers,
            refused,
        },
    )
}

/// `GET /portal/directory-sync/{id}`
pub(crate) fn show_directory(call: &Call) -> Result<Reply, ApiError> {
    visit::show(call, INTENT, |visit| match own(visit) {
        Some(directory) => detail(visit, &directory, None),
        None => error::portal_session_over(call),
    })
}

/// `POST /portal/directory-sync/{id}`: a new token in place of the old one, or an end to the link.
pub(crate) fn change_directory(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Fields {
        decision: String,
    }
    visit::submit(call, INTENT, |visit| {
        let Some(directory) = own(visit) else {
            return error::portal_session_over(call);
        };
        let Fields { decision } = call.body()?;
        match decision.as_str() {
            "rotate" => {
                let token = call.environment.transact(|tx| {
                    tokens::revoke_all(tx, &directory.id)?;
                    tokens::create(tx, &directory, None)
                });
                let (_, token) = token?;
                detail(visit, &directory, Some(&token))
            }
            "reset" => {
                call.environment
                    .transact(|tx| directories::delete(tx, &directory.id))?;
                Ok(visit.to(PATH))
            }
            _ => Ok(visit.to(&path(&directory))),
        }
    })
}

/// The directory of the path, if it is the organization's.
fn own(visit: &Visit<'_>) -> Option<Arc<Directory>> {
    let state = visit.call.environment.state();
    let directory = state.directories.get(visit.call.param("id"))?;
    (directory.organization_id == visit.organization.id).then(|| Arc::clone(directory))
}

fn detail(visit: &Visit<'_>, directory: &Directory, token: Option<&Secret>) -> Result<Reply, ApiError> {
    let state = visit.call.environment.state();
    let counts = directories::counts(&state, &directory.id);
    let users: Vec<_> = state
        .directory_users
        .group(LISTED_BY_DIRECTORY, &directory.id)
        .take(MOST_NAMED)
        .map(|user| Synced {
            name: attributes::name(&user.attributes)
                .or_else(|| user.username().map(str::to_owned))
                .unwrap_or_else(|| user.idp_id.clone()),
            detail: user.email.clone().unwrap_or_default(),
        })
        .collect();
    let groups: Vec<_> = state
        .directory_groups
        .group(groups::BY_DIRECTORY, &directory.id)
        .take(MOST_NAMED)
        .map(|group| Synced {
            name: group.name.clone(),
            detail: group.role.clone().unwrap_or_default(),
        })
        .collect();
    let path = path(directory);
    let suffix = state
        .directory_tokens
        .group(tokens::BY_DIRECTORY, &directory.id)
        .last()
        .map(|token| token.token_suffix.clone());
    let endpoint = format!("{}/scim/v2.0/{}", visit.call.base_url(), directory.external_key);
    page(
        200,
        &DirectoryPage {
            chrome: visit.chrome(),
            frame: visit.frame(&path).back_to(visit.url(PATH), "Directory Sync"),
            form: Form {
                action: &path,
                hidden: &visit.hidden(),
            },
            name: &directory.name,
            provider: provider(directory),
            state: state_of(directory),
            linked: directory.state == DirectoryState::Linked,
            endpoint: directory.r#type.is_scim().then_some(endpoint.as_str()),
            token: token.map(Secret::expose),
            token_suffix: suffix.as_deref().unwrap_or_default(),
            user_count: counts.active + counts.inactive,
            users: &users,
            group_count: counts.groups,
            groups: &groups,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_provider_that_pushes_can_be_chosen() {
        for (of, name) in PROVIDERS {
            assert!(of.is_scim(), "{name}");
            let value = serde_json::to_value(of).unwrap();
            assert_eq!(serde_json::from_value::<DirectoryType>(value).unwrap(), of);
        }
    }
}
