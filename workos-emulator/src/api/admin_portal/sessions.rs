//! Sessions of the Admin Portal: one browser that has opened a link.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Access, links, setup_links};
use crate::{
    core::{clock, secret::Secret},
    server::error::ApiError,
    store::{Expiring, Index, Record, State, Transaction, group},
};

/// How long a session lasts. Assumption: production's is not documented.
const LIFETIME: SignedDuration = SignedDuration::from_hours(8);

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PortalSession {
    pub(crate) id: String,
    /// What the browser shows that opened the link.
    pub(crate) secret: Secret,
    pub(crate) access: Access,
    /// It began with the setup link of the organization, not with one of the application.
    pub(crate) by_setup_link: bool,
    #[serde(with = "clock::timestamp")]
    expires_at: Timestamp,
}

const BY_ORGANIZATION: Index<PortalSession> = Index::ordered("organization", |session| {
    vec![(session.access.organization_id.as_str().into(), 0)]
});
const BY_EXTERNAL_USER: Index<PortalSession> = Index::ordered("external user", |session| {
    let user = session.access.external_user_id.iter();
    user.map(|user| (group(&[&session.access.organization_id, user]), 0))
        .collect()
});

impl Record for PortalSession {
    const INDEXES: &'static [Index<Self>] = &[BY_ORGANIZATION, BY_EXTERNAL_USER];
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.id
    }
}

impl Expiring for PortalSession {
    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

/// Opens the link that has this token: the session that it begins, with a secret that no browser had before.
pub(crate) fn open(tx: &mut Transaction<'_>, token: &str) -> Result<Option<Arc<PortalSession>>, ApiError> {
    match links::open(tx, token)? {
        Some(session) => Ok(Some(session)),
        None => setup_links::open(tx, token),
    }
}

pub(super) fn begin(
    tx: &mut Transaction<'_>,
    access: Access,
    by_setup_link: bool,
) -> Result<Arc<PortalSession>, ApiError> {
    let session = PortalSession {
        id: tx.id("portal_session"),
        secret: Secret::new(tx.token(32)),
        access,
        by_setup_link,
        expires_at: clock::saturating_add(tx.now(), LIFETIME),
    };
    Ok(tx.put_expiring(session)?)
}

/// Ends a session.
pub(crate) fn end(tx: &mut Transaction<'_>, id: &str) {
    tx.delete::<PortalSession>(id);
}

pub(super) fn of_organization(state: &State, organization_id: &str) -> Vec<String> {
    let sessions = state.portal_sessions.group(BY_ORGANIZATION, organization_id);
    sessions.map(|session| session.id.clone()).collect()
}

/// Ends the sessions that began with the setup link of an organization.
pub(super) fn end_of_setup_link(tx: &mut Transaction<'_>, organization_id: &str) {
    let ended: Vec<_> = tx
        .portal_sessions
        .group(BY_ORGANIZATION, organization_id)
        .filter(|session| session.by_setup_link)
        .map(|session| session.id.clone())
        .collect();
    for id in ended {
        end(tx, &id);
    }
}

pub(super) fn end_of_external_user(tx: &mut Transaction<'_>, user: &str) {
    let ended: Vec<_> = tx
        .portal_sessions
        .group(BY_EXTERNAL_USER, user)
        .map(|session| session.id.clone())
        .collect();
    for id in ended {
        end(tx, &id);
    }
}
