//! Settings: read from the environment or given to a builder, checked once at start.

mod builder;
mod check;
mod error;
mod secret;
mod sources;

use std::{sync::Arc, time::Duration};

use actix_web::cookie::SameSite;
use url::Url;
use workos::SecretString;

pub(crate) use self::secret::secret_from_env;
pub(crate) use self::sources::Sources;
pub use self::{
    builder::AuthKitBuilder,
    error::{ConfigError, ConfigProblem},
    sources::MachineTokens,
};
use crate::{cookie::CookieKeys, cross_origin::Origins, path_pattern::PathPattern};

/// A complete and valid configuration.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) api_key: SecretString,
    pub(crate) client_id: String,
    /// Without a trailing slash.
    pub(crate) api_base_url: String,
    /// A placeholder where there are no sessions.
    pub(crate) redirect_uri: Url,
    pub(crate) sources: Sources,
    pub(crate) origins: Origins,
    pub(crate) cookie: CookieConfig,
    pub(crate) token: TokenConfig,
    pub(crate) paths: Paths,
    pub(crate) require_auth: bool,
    pub(crate) unauthenticated_paths: Vec<PathPattern>,
    /// Whoever needs to sign in there is taken for somebody new.
    pub(crate) sign_up_paths: Vec<PathPattern>,
    /// Refresh this long before expiry; `None` is the rule of WorkOS's kits (60 s, or 30 s for tokens of up to 5 min).
    pub(crate) refresh_buffer: Option<Duration>,
    /// How old the knowledge of sign-outs on other machines may be.
    pub(crate) revocation_max_age: Duration,
}

/// How the session cookie is made.
pub(crate) struct CookieConfig {
    /// The password that seals, and the former ones, which still open.
    pub(crate) passwords: Arc<[SecretString]>,
    /// Made of the passwords.
    pub(crate) keys: CookieKeys,
    pub(crate) name: String,
    pub(crate) max_age: Duration,
    pub(crate) domain: Option<String>,
    pub(crate) same_site: SameSite,
    pub(crate) secure: bool,
}

impl std::fmt::Debug for CookieConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CookieConfig")
            .field("passwords", &"<redacted>")
            .field("name", &self.name)
            .field("max_age", &self.max_age)
            .field("domain", &self.domain)
            .field("same_site", &self.same_site)
            .field("secure", &self.secure)
            .finish()
    }
}

/// What an access token must say beside a valid signature and an `exp` in the future. Empty lists check nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct TokenConfig {
    pub(crate) issuers: Vec<String>,
    pub(crate) audiences: Vec<String>,
}

/// Where the routes are, and where people land after them.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    pub(crate) sign_in: String,
    pub(crate) sign_up: String,
    pub(crate) callback: String,
    pub(crate) sign_out: String,
    pub(crate) switch_organization: String,
    /// Where scripts get the access token, if they do.
    pub(crate) token: Option<String>,
    /// After a sign-in that did not ask for a page.
    pub(crate) after_sign_in: String,
    /// After a sign-in that failed; `None` answers with an error page.
    pub(crate) sign_in_failed: Option<String>,
    /// Where WorkOS sends the browser after sign-out; `None` leaves it to the WorkOS dashboard.
    pub(crate) after_sign_out: Option<Url>,
}

impl Paths {
    pub(crate) fn is_auth_route(&self, path: &str) -> bool {
        let Self {
            sign_in,
            sign_up,
            callback,
            sign_out,
            switch_organization,
            token,
            ..
        } = self;
        [sign_in, sign_up, callback, sign_out, switch_organization]
            .into_iter()
            .chain(token)
            .any(|route| route == path)
    }
}
