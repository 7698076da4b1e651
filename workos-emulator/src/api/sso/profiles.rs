//! Profiles: the people whom identity providers know. Source: <https://workos.com/docs/reference/sso/profile>.
//!
//! A profile is what an identity provider has said of somebody last, and it is there as soon as it has said something; those
//! that a seed names are there before.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    connections::{self, Connection, filed},
    identity_provider::Person,
};
use crate::{
    api::user_management::users,
    core::{clock, secret::Secret},
    server::error::ApiError,
    store::{Index, Record, State, Transaction},
};

/// A profile as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Profile {
    pub(crate) id: String,
    pub(crate) connection_id: String,
    pub(crate) idp_id: String,
    /// Lower-cased.
    pub(crate) email: String,
    pub(crate) first_name: Option<String>,
    pub(crate) last_name: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) groups: Vec<String>,
    /// Slugs, as of the last sign-in.
    pub(crate) roles: Vec<String>,
    pub(crate) custom_attributes: Map<String, Value>,
    pub(crate) raw_attributes: Map<String, Value>,
    /// The user of AuthKit who signs in with it.
    pub(crate) user_id: Option<String>,
    /// Digests of what browsers have in which the person has agreed to sign in.
    pub(crate) consents: Vec<String>,
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    pub(crate) updated_at: Timestamp,
}

const BY_IDP_ID: Index<Profile> = Index::unique("idp_id", |profile| {
    vec![(filed(&profile.connection_id, &profile.idp_id), 0)]
});
const BY_CONNECTION: Index<Profile> = Index::ordered("connection", |profile| {
    vec![(profile.connection_id.as_str().into(), 0)]
});
const BY_EMAIL: Index<Profile> = Index::ordered("email", |profile| {
    vec![(filed(&profile.connection_id, &profile.email), 0)]
});
const BY_USER: Index<Profile> = Index::ordered("user", |profile| {
    profile.user_id.iter().map(|id| (id.as_str().into(), 0)).collect()
});

impl Record for Profile {
    const INDEXES: &'static [Index<Self>] = &[BY_IDP_ID, BY_CONNECTION, BY_EMAIL, BY_USER];
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.id
    }
}

#[derive(Debug, Serialize)]
struct SlimRole<'a> {
    slug: &'a str,
}

/// A profile as the API shows it.
#[derive(Debug, Serialize)]
#[serde(tag = "object", rename = "profile")]
pub(crate) struct ProfileBody<'a> {
    pub(crate) id: &'a str,
    organization_id: Option<&'a str>,
    connection_id: &'a str,
    connection_type: &'a str,
    idp_id: &'a str,
    email: &'a str,
    first_name: Option<&'a str>,
    last_name: Option<&'a str>,
    name: Option<String>,
    role: Option<SlimRole<'a>>,
    roles: Option<Vec<SlimRole<'a>>>,
    groups: &'a [String],
    custom_attributes: &'a Map<String, Value>,
    raw_attributes: Map<String, Value>,
}

impl Profile {
    /// The full name: as the provider says it, else made of the two parts.
    pub(crate) fn full_name(&self) -> Option<String> {
        let parts = [self.first_name.as_deref(), self.last_name.as_deref()];
        let made = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
        self.name.clone().or(Some(made).filter(|name| !name.is_empty()))
    }

    /// Assumption: `raw_attributes` still have data, unless the setting says otherwise; production has stopped that for most
    /// environments (<https://workos.com/docs/sso/attributes>).
    pub(crate) fn body<'a>(&'a self, state: &'a State) -> Result<ProfileBody<'a>, ApiError> {
        let connection = connections::find(state, &self.connection_id)?;
        let role = |slug: &'a String| SlimRole { slug };
        Ok(ProfileBody {
            id: &self.id,
            organization_id: connection.organization_id.as_deref(),
            connection_id: &self.connection_id,
            connection_type: &connection.connection_type,
            idp_id: &self.idp_id,
            email: &self.email,
            first_name: self.first_name.as_deref(),
            last_name: self.last_name.as_deref(),
            name: self.full_name(),
            role: self.roles.first().map(role),
            roles: (!self.roles.is_empty()).then(|| self.roles.iter().map(role).collect()),
            groups: &self.groups,
            custom_attributes: &self.custom_attributes,
            raw_attributes: if state.settings().sso_raw_attributes {
                self.raw_attributes.clone()
            } else {
                Map::new()
            },
        })
    }

    /// The same person, as the provider would say it.
    pub(crate) fn person(&self) -> Person {
        Person {
            idp_id: self.idp_id.clone(),
            email: self.email.clone(),
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            name: self.name.clone(),
            groups: self.groups.clone(),
            custom_attributes: self.custom_attributes.clone(),
        }
    }
}

/// The profile with this id, or the refusal.
pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Arc<Profile>, ApiError> {
    state
        .profiles
        .get(id)
        .ok_or_else(|| ApiError::not_found("Profile", id))
}

/// The people of a connection, the oldest first.
pub(crate) fn of_connection<'a>(
    state: &'a State,
    connection_id: &str,
) -> impl Iterator<Item = &'a Arc<Profile>> {
    state.profiles.group(BY_CONNECTION, connection_id)
}

/// The first of those that have this address.
pub(crate) fn by_email<'a>(state: &'a State, connection_id: &str, email: &str) -> Option<&'a Arc<Profile>> {
    let email = email.trim().to_lowercase();
    state
        .profiles
        .group(BY_EMAIL, &filed(connection_id, &email))
        .next()
}

/// The profile of the one whom the provider knows by this id.
pub(crate) fn by_idp_id<'a>(state: &'a State, connection_id: &str, idp_id: &str) -> Option<&'a Arc<Profile>> {
    state.profiles.find(BY_IDP_ID, &filed(connection_id, idp_id))
}

/// What a provider knows an address by as long as nobody says otherwise: always the same.
pub(crate) fn usual_idp_id(connection: &Connection, email: &str) -> String {
    let email = email.trim().to_lowercase();
    let digest = Secret::digest(&filed(&connection.external_key, &email));
    format!("00u{}", digest.get(..17).unwrap_or_default())
}

/// The longest text of a profile, in characters.
const LONGEST: usize = 255;

/// Writes down what a provider says of a person. `raw` is all that it says.
pub(crate) fn record(
    tx: &mut Transaction<'_>,
    connection: &Connection,
    person: Person,
    raw: Map<String, Value>,
) -> Result<Arc<Profile>, ApiError> {
    let Some(email) = users::email::normalized(&person.email) else {
        let message = format!("'{}' is not an e-mail address.", person.email);
        return Err(ApiError::invalid_field("email", "invalid_email", message));
    };
    for (field, text) in [
        ("idp_id", Some(&person.idp_id)),
        ("first_name", person.first_name.as_ref()),
        ("last_name", person.last_name.as_ref()),
        ("name", person.name.as_ref()),
    ] {
        if text.is_some_and(|text| text.chars().count() > LONGEST) {
            let message = format!("{field} has at most {LONGEST} characters.");
            return Err(ApiError::invalid_field(field, "too_long", message));
        }
    }
    let now = tx.now();
    let roles = connections::roles_of(tx, connection, &person.groups);
    let known = by_idp_id(tx, &connection.id, &person.idp_id).cloned();
    let profile = Profile {
        id: known
            .as_ref()
            .map_or_else(|| tx.id("prof"), |known| known.id.clone()),
        connection_id: connection.id.clone(),
        idp_id: person.idp_id,
        email,
        first_name: person.first_name,
        last_name: person.last_name,
        name: person.name,
        groups: person.groups,
        roles,
        custom_attributes: person.custom_attributes,
        raw_attributes: raw,
        user_id: known.as_ref().and_then(|known| known.user_id.clone()),
        consents: known
            .as_ref()
            .map(|known| known.consents.clone())
            .unwrap_or_default(),
        created_at: known.as_ref().map_or(now, |known| known.created_at),
        updated_at: known.as_ref().map_or(now, |known| known.updated_at),
    };
    match known {
        Some(known) if *known == profile => Ok(known),
        _ => Ok(tx.put(Profile {
            updated_at: now,
            ..profile
        })?),
    }
}

/// Lets a user sign in with a profile. One that is another user's stays so.
pub(crate) fn link(tx: &mut Transaction<'_>, id: &str, user_id: &str) -> Result<(), ApiError> {
    let profile = Arc::clone(find(tx, id)?);
    match &profile.user_id {
        Some(present) if present == user_id => Ok(()),
        Some(_) => Err(ApiError::conflict(
            "identity_already_linked",
            format!("The profile '{id}' is linked to another user."),
        )),
        None => {
            tx.put(Profile {
                user_id: Some(user_id.to_owned()),
                ..Profile::clone(&profile)
            })?;
            Ok(())
        }
    }
}

/// Lets go of a user who is deleted.
pub(crate) fn unlink_user(tx: &mut Transaction<'_>, user_id: &str) -> Result<(), ApiError> {
    let linked: Vec<_> = tx.profiles.group(BY_USER, user_id).map(Arc::clone).collect();
    for profile in linked {
        tx.put(Profile {
            user_id: None,
            ..Profile::clone(&profile)
        })?;
    }
    Ok(())
}

/// Deletes the people of a connection that is deleted.
pub(crate) fn delete_of_connection(tx: &mut Transaction<'_>, connection_id: &str) {
    let ids: Vec<_> = of_connection(tx, connection_id)
        .map(|profile| profile.id.clone())
        .collect();
    for id in ids {
        tx.delete::<Profile>(&id);
    }
}

/// In how many browsers a person's consent is remembered.
const MOST_CONSENTS: usize = 16;

/// Remembers that the person has agreed, in the browser that has `token`.
pub(crate) fn consent(tx: &mut Transaction<'_>, id: &str, token: &str) -> Result<(), ApiError> {
    let mut profile = Profile::clone(find(tx, id)?);
    profile.consents.insert(0, Secret::digest(token));
    profile.consents.truncate(MOST_CONSENTS);
    tx.put(profile)?;
    Ok(())
}

impl Profile {
    /// Whether the person has agreed before, in the browser that has `token`.
    pub(crate) fn has_consented(&self, token: Option<&str>) -> bool {
        token.is_some_and(|token| self.consents.contains(&Secret::digest(token)))
    }
}
