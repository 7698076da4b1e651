//! What an organization has paid for: the `entitlements` claim of access tokens.
//!
//! In production they are the lookup keys of the organization's entitlements in Stripe
//! (<https://workos.com/docs/authkit/add-ons/stripe>), and no call of the API sets or shows them. Here they are a setting of
//! the organization: `PATCH /_emulate/organizations/{id}` `{"entitlements": ["audit-logs"]}`, or `entitlements` in a seed.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::find;
use crate::{
    server::error::ApiError,
    store::{Record, State, Transaction},
};

/// The entitlements of one organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entitlements {
    pub(crate) organization_id: String,
    /// Lookup keys.
    pub(crate) entitlements: Vec<String>,
}

impl Record for Entitlements {
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.organization_id
    }
}

/// Replaces the entitlements of an organization.
pub(crate) fn set(
    tx: &mut Transaction<'_>,
    organization_id: &str,
    entitlements: Vec<String>,
) -> Result<Arc<Entitlements>, ApiError> {
    find(tx, organization_id)?;
    Ok(tx.put(Entitlements {
        organization_id: organization_id.to_owned(),
        entitlements,
    })?)
}

/// The `entitlements` claim for an organization; none where it has none.
pub(crate) fn claim(state: &State, organization_id: &str) -> Option<Vec<String>> {
    let entitlements = &state.entitlements.get(organization_id)?.entitlements;
    (!entitlements.is_empty()).then(|| entitlements.clone())
}
