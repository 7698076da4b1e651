//! The gate of e-mail verification, and its grant.

use super::{client::Client, sign_in::SignIn};
use crate::{
    api::user_management::users::User,
    server::error::ApiError,
    store::{State, Transaction},
};

/// Whether the address must be verified before the sign-in goes on.
pub(super) fn is_required(_: &State, _: &User, _: &SignIn) -> bool {
    false
}

/// The refusal of a sign-in that waits for the address to be verified.
pub(super) fn required(
    _: &mut Transaction<'_>,
    _: &Client,
    _: SignIn,
    _: &User,
) -> Result<ApiError, ApiError> {
    Ok(super::not_served("e-mail verification"))
}
