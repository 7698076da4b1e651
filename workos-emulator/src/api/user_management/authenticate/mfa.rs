//! The gate of the second factor, and the `mfa-totp` grant.

use super::{
    client::Client,
    sign_in::{NextStep, SignIn},
};
use crate::{
    api::user_management::users::User,
    server::error::ApiError,
    store::{State, Transaction},
};

/// Whether a second factor has to be enrolled, or shown, before the sign-in goes on.
pub(super) fn next_step(_: &State, _: &User, _: &SignIn) -> Option<NextStep> {
    None
}

/// Whether the user has enrolled a second factor.
pub(crate) fn has_factor(_: &State, _: &str) -> bool {
    false
}

/// The refusal of a sign-in that waits for a second factor to be enrolled.
pub(super) fn enrollment_required(
    _: &mut Transaction<'_>,
    _: &Client,
    _: SignIn,
    _: &User,
) -> Result<ApiError, ApiError> {
    Ok(super::not_served("MFA enrollment"))
}

/// The refusal of a sign-in that waits for a second factor to be shown.
pub(super) fn challenge_required(
    _: &mut Transaction<'_>,
    _: &Client,
    _: SignIn,
    _: &User,
) -> Result<ApiError, ApiError> {
    Ok(super::not_served("an MFA challenge"))
}
