//! `/_emulate/organizations/{id}`: what an organization has that the API does not set.

use serde::Deserialize;
use serde_json::json;

use crate::{
    api::{
        organizations::{self, entitlements},
        user_management::invitations::blocks,
    },
    server::{call::Call, error::ApiError, reply::Reply},
};

/// `PATCH /_emulate/organizations/{id}`. What is left out stays as it is.
#[derive(Debug, Deserialize)]
struct UpdateOrganization {
    /// The lookup keys of its entitlements in Stripe.
    entitlements: Option<Vec<String>>,
    /// WorkOS lets it send no invitations.
    invitations_blocked: Option<bool>,
}

/// `PATCH /_emulate/organizations/{id}`: the entitlements that access tokens say from the next sign-in or refresh on, and
/// whether the organization may invite.
pub(super) fn update_organization(call: &Call) -> Result<Reply, ApiError> {
    let changes: UpdateOrganization = call.body()?;
    let id = call.param("id");
    call.environment.transact(|tx| {
        organizations::find(tx, id)?;
        if let Some(entitlements) = changes.entitlements {
            entitlements::set(tx, id, entitlements)?;
        }
        if let Some(blocked) = changes.invitations_blocked {
            blocks::set(tx, id, blocked)?;
        }
        Reply::ok(&json!({
            "organization_id": id,
            "entitlements": entitlements::claim(tx, id).unwrap_or_default(),
            "invitations_blocked": blocks::is_blocked(tx, id),
        }))
    })
}
