//! Organizations. Source: <https://workos.com/docs/reference/organization>.

pub(crate) mod domains;
pub(crate) mod entitlements;
pub(crate) mod it_contacts;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use self::{
    domains::{DomainData, DomainState, OrganizationDomain, WantedState},
    entitlements::Entitlements,
};
use super::{
    admin_portal, api_keys,
    authorization::roles,
    connect::applications,
    directory_sync::directories,
    feature_flags, groups,
    metadata::{self, Metadata},
    sso::connections,
    user_management::{invitations, memberships, organization_policies::OrganizationPolicies},
};
use crate::{
    core::clock,
    server::{body::Patch, call::Call, error::ApiError, reply::Reply},
    store::{Index, List, Page, Record, Select, State, Transaction, UnknownCursor},
};

/// An organization with its domains, as kept and as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "object", rename = "organization")]
pub(crate) struct Organization {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) allow_profiles_outside_organization: bool,
    pub(crate) domains: Vec<OrganizationDomain>,
    pub(crate) metadata: Metadata,
    pub(crate) external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stripe_customer_id: Option<String>,
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    pub(crate) updated_at: Timestamp,
}

/// An organization as its events show it: what it allows is not in them. Source: the event schemas of WorkOS's OpenAPI
/// document.
#[derive(Debug, Serialize)]
#[serde(tag = "object", rename = "organization")]
struct EventData<'a> {
    id: &'a str,
    name: &'a str,
    domains: &'a [OrganizationDomain],
    metadata: &'a Metadata,
    external_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stripe_customer_id: Option<&'a str>,
    #[serde(with = "clock::timestamp")]
    created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    updated_at: Timestamp,
}

impl Organization {
    fn event_data(&self) -> EventData<'_> {
        EventData {
            id: &self.id,
            name: &self.name,
            domains: &self.domains,
            metadata: &self.metadata,
            external_id: self.external_id.as_deref(),
            stripe_customer_id: self.stripe_customer_id.as_deref(),
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

pub(crate) const BY_EXTERNAL_ID: Index<Organization> = Index::unique("external_id", |organization| {
    organization
        .external_id
        .iter()
        .map(|id| (id.as_str().into(), 0))
        .collect()
});
const BY_STRIPE_CUSTOMER: Index<Organization> = Index::unique("stripe_customer_id", |organization| {
    organization
        .stripe_customer_id
        .iter()
        .map(|id| (id.as_str().into(), 0))
        .collect()
});
/// Organizations that have a domain; several may claim the same one.
pub(crate) const BY_DOMAIN: Index<Organization> = Index::ordered("domain", |organization| {
    organization
        .domains
        .iter()
        .map(|domain| (domain.domain.as_str().into(), 0))
        .collect()
});

/// A domain is verified for one organization at most.
pub(crate) const BY_VERIFIED_DOMAIN: Index<Organization> = Index::unique("verified domain", |organization| {
    organization
        .domains
        .iter()
        .filter(|domain| domain.state == DomainState::Verified)
        .map(|domain| (domain.domain.as_str().into(), 0))
        .collect()
});

/// The organization whose domain has this id.
pub(crate) const BY_DOMAIN_ID: Index<Organization> = Index::unique("domain id", |organization| {
    let ids = organization.domains.iter().map(|domain| domain.id.as_str());
    ids.map(|id| (id.into(), 0)).collect()
});

/// Organizations with domains that wait for their TXT record, by the end of the wait.
pub(crate) const WAITING_FOR_DNS: Index<Organization> = Index::ordered("waiting for DNS", |organization| {
    let ends = organization
        .domains
        .iter()
        .filter_map(OrganizationDomain::expires_at);
    ends.map(|end| ("".into(), end.as_millisecond())).collect()
});

impl Record for Organization {
    const INDEXES: &'static [Index<Self>] = &[
        BY_EXTERNAL_ID,
        BY_STRIPE_CUSTOMER,
        BY_DOMAIN,
        BY_VERIFIED_DOMAIN,
        BY_DOMAIN_ID,
        WAITING_FOR_DNS,
    ];

    fn id(&self) -> &str {
        &self.id
    }
}

/// `POST /organizations`
#[derive(Debug, Default, Deserialize)]
pub(crate) struct CreateOrganization {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) allow_profiles_outside_organization: bool,
    /// Deprecated form of `domain_data`: such domains are verified.
    #[serde(default)]
    pub(crate) domains: Vec<String>,
    #[serde(default)]
    pub(crate) domain_data: Vec<DomainData>,
    #[serde(default)]
    pub(crate) metadata: Option<Map<String, Value>>,
    #[serde(default)]
    pub(crate) external_id: Option<String>,
    /// Only a seed gives an id.
    #[serde(skip)]
    pub(crate) id: Option<String>,
}

/// `PUT /organizations/{id}`
#[derive(Debug, Deserialize)]
struct UpdateOrganization {
    name: Option<String>,
    allow_profiles_outside_organization: Option<bool>,
    domains: Option<Vec<String>>,
    domain_data: Option<Vec<DomainData>>,
    stripe_customer_id: Option<String>,
    metadata: Option<Map<String, Value>>,
    #[serde(default)]
    external_id: Patch<String>,
}

/// The longest name, in characters. Assumption: production's limit is not documented.
const MAX_NAME_LENGTH: usize = 255;

/// The organization with this id, or the refusal.
pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Arc<Organization>, ApiError> {
    state
        .organizations
        .get(id)
        .ok_or_else(|| ApiError::not_found("Organization", id))
}

/// Creates an organization with its domains.
pub(crate) fn create(
    tx: &mut Transaction<'_>,
    new: CreateOrganization,
) -> Result<Arc<Organization>, ApiError> {
    let mut metadata = Metadata::new();
    if let Some(changes) = new.metadata {
        metadata::merge(&mut metadata, changes)?;
    }
    check_name(&new.name)?;
    check_external_id(tx, None, new.external_id.as_deref())?;
    let wanted = domains::wanted(new.domains, new.domain_data)?;
    let id = new.id.unwrap_or_else(|| tx.id("org"));
    let organization = Organization {
        domains: domains::replaced(tx, &id, &[], wanted),
        id,
        name: new.name,
        allow_profiles_outside_organization: new.allow_profiles_outside_organization,
        metadata,
        external_id: new.external_id,
        stripe_customer_id: None,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    check_verified_domains(tx, &organization)?;
    let organization = tx.put(organization)?;
    tx.emit("organization.created", &organization.event_data())?;
    domains::emit_changes(tx, &[], &organization.domains)?;
    Ok(organization)
}

fn update(
    tx: &mut Transaction<'_>,
    id: &str,
    changes: UpdateOrganization,
) -> Result<Arc<Organization>, ApiError> {
    let before = Arc::clone(find(tx, id)?);
    let mut organization = Organization::clone(&before);
    if let Some(name) = changes.name {
        check_name(&name)?;
        organization.name = name;
    }
    if let Some(allow) = changes.allow_profiles_outside_organization {
        organization.allow_profiles_outside_organization = allow;
    }
    if let Some(customer) = changes.stripe_customer_id {
        check_stripe_customer(tx, id, &customer)?;
        organization.stripe_customer_id = Some(customer);
    }
    if let Some(changes) = changes.metadata {
        metadata::merge(&mut organization.metadata, changes)?;
    }
    changes.external_id.apply_to(&mut organization.external_id);
    check_external_id(tx, Some(id), organization.external_id.as_deref())?;
    // Assumption: giving domains replaces the whole set.
    if changes.domains.is_some() || changes.domain_data.is_some() {
        let wanted = domains::wanted(
            changes.domains.unwrap_or_default(),
            changes.domain_data.unwrap_or_default(),
        )?;
        organization.domains = domains::replaced(tx, id, &before.domains, wanted);
    }
    check_verified_domains(tx, &organization)?;
    organization.updated_at = tx.now();
    let organization = tx.put(organization)?;
    tx.emit("organization.updated", &organization.event_data())?;
    domains::emit_changes(tx, &before.domains, &organization.domains)?;
    Ok(organization)
}

/// Makes domains that somebody vouches for verified domains of an organization, whether it had them before or not.
pub(crate) fn vouch_for_domains(
    tx: &mut Transaction<'_>,
    id: &str,
    domains: Vec<String>,
) -> Result<(), ApiError> {
    let before = Arc::clone(find(tx, id)?);
    let vouched = domains::wanted(domains, Vec::new())?;
    let mut wanted: Vec<_> = before
        .domains
        .iter()
        .filter(|present| !vouched.iter().any(|data| data.domain == present.domain))
        // Those stay what they are.
        .map(|present| DomainData {
            domain: present.domain.clone(),
            state: WantedState::Pending,
        })
        .collect();
    wanted.extend(vouched);
    let after = domains::replaced(tx, id, &before.domains, wanted);
    if after.iter().all(|domain| before.domains.contains(domain)) {
        return Ok(());
    }
    let organization = Organization {
        domains: after,
        updated_at: tx.now(),
        ..Organization::clone(&before)
    };
    check_verified_domains(tx, &organization)?;
    let organization = tx.put(organization)?;
    tx.emit("organization.updated", &organization.event_data())?;
    domains::emit_changes(tx, &before.domains, &organization.domains)
}

/// Deletes an organization and what belongs to it: its connections, groups, invitations, memberships, roles, API keys and Connect
/// applications go, sessions in it end,
/// and it is no target of feature flags any more.
///
/// Assumption: production's cascade is not documented; each membership is deleted with its event, as by hand.
fn delete(tx: &mut Transaction<'_>, id: &str) -> Result<(), ApiError> {
    let organization = Arc::clone(find(tx, id)?);
    connections::delete_of_organization(tx, id)?;
    directories::delete_of_organization(tx, id)?;
    groups::delete_of_organization(tx, id)?;
    invitations::delete_of_organization(tx, id)?;
    memberships::delete_of_organization(tx, id)?;
    api_keys::delete_of_organization(tx, id)?;
    applications::delete_of_organization(tx, id)?;
    roles::delete_of_organization(tx, id)?;
    feature_flags::remove_from_all(tx, id)?;
    admin_portal::close_to_organization(tx, id);
    it_contacts::delete_of_organization(tx, id);
    tx.delete::<Entitlements>(id);
    tx.delete::<OrganizationPolicies>(id);
    domains::emit_changes(tx, &organization.domains, &[])?;
    tx.emit("organization.deleted", &organization.event_data())?;
    tx.delete::<Organization>(id);
    Ok(())
}

/// Names need not be unique.
fn check_name(name: &str) -> Result<(), ApiError> {
    let (code, message) = match name.chars().count() {
        _ if name.trim().is_empty() => ("required", "name must not be empty.".to_owned()),
        ..=MAX_NAME_LENGTH => return Ok(()),
        _ => (
            "too_long",
            format!("name has at most {MAX_NAME_LENGTH} characters."),
        ),
    };
    Err(ApiError::invalid_field("name", code, message))
}

/// Assumption: the 409 that the API's description has is for a domain that another organization has verified; production's
/// verification fails with `domain_verified_by_other_organization` for such a domain.
fn check_verified_domains(state: &State, organization: &Organization) -> Result<(), ApiError> {
    let verified = organization
        .domains
        .iter()
        .filter(|domain| domain.state == DomainState::Verified);
    for OrganizationDomain { domain, .. } in verified {
        let other = state.organizations.find(BY_VERIFIED_DOMAIN, domain);
        if other.is_some_and(|other| other.id != organization.id) {
            let message = format!("The domain '{domain}' is verified for another organization.");
            return Err(ApiError::message(409, message));
        }
    }
    Ok(())
}

fn check_stripe_customer(state: &State, own: &str, customer: &str) -> Result<(), ApiError> {
    if customer.trim().is_empty() {
        return Err(ApiError::invalid_field(
            "stripe_customer_id",
            "required",
            "stripe_customer_id must not be empty.",
        ));
    }
    let other = state.organizations.find(BY_STRIPE_CUSTOMER, customer);
    if other.is_some_and(|other| other.id != own) {
        return Err(ApiError::bad_request(
            "stripe_customer_id_already_used",
            "The stripe_customer_id is already in use by another organization.",
        ));
    }
    Ok(())
}

fn check_external_id(state: &State, own: Option<&str>, external_id: Option<&str>) -> Result<(), ApiError> {
    let Some(external_id) = external_id else {
        return Ok(());
    };
    metadata::check_external_id(external_id)?;
    let other = state.organizations.find(BY_EXTERNAL_ID, external_id);
    if other.is_some_and(|other| Some(other.id.as_str()) != own) {
        return Err(metadata::external_id_taken());
    }
    Ok(())
}

/// `GET /organizations`. `search` is a part of the name, in any case; what does not match is passed over.
pub(crate) fn list_organizations(call: &Call) -> Result<Reply, ApiError> {
    let domains: Vec<String> = call
        .query
        .all("domains")
        .into_iter()
        .map(str::to_lowercase)
        .collect();
    let search = call.query.get("search").unwrap_or_default();
    let state = call.environment.state();
    Reply::ok(&list(&state, &domains, search, &call.page()?)?)
}

fn list(
    state: &State,
    domains: &[String],
    search: &str,
    page: &Page,
) -> Result<List<Arc<Organization>>, UnknownCursor> {
    let mut select = if domains.is_empty() {
        Select::all()
    } else {
        Select::groups(BY_DOMAIN, domains.iter().map(String::as_str))
    };
    if !search.is_empty() {
        let search = search.to_lowercase();
        select = select
            .filter(move |organization: &Organization| organization.name.to_lowercase().contains(&search));
    }
    select.page(&state.organizations, page)
}

/// `POST /organizations`
pub(crate) fn create_organization(call: &Call) -> Result<Reply, ApiError> {
    let new = call.body()?;
    Reply::created(&call.environment.transact(|tx| create(tx, new))?)
}

/// `GET /organizations/{id}`
pub(crate) fn get_organization(call: &Call) -> Result<Reply, ApiError> {
    Reply::ok(find(&call.environment.state(), call.param("id"))?)
}

/// `GET /organizations/external_id/{external_id}`
pub(crate) fn get_organization_by_external_id(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let external_id = call.param("external_id");
    match state.organizations.find(BY_EXTERNAL_ID, external_id) {
        Some(organization) => Reply::ok(organization),
        None => Err(ApiError::not_found("Organization", external_id)),
    }
}

/// `PUT /organizations/{id}`
pub(crate) fn update_organization(call: &Call) -> Result<Reply, ApiError> {
    let changes = call.body()?;
    Reply::ok(
        &call
            .environment
            .transact(|tx| update(tx, call.param("id"), changes))?,
    )
}

/// `DELETE /organizations/{id}`. Production answers 202 and goes on in the background; here it is done at once.
pub(crate) fn delete_organization(call: &Call) -> Result<Reply, ApiError> {
    call.environment.transact(|tx| delete(tx, call.param("id")))?;
    Reply::empty(202)
}
