//! Back from the application that signed the person in: Standalone Connect.

use super::{error, visit};
use crate::{
    api::{connect::standalone, user_management::authorize::session},
    server::{call::Call, error::ApiError, reply::Reply},
};

pub(crate) const PATH: &str = "/authkit/oauth2/authorize/complete";

/// `GET /authkit/oauth2/authorize/complete`, in the browser that began the sign-in.
pub(super) fn complete_external_auth(call: &Call) -> Result<Reply, ApiError> {
    let token = call.query.get("state").unwrap_or_default();
    let session_id = standalone::session_of(&call.environment.state(), token);
    visit::comes_back(call, session_id.as_deref(), |visit| {
        visit.step(
            |tx| match standalone::take(tx, token) {
                Some(sign_in) => session::go_on(tx, &visit.session, sign_in).map(Ok),
                None => Ok(Err(())),
            },
            |()| error::sign_in_not_found(call),
        )
    })
}
