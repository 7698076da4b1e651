//! Sessions that were verified before: an authenticated request then costs a hash instead of an RSA operation.

use std::{sync::Arc, time::Duration};

use moka::future::Cache;

use super::ended::EndedSessions;
use crate::{
    context::AuthContext,
    credential::Session,
    digest::Fingerprint,
    shared_state::{AnySharedState, SharedStateError},
};

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
    ended: EndedSessions,
}

impl VerifiedSessions {
    pub(crate) fn new() -> Self {
        Self {
            sessions: Cache::builder()
                .max_capacity(MAX_SESSIONS)
                .time_to_live(MAX_AGE)
                .build(),
            ended: EndedSessions::new(),
        }
    }

    /// Learns from other machines which sessions have ended, and tells them. Their word counts for `max_age`.
    pub(crate) fn shared(mut self, state: AnySharedState, max_age: Duration) -> Self {
        self.ended = self.ended.shared(state, max_age);
        self
    }

    /// A session verified before; `None` also while nobody can tell whether it has ended on another machine.
    pub(crate) async fn get(&self, credential: &Fingerprint) -> Option<Arc<VerifiedSession>> {
        let hit = self.sessions.get(credential).await?;
        self.ended.is_known().await.then_some(hit)
    }

    pub(crate) async fn insert(&self, credential: Fingerprint, verified: Arc<VerifiedSession>) {
        self.sessions.insert(credential, verified).await;
    }

    /// Forgets a credential that has a successor.
    pub(crate) async fn forget(&self, credential: &Fingerprint) {
        self.sessions.invalidate(credential).await;
    }

    /// Ends a session, whatever cookie or token it comes with: here at once, on the other machines within seconds.
    ///
    /// # Errors
    /// When the other machines cannot be told yet. Here it has ended nevertheless.
    pub(crate) async fn end(&self, session_id: &str) -> Result<(), SharedStateError> {
        self.ended.end(session_id).await
    }

    /// WorkOS signed the same session in again: the browser had not followed the sign-out to WorkOS.
    ///
    /// # Errors
    /// When the other machines cannot be asked or told.
    pub(crate) async fn revive(&self, session_id: &str) -> Result<(), SharedStateError> {
        self.ended.revive(session_id).await
    }

    pub(crate) fn has_ended(&self, session_id: &str) -> bool {
        self.ended.contains(session_id)
    }

    /// Whether [`has_ended`](Self::has_ended) speaks for the other machines too. Ask this first.
    pub(crate) async fn knows_who_has_ended(&self) -> bool {
        self.ended.is_known().await
    }
}
