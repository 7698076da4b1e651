//! Sessions that were verified before: an authenticated request then costs a hash instead of an RSA operation.

use std::{sync::Arc, time::Duration};

use moka::future::Cache;

use crate::{context::AuthContext, credential::Session, digest::Fingerprint};

const MAX_SESSIONS: u64 = 10_000;
/// Only a bound on memory: the expiry of the token is checked at every use.
const MAX_AGE: Duration = Duration::from_secs(60 * 60);

/// A session whose access token was verified.
#[derive(Debug)]
pub(crate) struct VerifiedSession {
    pub(crate) session: Arc<Session>,
    pub(crate) context: AuthContext,
    /// The generation of the key set that verified it.
    pub(crate) generation: u64,
}

/// A bounded cache of verified sessions, keyed by the SHA-256 of the credential.
#[derive(Debug, Clone)]
pub(crate) struct VerifiedSessions {
    sessions: Cache<Fingerprint, Arc<VerifiedSession>>,
    /// Sessions that ended here: their access tokens are genuine until they expire, but no longer welcome.
    ended: Cache<String, ()>,
}

impl VerifiedSessions {
    pub(crate) fn new() -> Self {
        Self {
            sessions: Cache::builder()
                .max_capacity(MAX_SESSIONS)
                .time_to_live(MAX_AGE)
                .build(),
            ended: Cache::builder()
                .max_capacity(MAX_SESSIONS * 10)
                .time_to_live(MAX_AGE * 24)
                .build(),
        }
    }

    pub(crate) async fn get(&self, credential: &Fingerprint) -> Option<Arc<VerifiedSession>> {
        self.sessions.get(credential).await
    }

    pub(crate) async fn insert(&self, credential: Fingerprint, verified: Arc<VerifiedSession>) {
        self.sessions.insert(credential, verified).await;
    }

    /// Forgets a credential that has a successor.
    pub(crate) async fn forget(&self, credential: &Fingerprint) {
        self.sessions.invalidate(credential).await;
    }

    /// Ends a session for this process, whatever cookie or token it comes with.
    pub(crate) async fn end(&self, session_id: &str) {
        self.ended.insert(session_id.to_owned(), ()).await;
    }

    /// WorkOS signed the same session in again: the browser had not followed the sign-out to WorkOS.
    pub(crate) async fn revive(&self, session_id: &str) {
        self.ended.invalidate(session_id).await;
    }

    pub(crate) fn has_ended(&self, session_id: &str) -> bool {
        self.ended.contains_key(session_id)
    }
}
