//! One cookie per sign-in attempt, which binds its `state` and PKCE verifier to the browser that began it.

use std::{sync::Arc, time::Duration};

use actix_web::{cookie::Cookie, http::header::HeaderMap};
use serde::{Deserialize, Serialize};

use crate::{
    clock::{Clock, unix_seconds},
    config::Config,
    cookie::{self, CookieAttributes, CookieSealer},
    digest::{equal, sha256_base64url},
};

const PREFIX: &str = "wos-auth-verifier-";
const LIFETIME: Duration = Duration::from_secs(10 * 60);
/// Tabs left open at the sign-in page; more are purged, before they fill the request header.
const MAX_PENDING: usize = 5;

/// A sign-in that was begun and not completed yet. Without `Debug`: the verifier is a secret.
#[derive(Serialize, Deserialize)]
pub(crate) struct Attempt {
    pub(crate) state: String,
    pub(crate) code_verifier: String,
    /// Where to go afterwards.
    pub(crate) return_to: Option<String>,
    expires_at: i64,
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
    pub(crate) fn begin(
        &self,
        headers: &HeaderMap,
        state: &str,
        code_verifier: &str,
        return_to: Option<String>,
    ) -> Vec<Cookie<'static>> {
        let lifetime = i64::try_from(LIFETIME.as_secs()).unwrap_or(i64::MAX);
        let attempt = Attempt {
            state: state.to_owned(),
            code_verifier: code_verifier.to_owned(),
            return_to,
            expires_at: unix_seconds(self.clock.as_ref()).saturating_add(lifetime),
        };
        let json = serde_json::to_string(&attempt).unwrap_or_default();
        let name = cookie_name(state);
        let pending: Vec<_> = cookie::names(headers, PREFIX).collect();
        let mut cookies = Vec::new();
        if pending.len() >= MAX_PENDING {
            cookies.extend(
                pending
                    .into_iter()
                    .filter(|name| is_ours(name))
                    .map(|name| self.attributes.removal(name)),
            );
        }
        let sealed = self.sealer.seal(&name, &json);
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
