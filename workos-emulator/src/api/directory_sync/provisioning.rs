//! AuthKit users and memberships that follow a directory, where the environment wants it.
//! Source: <https://workos.com/docs/authkit/directory-provisioning>.

use std::sync::Arc;

use super::{
    DirectoryError,
    directories::{Directory, DirectoryType},
    roles,
    users::{DirectoryUser, UserState, attributes},
};
use crate::{
    api::{
        organizations::domains::DomainState,
        user_management::{
            invitations::{self, NewInvitation},
            memberships::{self, MembershipStatus, Provisioned},
            users::{self, NewUser, UserChanges},
        },
    },
    server::body::Patch,
    store::{State, Transaction},
};

/// Lets AuthKit follow a directory user that came, changed or went. Without the setting nothing follows.
///
/// Assumptions: a suspended user is deprovisioned like an inactive one. Of several directory users with one address, which
/// are the same AuthKit user, each is followed as it comes.
pub(super) fn follow(
    tx: &mut Transaction<'_>,
    directory: &Directory,
    before: Option<&DirectoryUser>,
    after: Option<&DirectoryUser>,
) -> Result<(), DirectoryError> {
    if !tx.settings().directory_sync.provisioning || !directory.r#type.provisions() {
        return Ok(());
    }
    match after.filter(|user| is_provisioned(user)) {
        Some(user) => provision(tx, directory, user),
        None => match before.or(after).and_then(|user| user.user_id.as_deref()) {
            Some(user_id) => Ok(memberships::deprovision(tx, user_id, &directory.organization_id)?),
            None => Ok(()),
        },
    }
}

impl DirectoryType {
    /// "Directory provisioning is supported for all SCIM directory providers, Google Workspace, and SFTP."
    fn provisions(self) -> bool {
        self.is_scim() || matches!(self, Self::Gsuite | Self::Sftp | Self::SftpWorkday)
    }
}

fn is_provisioned(user: &DirectoryUser) -> bool {
    user.is_listed() && user.state == UserState::Active && user.email.is_some()
}

/// Makes sure that the AuthKit user and the membership of an active directory user are there, and as the directory has them.
fn provision(
    tx: &mut Transaction<'_>,
    directory: &Directory,
    user: &DirectoryUser,
) -> Result<(), DirectoryError> {
    let Some(email) = &user.email else {
        return Ok(());
    };
    let managed = is_domain_managed(tx, directory, email);
    // The user whom it was linked to: an address that changes in the directory changes nothing in AuthKit.
    let linked = user.user_id.as_deref().and_then(|id| tx.users.get(id));
    let present = linked.or_else(|| users::find_by_email(tx, email)).cloned();
    let (first_name, last_name) = (
        attributes::first_name(&user.attributes).map(str::to_owned),
        attributes::last_name(&user.attributes).map(str::to_owned),
    );
    let user_id = match present {
        None => {
            let new = NewUser {
                email: email.clone(),
                email_verified: managed,
                first_name,
                last_name,
                ..NewUser::default()
            };
            users::create(tx, new)?.id.clone()
        }
        Some(present) => {
            let differs = present.first_name != first_name || present.last_name != last_name;
            if managed && differs {
                let patch = |name: Option<String>| name.map_or(Patch::Clear, Patch::Set);
                let changes = UserChanges {
                    first_name: patch(first_name),
                    last_name: patch(last_name),
                    ..UserChanges::default()
                };
                users::update(tx, &present.id, changes)?;
            }
            present.id.clone()
        }
    };
    if user.user_id.as_ref() != Some(&user_id)
        && let Some(row) = tx.directory_users.get(&user.id)
    {
        let row = DirectoryUser {
            user_id: Some(user_id.clone()),
            ..DirectoryUser::clone(row)
        };
        tx.put(row)?;
    }
    let status = if managed {
        MembershipStatus::Active
    } else {
        MembershipStatus::Pending
    };
    let with = Provisioned {
        directory_id: directory.id.clone(),
        status,
        roles: roles::mapped_to(tx, directory, &user.id),
        custom_attributes: user.custom_attributes(tx),
    };
    let role = with.roles.first().cloned();
    let is_new = memberships::id_of(tx, &user_id, &directory.organization_id).is_none();
    memberships::provision(tx, &user_id, &directory.organization_id, with)?;
    if is_new && !managed {
        invite(tx, directory, email, role);
    }
    Ok(())
}

/// Invites a guest, who is a member when the invitation is accepted. Who cannot be invited, because an invitation waits already
/// or the address is one of a throw-away service, stays pending all the same.
///
/// The link of its e-mail leads to where the provider, or the test that stands in for it, reaches the emulator.
fn invite(tx: &mut Transaction<'_>, directory: &Directory, email: &str, role_slug: Option<String>) {
    let new = NewInvitation {
        email: email.to_owned(),
        organization_id: Some(directory.organization_id.clone()),
        role_slug,
        expires_in_days: None,
        inviter_user_id: None,
    };
    drop(tx.attempt(|tx| invitations::send_for_provider(tx, new)));
}

/// Whether the address is at a domain that the directory's organization has verified.
fn is_domain_managed(state: &State, directory: &Directory, email: &str) -> bool {
    let domain = email
        .rsplit_once('@')
        .map_or("", |(_, domain)| domain)
        .to_lowercase();
    let organization = state
        .organizations
        .get(&directory.organization_id)
        .map(Arc::as_ref);
    organization.is_some_and(|organization| {
        let mut domains = organization.domains.iter();
        domains.any(|own| own.state == DomainState::Verified && own.domain == domain)
    })
}
