//! The session cookie: how it is read and written, in each of its forms.

use std::{borrow::Cow, sync::Arc, time::Duration};

use actix_web::{cookie::time, http::header::HeaderMap};
use thiserror::Error;

use super::{
    iron::IronSealer,
    kit_session,
    pieces::{self, MAX_COOKIE_BYTES, MAX_PIECES, SessionCookies},
    session::{LoadedSession, Session},
    store::{AnySessionStore, StoredState},
};
use crate::{
    clock::{Clock, unix_seconds},
    config::Config,
    cookie::{CookieAttributes, CookieSealer},
    random::Randomness,
};

/// Where sessions are kept.
#[derive(Debug, Clone)]
pub(crate) enum SessionPlace {
    /// In the cookie, in pieces when it is too large for one, as `actix_session` encrypts it.
    EncryptedCookie,
    /// In the cookie of WorkOS's JavaScript kits.
    SealedCookie { in_pieces: bool },
    /// In a store; the cookie has its key, as `actix_session` encrypts it.
    Store(AnySessionStore),
}

/// Why a session cannot be read or written now.
#[derive(Debug, Error)]
pub(crate) enum SessionError {
    #[error("the session store failed: {0}")]
    Store(String),
    #[error("the session cannot be sealed")]
    Seal,
    #[error(
        "the session is {bytes} bytes as a cookie, and {MAX_PIECES} cookies of {MAX_COOKIE_BYTES} bytes are as much as \
         browsers and servers carry: shorten the JWT template, grant fewer permissions or feature flags per role, or keep \
         sessions on the server with `AuthKit::builder().session_store(…)`"
    )]
    TooLarge { bytes: usize },
    #[error(
        "the sealed session cookie would be {bytes} bytes, and browsers drop cookies above {MAX_COOKIE_BYTES} silently; \
         WorkOS's JavaScript kits read sessions of one cookie only: shorten the JWT template, or grant fewer permissions or \
         feature flags per role. If none of those kits shares the session, `AuthKit::builder().sealed_cookie_in_pieces()` \
         spreads it over several cookies, and `session_store(…)` keeps it on the server"
    )]
    TooLargeForKits { bytes: usize },
}

/// Reads and writes the session cookie.
#[derive(Debug)]
pub(crate) struct SessionCookie {
    name: String,
    max_age: Duration,
    attributes: CookieAttributes,
    place: SessionPlace,
    sealer: CookieSealer,
    iron: IronSealer,
    clock: Arc<dyn Clock>,
}

impl SessionCookie {
    pub(crate) fn new(
        config: &Config,
        place: SessionPlace,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
    ) -> Self {
        Self {
            name: config.cookie.name.clone(),
            max_age: config.cookie.max_age,
            attributes: CookieAttributes::new(&config.cookie),
            place,
            sealer: CookieSealer::new(config.cookie.keys.clone()),
            iron: IronSealer::new(Arc::clone(&config.cookie.passwords), randomness),
            clock,
        }
    }

    /// The values the browser sent, unopened. Usually one; more when a sibling domain tosses cookies.
    pub(crate) fn values<'a>(&self, headers: &'a HeaderMap) -> Vec<Cow<'a, str>> {
        pieces::values(headers, &self.name, self.has_pieces())
    }

    /// Whether the cookie is the session, and nothing else has to be told about changes. A session kept elsewhere may change
    /// or end under the same cookie, so its store is asked every time.
    pub(crate) fn is_self_contained(&self) -> bool {
        !matches!(self.place, SessionPlace::Store(_))
    }

    fn has_pieces(&self) -> bool {
        match self.place {
            SessionPlace::EncryptedCookie => true,
            SessionPlace::SealedCookie { in_pieces } => in_pieces,
            SessionPlace::Store(_) => false,
        }
    }

    /// Opens a cookie value. `None` when it is not ours, or its session is gone.
    pub(crate) async fn load(&self, value: &str) -> Result<Option<LoadedSession>, SessionError> {
        let in_cookie = |session: Option<Session>| {
            session.map(|session| LoadedSession {
                session: Arc::new(session),
                key: None,
            })
        };
        match &self.place {
            SessionPlace::EncryptedCookie => {
                let json = self.sealer.unseal(&self.name, value);
                let state = json.and_then(|json| serde_json::from_str::<StoredState>(&json).ok());
                Ok(in_cookie(state.and_then(|state| Session::from_state(&state))))
            }
            SessionPlace::SealedCookie { .. } => {
                let json = self.iron.unseal(value, unix_seconds(self.clock.as_ref()));
                Ok(in_cookie(json.and_then(|json| kit_session::from_json(&json))))
            }
            SessionPlace::Store(store) => {
                let Some(key) = self.sealer.unseal(&self.name, value) else {
                    return Ok(None);
                };
                let state = store.load(&key).await.map_err(SessionError::Store)?;
                let session = state.and_then(|state| Session::from_state(&state));
                Ok(session.map(|session| LoadedSession {
                    session: Arc::new(session),
                    key: Some(key.into()),
                }))
            }
        }
    }

    /// Stores a new session under a new key; the old session, if any, is deleted.
    pub(crate) async fn begin(
        &self,
        old: Option<&LoadedSession>,
        new: &Session,
    ) -> Result<SessionCookies, SessionError> {
        let SessionPlace::Store(store) = &self.place else {
            return self.self_contained(new);
        };
        if let Some(key) = old.and_then(|old| old.key.as_deref()) {
            store.delete(key).await.map_err(SessionError::Store)?;
        }
        let key = store.save(state(new)?, &self.ttl()).await;
        self.key_cookie(&key.map_err(SessionError::Store)?)
    }

    /// Stores the refreshed session in the place of the old one.
    pub(crate) async fn replace(
        &self,
        old: &LoadedSession,
        new: &Session,
    ) -> Result<SessionCookies, SessionError> {
        match (&self.place, old.key.as_deref()) {
            (SessionPlace::Store(store), Some(key)) => {
                let key = store.update(key, state(new)?, &self.ttl()).await;
                self.key_cookie(&key.map_err(SessionError::Store)?)
            }
            _ => self.begin(None, new).await,
        }
    }

    /// Forgets the session in the store. The browser forgets it by [`removal`](Self::removal).
    pub(crate) async fn end(&self, session: &LoadedSession) -> Result<(), SessionError> {
        match (&self.place, session.key.as_deref()) {
            (SessionPlace::Store(store), Some(key)) => store.delete(key).await.map_err(SessionError::Store),
            _ => Ok(()),
        }
    }

    pub(crate) fn removal(&self) -> SessionCookies {
        SessionCookies::new(vec![self.attributes.removal(&self.name)], None)
    }

    /// The cookies for a response, when those of the request are known: what these do not replace is removed.
    pub(crate) fn in_answer_to(&self, headers: &HeaderMap, mut cookies: SessionCookies) -> SessionCookies {
        cookies.remove_others(headers, &self.name, &self.attributes);
        cookies
    }

    fn ttl(&self) -> time::Duration {
        time::Duration::seconds(i64::try_from(self.max_age.as_secs()).unwrap_or(i64::MAX))
    }

    /// The cookies that are a session, whatever there is beside them.
    pub(crate) fn self_contained(&self, session: &Session) -> Result<SessionCookies, SessionError> {
        let value = match self.place {
            SessionPlace::SealedCookie { .. } => kit_session::to_json(session)
                .ok()
                .and_then(|json| self.iron.seal(&json))
                .ok_or(SessionError::Seal)?,
            SessionPlace::EncryptedCookie | SessionPlace::Store(_) => {
                let json = serde_json::to_string(&state(session)?);
                self.sealer
                    .seal(&self.name, &json.map_err(|_| SessionError::Seal)?)
            }
        };
        let credential = self.is_self_contained().then(|| value.as_str().into());
        let bytes = self.name.len() + value.len();
        if self.has_pieces() {
            return pieces::split(&self.name, value, &self.attributes, self.max_age)
                .map(|cookies| SessionCookies::new(cookies, credential))
                .ok_or(SessionError::TooLarge { bytes });
        }
        if bytes > MAX_COOKIE_BYTES {
            return Err(SessionError::TooLargeForKits { bytes });
        }
        let cookie = self.attributes.cookie(&self.name, value, self.max_age);
        Ok(SessionCookies::new(vec![cookie], credential))
    }

    fn key_cookie(&self, key: &str) -> Result<SessionCookies, SessionError> {
        let value = self.sealer.seal(&self.name, key);
        let bytes = self.name.len() + value.len();
        if bytes > MAX_COOKIE_BYTES {
            return Err(SessionError::Store(format!(
                "its key makes a cookie of {bytes} bytes"
            )));
        }
        let cookie = self.attributes.cookie(&self.name, value, self.max_age);
        Ok(SessionCookies::new(vec![cookie], None))
    }
}

fn state(session: &Session) -> Result<StoredState, SessionError> {
    session
        .to_state()
        .map_err(|error| SessionError::Store(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_to_do() {
        let large = SessionError::TooLarge { bytes: 20_000 }.to_string();
        assert!(
            large.contains("20000 bytes") && large.contains("session_store"),
            "{large}"
        );
        let large = SessionError::TooLargeForKits { bytes: 5_000 }.to_string();
        assert!(
            large.contains("5000 bytes") && large.contains("sealed_cookie_in_pieces()"),
            "{large}"
        );
    }
}
