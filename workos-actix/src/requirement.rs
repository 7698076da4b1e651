//! What a handler may ask of whoever sent the request, beside being known.

use std::fmt;

use crate::{AuthContext, CredentialKind};

/// One thing that is asked of whoever sent a request, and when they lack it the reason of an
/// [`AuthError::Forbidden`](crate::AuthError::Forbidden).
///
/// `Display` is the `detail` of the answer, [`code`](Self::code) its `code`. [`require`](crate::require) puts several
/// together.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Requirement {
    /// A person, and not an API key or a machine: `user_required`.
    User,
    /// The session cookie, and not a credential in `Authorization`: `session_required`.
    Session,
    /// An access token, and not an API key: `access_token_required`.
    AccessToken,
    /// An API key: `api_key_required`.
    ApiKey,
    /// An organization: `organization_required`.
    Organization,
    /// This organization, and no other: `organization_forbidden`.
    OrganizationId(String),
    /// One of these roles in the organization: `role_required`.
    Role(Vec<String>),
    /// All of these permissions: `permission_required`.
    Permissions(Vec<String>),
    /// One of these permissions: `permission_required`.
    AnyPermission(Vec<String>),
    /// The feature flag must be on: `feature_flag_required`.
    FeatureFlag(String),
    /// The organization must be entitled to it: `entitlement_required`.
    Entitlement(String),
    /// The person themselves, and nobody who impersonates them: `impersonation_forbidden`.
    NotImpersonated,
    /// Somebody who impersonates the person: `impersonation_required`.
    Impersonation,
    /// The claims that the handler reads out of the access token: `custom_claims_required`.
    CustomClaims,
}

impl Requirement {
    /// The `code` of the answer.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::User => "user_required",
            Self::Session => "session_required",
            Self::AccessToken => "access_token_required",
            Self::ApiKey => "api_key_required",
            Self::Organization => "organization_required",
            Self::OrganizationId(_) => "organization_forbidden",
            Self::Role(_) => "role_required",
            Self::Permissions(_) | Self::AnyPermission(_) => "permission_required",
            Self::FeatureFlag(_) => "feature_flag_required",
            Self::Entitlement(_) => "entitlement_required",
            Self::NotImpersonated => "impersonation_forbidden",
            Self::Impersonation => "impersonation_required",
            Self::CustomClaims => "custom_claims_required",
        }
    }

    /// Whether somebody fulfils it. [`CustomClaims`](Self::CustomClaims) depends on the handler's type and is never
    /// fulfilled here.
    #[must_use]
    pub fn is_met_by(&self, auth: &AuthContext) -> bool {
        match self {
            Self::User => auth.is_person(),
            Self::Session => auth.credential() == CredentialKind::Session,
            Self::AccessToken => auth.access_token().is_some(),
            Self::ApiKey => auth.api_key().is_some(),
            Self::Organization => auth.organization_id().is_some(),
            Self::OrganizationId(id) => auth.organization_id() == Some(id),
            Self::Role(roles) => roles.iter().any(|role| auth.has_role(role)),
            Self::Permissions(all) => all.iter().all(|permission| auth.has_permission(permission)),
            Self::AnyPermission(any) => any.iter().any(|permission| auth.has_permission(permission)),
            Self::FeatureFlag(flag) => auth.has_feature_flag(flag),
            Self::Entitlement(entitlement) => auth.has_entitlement(entitlement),
            Self::NotImpersonated => auth.impersonator().is_none(),
            Self::Impersonation => auth.impersonator().is_some(),
            Self::CustomClaims => false,
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => "this is for people who are signed in; API keys and machines may not do it",
            Self::Session => "this needs the session of a browser; a credential in Authorization does not do",
            Self::AccessToken => "this needs an access token; an API key does not do",
            Self::ApiKey => "this needs an API key",
            Self::Organization => "this needs an organization; sign in to one, or switch to one",
            Self::OrganizationId(_) => "this belongs to another organization; switch to it if you are a member",
            Self::Role(roles) => return write!(f, "this needs the role {}", List(roles, "or")),
            Self::Permissions(all) => return write!(f, "this needs the permission {}", List(all, "and")),
            Self::AnyPermission(any) => return write!(f, "this needs the permission {}", List(any, "or")),
            Self::FeatureFlag(flag) => return write!(f, "this needs the feature {flag}, which is not on for you"),
            Self::Entitlement(entitlement) => {
                return write!(f, "this needs {entitlement}, which your organization's plan does not include");
            }
            Self::NotImpersonated => {
                "only the person themselves may do this; stop the impersonation and let them do it"
            }
            Self::Impersonation => "this is for impersonated sessions",
            Self::CustomClaims => {
                "the access token lacks claims that this needs; get a new one, and if that does not help, tell the \
                 people who run this site"
            }
        })
    }
}

/// `a, b or c`
struct List<'a>(&'a [String], &'a str);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, item) in self.0.iter().enumerate() {
            match place {
                0 => {}
                _ if place + 1 == self.0.len() => write!(f, " {} ", self.1)?,
                _ => f.write_str(", ")?,
            }
            f.write_str(item)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(items: &[&str]) -> Vec<String> {
        items.iter().map(|&item| item.to_owned()).collect()
    }

    #[test]
    fn lists_read_as_a_person_would_say_them() {
        let says = |requirement: Requirement| requirement.to_string();
        assert_eq!(
            says(Requirement::Role(texts(&["admin"]))),
            "this needs the role admin"
        );
        assert_eq!(
            says(Requirement::Permissions(texts(&["a:read", "a:write"]))),
            "this needs the permission a:read and a:write"
        );
        assert_eq!(
            says(Requirement::AnyPermission(texts(&["a", "b", "c"]))),
            "this needs the permission a, b or c"
        );
    }
}
