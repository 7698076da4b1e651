//! Bearer tokens that were verified before.

use std::time::Duration;

use moka::future::Cache;

use crate::{context::AuthContext, digest::Fingerprint};

const MAX_TOKENS: u64 = 10_000;
/// Only a bound on memory: the expiry of the token is checked at every use.
const MAX_AGE: Duration = Duration::from_secs(60 * 60);

/// A bounded cache, keyed by the SHA-256 of the token. Only genuine tokens are in it, so that made-up ones push nothing out.
#[derive(Debug, Clone)]
pub(crate) struct VerifiedTokens(Cache<Fingerprint, VerifiedToken>);

/// A token that is genuine.
#[derive(Debug, Clone)]
pub(crate) struct VerifiedToken {
    pub(crate) context: AuthContext,
    /// The generation of the key set that verified it.
    pub(crate) generation: u64,
}

impl VerifiedTokens {
    pub(crate) fn new() -> Self {
        let tokens = Cache::builder().max_capacity(MAX_TOKENS).time_to_live(MAX_AGE);
        Self(tokens.build())
    }

    pub(crate) async fn get(&self, token: &Fingerprint) -> Option<VerifiedToken> {
        self.0.get(token).await
    }

    pub(crate) async fn insert(&self, token: Fingerprint, verified: VerifiedToken) {
        self.0.insert(token, verified).await;
    }
}
