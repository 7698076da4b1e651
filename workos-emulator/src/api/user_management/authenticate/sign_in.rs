//! The one rule of every way in: grants, hosted pages, control API.
//!
//! A fresh sign-in passes these gates, in this order; [`next_step`] says which one it stands at:
//! 1. a credential was checked ([`password`](super::password), …), which is told by an event, and the environment offers that way
//!    in ([`sign_in_methods`]);
//! 2. Radar's challenge, for passwords through the API alone, is answered ([`radar_challenge`]);
//! 3. the policy for the domain of the address allows the way they came ([`organization_policies`]);
//! 4. the e-mail address is verified ([`email_verification`](super::email_verification)), or whose it is was shown before an
//!    account at a provider is linked ([`oauth`]);
//! 5. a second factor, where the user has one or needs one ([`mfa`](super::mfa));
//! 6. an invitation that is presented can be accepted by the user ([`invitations::presented`]);
//! 7. an organization is found, the one of the invitation first, or the person has to choose one ([`destination`]);
//! 8. the organization's policy is satisfied ([`organization_policies`]);
//! 9. the account at a provider is linked ([`oauth::link`]), the invitation is spent, the session begins and the tokens are
//!    made ([`sign_in`]).

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Attempt,
    client::Client,
    email_verification,
    method::AuthenticationMethod,
    mfa,
    oauth::{self, OauthTokens, Provided},
    organization_selection, radar_challenge, refresh_token, sign_in_methods,
    sso::{self, SsoSignIn},
};
use crate::{
    api::{
        authorization::roles,
        feature_flags,
        organizations::{Organization, entitlements},
        user_management::{
            email_verification::Prover,
            impersonation, invitations, jwt_template, memberships,
            organization_policies::{self, Came, OtherMethod},
            radar_challenges::Channel,
            sessions::{self, Device, Session},
            users::User,
        },
    },
    core::{
        jwt::{AccessTokenClaims, Actor, Impersonator},
        secret::Secret,
    },
    server::error::ApiError,
    store::{State, Transaction},
};

/// A sign-in in progress, after a credential was checked: all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SignIn {
    pub(crate) user_id: String,
    pub(crate) method: AuthenticationMethod,
    pub(crate) device: Device,
    /// Where to, if that is decided.
    pub(crate) organization_id: Option<String>,
    /// The digest of the token of an invitation that is accepted with it.
    pub(crate) invitation: Option<String>,
    /// A second factor was shown in this sign-in.
    pub(crate) second_factor: bool,
    /// Who really is at the browser, when it is not the user.
    pub(crate) impersonator: Option<Impersonator>,
    /// Radar wants an answer by this channel first.
    pub(crate) radar_challenge: Option<Channel>,
    /// The address is taken for verified: an emulator's short cut into a session, for which nobody checks a credential.
    pub(crate) skips_email_verification: bool,
    /// What a provider told of them, where they came through one.
    pub(crate) provided: Option<Box<Provided>>,
    /// What they came through, where that is a connection.
    pub(crate) sso: Option<Box<SsoSignIn>>,
}

impl SignIn {
    pub(crate) fn new(user_id: &str, method: AuthenticationMethod, device: Device) -> Self {
        Self {
            user_id: user_id.to_owned(),
            method,
            device,
            organization_id: None,
            invitation: None,
            second_factor: false,
            impersonator: None,
            radar_challenge: None,
            skips_email_verification: false,
            provided: None,
            sso: None,
        }
    }

    /// The same with an invitation, where a token of one is presented. It is checked when its turn comes.
    pub(crate) fn invited_by(self, invitation_token: Option<&str>) -> Self {
        Self {
            invitation: invitation_token.map(Secret::digest).or(self.invitation),
            ..self
        }
    }

    /// The same, to this organization.
    pub(crate) fn to(self, organization_id: Option<&str>) -> Self {
        Self {
            organization_id: organization_id.map(str::to_owned),
            ..self
        }
    }

    /// Whether the user came by what the account had before.
    pub(crate) fn prover(&self) -> Prover {
        let holds = match &self.provided {
            Some(provided) => provided.is_linked(),
            None => matches!(
                self.method,
                AuthenticationMethod::Password | AuthenticationMethod::Passkey
            ),
        };
        if holds { Prover::Holder } else { Prover::Newcomer }
    }

    /// The same, after the user has shown in this sign-in that the address is theirs.
    pub(crate) fn with_verified_email(self) -> Self {
        Self {
            provided: self.provided.map(|provided| Box::new(provided.proven())),
            sso: self.sso.map(|sso| Box::new(sso.proven())),
            ..self
        }
    }
}

/// What a sign-in needs next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NextStep {
    VerifyEmail,
    EnrollFactor,
    ChallengeFactor,
    /// The user is in several organizations, and has to say which.
    ChooseOrganization(Vec<OrganizationChoice>),
    /// An organization does not let them in by the way they came.
    ComeAnotherWay(OtherMethod),
    /// Nothing: the session begins, in this organization or in none.
    Enter(Option<String>),
}

/// A session's tokens, the access token still to be signed.
#[derive(Debug, Clone)]
pub(crate) struct Authentication {
    pub(crate) user: Arc<User>,
    pub(crate) claims: AccessTokenClaims,
    pub(crate) refresh_token: Secret,
    pub(crate) method: AuthenticationMethod,
    /// Of the provider that the user has just come through.
    pub(crate) oauth_tokens: Option<OauthTokens>,
}

/// Where a sign-in leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    /// The user is in no organization.
    NoOrganization,
    Organization(String),
    /// The user is in several, and has to say which.
    Choice(Vec<OrganizationChoice>),
}

/// An organization that a user can choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct OrganizationChoice {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// Begins a session for a user whose credential was checked, or refuses with the step that is missing.
///
/// `last_sign_in_at` changes without a `user.updated`, as in production.
pub(crate) fn sign_in(tx: &mut Transaction<'_>, client: &Client, sign_in: SignIn) -> Attempt<Authentication> {
    let Some(user) = tx.users.get(&sign_in.user_id).cloned() else {
        return Ok(Err(ApiError::oauth(
            "invalid_grant",
            "The user does not exist any more.",
        )));
    };
    if !sign_in_methods::is_on(tx, sign_in.method) {
        return Ok(Err(sign_in_methods::not_allowed()));
    }
    if let Some(channel) = sign_in.radar_challenge {
        return radar_challenge::required(tx, client, channel, sign_in, &user).map(Err);
    }
    let organization_id = match next_step(tx, &user, &sign_in, tx.now()) {
        Ok(NextStep::Enter(organization_id)) => organization_id,
        Ok(NextStep::VerifyEmail) => {
            return email_verification::required(tx, client, sign_in, &user).map(Err);
        }
        Ok(NextStep::EnrollFactor) => return mfa::enrollment_required(tx, client, sign_in, &user).map(Err),
        Ok(NextStep::ChallengeFactor) => return mfa::challenge_required(tx, client, sign_in, &user).map(Err),
        Ok(NextStep::ChooseOrganization(organizations)) => {
            return organization_selection::required(tx, client, sign_in, &user, &organizations).map(Err);
        }
        Ok(NextStep::ComeAnotherWay(other)) => return Ok(Err(other.refusal(tx, &user))),
        Err(refusal) => return Ok(Err(refusal)),
    };
    if let Err(refusal) = oauth::link(tx, &sign_in).and_then(|()| sso::link(tx, &sign_in)) {
        return Ok(Err(refusal));
    }
    // The template may say something of the membership that the invitation makes.
    let extra = tx.attempt(|tx| {
        invitations::spend(tx, &user, &sign_in)?;
        sso::follow(tx, &sign_in)?;
        jwt_template::claims(tx, &user, organization_id.as_deref())
    });
    let extra = match extra {
        Ok(claims) => claims,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let SignIn {
        method,
        device,
        impersonator,
        provided,
        ..
    } = sign_in.clone();
    // Assumption: a user who is impersonated has not signed in.
    let user = match impersonator {
        Some(_) => {
            impersonation::forget(tx, &user.id);
            user
        }
        None => tx.put(User {
            last_sign_in_at: Some(tx.now()),
            ..User::clone(&user)
        })?,
    };
    let auth_method = method.of_session();
    let session = sessions::create(tx, &user.id, organization_id, auth_method, impersonator, device)?;
    let refresh_token = refresh_token::begin(tx, client, &session, Came::of(&sign_in))?;
    Ok(Ok(Authentication {
        user,
        claims: claims(tx, client, &session, extra),
        refresh_token,
        method,
        oauth_tokens: provided.and_then(|provided| provided.tokens),
    }))
}

/// What a sign-in needs next, or why it cannot go on.
pub(crate) fn next_step(
    state: &State,
    user: &User,
    sign_in: &SignIn,
    now: Timestamp,
) -> Result<NextStep, ApiError> {
    // An application that signs people in itself has made these steps, or has no need of them.
    if sign_in.method != AuthenticationMethod::ExternalAuth {
        if let Some(other) = organization_policies::check_domain(state, user, sign_in) {
            return Ok(NextStep::ComeAnotherWay(other));
        }
        if email_verification::is_required(state, user, sign_in)
            || oauth::needs_proof(state, sign_in)
            || sso::needs_proof(state, sign_in)
        {
            return Ok(NextStep::VerifyEmail);
        }
        if let Some(step) = mfa::next_step(state, user, sign_in) {
            return Ok(step);
        }
    }
    let invitation = invitations::presented(state, user, sign_in, now)?;
    let organization_id = match invitation.and_then(|invitation| invitation.organization_id.clone()) {
        Some(id) => Some(id),
        None => match destination(state, &user.id, sign_in.organization_id.as_deref())? {
            Destination::NoOrganization => None,
            Destination::Organization(id) => Some(id),
            Destination::Choice(organizations) => return Ok(NextStep::ChooseOrganization(organizations)),
        },
    };
    if let Some(id) = &organization_id
        && let Some(step) = organization_policies::check(state, id, user, sign_in)?
    {
        return Ok(step);
    }
    Ok(NextStep::Enter(organization_id))
}

/// Where a sign-in leads: to `wanted`, else to the only organization of the user, else the user has to choose.
pub(crate) fn destination(
    state: &State,
    user_id: &str,
    wanted: Option<&str>,
) -> Result<Destination, ApiError> {
    if let Some(id) = wanted {
        check_membership(state, user_id, id)?;
        return Ok(Destination::Organization(id.to_owned()));
    }
    let mut organizations: Vec<_> = memberships::active_of_user(state, user_id)
        .filter_map(|membership| state.organizations.get(&membership.organization_id))
        .map(|organization| OrganizationChoice::from(organization.as_ref()))
        .collect();
    Ok(match organizations.len() {
        0 => Destination::NoOrganization,
        1 => Destination::Organization(organizations.remove(0).id),
        _ => Destination::Choice(organizations),
    })
}

impl From<&Organization> for OrganizationChoice {
    fn from(organization: &Organization) -> Self {
        Self {
            id: organization.id.clone(),
            name: organization.name.clone(),
        }
    }
}

/// Whether the user may be in the organization now: pending and inactive memberships let nobody in.
pub(crate) fn check_membership(state: &State, user_id: &str, organization_id: &str) -> Result<(), ApiError> {
    if state.organizations.get(organization_id).is_none() {
        return Err(ApiError::oauth(
            "organization_not_found",
            format!("Organization not found: '{organization_id}'."),
        ));
    }
    if memberships::active(state, user_id, organization_id).is_none() {
        return Err(ApiError::oauth(
            "organization_membership_not_found",
            format!("The user is not an active member of organization '{organization_id}'."),
        ));
    }
    Ok(())
}

/// The claims of a new access token of a session, with `extra` of the JWT template.
///
/// `auth_time` is when the session began. Source: <https://workos.com/docs/authkit/reauthentication>.
pub(super) fn claims(
    tx: &mut Transaction<'_>,
    client: &Client,
    session: &Session,
    extra: Map<String, Value>,
) -> AccessTokenClaims {
    let membership = session
        .organization_id
        .as_deref()
        .and_then(|organization_id| memberships::active(tx, &session.user_id, organization_id));
    let roles = membership.map(|membership| membership.roles.clone());
    let permissions = membership
        .map(|membership| roles::permissions_of(tx, &membership.organization_id, &membership.roles));
    let organization_id = session.organization_id.as_deref();
    let entitlements = organization_id.and_then(|id| entitlements::claim(tx, id));
    let feature_flags = feature_flags::slugs_on_for(tx, &session.user_id, organization_id);
    let issued_at = tx.now().as_second();
    AccessTokenClaims {
        iss: client.issuer.clone(),
        sub: session.user_id.clone(),
        sid: session.id.clone(),
        jti: tx.ulid(),
        iat: issued_at,
        exp: issued_at + i64::from(tx.settings().access_token_lifetime),
        auth_time: session.created_at.as_second(),
        client_id: client.id.clone(),
        org_id: session.organization_id.clone(),
        role: roles.as_ref().and_then(|roles| roles.first().cloned()),
        roles,
        permissions: permissions.unwrap_or_default(),
        entitlements,
        feature_flags: (!feature_flags.is_empty()).then_some(feature_flags),
        act: session.impersonator.as_ref().map(|impersonator| Actor {
            sub: impersonator.email.clone(),
        }),
        impersonator: session.impersonator.clone(),
        extra,
    }
}

#[cfg(test)]
mod tests;
