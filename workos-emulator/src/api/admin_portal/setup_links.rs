//! Setup links: an IT contact gets one by e-mail, and opens the portal with it as often as needed, for thirty days or until
//! the setup is done. Source: <https://workos.com/docs/admin-portal/a-setup-link-from-workos-dashboard>.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    Access,
    intent::Intent,
    sessions::{self, PortalSession},
    token,
};
use crate::{
    core::{clock, secret::Secret},
    server::error::ApiError,
    store::{Index, Record, State, Transaction},
};

/// How long a link can be opened.
const LIFETIME: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The one setup link of an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SetupLink {
    /// The digest of its token.
    token: String,
    access: Access,
    /// Whom it was sent to.
    it_contact_id: String,
    #[serde(with = "clock::timestamp")]
    expires_at: Timestamp,
}

const BY_TOKEN: Index<SetupLink> = Index::unique("token", |link| vec![(link.token.as_str().into(), 0)]);

impl Record for SetupLink {
    const INDEXES: &'static [Index<Self>] = &[BY_TOKEN];
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.access.organization_id
    }
}

/// The link of an organization that can still be opened.
fn active<'a>(state: &'a State, organization_id: &str, now: Timestamp) -> Option<&'a Arc<SetupLink>> {
    let link = state.setup_links.get(organization_id)?;
    (link.expires_at > now).then_some(link)
}

/// Makes the link of an organization, and gives its token.
pub(crate) fn create(
    tx: &mut Transaction<'_>,
    organization_id: &str,
    it_contact_id: &str,
    intents: Vec<Intent>,
) -> Result<Secret, ApiError> {
    if active(tx, organization_id, tx.now()).is_some() {
        let message =
            "The organization has an active invitation already. Revoke it before you make another one.";
        return Err(ApiError::conflict(
            "it_contact_invitation_already_active",
            message,
        ));
    }
    let access = Access {
        organization_id: organization_id.to_owned(),
        intents,
        ..Access::default()
    };
    let expires_at = clock::saturating_add(tx.now(), LIFETIME);
    let token = token::issue(tx, &access, expires_at)?;
    tx.put(SetupLink {
        token: Secret::digest(token.expose()),
        access,
        it_contact_id: it_contact_id.to_owned(),
        expires_at,
    })?;
    Ok(token)
}

/// Opens a link, which stays what it is.
pub(super) fn open(tx: &mut Transaction<'_>, token: &str) -> Result<Option<Arc<PortalSession>>, ApiError> {
    let found = tx.setup_links.find(BY_TOKEN, &Secret::digest(token)).cloned();
    match found.filter(|link| link.expires_at > tx.now()) {
        Some(link) => sessions::begin(tx, link.access.clone(), true).map(Some),
        None => Ok(None),
    }
}

/// Revokes the link of an organization, and ends the sessions that began with it. Whether there was one.
pub(crate) fn revoke(tx: &mut Transaction<'_>, organization_id: &str) -> bool {
    let was_active = active(tx, organization_id, tx.now()).is_some();
    tx.delete::<SetupLink>(organization_id);
    sessions::end_of_setup_link(tx, organization_id);
    was_active
}

/// The same, where it was sent to this contact.
pub(crate) fn revoke_of_contact(tx: &mut Transaction<'_>, organization_id: &str, it_contact_id: &str) {
    let link = tx.setup_links.get(organization_id);
    if link.is_some_and(|link| link.it_contact_id == it_contact_id) {
        revoke(tx, organization_id);
    }
}

/// The setup is done: the link opens nothing more. Source: "Automatically revoked on setup completion"
/// (<https://workos.com/docs/admin-portal>).
pub(crate) fn complete(tx: &mut Transaction<'_>, organization_id: &str) {
    tx.delete::<SetupLink>(organization_id);
}
