//! Which ways in there are.

use serde::{Deserialize, Serialize};

use super::providers;
use crate::control::settings::SettingProblem;

/// The ways in that an environment offers. Source: <https://workos.com/docs/authkit/overview>.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SignInMethods {
    pub(crate) password: bool,
    pub(crate) magic_auth: bool,
    pub(crate) passkey: bool,
    /// Who signs in in another way is asked whether they want a passkey. Off in production unless turned on; here it is on,
    /// and counts as soon as passkeys are.
    pub(crate) passkey_progressive_enrollment: bool,
    /// The providers that the sign-in page shows: `GoogleOAuth`, `MicrosoftOAuth`, … Others work by `provider=` as well.
    pub(crate) providers: Vec<String>,
}

impl Default for SignInMethods {
    fn default() -> Self {
        Self {
            password: true,
            magic_auth: true,
            passkey: false,
            passkey_progressive_enrollment: true,
            providers: Vec::new(),
        }
    }
}

impl SignInMethods {
    pub(crate) fn check(&self) -> Result<(), SettingProblem> {
        for (at, slug) in self.providers.iter().enumerate() {
            let message = match providers::by_slug(slug) {
                None => "WorkOS has no such provider; they are called GoogleOAuth, MicrosoftOAuth, …",
                Some(_) if self.providers[..at].contains(slug) => "is there already",
                Some(_) => continue,
            };
            return Err(SettingProblem {
                path: format!("sign_in_methods.providers[{at}]"),
                message: message.to_owned(),
            });
        }
        Ok(())
    }
}
