//! `AuthContext`: whoever sent the request, whatever they proved themselves by.

use std::{future::Ready, sync::Arc};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use workos::{SecretString, User};

use crate::{
    AccessToken, ApiKey, AuthError, AuthUser, Claims, CredentialKind, Impersonator, credential::Session,
    extract,
};

/// Whoever sent the request: a person with a session or an access token, an API key, or a machine.
///
/// As a handler argument it requires somebody, of any kind that the [`AuthKit`](crate::AuthKit) is set up to accept:
/// without, a navigating browser is redirected to sign-in and every other client gets 401. Take it where people and
/// programs are both welcome, and [`AuthUser`] where it must be a person.
///
/// Cloning it copies a pointer.
///
/// ```
/// use workos_actix::AuthContext;
///
/// async fn documents(auth: AuthContext) -> String {
///     let organization = auth.organization_id().unwrap_or("no organization");
///     format!("the documents of {organization}, for {:?} {}", auth.credential(), auth.subject())
/// }
/// ```
#[derive(Debug, Clone)]
pub struct AuthContext(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    credential: Credential,
    impersonator: Option<Impersonator>,
}

/// What a request proved itself by, verified.
#[derive(Debug)]
pub(crate) enum Credential {
    Session { token: AccessToken, user: Arc<User> },
    AccessToken(AccessToken),
    ApiKey(ApiKey),
    Machine(AccessToken),
}

impl AuthContext {
    pub(crate) fn new(credential: Credential) -> Self {
        let by_token = match &credential {
            Credential::Session { token, .. } | Credential::AccessToken(token) => {
                token.claims().act.as_ref().map(Impersonator::of_actor)
            }
            Credential::ApiKey(_) | Credential::Machine(_) => None,
        };
        Self::impersonated(credential, by_token)
    }

    /// A session with the verified claims of its access token.
    pub(crate) fn of_session(session: &Session, claims: Claims) -> Self {
        let impersonator = session.impersonator.clone();
        let by_token = claims.act.as_ref().map(Impersonator::of_actor);
        let credential = Credential::Session {
            token: AccessToken::new(claims, session.access_token.clone()),
            user: Arc::clone(&session.user),
        };
        Self::impersonated(credential, impersonator.or(by_token))
    }

    fn impersonated(credential: Credential, impersonator: Option<Impersonator>) -> Self {
        Self(Arc::new(Inner {
            credential,
            impersonator,
        }))
    }

    /// What the request proved itself by.
    #[must_use]
    pub fn credential(&self) -> CredentialKind {
        match &self.0.credential {
            Credential::Session { .. } => CredentialKind::Session,
            Credential::AccessToken(_) => CredentialKind::AccessToken,
            Credential::ApiKey(_) => CredentialKind::ApiKey,
            Credential::Machine(_) => CredentialKind::Machine,
        }
    }

    /// The id of whoever it is, for logs and audit trails: `user_…`, `api_key_…`, or the client id of a machine.
    #[must_use]
    pub fn subject(&self) -> &str {
        match (&self.0.credential, self.claims()) {
            (Credential::ApiKey(key), _) => key.id(),
            (_, claims) => claims.map_or("", |claims| claims.sub.as_str()),
        }
    }

    /// Whether a person sent the request: somebody with a session or an access token of their own.
    #[must_use]
    pub fn is_person(&self) -> bool {
        self.credential().is_person()
    }

    /// The person's user id, `user_…`; `None` for API keys and machines. An API key that a user owns is not that user:
    /// whose it is says [`ApiKey::user_id`].
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        self.is_person().then(|| self.subject())
    }

    /// The id of the person's session at WorkOS, `session_…`.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        let sid = self.claims().filter(|_| self.is_person())?.sid.as_str();
        Some(sid).filter(|sid| !sid.is_empty())
    }

    /// The organization, `org_…`: the one the session is in, or that the API key or the machine belongs to.
    #[must_use]
    pub fn organization_id(&self) -> Option<&str> {
        match &self.0.credential {
            Credential::ApiKey(key) => Some(key.organization_id()),
            _ => self.claims()?.org_id.as_deref(),
        }
    }

    /// The person's role in the organization. API keys and machines have none.
    #[must_use]
    pub fn role(&self) -> Option<&str> {
        self.claims()?.role.as_deref()
    }

    /// All roles in the organization, where the environment allows several.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        self.list(|claims| &claims.roles)
    }

    /// The permissions of the person's role, or of the API key. A machine has those in a `permissions` claim, if any;
    /// its [`scopes`](Self::scopes) are not permissions.
    #[must_use]
    pub fn permissions(&self) -> &[String] {
        match &self.0.credential {
            Credential::ApiKey(key) => key.permissions(),
            _ => self.list(|claims| &claims.permissions),
        }
    }

    /// The entitlements of the organization, as the access token has them.
    #[must_use]
    pub fn entitlements(&self) -> &[String] {
        self.list(|claims| &claims.entitlements)
    }

    /// The feature flags that are on, as the access token has them.
    #[must_use]
    pub fn feature_flags(&self) -> &[String] {
        self.list(|claims| &claims.feature_flags)
    }

    /// Whether the person has a role in the organization, be it the one or among all.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.role() == Some(role) || has(self.roles(), role)
    }

    /// Whether the person's role, or the API key, has a permission.
    #[must_use]
    pub fn has_permission(&self, permission: &str) -> bool {
        has(self.permissions(), permission)
    }

    /// Whether the organization has an entitlement.
    #[must_use]
    pub fn has_entitlement(&self, entitlement: &str) -> bool {
        has(self.entitlements(), entitlement)
    }

    /// Whether a feature flag is on.
    #[must_use]
    pub fn has_feature_flag(&self, flag: &str) -> bool {
        has(self.feature_flags(), flag)
    }

    /// The scopes of the access token (RFC 9068 section 2.2.3): what a machine asked for and was granted.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        let scope = self.claims().and_then(|claims| claims.custom.get("scope"));
        let scope = scope.and_then(serde_json::Value::as_str);
        scope.unwrap_or_default().split_ascii_whitespace()
    }

    /// Who impersonates the person, if anyone.
    #[must_use]
    pub fn impersonator(&self) -> Option<&Impersonator> {
        self.0.impersonator.as_ref()
    }

    /// When the person last proved who they are, in seconds since the epoch. Refreshing does not move it.
    #[must_use]
    pub fn auth_time(&self) -> Option<i64> {
        self.claims().filter(|_| self.is_person())?.auth_time
    }

    /// The claims of the access token; `None` for an API key.
    #[must_use]
    pub fn claims(&self) -> Option<&Claims> {
        self.token().map(AccessToken::claims)
    }

    /// The access token, redacted in `Debug`; `None` for an API key.
    #[must_use]
    pub fn access_token(&self) -> Option<&SecretString> {
        self.token().map(AccessToken::secret)
    }

    /// The API key, when it was one.
    #[must_use]
    pub fn api_key(&self) -> Option<&ApiKey> {
        match &self.0.credential {
            Credential::ApiKey(key) => Some(key),
            _ => None,
        }
    }

    pub(crate) fn token(&self) -> Option<&AccessToken> {
        match &self.0.credential {
            Credential::Session { token, .. }
            | Credential::AccessToken(token)
            | Credential::Machine(token) => Some(token),
            Credential::ApiKey(_) => None,
        }
    }

    /// The person, where the profile is at hand: in a session.
    pub(crate) fn known_user(&self) -> Option<AuthUser> {
        match &self.0.credential {
            Credential::Session { token, user } => {
                Some(AuthUser::new(self.clone(), token.clone(), Arc::clone(user)))
            }
            _ => None,
        }
    }

    /// Whether the access token has time left; an API key does not say.
    pub(crate) fn is_current(&self, now: i64) -> bool {
        self.claims().is_none_or(|claims| claims.exp > now)
    }

    fn list(&self, of: impl FnOnce(&Claims) -> &Vec<String>) -> &[String] {
        self.claims().map_or(&[], |claims| of(claims))
    }
}

fn has(list: &[String], wanted: &str) -> bool {
    list.iter().any(|item| item == wanted)
}

impl FromRequest for AuthContext {
    type Error = AuthError;
    type Future = Ready<Result<Self, AuthError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        extract::from_request(request, |_, context| Ok(context))
    }
}
