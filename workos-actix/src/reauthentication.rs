//! Whoever sits at the keyboard proves it again, before something that matters.

use std::time::Duration;

use actix_web::{HttpRequest, dev::RequestHead};

use crate::{
    AuthContext, AuthKit,
    context::RequestAuth,
    error::{AuthError, SignInRedirect},
    navigation,
};

/// The way to AuthKit and back takes time: an age below that would never be reached.
const SHORTEST_SECONDS: i64 = 30;

impl AuthKit {
    /// The person who sent a request, if they proved who they are not longer than `max_age` ago: before a payment, a new password,
    /// the end of an account.
    ///
    /// A browser that navigates is sent to AuthKit, which asks again, and comes back to the same page. By
    /// [`auth_time`](crate::Claims::auth_time), which refreshing does not move; a token without it is never recent. Ages
    /// under 30 seconds count as 30, the time that the way back takes.
    ///
    /// ```
    /// use std::time::Duration;
    /// use actix_web::{HttpRequest, web};
    /// use workos_actix::{AuthError, AuthKit};
    ///
    /// async fn delete_account(request: HttpRequest, authkit: web::Data<AuthKit>) -> Result<String, AuthError> {
    ///     let person = authkit.require_recent_auth(&request, Duration::from_secs(300))?;
    ///     Ok(format!("Really, {}?", person.subject()))
    /// }
    /// ```
    ///
    /// Source: <https://workos.com/docs/authkit/reauthentication>.
    ///
    /// # Errors
    /// [`AuthError::ReauthenticationRequired`]; without a person those of [`AuthExt::auth`](crate::AuthExt::auth),
    /// [`AuthError::SignInRequired`], and [`AuthError::Forbidden`] for API keys and machines.
    pub fn require_recent_auth(
        &self,
        request: &HttpRequest,
        max_age: Duration,
    ) -> Result<AuthContext, AuthError> {
        let person = RequestAuth::of(request)?.require_person(request.head())?;
        self.check_recent_auth(request.head(), &person, max_age)?;
        Ok(person)
    }

    /// Refuses a person who signed in too long ago, with the way to AuthKit and back.
    pub(crate) fn check_recent_auth(
        &self,
        head: &RequestHead,
        person: &AuthContext,
        max_age: Duration,
    ) -> Result<(), AuthError> {
        let seconds = i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX);
        let seconds = seconds.max(SHORTEST_SECONDS);
        let Some(auth_time) = person.auth_time() else {
            tracing::error!(
                "the access token has no auth_time: nobody can be told to have signed in recently"
            );
            // AuthKit would let the session through, and nothing would be different.
            return Err(AuthError::ReauthenticationRequired {
                max_age,
                redirect: None,
            });
        };
        if self.now().saturating_sub(auth_time) <= seconds {
            return Ok(());
        }
        let redirect =
            navigation::is_navigation(head).then(|| SignInRedirect::to_reauthenticate(self, head, max_age));
        Err(AuthError::ReauthenticationRequired { max_age, redirect })
    }
}
