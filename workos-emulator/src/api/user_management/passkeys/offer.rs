//! Progressive enrollment: who signs in in another way is asked whether they want a passkey.
//!
//! Source: <https://workos.com/docs/authkit/passkeys#enabling-progressive-enrollment>.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::BY_USER;
use crate::{
    api::user_management::{
        authenticate::{method::AuthenticationMethod, sign_in::SignIn},
        users::User,
    },
    core::clock,
    server::error::ApiError,
    store::{Record, State, Transaction},
};

/// When a user who did not want a passkey is asked again.
const AGAIN: SignedDuration = SignedDuration::from_hours(14 * 24);

/// The longest user handle, in bytes: the user's id is one. Only a seed makes longer ids. Source:
/// <https://www.w3.org/TR/webauthn-3/#user-handle>.
const LONGEST_USER_HANDLE: usize = 64;

/// That a user did not want a passkey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PasskeyReminder {
    user_id: String,
    /// None: never.
    #[serde(with = "clock::timestamp::option")]
    ask_again_at: Option<Timestamp>,
}

impl Record for PasskeyReminder {
    fn id(&self) -> &str {
        &self.user_id
    }
}

/// Whether to ask a user, whose sign-in is complete but for that, if they want a passkey.
///
/// Assumption: production asks people who sign in with a password. Who proves to own the e-mail address is asked as well;
/// who comes from an identity provider, or is not the user at all, is not.
pub(crate) fn is_offered(state: &State, user: &User, sign_in: &SignIn, now: Timestamp) -> bool {
    let methods = &state.settings().sign_in_methods;
    methods.passkey
        && methods.passkey_progressive_enrollment
        && matches!(
            sign_in.method,
            AuthenticationMethod::Password | AuthenticationMethod::MagicAuth
        )
        && user.id.len() <= LONGEST_USER_HANDLE
        && state.passkeys.find(BY_USER, &user.id).is_none()
        && state
            .passkey_reminders
            .get(&user.id)
            .is_none_or(|reminder| reminder.ask_again_at.is_some_and(|at| at <= now))
}

/// Lets the user alone with it: for two weeks, or for good.
pub(crate) fn postpone(tx: &mut Transaction<'_>, user_id: &str, for_good: bool) -> Result<(), ApiError> {
    let ask_again_at = (!for_good).then(|| clock::saturating_add(tx.now(), AGAIN));
    tx.put(PasskeyReminder {
        user_id: user_id.to_owned(),
        ask_again_at,
    })?;
    Ok(())
}
