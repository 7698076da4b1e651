//! What the dashboard sets for the portal.

use serde::{Deserialize, Serialize};

use super::{intent::Intent, return_urls};
use crate::control::settings::SettingProblem;

/// The Admin Portal. Source: <https://workos.com/docs/admin-portal>.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AdminPortal {
    /// Where its logo leads, unless a link says otherwise.
    pub(crate) return_url: Option<String>,
    /// Where it leads at the end of a setup, unless a link says otherwise.
    pub(crate) success_url: Option<String>,
    /// What it may be opened for; links for anything else are refused with 403.
    pub(crate) intents: Vec<Intent>,
}

impl Default for AdminPortal {
    fn default() -> Self {
        Self {
            return_url: None,
            success_url: None,
            intents: Intent::ALL.to_vec(),
        }
    }
}

impl AdminPortal {
    pub(crate) fn check(&self) -> Result<(), SettingProblem> {
        let urls = [
            ("return_url", &self.return_url),
            ("success_url", &self.success_url),
        ];
        let wrong = urls
            .into_iter()
            .find(|(_, url)| url.as_deref().is_some_and(|url| !return_urls::is_allowed(url)));
        wrong.map_or(Ok(()), |(name, _)| {
            Err(SettingProblem {
                path: format!("admin_portal.{name}"),
                message: return_urls::RULE.to_owned(),
            })
        })
    }
}
