//! Users. Source: <https://workos.com/docs/reference/authkit/user>.

pub(crate) mod email;
mod list;
mod locale;
pub(crate) mod password;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use self::password::GivenPassword;
pub(crate) use self::{list::list_users, password::Password};
use super::{
    email_change::{self, EmailChange},
    email_verification::{self, EmailVerification},
    identities, impersonation, invitations,
    magic_auth::MagicAuth,
    memberships, passkeys, password_reset, sessions,
};
use crate::{
    api::{
        connect::consents,
        directory_sync, feature_flags,
        metadata::{self, Metadata},
        multi_factor_auth::factors,
        sso::profiles,
    },
    core::{
        clock,
        password::{PasswordHash, PasswordHashType, SaltPosition},
        secret::Secret,
    },
    server::{body::Patch, call::Call, error::ApiError, reply::Reply},
    store::{Index, Record, State, Transaction},
};

/// The longest name, in characters. Assumption: production's limit is not documented.
pub(crate) const MAX_NAME_LENGTH: usize = 255;

/// A user, as kept and as shown. The password is a row of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "object", rename = "user")]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) email_verified: bool,
    pub(crate) first_name: Option<String>,
    pub(crate) last_name: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) profile_picture_url: Option<String>,
    #[serde(with = "clock::timestamp::option")]
    pub(crate) last_sign_in_at: Option<Timestamp>,
    pub(crate) locale: Option<String>,
    pub(crate) external_id: Option<String>,
    pub(crate) metadata: Metadata,
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    pub(crate) updated_at: Timestamp,
}

/// E-mail addresses are compared without regard to case.
pub(crate) const BY_EMAIL: Index<User> =
    Index::unique("email", |user| vec![(user.email.to_lowercase().into(), 0)]);
pub(crate) const BY_EXTERNAL_ID: Index<User> = Index::unique("external_id", |user| {
    user.external_id
        .iter()
        .map(|id| (id.as_str().into(), 0))
        .collect()
});

impl Record for User {
    const INDEXES: &'static [Index<Self>] = &[BY_EMAIL, BY_EXTERNAL_ID];

    fn id(&self) -> &str {
        &self.id
    }
}

/// What a user is made of: by the API, a seed, or a sign-up.
#[derive(Debug, Default)]
pub(crate) struct NewUser {
    /// Only a seed gives an id.
    pub(crate) id: Option<String>,
    pub(crate) email: String,
    pub(crate) email_verified: bool,
    pub(crate) first_name: Option<String>,
    pub(crate) last_name: Option<String>,
    /// Derived from first and last name where it is not given.
    pub(crate) name: Option<String>,
    pub(crate) external_id: Option<String>,
    pub(crate) metadata: Option<Map<String, Value>>,
    pub(crate) profile_picture_url: Option<String>,
    pub(crate) locale: Option<String>,
    /// See [`password::prepare`].
    pub(crate) password_hash: Option<PasswordHash>,
}

/// What is to become of a user.
#[derive(Debug, Default)]
pub(crate) struct UserChanges {
    pub(crate) email: Option<String>,
    pub(crate) email_verified: Option<bool>,
    pub(crate) first_name: Patch<String>,
    pub(crate) last_name: Patch<String>,
    pub(crate) name: Patch<String>,
    pub(crate) external_id: Patch<String>,
    pub(crate) metadata: Option<Map<String, Value>>,
    pub(crate) locale: Patch<String>,
    pub(crate) password_hash: Option<PasswordHash>,
}

/// The user with this id, or the refusal.
pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Arc<User>, ApiError> {
    state.users.get(id).ok_or_else(|| ApiError::not_found("User", id))
}

/// The user with this e-mail address, whatever its case.
pub(crate) fn find_by_email<'a>(state: &'a State, email: &str) -> Option<&'a Arc<User>> {
    state.users.find(BY_EMAIL, &email.trim().to_lowercase())
}

/// The user with this id, or else with this e-mail address, as the control API names people.
pub(crate) fn by_id_or_email<'a>(
    state: &'a State,
    id: Option<&str>,
    email: Option<&str>,
) -> Result<&'a Arc<User>, ApiError> {
    match (id, email) {
        (Some(id), _) => find(state, id),
        (None, Some(email)) => find_by_email(state, email).ok_or_else(|| ApiError::not_found("User", email)),
        (None, None) => {
            let message = "One of user_id and email is required.";
            Err(ApiError::invalid_field("user_id", "required", message))
        }
    }
}

/// Creates a user.
///
/// A refused e-mail address or external id is a `user_creation_error` with the reason in `errors`; for an address that
/// is taken this was seen in production, for the others it is an assumption.
pub(crate) fn create(tx: &mut Transaction<'_>, new: NewUser) -> Result<Arc<User>, ApiError> {
    let email = email::normalized(&new.email)
        .ok_or_else(|| not_created("invalid_email", "This email is not valid."))?;
    if tx.users.find(BY_EMAIL, &email).is_some() {
        return Err(not_created("email_not_available", "This email is not available."));
    }
    if let Some(external_id) = &new.external_id {
        metadata::check_external_id(external_id)?;
        if tx.users.find(BY_EXTERNAL_ID, external_id).is_some() {
            return Err(not_created(
                "external_id_already_used",
                "The external_id is already in use.",
            ));
        }
    }
    let mut metadata = Metadata::new();
    if let Some(given) = new.metadata {
        metadata::merge(&mut metadata, given)?;
    }
    check_locale(new.locale.as_deref())?;
    let mut user = User {
        id: new.id.unwrap_or_else(|| tx.id("user")),
        email,
        email_verified: new.email_verified,
        first_name: new.first_name,
        last_name: new.last_name,
        name: new.name,
        profile_picture_url: new.profile_picture_url,
        last_sign_in_at: None,
        locale: new.locale,
        external_id: new.external_id,
        metadata,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    user.name = user.name.take().or_else(|| user.derived_name());
    check_names(&user)?;
    let user = tx.put(user)?;
    if let Some(hash) = new.password_hash {
        password::set(tx, &user.id, hash)?;
    }
    tx.emit("user.created", &user)?;
    Ok(user)
}

/// Changes a user. A new e-mail address is unverified unless it is said to be verified in the same breath, and identities
/// that do not match it are unlinked.
///
/// Assumptions: `email_already_verified` is the refusal to make a verified address unverified, the only change of it that
/// can fail; a name that was derived from first and last name follows them.
pub(crate) fn update(
    tx: &mut Transaction<'_>,
    id: &str,
    changes: UserChanges,
) -> Result<Arc<User>, ApiError> {
    let before = Arc::clone(find(tx, id)?);
    let mut user = User::clone(&before);
    if let Some(given) = changes.email {
        user.email = email::normalized(&given)
            .ok_or_else(|| ApiError::bad_request("invalid_email", "This email is not valid."))?;
        if tx
            .users
            .find(BY_EMAIL, &user.email)
            .is_some_and(|other| other.id != id)
        {
            return Err(ApiError::bad_request(
                "email_not_available",
                "This email is not available.",
            ));
        }
        if user.email != before.email && !email_change::is_allowed(tx, id) {
            return Err(ApiError::bad_request(
                "email_change_not_allowed",
                "A directory manages this user: change the email there.",
            ));
        }
        user.email_verified &= user.email == before.email;
    }
    if changes.email_verified == Some(false) && user.email_verified {
        return Err(ApiError::bad_request(
            "email_already_verified",
            "The email of this user is verified already.",
        ));
    }
    user.email_verified |= changes.email_verified == Some(true);
    changes.first_name.apply_to(&mut user.first_name);
    changes.last_name.apply_to(&mut user.last_name);
    if user.name == before.derived_name() {
        user.name = user.derived_name();
    }
    changes.name.apply_to(&mut user.name);
    check_names(&user)?;
    changes.locale.apply_to(&mut user.locale);
    check_locale(user.locale.as_deref())?;
    changes.external_id.apply_to(&mut user.external_id);
    check_external_id(tx, &user)?;
    if let Some(changes) = changes.metadata {
        metadata::merge(&mut user.metadata, changes)?;
    }
    if let Some(hash) = changes.password_hash {
        password::set(tx, id, hash)?;
    }
    if user.email != before.email {
        identities::unlink_others(tx, id, &user.email);
        email_verification::address_changed(tx, id)?;
    }
    user.updated_at = tx.now();
    let user = tx.put(user)?;
    tx.emit("user.updated", &user)?;
    Ok(user)
}

/// Deletes a user and what belongs to it: credentials, codes and memberships go, sessions and tokens of Connect applications
/// end, and it is no target of feature flags any more. Invitations that it sent stay.
///
/// Assumption: production's cascade is not documented; each membership is deleted with its event, as by hand.
pub(crate) fn delete(tx: &mut Transaction<'_>, id: &str) -> Result<(), ApiError> {
    let user = Arc::clone(find(tx, id)?);
    sessions::delete_of_user(tx, id)?;
    memberships::delete_of_user(tx, id)?;
    identities::delete_of_user(tx, id);
    profiles::unlink_user(tx, id)?;
    consents::delete_of_user(tx, id)?;
    impersonation::forget(tx, id);
    invitations::forget_user(tx, id)?;
    password_reset::forget(tx, id);
    MagicAuth::forget(tx, id);
    EmailVerification::forget(tx, id);
    EmailChange::forget(tx, id);
    factors::delete_of_user(tx, id)?;
    directory_sync::users::unlink_user(tx, id)?;
    feature_flags::remove_from_all(tx, id)?;
    tx.delete::<Password>(id);
    passkeys::forget(tx, id);
    tx.emit("user.deleted", &user)?;
    tx.delete::<User>(id);
    Ok(())
}

impl User {
    /// First and last name, where there is either.
    fn derived_name(&self) -> Option<String> {
        let parts: Vec<&str> = [&self.first_name, &self.last_name]
            .into_iter()
            .flatten()
            .map(|part| part.trim())
            .filter(|part| !part.is_empty())
            .collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }
}

/// Source of the envelope: seen in production, see <https://github.com/workos/emulate/pull/108>.
fn not_created(code: &str, message: &str) -> ApiError {
    ApiError::bad_request("user_creation_error", "Could not create user.")
        .with("errors", json!([{"code": code, "message": message}]))
}

fn check_names(user: &User) -> Result<(), ApiError> {
    let names = [
        ("first_name", &user.first_name),
        ("last_name", &user.last_name),
        // A derived name is as long as its parts make it.
        (
            "name",
            &user
                .name
                .clone()
                .filter(|name| Some(name) != user.derived_name().as_ref()),
        ),
    ];
    for (field, name) in names {
        if name
            .as_ref()
            .is_some_and(|name| name.chars().count() > MAX_NAME_LENGTH)
        {
            let message = format!("{field} has at most {MAX_NAME_LENGTH} characters.");
            return Err(ApiError::invalid_field(field, "too_long", message));
        }
    }
    Ok(())
}

fn check_locale(locale: Option<&str>) -> Result<(), ApiError> {
    if locale.is_none_or(locale::is_locale) {
        return Ok(());
    }
    Err(ApiError::bad_request(
        "invalid_locale",
        "locale must be a language tag, like en-US.",
    ))
}

fn check_external_id(state: &State, user: &User) -> Result<(), ApiError> {
    let Some(external_id) = &user.external_id else {
        return Ok(());
    };
    metadata::check_external_id(external_id)?;
    let other = state.users.find(BY_EXTERNAL_ID, external_id);
    if other.is_some_and(|other| other.id != user.id) {
        return Err(metadata::external_id_taken());
    }
    Ok(())
}

/// `POST /user_management/users`. `ip_address`, `user_agent` and `signals_id` are for Radar, which is not here.
pub(crate) fn create_user(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    struct CreateUser {
        email: Option<String>,
        email_verified: Option<bool>,
        first_name: Option<String>,
        last_name: Option<String>,
        name: Option<String>,
        external_id: Option<String>,
        metadata: Option<Map<String, Value>>,
        password: Option<Secret>,
        password_hash: Option<Secret>,
        password_hash_type: Option<PasswordHashType>,
        password_salt_position: Option<SaltPosition>,
    }
    let body: CreateUser = call.body()?;
    // Source: seen in production, see <https://github.com/workos/workos-python/issues/345>.
    let email = body.email.filter(|email| !email.is_empty()).ok_or_else(|| {
        ApiError::invalid_field(
            "email",
            "email_string_required",
            "Email must be a non-empty string.",
        )
    })?;
    let password = GivenPassword {
        password: body.password,
        password_hash: body.password_hash,
        password_hash_type: body.password_hash_type,
        password_salt_position: body.password_salt_position,
    };
    let new = NewUser {
        password_hash: password::prepare(&call.environment, &email, &password)?,
        email,
        email_verified: body.email_verified.unwrap_or_default(),
        first_name: body.first_name,
        last_name: body.last_name,
        name: body.name,
        external_id: body.external_id,
        metadata: body.metadata,
        ..NewUser::default()
    };
    Reply::created(&call.environment.transact(|tx| create(tx, new))?)
}

/// `GET /user_management/users/{id}`
pub(crate) fn get_user(call: &Call) -> Result<Reply, ApiError> {
    Reply::ok(find(&call.environment.state(), call.param("id"))?)
}

/// `GET /user_management/users/external_id/{external_id}`
pub(crate) fn get_user_by_external_id(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let external_id = call.param("external_id");
    match state.users.find(BY_EXTERNAL_ID, external_id) {
        Some(user) => Reply::ok(user),
        None => Err(ApiError::not_found("User", external_id)),
    }
}

/// `PUT /user_management/users/{id}`
pub(crate) fn update_user(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    struct UpdateUser {
        email: Option<String>,
        email_verified: Option<bool>,
        #[serde(default)]
        first_name: Patch<String>,
        #[serde(default)]
        last_name: Patch<String>,
        #[serde(default)]
        name: Patch<String>,
        #[serde(default)]
        external_id: Patch<String>,
        metadata: Option<Map<String, Value>>,
        #[serde(default)]
        locale: Patch<String>,
        password: Option<Secret>,
        password_hash: Option<Secret>,
        password_hash_type: Option<PasswordHashType>,
        password_salt_position: Option<SaltPosition>,
    }
    let body: UpdateUser = call.body()?;
    let id = call.param("id");
    let state = call.environment.state();
    let email = body.email.as_deref().unwrap_or(&find(&state, id)?.email);
    let password = GivenPassword {
        password: body.password,
        password_hash: body.password_hash,
        password_hash_type: body.password_hash_type,
        password_salt_position: body.password_salt_position,
    };
    let changes = UserChanges {
        password_hash: password::prepare_change(&call.environment, Some(id), email, &password)?,
        email: body.email,
        email_verified: body.email_verified,
        first_name: body.first_name,
        last_name: body.last_name,
        name: body.name,
        external_id: body.external_id,
        metadata: body.metadata,
        locale: body.locale,
    };
    Reply::ok(&call.environment.transact(|tx| update(tx, id, changes))?)
}

/// `DELETE /user_management/users/{id}`
pub(crate) fn delete_user(call: &Call) -> Result<Reply, ApiError> {
    call.environment.transact(|tx| delete(tx, call.param("id")))?;
    Reply::empty(200)
}
