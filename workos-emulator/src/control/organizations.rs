//! `/_emulate/organizations/{id}`: what an organization has that the API does not set.

use serde::Deserialize;

use crate::{
    api::organizations::entitlements,
    server::{call::Call, error::ApiError, reply::Reply},
};

/// `PATCH /_emulate/organizations/{id}`
#[derive(Debug, Deserialize)]
struct UpdateOrganization {
    /// The lookup keys of its entitlements in Stripe.
    entitlements: Vec<String>,
}

/// `PATCH /_emulate/organizations/{id}`: the entitlements that access tokens say from the next sign-in or refresh on.
pub(super) fn update_organization(call: &Call) -> Result<Reply, ApiError> {
    let UpdateOrganization { entitlements } = call.body()?;
    let id = call.param("id");
    Reply::ok(
        call.environment
            .transact(|tx| entitlements::set(tx, id, entitlements))?
            .as_ref(),
    )
}
