//! Sessions in the shared state, sealed.

use std::{collections::HashMap, time::Duration};

use actix_session::storage::{
    LoadError, SaveError, SessionKey, SessionStore, UpdateError, generate_session_key,
};
use actix_web::cookie::time;
use anyhow::Error;

use super::AnySharedState;
use crate::{cookie::CookieSealer, digest::sha256_base64url};

type State = HashMap<String, String>;

/// An `actix_session` store over the shared state.
///
/// A key is the hash of what the cookie names, and a value is sealed under its key: neither a copy of the database nor
/// write access to it is a way into a session.
#[derive(Debug)]
pub(crate) struct SharedSessions {
    state: AnySharedState,
    sealer: CookieSealer,
}

impl SharedSessions {
    pub(crate) fn new(state: AnySharedState, sealer: CookieSealer) -> Self {
        Self { state, sealer }
    }

    fn seal(&self, key: &str, state: &State) -> Result<String, serde_json::Error> {
        Ok(self.sealer.seal(key, &serde_json::to_string(state)?))
    }
}

fn key_of(session: &SessionKey) -> String {
    format!("session:{}", sha256_base64url(session.as_ref()))
}

fn standard(ttl: &time::Duration) -> Duration {
    Duration::try_from(*ttl).unwrap_or_default()
}

impl SessionStore for SharedSessions {
    async fn load(&self, session: &SessionKey) -> Result<Option<State>, LoadError> {
        let key = key_of(session);
        let sealed = self.state.get(&key).await;
        let Some(sealed) = sealed.map_err(|error| LoadError::Other(error.into()))? else {
            return Ok(None);
        };
        // Sealed with another password, or not by us: no session of ours.
        let json = self.sealer.unseal(&key, &sealed).ok_or_else(|| {
            LoadError::Deserialization(Error::msg("it is not sealed with this cookie password"))
        })?;
        let state = serde_json::from_str(&json);
        state
            .map(Some)
            .map_err(|error| LoadError::Deserialization(error.into()))
    }

    async fn save(&self, state: State, ttl: &time::Duration) -> Result<SessionKey, SaveError> {
        let session = generate_session_key();
        let key = key_of(&session);
        let sealed = self
            .seal(&key, &state)
            .map_err(|error| SaveError::Serialization(error.into()))?;
        self.state
            .set(&key, &sealed, standard(ttl))
            .await
            .map_err(|error| SaveError::Other(error.into()))?;
        Ok(session)
    }

    /// A session that was deleted meanwhile, by a sign-out on another machine, stays deleted.
    async fn update(
        &self,
        session: SessionKey,
        state: State,
        ttl: &time::Duration,
    ) -> Result<SessionKey, UpdateError> {
        let key = key_of(&session);
        let sealed = self
            .seal(&key, &state)
            .map_err(|error| UpdateError::Serialization(error.into()))?;
        match self.state.replace(&key, &sealed, standard(ttl)).await {
            Ok(true) => Ok(session),
            Ok(false) => Err(UpdateError::Other(Error::msg("the session is gone"))),
            Err(error) => Err(UpdateError::Other(error.into())),
        }
    }

    async fn update_ttl(&self, session: &SessionKey, ttl: &time::Duration) -> Result<(), Error> {
        let key = key_of(session);
        if let Some(sealed) = self.state.get(&key).await? {
            self.state.replace(&key, &sealed, standard(ttl)).await?;
        }
        Ok(())
    }

    async fn delete(&self, session: &SessionKey) -> Result<(), Error> {
        Ok(self.state.delete(&key_of(session)).await?)
    }
}
