//! The session cookie: what it keeps, how it is read and written.

use std::{collections::HashMap, sync::Arc, time::Duration};

use actix_web::{
    cookie::{Cookie, time},
    http::header::HeaderMap,
};
use serde::de::DeserializeOwned;
use serde_json::Error as JsonError;
use thiserror::Error;
use workos::{AuthenticateResponse, SecretString, User};

use super::store::{AnySessionStore, StoredState};
use crate::{
    Impersonator,
    config::Config,
    cookie::{self, CookieAttributes, CookieSealer},
    digest::{Fingerprint, fingerprint},
};

/// Browsers drop a cookie silently when its name and value are longer than this together (RFC 6265bis §5.6).
const MAX_COOKIE_BYTES: usize = 4096;

/// What a sign-in or a refresh leaves behind.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) access_token: SecretString,
    pub(crate) refresh_token: SecretString,
    pub(crate) user: User,
    pub(crate) impersonator: Option<Impersonator>,
}

impl From<AuthenticateResponse> for Session {
    fn from(response: AuthenticateResponse) -> Self {
        Self {
            access_token: response.access_token,
            refresh_token: response.refresh_token,
            user: response.user,
            impersonator: response.impersonator.map(|impersonator| Impersonator {
                email: impersonator.email,
                reason: impersonator.reason,
            }),
        }
    }
}

impl Session {
    /// The cache key of a session that is kept elsewhere: a rotation changes it, as it changes the refresh token.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        fingerprint(&[
            self.access_token.expose().as_bytes(),
            b"\0",
            self.refresh_token.expose().as_bytes(),
        ])
    }

    /// As `actix_session` keeps it: every value is JSON.
    pub(crate) fn to_state(&self) -> Result<StoredState, JsonError> {
        let mut state = HashMap::from([
            (
                "access_token".to_owned(),
                serde_json::to_string(&self.access_token)?,
            ),
            (
                "refresh_token".to_owned(),
                serde_json::to_string(&self.refresh_token)?,
            ),
            ("user".to_owned(), serde_json::to_string(&self.user)?),
        ]);
        if let Some(impersonator) = &self.impersonator {
            state.insert("impersonator".to_owned(), serde_json::to_string(impersonator)?);
        }
        Ok(state)
    }

    pub(crate) fn from_state(state: &StoredState) -> Option<Self> {
        fn value<T: DeserializeOwned>(state: &StoredState, key: &str) -> Option<T> {
            serde_json::from_str(state.get(key)?).ok()
        }
        Some(Self {
            access_token: value(state, "access_token")?,
            refresh_token: value(state, "refresh_token")?,
            user: value(state, "user")?,
            impersonator: value(state, "impersonator"),
        })
    }
}

/// The session a request came with.
#[derive(Debug, Clone)]
pub(crate) struct LoadedSession {
    pub(crate) session: Arc<Session>,
    /// The store's key; `None` when the session came out of the cache of verified sessions, where the cookie is the
    /// session and the store has nothing to forget.
    pub(crate) key: Option<Arc<str>>,
}

/// Why a session cannot be read or written now.
#[derive(Debug, Error)]
pub(crate) enum SessionError {
    #[error("the session store failed: {0}")]
    Store(String),
    #[error(
        "the session cookie would be {bytes} bytes, and browsers drop cookies above {MAX_COOKIE_BYTES} silently: \
         shorten the JWT template, grant fewer permissions or feature flags per role, or keep sessions on the server \
         with `AuthKit::builder().session_store(…)`"
    )]
    TooLarge { bytes: usize },
}

/// Reads and writes the session cookie.
#[derive(Debug)]
pub(crate) struct SessionCookie {
    name: String,
    max_age: Duration,
    sealer: CookieSealer,
    attributes: CookieAttributes,
    store: AnySessionStore,
}

impl SessionCookie {
    pub(crate) fn new(config: &Config, store: AnySessionStore) -> Self {
        Self {
            name: config.cookie.name.clone(),
            max_age: config.cookie.max_age,
            sealer: CookieSealer::new(config.cookie.key.clone()),
            attributes: CookieAttributes::new(&config.cookie),
            store,
        }
    }

    /// The values the browser sent, unopened. Usually one; more when a sibling domain tosses cookies.
    pub(crate) fn values(&self, headers: &HeaderMap) -> Vec<String> {
        cookie::values(headers, &self.name)
            .filter(|value| !value.is_empty())
            .collect()
    }

    /// Whether the cookie is the session, and nothing else has to be told about changes.
    pub(crate) fn is_self_contained(&self) -> bool {
        self.store.is_in_cookie()
    }

    /// The cache key of a cookie value, where the value alone is the session. A session kept elsewhere may change or
    /// end under the same cookie, so its store is asked every time.
    pub(crate) fn fingerprint(&self, value: &str) -> Option<Fingerprint> {
        self.store
            .is_in_cookie()
            .then(|| fingerprint(&[value.as_bytes()]))
    }

    /// Opens a cookie value. `None` when it is not ours, or its session is gone.
    pub(crate) async fn load(&self, value: &str) -> Result<Option<LoadedSession>, SessionError> {
        let Some(key) = self.sealer.unseal(&self.name, value) else {
            return Ok(None);
        };
        let state = self.store.load(&key).await.map_err(SessionError::Store)?;
        Ok(state
            .and_then(|state| Session::from_state(&state))
            .map(|session| LoadedSession {
                session: Arc::new(session),
                key: Some(key.into()),
            }))
    }

    /// Stores a new session under a new key; the old session, if any, is deleted.
    pub(crate) async fn begin(
        &self,
        old: Option<&LoadedSession>,
        new: &Session,
    ) -> Result<Cookie<'static>, SessionError> {
        if let Some(key) = old.and_then(|old| old.key.as_deref()) {
            self.store.delete(key).await.map_err(SessionError::Store)?;
        }
        let state = self.state(new)?;
        let key = self
            .store
            .save(state, &self.ttl())
            .await
            .map_err(SessionError::Store)?;
        self.cookie(&key)
    }

    /// Stores the refreshed session in the place of the old one.
    pub(crate) async fn replace(
        &self,
        old: &LoadedSession,
        new: &Session,
    ) -> Result<Cookie<'static>, SessionError> {
        let Some(key) = old.key.as_deref() else {
            return self.begin(None, new).await;
        };
        let state = self.state(new)?;
        let key = self
            .store
            .update(key, state, &self.ttl())
            .await
            .map_err(SessionError::Store)?;
        self.cookie(&key)
    }

    /// Forgets the session in the store. The browser forgets it by [`removal`](Self::removal).
    pub(crate) async fn end(&self, session: &LoadedSession) -> Result<(), SessionError> {
        match session.key.as_deref() {
            Some(key) => self.store.delete(key).await.map_err(SessionError::Store),
            None => Ok(()),
        }
    }

    pub(crate) fn removal(&self) -> Cookie<'static> {
        self.attributes.removal(&self.name)
    }

    fn ttl(&self) -> time::Duration {
        time::Duration::seconds(i64::try_from(self.max_age.as_secs()).unwrap_or(i64::MAX))
    }

    /// The session as it is kept, unless it is too long: said before the cookie store says it in words that do not help.
    fn state(&self, session: &Session) -> Result<StoredState, SessionError> {
        let state = session
            .to_state()
            .map_err(|error| SessionError::Store(error.to_string()))?;
        if self.store.is_in_cookie() {
            let json = serde_json::to_string(&state).map_or(0, |json| json.len());
            // Nonce and tag are 28 bytes, base64 makes four characters of three bytes.
            self.check_cookie_size((json + 28).div_ceil(3) * 4)?;
        }
        Ok(state)
    }

    fn check_cookie_size(&self, value_bytes: usize) -> Result<(), SessionError> {
        let bytes = self.name.len() + value_bytes;
        if bytes > MAX_COOKIE_BYTES {
            Err(SessionError::TooLarge { bytes })
        } else {
            Ok(())
        }
    }

    fn cookie(&self, key: &str) -> Result<Cookie<'static>, SessionError> {
        let value = self.sealer.seal(&self.name, key);
        self.check_cookie_size(value.len())?;
        Ok(self.attributes.cookie(&self.name, value, self.max_age))
    }
}
