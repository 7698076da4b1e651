//! Sign-out. Source: <https://workos.com/docs/reference/authkit/logout>.

use std::sync::Arc;

use super::{redirect_uris, sessions};
use crate::{
    environment::Environment,
    hosted,
    server::{call::Call, error::ApiError, reply::Reply},
};

/// `GET /user_management/sessions/logout`: ends the session, and leads the browser to `return_to`.
///
/// The session ends wherever the browser goes then: who wants to sign out is signed out. A session that has ended
/// already is no error, as a person may follow the link twice. Without `return_to` production goes to an address that
/// the dashboard names; here the emulator's own page says that it is done.
pub(crate) fn get_logout_url(call: &Call) -> Result<Reply, ApiError> {
    let session_id = call.query.get("session_id").unwrap_or_default();
    let environment = environment_of(call, session_id).ok_or_else(|| {
        ApiError::new(
            422,
            "invalid_session_id",
            format!("Invalid session ID: '{session_id}'."),
        )
    })?;
    environment.transact(|tx| sessions::revoke(tx, session_id))?;
    let Some(return_to) = call.query.get("return_to") else {
        let client_id = &environment.client_id;
        let page = format!(
            "{}{}?client_id={client_id}",
            call.base_url(),
            hosted::signed_out::PATH
        );
        return Ok(Reply::redirect(302, page));
    };
    match redirect_uris::allowed_after_sign_out(&environment.state(), return_to) {
        Some(url) => Ok(Reply::redirect(302, url)),
        None => hosted::error::return_to_not_allowed(call, return_to),
    }
}

/// The session's id is all that a sign-out link has: it names the environment as well.
fn environment_of(call: &Call, session_id: &str) -> Option<Arc<Environment>> {
    let environments = call.registry.environments();
    environments
        .into_iter()
        .find(|environment| environment.state().sessions.get(session_id).is_some())
}
