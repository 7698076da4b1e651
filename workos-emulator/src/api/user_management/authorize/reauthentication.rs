//! Re-authentication: an application asks for a fresh sign-in of somebody who is signed in.
//!
//! The emulator's AuthKit remembers nobody, so that each sign-in is an active one, and begins a session with an `auth_time`
//! of its own; the session before goes on. What is left to do is to tell of it.
//!
//! Source: <https://workos.com/docs/authkit/reauthentication>.

use super::request::AuthorizationRequest;
use crate::{
    api::user_management::{
        authenticate::{method, sign_in::SignIn},
        sessions, users,
    },
    server::error::ApiError,
    store::Transaction,
};

/// Tells of a sign-in that the application asked for although its user is signed in, where that was too long ago.
///
/// Assumption: production asks the session of the browser. Here the user's last sign-in of those that still go on counts,
/// in whatever browser it was.
pub(super) fn tell(
    tx: &mut Transaction<'_>,
    request: &AuthorizationRequest,
    sign_in: &SignIn,
) -> Result<(), ApiError> {
    let Some(max_age) = request.max_age.filter(|_| sign_in.impersonator.is_none()) else {
        return Ok(());
    };
    let now = tx.now();
    let last = sessions::last_sign_in_at(tx, &sign_in.user_id, now);
    let is_too_old =
        last.is_some_and(|at| max_age == 0 || now.duration_since(at).as_secs() > i64::from(max_age));
    if !is_too_old {
        return Ok(());
    }
    let user = users::find(tx, &sign_in.user_id)?.clone();
    method::step_succeeded(tx, "reauthentication", &user, &sign_in.device)
}
