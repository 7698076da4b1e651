//! What an organization demands of the people who sign in.
//!
//! There are two policies. The **domain policy** is for everybody with an address at one of the organization's verified
//! domains, member or not, wherever they sign in to: they come by one of its methods or not at all. The **organization
//! policy** is for who signs in to the organization, guests with other addresses included: it can require SSO, or a second
//! factor.
//!
//! In production both are set on the dashboard alone; here by `PATCH /_emulate/organizations/{id}`, a seed, or a Rust test.
//!
//! Source: <https://workos.com/docs/authkit/organization-policies>, <https://workos.com/docs/authkit/sso-with-contractors>.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    authenticate::{
        method::AuthenticationMethod,
        mfa,
        sign_in::{NextStep, SignIn},
    },
    providers,
    sessions::Device,
    users::User,
};
use crate::{
    api::{
        organizations::{self, BY_VERIFIED_DOMAIN},
        sso::connections,
    },
    server::{body::Patch, error::ApiError},
    store::{Record, State, Transaction},
};

/// The policies of one organization.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OrganizationPolicies {
    pub(crate) organization_id: String,
    /// None: the organization does not say how people with addresses at its domains sign in.
    pub(crate) domain_policy: Option<DomainPolicy>,
    pub(crate) organization_policy: OrganizationPolicy,
}

/// For everybody with an address at a verified domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DomainPolicy {
    /// The ways in that are allowed: `Password`, `MagicAuth`, `Passkey`, `SSO`, `GoogleOAuth`, …
    pub(crate) auth_methods: Vec<AuthenticationMethod>,
}

/// For whoever signs in to the organization.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OrganizationPolicy {
    pub(crate) sso_required: bool,
    /// Who comes through SSO needs no second factor here, as everywhere.
    pub(crate) mfa_required: bool,
}

impl Record for OrganizationPolicies {
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.organization_id
    }
}

/// A change of the policies. Each is replaced as a whole.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct PolicyChanges {
    pub(crate) domain_policy: Patch<DomainPolicy>,
    pub(crate) organization_policy: Patch<OrganizationPolicy>,
}

/// Changes the policies of an organization. Who is signed in stays so.
pub(crate) fn change(
    tx: &mut Transaction<'_>,
    organization_id: &str,
    changes: PolicyChanges,
) -> Result<Arc<OrganizationPolicies>, ApiError> {
    organizations::find(tx, organization_id)?;
    let mut policies = of(tx, organization_id);
    if let Patch::Set(policy) = &changes.domain_policy {
        policy.check()?;
    }
    changes.domain_policy.apply_to(&mut policies.domain_policy);
    match changes.organization_policy {
        Patch::Keep => {}
        Patch::Clear => policies.organization_policy = OrganizationPolicy::default(),
        Patch::Set(policy) => policies.organization_policy = policy,
    }
    Ok(tx.put(policies)?)
}

/// The policies of an organization.
pub(crate) fn of(state: &State, organization_id: &str) -> OrganizationPolicies {
    let found = state.organization_policies.get(organization_id);
    found.map_or_else(
        || OrganizationPolicies {
            organization_id: organization_id.to_owned(),
            ..OrganizationPolicies::default()
        },
        |policies| OrganizationPolicies::clone(policies),
    )
}

impl DomainPolicy {
    fn check(&self) -> Result<(), ApiError> {
        let problem = |code: &str, message: String| {
            Err(ApiError::invalid_field(
                "domain_policy.auth_methods",
                code,
                message,
            ))
        };
        if self.auth_methods.is_empty() {
            return problem(
                "required",
                "A domain policy allows one method at least; null takes it away.".to_owned(),
            );
        }
        match self.auth_methods.iter().find(|method| !is_for_people(**method)) {
            Some(method) => problem(
                "invalid",
                format!("{} is no way in that a policy allows.", json!(method)),
            ),
            None => Ok(()),
        }
    }
}

/// Whether people choose to come this way; the others are for programs, and subject to no policy.
fn is_for_people(method: AuthenticationMethod) -> bool {
    matches!(
        method,
        AuthenticationMethod::MagicAuth
            | AuthenticationMethod::Passkey
            | AuthenticationMethod::Password
            | AuthenticationMethod::Sso
    ) || providers::by_method(method).is_some()
}

/// How somebody has to come whom an organization does not let in as they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OtherMethod {
    pub(crate) organization_id: String,
    /// It is the domain of their address that decides, not the organization that they sign in to.
    pub(crate) by_domain: bool,
    pub(crate) allowed: Vec<AuthenticationMethod>,
}

impl OtherMethod {
    /// Whether nothing but SSO will do.
    pub(crate) fn is_sso(&self) -> bool {
        self.allowed == [AuthenticationMethod::Sso]
    }

    /// The connections through which they may come.
    pub(crate) fn connection_ids(&self, state: &State) -> Vec<String> {
        if !self.allowed.contains(&AuthenticationMethod::Sso) {
            return Vec::new();
        }
        connections::active_of(state, &self.organization_id)
            .map(|connection| connection.id.clone())
            .collect()
    }

    /// The refusal of a grant.
    ///
    /// Source: <https://workos.com/docs/reference/authkit/authentication-errors/sso-required-error>,
    /// <https://workos.com/docs/reference/authkit/authentication-errors/organization-authentication-required-error>.
    ///
    /// Assumption: a domain policy that allows SSO alone is told as `sso_required`.
    pub(crate) fn refusal(&self, state: &State, user: &User) -> ApiError {
        if self.is_sso() {
            return ApiError::oauth(
                "sso_required",
                "User must authenticate using one of the matching connections.",
            )
            .with("email", user.email.as_str())
            .with("connection_ids", json!(self.connection_ids(state)))
            .with("pending_authentication_token", Value::Null);
        }
        let allows = |method| self.allowed.contains(&method);
        ApiError::oauth(
            "organization_authentication_methods_required",
            "User must authenticate using one of the methods allowed by the organization.",
        )
        .with("email", user.email.as_str())
        .with("sso_connection_ids", json!(self.connection_ids(state)))
        .with(
            "auth_methods",
            json!({
                "apple_oauth": allows(AuthenticationMethod::AppleOAuth),
                "github_oauth": allows(AuthenticationMethod::GitHubOAuth),
                "google_oauth": allows(AuthenticationMethod::GoogleOAuth),
                "magic_auth": allows(AuthenticationMethod::MagicAuth),
                "microsoft_oauth": allows(AuthenticationMethod::MicrosoftOAuth),
                "password": allows(AuthenticationMethod::Password),
            }),
        )
    }
}

/// How somebody has to come, where the domain policy for their address does not allow the way they came.
pub(crate) fn check_domain(state: &State, user: &User, sign_in: &SignIn) -> Option<OtherMethod> {
    let method = sign_in.method;
    if sign_in.impersonator.is_some() || !is_for_people(method) {
        return None;
    }
    let (_, domain) = user.email.rsplit_once('@')?;
    let organization = state.organizations.find(BY_VERIFIED_DOMAIN, domain)?;
    let policy = of(state, &organization.id).domain_policy?;
    let is_allowed = policy.auth_methods.contains(&method) && sign_in.is_through(&organization.id);
    (!is_allowed).then(|| OtherMethod {
        organization_id: organization.id.clone(),
        by_domain: true,
        allowed: policy.auth_methods,
    })
}

/// What an organization demands of somebody who signs in to it, beyond what they have shown.
pub(crate) fn check(
    state: &State,
    organization_id: &str,
    user: &User,
    sign_in: &SignIn,
) -> Result<Option<NextStep>, ApiError> {
    if sign_in.impersonator.is_some() {
        return Ok(None);
    }
    Ok(demand(state, organization_id, user, Came::of(sign_in)))
}

/// How somebody has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Came<'a> {
    pub(crate) method: AuthenticationMethod,
    pub(crate) second_factor: bool,
    /// The organization whose connection it was. None also where only the control API says that it was one.
    pub(crate) through: Option<&'a str>,
}

impl<'a> Came<'a> {
    pub(crate) fn of(sign_in: &'a SignIn) -> Self {
        Self {
            method: sign_in.method,
            second_factor: sign_in.second_factor,
            through: sign_in
                .sso
                .as_ref()
                .and_then(|sso| sso.organization_id.as_deref()),
        }
    }
}

fn demand(state: &State, organization_id: &str, user: &User, came: Came<'_>) -> Option<NextStep> {
    let policy = of(state, organization_id).organization_policy;
    let by_sso = came.method == AuthenticationMethod::Sso;
    // Another organization's connection is not what this one requires.
    let by_own = by_sso && came.through.is_none_or(|through| through == organization_id);
    if by_own || (by_sso && !policy.sso_required) {
        return None;
    }
    if policy.sso_required {
        return Some(NextStep::ComeAnotherWay(OtherMethod {
            organization_id: organization_id.to_owned(),
            by_domain: false,
            allowed: vec![AuthenticationMethod::Sso],
        }));
    }
    if !policy.mfa_required {
        return None;
    }
    let begun = SignIn {
        second_factor: came.second_factor,
        ..SignIn::new(&user.id, came.method, Device::default())
    };
    mfa::missing(state, user, &begun)
}

/// Whether a session that began so may go on in an organization.
pub(crate) fn check_switch(
    state: &State,
    organization_id: &str,
    user: &User,
    came: Came<'_>,
) -> Result<(), ApiError> {
    match demand(state, organization_id, user, came) {
        None => Ok(()),
        Some(NextStep::ComeAnotherWay(other)) => Err(other.refusal(state, user)),
        Some(_) => Err(mfa::session_refused()),
    }
}

#[cfg(test)]
mod tests;
