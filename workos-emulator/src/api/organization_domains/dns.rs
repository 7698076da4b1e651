//! What the DNS answers when it is asked for the TXT records of a domain.
//!
//! No name server is asked: the setting `domain_verification` says what is found, or a test gives a domain its records.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    api::organizations::domains::OrganizationDomain,
    server::error::ApiError,
    store::{Record, State, Transaction},
};

/// What is found at a domain that was given no records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DomainVerification {
    /// The record that was asked for: the first check verifies the domain.
    #[default]
    Auto,
    /// Nothing, until a test publishes a record.
    Manual,
}

/// The TXT records at a domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DnsRecords {
    pub(crate) domain: String,
    pub(crate) txt: Vec<String>,
}

impl Record for DnsRecords {
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.domain
    }
}

/// Whether the domain has the TXT record that proves who owns it.
pub(crate) fn has_record(state: &State, domain: &OrganizationDomain) -> bool {
    match state.dns_records.get(&domain.domain) {
        Some(records) => records.txt.contains(&domain.txt_value()),
        None => state.settings().domain_verification == DomainVerification::Auto,
    }
}

/// Gives a domain these TXT records, in place of those that it had.
pub(crate) fn publish(
    tx: &mut Transaction<'_>,
    domain: &str,
    txt: Vec<String>,
) -> Result<Arc<DnsRecords>, ApiError> {
    Ok(tx.put(DnsRecords {
        domain: domain.to_owned(),
        txt,
    })?)
}
