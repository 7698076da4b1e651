//! Organizations that WorkOS lets send no invitations.
//!
//! In production it is WorkOS that blocks an organization, against abuse, and no call of the API does it or shows it. Here it
//! is a setting of the organization: `PATCH /_emulate/organizations/{id}` `{"invitations_blocked": true}`.

use serde::{Deserialize, Serialize};

use crate::{
    server::error::ApiError,
    store::{Record, State, Transaction},
};

/// That an organization is blocked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InvitationBlock {
    organization_id: String,
}

impl Record for InvitationBlock {
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.organization_id
    }
}

pub(crate) fn is_blocked(state: &State, organization_id: &str) -> bool {
    state.invitation_blocks.get(organization_id).is_some()
}

/// Blocks an organization, or lets it invite again.
pub(crate) fn set(tx: &mut Transaction<'_>, organization_id: &str, blocked: bool) -> Result<(), ApiError> {
    if blocked {
        tx.put(InvitationBlock {
            organization_id: organization_id.to_owned(),
        })?;
    } else {
        tx.delete::<InvitationBlock>(organization_id);
    }
    Ok(())
}
