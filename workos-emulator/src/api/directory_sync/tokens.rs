//! The bearer tokens that identity providers push with.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::directories::Directory;
use crate::{
    core::{clock, secret::Secret},
    server::error::ApiError,
    store::{Index, Record, State, Transaction},
};

/// A token, of which the digest is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DirectoryToken {
    pub(crate) id: String,
    pub(crate) directory_id: String,
    pub(crate) organization_id: String,
    /// [`Secret::digest`]
    digest: String,
    /// The last four characters, by which people tell tokens apart.
    pub(crate) token_suffix: String,
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
}

const BY_DIGEST: Index<DirectoryToken> =
    Index::unique("digest", |token| vec![(token.digest.as_str().into(), 0)]);
pub(crate) const BY_DIRECTORY: Index<DirectoryToken> =
    Index::ordered("directory", |token| vec![(token.directory_id.as_str().into(), 0)]);

impl Record for DirectoryToken {
    const INDEXES: &'static [Index<Self>] = &[BY_DIGEST, BY_DIRECTORY];

    fn id(&self) -> &str {
        &self.id
    }
}

/// A token as its events show it.
#[derive(Debug, Serialize)]
#[serde(tag = "object", rename = "directory_token")]
struct DirectoryTokenBody<'a> {
    id: &'a str,
    directory_id: &'a str,
    organization_id: &'a str,
    token_suffix: &'a str,
    #[serde(with = "clock::timestamp")]
    created_at: Timestamp,
}

impl DirectoryToken {
    fn body(&self) -> DirectoryTokenBody<'_> {
        DirectoryTokenBody {
            id: &self.id,
            directory_id: &self.directory_id,
            organization_id: &self.organization_id,
            token_suffix: &self.token_suffix,
            created_at: self.created_at,
        }
    }
}

/// Makes a token of a directory. Its value is `given`, which only a seed or a test has, or one that nobody can guess.
pub(crate) fn create(
    tx: &mut Transaction<'_>,
    directory: &Directory,
    given: Option<&str>,
) -> Result<(Arc<DirectoryToken>, Secret), ApiError> {
    let value = match given {
        Some(given) => given.to_owned(),
        None => format!("se_{}", tx.token(40)),
    };
    let digest = Secret::digest(&value);
    if tx.directory_tokens.find(BY_DIGEST, &digest).is_some() {
        let message = "Another directory has this bearer token.";
        return Err(ApiError::conflict("directory_token_taken", message));
    }
    let from = value.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
    let token = DirectoryToken {
        id: tx.id("directory_token"),
        directory_id: directory.id.clone(),
        organization_id: directory.organization_id.clone(),
        digest,
        token_suffix: value.get(from..).unwrap_or_default().to_owned(),
        created_at: tx.now(),
    };
    let token = tx.put(token)?;
    tx.emit("dsync.token.created", &token.body())?;
    Ok((token, Secret::new(value)))
}

/// Ends every token of a directory.
pub(crate) fn revoke_all(tx: &mut Transaction<'_>, directory_id: &str) -> Result<(), ApiError> {
    for token in of_directory(tx, directory_id) {
        tx.delete::<DirectoryToken>(&token.id);
        tx.emit("dsync.token.revoked", &token.body())?;
    }
    Ok(())
}

/// Drops the tokens of a directory that is being deleted, without events: `dsync.deleted` says it all.
pub(super) fn forget(tx: &mut Transaction<'_>, directory_id: &str) {
    for token in of_directory(tx, directory_id) {
        tx.delete::<DirectoryToken>(&token.id);
    }
}

fn of_directory(state: &State, directory_id: &str) -> Vec<Arc<DirectoryToken>> {
    state
        .directory_tokens
        .group(BY_DIRECTORY, directory_id)
        .cloned()
        .collect()
}

/// The token of this directory with the value `bearer`. It is found by its digest, whose time tells nothing about tokens.
pub(crate) fn authenticate<'a>(
    state: &'a State,
    directory: &Directory,
    bearer: &str,
) -> Option<&'a Arc<DirectoryToken>> {
    state
        .directory_tokens
        .find(BY_DIGEST, &Secret::digest(bearer))
        .filter(|token| token.directory_id == directory.id)
}
