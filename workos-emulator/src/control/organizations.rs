//! `/_emulate/organizations/{id}`: what an organization has that the API does not set.

use serde::{Deserialize, Serialize};

use crate::{
    api::{
        organizations::entitlements,
        user_management::{
            invitations::blocks,
            organization_policies::{
                self, DomainPolicy, OrganizationPolicies, OrganizationPolicy, PolicyChanges,
            },
        },
    },
    server::{body::Patch, call::Call, error::ApiError, reply::Reply},
};

/// `PATCH /_emulate/organizations/{id}`: what is left out stays as it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdateOrganization {
    /// The lookup keys of its entitlements in Stripe.
    entitlements: Option<Vec<String>>,
    /// WorkOS lets it send no invitations.
    invitations_blocked: Option<bool>,
    #[serde(default)]
    domain_policy: Patch<DomainPolicy>,
    #[serde(default)]
    organization_policy: Patch<OrganizationPolicy>,
}

/// All of it, as it is now.
#[derive(Debug, Serialize)]
struct Body {
    entitlements: Vec<String>,
    invitations_blocked: bool,
    #[serde(flatten)]
    policies: OrganizationPolicies,
}

/// `PATCH /_emulate/organizations/{id}`: the entitlements that access tokens say from the next sign-in or refresh on, the policies
/// that sign-ins are subject to from now on, and whether the organization may invite.
pub(super) fn update_organization(call: &Call) -> Result<Reply, ApiError> {
    let UpdateOrganization {
        entitlements,
        invitations_blocked,
        domain_policy,
        organization_policy,
    } = call.body()?;
    let id = call.param("id");
    let changes = PolicyChanges {
        domain_policy,
        organization_policy,
    };
    let body = call.environment.transact(|tx| {
        let policies = organization_policies::change(tx, id, changes)?;
        if let Some(entitlements) = entitlements {
            entitlements::set(tx, id, entitlements)?;
        }
        if let Some(blocked) = invitations_blocked {
            blocks::set(tx, id, blocked)?;
        }
        Ok::<_, ApiError>(Body {
            invitations_blocked: blocks::is_blocked(tx, id),
            entitlements: entitlements::claim(tx, id).unwrap_or_default(),
            policies: OrganizationPolicies::clone(&policies),
        })
    })?;
    Reply::ok(&body)
}
