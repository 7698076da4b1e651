//! What WorkOS tells about whoever wants to sign in or register.

use serde::Deserialize;
use workos::{
    AuthenticateResponseAuthenticationMethod as AuthenticationMethod, Invitation, Organization,
    OrganizationMembership, User,
};

use super::ActionError;

/// Somebody is about to sign in: they have proven who they are, and have not been sent to the app.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct AuthenticationAction {
    /// The id of this question.
    pub id: String,
    /// Who.
    pub user: User,
    /// The organization that they sign in to.
    #[serde(default)]
    pub organization: Option<Organization>,
    /// What they are there.
    #[serde(default)]
    pub organization_membership: Option<OrganizationMembership>,
    /// How they proved who they are.
    #[serde(default)]
    pub authentication_method: Option<AuthenticationMethod>,
    /// The issuer of the token that they will get.
    #[serde(default)]
    pub issuer: Option<String>,
    /// The address that they come from.
    #[serde(default)]
    pub ip_address: Option<String>,
    /// Their browser.
    #[serde(default)]
    pub user_agent: Option<String>,
    /// Radar's fingerprint of the device.
    #[serde(default)]
    pub device_fingerprint: Option<String>,
}

/// Somebody is about to become a user.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct UserRegistrationAction {
    /// The id of this question.
    pub id: String,
    /// What they say about themselves.
    pub user_data: RegisteringUser,
    /// The invitation that they come with.
    #[serde(default)]
    pub invitation: Option<Invitation>,
    /// How they proved who they are.
    #[serde(default)]
    pub authentication_method: Option<AuthenticationMethod>,
    /// The address that they come from.
    #[serde(default)]
    pub ip_address: Option<String>,
    /// Their browser.
    #[serde(default)]
    pub user_agent: Option<String>,
    /// Radar's fingerprint of the device.
    #[serde(default)]
    pub device_fingerprint: Option<String>,
}

/// The user of a [`UserRegistrationAction`], who has no id yet.
///
/// The SDK's model wants a first and a last name. Assumption: who signs up by e-mail alone has none.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct RegisteringUser {
    /// The address that they register with.
    pub email: String,
    /// The whole name.
    #[serde(default)]
    pub name: Option<String>,
    /// The first name.
    #[serde(default)]
    pub first_name: Option<String>,
    /// The last name.
    #[serde(default)]
    pub last_name: Option<String>,
}

/// Either Action, for a route that takes both.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "object")]
#[non_exhaustive]
pub enum AnyAction {
    /// Somebody is about to sign in.
    #[serde(rename = "authentication_action_context")]
    Authentication(Box<AuthenticationAction>),
    /// Somebody is about to become a user.
    #[serde(rename = "user_registration_action_context")]
    UserRegistration(Box<UserRegistrationAction>),
}

impl AnyAction {
    pub(super) fn id(&self) -> &str {
        match self {
            Self::Authentication(action) => &action.id,
            Self::UserRegistration(action) => &action.id,
        }
    }

    /// What WorkOS calls the answer.
    pub(super) fn response_object(&self) -> &'static str {
        match self {
            Self::Authentication(_) => "authentication_action_response",
            Self::UserRegistration(_) => "user_registration_action_response",
        }
    }

    fn other(&self) -> ActionError {
        ActionError::OtherAction(match self {
            Self::Authentication(_) => "an authentication",
            Self::UserRegistration(_) => "a user registration",
        })
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::AnyAction {}
    impl Sealed for super::AuthenticationAction {}
    impl Sealed for super::UserRegistrationAction {}
}

/// What an [`Action`](crate::Action) can be about: [`AuthenticationAction`], [`UserRegistrationAction`] or [`AnyAction`].
pub trait ActionPayload: sealed::Sealed + Sized + 'static {
    #[doc(hidden)]
    fn of(action: AnyAction) -> Result<Self, ActionError>;
}

impl ActionPayload for AnyAction {
    fn of(action: AnyAction) -> Result<Self, ActionError> {
        Ok(action)
    }
}

impl ActionPayload for AuthenticationAction {
    fn of(action: AnyAction) -> Result<Self, ActionError> {
        match action {
            AnyAction::Authentication(action) => Ok(*action),
            other @ AnyAction::UserRegistration(_) => Err(other.other()),
        }
    }
}

impl ActionPayload for UserRegistrationAction {
    fn of(action: AnyAction) -> Result<Self, ActionError> {
        match action {
            AnyAction::UserRegistration(action) => Ok(*action),
            other @ AnyAction::Authentication(_) => Err(other.other()),
        }
    }
}
