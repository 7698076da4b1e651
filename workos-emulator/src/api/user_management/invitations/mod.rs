//! Invitations: somebody is asked to join the application, or an organization.
//! Source: <https://workos.com/docs/authkit/invitations>, <https://workos.com/docs/reference/authkit/invitation>.
//!
//! * here – what an invitation is, how it is shown, who may use it, and how invitations are found.
//! * [`rules`] – how invitations are sent, accepted and revoked, and what ends them.
//! * [`mail`] – the e-mail, and the link in it.
//! * [`blocks`] – organizations that may not invite.
//! * [`operations`] – the API's operations.

pub(crate) mod blocks;
mod locale;
mod mail;
mod operations;
mod rules;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use self::{
    mail::{AcceptancePage, sentence},
    operations::{
        accept_invitation, find_invitation_by_token, get_invitation, list_invitations, resend_invitation,
        revoke_invitation, send_invitation,
    },
    rules::{
        NewInvitation, create, delete_of_organization, forget_user, send, send_for_provider, spend, withdraw,
    },
};
use super::{
    authenticate::sign_in::SignIn,
    memberships::{self, OrganizationMembership},
    users::{User, email::domain},
};
use crate::{
    api::{authorization::roles, organizations::domains},
    core::{clock, secret::Secret},
    server::error::ApiError,
    store::{Index, Page, Record, Select, State, Transaction, group},
};

/// An invitation as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Invitation {
    pub(crate) id: String,
    pub(crate) email: String,
    /// None: to the application.
    pub(crate) organization_id: Option<String>,
    pub(crate) inviter_user_id: Option<String>,
    pub(crate) accepted_user_id: Option<String>,
    /// The pending membership that stands for it, where the invited address has a user.
    membership_id: Option<String>,
    /// The role that it names. A role that is gone by now counts as none.
    role_slug: Option<String>,
    /// Kept as it is: the API shows it to the application, which may send the mail itself.
    pub(crate) token: Secret,
    #[serde(with = "clock::timestamp::option")]
    accepted_at: Option<Timestamp>,
    #[serde(with = "clock::timestamp::option")]
    revoked_at: Option<Timestamp>,
    #[serde(with = "clock::timestamp")]
    pub(crate) expires_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    updated_at: Timestamp,
}

/// What became of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum InvitationState {
    Pending,
    Accepted,
    Expired,
    Revoked,
}

/// By the digest of the token.
const BY_TOKEN: Index<Invitation> = Index::unique("token", |row| {
    vec![(Secret::digest(row.token.expose()).into(), 0)]
});
const BY_EMAIL: Index<Invitation> = Index::ordered("email", |row| vec![(row.email.as_str().into(), 0)]);
const BY_ORGANIZATION: Index<Invitation> = Index::ordered("organization", |row| {
    let organization_id = row.organization_id.iter();
    organization_id.map(|id| (id.as_str().into(), 0)).collect()
});
/// Those to an address that were neither accepted nor revoked, by the organization (empty for the application) and the time
/// of their end: the last one tells whether any is pending.
const OPEN: Index<Invitation> = Index::ordered("open", |row| {
    let open = (row.accepted_at, row.revoked_at) == (None, None);
    let organization_id = row.organization_id.as_deref().unwrap_or_default();
    let entry = (
        group(&[&row.email, organization_id]),
        row.expires_at.as_millisecond(),
    );
    open.then_some(entry).into_iter().collect()
});
/// Those that somebody sent or accepted.
const BY_USER: Index<Invitation> = Index::ordered("user", |row| {
    let mut users = vec![&row.inviter_user_id, &row.accepted_user_id];
    users.dedup();
    let ids = users.into_iter().flatten();
    ids.map(|id| (id.as_str().into(), 0)).collect()
});
const BY_MEMBERSHIP: Index<Invitation> = Index::ordered("membership", |row| {
    let membership_id = row.membership_id.iter();
    membership_id.map(|id| (id.as_str().into(), 0)).collect()
});

impl Record for Invitation {
    const INDEXES: &'static [Index<Self>] =
        &[BY_TOKEN, BY_EMAIL, BY_ORGANIZATION, OPEN, BY_USER, BY_MEMBERSHIP];

    fn id(&self) -> &str {
        &self.id
    }
}

/// An invitation as events show it: without what accepts it.
#[derive(Debug, Serialize)]
#[serde(tag = "object", rename = "invitation")]
struct EventData<'a> {
    id: &'a str,
    email: &'a str,
    state: InvitationState,
    #[serde(with = "clock::timestamp::option")]
    accepted_at: Option<Timestamp>,
    #[serde(with = "clock::timestamp::option")]
    revoked_at: Option<Timestamp>,
    #[serde(with = "clock::timestamp")]
    expires_at: Timestamp,
    organization_id: Option<&'a str>,
    inviter_user_id: Option<&'a str>,
    accepted_user_id: Option<&'a str>,
    role_slug: Option<&'a str>,
    #[serde(with = "clock::timestamp")]
    created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    updated_at: Timestamp,
}

/// An invitation as the API shows it.
#[derive(Debug, Serialize)]
struct InvitationBody<'a> {
    #[serde(flatten)]
    invitation: EventData<'a>,
    token: &'a str,
    accept_invitation_url: String,
}

impl Invitation {
    /// What became of it by `now`. Nothing happens when an invitation expires, so that there is no event.
    pub(crate) fn state(&self, now: Timestamp) -> InvitationState {
        match (self.accepted_at, self.revoked_at) {
            (Some(_), _) => InvitationState::Accepted,
            (None, Some(_)) => InvitationState::Revoked,
            (None, None) if now >= self.expires_at => InvitationState::Expired,
            (None, None) => InvitationState::Pending,
        }
    }

    pub(crate) fn is_pending(&self, now: Timestamp) -> bool {
        self.state(now) == InvitationState::Pending
    }

    /// Whether somebody with this address may accept it: anybody one to the application; one to an organization the
    /// invited address, and where that is not at a consumer domain, everybody at the same domain.
    ///
    /// Source: <https://workos.com/docs/authkit/invitations#email-address-used-to-accept-an-invite>.
    pub(crate) fn is_for(&self, email: &str) -> bool {
        self.organization_id.is_none() || self.is_to(email) || {
            let invited = domain(&self.email);
            !domains::is_consumer(&invited) && invited == domain(email)
        }
    }

    /// Whether it was sent to this address, in whatever case.
    pub(crate) fn is_to(&self, email: &str) -> bool {
        self.email == email.trim().to_lowercase()
    }

    /// The role of who accepts it: that of the membership that stands for it, else the one that it names, else the default.
    fn role<'a>(&'a self, state: &'a State) -> Option<&'a str> {
        let organization_id = self.organization_id.as_deref()?;
        let membership = match &self.accepted_user_id {
            Some(user_id) => memberships::of(state, user_id, organization_id),
            None => state
                .organization_memberships
                .get(self.membership_id.as_deref().unwrap_or_default()),
        };
        Some(membership.map_or_else(
            || {
                self.named_role(state)
                    .unwrap_or_else(|| roles::default_slug(state, organization_id))
            },
            |membership| membership.role(),
        ))
    }

    fn named_role(&self, state: &State) -> Option<&str> {
        let slug = self.role_slug.as_deref()?;
        roles::find(state, self.organization_id.as_deref()?, slug).map(|_| slug)
    }

    fn event_data<'a>(&'a self, state: &'a State, now: Timestamp) -> EventData<'a> {
        EventData {
            id: &self.id,
            email: &self.email,
            state: self.state(now),
            accepted_at: self.accepted_at,
            revoked_at: self.revoked_at,
            expires_at: self.expires_at,
            organization_id: self.organization_id.as_deref(),
            inviter_user_id: self.inviter_user_id.as_deref(),
            accepted_user_id: self.accepted_user_id.as_deref(),
            role_slug: self.role(state),
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// The invitation with this id, or the refusal.
fn find<'a>(state: &'a State, id: &str) -> Result<&'a Arc<Invitation>, ApiError> {
    state
        .invitations
        .get(id)
        .ok_or_else(|| ApiError::not_found("Invitation", id))
}

/// The invitation with this token, whatever became of it.
pub(crate) fn by_token<'a>(state: &'a State, token: &str) -> Option<&'a Arc<Invitation>> {
    by_digest(state, &Secret::digest(token))
}

fn by_digest<'a>(state: &'a State, digest: &str) -> Option<&'a Arc<Invitation>> {
    state.invitations.find(BY_TOKEN, digest)
}

/// The invitation whose token somebody presents, if it can be accepted still.
///
/// It opens sign-up where that is closed. Source: <https://workos.com/docs/authkit/invitations#application-wide-invitations>.
pub(crate) fn open<'a>(
    state: &'a State,
    token: &str,
    now: Timestamp,
) -> Result<&'a Arc<Invitation>, ApiError> {
    open_by_digest(state, &Secret::digest(token), now)
}

/// The same by the digest that a sign-in remembers: [`SignIn::invitation`].
pub(crate) fn open_by_digest<'a>(
    state: &'a State,
    digest: &str,
    now: Timestamp,
) -> Result<&'a Arc<Invitation>, ApiError> {
    by_digest(state, digest)
        .filter(|invitation| invitation.is_pending(now))
        .ok_or_else(invalid)
}

/// The refusal of a token that accepts nothing.
pub(crate) fn invalid() -> ApiError {
    ApiError::oauth(
        "invitation_invalid",
        "The invitation is not known, was accepted or revoked, or has expired.",
    )
}

/// Whether somebody new with this address may sign up: everybody, or who may accept the invitation that is presented.
pub(crate) fn opens_sign_up(tx: &Transaction<'_>, digest: Option<&str>, email: &str) -> bool {
    let invitation = digest.and_then(|digest| open_by_digest(tx, digest, tx.now()).ok());
    tx.settings().open_sign_up() || invitation.is_some_and(|invitation| invitation.is_for(email))
}

/// The invitation that a sign-in is made with, if its user may accept it.
pub(crate) fn presented(
    state: &State,
    user: &User,
    sign_in: &SignIn,
    now: Timestamp,
) -> Result<Option<Arc<Invitation>>, ApiError> {
    let Some(digest) = &sign_in.invitation else {
        return Ok(None);
    };
    let invitation = open_by_digest(state, digest, now)?;
    if invitation.is_for(&user.email) {
        return Ok(Some(Arc::clone(invitation)));
    }
    Err(ApiError::oauth(
        "invitation_cannot_be_used_for_email",
        format!("The invitation cannot be used by {}.", user.email),
    ))
}

/// The pending invitation of an address to an organization, or to the application.
pub(crate) fn pending(
    state: &State,
    email: &str,
    organization_id: Option<&str>,
    now: Timestamp,
) -> Option<Arc<Invitation>> {
    let ends_after = now.as_millisecond().saturating_add(1);
    let last = Page {
        limit: 1,
        ..Page::default()
    };
    Select::group(OPEN, &group(&[email, organization_id.unwrap_or_default()]))
        .ranked(ends_after..=i64::MAX)
        .page(&state.invitations, &last)
        .ok()?
        .data
        .pop()
}

/// The pending membership that stands for an invitation.
fn pending_membership<'a>(
    state: &'a State,
    invitation: &Invitation,
) -> Option<&'a Arc<OrganizationMembership>> {
    let membership = state
        .organization_memberships
        .get(invitation.membership_id.as_deref()?)?;
    (membership.status == memberships::MembershipStatus::Pending).then_some(membership)
}
