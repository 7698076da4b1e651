//! The seed-file format: what can stand in a file. It is that of `@workos/emulate`, with `settings` and `redirectUris` in
//! addition.

mod api_keys;
mod directories;

use serde_json::{Map, Value};

pub(super) use self::{api_keys::SeedApiKey, directories::SeedDirectory};
use super::document::{Fields, Report};
use crate::{
    api::{
        authorization::roles::RoleType,
        feature_flags::NewFlag,
        organizations::domains::WantedState,
        sso::connections::{ConnectionState, GroupRole, NewOidc},
        user_management::{
            memberships::MembershipStatus,
            organization_policies::{DomainPolicy, OrganizationPolicy},
            providers::{self, Provider},
        },
    },
    control::connections::{NewProfile, usual_type},
    core::{secret::Secret, totp::TotpSecret},
};

/// The top level of a seed file.
#[derive(Debug, Clone, Default)]
pub(super) struct Document {
    pub(super) users: Vec<SeedUser>,
    pub(super) organizations: Vec<SeedOrganization>,
    pub(super) connections: Vec<SeedConnection>,
    pub(super) roles: Vec<SeedRole>,
    pub(super) permissions: Vec<SeedPermission>,
    pub(super) webhook_endpoints: Vec<SeedWebhookEndpoint>,
    pub(super) api_keys: Vec<SeedApiKey>,
    pub(super) redirect_uris: Vec<String>,
    pub(super) error_hooks: Vec<SeedHook>,
    pub(super) directories: Vec<SeedDirectory>,
    pub(super) feature_flags: Vec<SeedFlag>,
    pub(super) invitations: Vec<SeedInvitation>,
    pub(super) connect_applications: Vec<SeedConnectApplication>,
    /// The content of the JWT template.
    pub(super) jwt_template: Option<String>,
    pub(super) settings: Option<Value>,
}

#[derive(Debug, Clone)]
pub(super) struct SeedUser {
    pub(super) id: Option<String>,
    pub(super) email: String,
    pub(super) name: Option<String>,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) password: Option<Secret>,
    pub(super) email_verified: bool,
    pub(super) external_id: Option<String>,
    pub(super) metadata: Option<Map<String, Value>>,
    /// The secret of the authenticator app that the user has.
    pub(super) totp: Option<TotpSecret>,
    /// The provider that they sign in with, and the account that they have there.
    pub(super) oauth_provider: Option<&'static Provider>,
    pub(super) oauth_idp_id: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct SeedOrganization {
    pub(super) id: Option<String>,
    pub(super) name: String,
    pub(super) external_id: Option<String>,
    pub(super) metadata: Option<Map<String, Value>>,
    pub(super) allow_profiles_outside_organization: bool,
    pub(super) domains: Vec<SeedDomain>,
    pub(super) memberships: Vec<SeedMembership>,
    pub(super) groups: Vec<SeedGroup>,
    pub(super) entitlements: Vec<String>,
    pub(super) domain_policy: Option<DomainPolicy>,
    pub(super) organization_policy: Option<OrganizationPolicy>,
}

/// Its organization goes by its name.
#[derive(Debug, Clone)]
pub(super) struct SeedConnection {
    pub(super) id: Option<String>,
    pub(super) name: String,
    pub(super) organization: String,
    pub(super) connection_type: String,
    pub(super) external_key: Option<String>,
    pub(super) oidc_options: Option<NewOidc>,
    pub(super) state: ConnectionState,
    /// They become verified domains of the organization.
    pub(super) domains: Vec<String>,
    pub(super) profiles: Vec<NewProfile>,
    pub(super) group_roles: Vec<GroupRole>,
    pub(super) idp_initiated_sso: bool,
}

#[derive(Debug, Clone)]
pub(super) struct SeedDomain {
    pub(super) domain: String,
    pub(super) state: WantedState,
}

#[derive(Debug, Clone)]
pub(super) struct SeedMembership {
    pub(super) email: String,
    pub(super) role: Option<String>,
    pub(super) status: MembershipStatus,
}

/// Its members are e-mail addresses of members of the organization.
#[derive(Debug, Clone)]
pub(super) struct SeedGroup {
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) members: Vec<String>,
}

/// Its targets are e-mail addresses of users and names of organizations.
#[derive(Debug, Clone)]
pub(super) struct SeedFlag {
    pub(super) flag: NewFlag,
    pub(super) users: Vec<String>,
    pub(super) organizations: Vec<String>,
}

/// It names organization and inviter by their ids, which the seed pins.
#[derive(Debug, Clone)]
pub(super) struct SeedInvitation {
    pub(super) email: String,
    pub(super) organization_id: Option<String>,
    pub(super) inviter_user_id: Option<String>,
    pub(super) role_slug: Option<String>,
    pub(super) expires_in_days: Option<i64>,
}

/// An application of Connect, with one client secret.
#[derive(Debug, Clone)]
pub(super) struct SeedConnectApplication {
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) is_oauth: bool,
    /// The name of the organization that it belongs to.
    pub(super) organization: Option<String>,
    pub(super) scopes: Vec<String>,
    pub(super) audience: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) client_secret: Option<Secret>,
    pub(super) redirect_uris: Vec<String>,
    pub(super) uses_pkce: bool,
}

#[derive(Debug, Clone)]
pub(super) struct SeedRole {
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) organization_id: Option<String>,
    pub(super) is_default: bool,
    pub(super) priority: Option<i64>,
    pub(super) permissions: Vec<String>,
}

#[derive(Debug, Clone)]
pub(super) struct SeedPermission {
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) description: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct SeedWebhookEndpoint {
    pub(super) endpoint_url: String,
    pub(super) events: Vec<String>,
    pub(super) enabled: bool,
    pub(super) secret: Option<Secret>,
}

#[derive(Debug, Clone)]
pub(super) struct SeedHook {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) status: u16,
    pub(super) body: Option<Value>,
    pub(super) count: Option<u32>,
}

/// Features of the format that the emulator does not have yet.
const NOT_SERVED_YET: &[&str] = &["pipeConnections", "connectedAccounts", "agentBlueprints"];

impl Document {
    /// Reads a whole file. `text` tells the order of its API keys, of which the first is the one shown to people.
    pub(super) fn read(value: Value, text: &str) -> (Self, Report) {
        let mut report = Report::default();
        // An empty file is an empty seed.
        let value = if value.is_null() {
            Value::Object(Map::new())
        } else {
            value
        };
        let document = Fields::of(value, String::new(), &mut report, |fields| {
            fields.not_served_yet(NOT_SERVED_YET);
            Self {
                users: fields.list("users", user),
                organizations: fields.list("organizations", organization),
                connections: fields.list("connections", connection),
                roles: fields.list("roles", role),
                permissions: fields.list("permissions", permission),
                webhook_endpoints: fields.list("webhookEndpoints", webhook_endpoint),
                api_keys: api_keys::api_keys(fields, text),
                redirect_uris: fields.get("redirectUris").unwrap_or_default(),
                error_hooks: fields
                    .list("errorHooks", error_hook)
                    .into_iter()
                    .flatten()
                    .collect(),
                directories: fields.list("directories", directories::directory),
                feature_flags: fields.list("featureFlags", feature_flag),
                invitations: fields.list("invitations", invitation),
                connect_applications: fields.list("connectApplications", connect_application),
                jwt_template: fields.object("jwtTemplate", |fields| fields.required("content")),
                settings: fields.raw("settings"),
            }
        });
        (document.unwrap_or_default(), report)
    }
}

fn user(fields: &mut Fields<'_>) -> SeedUser {
    fields.not_served_yet(&["impersonator"]);
    SeedUser {
        id: fields.id("id"),
        email: fields.email("email"),
        name: fields.get("name"),
        first_name: fields.get("first_name"),
        last_name: fields.get("last_name"),
        password: fields.get("password"),
        email_verified: fields.get("email_verified").unwrap_or_default(),
        external_id: fields.get("external_id"),
        metadata: fields.get("metadata"),
        totp: totp(fields),
        oauth_provider: oauth_provider(fields),
        oauth_idp_id: fields.get("oauth_idp_id"),
    }
}

/// The secret of a user with `totp: true` and none of their own: a test must know it.
const TOTP_SECRET: &str = "JBSWY3DPEHPK3PXP";

/// `totp: true` enrolls an authenticator app, with `totp_secret` if that is there; `totp_secret` alone does the same.
fn totp(fields: &mut Fields<'_>) -> Option<TotpSecret> {
    let wanted: Option<bool> = fields.get("totp");
    let given: Option<TotpSecret> = fields.get("totp_secret");
    match wanted {
        Some(false) => None,
        Some(true) => given.or_else(|| TotpSecret::parse(TOTP_SECRET).ok()),
        None => given,
    }
}

fn oauth_provider(fields: &mut Fields<'_>) -> Option<&'static Provider> {
    let slug: String = fields.get("oauth_provider")?;
    let provider = providers::by_slug(&slug);
    if provider.is_none() {
        let message = "WorkOS has no such provider; they are called GoogleOAuth, MicrosoftOAuth, …";
        fields.problem("oauth_provider", message, Some(slug.into()));
    }
    provider
}

fn organization(fields: &mut Fields<'_>) -> SeedOrganization {
    SeedOrganization {
        id: fields.id("id"),
        name: fields.required("name"),
        external_id: fields.get("external_id"),
        metadata: fields.get("metadata"),
        allow_profiles_outside_organization: fields
            .get("allow_profiles_outside_organization")
            .unwrap_or_default(),
        domains: fields.list("domains", |fields| SeedDomain {
            domain: fields.required("domain"),
            state: fields.get("state").unwrap_or(WantedState::Pending),
        }),
        memberships: fields.list("memberships", membership),
        groups: fields.list("groups", |fields| SeedGroup {
            name: fields.required("name"),
            description: fields.get("description"),
            members: fields.get("members").unwrap_or_default(),
        }),
        entitlements: fields.get("entitlements").unwrap_or_default(),
        domain_policy: fields.get("domain_policy"),
        organization_policy: fields.get("organization_policy"),
    }
}

fn connection(fields: &mut Fields<'_>) -> SeedConnection {
    SeedConnection {
        id: fields.id("id"),
        name: fields.required("name"),
        organization: fields.required("organization"),
        connection_type: fields
            .get("connection_type")
            .unwrap_or_else(|| usual_type(fields.has("oidc_options"))),
        external_key: fields.get("external_key"),
        oidc_options: fields.get("oidc_options"),
        state: fields.get("state").unwrap_or(ConnectionState::Active),
        domains: fields.get("domains").unwrap_or_default(),
        profiles: fields.list("profiles", |fields| NewProfile {
            email: fields.email("email"),
            first_name: fields.get("first_name"),
            last_name: fields.get("last_name"),
            idp_id: fields.get("idp_id"),
            groups: fields.get("groups").unwrap_or_default(),
            custom_attributes: fields.get("custom_attributes").unwrap_or_default(),
            raw_attributes: fields.get("raw_attributes").unwrap_or_default(),
        }),
        group_roles: fields.get("group_roles").unwrap_or_default(),
        idp_initiated_sso: fields.get("idp_initiated_sso").unwrap_or(true),
    }
}

fn feature_flag(fields: &mut Fields<'_>) -> SeedFlag {
    let flag = NewFlag {
        id: fields.id("id"),
        slug: fields.required("slug"),
        name: fields.get("name"),
        description: fields.get("description"),
        owner: fields.get("owner"),
        tags: fields.get("tags").unwrap_or_default(),
        enabled: fields.get("enabled"),
        default_value: fields.get("default_value").unwrap_or_default(),
        targets: Vec::new(),
    };
    let targets = fields.object("targets", |fields| {
        let mut names = |key| fields.get(key).unwrap_or_default();
        (names("users"), names("organizations"))
    });
    let (users, organizations) = targets.unwrap_or_default();
    SeedFlag {
        flag,
        users,
        organizations,
    }
}

fn invitation(fields: &mut Fields<'_>) -> SeedInvitation {
    SeedInvitation {
        email: fields.email("email"),
        organization_id: fields.get("organization_id"),
        inviter_user_id: fields.get("inviter_user_id"),
        role_slug: fields.get("role_slug"),
        expires_in_days: fields.get("expires_in_days"),
    }
}

fn connect_application(fields: &mut Fields<'_>) -> SeedConnectApplication {
    let r#type: Option<String> = fields.get("type");
    let is_oauth = match r#type.as_deref() {
        Some("oauth") => true,
        None | Some("m2m") => false,
        Some(other) => {
            let got = Some(Value::from(other));
            fields.problem("type", "must be m2m or oauth", got);
            false
        }
    };
    let organization: Option<String> = fields.get("organization");
    if !is_oauth && organization.is_none() {
        fields.problem("organization", "is required for an m2m application", None);
    }
    SeedConnectApplication {
        name: fields.required("name"),
        description: fields.get("description"),
        is_oauth,
        organization,
        scopes: fields.get("scopes").unwrap_or_default(),
        audience: fields.get("audience"),
        client_id: fields.id("client_id"),
        client_secret: fields.get("client_secret"),
        redirect_uris: fields.get("redirect_uris").unwrap_or_default(),
        uses_pkce: fields.get("uses_pkce").unwrap_or_default(),
    }
}

fn membership(fields: &mut Fields<'_>) -> SeedMembership {
    if let Some(id) = fields.raw("user_id") {
        fields.problem("user_id", "name the user by email, not by id", Some(id));
    }
    SeedMembership {
        email: fields.email("email"),
        role: fields.get("role"),
        status: fields.get("status").unwrap_or(MembershipStatus::Active),
    }
}

fn role(fields: &mut Fields<'_>) -> SeedRole {
    fields.not_served_yet(&["resource_type_slug"]);
    let r#type: Option<RoleType> = fields.get("type");
    let organization_id: Option<String> = fields.get("organization_id");
    match (r#type, &organization_id) {
        (Some(RoleType::OrganizationRole), None) => {
            fields.problem("organization_id", "is required for an OrganizationRole", None);
        }
        (Some(RoleType::EnvironmentRole), Some(id)) => {
            let id = Some(Value::from(id.as_str()));
            fields.problem("organization_id", "an EnvironmentRole has no organization", id);
        }
        _ => {}
    }
    SeedRole {
        slug: fields.required("slug"),
        name: fields.required("name"),
        description: fields.get("description"),
        organization_id,
        is_default: fields.get("is_default_role").unwrap_or_default(),
        priority: fields.get("priority"),
        permissions: fields.get("permissions").unwrap_or_default(),
    }
}

fn permission(fields: &mut Fields<'_>) -> SeedPermission {
    fields.not_served_yet(&["resource_type_slug"]);
    SeedPermission {
        slug: fields.required("slug"),
        name: fields.required("name"),
        description: fields.get("description"),
    }
}

fn webhook_endpoint(fields: &mut Fields<'_>) -> SeedWebhookEndpoint {
    let legacy: Option<String> = fields.get("url");
    SeedWebhookEndpoint {
        endpoint_url: legacy.unwrap_or_else(|| fields.required("endpoint_url")),
        events: fields.get("events").unwrap_or_default(),
        enabled: fields.get("enabled").unwrap_or(true),
        secret: fields.get("secret"),
    }
}

fn error_hook(fields: &mut Fields<'_>) -> Option<SeedHook> {
    let limited = fields.has("rateLimit");
    fields.not_served_yet(&["rateLimit"]);
    let hook = SeedHook {
        method: fields.required("method"),
        path: fields.required("path"),
        status: fields.expect("status"),
        body: fields.raw("body"),
        count: fields.get("count"),
    };
    // A hook that should limit a rate must not answer every request instead.
    (!limited).then_some(hook)
}
