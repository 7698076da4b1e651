//! `AuthKit::builder()` and the environment variables.

use std::{sync::Arc, time::Duration};

use actix_session::storage::{CookieSessionStore, SessionStore};
use actix_web::cookie::{Key, SameSite};
use url::Url;
use workos::SecretString;

use super::{Config, ConfigError, ConfigProblem, CookieConfig, Paths, TokenConfig};
use crate::{
    AuthKit,
    clock::{Clock, SystemClock},
    credential::AnySessionStore,
    path_pattern::PathPattern,
    random::{Randomness, SystemRandomness},
    return_path::ReturnPath,
};

const DEFAULT_API_HOSTNAME: &str = "api.workos.com";
const DEFAULT_COOKIE_NAME: &str = "wos-session";
/// 400 days, the longest a browser keeps a cookie, as in WorkOS's kits. WorkOS ends the session itself much earlier.
const DEFAULT_COOKIE_MAX_AGE_SECONDS: u64 = 34_560_000;
const MIN_PASSWORD_CHARACTERS: usize = 32;

/// Settings of an [`AuthKit`], made by [`AuthKit::builder`].
///
/// Every setting with an environment variable is a text here too and is checked by [`build`](Self::build), which
/// reports all problems together.
#[must_use = "call `build` to get the AuthKit"]
pub struct AuthKitBuilder {
    api_key: Option<SecretString>,
    client_id: Option<String>,
    cookie_password: Option<SecretString>,
    redirect_uri: Option<String>,
    api_hostname: Option<String>,
    api_https: Option<String>,
    api_port: Option<String>,
    cookie_name: Option<String>,
    cookie_max_age: Option<String>,
    cookie_domain: Option<String>,
    cookie_same_site: Option<String>,
    issuers: Option<String>,
    audiences: Vec<String>,
    path_prefix: String,
    callback_path: Option<String>,
    after_sign_in: String,
    sign_in_failed: Option<String>,
    after_sign_out: Option<String>,
    require_auth: bool,
    unauthenticated_paths: Vec<String>,
    refresh_buffer: Option<Duration>,
    store: AnySessionStore,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
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
            refresh_buffer: None,
            store: AnySessionStore::cookie(CookieSessionStore::default()),
            clock: Arc::new(SystemClock),
            randomness: Arc::new(SystemRandomness),
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

    /// `WORKOS_COOKIE_PASSWORD`: at least 32 characters from which the cookie encryption key is derived.
    pub fn cookie_password(mut self, password: impl Into<String>) -> Self {
        self.cookie_password = Some(SecretString::new(password));
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

    /// `WORKOS_COOKIE_NAME`: the name of the session cookie, `wos-session` by default.
    pub fn cookie_name(mut self, name: impl Into<String>) -> Self {
        self.cookie_name = Some(name.into());
        self
    }

    /// `WORKOS_COOKIE_MAX_AGE`: how long a browser keeps the session cookie, 400 days by default (whole seconds).
    pub fn cookie_max_age(mut self, max_age: Duration) -> Self {
        self.cookie_max_age = Some(max_age.as_secs().to_string());
        self
    }

    /// `WORKOS_COOKIE_DOMAIN`: set it to share the session with subdomains.
    pub fn cookie_domain(mut self, domain: impl Into<String>) -> Self {
        self.cookie_domain = Some(domain.into());
        self
    }

    /// `WORKOS_COOKIE_SAMESITE`: `Lax` by default.
    pub fn cookie_same_site(mut self, same_site: SameSite) -> Self {
        self.cookie_same_site = Some(same_site.to_string());
        self
    }

    /// `WORKOS_ISSUER`: accept only tokens with one of these `iss`. Without it every issuer is accepted, as in
    /// WorkOS's kits, because the issuer of an environment depends on its age and settings.
    pub fn issuers<I: AsRef<str>>(mut self, issuers: impl IntoIterator<Item = I>) -> Self {
        let issuers: Vec<_> = issuers
            .into_iter()
            .map(|issuer| issuer.as_ref().to_owned())
            .collect();
        self.issuers = Some(issuers.join(","));
        self
    }

    /// Accept only tokens with one of these `aud`. AuthKit tokens have none unless a JWT template adds it.
    pub fn audiences<I: Into<String>>(mut self, audiences: impl IntoIterator<Item = I>) -> Self {
        self.audiences = audiences.into_iter().map(Into::into).collect();
        self
    }

    /// Where the sign-in, sign-up and sign-out routes are: `/auth` by default. The callback route is always at the
    /// path of the redirect URI.
    pub fn path_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.path_prefix = prefix.into();
        self
    }

    /// Where the callback route is, if not at the path of the redirect URI: for a proxy that rewrites paths.
    pub fn callback_path(mut self, path: impl Into<String>) -> Self {
        self.callback_path = Some(path.into());
        self
    }

    /// The page after a sign-in that did not ask for one: `/` by default.
    pub fn after_sign_in(mut self, path: impl Into<String>) -> Self {
        self.after_sign_in = path.into();
        self
    }

    /// The page after a failed sign-in; it gets `error` and `error_description` in its query. Without it the callback
    /// answers with a small error page of its own.
    pub fn sign_in_failed(mut self, path: impl Into<String>) -> Self {
        self.sign_in_failed = Some(path.into());
        self
    }

    /// The absolute URL to which WorkOS sends the browser after sign-out. It must be one of the sign-out redirects of
    /// the WorkOS dashboard. Without it WorkOS uses the default sign-out redirect set there, or the app homepage.
    pub fn after_sign_out(mut self, url: impl Into<String>) -> Self {
        self.after_sign_out = Some(url.into());
        self
    }

    /// Every path needs a signed-in user, except the AuthKit routes and the
    /// [`unauthenticated_paths`](Self::unauthenticated_paths).
    pub fn require_auth(mut self) -> Self {
        self.require_auth = true;
        self
    }

    /// Paths that stay open under [`require_auth`](Self::require_auth): exact paths, WorkOS's globs (`/blog/(.*)`,
    /// `/docs/:path*`) and Actix's patterns (`/docs/{page}`, `/files/{tail}*`).
    pub fn unauthenticated_paths<I: Into<String>>(
        mut self,
        patterns: impl IntoIterator<Item = I>,
    ) -> Self {
        self.unauthenticated_paths
            .extend(patterns.into_iter().map(Into::into));
        self
    }

    /// Refresh this long before the access token expires; zero refreshes only expired tokens. By default 60 seconds,
    /// or 30 for tokens that live up to five minutes. Never more than half of a token's life.
    pub fn refresh_buffer(mut self, buffer: Duration) -> Self {
        self.refresh_buffer = Some(buffer);
        self
    }

    /// Keeps sessions in a store of your own, for example `actix_session::storage::RedisSessionStore`. By default the
    /// session is in the encrypted cookie itself.
    pub fn session_store(mut self, store: impl SessionStore + Send + Sync + 'static) -> Self {
        self.store = AnySessionStore::server_side(store);
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
        let mut problems = Vec::new();
        let config = self.check(&mut problems);
        match config {
            Some(config) if problems.is_empty() => {
                AuthKit::new(config, self.store, self.clock, self.randomness).map_err(|error| {
                    ConfigError::new(vec![ConfigProblem::new("WORKOS_API_KEY", error)])
                })
            }
            _ => Err(ConfigError::new(problems)),
        }
    }

    /// The configuration, or `None` when something required is missing; every problem is pushed.
    fn check(&self, problems: &mut Vec<ConfigProblem>) -> Option<Config> {
        let mut problem =
            |setting, explanation: String| problems.push(ConfigProblem::new(setting, explanation));

        if self
            .api_key
            .as_ref()
            .is_none_or(|key| key.expose().is_empty())
        {
            problem(
                "WORKOS_API_KEY",
                "is not set: the secret key, like `sk_test_…`; copy it from API Keys in the WorkOS dashboard.".into(),
            );
        }
        if self.client_id.as_ref().is_none_or(String::is_empty) {
            problem(
                "WORKOS_CLIENT_ID",
                "is not set: like `client_01…`; copy it from API Keys in the WorkOS dashboard."
                    .into(),
            );
        }
        let password = self
            .cookie_password
            .as_ref()
            .map_or("", |password| password.expose());
        let characters = password.chars().count();
        if characters < MIN_PASSWORD_CHARACTERS {
            let state = if characters == 0 {
                "is not set".to_owned()
            } else {
                format!("has only {characters} characters")
            };
            problem(
                "WORKOS_COOKIE_PASSWORD",
                format!(
                    "{state}: at least 32 random characters; make one with `openssl rand -base64 32`."
                ),
            );
        }
        let redirect_uri = self.redirect_uri.as_deref().and_then(absolute_http_url);
        if redirect_uri.is_none() {
            let state = self
                .redirect_uri
                .as_ref()
                .map_or("is not set".to_owned(), |uri| format!("is `{uri}`"));
            problem(
                "WORKOS_REDIRECT_URI",
                format!(
                    "{state}: the absolute URL of the callback route, like `http://localhost:8080/auth/callback`; \
                     register the same URL under Redirects in the WorkOS dashboard."
                ),
            );
        }
        let api_base_url = match self.api_base() {
            Ok(url) => url,
            Err((setting, explanation)) => {
                problem(setting, explanation);
                String::new()
            }
        };
        let max_age = match self
            .cookie_max_age
            .as_deref()
            .map(|text| text.trim().parse::<u32>())
        {
            None => DEFAULT_COOKIE_MAX_AGE_SECONDS,
            Some(Ok(seconds)) if seconds > 0 => u64::from(seconds),
            Some(_) => {
                problem(
                    "WORKOS_COOKIE_MAX_AGE",
                    "must be a number of seconds above 0, like `34560000`.".into(),
                );
                0
            }
        };
        let same_site = match self
            .cookie_same_site
            .as_deref()
            .map(|text| text.trim().to_ascii_lowercase())
            .as_deref()
        {
            None | Some("lax") => SameSite::Lax,
            Some("strict") => SameSite::Strict,
            Some("none") => SameSite::None,
            Some(other) => {
                problem(
                    "WORKOS_COOKIE_SAMESITE",
                    format!("is `{other}`: must be `lax`, `strict` or `none`."),
                );
                SameSite::Lax
            }
        };
        let cookie_name = self.cookie_name.as_deref().unwrap_or(DEFAULT_COOKIE_NAME);
        if !is_token(cookie_name) {
            problem(
                "WORKOS_COOKIE_NAME",
                format!("is `{cookie_name}`: only letters, digits, `-`, `_` and `.` are safe."),
            );
        }
        if self
            .cookie_domain
            .as_deref()
            .is_some_and(|domain| !is_token(domain))
        {
            problem(
                "WORKOS_COOKIE_DOMAIN",
                "must be a bare domain, like `example.com`.".into(),
            );
        }
        let mut patterns = Vec::new();
        for pattern in &self.unauthenticated_paths {
            match PathPattern::parse(pattern) {
                Ok(pattern) => patterns.push(pattern),
                Err(explanation) => problem("unauthenticated_paths", explanation),
            }
        }
        let paths = self.paths(redirect_uri.as_ref(), &mut problem);

        let redirect_uri = redirect_uri?;
        if !problems.is_empty() {
            return None;
        }
        Some(Config {
            api_key: self.api_key.clone()?,
            client_id: self.client_id.clone()?,
            api_base_url,
            cookie: CookieConfig {
                key: Key::derive_from(password.as_bytes()),
                name: cookie_name.to_owned(),
                max_age: Duration::from_secs(max_age),
                domain: self.cookie_domain.clone(),
                same_site,
                // Browsers drop a SameSite=None cookie that is not Secure.
                secure: redirect_uri.scheme() == "https" || same_site == SameSite::None,
            },
            redirect_uri,
            token: TokenConfig {
                issuers: self.issuers.as_deref().map(comma_list).unwrap_or_default(),
                audiences: self.audiences.clone(),
            },
            paths,
            require_auth: self.require_auth,
            unauthenticated_paths: patterns,
            refresh_buffer: self.refresh_buffer,
        })
    }

    fn api_base(&self) -> Result<String, (&'static str, String)> {
        let scheme = match self.api_https.as_deref().map(str::trim) {
            None | Some("true" | "1") => "https",
            Some("false" | "0") => "http",
            Some(other) => {
                return Err((
                    "WORKOS_API_HTTPS",
                    format!("is `{other}`: must be `true` or `false`."),
                ));
            }
        };
        let hostname = self
            .api_hostname
            .as_deref()
            .map_or(DEFAULT_API_HOSTNAME, str::trim);
        let port = match self
            .api_port
            .as_deref()
            .map(|text| text.trim().parse::<u16>())
        {
            None => String::new(),
            Some(Ok(port)) => format!(":{port}"),
            Some(Err(_)) => {
                return Err((
                    "WORKOS_API_PORT",
                    "must be a port number, like `4100`.".to_owned(),
                ));
            }
        };
        let base = format!("{scheme}://{hostname}{port}");
        let is_bare = Url::parse(&base).is_ok_and(|url| {
            url.path() == "/"
                && url.query().is_none()
                && url.fragment().is_none()
                && url.username().is_empty()
        });
        if is_bare && !hostname.contains(['/', '?', '#', '@']) {
            Ok(base)
        } else {
            Err((
                "WORKOS_API_HOSTNAME",
                format!(
                    "is `{hostname}`: must be a bare host name, like `api.workos.com` or `localhost`."
                ),
            ))
        }
    }

    fn paths(
        &self,
        redirect_uri: Option<&Url>,
        problem: &mut impl FnMut(&'static str, String),
    ) -> Paths {
        let mut local = |setting, path: &str| {
            ReturnPath::parse(path)
                .map(|path| path.to_string())
                .unwrap_or_else(|| {
                    problem(
                        setting,
                        format!("is `{path}`: must be a path of this site, like `/dashboard`."),
                    );
                    String::new()
                })
        };
        let prefix = self.path_prefix.trim_end_matches('/');
        let prefix = if prefix.is_empty() {
            String::new()
        } else {
            local("path_prefix", prefix)
        };
        let callback = match &self.callback_path {
            Some(path) => local("callback_path", path),
            None => redirect_uri.map_or_else(String::new, |uri| uri.path().to_owned()),
        };
        let after_sign_in = local("after_sign_in", &self.after_sign_in);
        let sign_in_failed = self
            .sign_in_failed
            .as_deref()
            .map(|path| local("sign_in_failed", path));
        let after_sign_out = self.after_sign_out.as_deref().and_then(|text| {
            let url = absolute_http_url(text);
            if url.is_none() {
                problem(
                    "after_sign_out",
                    format!("is `{text}`: must be an absolute URL, like `https://example.com/`."),
                );
            }
            url
        });
        Paths {
            sign_in: format!("{prefix}/sign-in"),
            sign_up: format!("{prefix}/sign-up"),
            callback,
            sign_out: format!("{prefix}/sign-out"),
            after_sign_in,
            sign_in_failed,
            after_sign_out,
        }
    }
}

fn absolute_http_url(text: &str) -> Option<Url> {
    Url::parse(text.trim())
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn comma_list(text: &str) -> Vec<String> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect()
}

fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

#[cfg(test)]
#[path = "builder_tests.rs"]
mod tests;
