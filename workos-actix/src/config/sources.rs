//! Which credentials are accepted.

use url::Url;

/// What a request may prove itself by, beside what must be in it.
#[derive(Debug, Clone)]
pub(crate) struct Sources {
    pub(crate) sessions: bool,
    pub(crate) access_tokens: bool,
    pub(crate) api_keys: bool,
    pub(crate) machines: Option<MachineTokens>,
}

impl Default for Sources {
    fn default() -> Self {
        Self {
            sessions: true,
            access_tokens: false,
            api_keys: false,
            machines: None,
        }
    }
}

impl Sources {
    /// Whether `Authorization: Bearer` is ours to read.
    pub(crate) fn read_authorization(&self) -> bool {
        self.access_tokens || self.api_keys || self.machines.is_some()
    }

    pub(super) fn check(&self, problem: &mut impl FnMut(&'static str, String)) {
        if !self.sessions && !self.read_authorization() {
            problem(
                "without_sessions",
                "leaves no credential that is accepted; switch on `bearer_tokens`, `api_keys` or `machine_tokens`."
                    .into(),
            );
        }
        if let Some(machines) = self.machines.as_ref().filter(|machines| !machines.is_valid()) {
            problem(
                "machine_tokens",
                format!(
                    "has the issuer `{}`: must be the AuthKit domain of the environment, like \
                     `https://your-app.authkit.app`; see Domains in the WorkOS dashboard.",
                    machines.issuer
                ),
            );
        }
    }
}

/// Whose machine tokens are accepted, for [`AuthKitBuilder::machine_tokens`](crate::AuthKitBuilder::machine_tokens).
///
/// ```
/// use workos_actix::{AuthKit, MachineTokens};
///
/// let builder = AuthKit::builder()
///     .machine_tokens(MachineTokens::issued_by("https://auth.example.com").client_ids(["client_01ROBOT"]));
/// # drop(builder);
/// ```
#[derive(Debug, Clone)]
pub struct MachineTokens {
    pub(crate) issuer: String,
    pub(crate) client_ids: Vec<String>,
    pub(crate) audiences: Vec<String>,
}

impl MachineTokens {
    /// Tokens of the M2M applications of the WorkOS environment with this AuthKit domain, like
    /// `https://your-app.authkit.app` or your own `https://auth.example.com`. `iss` must be it, and the keys are those at
    /// its `/oauth2/jwks`.
    #[must_use]
    pub fn issued_by(authkit_domain: impl Into<String>) -> Self {
        let issuer: String = authkit_domain.into();
        Self {
            issuer: issuer.trim().trim_end_matches('/').to_owned(),
            client_ids: Vec::new(),
            audiences: Vec::new(),
        }
    }

    /// Only the applications with these client ids. By default any M2M application of the environment: each was made by
    /// you, for one organization, which [`AuthContext::organization_id`](crate::AuthContext::organization_id) says.
    #[must_use]
    pub fn client_ids<I: Into<String>>(mut self, ids: impl IntoIterator<Item = I>) -> Self {
        self.client_ids = ids.into_iter().map(Into::into).collect();
        self
    }

    /// Tokens must have one of these `aud`. By default a token needs none, and one that has an `aud` is accepted only
    /// where that is the client id of this environment (RFC 7519 section 4.1.3).
    #[must_use]
    pub fn audiences<I: Into<String>>(mut self, audiences: impl IntoIterator<Item = I>) -> Self {
        self.audiences = audiences.into_iter().map(Into::into).collect();
        self
    }

    fn is_valid(&self) -> bool {
        Url::parse(&self.issuer).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.path() == "/"
                && url.query().is_none()
                && url.fragment().is_none()
        })
    }
}
