//! The domains of an organization. They are part of its row.

use std::{collections::HashSet, sync::LazyLock};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{core::clock, server::error::ApiError, store::Transaction};

/// Whether the organization is known to own the domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DomainState {
    Pending,
    Verified,
    Failed,
}

/// How the domain was or is to be verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum VerificationStrategy {
    /// By a TXT record.
    Dns,
    /// Said to be verified by whoever holds the API key.
    Manual,
}

/// A domain, as kept and as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "object", rename = "organization_domain")]
pub(crate) struct OrganizationDomain {
    pub(crate) id: String,
    pub(crate) organization_id: String,
    pub(crate) domain: String,
    pub(crate) state: DomainState,
    pub(crate) verification_prefix: String,
    pub(crate) verification_token: String,
    pub(crate) verification_strategy: VerificationStrategy,
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    pub(crate) updated_at: Timestamp,
}

/// How long a domain waits for its TXT record. Source: <https://workos.com/docs/domain-verification/api>.
const VERIFICATION_PERIOD: SignedDuration = SignedDuration::from_hours(30 * 24);

impl OrganizationDomain {
    /// A domain that is new to an organization.
    pub(crate) fn new(
        tx: &mut Transaction<'_>,
        organization_id: &str,
        domain: String,
        state: WantedState,
    ) -> Self {
        let (state, verification_strategy) = match state {
            WantedState::Pending => (DomainState::Pending, VerificationStrategy::Dns),
            WantedState::Verified => (DomainState::Verified, VerificationStrategy::Manual),
        };
        Self {
            id: tx.id("org_domain"),
            organization_id: organization_id.to_owned(),
            domain,
            state,
            verification_prefix: format!("workos-domain-verification-{}", tx.token(6).to_lowercase()),
            verification_token: tx.token(25),
            verification_strategy,
            created_at: tx.now(),
            updated_at: tx.now(),
        }
    }

    /// The value of the TXT record that proves who owns the domain.
    ///
    /// Assumption: domains of today have their own prefix; the documentation still shows one that all domains share.
    pub(crate) fn txt_value(&self) -> String {
        format!("{}={}", self.verification_prefix, self.verification_token)
    }

    /// When the wait for the TXT record is over. A pending domain was last changed when the wait began.
    pub(crate) fn expires_at(&self) -> Option<Timestamp> {
        let waits = self.state == DomainState::Pending;
        waits.then(|| clock::saturating_add(self.updated_at, VERIFICATION_PERIOD))
    }
}

/// A member of `domain_data`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct DomainData {
    pub(crate) domain: String,
    pub(crate) state: WantedState,
}

/// The states in which a domain can be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WantedState {
    Pending,
    Verified,
}

/// The domains of a request: the deprecated `domains` (which are verified) and `domain_data`, lower-cased, each once.
pub(super) fn wanted(
    domains: Vec<String>,
    domain_data: Vec<DomainData>,
) -> Result<Vec<DomainData>, ApiError> {
    let verified = domains.into_iter().map(|domain| DomainData {
        domain,
        state: WantedState::Verified,
    });
    let mut seen = HashSet::new();
    let mut wanted = Vec::new();
    for data in verified.chain(domain_data) {
        let domain = checked("domain_data", &data.domain)?;
        let data = DomainData { domain, ..data };
        if seen.insert(data.domain.clone()) {
            wanted.push(data);
        }
    }
    Ok(wanted)
}

/// The domain as it is kept, or what is wrong with it.
pub(crate) fn checked(field: &str, given: &str) -> Result<String, ApiError> {
    let domain = given.trim().trim_end_matches('.').to_lowercase();
    if !is_domain(&domain) {
        let message = format!("'{domain}' is not a domain, like example.com.");
        return Err(ApiError::invalid_field(field, "invalid_domain", message));
    }
    if is_consumer(&domain) {
        let message = format!("'{domain}' is a consumer domain; it belongs to no organization.");
        return Err(ApiError::invalid_field(field, "consumer_domain", message));
    }
    Ok(domain)
}

/// The new set of domains: those that are there already stay what they are, but can become verified.
pub(super) fn replaced(
    tx: &mut Transaction<'_>,
    organization_id: &str,
    present: &[OrganizationDomain],
    wanted: Vec<DomainData>,
) -> Vec<OrganizationDomain> {
    let now = tx.now();
    wanted
        .into_iter()
        .map(
            |data| match present.iter().find(|domain| domain.domain == data.domain) {
                Some(domain)
                    if data.state == WantedState::Verified && domain.state != DomainState::Verified =>
                {
                    OrganizationDomain {
                        state: DomainState::Verified,
                        verification_strategy: VerificationStrategy::Manual,
                        updated_at: now,
                        ..domain.clone()
                    }
                }
                Some(domain) => domain.clone(),
                None => OrganizationDomain::new(tx, organization_id, data.domain, data.state),
            },
        )
        .collect()
}

/// Emits what became of each domain between two sets.
pub(super) fn emit_changes(
    tx: &mut Transaction<'_>,
    before: &[OrganizationDomain],
    after: &[OrganizationDomain],
) -> Result<(), ApiError> {
    for domain in after {
        match before.iter().find(|other| other.id == domain.id) {
            None => {
                tx.emit("organization_domain.created", domain)?;
            }
            Some(other) if other.state != domain.state => {
                tx.emit("organization_domain.updated", domain)?;
                if domain.state == DomainState::Verified {
                    tx.emit("organization_domain.verified", domain)?;
                }
            }
            Some(_) => {}
        }
    }
    for domain in before {
        if !after.iter().any(|other| other.id == domain.id) {
            tx.emit("organization_domain.deleted", domain)?;
        }
    }
    Ok(())
}

/// The best-known places where everybody can have an address, one on a line.
const CONSUMER_DOMAINS: &str = include_str!("consumer_domains.txt");

/// Where everybody can have an address. Source: WorkOS takes no "common consumer domains, like gmail.com"
/// (<https://workos.com/docs/reference/domain-verification>); which ones, and the code of the refusal, are assumptions.
pub(crate) fn is_consumer(domain: &str) -> bool {
    static DOMAINS: LazyLock<HashSet<&str>> = LazyLock::new(|| CONSUMER_DOMAINS.lines().collect());
    DOMAINS.contains(domain)
}

/// Labels of letters, digits and inner hyphens (RFC 1035 section 2.3.1), at least two of them.
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.contains('.') && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_where_everybody_can_have_an_address() {
        let domains: Vec<_> = CONSUMER_DOMAINS.lines().collect();
        assert!(domains.is_sorted_by(|one, other| one < other));
        assert!(
            domains
                .iter()
                .all(|domain| is_domain(domain) && is_consumer(domain))
        );
        assert!(!is_consumer("example.com") && !is_consumer("") && !is_consumer("com"));
    }

    #[test]
    fn knows_domains() {
        for good in ["example.com", "a.b-c.example", "xn--bcher-kva.example"] {
            assert!(is_domain(good), "{good}");
        }
        for bad in [
            "",
            "example",
            "a..b",
            "-a.com",
            "a b.com",
            "http://a.com",
            "a.com/",
            "a@b.com",
        ] {
            assert!(!is_domain(bad), "{bad}");
        }
    }
}
