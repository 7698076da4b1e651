//! API keys that an application gives to its own customers. Source: <https://workos.com/docs/authkit/api-keys>.
//!
//! An organization owns such a key, or a user in one organization. It opens the application's API, which asks
//! [`validate`] about it; WorkOS's own API it does not open: that takes a [`SecretKey`](crate::server::api_key::SecretKey).

mod operations;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use self::operations::{
    create_api_key_expire, create_organization_api_key, create_user_api_key, create_validation,
    delete_api_key, list_organization_api_keys, list_user_api_keys,
};
use super::{
    authorization::permissions,
    organizations,
    user_management::{memberships, users},
};
use crate::{
    core::{clock, secret::Secret},
    server::{
        body::Patch,
        error::{ApiError, FieldError},
    },
    store::{Index, Record, State, Transaction, group},
};

/// Whose key it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Owner {
    Organization {
        id: String,
    },
    /// A member of the organization; without the membership the key is of no use.
    User {
        id: String,
        organization_id: String,
    },
}

/// An API key, as kept and as shown: its value is shown once, when it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "object", rename = "api_key")]
pub(crate) struct ApiKey {
    pub(crate) id: String,
    pub(crate) owner: Owner,
    pub(crate) name: String,
    /// `sk_...3456`
    pub(crate) obfuscated_value: String,
    /// The last successful validation.
    #[serde(with = "clock::timestamp::option")]
    pub(crate) last_used_at: Option<Timestamp>,
    #[serde(with = "clock::timestamp::option")]
    pub(crate) expires_at: Option<Timestamp>,
    /// Slugs, in the order in which they were given.
    pub(crate) permissions: Vec<String>,
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    pub(crate) updated_at: Timestamp,
}

/// The keys that an organization owns; those of a user, and again those of a user in one organization.
const BY_OWNER: Index<ApiKey> = Index::ordered("owner", |key| match &key.owner {
    Owner::Organization { id } => vec![(id.as_str().into(), 0)],
    Owner::User { id, organization_id } => {
        vec![(id.as_str().into(), 0), (group(&[id, organization_id]), 0)]
    }
});
const BY_PERMISSION: Index<ApiKey> = Index::ordered("permission", |key| {
    let permissions = key.permissions.iter();
    permissions.map(|slug| (slug.as_str().into(), 0)).collect()
});

impl Record for ApiKey {
    const INDEXES: &'static [Index<Self>] = &[BY_OWNER, BY_PERMISSION];

    fn id(&self) -> &str {
        &self.id
    }
}

/// What is kept of a key's value.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ApiKeyValue {
    /// The key's id.
    pub(crate) id: String,
    /// [`Secret::digest`]
    pub(crate) digest: String,
}

const BY_DIGEST: Index<ApiKeyValue> =
    Index::unique("digest", |value| vec![(value.digest.as_str().into(), 0)]);

impl Record for ApiKeyValue {
    const INDEXES: &'static [Index<Self>] = &[BY_DIGEST];

    fn id(&self) -> &str {
        &self.id
    }
}

impl ApiKey {
    fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// Whether the owner may use the key now.
    fn is_usable(&self, state: &State, now: Timestamp) -> bool {
        let has_owner = match &self.owner {
            Owner::Organization { .. } => true,
            Owner::User { id, organization_id } => memberships::active(state, id, organization_id).is_some(),
        };
        has_owner && !self.is_expired(now)
    }
}

/// An API key to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewApiKey {
    pub(crate) owner: Owner,
    pub(crate) name: String,
    pub(crate) permissions: Vec<String>,
    pub(crate) expires_at: Option<Timestamp>,
}

fn find<'a>(state: &'a State, id: &str) -> Result<&'a Arc<ApiKey>, ApiError> {
    state
        .api_keys
        .get(id)
        .ok_or_else(|| ApiError::not_found("API key", id))
}

/// Makes a key, and gives the value that nobody can ask for again.
///
/// Assumption: every permission of the environment can be given to a key; production has a list for that in its
/// dashboard.
pub(crate) fn create(tx: &mut Transaction<'_>, new: NewApiKey) -> Result<(Arc<ApiKey>, Secret), ApiError> {
    check_owner(tx, &new.owner)?;
    let now = tx.now();
    if new.expires_at.is_some_and(|at| at <= now) {
        let error = FieldError::new("expires_at", "expires_at_in_past");
        return Err(invalid(
            &new.owner,
            error.message("expires_at must be in the future."),
        ));
    }
    let value = format!("sk_{}", tx.token(40));
    let key = put(tx, new, &value)?;
    Ok((key, Secret::new(value)))
}

/// Makes a key with a value of one's own, which only a seed can give. It may have expired.
pub(crate) fn seed(tx: &mut Transaction<'_>, new: NewApiKey, value: &str) -> Result<Arc<ApiKey>, ApiError> {
    check_owner(tx, &new.owner)?;
    put(tx, new, value)
}

fn put(tx: &mut Transaction<'_>, new: NewApiKey, value: &str) -> Result<Arc<ApiKey>, ApiError> {
    if new.name.trim().is_empty() {
        let error = FieldError::new("name", "required").message("name must not be empty.");
        return Err(invalid(&new.owner, error));
    }
    let mut permissions: Vec<String> = Vec::with_capacity(new.permissions.len());
    for slug in new.permissions {
        if permissions::find(tx, &slug).is_err() {
            let error = FieldError::new("permissions", "permission_not_found");
            let message = format!("There is no permission '{slug}'.");
            return Err(invalid(&new.owner, error.message(message)));
        }
        if !permissions.contains(&slug) {
            permissions.push(slug);
        }
    }
    let key = ApiKey {
        id: tx.id("api_key"),
        owner: new.owner,
        name: new.name,
        obfuscated_value: obfuscated(value),
        last_used_at: None,
        expires_at: new.expires_at,
        permissions,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    tx.put(ApiKeyValue {
        id: key.id.clone(),
        digest: Secret::digest(value),
    })?;
    let key = tx.put(key)?;
    tx.emit("api_key.created", &key)?;
    Ok(key)
}

/// Assumption: a user who is no active member is refused with 422, for which the description of the API has a message
/// and no field.
fn check_owner(state: &State, owner: &Owner) -> Result<(), ApiError> {
    match owner {
        Owner::Organization { id } => organizations::find(state, id).map(drop),
        Owner::User { id, organization_id } => {
            users::find(state, id)?;
            organizations::find(state, organization_id)?;
            if memberships::active(state, id, organization_id).is_some() {
                return Ok(());
            }
            let message = format!("The user is not an active member of organization '{organization_id}'.");
            Err(ApiError::message(422, message))
        }
    }
}

/// What the description of the API has for a wrong field: 422 for the key of an organization, 400 for that of a user.
fn invalid(owner: &Owner, error: FieldError) -> ApiError {
    let mut refusal = ApiError::invalid([error]);
    if matches!(owner, Owner::User { .. }) {
        refusal.status = 400;
    }
    refusal
}

/// `sk_...3456`
fn obfuscated(value: &str) -> String {
    let from = value.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
    format!("sk_...{}", value.get(from..).unwrap_or_default())
}

/// The key with this value, if it is good for anything now: then it counts as used.
///
/// Assumption: a key of a user counts for nothing while the membership is inactive, and again when it is active. A use
/// is no change: it has no event, and leaves `updated_at`.
pub(crate) fn validate(tx: &mut Transaction<'_>, value: &str) -> Result<Option<Arc<ApiKey>>, ApiError> {
    let now = tx.now();
    let found = tx.api_key_values.find(BY_DIGEST, &Secret::digest(value));
    let key = found.and_then(|found| tx.api_keys.get(&found.id));
    let Some(key) = key.filter(|key| key.is_usable(tx, now)) else {
        return Ok(None);
    };
    let used = ApiKey {
        last_used_at: Some(now),
        ..ApiKey::clone(key)
    };
    Ok(Some(tx.put(used)?))
}

/// Sets when a key expires: at once, at a time, or never. What changes nothing has no event.
fn expire(tx: &mut Transaction<'_>, id: &str, at: Patch<Timestamp>) -> Result<Arc<ApiKey>, ApiError> {
    #[derive(Serialize)]
    struct Updated<'a> {
        #[serde(flatten)]
        key: &'a ApiKey,
        previous_attributes: Previous,
    }
    #[derive(Serialize)]
    struct Previous {
        #[serde(with = "clock::timestamp::option")]
        expires_at: Option<Timestamp>,
    }
    let key = Arc::clone(find(tx, id)?);
    let now = tx.now();
    if key.is_expired(now) {
        return Err(ApiError::conflict(
            "api_key_already_expired",
            "The API key has expired already.",
        ));
    }
    let expires_at = match at {
        Patch::Keep => Some(now),
        Patch::Clear => None,
        Patch::Set(at) => Some(at.max(now)),
    };
    if expires_at == key.expires_at {
        return Ok(key);
    }
    let previous_attributes = Previous {
        expires_at: key.expires_at,
    };
    let key = tx.put(ApiKey {
        expires_at,
        updated_at: now,
        ..ApiKey::clone(&key)
    })?;
    let updated = Updated {
        key: &key,
        previous_attributes,
    };
    tx.emit("api_key.updated", &updated)?;
    Ok(key)
}

/// Deletes a key for good.
fn delete(tx: &mut Transaction<'_>, id: &str) -> Result<(), ApiError> {
    let key = Arc::clone(find(tx, id)?);
    tx.delete::<ApiKeyValue>(id);
    tx.delete::<ApiKey>(id);
    tx.emit("api_key.revoked", &key).map(drop)
}

/// Deletes the keys that an organization owns, each with its event. Those of its members go with the memberships.
pub(crate) fn delete_of_organization(tx: &mut Transaction<'_>, id: &str) -> Result<(), ApiError> {
    delete_all(tx, id)
}

/// Deletes the keys of a user in an organization, each with its event.
pub(crate) fn delete_of_membership(
    tx: &mut Transaction<'_>,
    user_id: &str,
    organization_id: &str,
) -> Result<(), ApiError> {
    delete_all(tx, &group(&[user_id, organization_id]))
}

fn delete_all(tx: &mut Transaction<'_>, owner: &str) -> Result<(), ApiError> {
    let keys = tx.api_keys.group(BY_OWNER, owner);
    let ids: Vec<_> = keys.map(|key| key.id.clone()).collect();
    ids.iter().try_for_each(|id| delete(tx, id))
}

/// Takes a permission that is gone from every key that has it. `api_key.updated` tells of expiries only.
pub(crate) fn remove_permission_from_all(tx: &mut Transaction<'_>, slug: &str) -> Result<(), ApiError> {
    let keys: Vec<_> = tx.api_keys.group(BY_PERMISSION, slug).map(Arc::clone).collect();
    for key in keys {
        let mut key = ApiKey::clone(&key);
        key.permissions.retain(|other| other != slug);
        key.updated_at = tx.now();
        tx.put(key)?;
    }
    Ok(())
}
