//! Why a push into a directory is refused.

use crate::{
    server::{
        call::Call,
        error::{ApiError, FieldError},
    },
    store::{Conflict, Transaction},
};

/// A refusal of WorkOS's own rules, of which a SCIM error and a JSON error can be made. [`Display`](std::fmt::Display) says
/// it as WorkOS's SCIM endpoint does.
///
/// Source: <https://workos.com/docs/integrations/scim> and the requirements that WorkOS publishes for SCIM clients.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum DirectoryError {
    #[error("'userName' is required")]
    UserNameRequired,
    #[error("Another user already exists with this username '{0}'")]
    UserNameTaken(String),
    #[error("Another user already exists with this email '{0}'")]
    EmailTaken(String),
    /// On create the user is kept, and hidden until the addresses come.
    #[error("Required attributes missing: emails")]
    EmailsMissing,
    #[error("'active' must be a boolean")]
    ActiveNotBoolean,
    #[error("Inactive users cannot be created")]
    CreatedInactive,
    #[error("'displayName' is required")]
    DisplayNameRequired,
    #[error("Another group already exists with this ID '{0}'")]
    GroupIdTaken(String),
    #[error("Directory user not found: '{0}'.")]
    UserNotFound(String),
    #[error("Directory group not found: '{0}'.")]
    GroupNotFound(String),
    /// Anything that is not about directories.
    #[error("{}", .0.description())]
    Other(ApiError),
}

impl DirectoryError {
    /// Whether what the rule did before it refused is kept.
    fn leaves_a_trace(&self) -> bool {
        *self == Self::EmailsMissing
    }
}

/// Runs a rule of this product as [`Call::transact`] does, but keeps what a refusal leaves behind.
pub(crate) fn transact<T>(
    call: &Call,
    rule: impl FnOnce(&mut Transaction<'_>) -> Result<T, DirectoryError>,
) -> Result<T, DirectoryError> {
    call.transact(|tx| match rule(tx) {
        Err(refusal) if !refusal.leaves_a_trace() => Err(refusal),
        attempt => Ok(attempt),
    })?
}

impl From<ApiError> for DirectoryError {
    fn from(error: ApiError) -> Self {
        Self::Other(error)
    }
}

impl From<Conflict> for DirectoryError {
    fn from(conflict: Conflict) -> Self {
        Self::Other(conflict.into())
    }
}

/// As the control API answers.
impl From<DirectoryError> for ApiError {
    fn from(error: DirectoryError) -> Self {
        let message = error.to_string();
        let field =
            |field: &str, code: &str| Self::invalid([FieldError::new(field, code).message(message.clone())]);
        match error {
            DirectoryError::Other(error) => error,
            DirectoryError::UserNameRequired => field("username", "required"),
            DirectoryError::EmailsMissing => field("email", "required"),
            DirectoryError::ActiveNotBoolean => field("active", "invalid_type"),
            DirectoryError::CreatedInactive => field("state", "inactive_user"),
            DirectoryError::DisplayNameRequired => field("name", "required"),
            DirectoryError::UserNameTaken(_) => Self::conflict("directory_user_username_taken", message),
            DirectoryError::EmailTaken(_) => Self::conflict("directory_user_email_taken", message),
            DirectoryError::GroupIdTaken(_) => Self::conflict("directory_group_id_taken", message),
            DirectoryError::UserNotFound(id) => Self::not_found("Directory user", &id),
            DirectoryError::GroupNotFound(id) => Self::not_found("Directory group", &id),
        }
    }
}
