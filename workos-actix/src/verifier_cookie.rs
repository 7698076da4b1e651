//! One cookie per sign-in attempt, which binds its `state` and PKCE verifier to the browser that began it.

use std::{sync::Arc, time::Duration};

use actix_web::{cookie::Cookie, http::header::HeaderMap};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    clock::{Clock, unix_seconds},
    config::Config,
    cookie::{self, CookieAttributes, CookieSealer},
    digest::{equal, sha256_base64url},
    random::{Randomness, unguessable},
};

pub(crate) const PREFIX: &str = "wos-auth-verifier-";
const LIFETIME: Duration = Duration::from_secs(10 * 60);
/// Tabs left open at the sign-in page; more are purged, before they fill the request header.
const MAX_PENDING: usize = 5;
/// The values of all of them: proxies refuse headers of 8 KB.
const MAX_PENDING_BYTES: usize = 5 * 1024;
/// How many of them a response purges: more than a browser can have collected here.
const MAX_REMOVALS: usize = 16;

/// What a sign-in was begun for: one for AuthKit is worthless at a callback of single sign-on, and the other way round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Purpose {
    AuthKit,
    /// Single sign-on by whatever was chosen.
    Sso,
    SsoConnection(String),
    SsoOrganization(String),
}

/// A sign-in that was begun and not completed yet. Without `Debug`: the verifier is a secret.
#[derive(Serialize, Deserialize)]
pub(crate) struct Attempt {
    pub(crate) purpose: Purpose,
    pub(crate) state: String,
    pub(crate) code_verifier: String,
    /// Where to go afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) return_to: Option<String>,
    /// Where the request, not the configuration, said that the sign-in comes back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) redirect_uri: Option<String>,
    /// What the app wants to know again afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) app_state: Option<Value>,
    expires_at: i64,
}

impl Attempt {
    /// With a state and a verifier that nobody can guess.
    pub(crate) fn new(purpose: Purpose, randomness: &dyn Randomness) -> Self {
        Self {
            purpose,
            state: unguessable(randomness),
            code_verifier: unguessable(randomness),
            return_to: None,
            redirect_uri: None,
            app_state: None,
            expires_at: 0,
        }
    }

    /// The S256 challenge of the verifier (RFC 7636).
    pub(crate) fn code_challenge(&self) -> String {
        sha256_base64url(&self.code_verifier)
    }
}

#[derive(Debug)]
pub(crate) struct VerifierCookies {
    sealer: CookieSealer,
    attributes: CookieAttributes,
    clock: Arc<dyn Clock>,
}

impl VerifierCookies {
    pub(crate) fn new(config: &Config, clock: Arc<dyn Clock>) -> Self {
        Self {
            sealer: CookieSealer::new(config.cookie.keys.clone()),
            attributes: CookieAttributes::new(&config.cookie).for_redirect_back(),
            clock,
        }
    }

    /// The cookies to set for a new attempt: its own, and the removal of old ones when there are too many.
    pub(crate) fn begin(&self, headers: &HeaderMap, mut attempt: Attempt) -> Vec<Cookie<'static>> {
        let lifetime = i64::try_from(LIFETIME.as_secs()).unwrap_or(i64::MAX);
        attempt.expires_at = unix_seconds(self.clock.as_ref()).saturating_add(lifetime);
        let json = serde_json::to_string(&attempt).unwrap_or_default();
        let name = cookie_name(&attempt.state);
        let sealed = self.sealer.seal(&name, &json);
        let pending = || cookie::pairs(headers).filter(|(name, _)| name.starts_with(PREFIX));
        let pending_bytes: usize = pending().map(|(_, value)| value.len()).sum();
        let mut cookies = Vec::new();
        if pending().count() >= MAX_PENDING || pending_bytes + sealed.len() > MAX_PENDING_BYTES {
            cookies.extend(
                pending()
                    .filter(|(name, _)| is_ours(name))
                    .take(MAX_REMOVALS)
                    .map(|(name, _)| self.attributes.removal(name)),
            );
        }
        cookies.push(self.attributes.cookie(&name, sealed, LIFETIME));
        cookies
    }

    /// The attempt this browser began with this state, if it did and has not been too long about it.
    pub(crate) fn find(&self, headers: &HeaderMap, state: &str) -> Option<Attempt> {
        let name = cookie_name(state);
        let now = unix_seconds(self.clock.as_ref());
        cookie::values(headers, &name)
            .filter_map(|value| self.sealer.unseal(&name, &value))
            .filter_map(|json| serde_json::from_str::<Attempt>(&json).ok())
            .find(|attempt| equal(&attempt.state, state) && attempt.expires_at > now)
    }

    /// Deletes the attempt's cookie: each is good for one callback.
    pub(crate) fn removal(&self, state: &str) -> Cookie<'static> {
        self.attributes.removal(&cookie_name(state))
    }
}

fn cookie_name(state: &str) -> String {
    format!("{PREFIX}{}", sha256_base64url(state))
}

/// Names come from the request: only what can be one of ours goes back into a response.
fn is_ours(name: &str) -> bool {
    name.len() == PREFIX.len() + 43
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}
