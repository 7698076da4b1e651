//! Authenticator apps that are being set up on the hosted pages. A factor is made of one when a code shows that the app has
//! the secret, so that who gives up is not locked out.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    core::{clock, totp::TotpSecret},
    server::error::ApiError,
    store::{Expiring, Record, State, Transaction},
};

/// A secret that a page shows. Its id is that of the sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TotpEnrollment {
    id: String,
    /// Whose factor it is to become. Another person in the same browser gets another secret.
    user_id: String,
    pub(crate) secret: TotpSecret,
    #[serde(with = "clock::timestamp")]
    expires_at: Timestamp,
}

impl Record for TotpEnrollment {
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.id
    }
}

impl Expiring for TotpEnrollment {
    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

/// The secret that this sign-in was shown.
pub(crate) fn find<'a>(state: &'a State, sign_in_id: &str, user_id: &str) -> Option<&'a Arc<TotpEnrollment>> {
    let begun = state.totp_enrollments.get(sign_in_id);
    begun.filter(|enrollment| enrollment.user_id == user_id)
}

/// The secret that this sign-in is shown until it ends: the same one each time.
pub(crate) fn begin(
    tx: &mut Transaction<'_>,
    sign_in_id: &str,
    user_id: &str,
    expires_at: Timestamp,
) -> Result<Arc<TotpEnrollment>, ApiError> {
    if let Some(begun) = find(tx, sign_in_id, user_id) {
        return Ok(Arc::clone(begun));
    }
    let enrollment = TotpEnrollment {
        id: sign_in_id.to_owned(),
        user_id: user_id.to_owned(),
        secret: TotpSecret::new(tx.bytes()),
        expires_at,
    };
    Ok(tx.put_expiring(enrollment)?)
}

/// Forgets it.
pub(crate) fn end(tx: &mut Transaction<'_>, sign_in_id: &str) {
    tx.delete::<TotpEnrollment>(sign_in_id);
}
