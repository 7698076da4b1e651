//! The domain of an address: whose it is, and whether it may come.
//!
//! Source: <https://workos.com/docs/sso/domains>.

use crate::{
    api::{
        organizations::domains::{DomainState, OrganizationDomain},
        sso::connections::Connection,
    },
    store::State,
};

/// Whether the organization knows the domain of an address to be its own.
pub(crate) fn is_domain_verified(state: &State, connection: &Connection, email: &str) -> bool {
    let Some((_, domain)) = email.rsplit_once('@') else {
        return false;
    };
    let organization = connection
        .organization_id
        .as_deref()
        .and_then(|id| state.organizations.get(id));
    organization.is_some_and(|organization| {
        let is_it = |own: &OrganizationDomain| own.state == DomainState::Verified && own.domain == domain;
        organization.domains.iter().any(is_it)
    })
}

/// Whether the organization lets somebody with this address come, and why.
pub(super) fn check(state: &State, connection: &Connection, email: &str) -> (bool, String) {
    let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
    let Some(organization) = connection
        .organization_id
        .as_deref()
        .and_then(|id| state.organizations.get(id))
    else {
        return (
            true,
            "The connection belongs to no organization, so every domain may come.".to_owned(),
        );
    };
    let name = &organization.name;
    if is_domain_verified(state, connection, email) {
        return (true, format!("{domain} is a verified domain of {name}."));
    }
    if organization.allow_profiles_outside_organization {
        return (
            true,
            format!("{domain} is no verified domain of {name}, which allows profiles outside of them."),
        );
    }
    (
        false,
        format!(
            "{domain} is no verified domain of {name}: verify it, or set allow_profiles_outside_organization for the \
             organization."
        ),
    )
}
