//! `/_emulate/organization_domains/{id}`: what the dashboard and the DNS do with a domain.

use serde::Deserialize;

use crate::{
    api::{
        organization_domains::{self, FailureReason, dns},
        organizations::domains::{DomainState, VerificationStrategy},
    },
    server::{call::Call, error::ApiError, reply::Reply},
};

/// `PATCH /_emulate/organization_domains/{id}`: a state, as if the dashboard or the time had brought it about.
pub(super) fn update_organization_domain(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct UpdateOrganizationDomain {
        state: DomainState,
        /// Why it has failed.
        #[serde(default)]
        reason: FailureReason,
    }
    let wanted: UpdateOrganizationDomain = call.body()?;
    let id = call.param("id");
    let domain = call.environment.transact(|tx| {
        let domain = organization_domains::find(tx, id)?.clone();
        match wanted.state {
            state if state == domain.state => Ok(domain),
            DomainState::Pending => organization_domains::restart(tx, &domain),
            DomainState::Verified => {
                organization_domains::conclude(tx, &domain, VerificationStrategy::Manual)
            }
            DomainState::Failed => organization_domains::fail(tx, &domain, wanted.reason),
        }
    })?;
    Reply::ok(&domain)
}

/// `POST /_emulate/organization_domains/{id}/dns`: publishes TXT records at the domain, and looks for the one that verifies it,
/// as production does again and again. Without `txt` it is that one.
pub(super) fn publish_dns(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct PublishDns {
        txt: Option<Vec<String>>,
    }
    let PublishDns { txt } = call.body()?;
    let id = call.param("id");
    let domain = call.environment.transact(|tx| {
        let domain = organization_domains::find(tx, id)?.clone();
        let txt = txt.unwrap_or_else(|| vec![domain.txt_value()]);
        dns::publish(tx, &domain.domain, txt)?;
        organization_domains::check(tx, id)
    })?;
    Reply::ok(&domain)
}
