//! From `Authorization: Bearer` to whoever sent it: a person's access token, an API key, or a machine's token.
//!
//! A request that comes with a bearer credential is judged by that alone. When it is not acceptable the request is
//! refused, and a session cookie beside it does not save it.

use actix_web::http::header::HeaderMap;
use serde_json::Value;

use crate::{
    AccessToken, AuthContext, AuthError, AuthKit, Claims, CredentialKind,
    authenticate::Authenticated,
    context::{AuthState, Credential},
    counted,
    credential::{ApiKeyError, ApiKeys, bearer},
    token::{
        verified::VerifiedToken,
        verify::{TokenError, Verifier, unverified_subject},
    },
};

/// How the client ids of WorkOS begin: the `sub` of a machine.
const CLIENT_ID_PREFIX: &str = "client_";

impl AuthKit {
    /// What the bearer credential of a request amounts to; `None` when it has none, or when none is wanted.
    pub(crate) async fn authenticate_bearer(&self, headers: &HeaderMap) -> Option<Authenticated> {
        if !self.config().sources.read_authorization() {
            return None;
        }
        let (presented, known) = match bearer(headers) {
            Ok(None) => return None,
            Ok(Some(credential)) if ApiKeys::is_one(credential) => {
                (CredentialKind::ApiKey.as_str(), self.api_key(credential).await)
            }
            Ok(Some(token)) => ("bearer", self.token(token).await),
            Err(error) => ("bearer", Err(error)),
        };
        let presented = match &known {
            Ok(context) => context.credential().as_str(),
            Err(_) => presented,
        };
        let state = match known {
            Ok(context) => AuthState::SignedIn(context),
            Err(AuthError::Unavailable { retry_after }) => AuthState::Unavailable { retry_after },
            Err(error) => {
                tracing::debug!(%error, "the bearer credential is refused");
                AuthState::Refused(error)
            }
        };
        Some(Authenticated::by_bearer(state, presented))
    }

    async fn api_key(&self, value: &str) -> Result<AuthContext, AuthError> {
        if !self.config().sources.api_keys {
            return Err(invalid("API keys are not accepted here"));
        }
        match Box::pin(self.api_keys().validate(value)).await {
            Ok(key) => Ok(AuthContext::new(Credential::ApiKey(key))),
            Err(ApiKeyError::Unknown) => Err(invalid("the API key is not valid")),
            Err(ApiKeyError::Unavailable { retry_after }) => Err(AuthError::Unavailable { retry_after }),
        }
    }

    async fn token(&self, token: &str) -> Result<AuthContext, AuthError> {
        if let Some(hit) = self.verified_tokens().get(token)
            && self.is_still_good(&hit)
        {
            counted::verification("cached");
            return self.unless_ended(hit.context).await;
        }
        // Seldom: not in the future of every request.
        let context = Box::pin(self.token_first_seen(token)).await?;
        self.unless_ended(context).await
    }

    async fn token_first_seen(&self, token: &str) -> Result<AuthContext, AuthError> {
        // Says which proof to ask for, and proves nothing.
        let subject = unverified_subject(token).ok_or(invalid("the token is malformed"))?;
        let sources = &self.config().sources;
        let verifier = match (
            is_about_a_machine(&subject.sub, &subject.sid),
            self.machine_verifier(),
        ) {
            (false, _) if sources.access_tokens => self.verifier(),
            (true, Some(verifier)) => verifier,
            (false, _) => return Err(invalid("access tokens of users are not accepted here")),
            (true, None) => return Err(invalid("access tokens of machines are not accepted here")),
        };
        let context = self.verify_token(verifier, token).await?;
        let verified = VerifiedToken {
            context: context.clone(),
            generation: verifier.jwks.generation(),
        };
        self.verified_tokens().insert(token, verified);
        Ok(context)
    }

    fn is_still_good(&self, hit: &VerifiedToken) -> bool {
        let verifier = match hit.context.credential() {
            CredentialKind::Machine => self.machine_verifier(),
            _ => Some(self.verifier()),
        };
        verifier.is_some_and(|verifier| verifier.jwks.generation() == hit.generation)
            && hit.context.is_current(self.now())
    }

    async fn verify_token(&self, verifier: &Verifier, token: &str) -> Result<AuthContext, AuthError> {
        let claims = verifier.verify(token).await.map_err(|error| refusal(&error))?;
        let is_machine = is_about_a_machine(&claims.sub, &claims.sid);
        if is_machine {
            self.check_machine(&claims)?;
        } else {
            self.check_person(&claims)?;
        }
        let token = AccessToken::new(claims, token.into());
        Ok(AuthContext::new(if is_machine {
            Credential::Machine(token)
        } else {
            Credential::AccessToken(token)
        }))
    }

    /// Whether the token is one of AuthKit's for this application. The same key signs others: those of Connect, for other
    /// people's applications, and those for widgets.
    fn check_person(&self, claims: &Claims) -> Result<(), AuthError> {
        let config = self.config();
        if claims.sub.is_empty() || claims.sid.is_empty() {
            return Err(invalid("the token is not that of a session"));
        }
        if claims
            .client_id
            .as_ref()
            .is_some_and(|id| *id != config.client_id)
        {
            return Err(invalid("the token is for another application"));
        }
        check_audience(claims, &config.token.audiences)
    }

    fn check_machine(&self, claims: &Claims) -> Result<(), AuthError> {
        let config = self.config();
        let Some(machines) = &config.sources.machines else {
            return Err(invalid("access tokens of machines are not accepted here"));
        };
        let names_another = claims.client_id.as_ref().is_some_and(|id| *id != claims.sub);
        if names_another || !(machines.client_ids.is_empty() || machines.client_ids.contains(&claims.sub)) {
            return Err(invalid("the application of the token is not accepted here"));
        }
        if machines.audiences.is_empty() {
            check_audience(claims, std::slice::from_ref(&config.client_id))
        } else {
            // The verifier has demanded one of them.
            Ok(())
        }
    }

    async fn unless_ended(&self, context: AuthContext) -> Result<AuthContext, AuthError> {
        if context.session_id().is_some() && !self.verified().knows_who_has_ended().await {
            return Err(AuthError::unavailable());
        }
        if self.has_ended(&context) {
            return Err(invalid("the session of the token has ended"));
        }
        Ok(context)
    }
}

/// Whether a token says that it is about a machine: about an application, and without a session.
fn is_about_a_machine(sub: &str, sid: &str) -> bool {
    sid.is_empty() && sub.starts_with(CLIENT_ID_PREFIX)
}

/// Who is not named in an `aud` must not accept the token (RFC 7519 section 4.1.3).
fn check_audience(claims: &Claims, accepted: &[String]) -> Result<(), AuthError> {
    let is_accepted = |value: &Value| {
        value
            .as_str()
            .is_some_and(|audience| accepted.iter().any(|accepted| accepted == audience))
    };
    let is_for_us = match claims.custom.get("aud") {
        None | Some(Value::Null) => true,
        Some(Value::Array(list)) => list.iter().any(is_accepted),
        Some(audience) => is_accepted(audience),
    };
    if is_for_us {
        Ok(())
    } else {
        Err(invalid("the token is for another audience"))
    }
}

fn invalid(description: &'static str) -> AuthError {
    AuthError::InvalidToken { description }
}

fn refusal(error: &TokenError) -> AuthError {
    match error {
        TokenError::Unavailable(reason) => {
            tracing::warn!(%reason, "an access token cannot be verified");
            AuthError::unavailable()
        }
        TokenError::Issuer { .. } => {
            tracing::debug!(%error, "an access token is refused");
            invalid("the token is from another issuer")
        }
        TokenError::Expired => invalid("the token has expired"),
        TokenError::NotYetValid => invalid("the token is not valid yet"),
        TokenError::Audience => invalid("the token is for another audience"),
        TokenError::Malformed(_) => invalid("the token is malformed"),
        TokenError::Algorithm(_) | TokenError::Signature | TokenError::UnknownKey => {
            invalid("the signature of the token is not accepted")
        }
        TokenError::WrongSubject(_) => invalid("the token is for another subject"),
    }
}
