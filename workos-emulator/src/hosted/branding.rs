//! What the dashboard sets for the look of pages and e-mails.

use serde::{Deserialize, Serialize};

use super::brand;
use crate::control::settings::SettingProblem;

/// How hosted pages and e-mails look.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Branding {
    /// In place of the environment's name.
    pub(crate) name: Option<String>,
    /// A picture as a `data:image/…` URI: pages load nothing from elsewhere.
    pub(crate) logo_url: Option<String>,
    /// The colour of buttons and links: `#rrggbb`.
    pub(crate) color: Option<String>,
}

impl Branding {
    /// What people see an environment of this name called.
    pub(crate) fn shown_name<'a>(&'a self, environment: &'a str) -> &'a str {
        match (&self.name, environment) {
            (Some(name), _) => name,
            // What WorkOS calls an environment that one develops against.
            (None, "default") => "Sandbox",
            (None, name) => name,
        }
    }

    pub(crate) fn check(&self) -> Result<(), SettingProblem> {
        let problem = |path: &str, message: &str| SettingProblem {
            path: format!("branding.{path}"),
            message: message.to_owned(),
        };
        if self.color.as_deref().is_some_and(|color| !brand::is_color(color)) {
            return Err(problem("color", "must be a colour like #5650d6"));
        }
        if self
            .logo_url
            .as_deref()
            .is_some_and(|logo| !logo.starts_with("data:image/"))
        {
            return Err(problem("logo_url", "must be a data:image/… URI"));
        }
        Ok(())
    }
}
