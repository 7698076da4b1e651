//! From what was given to a complete configuration, or to everything that is wrong with it.

use std::{sync::Arc, time::Duration};

use actix_web::cookie::{Key, SameSite};
use url::Url;
use workos::SecretString;

use super::{AuthKitBuilder, Config, ConfigProblem, CookieConfig, Paths, TokenConfig};
use crate::{
    cookie::CookieKeys,
    cross_origin::{self, Origins},
    navigation,
    path_pattern::PathPattern,
    return_path::ReturnPath,
};

const DEFAULT_API_HOSTNAME: &str = "api.workos.com";
const DEFAULT_COOKIE_NAME: &str = "wos-session";
/// 400 days, the longest a browser keeps a cookie, as in WorkOS's kits. WorkOS ends the session itself much earlier.
const DEFAULT_COOKIE_MAX_AGE_SECONDS: u64 = 34_560_000;
const MIN_PASSWORD_CHARACTERS: usize = 32;
/// Where nobody signs in.
const UNUSED_REDIRECT_URI: &str = "http://localhost/auth/callback";

impl AuthKitBuilder {
    /// The configuration, or `None` when something required is missing; every problem is pushed.
    pub(super) fn check(&self, problems: &mut Vec<ConfigProblem>) -> Option<Config> {
        let mut problem =
            |setting, explanation: String| problems.push(ConfigProblem::new(setting, explanation));

        if self.api_key.as_ref().is_none_or(|key| key.expose().is_empty()) {
            problem(
                "WORKOS_API_KEY",
                "is not set: the secret key, like `sk_test_…`; copy it from API Keys in the WorkOS dashboard.".into(),
            );
        }
        if self.client_id.as_ref().is_none_or(String::is_empty) {
            problem(
                "WORKOS_CLIENT_ID",
                "is not set: like `client_01…`; copy it from API Keys in the WorkOS dashboard.".into(),
            );
        }
        let password = self
            .cookie_password
            .as_ref()
            .map_or("", |password| password.expose());
        let characters = password.chars().count();
        let needs_password = self.sources.sessions || characters > 0;
        if needs_password && characters < MIN_PASSWORD_CHARACTERS {
            let state = if characters == 0 {
                "is not set".to_owned()
            } else {
                format!("has only {characters} characters")
            };
            problem(
                "WORKOS_COOKIE_PASSWORD",
                format!("{state}: at least 32 random characters; make one with `openssl rand -base64 32`."),
            );
        }
        let is_short = |password: &SecretString| password.expose().chars().count() < MIN_PASSWORD_CHARACTERS;
        if self.previous_cookie_passwords.iter().any(is_short) {
            problem(
                "previous_cookie_passwords",
                "has one of fewer than 32 characters: give those that `WORKOS_COOKIE_PASSWORD` had before, whole.".into(),
            );
        }
        let redirect_uri = match (&self.redirect_uri, self.sources.sessions) {
            (None, false) => absolute_http_url(UNUSED_REDIRECT_URI),
            (uri, _) => uri.as_deref().and_then(absolute_http_url),
        };
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
        let [unauthenticated_paths, sign_up_paths] = [
            ("unauthenticated_paths", &self.unauthenticated_paths),
            ("sign_up_paths", &self.sign_up_paths),
        ]
        .map(|(setting, patterns)| {
            let mut parsed = Vec::new();
            for pattern in patterns {
                match PathPattern::parse(pattern) {
                    Ok(pattern) => parsed.push(pattern),
                    Err(explanation) => problem(setting, explanation),
                }
            }
            parsed
        });
        if self.sessions_in_shared_state && self.shared_state.is_none() {
            problem(
                "sessions_in_shared_state",
                "needs a shared state: add `.shared_state(RedisSharedState::connect(\"redis://…\").await?)`."
                    .into(),
            );
        }
        self.sources.check(&mut problem);
        let mut trusted_origins = Vec::new();
        for origin in &self.trusted_origins {
            match cross_origin::parse(origin) {
                Some(origin) => trusted_origins.push(origin),
                None => problem(
                    "trusted_origins",
                    format!(
                        "has `{origin}`: must be scheme, host and perhaps a port, like `https://admin.example.com`."
                    ),
                ),
            }
        }
        let paths = self.paths(redirect_uri.as_ref(), &mut problem);

        let redirect_uri = redirect_uri?;
        if !problems.is_empty() {
            return None;
        }
        let passwords: Arc<[SecretString]> = self
            .cookie_password
            .iter()
            .chain(&self.previous_cookie_passwords)
            // Without sessions nothing is sealed, and no password is needed.
            .filter(|password| !password.expose().is_empty())
            .cloned()
            .collect();
        Some(Config {
            api_key: self.api_key.clone()?,
            client_id: self.client_id.clone()?,
            api_base_url,
            cookie: CookieConfig {
                keys: keys(&passwords),
                passwords,
                name: cookie_name.to_owned(),
                max_age: Duration::from_secs(max_age),
                domain: self.cookie_domain.clone(),
                same_site,
                // Browsers drop a SameSite=None cookie that is not Secure.
                secure: redirect_uri.scheme() == "https" || same_site == SameSite::None,
            },
            origins: Origins {
                own: navigation::origin_of(&redirect_uri),
                trusted: trusted_origins,
                are_checked: self.checks_origin,
            },
            redirect_uri,
            sources: self.sources.clone(),
            token: TokenConfig {
                issuers: self.issuers.as_deref().map(comma_list).unwrap_or_default(),
                audiences: self.audiences.clone(),
            },
            paths,
            require_auth: self.require_auth,
            unauthenticated_paths,
            sign_up_paths,
            refresh_buffer: self.refresh_buffer,
            revocation_max_age: self.revocation_max_age,
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
        let port = match self.api_port.as_deref().map(|text| text.trim().parse::<u16>()) {
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
                format!("is `{hostname}`: must be a bare host name, like `api.workos.com` or `localhost`."),
            ))
        }
    }

    fn paths(&self, redirect_uri: Option<&Url>, problem: &mut impl FnMut(&'static str, String)) -> Paths {
        // Actix would read braces in a route as a pattern.
        let is_route = |path: &str| {
            path.starts_with('/')
                && path
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte))
        };
        let prefix = self.path_prefix.trim_end_matches('/');
        if !prefix.is_empty() && !is_route(prefix) {
            problem(
                "path_prefix",
                format!("is `{prefix}`: must be a plain path, like `/auth`."),
            );
        }
        let [sign_in, sign_up, sign_out, switch_organization, token] =
            ["sign-in", "sign-up", "sign-out", "switch-organization", "token"]
                .map(|route| format!("{prefix}/{route}"));
        let token = self.token_route.then_some(token);
        let callback = match (&self.callback_path, redirect_uri) {
            (Some(path), _) => path.clone(),
            (None, Some(uri)) => uri.path().to_owned(),
            (None, None) => "/auth/callback".to_owned(),
        };
        let is_taken = [&sign_in, &sign_up, &sign_out, &switch_organization]
            .into_iter()
            .chain(&token)
            .any(|route| *route == callback);
        if !is_route(&callback) || is_taken {
            let setting = if self.callback_path.is_some() {
                "callback_path"
            } else {
                "WORKOS_REDIRECT_URI"
            };
            problem(
                setting,
                format!("has the path `{callback}`: must be a plain path of its own, like `/auth/callback`."),
            );
        }
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
            sign_in,
            sign_up,
            callback,
            sign_out,
            switch_organization,
            token,
            after_sign_in,
            sign_in_failed,
            after_sign_out,
        }
    }
}

fn keys(passwords: &[SecretString]) -> CookieKeys {
    if passwords.is_empty() {
        // Nothing is sealed without sessions.
        return Arc::new([Key::generate()]);
    }
    let key = |password: &SecretString| Key::derive_from(password.expose().as_bytes());
    passwords.iter().map(key).collect()
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
