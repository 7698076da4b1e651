//! Ending sessions that WorkOS has ended.

use crate::{AuthContext, AuthKit, SharedStateError, Webhook, WebhookError};

impl AuthKit {
    /// Ends a session here: from now on every request with its cookie or its access token is signed out, although the token
    /// is genuine until it expires.
    ///
    /// For a session that is over at WorkOS already, as a `session.revoked` event says; it is no sign-out there. In a
    /// [registry of handlers](crate::WebhookHandlers::ends_sessions) it is one line, without one it is this:
    ///
    /// ```
    /// use actix_web::{HttpResponse, web};
    /// use workos_actix::{AuthKit, Event, SharedStateError};
    ///
    /// async fn receive(event: Event, authkit: web::Data<AuthKit>) -> Result<HttpResponse, SharedStateError> {
    ///     match event {
    ///         Event::SessionRevoked(event) => authkit.end_session(&event.data.id).await?,
    ///         Event::UserDeleted(event) => authkit.end_sessions_of_user(&event.data.id).await?,
    ///         _ => {}
    ///     }
    ///     Ok(HttpResponse::Ok().finish())
    /// }
    /// ```
    ///
    /// This process remembers it for a day, longer than any access token lives. Other processes learn of it within a second
    /// or two through the [shared state](crate::AuthKitBuilder::shared_state); without one, when the token expires and WorkOS
    /// refuses the refresh.
    ///
    /// # Errors
    /// When there is a shared state and it cannot be reached: here the session has ended, and the others are told as soon as
    /// it is back. As a response the error is 503, so that WorkOS delivers the event again: another process may live longer.
    pub async fn end_session(&self, session_id: &str) -> Result<(), SharedStateError> {
        self.verified().end(session_id).await
    }

    /// Ends every session of a user here, as [`end_session`](Self::end_session) does with one: for a user who has been
    /// deleted, because a user who signs in again is still signed out here.
    ///
    /// # Errors
    /// As [`end_session`](Self::end_session).
    pub async fn end_sessions_of_user(&self, user_id: &str) -> Result<(), SharedStateError> {
        // User ids and session ids have prefixes of their own.
        self.verified().end(user_id).await
    }

    /// Does what `session.revoked` and `user.deleted` ask for. Their other members matter to nobody here.
    pub(crate) async fn end_sessions_by(&self, webhook: &Webhook) -> Result<(), WebhookError> {
        let Some(id) = webhook.data["id"].as_str().filter(|id| !id.is_empty()) else {
            return Err(WebhookError::UnexpectedShape {
                id: webhook.id.clone(),
                event: webhook.event.clone(),
                reason: "the data has no id".to_owned(),
            });
        };
        let told = match webhook.event.as_str() {
            "user.deleted" => self.end_sessions_of_user(id).await,
            _ => self.end_session(id).await,
        };
        told.map_err(|error| {
            tracing::error!(id, %error, "other machines do not know yet that sessions have ended");
            WebhookError::Unavailable
        })?;
        tracing::info!(id, event = webhook.event, "WorkOS ended sessions");
        Ok(())
    }

    /// Whether the session of a person, or all sessions of theirs, were ended here.
    pub(crate) fn has_ended(&self, context: &AuthContext) -> bool {
        let ids = [context.session_id(), context.user_id()];
        ids.into_iter().flatten().any(|id| self.verified().has_ended(id))
    }
}
