//! Organization domains: who owns which domain, proved by a TXT record. Source:
//! <https://workos.com/docs/domain-verification/api> and <https://workos.com/docs/reference/domain-verification>.
//!
//! A domain is part of its organization's row ([`domains`](super::organizations::domains)); here is what is done with one
//! domain alone. The answers of the DNS are [`dns`]'s.
//!
//! Assumptions: a domain's own operations emit events of the domain, not of its organization, whose `updated_at` stays.
//! A change of the state is `organization_domain.updated`, and then what it amounts to.

pub(crate) mod dns;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::organizations::{
    self, BY_DOMAIN, BY_DOMAIN_ID, BY_VERIFIED_DOMAIN, Organization, WAITING_FOR_DNS,
    domains::{self, DomainState, OrganizationDomain, VerificationStrategy, WantedState},
};
use crate::{
    server::{call::Call, error::ApiError, reply::Reply},
    store::{State, Transaction},
};

/// Why a domain was not verified.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FailureReason {
    #[default]
    DomainVerificationPeriodExpired,
    DomainVerifiedByOtherOrganization,
}

/// The domain with this id, or the refusal.
pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a OrganizationDomain, ApiError> {
    let organization = state.organizations.find(BY_DOMAIN_ID, id);
    organization
        .and_then(|organization| organization.domains.iter().find(|domain| domain.id == id))
        .ok_or_else(|| ApiError::not_found("Organization domain", id))
}

/// Adds a domain to an organization. It waits for its TXT record from now on.
///
/// Assumption: several organizations may claim a domain, until it is verified for one of them.
pub(crate) fn create(
    tx: &mut Transaction<'_>,
    organization_id: &str,
    domain: &str,
) -> Result<OrganizationDomain, ApiError> {
    let domain = domains::checked("domain", domain)?;
    let organization = Arc::clone(organizations::find(tx, organization_id)?);
    if organization.domains.iter().any(|other| other.domain == domain) {
        let message = "Domain already exists for this organization.";
        return Err(ApiError::conflict("domain_already_exists", message));
    }
    let domain = OrganizationDomain::new(tx, organization_id, domain, WantedState::Pending);
    let mut organization = Organization::clone(&organization);
    organization.domains.push(domain.clone());
    tx.put(organization)?;
    tx.emit("organization_domain.created", &domain)?;
    Ok(domain)
}

/// Takes a domain from its organization.
pub(crate) fn delete(tx: &mut Transaction<'_>, id: &str) -> Result<(), ApiError> {
    let domain = find(tx, id)?.clone();
    let mut organization = Organization::clone(organizations::find(tx, &domain.organization_id)?);
    organization.domains.retain(|other| other.id != id);
    tx.put(organization)?;
    tx.emit("organization_domain.deleted", &domain)?;
    Ok(())
}

/// Starts the verification, once more for a domain that has failed, and looks for the TXT record.
///
/// Assumption: the wait of thirty days begins anew for a domain that is pending already.
pub(crate) fn verify(tx: &mut Transaction<'_>, id: &str) -> Result<OrganizationDomain, ApiError> {
    let domain = find(tx, id)?.clone();
    if domain.state == DomainState::Verified {
        let message = "Domain is already verified.";
        return Err(ApiError::bad_request("domain_already_verified", message));
    }
    restart(tx, &domain)?;
    check(tx, id)
}

/// Lets a domain wait for its TXT record, for thirty days from now on.
pub(crate) fn restart(
    tx: &mut Transaction<'_>,
    domain: &OrganizationDomain,
) -> Result<OrganizationDomain, ApiError> {
    set_state(tx, domain, DomainState::Pending, VerificationStrategy::Dns)
}

/// Looks for the TXT record of a pending domain: it is verified where it is found, and stays what it is elsewhere.
pub(crate) fn check(tx: &mut Transaction<'_>, id: &str) -> Result<OrganizationDomain, ApiError> {
    let domain = find(tx, id)?.clone();
    if domain.state == DomainState::Pending && dns::has_record(tx, &domain) {
        return conclude(tx, &domain, VerificationStrategy::Dns);
    }
    Ok(domain)
}

/// A domain turns out to be its organization's, unless it is another's already. Others that wait for it wait in vain.
pub(crate) fn conclude(
    tx: &mut Transaction<'_>,
    domain: &OrganizationDomain,
    strategy: VerificationStrategy,
) -> Result<OrganizationDomain, ApiError> {
    if is_of_another(tx, domain) {
        return fail(tx, domain, FailureReason::DomainVerifiedByOtherOrganization);
    }
    let verified = set_state(tx, domain, DomainState::Verified, strategy)?;
    tx.emit("organization_domain.verified", &verified)?;
    let in_vain: Vec<_> = tx
        .organizations
        .group(BY_DOMAIN, &verified.domain)
        .flat_map(|organization| &organization.domains)
        .filter(|other| other.domain == verified.domain && other.state == DomainState::Pending)
        .cloned()
        .collect();
    for other in in_vain {
        fail(tx, &other, FailureReason::DomainVerifiedByOtherOrganization)?;
    }
    Ok(verified)
}

/// Whether the domain is verified for another organization.
pub(crate) fn is_of_another(state: &State, domain: &OrganizationDomain) -> bool {
    let owner = state.organizations.find(BY_VERIFIED_DOMAIN, &domain.domain);
    owner.is_some_and(|owner| owner.id != domain.organization_id)
}

/// Ends the wait of a domain.
pub(crate) fn fail(
    tx: &mut Transaction<'_>,
    domain: &OrganizationDomain,
    reason: FailureReason,
) -> Result<OrganizationDomain, ApiError> {
    #[derive(Serialize)]
    struct Data<'a> {
        reason: FailureReason,
        organization_domain: &'a OrganizationDomain,
    }
    let failed = set_state(tx, domain, DomainState::Failed, domain.verification_strategy)?;
    let data = Data {
        reason,
        organization_domain: &failed,
    };
    tx.emit("organization_domain.verification_failed", &data)?;
    Ok(failed)
}

fn set_state(
    tx: &mut Transaction<'_>,
    domain: &OrganizationDomain,
    state: DomainState,
    verification_strategy: VerificationStrategy,
) -> Result<OrganizationDomain, ApiError> {
    let changed = OrganizationDomain {
        state,
        verification_strategy,
        updated_at: tx.now(),
        ..domain.clone()
    };
    let mut organization = Organization::clone(organizations::find(tx, &domain.organization_id)?);
    for one in &mut organization.domains {
        if one.id == domain.id {
            one.clone_from(&changed);
        }
    }
    tx.put(organization)?;
    if domain.state != state {
        tx.emit("organization_domain.updated", &changed)?;
    }
    Ok(changed)
}

/// When the next domain has waited long enough.
pub(crate) fn next_expiry(state: &State) -> Option<Timestamp> {
    let organization = state.organizations.group(WAITING_FOR_DNS, "").next()?;
    organization
        .domains
        .iter()
        .filter_map(OrganizationDomain::expires_at)
        .min()
}

/// Fails the domains that have waited for thirty days.
pub(crate) fn expire(tx: &mut Transaction<'_>) -> Result<(), ApiError> {
    while next_expiry(tx).is_some_and(|at| at <= tx.now()) {
        let Some(organization) = tx.organizations.group(WAITING_FOR_DNS, "").next().cloned() else {
            break;
        };
        for domain in &organization.domains {
            if domain.expires_at().is_some_and(|at| at <= tx.now()) {
                fail(tx, domain, FailureReason::DomainVerificationPeriodExpired)?;
            }
        }
    }
    Ok(())
}

/// `POST /organization_domains`
pub(crate) fn create_organization_domain(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    struct CreateOrganizationDomain {
        domain: String,
        organization_id: String,
    }
    let new: CreateOrganizationDomain = call.body()?;
    Reply::created(
        &call
            .environment
            .transact(|tx| create(tx, &new.organization_id, &new.domain))?,
    )
}

/// `GET /organization_domains/{id}`
pub(crate) fn get_organization_domain(call: &Call) -> Result<Reply, ApiError> {
    Reply::ok(find(&call.environment.state(), call.param("id"))?)
}

/// `DELETE /organization_domains/{id}`
pub(crate) fn delete_organization_domain(call: &Call) -> Result<Reply, ApiError> {
    call.environment.transact(|tx| delete(tx, call.param("id")))?;
    Reply::empty(204)
}

/// `POST /organization_domains/{id}/verify`
pub(crate) fn verify_organization_domain(call: &Call) -> Result<Reply, ApiError> {
    Reply::created(&call.environment.transact(|tx| verify(tx, call.param("id")))?)
}
