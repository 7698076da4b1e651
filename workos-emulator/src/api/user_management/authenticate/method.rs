//! How people prove who they are, and the events that tell whether they could.

use serde::{Deserialize, Serialize};

use crate::{
    api::user_management::{
        sessions::{AuthMethod, Device},
        users::{self, User},
    },
    server::error::ApiError,
    store::Transaction,
};

/// `authentication_method` of the authenticate response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum AuthenticationMethod {
    AppleOAuth,
    BitbucketOAuth,
    CrossAppAuth,
    DiscordOAuth,
    ExternalAuth,
    GitHubOAuth,
    GitLabOAuth,
    GoogleOAuth,
    GrokOAuth,
    Impersonation,
    IntuitOAuth,
    LinkedInOAuth,
    MagicAuth,
    MicrosoftOAuth,
    MigratedSession,
    Passkey,
    Password,
    #[serde(rename = "SSO")]
    Sso,
    SalesforceOAuth,
    SlackOAuth,
    VercelMarketplaceOAuth,
    VercelOAuth,
    XOAuth,
    XeroOAuth,
}

impl AuthenticationMethod {
    /// The same as a session names it.
    pub(crate) fn of_session(self) -> AuthMethod {
        match self {
            Self::CrossAppAuth => AuthMethod::CrossAppAuth,
            Self::ExternalAuth => AuthMethod::ExternalAuth,
            Self::Impersonation => AuthMethod::Impersonation,
            Self::MagicAuth => AuthMethod::MagicCode,
            Self::MigratedSession => AuthMethod::MigratedSession,
            Self::Passkey => AuthMethod::Passkey,
            Self::Password => AuthMethod::Password,
            Self::Sso => AuthMethod::Sso,
            Self::AppleOAuth
            | Self::BitbucketOAuth
            | Self::DiscordOAuth
            | Self::GitHubOAuth
            | Self::GitLabOAuth
            | Self::GoogleOAuth
            | Self::GrokOAuth
            | Self::IntuitOAuth
            | Self::LinkedInOAuth
            | Self::MicrosoftOAuth
            | Self::SalesforceOAuth
            | Self::SlackOAuth
            | Self::VercelMarketplaceOAuth
            | Self::VercelOAuth
            | Self::XOAuth
            | Self::XeroOAuth => AuthMethod::Oauth,
        }
    }

    /// The method in the names of `authentication.…` events. SSO's have a connection too, and others have none.
    fn of_event(self) -> Option<&'static str> {
        match self.of_session() {
            AuthMethod::MagicCode => Some("magic_auth"),
            AuthMethod::Oauth => Some("oauth"),
            AuthMethod::Passkey => Some("passkey"),
            AuthMethod::Password => Some("password"),
            AuthMethod::CrossAppAuth
            | AuthMethod::ExternalAuth
            | AuthMethod::Impersonation
            | AuthMethod::MigratedSession
            | AuthMethod::Sso => None,
        }
    }
}

/// The data of `authentication.<type>_<status>`.
#[derive(Debug, Serialize)]
struct AuthenticationEvent<'a> {
    r#type: &'a str,
    status: &'a str,
    #[serde(flatten)]
    device: &'a Device,
    user_id: Option<&'a str>,
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<EventError<'a>>,
}

#[derive(Debug, Serialize)]
struct EventError<'a> {
    code: &'a str,
    message: &'a str,
}

/// Tells that `user` proved who they are.
pub(crate) fn succeeded(
    tx: &mut Transaction<'_>,
    method: AuthenticationMethod,
    user: &User,
    device: &Device,
) -> Result<(), ApiError> {
    match method.of_event() {
        Some(r#type) => step_succeeded(tx, r#type, user, device),
        None => Ok(()),
    }
}

/// Tells of a step that was made after the first credential, or beside it: `mfa`, `email_verification`,
/// `reauthentication`.
pub(crate) fn step_succeeded(
    tx: &mut Transaction<'_>,
    r#type: &str,
    user: &User,
    device: &Device,
) -> Result<(), ApiError> {
    let event = AuthenticationEvent {
        r#type,
        status: "succeeded",
        device,
        user_id: Some(&user.id),
        email: Some(&user.email),
        error: None,
    };
    tx.emit(&format!("authentication.{type}_succeeded"), &event)
        .map(drop)
}

/// Tells that somebody could not prove to be `email`, who need not exist. What is no e-mail address stands in no event:
/// anybody can send a megabyte of it.
pub(crate) fn failed(
    tx: &mut Transaction<'_>,
    method: AuthenticationMethod,
    email: &str,
    user_id: Option<&str>,
    device: &Device,
    (code, message): (&str, &str),
) -> Result<(), ApiError> {
    match method.of_event() {
        Some(r#type) => step_failed(tx, r#type, email, user_id, device, (code, message)),
        None => Ok(()),
    }
}

/// Tells of such a step that failed.
pub(crate) fn step_failed(
    tx: &mut Transaction<'_>,
    r#type: &str,
    email: &str,
    user_id: Option<&str>,
    device: &Device,
    (code, message): (&str, &str),
) -> Result<(), ApiError> {
    let email = users::email::normalized(email);
    let event = AuthenticationEvent {
        r#type,
        status: "failed",
        device,
        user_id,
        email: email.as_deref(),
        error: Some(EventError { code, message }),
    };
    tx.emit(&format!("authentication.{type}_failed"), &event)
        .map(drop)
}
