//! The certificates of SAML connections: those that identity providers sign with, and those of WorkOS itself.
//!
//! * here – what a certificate is, and how certificates come and go.
//! * [`x509`] – what stands in one.
//! * [`expiry`] – the events that tell of its end, on the environment's clock.
//! * [`operations`] – the API's operations.

mod expiry;
mod operations;
#[cfg(test)]
mod tests;
mod x509;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub(crate) use self::{
    expiry::{next_notice, tell_due},
    operations::*,
    x509::each,
};
use super::connections::{self, Connection};
use crate::{
    api::sso::connections::filed,
    core::{clock, secret::Secret},
    environment::Environment,
    server::error::ApiError,
    store::{Index, Record, State, Transaction},
};

/// What a certificate is for, as events name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum CertificateType {
    /// The identity provider signs its responses.
    ResponseSigning,
    /// WorkOS signs its requests.
    RequestSigning,
    /// The identity provider encrypts its responses for WorkOS.
    ResponseEncryption,
}

impl CertificateType {
    fn object(self) -> &'static str {
        match self {
            Self::ResponseSigning => "saml_idp_signing_certificate",
            Self::RequestSigning => "saml_sp_signing_certificate",
            Self::ResponseEncryption => "saml_sp_encryption_certificate",
        }
    }

    /// Assumption: the prefixes of the ids are not documented.
    fn prefix(self) -> &'static str {
        match self {
            Self::ResponseSigning => "saml_idp_signing_cert",
            Self::RequestSigning => "saml_sp_signing_cert",
            Self::ResponseEncryption => "saml_sp_encryption_cert",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::ResponseSigning => "SAML IdP signing certificate",
            Self::RequestSigning => "SAML SP signing certificate",
            Self::ResponseEncryption => "SAML SP encryption certificate",
        }
    }
}

/// A certificate as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Certificate {
    pub(crate) id: String,
    pub(crate) connection_id: String,
    pub(crate) certificate_type: CertificateType,
    /// PEM
    pub(crate) value: String,
    /// PEM; WorkOS's own alone.
    pub(crate) private_key: Option<Secret>,
    #[serde(with = "clock::timestamp")]
    pub(crate) not_before: Timestamp,
    #[serde(with = "clock::timestamp")]
    pub(crate) not_after: Timestamp,
    /// When its end is told of next.
    #[serde(with = "clock::timestamp")]
    pub(crate) next_notice_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
}

/// The certificates of a connection of one kind.
const BY_CONNECTION: Index<Certificate> = Index::ordered("connection", |certificate| {
    let kind = certificate.certificate_type.object();
    vec![(filed(&certificate.connection_id, kind), 0)]
});
/// All of them, the next to tell of first.
const BY_NOTICE: Index<Certificate> = Index::ordered("notice", |certificate| {
    vec![("".into(), certificate.next_notice_at.as_millisecond())]
});

impl Record for Certificate {
    const INDEXES: &'static [Index<Self>] = &[BY_CONNECTION, BY_NOTICE];
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.id
    }
}

/// A certificate as the API shows it.
#[derive(Debug, Serialize)]
pub(crate) struct CertificateBody<'a> {
    object: &'static str,
    id: &'a str,
    value: &'a str,
    #[serde(with = "clock::timestamp")]
    not_before: Timestamp,
    #[serde(with = "clock::timestamp")]
    not_after: Timestamp,
    #[serde(with = "clock::timestamp")]
    created_at: Timestamp,
}

impl Certificate {
    fn body(&self) -> CertificateBody<'_> {
        CertificateBody {
            object: self.certificate_type.object(),
            id: &self.id,
            value: &self.value,
            not_before: self.not_before,
            not_after: self.not_after,
            created_at: self.created_at,
        }
    }
}

/// What stands in a certificate, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Contents {
    pub(crate) subject: String,
    /// By SHA-256: `AB:01:…`
    pub(crate) fingerprint: String,
}

impl Certificate {
    /// What stands in it. A row has a certificate that was read before.
    pub(crate) fn contents(&self) -> Contents {
        x509::read(&self.value).map_or_else(
            |_| Contents {
                subject: String::new(),
                fingerprint: String::new(),
            },
            |x509| Contents {
                subject: x509.subject,
                fingerprint: x509.fingerprint,
            },
        )
    }
}

/// A certificate that was read or made, and its key where it is WorkOS's.
#[derive(Debug, Clone)]
pub(crate) struct NewCertificate {
    certificate_type: CertificateType,
    x509: x509::X509,
    private_key: Option<Secret>,
}

/// What a connection is made with.
#[derive(Debug, Default)]
pub(crate) struct Wanted<'a> {
    pub(crate) idp_signing: &'a [String],
    /// Made where it is not given.
    pub(crate) sp_signing: Option<&'a connections::KeyPair>,
    /// One is made where none is given.
    pub(crate) sp_encryption: &'a [connections::KeyPair],
}

/// The certificates of a connection that is about to be made: reading and making them takes its time, outside of the
/// transaction.
#[derive(Debug, Default)]
pub(crate) struct Issued(Vec<NewCertificate>);

impl Issued {
    pub(crate) fn with(environment: &Environment, wanted: &Wanted<'_>) -> Result<Self, ApiError> {
        let mut issued = Vec::new();
        for pem in wanted.idp_signing {
            issued.push(NewCertificate::read(pem, "saml_options.idp_signing_certs")?);
        }
        issued.push(match wanted.sp_signing {
            Some(pair) => {
                let field = "saml_options.sp_signing_key_pair";
                NewCertificate::of_pair(CertificateType::RequestSigning, pair, field)?
            }
            None => NewCertificate::generate(environment, CertificateType::RequestSigning)?,
        });
        for pair in wanted.sp_encryption {
            let field = "saml_options.sp_encryption_key_pairs";
            issued.push(NewCertificate::of_pair(
                CertificateType::ResponseEncryption,
                pair,
                field,
            )?);
        }
        if wanted.sp_encryption.is_empty() {
            let kind = CertificateType::ResponseEncryption;
            issued.push(NewCertificate::generate(environment, kind)?);
        }
        Ok(Self(issued))
    }

    /// Gives them to a connection. Those that it is made with renew nothing.
    pub(crate) fn add(self, tx: &mut Transaction<'_>, connection_id: &str) -> Result<(), ApiError> {
        for new in self.0 {
            put(tx, connection_id, new)?;
        }
        Ok(())
    }
}

impl NewCertificate {
    /// A certificate of an identity provider.
    fn read(pem: &str, field: &str) -> Result<Self, ApiError> {
        Ok(Self {
            certificate_type: CertificateType::ResponseSigning,
            x509: x509::read(pem).map_err(|problem| problem.of(field))?,
            private_key: None,
        })
    }

    /// A certificate of WorkOS whose key the application brings.
    fn of_pair(
        certificate_type: CertificateType,
        pair: &connections::KeyPair,
        field: &str,
    ) -> Result<Self, ApiError> {
        let x509 = x509::read(&pair.cert).map_err(|problem| problem.of(&format!("{field}.cert")))?;
        x509::check_key(&x509, pair.key.expose()).map_err(|problem| problem.of(&format!("{field}.key")))?;
        Ok(Self {
            certificate_type,
            x509,
            private_key: Some(pair.key.clone()),
        })
    }

    /// A certificate of WorkOS with a new key. It takes up to a second.
    fn generate(environment: &Environment, certificate_type: CertificateType) -> Result<Self, ApiError> {
        let failed = |problem: x509::Problem| ApiError::message(500, problem.to_string());
        let (x509, key) = x509::generate(environment.clock.now()).map_err(failed)?;
        Ok(Self {
            certificate_type,
            x509,
            private_key: Some(key),
        })
    }
}

/// A connection's certificates of one kind, the oldest first.
fn of_kind<'a>(
    state: &'a State,
    connection_id: &str,
    kind: CertificateType,
) -> impl Iterator<Item = &'a Arc<Certificate>> {
    let group = filed(connection_id, kind.object());
    state.certificates.group(BY_CONNECTION, &group)
}

/// A self-signed certificate and its key, which belong to no connection yet.
#[derive(Debug)]
pub(crate) struct Generated {
    /// PEM
    pub(crate) certificate: String,
    /// PEM
    pub(crate) key: Secret,
    pub(crate) not_before: Timestamp,
    pub(crate) not_after: Timestamp,
}

/// A new key. It takes up to a second.
pub(crate) fn generate(now: Timestamp) -> Result<Generated, ApiError> {
    let (x509, key) = x509::generate(now).map_err(|problem| ApiError::message(500, problem.to_string()))?;
    Ok(Generated {
        certificate: x509.pem,
        key,
        not_before: x509.not_before,
        not_after: x509.not_after,
    })
}

/// A certificate as it is kept, if it is one.
pub(crate) fn checked(pem: &str) -> Result<String, x509::Problem> {
    x509::read(pem).map(|x509| x509.pem)
}

/// A certificate without the PEM around it.
pub(crate) fn der(pem: &str) -> Option<Vec<u8>> {
    x509::der(pem)
}

/// Whether `signature` is the RS256 signature of `message` by the key of this certificate, which is PEM.
pub(crate) fn verifies(certificate: &str, message: &[u8], signature: &[u8]) -> bool {
    x509::verifies(certificate, message, signature)
}

/// Those that the identity provider of a connection signs with.
pub(crate) fn of_idp<'a>(
    state: &'a State,
    connection_id: &str,
) -> impl Iterator<Item = &'a Arc<Certificate>> {
    of_kind(state, connection_id, CertificateType::ResponseSigning)
}

/// What WorkOS signs requests with, where the connection has it.
pub(crate) fn of_requests<'a>(state: &'a State, connection_id: &str) -> Option<&'a Arc<Certificate>> {
    of_kind(state, connection_id, CertificateType::RequestSigning).next()
}

/// Those that identity providers encrypt for.
pub(crate) fn of_encryption<'a>(
    state: &'a State,
    connection_id: &str,
) -> impl Iterator<Item = &'a Arc<Certificate>> {
    of_kind(state, connection_id, CertificateType::ResponseEncryption)
}

fn put(
    tx: &mut Transaction<'_>,
    connection_id: &str,
    new: NewCertificate,
) -> Result<(Arc<Certificate>, bool), ApiError> {
    let kind = new.certificate_type;
    let connection = Arc::clone(connections::find(tx, connection_id)?);
    let renews = connection.certified.contains(&kind);
    if !renews {
        let mut certified = connection.certified.clone();
        certified.push(kind);
        tx.put(Connection {
            certified,
            ..Connection::clone(&connection)
        })?;
    }
    let now = tx.now();
    let certificate = Certificate {
        id: tx.id(kind.prefix()),
        connection_id: connection_id.to_owned(),
        certificate_type: kind,
        value: new.x509.pem,
        private_key: new.private_key,
        not_before: new.x509.not_before,
        not_after: new.x509.not_after,
        next_notice_at: expiry::next_notice_of(new.x509.not_after, now),
        created_at: now,
    };
    Ok((tx.put(certificate)?, renews))
}

/// Gives a connection a further certificate. One of a kind that it has had renews it, which is told.
fn add(
    tx: &mut Transaction<'_>,
    connection_id: &str,
    new: NewCertificate,
) -> Result<Arc<Certificate>, ApiError> {
    let (certificate, renews) = put(tx, connection_id, new)?;
    if renews {
        let connection = Arc::clone(connections::find(tx, connection_id)?);
        let data = json!({
            "connection": expiry::reference(&connection),
            "certificate": {
                "certificate_type": certificate.certificate_type,
                "expiry_date": clock::iso8601(certificate.not_after),
            },
            "renewed_at": clock::iso8601(tx.now()),
        });
        tx.emit("connection.saml_certificate_renewed", &data)?;
    }
    Ok(certificate)
}

/// Gives a connection a further certificate of its identity provider, unless it has it already.
///
/// Assumption: one that the connection has already is 409.
pub(crate) fn add_idp_signing(
    tx: &mut Transaction<'_>,
    connection_id: &str,
    pem: &str,
) -> Result<Arc<Certificate>, ApiError> {
    let new = NewCertificate::read(pem, "value")?;
    if has(tx, connection_id, &new.x509) {
        let message = "The connection has this certificate already.";
        return Err(ApiError::conflict("certificate_already_exists", message));
    }
    add(tx, connection_id, new)
}

fn has(state: &State, connection_id: &str, x509: &x509::X509) -> bool {
    let mut present = of_kind(state, connection_id, CertificateType::ResponseSigning);
    // However its text is laid out.
    present.any(|certificate| certificate.contents().fingerprint == x509.fingerprint)
}

/// Lets the identity provider of a connection sign with these certificates, and with no others.
pub(crate) fn replace_idp_signing(
    tx: &mut Transaction<'_>,
    connection_id: &str,
    pems: &[String],
) -> Result<(), ApiError> {
    let kind = CertificateType::ResponseSigning;
    let wanted = pems
        .iter()
        .map(|pem| NewCertificate::read(pem, "saml_options.idp_signing_certs"))
        .collect::<Result<Vec<_>, _>>()?;
    let is_wanted = |certificate: &&Arc<Certificate>| {
        let fingerprint = certificate.contents().fingerprint;
        wanted.iter().any(|new| new.x509.fingerprint == fingerprint)
    };
    let gone: Vec<_> = of_kind(tx, connection_id, kind)
        .filter(|certificate| !is_wanted(certificate))
        .map(|certificate| certificate.id.clone())
        .collect();
    // Those that it begins with renew nothing.
    let begins = !connections::find(tx, connection_id)?.certified.contains(&kind);
    for new in wanted {
        match has(tx, connection_id, &new.x509) {
            true => {}
            false if begins => put(tx, connection_id, new).map(drop)?,
            false => add(tx, connection_id, new).map(drop)?,
        }
    }
    gone.iter().try_for_each(|id| delete(tx, connection_id, kind, id))
}

/// Takes a certificate of its identity provider from a connection.
pub(crate) fn delete_idp_signing(
    tx: &mut Transaction<'_>,
    connection_id: &str,
    id: &str,
) -> Result<(), ApiError> {
    delete(tx, connection_id, CertificateType::ResponseSigning, id)
}

/// Takes a certificate from a connection.
fn delete(
    tx: &mut Transaction<'_>,
    connection_id: &str,
    kind: CertificateType,
    id: &str,
) -> Result<(), ApiError> {
    connections::find(tx, connection_id)?;
    let found = tx.certificates.get(id);
    let is_there =
        found.is_some_and(|found| found.connection_id == connection_id && found.certificate_type == kind);
    if !is_there {
        return Err(ApiError::not_found(kind.name(), id));
    }
    tx.delete::<Certificate>(id);
    Ok(())
}

/// Deletes the certificates of a connection that is deleted.
pub(crate) fn delete_of_connection(tx: &mut Transaction<'_>, connection_id: &str) {
    use CertificateType::{RequestSigning, ResponseEncryption, ResponseSigning};
    let ids: Vec<_> = [ResponseSigning, RequestSigning, ResponseEncryption]
        .into_iter()
        .flat_map(|kind| of_kind(tx, connection_id, kind))
        .map(|certificate| certificate.id.clone())
        .collect();
    for id in ids {
        tx.delete::<Certificate>(&id);
    }
}
