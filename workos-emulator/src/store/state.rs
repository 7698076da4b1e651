//! The list of all tables.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value};

use super::{
    document::InvalidDocument,
    table::{Record, Table},
};
use crate::{
    api::{
        admin_portal::{links::PortalLink, sessions::PortalSession, setup_links::SetupLink},
        api_keys::{ApiKey, ApiKeyValue},
        authorization::{permissions::Permission, roles::Role},
        connect::{
            access_tokens::RevokedConnectToken, applications::ConnectApplication,
            authorization_codes::ConnectAuthorizationCode, client_secrets::ConnectApplicationSecret,
            consents::ConnectConsent, resources::AuthkitOAuthResource, standalone::ExternalAuth,
            token::grants::ConnectGrant,
        },
        directory_sync::{
            directories::{Directory, DirectoryCounts, DirectoryRemains},
            groups::DirectoryGroup,
            members::DirectoryGroupMember,
            tokens::DirectoryToken,
            users::DirectoryUser,
        },
        events::Event,
        feature_flags::Flag,
        groups::{Group, GroupMembership},
        multi_factor_auth::{
            challenges::AuthenticationChallenge, enrollments::TotpEnrollment, factors::AuthenticationFactor,
        },
        organization_domains::dns::DnsRecords,
        organizations::{Organization, entitlements::Entitlements, it_contacts::ItContact},
        sso::{
            certificates::Certificate,
            connections::Connection,
            logout::SsoLogout,
            profiles::Profile,
            saml::{
                answer::{ConsumedAssertion, SamlAnswer},
                test_idp::TestIdp,
            },
            sign_in::SsoSession,
            traces::SsoTrace,
        },
        user_management::{
            authenticate::{
                authorization_code::AuthorizationCode, pending::PendingAuthentication,
                refresh_token::RefreshTokens,
            },
            authorize::session::AuthorizationSession,
            cors_origins::CorsOrigin,
            device_authorization::DeviceAuthorization,
            email_change::EmailChange,
            email_verification::EmailVerification,
            identities::Identity,
            impersonation::Impersonation,
            invitations::{Invitation, blocks::InvitationBlock},
            jwt_template::JwtTemplate,
            magic_auth::MagicAuth,
            memberships::OrganizationMembership,
            organization_policies::OrganizationPolicies,
            passkeys::{Passkey, PasskeyChallenge, PasskeyReminder},
            password_reset::PasswordReset,
            radar_challenges::RadarChallenge,
            rate_limit::RateWindow,
            redirect_uris::RedirectUri,
            sessions::Session,
            signing_keys::SigningKeys,
            users::{Password, User},
            waitlists::WaitlistEntry,
        },
        webhooks::WebhookEndpoint,
    },
    control::{hooks::Hook, settings::Settings},
    core::clock,
    hosted::{identity_provider::IdpGrant, stand_in::ProviderGrant},
    mail::Message,
    server::api_key::SecretKey,
    webhooks::outbox::{Attempt, Delivery},
};

/// A change to one row.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RowChange<R> {
    /// The row as it is now, and its place in the order of creation.
    Put { place: u64, row: Arc<R> },
    /// The row with this id is gone.
    Delete { id: String },
}

/// What one transaction changed: complete and serialisable, so that applying the commits in order gives the state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Commit {
    /// Ascending by one.
    pub(crate) sequence: u64,
    #[serde(with = "clock::timestamp")]
    pub(crate) at: Timestamp,
    pub(crate) changes: Vec<Change>,
}

/// A row that has a table in [`State`].
pub(crate) trait Stored: Record {
    fn table(state: &State) -> &Table<Self>;
    fn table_mut(state: &mut State) -> &mut Table<Self>;
    fn change(change: RowChange<Self>) -> Change;
}

macro_rules! tables {
    ($($name:ident: $row:ident,)+) => {
        /// Everything an environment remembers. A clone costs a few pointers per table.
        #[derive(Debug, Clone, Default)]
        pub(crate) struct State {
            /// The number of the last commit.
            pub(crate) sequence: u64,
            $(pub(crate) $name: Table<$row>,)+
        }

        /// A change to one row of one table.
        #[derive(Debug, Clone, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[expect(clippy::enum_variant_names, reason = "variants have the names of their rows")]
        pub(crate) enum Change {
            $($row(RowChange<$row>),)+
        }

        impl State {
            /// The state that a document has, as [`Serialize`] writes it.
            pub(crate) fn of_tables(mut tables: Map<String, Value>) -> Result<Self, InvalidDocument> {
                let mut state = Self::default();
                $(if let Some(rows) = tables.remove(stringify!($name)) {
                    state.$name = Table::of_document(stringify!($name), rows)?;
                })+
                match tables.keys().next() {
                    None => Ok(state),
                    Some(unknown) => Err(InvalidDocument::new(unknown, "there is no such table.")),
                }
            }

            /// Makes the changes of `commit` again: what a journal will do at start, and what proves that commits are complete.
            #[cfg(test)]
            pub(crate) fn apply(&mut self, commit: Commit) -> Result<(), super::table::Conflict> {
                self.sequence = commit.sequence;
                for change in commit.changes {
                    match change {
                        $(Change::$row(RowChange::Put { place, row }) => self.$name.put(place, row)?,
                        Change::$row(RowChange::Delete { id }) => {
                            self.$name.delete(&id);
                        })+
                    }
                }
                Ok(())
            }

            #[cfg(test)]
            pub(crate) fn is_consistent(&self) -> bool {
                $(self.$name.is_consistent() &&)+ true
            }

            /// All that is remembered, for comparison.
            #[cfg(test)]
            pub(crate) fn dump(&self) -> serde_json::Value {
                let mut dump = serde_json::Map::new();
                dump.insert("sequence".to_owned(), self.sequence.into());
                $(dump.insert(stringify!($name).to_owned(), self.$name.dump());)+
                dump.into()
            }
        }

        /// The tables that have rows, by name.
        impl Serialize for State {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut tables = serializer.serialize_map(None)?;
                $(if self.$name.len() > 0 {
                    tables.serialize_entry(stringify!($name), &self.$name)?;
                })+
                tables.end()
            }
        }

        $(impl Stored for $row {
            fn table(state: &State) -> &Table<Self> {
                &state.$name
            }
            fn table_mut(state: &mut State) -> &mut Table<Self> {
                &mut state.$name
            }
            fn change(change: RowChange<Self>) -> Change {
                Change::$row(change)
            }
        })+
    };
}

tables! {
    // The environment itself
    settings: Settings,
    secret_keys: SecretKey,
    signing_keys: SigningKeys,
    redirect_uris: RedirectUri,
    cors_origins: CorsOrigin,
    jwt_templates: JwtTemplate,

    // User management
    users: User,
    passwords: Password,
    passkeys: Passkey,
    passkey_challenges: PasskeyChallenge,
    passkey_reminders: PasskeyReminder,
    password_resets: PasswordReset,
    organization_memberships: OrganizationMembership,
    sessions: Session,
    refresh_tokens: RefreshTokens,
    authorization_sessions: AuthorizationSession,
    authorization_codes: AuthorizationCode,
    device_authorizations: DeviceAuthorization,
    identities: Identity,
    impersonations: Impersonation,
    invitations: Invitation,
    invitation_blocks: InvitationBlock,
    magic_auths: MagicAuth,
    email_verifications: EmailVerification,
    email_changes: EmailChange,
    pending_authentications: PendingAuthentication,
    authentication_factors: AuthenticationFactor,
    authentication_challenges: AuthenticationChallenge,
    totp_enrollments: TotpEnrollment,
    provider_grants: ProviderGrant,
    radar_challenges: RadarChallenge,
    waitlist_entries: WaitlistEntry,
    rate_windows: RateWindow,

    // Organizations, roles
    organizations: Organization,
    entitlements: Entitlements,
    organization_policies: OrganizationPolicies,
    it_contacts: ItContact,
    dns_records: DnsRecords,
    roles: Role,
    permissions: Permission,
    api_keys: ApiKey,
    api_key_values: ApiKeyValue,
    groups: Group,
    group_memberships: GroupMembership,
    feature_flags: Flag,

    // Admin Portal
    portal_links: PortalLink,
    setup_links: SetupLink,
    portal_sessions: PortalSession,

    // Connect
    connect_applications: ConnectApplication,
    connect_application_secrets: ConnectApplicationSecret,
    connect_consents: ConnectConsent,
    connect_authorization_codes: ConnectAuthorizationCode,
    connect_grants: ConnectGrant,
    revoked_connect_tokens: RevokedConnectToken,
    authkit_oauth_resources: AuthkitOAuthResource,
    external_auths: ExternalAuth,

    // Single sign-on
    connections: Connection,
    certificates: Certificate,
    profiles: Profile,
    sso_sessions: SsoSession,
    sso_logouts: SsoLogout,
    sso_traces: SsoTrace,
    idp_grants: IdpGrant,
    saml_test_idps: TestIdp,
    saml_answers: SamlAnswer,
    saml_consumed: ConsumedAssertion,

    // Directory Sync
    directories: Directory,
    directory_counts: DirectoryCounts,
    directory_remains: DirectoryRemains,
    directory_tokens: DirectoryToken,
    directory_users: DirectoryUser,
    directory_groups: DirectoryGroup,
    directory_group_members: DirectoryGroupMember,

    // What happened, and who was told
    events: Event,
    webhook_endpoints: WebhookEndpoint,
    deliveries: Delivery,
    attempts: Attempt,
    messages: Message,

    // What a test wants to go wrong
    hooks: Hook,
}
