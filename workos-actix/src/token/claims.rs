//! What an AuthKit access token says.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// The claims of a verified access token.
///
/// Lists that the token does not carry are empty. What a [JWT template] adds is in [`custom`](Self::custom): as JSON, or
/// in a type of the app's with the names of the template, whose fields are not repeated above it.
///
/// As a handler argument it requires an access token, that of the session or one in `Authorization`; where the custom
/// claims do not fit the type it is 403 with the code `custom_claims_required`, and the log says what is missing. A token
/// from before a change of the template is a few minutes old at most: make new fields optional meanwhile.
///
/// ```
/// use workos_actix::Claims;
///
/// #[derive(serde::Deserialize)]
/// struct Plan {
///     plan: String,
///     seats: Option<u32>,
/// }
///
/// async fn plan(claims: Claims<Plan>) -> String {
///     format!("{} is on {}", claims.sub, claims.custom.plan)
/// }
/// ```
///
/// [JWT template]: https://workos.com/docs/authkit/jwt-templates
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Claims<T = Map<String, Value>> {
    /// Issuer. Which one depends on the age and the settings of the WorkOS environment.
    #[serde(default)]
    pub iss: String,
    /// The user id, `user_…`; for a machine the client id of its application.
    pub sub: String,
    /// The session id, `session_…`; empty for a machine.
    #[serde(default)]
    pub sid: String,
    /// The id of this token.
    #[serde(default)]
    pub jti: Option<String>,
    /// Issued at, in seconds since the epoch.
    #[serde(default)]
    pub iat: i64,
    /// Expires at, in seconds since the epoch.
    pub exp: i64,
    /// The client id of the WorkOS application.
    #[serde(default)]
    pub client_id: Option<String>,
    /// The organization the session is in, `org_…`.
    #[serde(default)]
    pub org_id: Option<String>,
    /// The role of the user's membership in the organization.
    #[serde(default)]
    pub role: Option<String>,
    /// All roles, where an environment allows several.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Permission slugs.
    #[serde(default)]
    pub permissions: Vec<String>,
    /// Entitlement lookup keys.
    #[serde(default)]
    pub entitlements: Vec<String>,
    /// Slugs of the feature flags that are on.
    #[serde(default)]
    pub feature_flags: Vec<String>,
    /// Who acts as the user, when the session is an impersonation.
    #[serde(default)]
    pub act: Option<Actor>,
    /// When the user last proved who they are, in seconds since the epoch. Refreshing does not move it.
    #[serde(default)]
    pub auth_time: Option<i64>,
    /// Every other claim.
    #[serde(flatten)]
    pub custom: T,
}

/// The `act` claim (RFC 8693): the WorkOS dashboard user behind an impersonated session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Actor {
    /// The impersonator's e-mail address.
    pub sub: String,
}

impl Claims {
    /// The same with the custom claims in a type of the app's.
    ///
    /// # Errors
    /// Says which custom claim is missing or of another type.
    pub fn typed<T: DeserializeOwned>(&self) -> Result<Claims<T>, serde_json::Error> {
        let custom = T::deserialize(&self.custom)?;
        let Self {
            iss,
            sub,
            sid,
            jti,
            iat,
            exp,
            client_id,
            org_id,
            role,
            roles,
            permissions,
            entitlements,
            feature_flags,
            act,
            auth_time,
            custom: _,
        } = self.clone();
        Ok(Claims {
            iss,
            sub,
            sid,
            jti,
            iat,
            exp,
            client_id,
            org_id,
            role,
            roles,
            permissions,
            entitlements,
            feature_flags,
            act,
            auth_time,
            custom,
        })
    }

    /// Seconds between issue and expiry; zero when the token does not say when it was issued.
    pub(crate) fn lifetime(&self) -> i64 {
        if self.iat == 0 {
            0
        } else {
            self.exp.saturating_sub(self.iat).max(0)
        }
    }
}
