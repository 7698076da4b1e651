//! From a session to its successor: exchanged at WorkOS, verified, stored.

use std::{sync::Arc, time::Duration};

use crate::{
    AuthKit,
    context::AuthContext,
    credential::{LoadedSession, Session, SessionCookies},
    hooks,
    refresh::Refreshed,
    token::verify::TokenError,
};

/// A late request may find a settled session that has expired itself; each hop is one refresh further.
const MAX_HOPS: usize = 4;

/// How the rotation of a session ended.
#[derive(Debug)]
pub(crate) enum Rotation {
    Done {
        context: AuthContext,
        session: LoadedSession,
        /// `None` when the new session cannot be stored. The grace time covers the old one for a while.
        cookie: Option<SessionCookies>,
    },
    /// The session goes on; only its proof has to wait.
    Unproven {
        session: LoadedSession,
        cookie: Option<SessionCookies>,
    },
    /// The session goes on where it was: WorkOS does not let it into the organization.
    Refused { code: String },
    /// WorkOS says that the session is over.
    Ended,
    /// WorkOS gave a token that is not about this session.
    Unacceptable,
    /// Nobody knows: the session must be kept.
    Unavailable { retry_after: Duration },
}

impl Rotation {
    pub(crate) const UNAVAILABLE: Self = Self::Unavailable {
        retry_after: Duration::from_secs(5),
    };
}

impl AuthKit {
    /// Exchanges the refresh token, for an organization if one is named, verifies the new access token, and stores the new
    /// session.
    pub(crate) async fn rotate(&self, old: &LoadedSession, organization_id: Option<&str>) -> Rotation {
        let rotation = rotate(self.clone(), old.clone(), organization_id.map(str::to_owned));
        let rotation = hooks::told(self.clone(), old.clone(), rotation);
        if self.session_cookie().is_self_contained() {
            return rotation.await;
        }
        // Run to its end whatever the client does: the store must learn the new refresh token.
        let task = actix_web::rt::spawn(rotation);
        task.await.unwrap_or(Rotation::UNAVAILABLE)
    }

    /// The new cookie; a failure is logged and leaves the old one, which the grace time covers.
    async fn store_refreshed(&self, old: &LoadedSession, new: &Arc<Session>) -> Option<SessionCookies> {
        let stored = self.session_cookie().replace(old, new).await;
        stored
            .inspect_err(|error| tracing::error!(%error, "the refreshed session cannot be kept"))
            .ok()
    }

    fn remember_refreshed(&self, cookie: Option<&SessionCookies>, new: &Arc<Session>, context: &AuthContext) {
        match cookie.map(SessionCookies::credential) {
            Some(Some(credential)) => self.remember(credential, new, context),
            Some(None) => self.remember(&new.credential(), new, context),
            None => {}
        }
    }
}

async fn rotate(authkit: AuthKit, old: LoadedSession, organization_id: Option<String>) -> Rotation {
    let mut current = Arc::clone(&old.session);
    for _ in 0..MAX_HOPS {
        let refreshed = match &organization_id {
            Some(id) => authkit.refresher().switch(&current.refresh_token, id).await,
            None => authkit.refresher().refresh(&current.refresh_token).await,
        };
        let new = match refreshed {
            Refreshed::Rotated(new) => new.in_place_of(&old.session),
            Refreshed::Refused { code } => return Rotation::Refused { code },
            Refreshed::Ended { .. } => return Rotation::Ended,
            Refreshed::Unavailable { retry_after } => return Rotation::Unavailable { retry_after },
        };
        let verified = authkit.verify_session(&new).await;
        let session = LoadedSession {
            session: Arc::clone(&new),
            key: old.key.clone(),
        };
        match verified {
            Ok(context) if context.is_current(authkit.now()) => {
                let cookie = authkit.store_refreshed(&old, &new).await;
                authkit.remember_refreshed(cookie.as_ref(), &new, &context);
                return Rotation::Done {
                    context,
                    session,
                    cookie,
                };
            }
            Ok(_) | Err(TokenError::Expired) => current = new,
            Err(TokenError::Unavailable(_) | TokenError::UnknownKey) => {
                let cookie = authkit.store_refreshed(&old, &new).await;
                return Rotation::Unproven { session, cookie };
            }
            Err(error) => {
                tracing::error!(%error, "WorkOS refreshed the session with a token that is not acceptable");
                return Rotation::Unacceptable;
            }
        }
    }
    tracing::error!(
        "access tokens expire as soon as they are issued; compare this machine's clock with WorkOS's"
    );
    Rotation::UNAVAILABLE
}
