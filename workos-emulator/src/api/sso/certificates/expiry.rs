//! `connection.saml_certificate_renewal_required`: that a certificate is about to expire, or has expired.
//!
//! Source: "Triggered when a SAML certificate is expiring (multiple events are sent out as it approaches expiry), or expired
//! (once every 7 days after expiry)" (<https://workos.com/docs/events>). Assumptions: the days before; that whoever moves
//! the clock past several of them hears of it once; and that a certificate to which a later one of its kind has been added
//! is not told of any more.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{BY_NOTICE, Certificate, of_kind};
use crate::{
    api::sso::connections::{self, Connection},
    core::clock,
    server::error::ApiError,
    store::{State, Transaction},
};

const DAY: i64 = 24 * 3600;
/// Days before the end.
const BEFORE: [i64; 7] = [60, 30, 14, 7, 3, 1, 0];
/// Days between two notices after it.
const AFTER: i64 = 7;

/// The connection, as the events of its certificates name it.
pub(super) fn reference(connection: &Connection) -> Value {
    let mut reference = json!({"id": connection.id});
    if let Some(organization_id) = &connection.organization_id {
        reference["organization_id"] = organization_id.as_str().into();
    }
    reference
}

/// When the end is told of for the first time after `now`.
pub(super) fn next_notice_of(not_after: Timestamp, now: Timestamp) -> Timestamp {
    let at =
        |days: i64| clock::saturating_add(not_after, SignedDuration::from_secs(days.saturating_mul(DAY)));
    let before = BEFORE.iter().map(|days| at(-days)).find(|notice| *notice > now);
    before.unwrap_or_else(|| {
        let gone = now.duration_since(not_after).as_secs();
        at((gone / (AFTER * DAY) + 1) * AFTER)
    })
}

/// When the next certificate is to be told of.
pub(crate) fn next_notice(state: &State) -> Option<Timestamp> {
    let next = state.certificates.group(BY_NOTICE, "").next()?;
    Some(next.next_notice_at)
}

/// How many certificates are told of in one transaction.
const AT_ONCE: usize = 100;

/// Tells of the certificates whose time has come.
pub(crate) fn tell_due(tx: &mut Transaction<'_>) -> Result<(), ApiError> {
    let now = tx.now();
    let due: Vec<_> = tx
        .certificates
        .group(BY_NOTICE, "")
        .take_while(|certificate| certificate.next_notice_at <= now)
        .take(AT_ONCE)
        .map(Arc::clone)
        .collect();
    for certificate in due {
        if !is_superseded(tx, &certificate) {
            tell(tx, &certificate)?;
        }
        tx.put(Certificate {
            next_notice_at: next_notice_of(certificate.not_after, now),
            ..Certificate::clone(&certificate)
        })?;
    }
    Ok(())
}

fn is_superseded(state: &State, certificate: &Certificate) -> bool {
    of_kind(state, &certificate.connection_id, certificate.certificate_type)
        .any(|other| other.not_after > certificate.not_after)
}

fn tell(tx: &mut Transaction<'_>, certificate: &Certificate) -> Result<(), ApiError> {
    let connection = Arc::clone(connections::find(tx, &certificate.connection_id)?);
    let left = certificate.not_after.duration_since(tx.now()).as_secs();
    let data = json!({
        "connection": reference(&connection),
        "certificate": {
            "certificate_type": certificate.certificate_type,
            "expiry_date": clock::iso8601(certificate.not_after),
            "is_expired": left <= 0,
        },
        "days_until_expiry": left.div_euclid(DAY),
    });
    let name = "connection.saml_certificate_renewal_required";
    match &connection.organization_id {
        Some(organization_id) => tx.emit_in_organization(organization_id, name, &data),
        None => tx.emit(name, &data),
    }
    .map(drop)
}
