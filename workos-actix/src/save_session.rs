//! A session that the app's own flow began.

use std::sync::Arc;

use actix_web::HttpRequest;
use workos::AuthenticateResponse;

use crate::{
    AuthContext, AuthKit, AuthUser, SignInError,
    context::RequestAuth,
    credential::Session,
    token::verify::{TokenError, unverified_session_id},
};

impl AuthKit {
    /// Signs somebody in by an answer of WorkOS that a flow of your own got: a password, a one-time code, an invitation.
    ///
    /// The response carries the session cookie, under a new key; the user returned, and everybody who asks later in the
    /// same request, is signed in. [`on_success`](crate::AuthKitBuilder::on_success) does not run: it is for the callback.
    ///
    /// A request of another site's page is refused: it could sign a person in as somebody else.
    ///
    /// ```
    /// use actix_web::{HttpRequest, HttpResponse, web};
    /// use workos_actix::{AuthKit, SignInError, workos::user_management::AuthenticateWithPasswordParams};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Login {
    ///     email: String,
    ///     password: String,
    /// }
    ///
    /// async fn log_in(
    ///     request: HttpRequest,
    ///     form: web::Form<Login>,
    ///     authkit: web::Data<AuthKit>,
    /// ) -> Result<HttpResponse, actix_web::Error> {
    ///     let params = AuthenticateWithPasswordParams::new(&form.email, form.password.as_str());
    ///     let answer = authkit.client().user_management().authenticate_with_password(params).await;
    ///     let answer = answer.map_err(actix_web::error::ErrorUnauthorized)?;
    ///     let user = authkit.save_session(&request, answer).await?;
    ///     Ok(HttpResponse::Ok().body(format!("Hello, {}", user.email())))
    /// }
    /// ```
    ///
    /// # Errors
    /// [`SignInError::BadAnswer`] when the access token is none of this AuthKit, [`SignInError::Unavailable`] when WorkOS's
    /// keys cannot be fetched, [`SignInError::CrossOrigin`], [`SignInError::MissingMiddleware`], and
    /// [`SignInError::WithoutSessions`] where sessions are switched off. Whoever was signed in before still is.
    pub async fn save_session(
        &self,
        request: &HttpRequest,
        response: AuthenticateResponse,
    ) -> Result<AuthUser, SignInError> {
        if !self.config().sources.sessions {
            return Err(SignInError::WithoutSessions);
        }
        let auth = RequestAuth::of(request).map_err(|_| SignInError::MissingMiddleware)?;
        if self.config().origins.is_forged(request.head()) {
            return Err(SignInError::CrossOrigin);
        }
        let session = Arc::new(Session::from(response));
        let context = self.accept(&session).await?;
        let user = context.known_user().ok_or(SignInError::BadAnswer)?;
        auth.begin(context, session);
        Ok(user)
    }

    /// The proof that WorkOS made a session.
    pub(crate) async fn accept(&self, session: &Session) -> Result<AuthContext, SignInError> {
        if let Some(session_id) = unverified_session_id(session.access_token.expose()) {
            self.verified().revive(&session_id).await.map_err(|error| {
                tracing::error!(%error, "nobody is signed in, as other machines might not agree");
                SignInError::Unavailable
            })?;
        }
        self.verify_session(session).await.map_err(|error| {
            tracing::error!(%error, "the access token of the sign-in is not acceptable");
            match error {
                TokenError::Unavailable(_) | TokenError::UnknownKey => SignInError::Unavailable,
                _ => SignInError::BadAnswer,
            }
        })
    }
}
