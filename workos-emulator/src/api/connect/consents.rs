//! Consents: what a person lets an application have, in an organization and for a resource. Each token of an application
//! that acts for a person hangs from one, whose id is its `sid`.
//!
//! A first-party application has consents as well, for which nobody is asked.
//!
//! Assumption: the API's description has the step-up `application_consent_required` for `authenticate` and says nothing of
//! when; no grant of `authenticate` is for a Connect application here, and so none answers it.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{applications::ConnectApplication, token::grants};
use crate::{
    api::user_management::memberships,
    core::clock,
    server::error::ApiError,
    store::{Index, Record, State, Transaction, group},
};

/// A consent. The API calls it an authorized application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ConnectConsent {
    /// `authorized_connect_app_…`
    pub(crate) id: String,
    pub(crate) application_id: String,
    pub(crate) user_id: String,
    /// The organization that the person chose.
    pub(crate) organization_id: Option<String>,
    pub(crate) granted_scopes: Vec<String>,
    /// What the tokens are for (RFC 8707), if that was asked for.
    pub(crate) oauth_resource: Option<String>,
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    pub(crate) updated_at: Timestamp,
}

/// There is one for each person, application, organization and resource.
const BY_SUBJECT: Index<ConnectConsent> = Index::unique("subject", |row| {
    let subject = Subject {
        application_id: &row.application_id,
        user_id: &row.user_id,
        organization_id: row.organization_id.as_deref(),
        resource: row.oauth_resource.as_deref(),
    };
    vec![(subject.key(), 0)]
});
pub(super) const BY_USER: Index<ConnectConsent> =
    Index::ordered("user", |row| vec![(row.user_id.as_str().into(), 0)]);
const BY_USER_AND_APPLICATION: Index<ConnectConsent> = Index::ordered("user and application", |row| {
    vec![(group(&[&row.user_id, &row.application_id]), 0)]
});
pub(super) const BY_ORGANIZATION: Index<ConnectConsent> = Index::ordered("organization", |row| {
    let organization_id = row.organization_id.as_deref();
    organization_id.map(|id| (id.into(), 0)).into_iter().collect()
});
const BY_USER_AND_ORGANIZATION: Index<ConnectConsent> = Index::ordered("user and organization", |row| {
    let organization_id = row.organization_id.as_deref();
    let key = organization_id.map(|id| (group(&[&row.user_id, id]), 0));
    key.into_iter().collect()
});
const BY_APPLICATION: Index<ConnectConsent> =
    Index::ordered("application", |row| vec![(row.application_id.as_str().into(), 0)]);

impl Record for ConnectConsent {
    const INDEXES: &'static [Index<Self>] = &[
        BY_SUBJECT,
        BY_USER,
        BY_USER_AND_APPLICATION,
        BY_ORGANIZATION,
        BY_USER_AND_ORGANIZATION,
        BY_APPLICATION,
    ];

    fn id(&self) -> &str {
        &self.id
    }
}

/// What a consent is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) application_id: &'a str,
    pub(super) user_id: &'a str,
    pub(super) organization_id: Option<&'a str>,
    pub(super) resource: Option<&'a str>,
}

impl Subject<'_> {
    fn key(&self) -> Arc<str> {
        group(&[
            self.application_id,
            self.user_id,
            self.organization_id.unwrap_or_default(),
            self.resource.unwrap_or_default(),
        ])
    }
}

/// Whether the person has to be asked before the application gets these scopes: unless it is one's own, or they let it have
/// them before. Source: <https://workos.com/docs/reference/workos-connect/authorize>.
pub(super) fn is_needed(
    state: &State,
    application: &ConnectApplication,
    subject: Subject<'_>,
    scopes: &[String],
) -> bool {
    let consent = state.connect_consents.find(BY_SUBJECT, &subject.key());
    let given =
        consent.is_some_and(|consent| scopes.iter().all(|scope| consent.granted_scopes.contains(scope)));
    !application.is_first_party() && !given
}

/// Remembers what the person lets the application have, besides what they let it have before.
pub(super) fn record(
    tx: &mut Transaction<'_>,
    subject: Subject<'_>,
    scopes: &[String],
) -> Result<Arc<ConnectConsent>, ApiError> {
    let now = tx.now();
    let present = tx.connect_consents.find(BY_SUBJECT, &subject.key()).cloned();
    let mut consent = match &present {
        Some(present) => ConnectConsent::clone(present),
        None => ConnectConsent {
            id: tx.id("authorized_connect_app"),
            application_id: subject.application_id.to_owned(),
            user_id: subject.user_id.to_owned(),
            organization_id: subject.organization_id.map(str::to_owned),
            granted_scopes: Vec::new(),
            oauth_resource: subject.resource.map(str::to_owned),
            created_at: now,
            updated_at: now,
        },
    };
    consent.granted_scopes.extend(scopes.iter().cloned());
    consent.granted_scopes.sort();
    consent.granted_scopes.dedup();
    match present {
        Some(present) if *present == consent => Ok(present),
        _ => {
            consent.updated_at = now;
            Ok(tx.put(consent)?)
        }
    }
}

impl ConnectConsent {
    /// Whether it still says something: its application and its person are there, and the person is in the organization.
    pub(super) fn is_in_force(&self, state: &State) -> bool {
        let is_member = |id: &String| memberships::active(state, &self.user_id, id).is_some();
        state.connect_applications.get(&self.application_id).is_some()
            && state.users.get(&self.user_id).is_some()
            && self.organization_id.as_ref().is_none_or(is_member)
    }
}

/// Takes a consent back: its refresh tokens are gone, and its access tokens are not active any more.
fn delete(tx: &mut Transaction<'_>, id: &str) -> Result<(), ApiError> {
    grants::delete_of_consent(tx, id);
    tx.delete::<ConnectConsent>(id);
    Ok(())
}

fn delete_all(tx: &mut Transaction<'_>, index: Index<ConnectConsent>, of: &str) -> Result<usize, ApiError> {
    let found = tx.connect_consents.group(index, of);
    let ids: Vec<_> = found.map(|consent| consent.id.clone()).collect();
    ids.iter().try_for_each(|id| delete(tx, id))?;
    Ok(ids.len())
}

/// Takes back what a person let one application have, and says how many consents that were.
pub(super) fn delete_of_user_and_application(
    tx: &mut Transaction<'_>,
    user_id: &str,
    application_id: &str,
) -> Result<usize, ApiError> {
    delete_all(tx, BY_USER_AND_APPLICATION, &group(&[user_id, application_id]))
}

/// Takes back what was given to an application that is being deleted.
pub(super) fn delete_of_application(tx: &mut Transaction<'_>, application_id: &str) -> Result<(), ApiError> {
    delete_all(tx, BY_APPLICATION, application_id).map(drop)
}

/// Takes back what a person gave who is being deleted.
pub(crate) fn delete_of_user(tx: &mut Transaction<'_>, user_id: &str) -> Result<(), ApiError> {
    delete_all(tx, BY_USER, user_id).map(drop)
}

/// Takes back what a person gave in an organization that they are no active member of any more.
///
/// Assumption: like their sessions in it, it does not come back with the membership.
pub(crate) fn delete_of_membership(
    tx: &mut Transaction<'_>,
    user_id: &str,
    organization_id: &str,
) -> Result<(), ApiError> {
    delete_all(tx, BY_USER_AND_ORGANIZATION, &group(&[user_id, organization_id])).map(drop)
}
