//! Certificate renewal in the portal: the certificates of a SAML connection, and when they end.
//!
//! A renewed certificate stands beside the old one until that is removed, so that nobody is locked out while the identity
//! provider changes over. Source: <https://workos.com/docs/sso/signing-certificates>.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;

use super::{
    error, page,
    pages::{
        Form, TextField,
        portal::certificates::{CertificateRow, CertificatesPage, Choice, ConnectionsPage, Renewal},
    },
    sso::own,
    visit::{self, Visit},
};
use crate::{
    api::{
        admin_portal::intent::Intent,
        sso::{
            certificates::{self, Certificate},
            connection_type::Protocol,
            connections::{self, Connection, ProtocolOptions},
            saml::metadata::parse_idp_metadata,
        },
    },
    hosted::sso::service_provider,
    server::{call::Call, error::ApiError, reply::Reply},
    store::State,
};

pub(crate) const PATH: &str = "/portal/certificates";

const INTENT: Option<Intent> = Some(Intent::CertificateRenewal);

/// "When a certificate is nearing expiration (within 90 days)": same source.
const SOON: i64 = 90;

pub(super) fn path(connection: &Connection) -> String {
    format!("{PATH}/{}", connection.id)
}

/// The SAML connections of an organization.
fn connections<'a>(state: &'a State, organization_id: &str) -> Vec<&'a Arc<Connection>> {
    connections::of_organization(state, organization_id)
        .filter(|connection| connection.r#type().protocol == Protocol::Saml)
        .collect()
}

/// Whole days that are left, rounded down; negative after the end.
fn days_left(not_after: Timestamp, now: Timestamp) -> i64 {
    not_after.duration_since(now).as_secs().div_euclid(24 * 3600)
}

/// When the certificates of an organization's identity providers are to be renewed next: the days that are left. A
/// certificate that was renewed does not count.
pub(super) fn next_end(visit: &Visit<'_>) -> Option<i64> {
    let state = visit.call.environment.state();
    let now = visit.call.environment.clock.now();
    let ends = connections(&state, &visit.organization.id)
        .into_iter()
        .filter_map(|connection| {
            certificates::of_idp(&state, &connection.id)
                .map(|certificate| days_left(certificate.not_after, now))
                .max()
        });
    ends.min()
}

/// How long a certificate is good, in words.
pub(super) fn told(days: i64) -> String {
    match days {
        0 => "expires today".to_owned(),
        1 => "expires tomorrow".to_owned(),
        2.. => format!("expires in {days} days"),
        -1 => "has expired".to_owned(),
        -2 => "expired yesterday".to_owned(),
        _ => format!("expired {} days ago", -days - 1),
    }
}

pub(super) const fn is_soon(days: i64) -> bool {
    days < SOON
}

/// `GET /portal/certificates`
pub(crate) fn show_certificates(call: &Call) -> Result<Reply, ApiError> {
    visit::show(call, INTENT, |visit| {
        let state = call.environment.state();
        match connections(&state, &visit.organization.id).as_slice() {
            [only] => Ok(visit.to(&path(only))),
            several => {
                let choices: Vec<_> = several
                    .iter()
                    .map(|connection| Choice {
                        name: &connection.name,
                        provider: connection.r#type().name,
                        url: visit.url(&path(connection)),
                    })
                    .collect();
                page(
                    200,
                    &ConnectionsPage {
                        chrome: visit.chrome(),
                        frame: visit.frame(PATH),
                        connections: &choices,
                    },
                )
            }
        }
    })
}

/// The SAML connection of the path.
fn saml(visit: &Visit<'_>) -> Option<Arc<Connection>> {
    own(visit).filter(|connection| connection.r#type().protocol == Protocol::Saml)
}

/// `GET /portal/certificates/{id}`
pub(crate) fn show_of_connection(call: &Call) -> Result<Reply, ApiError> {
    visit::show(call, INTENT, |visit| match saml(visit) {
        Some(connection) => list(visit, 200, &connection, Renewal::default()),
        None => error::portal_session_over(call),
    })
}

/// `POST /portal/certificates/{id}`: a further certificate, or an end to an old one.
pub(crate) fn change_certificates(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Fields {
        /// A certificate to remove.
        remove: String,
        certificate_file: String,
        certificate: String,
    }
    visit::submit(call, INTENT, |visit| {
        let Some(connection) = saml(visit) else {
            return error::portal_session_over(call);
        };
        let fields: Fields = call.body()?;
        if !fields.remove.is_empty() {
            let removed = call.environment.transact(|tx| {
                if !is_removable(tx, &connection, &fields.remove, tx.now()) {
                    return Ok(false);
                }
                certificates::delete_idp_signing(tx, &connection.id, &fields.remove).map(|()| true)
            })?;
            if removed {
                return Ok(visit.to(&path(&connection)));
            }
            let renewal = Renewal {
                error: Some(
                    "Nobody could sign in without this certificate. Add a new one before you remove it.",
                ),
                ..Renewal::default()
            };
            return list(visit, 400, &connection, renewal);
        }
        let (is_file, text) = match fields.certificate_file.trim() {
            "" => (false, fields.certificate.trim()),
            file => (true, file),
        };
        let refused = |problem: String| {
            let problems = [problem];
            let (file, typed) = if is_file {
                (&problems[..], &[][..])
            } else {
                (&[][..], &problems[..])
            };
            let renewal = Renewal {
                file: TextField {
                    value: "",
                    problems: file,
                },
                typed: TextField {
                    value: &fields.certificate,
                    problems: typed,
                },
                ..Renewal::default()
            };
            list(visit, 400, &connection, renewal)
        };
        let pems = match pems(text) {
            Ok(pems) => pems,
            Err(problem) => return refused(problem),
        };
        let added = call.environment.transact(|tx| {
            let mut known = None;
            let mut added = 0;
            for pem in &pems {
                match certificates::add_idp_signing(tx, &connection.id, pem) {
                    Ok(_) => added += 1,
                    // Metadata name the old ones beside the new one.
                    Err(refusal) if refusal.status == 409 => known = Some(refusal),
                    Err(refusal) => return Err(refusal),
                }
            }
            match known {
                Some(refusal) if added == 0 => Err(refusal),
                _ => Ok(()),
            }
        });
        match added {
            Ok(()) => Ok(visit.to(&path(&connection))),
            Err(refusal) if refusal.status == 409 => {
                refused("This certificate is in the list already.".to_owned())
            }
            Err(refusal) if refusal.status < 500 => refused(refusal.field_messages().join(" ").replacen(
                "value",
                "The certificate",
                1,
            )),
            Err(failure) => Err(failure),
        }
    })
}

/// The certificates in what was sent: PEM, or metadata.
fn pems(text: &str) -> Result<Vec<String>, String> {
    if text.is_empty() {
        return Err("Choose the file with the certificate, or paste the certificate.".to_owned());
    }
    if text.trim_start_matches('\u{feff}').starts_with('<') {
        return match parse_idp_metadata(text) {
            Ok(metadata) => Ok(metadata.certificates),
            Err(error) => Err(format!("This cannot be used: {error}.")),
        };
    }
    Ok(certificates::each(text))
}

/// Whether people can still sign in without it.
fn is_removable(state: &State, connection: &Connection, id: &str, now: Timestamp) -> bool {
    certificates::of_idp(state, &connection.id)
        .any(|other| other.id != id && other.not_before <= now && now < other.not_after)
}

fn list(
    visit: &Visit<'_>,
    status: u16,
    connection: &Connection,
    renewal: Renewal<'_>,
) -> Result<Reply, ApiError> {
    let environment = &visit.call.environment;
    let state = environment.state();
    let now = environment.clock.now();
    let theirs: Vec<_> = certificates::of_idp(&state, &connection.id)
        .map(|certificate| CertificateRow {
            id: Some(certificate.id.as_str()).filter(|id| is_removable(&state, connection, id, now)),
            ..row(certificate, "Signs responses", now)
        })
        .collect();
    let signing = certificates::of_requests(&state, &connection.id);
    let signing = signing.map(|certificate| row(certificate, "Signs requests", now));
    let encryption = certificates::of_encryption(&state, &connection.id);
    let encryption = encryption.map(|certificate| row(certificate, "Decrypts responses", now));
    let ours: Vec<_> = signing.into_iter().chain(encryption).collect();
    let metadata_url = match &connection.options {
        ProtocolOptions::Saml(options) => options.idp_metadata_url.as_deref(),
        _ => None,
    };
    page(
        status,
        &CertificatesPage {
            chrome: visit.chrome(),
            frame: visit.frame(PATH),
            form: Form {
                action: &path(connection),
                hidden: &visit.hidden(),
            },
            provider: connection.r#type().name,
            theirs: &theirs,
            ours: &ours,
            metadata_url,
            sp_metadata_url: &service_provider(visit.call, connection).metadata_url,
            renewal,
        },
    )
}

fn row<'a>(certificate: &'a Certificate, purpose: &'static str, now: Timestamp) -> CertificateRow<'a> {
    let date = |time: Timestamp| time.strftime("%b %-d, %Y").to_string();
    let days = days_left(certificate.not_after, now);
    let contents = certificate.contents();
    let (class, state) = match days {
        _ if certificate.not_before > now => ("pending", "Not valid yet".to_owned()),
        ..0 => ("failed", capitalized(&told(days))),
        _ if is_soon(days) => ("warning", capitalized(&told(days))),
        _ => ("verified", "Valid".to_owned()),
    };
    CertificateRow {
        id: None,
        purpose,
        subject: contents.subject,
        fingerprint: contents.fingerprint,
        from: date(certificate.not_before),
        until: date(certificate.not_after),
        class,
        state,
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_days_that_are_left_are_told_as_people_count_them() {
        let end: Timestamp = "2026-06-30T12:00:00Z".parse().unwrap();
        for (now, words) in [
            ("2026-04-01T12:00:00Z", "expires in 90 days"),
            ("2026-06-29T11:00:00Z", "expires tomorrow"),
            ("2026-06-29T12:00:01Z", "expires today"),
            ("2026-06-30T12:00:01Z", "has expired"),
            ("2026-07-02T13:00:00Z", "expired 2 days ago"),
        ] {
            let days = days_left(end, now.parse().unwrap());
            assert_eq!(told(days), words, "{now}");
        }
        assert!(!is_soon(90) && is_soon(89) && is_soon(-1));
    }
}
