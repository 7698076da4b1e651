//! Sign-ins of a user that have begun and not yet become a session.

use super::{authorization_code, pending};
use crate::{
    api::user_management::{authorize::session, device_authorization},
    server::error::ApiError,
    store::Transaction,
};

/// Ends them all: what was proved with a credential that is no good any more counts for nothing. On the hosted pages the
/// person begins again.
pub(crate) fn end(tx: &mut Transaction<'_>, user_id: &str) -> Result<(), ApiError> {
    pending::forget(tx, user_id);
    authorization_code::forget(tx, user_id);
    device_authorization::deny(tx, user_id)?;
    session::start_over(tx, user_id)
}
