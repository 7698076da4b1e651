//! What a handler may ask of whoever sent the request, beside being known.

use std::fmt;

/// What a request lacks although it is known who sent it: the reason of an
/// [`AuthError::Forbidden`](crate::AuthError::Forbidden).
///
/// `Display` is the `message` of the answer, [`code`](Self::code) its `code`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Requirement {
    /// A person, and not an API key or a machine: `user_required`.
    User,
    /// The session cookie, and not a credential in `Authorization`: `session_required`.
    Session,
    /// An access token, and not an API key: `access_token_required`.
    AccessToken,
    /// An API key: `api_key_required`.
    ApiKey,
    /// An organization: `organization_required`.
    Organization,
    /// Somebody who impersonates the person: `impersonation_required`.
    Impersonation,
    /// The claims that the handler reads out of the access token: `custom_claims_required`.
    CustomClaims,
}

impl Requirement {
    /// The `code` of the answer.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::User => "user_required",
            Self::Session => "session_required",
            Self::AccessToken => "access_token_required",
            Self::ApiKey => "api_key_required",
            Self::Organization => "organization_required",
            Self::Impersonation => "impersonation_required",
            Self::CustomClaims => "custom_claims_required",
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => "this is for people who are signed in; API keys and machines may not do it",
            Self::Session => "this needs the session of a browser; a credential in Authorization does not do",
            Self::AccessToken => "this needs an access token; an API key does not do",
            Self::ApiKey => "this needs an API key",
            Self::Organization => "this needs an organization; sign in to one, or switch to one",
            Self::Impersonation => "this is for impersonated sessions",
            Self::CustomClaims => {
                "the access token lacks claims that this needs; get a new one, and if that does not help, tell the \
                 people who run this site"
            }
        })
    }
}
