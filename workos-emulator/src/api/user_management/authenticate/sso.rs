//! Sign-in to AuthKit through a connection: who is it, and are they a member now?
//!
//! A profile belongs to the user whom it is linked to, whatever its address. One that is not linked yet is linked to the user
//! who has its address, or to a new user; but an address outside of the organization's verified domains is only what an
//! administrator of another company has typed, so its owner has to show first that it is theirs.
//!
//! Source: <https://workos.com/docs/authkit/jit-provisioning>, <https://workos.com/docs/authkit/identity-linking>.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    Attempt,
    client::Client,
    method::AuthenticationMethod,
    sign_in::{self, Authentication, SignIn},
};
use crate::{
    api::{
        sso::{
            connections::{self, Connection},
            profiles::{self, Profile},
            sign_in::{SsoArrival, is_domain_verified, tell_succeeded},
            traces::{self, StepName},
        },
        user_management::{
            invitations,
            memberships::{self, MembershipStatus, NewMembership},
            providers,
            users::{self, NewUser, User, UserChanges},
        },
    },
    core::secret::Secret,
    server::{body::Patch, error::ApiError},
    store::{State, Transaction},
};

/// What a sign-in through a connection takes along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SsoSignIn {
    /// Of the connection, and of the trace.
    pub(crate) session_id: String,
    /// It is linked when they are in.
    profile_id: String,
    /// Whose connection it is.
    pub(crate) organization_id: Option<String>,
    /// Whether the address still has to be shown to be theirs.
    unproven: bool,
}

impl SsoSignIn {
    /// The same, after the address was verified in this sign-in.
    pub(super) fn proven(self) -> Self {
        Self {
            unproven: false,
            ..self
        }
    }
}

impl SignIn {
    /// Whether it is not through a connection of another organization. A sign-in that says SSO and no connection, which only
    /// the control API makes, counts as through the right one.
    pub(crate) fn is_through(&self, organization_id: &str) -> bool {
        let own = self.sso.as_ref().and_then(|sso| sso.organization_id.as_deref());
        self.sso.is_none() || own == Some(organization_id)
    }
}

/// Signs in whoever came through a connection: the end of a flow that an application began with the connection, or its
/// organization, or that began at the identity provider.
pub(super) fn sign_in(
    tx: &mut Transaction<'_>,
    client: &Client,
    arrival: SsoArrival,
) -> Attempt<Authentication> {
    let id = arrival.session_id.clone();
    let signed_in = match conclude(tx, arrival)? {
        Ok(begun) => sign_in::sign_in(tx, client, begun)?,
        Err(refusal) => Err(refusal),
    };
    let (passed, detail) = match &signed_in {
        Ok(_) => (true, "Exchanged for a session.".to_owned()),
        Err(refusal) => (false, refusal.explanation()),
    };
    traces::step(tx, &id, StepName::Exchange, passed, detail)?;
    Ok(signed_in)
}

/// Finds the user of a profile, or creates one, makes them a member, and tells by an event that they came.
pub(crate) fn conclude(tx: &mut Transaction<'_>, arrival: SsoArrival) -> Attempt<SignIn> {
    let gone = || ApiError::oauth("invalid_profile", "The profile does not exist any more.");
    let Some(profile) = tx.profiles.get(&arrival.profile_id).cloned() else {
        return Ok(Err(gone()));
    };
    let Some(connection) = tx.connections.get(&profile.connection_id).cloned() else {
        return Ok(Err(gone()));
    };
    if !connection.state.is_linked() {
        return Ok(Err(ApiError::oauth(
            "invalid_connection",
            "The connection is not active any more.",
        )));
    }
    let verified = is_verified(tx, &connection, &profile);
    let linked = profile.user_id.clone();
    let (user, unproven, what) = match linked {
        Some(id) => (
            updated(tx, &id, &profile, verified)?,
            false,
            "is linked to the profile",
        ),
        None => match users::find_by_email(tx, &profile.email).cloned() {
            Some(user) if verified => (updated(tx, &user.id, &profile, true)?, false, "has the address"),
            Some(user) => (user, true, "has the address, and must verify it first"),
            None => (created(tx, &profile, verified)?, !verified, "is new"),
        },
    };
    traces::step(
        tx,
        &arrival.session_id,
        StepName::User,
        true,
        format!("The user {} {what}.", user.id),
    )?;
    if !arrival.for_profile {
        tell_succeeded(tx, &arrival, Some(&user.id), &user.email)?;
    }
    let organization_id = connection.organization_id.clone();
    let invitation = organization_id
        .as_deref()
        .and_then(|id| invitations::pending(tx, &user.email, Some(id), tx.now()));
    if verified {
        provision(tx, &connection, &profile, &user, invitation.is_some())?;
    }
    let sso = SsoSignIn {
        session_id: arrival.session_id,
        profile_id: profile.id.clone(),
        organization_id: organization_id.clone(),
        unproven,
    };
    let sign_in = SignIn {
        sso: Some(Box::new(sso)),
        invitation: invitation.map(|invitation| Secret::digest(invitation.token.expose())),
        ..SignIn::new(&user.id, AuthenticationMethod::Sso, arrival.device)
    };
    Ok(Ok(sign_in.to(organization_id.as_deref())))
}

/// Whether the address is known to be the person's own: the organization has verified its domain, or the provider of social
/// login verifies addresses.
fn is_verified(state: &State, connection: &Connection, profile: &Profile) -> bool {
    match connection.organization_id {
        Some(_) => is_domain_verified(state, connection, &profile.email),
        None => {
            providers::by_slug(&connection.connection_type).is_some_and(|provider| provider.verifies_email)
        }
    }
}

/// Assumption: that nobody may sign up does not concern people whom an identity provider vouches for.
fn created(tx: &mut Transaction<'_>, profile: &Profile, verified: bool) -> Result<Arc<User>, ApiError> {
    users::create(
        tx,
        NewUser {
            email: profile.email.clone(),
            email_verified: verified,
            first_name: profile.first_name.clone(),
            last_name: profile.last_name.clone(),
            ..NewUser::default()
        },
    )
}

/// Brings a user up to what the identity provider says: the name always, the address where it has changed there, its domain
/// is verified, and nobody else has it.
fn updated(
    tx: &mut Transaction<'_>,
    user_id: &str,
    profile: &Profile,
    verified: bool,
) -> Result<Arc<User>, ApiError> {
    let user = users::find(tx, user_id)?.clone();
    let moved = verified && user.email != profile.email && users::find_by_email(tx, &profile.email).is_none();
    let is_theirs = user.email == profile.email || moved;
    let name = |given: &Option<String>, kept: &Option<String>| match given {
        Some(given) if Some(given) != kept.as_ref() => Patch::Set(given.clone()),
        _ => Patch::Keep,
    };
    let changes = UserChanges {
        email: moved.then(|| profile.email.clone()),
        email_verified: (verified && is_theirs && (moved || !user.email_verified)).then_some(true),
        first_name: name(&profile.first_name, &user.first_name),
        last_name: name(&profile.last_name, &user.last_name),
        ..UserChanges::default()
    };
    let changed = changes.email.is_some()
        || changes.email_verified.is_some()
        || changes.first_name != Patch::Keep
        || changes.last_name != Patch::Keep;
    if changed {
        users::update(tx, user_id, changes)
    } else {
        Ok(user)
    }
}

/// Makes somebody a member of the organization whose domain they have, with the roles of their groups; a member's roles
/// follow the groups where the connection maps any. Guests have to be invited.
///
/// Assumption: an invitation that waits for them is accepted by the sign-in, and they have its role unless the connection
/// maps groups to roles. Theirs is accepted when they are in.
fn provision(
    tx: &mut Transaction<'_>,
    connection: &Connection,
    profile: &Profile,
    user: &User,
    invited: bool,
) -> Result<(), ApiError> {
    let Some(organization_id) = connection.organization_id.as_deref() else {
        return Ok(());
    };
    let roles = connections::roles_of(tx, connection, &profile.groups);
    match memberships::id_of(tx, &user.id, organization_id) {
        None if invited && connection.group_roles.is_empty() => Ok(()),
        None => {
            let new = NewMembership {
                id: None,
                user_id: user.id.clone(),
                organization_id: organization_id.to_owned(),
                roles,
                status: MembershipStatus::Active,
                directory_id: None,
            };
            memberships::create_with(tx, new, profile.custom_attributes.clone()).map(drop)
        }
        Some(id) if !connection.group_roles.is_empty() => memberships::set_roles(tx, &id, roles).map(drop),
        Some(_) => Ok(()),
    }
}

/// Gives the membership of somebody who is in now what their profile says of them.
///
/// Assumption: at each sign-in through a connection that maps any, not only at the first.
pub(super) fn follow(tx: &mut Transaction<'_>, sign_in: &SignIn) -> Result<(), ApiError> {
    let Some(profile) = sign_in
        .sso
        .as_ref()
        .and_then(|sso| tx.profiles.get(&sso.profile_id))
        .cloned()
    else {
        return Ok(());
    };
    let Some(connection) = tx.connections.get(&profile.connection_id).cloned() else {
        return Ok(());
    };
    let organization_id = connection.organization_id.as_deref();
    let membership_id = organization_id.and_then(|id| memberships::id_of(tx, &sign_in.user_id, id));
    match membership_id {
        Some(id) if !connection.attribute_maps.custom_attributes.is_empty() => {
            memberships::set_custom_attributes(tx, &id, &profile.custom_attributes)
        }
        _ => Ok(()),
    }
}

/// Whether the address has to be verified in this sign-in before the profile can be linked.
pub(super) fn needs_proof(state: &State, sign_in: &SignIn) -> bool {
    let unproven = sign_in.sso.as_ref().is_some_and(|sso| sso.unproven);
    unproven && state.settings().email_verification
}

/// Links the profile that somebody came with, now that they are in.
pub(super) fn link(tx: &mut Transaction<'_>, sign_in: &SignIn) -> Result<(), ApiError> {
    let Some(sso) = &sign_in.sso else {
        return Ok(());
    };
    profiles::link(tx, &sso.profile_id, &sign_in.user_id)
        .map_err(|_| ApiError::oauth("invalid_profile", "The profile is another user's by now."))
}
