//! Sessions that were verified before, and those that have ended since.

use std::{sync::Arc, time::Duration};

use super::{ended::EndedSessions, verified::Verified};
use crate::{
    context::AuthContext,
    credential::Session,
    shared_state::{AnySharedState, SharedStateError},
};

/// A session whose access token was verified.
#[derive(Debug)]
pub(crate) struct VerifiedSession {
    pub(crate) session: Arc<Session>,
    pub(crate) context: AuthContext,
    /// The generation of the key set that verified it.
    pub(crate) generation: u64,
}

/// The verified sessions by their credentials, and the ended ones by their ids.
#[derive(Debug, Clone)]
pub(crate) struct VerifiedSessions {
    sessions: Verified<Arc<VerifiedSession>>,
    ended: EndedSessions,
}

impl VerifiedSessions {
    pub(crate) fn new() -> Self {
        Self {
            sessions: Verified::new(),
            ended: EndedSessions::new(),
        }
    }

    /// Learns from other machines which sessions have ended, and tells them. Their word counts for `max_age`.
    pub(crate) fn shared(mut self, state: AnySharedState, max_age: Duration) -> Self {
        self.ended = self.ended.shared(state, max_age);
        self
    }

    /// A session verified before; `None` also while nobody can tell whether it has ended on another machine.
    pub(crate) async fn get(&self, credential: &str) -> Option<Arc<VerifiedSession>> {
        let hit = self.sessions.get(credential)?;
        self.ended.is_known().await.then_some(hit)
    }

    pub(crate) fn insert(&self, credential: &str, verified: VerifiedSession) {
        self.sessions.insert(credential, Arc::new(verified));
    }

    /// Forgets a credential that has a successor.
    pub(crate) fn forget(&self, credential: &str) {
        self.sessions.forget(credential);
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
