//! `AuthKit::builder()` and the environment variables. The settings by family are in the files beside this one.

mod credentials;
mod flows;
mod pages;
mod sessions;

use std::{sync::Arc, time::Duration};

use workos::SecretString;

use super::{ConfigError, ConfigProblem, Sources};
use crate::{
    AuthKit,
    clock::{Clock, SystemClock},
    cookie::CookieSealer,
    credential::{AnySessionStore, SessionPlace},
    hooks::Hooks,
    random::{Randomness, SystemRandomness},
    shared_state::{AnySharedState, SharedSessions},
    transport::{WorkOs, http_client},
};

const DEFAULT_REVOCATION_MAX_AGE: Duration = Duration::from_secs(10);

/// Settings of an [`AuthKit`], made by [`AuthKit::builder`].
///
/// Every setting with an environment variable is a text here too and is checked by [`build`](Self::build), which
/// reports all problems together.
#[must_use = "call `build` to get the AuthKit"]
pub struct AuthKitBuilder {
    pub(super) api_key: Option<SecretString>,
    pub(super) client_id: Option<String>,
    pub(super) cookie_password: Option<SecretString>,
    pub(super) previous_cookie_passwords: Vec<SecretString>,
    pub(super) redirect_uri: Option<String>,
    pub(super) api_hostname: Option<String>,
    pub(super) api_https: Option<String>,
    pub(super) api_port: Option<String>,
    pub(super) cookie_name: Option<String>,
    pub(super) cookie_max_age: Option<String>,
    pub(super) cookie_domain: Option<String>,
    pub(super) cookie_same_site: Option<String>,
    pub(super) issuers: Option<String>,
    pub(super) audiences: Vec<String>,
    pub(super) path_prefix: String,
    pub(super) callback_path: Option<String>,
    pub(super) after_sign_in: String,
    pub(super) sign_in_failed: Option<String>,
    pub(super) after_sign_out: Option<String>,
    pub(super) require_auth: bool,
    pub(super) unauthenticated_paths: Vec<String>,
    pub(super) sign_up_paths: Vec<String>,
    pub(super) token_route: bool,
    pub(super) refresh_buffer: Option<Duration>,
    pub(super) sources: Sources,
    pub(super) trusted_origins: Vec<String>,
    pub(super) checks_origin: bool,
    pub(super) session_place: SessionPlace,
    pub(super) shared_state: Option<AnySharedState>,
    pub(super) sessions_in_shared_state: bool,
    pub(super) revocation_max_age: Duration,
    pub(super) hooks: Hooks,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) randomness: Arc<dyn Randomness>,
    /// Speaks to the WorkOS of the module `testing`.
    #[cfg(feature = "testing")]
    pub(crate) is_in_memory: bool,
}

impl std::fmt::Debug for AuthKitBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthKitBuilder")
            .field("client_id", &self.client_id)
            .field("redirect_uri", &self.redirect_uri)
            .field("api_hostname", &self.api_hostname)
            .field("cookie_name", &self.cookie_name)
            .finish_non_exhaustive()
    }
}

impl Default for AuthKitBuilder {
    fn default() -> Self {
        Self {
            api_key: None,
            client_id: None,
            cookie_password: None,
            previous_cookie_passwords: Vec::new(),
            redirect_uri: None,
            api_hostname: None,
            api_https: None,
            api_port: None,
            cookie_name: None,
            cookie_max_age: None,
            cookie_domain: None,
            cookie_same_site: None,
            issuers: None,
            audiences: Vec::new(),
            path_prefix: "/auth".to_owned(),
            callback_path: None,
            after_sign_in: "/".to_owned(),
            sign_in_failed: None,
            after_sign_out: None,
            require_auth: false,
            unauthenticated_paths: Vec::new(),
            sign_up_paths: Vec::new(),
            token_route: false,
            refresh_buffer: None,
            sources: Sources::default(),
            trusted_origins: Vec::new(),
            checks_origin: true,
            session_place: SessionPlace::EncryptedCookie,
            shared_state: None,
            sessions_in_shared_state: false,
            revocation_max_age: DEFAULT_REVOCATION_MAX_AGE,
            hooks: Hooks::default(),
            clock: Arc::new(SystemClock),
            randomness: Arc::new(SystemRandomness),
            #[cfg(feature = "testing")]
            is_in_memory: false,
        }
    }
}

impl AuthKitBuilder {
    /// Takes every `WORKOS_…` variable that is set in the process environment. Values set afterwards win.
    pub fn env(self) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the environment"
        )]
        self.variables(|name| std::env::var(name).ok())
    }

    fn variables(mut self, variable: impl Fn(&str) -> Option<String>) -> Self {
        // An empty variable is how a .env file says "not set".
        let variable = |name| variable(name).filter(|value| !value.trim().is_empty());
        let keep = |slot: &mut Option<String>, name| {
            if let Some(value) = variable(name) {
                *slot = Some(value);
            }
        };
        keep(&mut self.client_id, "WORKOS_CLIENT_ID");
        keep(&mut self.redirect_uri, "WORKOS_REDIRECT_URI");
        keep(&mut self.api_hostname, "WORKOS_API_HOSTNAME");
        keep(&mut self.api_https, "WORKOS_API_HTTPS");
        keep(&mut self.api_port, "WORKOS_API_PORT");
        keep(&mut self.cookie_name, "WORKOS_COOKIE_NAME");
        keep(&mut self.cookie_max_age, "WORKOS_COOKIE_MAX_AGE");
        keep(&mut self.cookie_domain, "WORKOS_COOKIE_DOMAIN");
        keep(&mut self.cookie_same_site, "WORKOS_COOKIE_SAMESITE");
        keep(&mut self.issuers, "WORKOS_ISSUER");
        if let Some(value) = variable("WORKOS_API_KEY") {
            self.api_key = Some(value.into());
        }
        if let Some(value) = variable("WORKOS_COOKIE_PASSWORD") {
            self.cookie_password = Some(value.into());
        }
        self
    }

    /// `WORKOS_API_KEY`: the secret key (`sk_…`) of the WorkOS environment.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(SecretString::new(key));
        self
    }

    /// `WORKOS_CLIENT_ID`: the client id (`client_…`) of the WorkOS environment.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = Some(id.into());
        self
    }

    /// `WORKOS_REDIRECT_URI`: the absolute URL of the callback route, as registered in the WorkOS dashboard.
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uri = Some(uri.into());
        self
    }

    /// `WORKOS_API_HOSTNAME`, `_PORT` and `_HTTPS` in one: where the WorkOS API is, e.g. `http://localhost:4100`.
    pub fn api_base_url(mut self, url: &str) -> Self {
        let (https, rest) = match url.split_once("://") {
            Some(("http", rest)) => ("false", rest),
            Some(("https", rest)) => ("true", rest),
            // Left as it is, so that `build` refuses it with an explanation.
            _ => ("true", url),
        };
        let rest = rest.trim_end_matches('/');
        let (hostname, port) = match rest.rsplit_once(':') {
            Some((hostname, port)) if !port.contains(']') => (hostname, Some(port.to_owned())),
            _ => (rest, None),
        };
        self.api_hostname = Some(hostname.to_owned());
        self.api_port = port;
        self.api_https = Some(https.to_owned());
        self
    }

    /// Replaces the system clock: for tests.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Checks everything and makes the [`AuthKit`]. Does not speak to WorkOS.
    ///
    /// # Errors
    /// All problems at once, see [`ConfigError`].
    pub fn build(self) -> Result<AuthKit, ConfigError> {
        #[cfg(feature = "testing")]
        let in_memory = self
            .is_in_memory
            .then(|| WorkOs::InMemory(Arc::clone(&self.clock)));
        #[cfg(not(feature = "testing"))]
        let in_memory = None;
        let workos = in_memory.map_or_else(network, Ok);
        let mut problems = Vec::new();
        let config = self.check(&mut problems);
        match config {
            Some(config) if problems.is_empty() => {
                if config.paths.after_sign_out.is_none() {
                    tracing::info!(
                        "after_sign_out is not set: after a sign-out WorkOS leads to the default sign-out redirect of its \
                         dashboard (Redirects), and to an error page if there is none"
                    );
                }
                let session_place = match &self.shared_state {
                    Some(state) if self.sessions_in_shared_state => {
                        let sealer = CookieSealer::new(config.cookie.keys.clone());
                        let sessions = SharedSessions::new(state.clone(), sealer);
                        SessionPlace::Store(AnySessionStore::new(sessions))
                    }
                    _ => self.session_place,
                };
                workos
                    .and_then(|workos| {
                        AuthKit::new(
                            config,
                            &workos,
                            session_place,
                            self.shared_state,
                            self.hooks,
                            self.clock,
                            self.randomness,
                        )
                    })
                    .map_err(|error| ConfigError::new(vec![ConfigProblem::new("WORKOS_API_KEY", error)]))
            }
            _ => Err(ConfigError::new(problems)),
        }
    }
}

/// WorkOS, by HTTPS.
fn network() -> Result<WorkOs, String> {
    let http = http_client().map_err(|error| format!("no HTTPS client can be made: {error}"))?;
    Ok(WorkOs::Network(http))
}

#[cfg(test)]
mod tests;
