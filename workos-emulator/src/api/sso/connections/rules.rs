//! How connections come to be, change and go, each with its events.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    AttributeMaps, Connection, ConnectionBody, ConnectionState, NewOidc, ProtocolOptions, active_of,
    checks::{check_external_id, check_external_key, check_group_roles, check_name, known_type},
    find, of_environment, of_organization,
};
use crate::{
    api::{
        authorization::roles,
        organizations,
        sso::{
            certificates,
            connection_type::{self, Protocol},
            profiles, saml, traces,
        },
        user_management::{
            authenticate::method::AuthenticationMethod,
            organization_policies::{self, DomainPolicy, PolicyChanges},
            providers::Provider,
        },
    },
    core::clock,
    server::{body::Patch, error::ApiError},
    store::{State, Transaction},
};

/// The role of the members of a group at the identity provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GroupRole {
    /// As the provider names it.
    pub(crate) group: String,
    /// A slug.
    pub(crate) role: String,
}

/// A connection to be made.
#[derive(Debug, Clone)]
pub(crate) struct NewConnection {
    /// Only a seed gives an id.
    pub(crate) id: Option<String>,
    pub(crate) organization_id: Option<String>,
    pub(crate) connection_type: String,
    /// The organization's unless given.
    pub(crate) name: Option<String>,
    pub(crate) state: ConnectionState,
    pub(crate) external_id: Option<String>,
    /// Made unless given: an identity provider that is set up already knows an address with it.
    pub(crate) external_key: Option<String>,
    pub(crate) options: ProtocolOptions,
    pub(crate) attribute_maps: AttributeMaps,
    pub(crate) idp_initiated_sso: bool,
    pub(crate) group_roles: Vec<GroupRole>,
    /// Domains that whoever makes the connection vouches for: they become verified domains of the organization.
    pub(crate) domains: Vec<String>,
}

impl NewConnection {
    /// An active connection of this kind.
    pub(crate) fn active(organization_id: Option<String>, connection_type: &str) -> Self {
        Self {
            id: None,
            organization_id,
            connection_type: connection_type.to_owned(),
            name: None,
            state: ConnectionState::Active,
            external_id: None,
            external_key: None,
            options: ProtocolOptions::None,
            attribute_maps: AttributeMaps::default(),
            idp_initiated_sso: true,
            group_roles: Vec::new(),
            domains: Vec::new(),
        }
    }

    /// The same with an OpenID provider.
    pub(crate) fn with_oidc(self, oidc: Option<NewOidc>) -> Result<Self, ApiError> {
        let Some(oidc) = oidc else { return Ok(self) };
        if known_type(&self.connection_type)?.protocol != Protocol::Oidc {
            let message = format!(
                "A connection of the type {} has no oidc_options: it would be GenericOIDC, OktaOIDC, ….",
                self.connection_type
            );
            return Err(ApiError::invalid_field("oidc_options", "not_allowed", message));
        }
        Ok(Self {
            options: ProtocolOptions::Oidc(oidc.check()?),
            ..self
        })
    }
}

/// A change of a connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConnectionChanges {
    pub(crate) name: Option<String>,
    pub(crate) connection_type: Option<String>,
    pub(crate) state: Option<ConnectionState>,
    pub(crate) external_id: Patch<String>,
    pub(crate) options: Option<ProtocolOptions>,
    pub(crate) attribute_maps: Option<AttributeMaps>,
    pub(crate) idp_initiated_sso: Option<bool>,
    pub(crate) group_roles: Option<Vec<GroupRole>>,
    pub(crate) domains: Vec<String>,
}

/// Makes a connection.
pub(crate) fn create(tx: &mut Transaction<'_>, new: NewConnection) -> Result<Arc<Connection>, ApiError> {
    let kind = known_type(&new.connection_type)?;
    let name = match (&new.organization_id, new.name) {
        (_, Some(name)) => name,
        (Some(id), None) => organizations::find(tx, id)?.name.clone(),
        (None, None) => kind.name.to_owned(),
    };
    check_name(&name)?;
    match &new.organization_id {
        Some(id) => organizations::find(tx, id).map(drop)?,
        None if kind.protocol == Protocol::OAuth => {}
        None => {
            let message =
                "A connection belongs to an organization, unless it is to a provider of social login.";
            return Err(ApiError::invalid_field("organization_id", "required", message));
        }
    }
    check_external_id(tx, None, new.external_id.as_deref())?;
    if let Some(key) = &new.external_key {
        check_external_key(key)?;
    }
    check_group_roles(tx, new.organization_id.as_deref(), &new.group_roles)?;
    vouch(tx, new.organization_id.as_deref(), new.domains)?;
    let connection = Connection {
        id: new.id.unwrap_or_else(|| tx.id("conn")),
        organization_id: new.organization_id,
        connection_type: kind.slug.to_owned(),
        name,
        state: if kind.slug == connection_type::PENDING {
            ConnectionState::RequiresType
        } else {
            new.state
        },
        external_key: new.external_key.unwrap_or_else(|| tx.token(25)),
        external_id: new.external_id,
        options: new.options,
        attribute_maps: new.attribute_maps,
        idp_initiated_sso: new.idp_initiated_sso,
        group_roles: new.group_roles,
        certified: Vec::new(),
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    let connection = tx.put(connection)?;
    if connection.state == ConnectionState::Active {
        activated(tx, &connection)?;
    }
    Ok(connection)
}

/// Changes a connection.
pub(crate) fn update(
    tx: &mut Transaction<'_>,
    id: &str,
    changes: ConnectionChanges,
) -> Result<Arc<Connection>, ApiError> {
    let before = Arc::clone(find(tx, id)?);
    let mut after = Connection::clone(&before);
    if let Some(name) = changes.name {
        check_name(&name)?;
        after.name = name;
    }
    if let Some(wanted) = changes.connection_type {
        known_type(&wanted)?.slug.clone_into(&mut after.connection_type);
        if before.state == ConnectionState::RequiresType && after.connection_type != connection_type::PENDING
        {
            after.state = ConnectionState::Draft;
        }
    }
    changes.external_id.apply_to(&mut after.external_id);
    check_external_id(tx, Some(id), after.external_id.as_deref())?;
    if let Some(options) = changes.options {
        after.options = options;
        if after.state == ConnectionState::Draft {
            after.state = ConnectionState::Validating;
        }
    }
    after.attribute_maps = changes.attribute_maps.unwrap_or(after.attribute_maps);
    after.idp_initiated_sso = changes.idp_initiated_sso.unwrap_or(after.idp_initiated_sso);
    if let Some(group_roles) = changes.group_roles {
        check_group_roles(tx, after.organization_id.as_deref(), &group_roles)?;
        after.group_roles = group_roles;
    }
    vouch(tx, after.organization_id.as_deref(), changes.domains)?;
    after.state = changes.state.unwrap_or(after.state);
    if after == *before {
        return Ok(before);
    }
    after.updated_at = tx.now();
    let after = tx.put(after)?;
    let was_active = before.state == ConnectionState::Active;
    match (was_active, after.state == ConnectionState::Active) {
        (false, true) => activated(tx, &after)?,
        (true, false) => tell(tx, &after, "connection.deactivated")?,
        _ => {}
    }
    Ok(after)
}

/// The first person has signed in through a connection that was waiting for that.
pub(crate) fn activate(tx: &mut Transaction<'_>, connection: &Connection) -> Result<(), ApiError> {
    if connection.state != ConnectionState::Validating {
        return Ok(());
    }
    let changes = ConnectionChanges {
        state: Some(ConnectionState::Active),
        ..ConnectionChanges::default()
    };
    update(tx, &connection.id, changes).map(drop)
}

/// Deletes a connection, the profiles of its people, its certificates and its traces.
pub(crate) fn delete(tx: &mut Transaction<'_>, id: &str) -> Result<(), ApiError> {
    let connection = Arc::clone(find(tx, id)?);
    profiles::delete_of_connection(tx, id);
    certificates::delete_of_connection(tx, id);
    traces::delete_of_connection(tx, id);
    saml::test_idp::delete_of_connection(tx, id);
    tx.delete::<Connection>(id);
    tx.emit("connection.deleted", &Deleted::of(&connection))?;
    match &connection.organization_id {
        Some(organization_id) => allow_other_methods(tx, organization_id),
        None => Ok(()),
    }
}

/// Deletes every connection of an organization, as when each is deleted by hand.
pub(crate) fn delete_of_organization(
    tx: &mut Transaction<'_>,
    organization_id: &str,
) -> Result<(), ApiError> {
    let ids: Vec<_> = of_organization(tx, organization_id)
        .map(|connection| connection.id.clone())
        .collect();
    ids.iter().try_for_each(|id| delete(tx, id))
}

/// The environment's connection to a provider of social login, which is there as soon as somebody comes through it.
pub(crate) fn of_provider(
    tx: &mut Transaction<'_>,
    provider: &Provider,
) -> Result<Arc<Connection>, ApiError> {
    let present = of_environment(tx, provider.slug).next().cloned();
    match present {
        Some(connection) => Ok(connection),
        None => create(tx, NewConnection::active(None, provider.slug)),
    }
}

/// Tells that a connection is active. From the first one on, the organization's people have no other way in.
///
/// Source: "all non-SSO authentication methods for the organization are automatically disabled"
/// (<https://workos.com/docs/authkit/organization-policies>). Assumption: a policy that somebody has set stays.
fn activated(tx: &mut Transaction<'_>, connection: &Connection) -> Result<(), ApiError> {
    tell(tx, connection, "connection.activated")?;
    let Some(organization_id) = &connection.organization_id else {
        return Ok(());
    };
    let is_first = active_of(tx, organization_id).count() == 1;
    if !is_first
        || organization_policies::of(tx, organization_id)
            .domain_policy
            .is_some()
    {
        return Ok(());
    }
    let sso_alone = DomainPolicy {
        auth_methods: vec![AuthenticationMethod::Sso],
    };
    set_domain_policy(tx, organization_id, Patch::Set(sso_alone))
}

/// Assumption: without a connection nobody can come through SSO alone, so that this policy goes with the last one.
fn allow_other_methods(tx: &mut Transaction<'_>, organization_id: &str) -> Result<(), ApiError> {
    let policy = organization_policies::of(tx, organization_id).domain_policy;
    let is_sso_alone = policy.is_some_and(|policy| policy.auth_methods == [AuthenticationMethod::Sso]);
    if is_sso_alone && of_organization(tx, organization_id).next().is_none() {
        set_domain_policy(tx, organization_id, Patch::Clear)?;
    }
    Ok(())
}

fn set_domain_policy(
    tx: &mut Transaction<'_>,
    organization_id: &str,
    domain_policy: Patch<DomainPolicy>,
) -> Result<(), ApiError> {
    let changes = PolicyChanges {
        domain_policy,
        organization_policy: Patch::Keep,
    };
    organization_policies::change(tx, organization_id, changes).map(drop)
}

/// The roles of somebody with these groups: those of the groups, else the default one. Without multiple roles it is the one
/// of the highest priority.
///
/// Source: <https://workos.com/docs/sso/identity-provider-role-assignment>.
pub(crate) fn roles_of(state: &State, connection: &Connection, groups: &[String]) -> Vec<String> {
    let Some(organization_id) = connection.organization_id.as_deref() else {
        return Vec::new();
    };
    let mapped = connection
        .group_roles
        .iter()
        .filter(|mapped| groups.contains(&mapped.group));
    let mut found: Vec<_> = mapped
        .filter_map(|mapped| roles::find(state, organization_id, &mapped.role))
        .collect();
    // The environment's roles stand before the organization's own.
    found.sort_by_key(|role| (role.organization_id.is_some(), role.priority));
    found.dedup_by_key(|role| role.slug.as_str());
    if !state.settings().multiple_roles {
        found.truncate(1);
    }
    if found.is_empty() {
        return vec![roles::default_slug(state, organization_id).to_owned()];
    }
    found.into_iter().map(|role| role.slug.clone()).collect()
}

fn vouch(
    tx: &mut Transaction<'_>,
    organization_id: Option<&str>,
    domains: Vec<String>,
) -> Result<(), ApiError> {
    match organization_id {
        Some(organization_id) => organizations::vouch_for_domains(tx, organization_id, domains),
        None if domains.is_empty() => Ok(()),
        None => {
            let message = "Only an organization has domains.";
            Err(ApiError::invalid_field("domains", "not_allowed", message))
        }
    }
}

/// A connection as the events of its state show it.
#[derive(Serialize)]
struct Changed<'a> {
    #[serde(flatten)]
    body: ConnectionBody<'a>,
    external_key: &'a str,
}

fn tell(tx: &mut Transaction<'_>, connection: &Connection, event: &str) -> Result<(), ApiError> {
    let changed = Changed {
        body: connection.body(tx),
        external_key: &connection.external_key,
    };
    let data: Value =
        serde_json::to_value(&changed).map_err(|error| ApiError::message(500, error.to_string()))?;
    tx.emit(event, &data).map(drop)
}

/// A connection as it was, as the event of its end shows it.
#[derive(Serialize)]
#[serde(tag = "object", rename = "connection")]
struct Deleted<'a> {
    id: &'a str,
    state: ConnectionState,
    name: &'a str,
    connection_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization_id: Option<&'a str>,
    #[serde(with = "clock::timestamp")]
    created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    updated_at: Timestamp,
}

impl<'a> Deleted<'a> {
    fn of(connection: &'a Connection) -> Self {
        Self {
            id: &connection.id,
            // The event's schema does not know what has no kind yet.
            state: match connection.state {
                ConnectionState::RequiresType => ConnectionState::Draft,
                state => state,
            },
            name: &connection.name,
            connection_type: &connection.connection_type,
            organization_id: connection.organization_id.as_deref(),
            created_at: connection.created_at,
            updated_at: connection.updated_at,
        }
    }
}
