//! What an organization demands of the people who sign in to it.

use super::{
    authenticate::sign_in::{NextStep, SignIn},
    users::User,
};
use crate::{server::error::ApiError, store::State};

/// Whether the organization lets the user in by the way they came; else the step that is missing, or the refusal.
pub(crate) fn check(_: &State, _: &str, _: &User, _: &SignIn) -> Result<Option<NextStep>, ApiError> {
    Ok(None)
}
