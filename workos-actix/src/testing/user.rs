//! A person of a test.

use std::time::Duration;

use serde_json::{Map, Value, json};
use workos::{AuthenticateResponse, User};

use super::{in_memory, keys, random};
use crate::{Impersonator, credential::Session, digest::sha256_base64url};

/// As long as WorkOS's access tokens are good by default, in seconds.
const LIFETIME: i64 = 300;
const BEGAN: &str = "2026-01-01T00:00:00.000Z";

/// A person of a test, and what their access token says.
///
/// ```
/// use std::time::Duration;
/// use workos_actix::testing::TestUser;
///
/// let alice = TestUser::new("alice@acme.example")
///     .name("Alice", "Doe")
///     .organization("org_1")
///     .role("admin")
///     .permissions(["posts:read", "posts:write"])
///     .feature_flags(["beta"])
///     .authenticated_ago(Duration::from_secs(3600))
///     .claim("plan", "pro");
/// let support = TestUser::new("alice@acme.example").impersonated_by("support@acme.example");
/// # drop((alice, support));
/// ```
#[derive(Debug, Clone)]
#[must_use = "a request is signed in as this user by `signed_in_as`"]
pub struct TestUser {
    user: User,
    session_id: String,
    organizations: Vec<(String, Option<String>)>,
    roles: Option<Vec<String>>,
    permissions: Vec<String>,
    entitlements: Vec<String>,
    feature_flags: Vec<String>,
    impersonator: Option<Impersonator>,
    authenticated_ago: i64,
    is_expired: bool,
    claims: Map<String, Value>,
}

impl TestUser {
    /// Somebody with this address, in no organization. The ids of the user and of their session come of the address: they
    /// are the same at every call.
    pub fn new(email: impl Into<String>) -> Self {
        let email = email.into();
        let hash: String = sha256_base64url(&email)
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(20)
            .collect();
        Self {
            user: User {
                object: "user".to_owned(),
                id: format!("user_{hash}"),
                first_name: None,
                last_name: None,
                name: None,
                profile_picture_url: None,
                email,
                email_verified: true,
                external_id: None,
                metadata: None,
                last_sign_in_at: None,
                locale: None,
                created_at: BEGAN.to_owned(),
                updated_at: BEGAN.to_owned(),
            },
            session_id: format!("session_{hash}"),
            organizations: Vec::new(),
            roles: None,
            permissions: Vec::new(),
            entitlements: Vec::new(),
            feature_flags: Vec::new(),
            impersonator: None,
            authenticated_ago: 0,
            is_expired: false,
            claims: Map::new(),
        }
    }

    /// Another user id, `user_…`.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.user.id = id.into();
        self
    }

    /// Another session id, `session_…`.
    pub fn session_id(mut self, id: impl Into<String>) -> Self {
        self.session_id = id.into();
        self
    }

    /// First and last name.
    pub fn name(mut self, first: impl Into<String>, last: impl Into<String>) -> Self {
        let (first, last) = (first.into(), last.into());
        self.user.name = Some(format!("{first} {last}"));
        (self.user.first_name, self.user.last_name) = (Some(first), Some(last));
        self
    }

    /// Changes the profile itself.
    pub fn profile(mut self, change: impl FnOnce(&mut User)) -> Self {
        change(&mut self.user);
        self
    }

    /// The organization that the session is in, `org_…`.
    pub fn organization(mut self, id: impl Into<String>) -> Self {
        let role = self.current_role();
        self.organizations.insert(0, (id.into(), role));
        self
    }

    /// The role in the organization.
    pub fn role(mut self, role: impl Into<String>) -> Self {
        let role = role.into();
        match self.organizations.first_mut() {
            Some((_, of)) => *of = Some(role),
            None => self.roles = Some(vec![role]),
        }
        self
    }

    /// All roles, where the environment allows several: the claim `roles`. By default it is the one role.
    pub fn roles<I: Into<String>>(mut self, roles: impl IntoIterator<Item = I>) -> Self {
        self.roles = Some(list(roles));
        self
    }

    /// Another organization that the session can be switched to, and the role there.
    pub fn member_of(mut self, organization_id: impl Into<String>, role: impl Into<String>) -> Self {
        self.organizations
            .push((organization_id.into(), Some(role.into())));
        self
    }

    /// The permissions of the role.
    pub fn permissions<I: Into<String>>(mut self, permissions: impl IntoIterator<Item = I>) -> Self {
        self.permissions = list(permissions);
        self
    }

    /// The entitlements of the organization.
    pub fn entitlements<I: Into<String>>(mut self, entitlements: impl IntoIterator<Item = I>) -> Self {
        self.entitlements = list(entitlements);
        self
    }

    /// The feature flags that are on.
    pub fn feature_flags<I: Into<String>>(mut self, flags: impl IntoIterator<Item = I>) -> Self {
        self.feature_flags = list(flags);
        self
    }

    /// Somebody of your support, by their address, acts as this user.
    pub fn impersonated_by(mut self, email: impl Into<String>) -> Self {
        self.impersonator = Some(Impersonator {
            email: email.into(),
            reason: None,
        });
        self
    }

    /// How long ago the person last proved who they are, for what
    /// [`require_recent_auth`](crate::AuthKit::require_recent_auth) asks; by default just now.
    pub fn authenticated_ago(mut self, ago: Duration) -> Self {
        self.authenticated_ago = i64::try_from(ago.as_secs()).unwrap_or(i64::MAX);
        self
    }

    /// The access token has expired: the request refreshes the session, and the response carries a new cookie.
    pub fn expired(mut self) -> Self {
        self.is_expired = true;
        self
    }

    /// A claim of a JWT template, or another value of any claim.
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    pub(super) fn user_id(&self) -> &str {
        &self.user.id
    }

    pub(super) fn user(&self) -> &User {
        &self.user
    }

    fn current_role(&self) -> Option<String> {
        self.roles.as_ref().and_then(|roles| roles.first().cloned())
    }

    /// In another organization, if it is one of theirs.
    pub(super) fn moved_to(mut self, organization_id: &str) -> Option<Self> {
        let place = self
            .organizations
            .iter()
            .position(|(id, _)| id == organization_id)?;
        let organization = self.organizations.remove(place);
        self.organizations.insert(0, organization);
        self.roles = None;
        Some(self)
    }

    pub(super) fn refreshed(mut self) -> Self {
        self.is_expired = false;
        self
    }

    /// The access token that they have at a time.
    pub(super) fn access_token(&self, now: i64) -> String {
        let issued_at = if self.is_expired { now - 2 * LIFETIME } else { now };
        let (organization, role) = match self.organizations.first() {
            Some((id, role)) => (Some(id), role.clone().or_else(|| self.current_role())),
            None => (None, self.current_role()),
        };
        let roles = self
            .roles
            .clone()
            .unwrap_or_else(|| role.iter().cloned().collect());
        let mut claims = json!({
            "iss": "https://api.workos.com", "sub": self.user.id, "sid": self.session_id, "jti": random(),
            "iat": issued_at, "exp": issued_at + LIFETIME, "auth_time": now.saturating_sub(self.authenticated_ago),
            "permissions": self.permissions, "entitlements": self.entitlements, "feature_flags": self.feature_flags,
        });
        if let Some(object) = claims.as_object_mut() {
            if let Some(organization) = organization {
                object.insert("org_id".to_owned(), json!(organization));
            }
            if let Some(role) = role {
                object.insert("role".to_owned(), json!(role));
                object.insert("roles".to_owned(), json!(roles));
            }
            if let Some(Impersonator { email, .. }) = &self.impersonator {
                object.insert("act".to_owned(), json!({ "sub": email }));
            }
            object.extend(self.claims.clone());
        }
        keys::sign(&claims)
    }

    /// What WorkOS answers when they sign in or refresh.
    pub(super) fn answer(&self, now: i64) -> Value {
        let refresh_token = format!("refresh_{}", random());
        in_memory::remember_session(&refresh_token, self);
        json!({
            "user": self.user, "organization_id": self.organizations.first().map(|(id, _)| id),
            "access_token": self.access_token(now), "refresh_token": refresh_token,
            "impersonator": self.impersonator,
        })
    }

    /// The session that begins with such an answer.
    #[expect(clippy::expect_used, reason = "the answer is made here")]
    pub(super) fn session(&self, now: i64) -> Session {
        let answer: AuthenticateResponse =
            serde_json::from_value(self.answer(now)).expect("the answer is the one that the SDK reads");
        Session::from(answer)
    }
}

fn list<I: Into<String>>(items: impl IntoIterator<Item = I>) -> Vec<String> {
    items.into_iter().map(Into::into).collect()
}
