//! The settings of an environment: what the WorkOS dashboard configures, and how strict the emulator is.

use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};

use crate::{
    core::password::policy::PasswordPolicy,
    store::{Record, State},
};

/// When `authorize` shows the hosted page, and when it signs in at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Interactive {
    /// The page for a browser's navigation, at once for a plain HTTP client that sends `login_hint`.
    #[default]
    Auto,
    /// Always the page.
    Always,
    /// Never the page; without a hint the first user signs in.
    Never,
}

/// The one row of its table. All durations are in seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// `iss` of access tokens. Default: `<base URL>/user_management/<client id>`, as newer WorkOS environments have it.
    pub(crate) issuer: Option<String>,
    /// The default environment knows its own client id only, not every `client_…`.
    pub(crate) strict_client_id: bool,
    pub(crate) interactive: Interactive,
    /// Life of an access token.
    pub(crate) access_token_lifetime: u32,
    /// Life of a session, from sign-in to its end at the latest.
    pub(crate) session_lifetime: u32,
    /// A session that is not refreshed for so long ends.
    pub(crate) session_inactivity: u32,
    pub(crate) authorization_code_lifetime: u32,
    /// Life of a `pending_authentication_token`, and of a started hosted sign-in.
    pub(crate) pending_authentication_lifetime: u32,
    /// How long the last refresh token still gives the pair it was exchanged for.
    pub(crate) refresh_token_grace: u32,
    /// A membership may have more than one role.
    pub(crate) multiple_roles: bool,
    /// People may sign up on the hosted pages.
    pub(crate) sign_up: bool,
    pub(crate) password_policy: PasswordPolicy,
    /// Waits before each further attempt to deliver a webhook.
    pub(crate) webhook_retries: Vec<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            issuer: None,
            strict_client_id: false,
            interactive: Interactive::default(),
            access_token_lifetime: 300,
            session_lifetime: 30 * 24 * 3600,
            session_inactivity: 30 * 24 * 3600,
            authorization_code_lifetime: 600,
            pending_authentication_lifetime: 600,
            refresh_token_grace: 30,
            multiple_roles: false,
            sign_up: true,
            password_policy: PasswordPolicy::default(),
            webhook_retries: RETRIES.to_vec(),
        }
    }
}

/// Exponential back-off up to three days, as production retries. Assumption: the intervals are not documented.
const RETRIES: [u32; 12] = [
    5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 43200, 57600, 100_800,
];

static DEFAULT: LazyLock<Arc<Settings>> = LazyLock::new(Arc::default);

impl Record for Settings {
    fn id(&self) -> &str {
        "settings"
    }
}

impl State {
    /// The environment's settings.
    pub(crate) fn settings(&self) -> &Settings {
        self.settings.get("settings").unwrap_or(&DEFAULT)
    }
}
