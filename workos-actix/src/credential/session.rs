//! The session: what a sign-in or a refresh leaves behind.

use std::{collections::HashMap, sync::Arc};

use serde::de::DeserializeOwned;
use serde_json::{Error as JsonError, Map, Value};
use workos::{
    AuthenticateResponse, AuthenticateResponseAuthenticationMethod as AuthenticationMethod, SecretString,
    User,
};

use super::store::StoredState;
use crate::Impersonator;

/// What a sign-in or a refresh leaves behind.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) access_token: SecretString,
    pub(crate) refresh_token: SecretString,
    pub(crate) user: Arc<User>,
    pub(crate) impersonator: Option<Impersonator>,
    pub(crate) authentication_method: Option<AuthenticationMethod>,
    /// What only another kit knows of the user, from the cookie that it shares with us.
    pub(crate) unknown_user_members: Option<Arc<Map<String, Value>>>,
}

impl From<AuthenticateResponse> for Session {
    fn from(response: AuthenticateResponse) -> Self {
        Self {
            access_token: response.access_token,
            refresh_token: response.refresh_token,
            user: Arc::new(response.user),
            impersonator: response.impersonator.map(|impersonator| Impersonator {
                email: impersonator.email,
                reason: impersonator.reason,
            }),
            authentication_method: response.authentication_method,
            unknown_user_members: None,
        }
    }
}

impl Session {
    /// The credential of a session that is kept elsewhere: a rotation changes it, as it changes the refresh token.
    pub(crate) fn credential(&self) -> String {
        format!("{}\0{}", self.access_token.expose(), self.refresh_token.expose())
    }

    /// The session in the place of `old`, with what WorkOS does not say again at a refresh.
    pub(crate) fn in_place_of(self: Arc<Self>, old: &Self) -> Arc<Self> {
        if self.user.id != old.user.id
            || (old.unknown_user_members.is_none()
                && (self.authentication_method.is_some() || old.authentication_method.is_none()))
        {
            return self;
        }
        let mut session = Self::clone(&self);
        session.unknown_user_members = session
            .unknown_user_members
            .or_else(|| old.unknown_user_members.clone());
        session.authentication_method = session
            .authentication_method
            .or_else(|| old.authentication_method.clone());
        Arc::new(session)
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
        if let Some(method) = &self.authentication_method {
            state.insert("authentication_method".to_owned(), serde_json::to_string(method)?);
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
            authentication_method: value(state, "authentication_method"),
            unknown_user_members: None,
        })
    }
}

/// The session a request came with.
#[derive(Debug, Clone)]
pub(crate) struct LoadedSession {
    pub(crate) session: Arc<Session>,
    /// The store's key; `None` when the cookie is the session and there is no store that has something to forget.
    pub(crate) key: Option<Arc<str>>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn session(user: &str, method: Option<&str>, unknown: Option<&str>) -> Arc<Session> {
        let response: AuthenticateResponse = serde_json::from_value(json!({
            "access_token": "a.b.c", "refresh_token": "refresh_1", "authentication_method": method,
            "user": {
                "object": "user", "id": user, "email": "alice@acme.example", "email_verified": true,
                "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z",
            },
        }))
        .unwrap();
        let mut session = Session::from(response);
        session.unknown_user_members =
            unknown.map(|value| Arc::new(Map::from_iter([("colour".to_owned(), json!(value))])));
        Arc::new(session)
    }

    #[test]
    fn what_workos_does_not_say_again_is_inherited() {
        let old = session("user_1", Some("Password"), Some("blue"));
        let new = session("user_1", None, None).in_place_of(&old);
        assert_eq!(new.authentication_method, Some(AuthenticationMethod::Password));
        assert_eq!(new.unknown_user_members, old.unknown_user_members);

        let new = session("user_1", Some("SSO"), Some("red")).in_place_of(&old);
        assert_eq!(new.authentication_method, Some(AuthenticationMethod::SSO));
        assert_eq!(new.unknown_user_members.as_ref().unwrap()["colour"], "red");
    }

    #[test]
    fn nothing_is_inherited_from_somebody_else() {
        let old = session("user_1", Some("Password"), Some("blue"));
        let new = session("user_2", None, None).in_place_of(&old);
        assert_eq!(
            (
                new.authentication_method.as_ref(),
                new.unknown_user_members.as_ref()
            ),
            (None, None)
        );
    }

    #[test]
    fn the_state_of_a_store_has_everything_but_what_only_kits_know() {
        let session = session("user_1", Some("SomethingNew"), Some("blue"));
        let read = Session::from_state(&session.to_state().unwrap()).unwrap();
        assert_eq!(read.user.id, "user_1");
        assert_eq!(read.refresh_token.expose(), "refresh_1");
        assert_eq!(read.authentication_method.unwrap().as_str(), "SomethingNew");
        assert_eq!(read.unknown_user_members, None);
    }
}
