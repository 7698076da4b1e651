//! How invitations are sent, accepted and revoked, and what ends them.
//!
//! Assumption: production's order of the events of one step is not documented. Here that of the membership comes first, so
//! that whoever is told of the invitation finds the membership as it is then.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{
    AcceptancePage, BY_MEMBERSHIP, BY_ORGANIZATION, BY_USER, Invitation, InvitationState, blocks, find, mail,
    pending, pending_membership, presented,
};
use crate::{
    api::{
        authorization::roles,
        organizations,
        user_management::{
            authenticate::sign_in::SignIn,
            memberships::{self, MembershipStatus, NewMembership, OrganizationMembership},
            users::{self, User},
        },
    },
    core::{clock, secret::Secret},
    server::error::ApiError,
    store::Transaction,
};

/// How long an invitation is good, in days, unless it is said.
const DEFAULT_DAYS: i64 = 7;

/// An invitation to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NewInvitation {
    pub(crate) email: String,
    pub(crate) organization_id: Option<String>,
    /// None for the organization's default role.
    pub(crate) role_slug: Option<String>,
    /// From 1 to 30.
    pub(crate) expires_in_days: Option<i64>,
    pub(crate) inviter_user_id: Option<String>,
}

/// Makes an invitation and sends it.
pub(crate) fn send(
    tx: &mut Transaction<'_>,
    page: &AcceptancePage,
    new: NewInvitation,
) -> Result<Arc<Invitation>, ApiError> {
    let invitation = create(tx, new)?;
    mail::send(tx, page, &invitation)?;
    Ok(invitation)
}

/// Makes an invitation because of what an identity provider did, and sends it if there is a client to whom the emulator is
/// at some address: a seed sends nothing.
pub(crate) fn send_for_provider(
    tx: &mut Transaction<'_>,
    new: NewInvitation,
) -> Result<Arc<Invitation>, ApiError> {
    let invitation = create(tx, new)?;
    if let Some(page) = AcceptancePage::within(tx) {
        mail::send(tx, &page, &invitation)?;
    }
    Ok(invitation)
}

/// Makes an invitation. A user who is invited to an organization gets a pending membership in it.
///
/// Sources: `pending` is the status of an invited user's membership
/// (<https://workos.com/docs/authkit/users-organizations>), which applications see before the invitation is accepted
/// (<https://github.com/adcontextprotocol/adcp/pull/1981>). Assumption: an address without a user gets neither a user nor a
/// membership before it signs up.
pub(crate) fn create(tx: &mut Transaction<'_>, new: NewInvitation) -> Result<Arc<Invitation>, ApiError> {
    let email = normalized(&new.email)?;
    users::email::check_deliverable(tx, &email)?;
    let lifetime = lifetime(new.expires_in_days)?;
    if let Some(id) = &new.inviter_user_id {
        users::find(tx, id)?;
    }
    let user_id = users::find_by_email(tx, &email).map(|user| user.id.clone());
    let membership_id = match &new.organization_id {
        None => {
            check_application(tx, &email, &new, user_id.is_some())?;
            None
        }
        Some(organization_id) => {
            organizations::find(tx, organization_id)?;
            check_organization(tx, &email, organization_id, user_id.as_deref())?;
            let roles = role(tx, organization_id, new.role_slug.as_deref())?;
            user_id
                .map(|user_id| pend(tx, user_id, organization_id, roles))
                .transpose()?
                .flatten()
        }
    };
    let (id, token) = (tx.id("invitation"), Secret::new(tx.token(25)));
    let invitation = Invitation {
        id,
        email,
        organization_id: new.organization_id,
        inviter_user_id: new.inviter_user_id,
        accepted_user_id: None,
        membership_id,
        role_slug: new.role_slug,
        token,
        accepted_at: None,
        revoked_at: None,
        expires_at: clock::saturating_add(tx.now(), lifetime),
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    let invitation = tx.put(invitation)?;
    emit(tx, "invitation.created", &invitation)?;
    Ok(invitation)
}

/// The address as it is kept.
fn normalized(email: &str) -> Result<String, ApiError> {
    users::email::normalized(email)
        .ok_or_else(|| ApiError::invalid_field("email", "invalid_email", "This email is not valid."))
}

fn lifetime(days: Option<i64>) -> Result<SignedDuration, ApiError> {
    match days.unwrap_or(DEFAULT_DAYS) {
        days @ 1..=30 => Ok(SignedDuration::from_hours(24 * days)),
        ..=0 => Err(ApiError::bad_request(
            "expires_in_days_too_short",
            "An invitation is good for at least 1 day.",
        )),
        _ => Err(ApiError::bad_request(
            "expires_in_days_too_long",
            "An invitation is good for at most 30 days.",
        )),
    }
}

/// Refuses an invitation to the application that makes no sense. Who is a user already is in the application.
///
/// Assumption: `invalid_role` is also for a role without an organization, which nobody could ever get.
fn check_application(
    tx: &Transaction<'_>,
    email: &str,
    new: &NewInvitation,
    is_user: bool,
) -> Result<(), ApiError> {
    if new.role_slug.is_some() {
        return Err(ApiError::bad_request(
            "invalid_role",
            "A role needs the organization_id of the organization that it is for.",
        ));
    }
    if is_user {
        return Err(ApiError::bad_request(
            "user_already_exists",
            format!("There is a user with the email '{email}' already."),
        ));
    }
    if pending(tx, email, None, tx.now()).is_some() {
        return Err(ApiError::bad_request(
            "email_already_invited",
            format!("The email '{email}' is invited already: resend or revoke that invitation."),
        ));
    }
    Ok(())
}

fn check_organization(
    tx: &Transaction<'_>,
    email: &str,
    organization_id: &str,
    user_id: Option<&str>,
) -> Result<(), ApiError> {
    if blocks::is_blocked(tx, organization_id) {
        return Err(ApiError::bad_request(
            "organization_blocked_from_sending_invites",
            "The organization is blocked from sending invitations.",
        ));
    }
    if user_id.is_some_and(|user_id| memberships::active(tx, user_id, organization_id).is_some()) {
        return Err(ApiError::bad_request(
            "user_already_organization_member",
            format!("The user '{email}' is a member of the organization already."),
        ));
    }
    if pending(tx, email, Some(organization_id), tx.now()).is_some() {
        return Err(ApiError::bad_request(
            "email_already_invited_to_organization",
            format!(
                "The email '{email}' is invited to the organization already: resend or revoke that invitation."
            ),
        ));
    }
    Ok(())
}

/// The role as memberships take it.
fn role(tx: &Transaction<'_>, organization_id: &str, slug: Option<&str>) -> Result<Vec<String>, ApiError> {
    let slugs: Vec<_> = slug.map(str::to_owned).into_iter().collect();
    match roles::assignable(tx, organization_id, slugs.clone()) {
        Ok(_) => Ok(slugs),
        Err(refusal) => Err(ApiError::bad_request("invalid_role", refusal.description())),
    }
}

/// The pending membership of an invited user. An inactive one stays as it is until the invitation is accepted.
fn pend(
    tx: &mut Transaction<'_>,
    user_id: String,
    organization_id: &str,
    roles: Vec<String>,
) -> Result<Option<String>, ApiError> {
    let present = memberships::of(tx, &user_id, organization_id);
    match present.map(|present| (present.id.clone(), present.status)) {
        None => {
            let membership = NewMembership {
                id: None,
                user_id,
                organization_id: organization_id.to_owned(),
                roles,
                status: MembershipStatus::Pending,
                directory_id: None,
            };
            Ok(Some(memberships::create(tx, membership)?.id.clone()))
        }
        // Of an earlier invitation, which has expired.
        Some((id, MembershipStatus::Pending)) => {
            if !roles.is_empty() {
                memberships::set_roles(tx, &id, roles)?;
            }
            Ok(Some(id))
        }
        Some((_, MembershipStatus::Active | MembershipStatus::Inactive)) => Ok(None),
    }
}

/// Sends an invitation once more. Assumption: it is the same link, good until the same time.
pub(super) fn resend(
    tx: &mut Transaction<'_>,
    page: &AcceptancePage,
    id: &str,
) -> Result<Arc<Invitation>, ApiError> {
    let invitation = Arc::clone(find(tx, id)?);
    let refused = |code, message: &str| Err(ApiError::bad_request(code, message));
    match invitation.state(tx.now()) {
        InvitationState::Expired => return refused("invite_expired", "Invite has expired."),
        InvitationState::Revoked => return refused("invite_revoked", "Invite has been revoked."),
        InvitationState::Accepted => return refused("invite_accepted", "Invite has already been accepted."),
        InvitationState::Pending => {}
    }
    users::email::check_deliverable(tx, &invitation.email)?;
    mail::send(tx, page, &invitation)?;
    emit(tx, "invitation.resent", &invitation)?;
    Ok(invitation)
}

/// Accepts an invitation for the user whom it was sent to, without signing them in.
///
/// Assumption: an invitation to an address that has no user is `invalid_invite`, as there is nobody to accept it; it was
/// `invite_has_accepted_user_id` when it was accepted.
pub(super) fn accept(tx: &mut Transaction<'_>, id: &str) -> Result<Arc<Invitation>, ApiError> {
    let invitation = Arc::clone(find(tx, id)?);
    if invitation.accepted_user_id.is_some() {
        return Err(ApiError::bad_request(
            "invite_has_accepted_user_id",
            "Invite has already been accepted by a user.",
        ));
    }
    check_pending(&invitation, tx.now())?;
    let membership = pending_membership(tx, &invitation);
    let user = match membership {
        Some(membership) => tx.users.get(&membership.user_id),
        None => users::find_by_email(tx, &invitation.email),
    };
    let user = user.cloned().ok_or_else(|| {
        ApiError::bad_request(
            "invalid_invite",
            format!("No user has the email '{}' that was invited.", invitation.email),
        )
    })?;
    accept_as(tx, &invitation, &user)
}

/// Spends the invitation that a sign-in is made with: its session begins.
pub(crate) fn spend(tx: &mut Transaction<'_>, user: &User, sign_in: &SignIn) -> Result<(), ApiError> {
    match presented(tx, user, sign_in, tx.now())? {
        Some(invitation) => accept_as(tx, &invitation, user).map(drop),
        None => Ok(()),
    }
}

/// The user becomes a member with the role of the invitation; who is one already keeps their own.
fn accept_as(
    tx: &mut Transaction<'_>,
    invitation: &Invitation,
    user: &User,
) -> Result<Arc<Invitation>, ApiError> {
    let membership_of_other = pending_membership(tx, invitation)
        .filter(|membership| membership.user_id != user.id)
        .map(|membership| membership.id.clone());
    let accepted = tx.put(Invitation {
        accepted_at: Some(tx.now()),
        accepted_user_id: Some(user.id.clone()),
        membership_id: None,
        updated_at: tx.now(),
        ..invitation.clone()
    })?;
    if let Some(organization_id) = &invitation.organization_id {
        let role = invitation.named_role(tx).map(str::to_owned);
        memberships::join(tx, &user.id, organization_id, role)?;
        // It may have stood for other invitations, too: an expired one, or the user's own where they used a colleague's.
        let membership_id = memberships::id_of(tx, &user.id, organization_id).unwrap_or_default();
        for other in standing_for(tx, &membership_id) {
            unlink(tx, &other)?;
        }
    }
    // The invited user did not come, but somebody else of their domain.
    if let Some(id) = membership_of_other {
        memberships::delete(tx, &id)?;
    }
    emit(tx, "invitation.accepted", &accepted)?;
    Ok(accepted)
}

/// Revokes a pending invitation; the pending membership that stands for it goes.
pub(super) fn revoke(tx: &mut Transaction<'_>, id: &str) -> Result<Arc<Invitation>, ApiError> {
    let invitation = Arc::clone(find(tx, id)?);
    check_pending(&invitation, tx.now())?;
    let membership_id = pending_membership(tx, &invitation).map(|membership| membership.id.clone());
    let revoked = end(tx, &invitation)?;
    if let Some(id) = membership_id {
        memberships::delete(tx, &id)?;
    }
    Ok(revoked)
}

fn check_pending(invitation: &Invitation, now: Timestamp) -> Result<(), ApiError> {
    if invitation.is_pending(now) {
        return Ok(());
    }
    Err(ApiError::bad_request(
        "invite_not_pending",
        "Invite is not pending.",
    ))
}

/// Marks an invitation as revoked, with its event.
fn end(tx: &mut Transaction<'_>, invitation: &Invitation) -> Result<Arc<Invitation>, ApiError> {
    let revoked = Invitation {
        revoked_at: Some(tx.now()),
        updated_at: tx.now(),
        ..invitation.clone()
    };
    // With the role of the membership, which goes with the invitation.
    emit(tx, "invitation.revoked", &revoked)?;
    Ok(tx.put(Invitation {
        membership_id: None,
        ..revoked
    })?)
}

/// Revokes what would bring a membership back that is being ended: the pending invitation of its user to the organization.
pub(crate) fn withdraw(
    tx: &mut Transaction<'_>,
    membership: &OrganizationMembership,
) -> Result<(), ApiError> {
    let now = tx.now();
    let email = tx.users.get(&membership.user_id).map(|user| user.email.clone());
    let to_user = email.and_then(|email| pending(tx, &email, Some(&membership.organization_id), now));
    let mut invitations = standing_for(tx, &membership.id);
    invitations.extend(to_user);
    invitations.sort_by(|one, other| one.id.cmp(&other.id));
    invitations.dedup_by(|one, other| one.id == other.id);
    for invitation in invitations {
        if invitation.is_pending(now) {
            end(tx, &invitation)?;
        } else {
            unlink(tx, &invitation)?;
        }
    }
    Ok(())
}

/// The invitations that a pending membership stands for.
fn standing_for(tx: &Transaction<'_>, membership_id: &str) -> Vec<Arc<Invitation>> {
    tx.invitations
        .group(BY_MEMBERSHIP, membership_id)
        .cloned()
        .collect()
}

/// Lets the membership that stood for an invitation stand for it no more.
fn unlink(tx: &mut Transaction<'_>, invitation: &Invitation) -> Result<(), ApiError> {
    tx.put(Invitation {
        membership_id: None,
        ..invitation.clone()
    })?;
    Ok(())
}

/// Deletes the invitations to an organization that is being deleted; the pending ones are revoked first.
pub(crate) fn delete_of_organization(
    tx: &mut Transaction<'_>,
    organization_id: &str,
) -> Result<(), ApiError> {
    let invitations: Vec<_> = tx
        .invitations
        .group(BY_ORGANIZATION, organization_id)
        .cloned()
        .collect();
    for invitation in invitations {
        if invitation.is_pending(tx.now()) {
            end(tx, &invitation)?;
        }
        tx.delete::<Invitation>(&invitation.id);
    }
    blocks::set(tx, organization_id, false)
}

/// Invitations that a deleted user sent or accepted stay, but name nobody.
pub(crate) fn forget_user(tx: &mut Transaction<'_>, user_id: &str) -> Result<(), ApiError> {
    let invitations: Vec<_> = tx.invitations.group(BY_USER, user_id).cloned().collect();
    let other = |id: &Option<String>| id.clone().filter(|id| id != user_id);
    for invitation in invitations {
        tx.put(Invitation {
            inviter_user_id: other(&invitation.inviter_user_id),
            accepted_user_id: other(&invitation.accepted_user_id),
            ..Invitation::clone(&invitation)
        })?;
    }
    Ok(())
}

fn emit(tx: &mut Transaction<'_>, event: &str, invitation: &Invitation) -> Result<(), ApiError> {
    let data = serde_json::to_value(invitation.event_data(tx, tx.now()))
        .map_err(|error| ApiError::message(500, error.to_string()))?;
    tx.emit(event, &data).map(drop)
}
