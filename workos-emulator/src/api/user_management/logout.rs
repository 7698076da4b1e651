//! Sign-out. Source: <https://workos.com/docs/reference/authkit/logout>.

use std::sync::Arc;

use super::{sessions, sign_out_redirects};
use crate::{
    environment::Environment,
    hosted,
    server::{call::Call, error::ApiError, reply::Reply},
};

/// `GET /user_management/sessions/logout`: ends the session, and leads the browser to `return_to`.
///
/// The session ends wherever the browser goes then: who wants to sign out is signed out. A session that has ended
/// already is no error, as a person may follow the link twice. Without `return_to` it leads to the default sign-out
/// redirect, else to the homepage; where neither is set production shows an error, and the emulator's own page says so.
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
    let state = environment.state();
    let Some(return_to) = call.query.get("return_to") else {
        if let Some(url) = sign_out_redirects::default(&state) {
            return Ok(Reply::redirect(302, url));
        }
        let client_id = &environment.client_id;
        let page = format!(
            "{}{}?client_id={client_id}",
            call.base_url(),
            hosted::signed_out::PATH
        );
        return Ok(Reply::redirect(302, page));
    };
    match sign_out_redirects::allowed(&state, return_to) {
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

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::api::user_management::authenticate::fixture::Fixture;

    struct SignedIn {
        fixture: Fixture,
        session_id: String,
    }

    fn signed_in() -> SignedIn {
        let fixture = Fixture::new();
        let session_id = fixture.claims(&fixture.signed_in()).sid;
        SignedIn { fixture, session_id }
    }

    impl SignedIn {
        fn log_out(&self, with: &str) -> Reply {
            let query = format!("session_id={}{with}", self.session_id);
            get_logout_url(&self.fixture.call(&query, Value::Null)).unwrap()
        }

        fn is_revoked(&self) -> bool {
            let state = self.fixture.environment.state();
            let session = state.sessions.get(&self.session_id).unwrap();
            !session.is_active(self.fixture.environment.clock.now())
        }
    }

    fn location(reply: &Reply) -> Option<&str> {
        let location = reply.headers.iter().find(|(name, _)| *name == "Location")?;
        Some(&location.1)
    }

    #[test]
    fn ends_the_session_once_and_goes_to_return_to() {
        let it = signed_in();
        for _ in 0..2 {
            let reply = it.log_out("&return_to=http%3A%2F%2Flocalhost%3A3000%2Fbye%3Fx%3D1");
            assert_eq!(
                (reply.status, location(&reply)),
                (302, Some("http://localhost:3000/bye?x=1"))
            );
        }
        assert!(it.is_revoked());
        assert_eq!(it.fixture.events("session.revoked").len(), 1);
    }

    #[test]
    fn shows_that_it_is_done_where_there_is_no_return_to() {
        let it = signed_in();
        let reply = it.log_out("");
        let page = format!(
            "http://auth.test/authkit/signed-out?client_id={}",
            it.fixture.environment.client_id
        );
        assert_eq!((reply.status, location(&reply)), (302, Some(page.as_str())));
    }

    #[test]
    fn does_not_go_to_a_foreign_site_but_ends_the_session() {
        for foreign in [
            "https://evil.example/",
            "//evil.example",
            "javascript:alert(1)",
            "/authkit",
            "",
        ] {
            let it = signed_in();
            let reply = it.log_out(&format!("&return_to={foreign}"));
            assert_eq!((reply.status, location(&reply)), (400, None), "{foreign}");
            assert!(it.is_revoked());
        }
    }

    #[test]
    fn goes_to_the_site_of_a_registered_redirect_uri() {
        let it = signed_in();
        it.fixture
            .register_redirect_uri("https://app.example.com/callback");
        let reply = it.log_out("&return_to=https%3A%2F%2Fapp.example.com%2F");
        assert_eq!(location(&reply), Some("https://app.example.com/"));
    }

    #[test]
    fn refuses_what_is_no_session() {
        let it = signed_in();
        for query in [
            "",
            "session_id=",
            "session_id=session_none",
            "return_to=http://localhost/",
        ] {
            let refused = get_logout_url(&it.fixture.call(query, Value::Null)).unwrap_err();
            assert_eq!(refused.status, 422, "{query}");
        }
        assert!(!it.is_revoked());
    }
}
