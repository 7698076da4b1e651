//! Sign-in through a provider of social login: who is it, may they come, and which account is theirs from now on?
//!
//! An account at a provider belongs to whom it is linked to, whatever its address. One that is not linked yet is linked to
//! the user who has its address, or to a new user, but only as soon as the address is known to be theirs: because the
//! provider verifies addresses, or because they verify it in this sign-in. Otherwise anybody could sign in as anybody, with
//! an account at a provider that takes every address.
//!
//! Source: <https://workos.com/docs/authkit/identity-linking>, <https://workos.com/docs/authkit/social-login>.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    Attempt,
    client::Client,
    method::{self, AuthenticationMethod},
    sign_in::{self, Authentication, SignIn},
};
use crate::{
    api::user_management::{
        email_verification,
        identities::{self, Account},
        invitations,
        providers::{self, Provider},
        sessions::Device,
        users::{self, NewUser, User, UserChanges},
    },
    core::secret::Secret,
    server::{body::Patch, error::ApiError},
    store::{State, Transaction},
};

/// What a provider says of somebody who has signed in there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Profile {
    pub(crate) account: Account,
    pub(crate) first_name: Option<String>,
    pub(crate) last_name: Option<String>,
}

/// The tokens of a provider, for the application to call it with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OauthTokens {
    provider: AuthenticationMethod,
    access_token: Secret,
    refresh_token: Secret,
    /// In seconds.
    expires_at: i64,
    scopes: Vec<String>,
}

/// Somebody who comes from a provider. Which user they are is decided when a code is redeemed, or on the hosted pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Arrival {
    pub(crate) profile: Profile,
    pub(crate) tokens: Option<OauthTokens>,
    pub(crate) device: Device,
    /// The digest of the token of an invitation that they come with.
    pub(crate) invitation: Option<String>,
}

/// What a sign-in through a provider takes along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Provided {
    /// The account they came with. It is linked when they are in.
    account: Account,
    /// Whether the address of the account still has to be shown to be theirs.
    unproven: bool,
    pub(crate) tokens: Option<OauthTokens>,
}

impl Provided {
    /// Whether the account was linked before.
    pub(super) fn is_linked(&self) -> bool {
        !self.unproven
    }

    /// The same, after the address was verified in this sign-in.
    pub(super) fn proven(self) -> Self {
        Self {
            unproven: false,
            ..self
        }
    }
}

/// Life of a provider's access token: an hour, as most have it.
const TOKEN_LIFETIME: i64 = 3600;

/// The provider's tokens, where applications get to see them.
///
/// Source: <https://workos.com/docs/reference/authkit/authentication/code>.
pub(crate) fn tokens(
    tx: &mut Transaction<'_>,
    provider: AuthenticationMethod,
    scopes: Vec<String>,
) -> Option<OauthTokens> {
    if !tx.settings().return_oauth_tokens {
        return None;
    }
    Some(OauthTokens {
        provider,
        access_token: Secret::new(tx.token(40)),
        refresh_token: Secret::new(tx.token(40)),
        expires_at: tx.now().as_second() + TOKEN_LIFETIME,
        scopes,
    })
}

impl Profile {
    /// What a provider says of the account of a user: the one that is linked, else the usual one of the address.
    pub(crate) fn of_user(state: &State, provider: &Provider, user: &User) -> Self {
        let linked = identities::of_user(state, &user.id)
            .find(|identity| identity.account.provider == provider.method)
            .map(|identity| identity.account.clone());
        Self {
            account: linked.unwrap_or_else(|| Account::usual(provider, &user.email)),
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
        }
    }

    /// What a provider says of an address that no user has.
    pub(crate) fn of_stranger(provider: &Provider, email: &str) -> Self {
        Self {
            account: Account::usual(provider, email),
            first_name: None,
            last_name: None,
        }
    }

    fn email_verified(&self) -> bool {
        providers::by_method(self.account.provider).is_some_and(|provider| provider.verifies_email)
    }
}

/// Signs in whoever a provider sent: the end of a flow that an application began with `provider=…`.
pub(super) fn sign_in(
    tx: &mut Transaction<'_>,
    client: &Client,
    arrival: Arrival,
) -> Attempt<Authentication> {
    match conclude(tx, arrival)? {
        Ok(begun) => sign_in::sign_in(tx, client, begun),
        Err(refusal) => Ok(Err(refusal)),
    }
}

/// Finds the user of an account, or creates one, and tells how it ended by an event.
pub(crate) fn conclude(tx: &mut Transaction<'_>, arrival: Arrival) -> Attempt<SignIn> {
    let Arrival {
        profile,
        tokens,
        device,
        invitation,
    } = arrival;
    let verified = profile.email_verified();
    let account = profile.account.clone();
    let linked = identities::find(tx, account.provider, &account.idp_id).map(|found| found.user_id.clone());
    let (user, unproven) = match linked {
        Some(user_id) => (updated(tx, &user_id, &profile)?, false),
        None => match users::find_by_email(tx, &account.email).cloned() {
            Some(user) if verified => {
                email_verification::take_over(tx, &user)?;
                (updated(tx, &user.id, &profile)?, false)
            }
            Some(user) => (user, true),
            None if invitations::opens_sign_up(tx, invitation.as_deref(), &account.email) => {
                (created(tx, &profile)?, !verified)
            }
            None => {
                let refusal = ApiError::oauth(
                    "sign_up_not_allowed",
                    "The request failed due to: sign_up_not_allowed.",
                );
                let reason = ("sign_up_not_allowed", "Sign-up is not allowed.");
                method::failed(tx, account.provider, &account.email, None, &device, reason)?;
                return Ok(Err(refusal));
            }
        },
    };
    method::succeeded(tx, account.provider, &user, &device)?;
    let provided = Provided {
        unproven,
        tokens,
        account,
    };
    Ok(Ok(SignIn {
        provided: Some(Box::new(provided)),
        invitation,
        ..SignIn::new(&user.id, profile.account.provider, device)
    }))
}

/// Tells that nobody came from a provider: they denied it, or what came was no good.
pub(crate) fn failed(
    tx: &mut Transaction<'_>,
    provider: &Provider,
    device: &Device,
    reason: (&str, &str),
) -> Result<(), ApiError> {
    method::failed(tx, provider.method, "", None, device, reason)
}

fn created(tx: &mut Transaction<'_>, profile: &Profile) -> Result<Arc<User>, ApiError> {
    users::create(
        tx,
        NewUser {
            email: profile.account.email.clone(),
            email_verified: profile.email_verified(),
            first_name: profile.first_name.clone(),
            last_name: profile.last_name.clone(),
            ..NewUser::default()
        },
    )
}

/// Brings a user up to what the provider says: the name always, the address where it has changed there, this is the
/// user's only identity, and nobody else has it.
///
/// Source: <https://workos.com/docs/authkit/social-login>, "Provider-driven user profile updates".
fn updated(tx: &mut Transaction<'_>, user_id: &str, profile: &Profile) -> Result<Arc<User>, ApiError> {
    let user = users::find(tx, user_id)?.clone();
    let email = profile.account.email.as_str();
    let is_only_identity = {
        let mut others = identities::of_user(tx, user_id)
            .filter(|identity| identity.account.idp_id != profile.account.idp_id);
        others.next().is_none()
    };
    let moved = user.email != email && is_only_identity && users::find_by_email(tx, email).is_none();
    let is_known = user.email == email && user.email_verified;
    let becomes_verified = profile.email_verified() && (user.email == email || moved) && !is_known;
    let differs = |given: &Option<String>, kept: &Option<String>| given.is_some() && given != kept;
    let changes = UserChanges {
        email: moved.then(|| email.to_owned()),
        email_verified: becomes_verified.then_some(true),
        first_name: patch(
            &profile.first_name,
            differs(&profile.first_name, &user.first_name),
        ),
        last_name: patch(&profile.last_name, differs(&profile.last_name, &user.last_name)),
        ..UserChanges::default()
    };
    let changed = changes.email.is_some()
        || changes.email_verified.is_some()
        || changes.first_name != Patch::Keep
        || changes.last_name != Patch::Keep;
    if !changed {
        return Ok(user);
    }
    if moved {
        // Else the new address would unlink the identity that it comes from.
        identities::link(tx, user_id, profile.account.clone())?;
    }
    users::update(tx, user_id, changes)
}

fn patch(name: &Option<String>, wanted: bool) -> Patch<String> {
    match name {
        Some(name) if wanted => Patch::Set(name.clone()),
        _ => Patch::Keep,
    }
}

/// Whether the address has to be verified in this sign-in, whoever has it, before its account can be linked.
///
/// Source: "WorkOS does not complete the authentication flow when a new identity cannot be safely linked to an existing
/// user" (<https://workos.com/docs/authkit/identity-linking>).
pub(super) fn needs_proof(state: &State, sign_in: &SignIn) -> bool {
    let unproven = sign_in
        .provided
        .as_ref()
        .is_some_and(|provided| provided.unproven);
    unproven && state.settings().email_verification
}

/// Links the account that somebody came with, now that they are in.
pub(super) fn link(tx: &mut Transaction<'_>, sign_in: &SignIn) -> Result<(), ApiError> {
    let Some(provided) = &sign_in.provided else {
        return Ok(());
    };
    identities::link(tx, &sign_in.user_id, provided.account.clone()).map_err(|_| {
        ApiError::oauth(
            "invalid_grant",
            "The provider's account is another user's by now.",
        )
    })
}

#[cfg(test)]
mod tests;
