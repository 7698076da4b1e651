//! Client secrets: how an application proves who it is. Source:
//! <https://workos.com/docs/reference/workos-connect/applications/client-secrets>.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::applications;
use crate::{
    core::{clock, secret::Secret},
    server::{call::Call, error::ApiError, reply::Reply},
    store::{Index, Record, State, Transaction},
};

/// How many an application can have. Source: <https://workos.com/docs/authkit/connect>.
const MOST: usize = 5;

/// How many of its last characters tell one secret from another.
const HINT: usize = 6;

/// A secret as it is kept: its value is shown once, when it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ConnectApplicationSecret {
    id: String,
    application_id: String,
    /// [`Secret::digest`]
    digest: String,
    secret_hint: String,
    #[serde(with = "clock::timestamp::option")]
    last_used_at: Option<Timestamp>,
    #[serde(with = "clock::timestamp")]
    created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    updated_at: Timestamp,
}

const BY_APPLICATION: Index<ConnectApplicationSecret> =
    Index::ordered("application", |row| vec![(row.application_id.as_str().into(), 0)]);
const BY_DIGEST: Index<ConnectApplicationSecret> =
    Index::unique("digest", |row| vec![(row.digest.as_str().into(), 0)]);

impl Record for ConnectApplicationSecret {
    const INDEXES: &'static [Index<Self>] = &[BY_APPLICATION, BY_DIGEST];

    fn id(&self) -> &str {
        &self.id
    }
}

impl ConnectApplicationSecret {
    fn body(&self) -> Value {
        json!({
            "object": "connect_application_secret",
            "id": self.id,
            "secret_hint": self.secret_hint,
            "last_used_at": self.last_used_at.map(clock::iso8601),
            "created_at": clock::iso8601(self.created_at),
            "updated_at": clock::iso8601(self.updated_at),
        })
    }
}

/// Makes a secret for an application, and gives the value that nobody can ask for again.
pub(crate) fn create(
    tx: &mut Transaction<'_>,
    application_id: &str,
) -> Result<(Arc<ConnectApplicationSecret>, Secret), ApiError> {
    let value = tx.token(50);
    Ok((put(tx, application_id, &value)?, Secret::new(value)))
}

/// Makes a secret with a value of one's own, which only a seed can give.
pub(crate) fn put(
    tx: &mut Transaction<'_>,
    application_id: &str,
    value: &str,
) -> Result<Arc<ConnectApplicationSecret>, ApiError> {
    if of_application(tx, application_id).count() >= MOST {
        return Err(ApiError::message(
            422,
            format!("An application has at most {MOST} client secrets. Delete one first."),
        ));
    }
    let from = value.char_indices().rev().nth(HINT - 1).map_or(0, |(at, _)| at);
    let secret = ConnectApplicationSecret {
        id: tx.id("secret"),
        application_id: application_id.to_owned(),
        digest: digest(application_id, value),
        secret_hint: value.get(from..).unwrap_or_default().to_owned(),
        last_used_at: None,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    Ok(tx.put(secret)?)
}

/// Two applications may have been given the same secret by a seed.
fn digest(application_id: &str, value: &str) -> String {
    Secret::digest(&format!("{application_id}\0{value}"))
}

/// Whether the application has this secret; if so, it has been used now, which is no change of it.
pub(super) fn is_used_by(
    tx: &mut Transaction<'_>,
    application_id: &str,
    given: &str,
) -> Result<bool, ApiError> {
    let digest = digest(application_id, given);
    let Some(secret) = tx.connect_application_secrets.find(BY_DIGEST, &digest) else {
        return Ok(false);
    };
    let used = ConnectApplicationSecret {
        last_used_at: Some(tx.now()),
        ..ConnectApplicationSecret::clone(secret)
    };
    tx.put(used)?;
    Ok(true)
}

fn of_application<'a>(
    state: &'a State,
    application_id: &str,
) -> impl Iterator<Item = &'a Arc<ConnectApplicationSecret>> {
    state
        .connect_application_secrets
        .group(BY_APPLICATION, application_id)
}

/// Deletes every secret of an application.
pub(super) fn delete_of_application(tx: &mut Transaction<'_>, application_id: &str) {
    let ids: Vec<_> = of_application(tx, application_id)
        .map(|secret| secret.id.clone())
        .collect();
    for id in ids {
        tx.delete::<ConnectApplicationSecret>(&id);
    }
}

/// `GET /connect/applications/{id}/client_secrets`: a bare array, the newest first.
pub(crate) fn list_application_client_secrets(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let application = applications::find(&state, call.param("id"))?;
    let mut secrets: Vec<_> = of_application(&state, &application.id)
        .map(|secret| secret.body())
        .collect();
    secrets.reverse();
    Reply::ok(&secrets)
}

/// `POST /connect/applications/{id}/client_secrets`
pub(crate) fn create_application_client_secret(call: &Call) -> Result<Reply, ApiError> {
    let (secret, value) = call.environment.transact(|tx| {
        let application_id = applications::find(tx, call.param("id"))?.id.clone();
        create(tx, &application_id)
    })?;
    let mut body = secret.body();
    body["secret"] = value.expose().into();
    Ok(Reply::created(&body)?.header("Cache-Control", "no-store"))
}

/// `DELETE /connect/client_secrets/{id}`: the application cannot prove itself by it any more.
pub(crate) fn delete_client_secret(call: &Call) -> Result<Reply, ApiError> {
    let id = call.param("id");
    call.environment
        .transact(|tx| match tx.delete::<ConnectApplicationSecret>(id) {
            Some(_) => Ok(()),
            None => Err(ApiError::not_found("Client secret", id)),
        })?;
    Reply::empty(204)
}
