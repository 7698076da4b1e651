//! The sign-in in progress, and what it comes to.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    api::{
        sso::oidc::OidcRequest,
        user_management::{
            authenticate::oauth::OauthTokens,
            authorize::request::{AuthorizationError, Callback},
            sessions::Device,
        },
    },
    core::{clock, pkce::CodeChallenge, secret::Secret},
    store::{Expiring, Record},
};

/// What somebody signs in for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Purpose {
    /// An application that calls `sso/authorize` gets a code for their profile.
    Profile {
        client_id: String,
        callback: Callback,
        code_challenge: Option<CodeChallenge>,
    },
    /// A sign-in to AuthKit goes on.
    AuthKit { authorization_session_id: String },
    /// Nobody asked: they began at the identity provider. The application gets a code that is good for either API.
    Unsolicited { callback: Callback },
    /// An administrator tries the connection in the Admin Portal, and sees there what came of it. Nobody gets a code.
    Test { portal_session_id: String },
}

/// How far a sign-in has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// They are at the identity provider, or on their way.
    Away,
    /// They are at an OpenID provider, which was asked this.
    Oidc(Box<OidcRequest>),
    /// They are back, and what the provider says is looked into.
    Answered,
    /// They are back, and are asked whether it is they who sign in.
    Consent { profile_id: String },
}

/// A sign-in in progress. Only the browser that started it can go on with it: it has the secret, in a cookie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SsoSession {
    pub(crate) id: String,
    pub(super) secret: Secret,
    /// What has to come back from the identity provider (RFC 6749 section 10.12, `RelayState`). It begins with the id.
    pub(crate) state: Secret,
    pub(crate) connection_id: String,
    pub(crate) purpose: Purpose,
    pub(crate) login_hint: Option<String>,
    pub(crate) stage: Stage,
    pub(crate) device: Device,
    #[serde(with = "clock::timestamp")]
    pub(super) expires_at: Timestamp,
}

impl Record for SsoSession {
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.id
    }
}

impl Expiring for SsoSession {
    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

impl SsoSession {
    /// What the browser has to have, to be let on.
    pub(crate) fn secret(&self) -> &Secret {
        &self.secret
    }

    /// The same, as far as this.
    pub(crate) fn at(&self, stage: Stage) -> Self {
        Self {
            stage,
            ..self.clone()
        }
    }

    /// The id in a state that came back.
    pub(crate) fn id_in(state: &str) -> &str {
        state.split_once('.').map_or("", |(id, _)| id)
    }
}

/// Somebody who comes through a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SsoArrival {
    /// The sign-in, and its trace.
    pub(crate) session_id: String,
    pub(crate) profile_id: String,
    pub(crate) tokens: Option<OauthTokens>,
    pub(crate) device: Device,
    /// `sso/token` gives the profile for it.
    pub(crate) for_profile: bool,
}

/// Where the browser goes when a sign-in is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Back to the application, with a code or an error.
    Leave(String),
    /// On, in the sign-in to AuthKit that it belongs to.
    AuthKit {
        authorization_session_id: String,
        outcome: Result<Box<SsoArrival>, AuthorizationError>,
    },
    /// Back to the session of the Admin Portal. What came of it stands in the trace.
    Portal(String),
}
