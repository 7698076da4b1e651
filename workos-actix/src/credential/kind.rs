//! Which kind of credential it was.

use std::fmt;

/// What a request proved itself by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CredentialKind {
    /// The session cookie: a person's browser.
    Session,
    /// An AuthKit access token in `Authorization: Bearer`: a person's single-page or mobile app.
    AccessToken,
    /// A WorkOS API key in `Authorization: Bearer`: a program of a customer's.
    ApiKey,
    /// An access token that an M2M application got by `client_credentials`, in `Authorization: Bearer`: a machine.
    Machine,
}

impl CredentialKind {
    /// Whether a person is behind it.
    #[must_use]
    pub fn is_person(self) -> bool {
        matches!(self, Self::Session | Self::AccessToken)
    }

    /// `session`, `access_token`, `api_key` or `machine`: for logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::AccessToken => "access_token",
            Self::ApiKey => "api_key",
            Self::Machine => "machine",
        }
    }
}

impl fmt::Display for CredentialKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
