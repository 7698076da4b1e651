//! What the dashboard sets for Connect.

use serde::{Deserialize, Serialize};

use crate::control::settings::SettingProblem;

/// WorkOS Connect. Source: <https://workos.com/docs/authkit/mcp> and <https://workos.com/docs/authkit/connect/standalone>.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Connect {
    /// Applications may register themselves. Off, as in production.
    pub(crate) dynamic_client_registration: bool,
    /// Where people sign in to Connect applications, instead of on AuthKit's pages.
    pub(crate) login_uri: Option<String>,
}

impl Connect {
    pub(crate) fn check(&self) -> Result<(), SettingProblem> {
        let is_web = |uri: &str| {
            url::Url::parse(uri)
                .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.fragment().is_none())
        };
        match self.login_uri.as_deref() {
            Some(uri) if !is_web(uri) => Err(SettingProblem {
                path: "connect.login_uri".to_owned(),
                message: "must be a URL, like https://app.example.com/auth/login".to_owned(),
            }),
            _ => Ok(()),
        }
    }
}
