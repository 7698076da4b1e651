//! The operations on certificates: three of each kind.
//!
//! Source: the official `workos` crate, 3.5.0, whose documentation says what they do.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    Certificate, CertificateBody, CertificateType, NewCertificate, add, add_idp_signing, delete, of_kind,
};
use crate::{
    api::sso::{connection_type::Protocol, connections},
    server::{call::Call, error::ApiError, reply::Reply},
    store::{State, Transaction},
};

/// All certificates of a kind, without pages.
#[derive(Serialize)]
#[serde(tag = "object", rename = "list")]
struct Certificates<'a> {
    data: Vec<CertificateBody<'a>>,
}

fn connection_id(call: &Call) -> &str {
    call.param("connectionId")
}

fn list(call: &Call, kind: CertificateType) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    connections::find(&state, connection_id(call))?;
    let certificates = of_kind(&state, connection_id(call), kind);
    Reply::ok(&Certificates {
        data: certificates.map(|certificate| certificate.body()).collect(),
    })
}

/// Assumption: what production answers for a connection that is no SAML connection is not documented.
fn check_saml(state: &State, connection_id: &str) -> Result<(), ApiError> {
    if connections::find(state, connection_id)?.r#type().protocol == Protocol::Saml {
        return Ok(());
    }
    Err(ApiError::bad_request(
        "connection_not_saml",
        "Only SAML connections have certificates.",
    ))
}

fn create(
    call: &Call,
    check: impl Fn(&State) -> Result<(), ApiError>,
    new: impl FnOnce() -> Result<NewCertificate, ApiError>,
) -> Result<Reply, ApiError> {
    let id = connection_id(call);
    let check = |state: &State| check_saml(state, id).and_then(|()| check(state));
    // Before the key is made, and again when it is.
    check(&call.environment.state())?;
    let new = new()?;
    let created = call.environment.transact(|tx: &mut Transaction<'_>| {
        check(tx)?;
        add(tx, id, new)
    })?;
    Reply::created(&created.body())
}

fn remove(call: &Call, kind: CertificateType) -> Result<Reply, ApiError> {
    call.environment
        .transact(|tx| delete(tx, connection_id(call), kind, call.param("certificateId")))?;
    Reply::empty(204)
}

fn only<'a>(state: &'a State, connection_id: &str) -> Option<&'a Arc<Certificate>> {
    of_kind(state, connection_id, CertificateType::RequestSigning).next()
}

/// `GET /connections/{connectionId}/saml_idp_signing_certs`
pub(crate) fn list_connection_saml_idp_signing_certs(call: &Call) -> Result<Reply, ApiError> {
    list(call, CertificateType::ResponseSigning)
}

/// `POST /connections/{connectionId}/saml_idp_signing_certs`
pub(crate) fn create_connection_saml_idp_signing_cert(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    struct CreateCertificate {
        value: String,
    }
    let CreateCertificate { value } = call.body()?;
    let id = connection_id(call);
    let created = call.environment.transact(|tx| {
        check_saml(tx, id)?;
        add_idp_signing(tx, id, &value)
    })?;
    Reply::created(&created.body())
}

/// `DELETE /connections/{connectionId}/saml_idp_signing_certs/{certificateId}`
pub(crate) fn delete_connection_saml_idp_signing_cert(call: &Call) -> Result<Reply, ApiError> {
    remove(call, CertificateType::ResponseSigning)
}

/// `GET /connections/{connectionId}/saml_sp_encryption_certs`
pub(crate) fn list_connection_saml_sp_encryption_certs(call: &Call) -> Result<Reply, ApiError> {
    list(call, CertificateType::ResponseEncryption)
}

/// `POST /connections/{connectionId}/saml_sp_encryption_certs`: with a new key, which stays here.
pub(crate) fn create_connection_saml_sp_encryption_cert(call: &Call) -> Result<Reply, ApiError> {
    create(
        call,
        |_| Ok(()),
        || NewCertificate::generate(&call.environment, CertificateType::ResponseEncryption),
    )
}

/// `DELETE /connections/{connectionId}/saml_sp_encryption_certs/{certificateId}`
pub(crate) fn delete_connection_saml_sp_encryption_cert(call: &Call) -> Result<Reply, ApiError> {
    remove(call, CertificateType::ResponseEncryption)
}

/// `GET /connections/{connectionId}/saml_sp_signing_cert`: the one that there is at most.
pub(crate) fn list_connection_saml_sp_signing_cert(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let id = connection_id(call);
    connections::find(&state, id)?;
    match only(&state, id) {
        Some(certificate) => Reply::ok(&certificate.body()),
        None => Err(ApiError::message(
            404,
            format!("Connection '{id}' has no SAML SP signing certificate."),
        )),
    }
}

/// `POST /connections/{connectionId}/saml_sp_signing_cert`: with a new key, which stays here.
///
/// "A connection signs with one key pair at a time: delete the existing certificate before creating its replacement."
/// Assumption: else it is 409.
pub(crate) fn create_connection_saml_sp_signing_cert(call: &Call) -> Result<Reply, ApiError> {
    let check = |state: &State| match only(state, connection_id(call)) {
        None => Ok(()),
        Some(_) => Err(ApiError::conflict(
            "certificate_already_exists",
            "The connection has a signing certificate; delete it before creating its replacement.",
        )),
    };
    create(call, check, || {
        NewCertificate::generate(&call.environment, CertificateType::RequestSigning)
    })
}

/// `DELETE /connections/{connectionId}/saml_sp_signing_cert/{certificateId}`
pub(crate) fn delete_connection_saml_sp_signing_cert(call: &Call) -> Result<Reply, ApiError> {
    remove(call, CertificateType::RequestSigning)
}
