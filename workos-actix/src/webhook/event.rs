//! Events as types: the whole catalogue on one page.

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use workos::models;

use super::{Extracted, Webhook, WebhookError, extract};

/// A type that one kind of event is read as.
///
/// The [SDK's model](workos::models) of every event is one, whole, with `id`, `created_at`, `data` and `context`. So is a type
/// of yours, where the model asks for more than you need or has less than WorkOS sends:
///
/// ```
/// use serde::Deserialize;
/// use workos_actix::TypedEvent;
///
/// #[derive(Deserialize)]
/// struct PersonCreated {
///     data: Person,
/// }
///
/// #[derive(Deserialize)]
/// struct Person {
///     id: String,
///     email: Option<String>,
/// }
///
/// impl TypedEvent for PersonCreated {
///     const NAME: &'static str = "dsync.user.created";
/// }
/// ```
pub trait TypedEvent: DeserializeOwned {
    /// The kind of event, such as `dsync.user.created`.
    const NAME: &'static str;
}

/// The catalogue: name, and model of the SDK.
macro_rules! events {
    ($($name:literal => $model:ident,)*) => {
        /// An event of WorkOS's [catalogue](https://workos.com/docs/events), typed.
        ///
        /// As a handler argument it is a verified delivery, as [`Webhook`] is:
        ///
        /// ```
        /// use actix_web::HttpResponse;
        /// use workos_actix::Event;
        ///
        /// async fn receive(event: Event) -> HttpResponse {
        ///     match event {
        ///         Event::DsyncUserCreated(event) => println!("{} has come", event.data.id),
        ///         Event::DsyncUserDeleted(event) => println!("{} has gone", event.data.id),
        ///         _ => {}
        ///     }
        ///     HttpResponse::Ok().finish()
        /// }
        /// ```
        ///
        /// What the SDK knows no name for is [`Unknown`](Self::Unknown), and still whole. A name that it knows with data that
        /// its model does not fit is [`WebhookError::UnexpectedShape`]: as a handler argument a 500, so that WorkOS keeps the
        /// event and delivers it again, up to three days, rather than one that is taken and lost.
        #[derive(Debug, Clone)]
        #[non_exhaustive]
        pub enum Event {
            $(#[doc = concat!("`", $name, "`")] $model(Box<models::$model>),)*
            /// Newer than the SDK, or a product's that it does not know.
            Unknown(Webhook),
        }

        impl Event {
            /// The name of every event that has a variant.
            pub const NAMES: &'static [&'static str] = &[$($name,)*];

            fn of(webhook: &Webhook) -> Result<Self, WebhookError> {
                Ok(match webhook.event.as_str() {
                    $($name => Self::$model(Box::new(webhook.read()?)),)*
                    _ => Self::Unknown(webhook.clone()),
                })
            }
        }

        $(impl TypedEvent for models::$model {
            const NAME: &'static str = $name;
        })*
    };
}

#[rustfmt::skip]
events! {
    "action.authentication.denied" => ActionAuthenticationDenied,
    "action.user_registration.denied" => ActionUserRegistrationDenied,
    "agent.blueprint.created" => AgentBlueprintCreated,
    "agent.blueprint.deleted" => AgentBlueprintDeleted,
    "agent.blueprint.updated" => AgentBlueprintUpdated,
    "agent.instance.created" => AgentInstanceCreated,
    "agent.instance.deleted" => AgentInstanceDeleted,
    "agent.instance.session.created" => AgentInstanceSessionCreated,
    "agent.instance.session.revoked" => AgentInstanceSessionRevoked,
    "agent.registration.claim.attempt.created" => AgentRegistrationClaimAttemptCreated,
    "agent.registration.claim.completed" => AgentRegistrationClaimCompleted,
    "agent.registration.created" => AgentRegistrationCreated,
    "agent.registration.credential.issued" => AgentRegistrationCredentialIssued,
    "agent.registration.deleted" => AgentRegistrationDeleted,
    "agent.registration.expired" => AgentRegistrationExpired,
    "agent.registration.organization.switched" => AgentRegistrationOrganizationSwitched,
    "agent.registration.refreshed" => AgentRegistrationRefreshed,
    "agent.registration.revoked" => AgentRegistrationRevoked,
    "api_key.created" => ApiKeyCreated,
    "api_key.revoked" => ApiKeyRevoked,
    "api_key.updated" => ApiKeyUpdated,
    "authentication.email_verification_failed" => AuthenticationEmailVerificationFailed,
    "authentication.email_verification_succeeded" => AuthenticationEmailVerificationSucceeded,
    "authentication.magic_auth_failed" => AuthenticationMagicAuthFailed,
    "authentication.magic_auth_succeeded" => AuthenticationMagicAuthSucceeded,
    "authentication.mfa_failed" => AuthenticationMfaFailed,
    "authentication.mfa_succeeded" => AuthenticationMfaSucceeded,
    "authentication.oauth_failed" => AuthenticationOAuthFailed,
    "authentication.oauth_succeeded" => AuthenticationOAuthSucceeded,
    "authentication.passkey_failed" => AuthenticationPasskeyFailed,
    "authentication.passkey_succeeded" => AuthenticationPasskeySucceeded,
    "authentication.password_failed" => AuthenticationPasswordFailed,
    "authentication.password_succeeded" => AuthenticationPasswordSucceeded,
    "authentication.radar_risk_detected" => AuthenticationRadarRiskDetected,
    "authentication.reauthentication_succeeded" => AuthenticationReauthenticationSucceeded,
    "authentication.sso_failed" => AuthenticationSSOFailed,
    "authentication.sso_started" => AuthenticationSSOStarted,
    "authentication.sso_succeeded" => AuthenticationSSOSucceeded,
    "authentication.sso_timed_out" => AuthenticationSSOTimedOut,
    "connection.activated" => ConnectionActivated,
    "connection.deactivated" => ConnectionDeactivated,
    "connection.deleted" => ConnectionDeleted,
    "connection.saml_certificate_renewal_required" => ConnectionSAMLCertificateRenewalRequired,
    "connection.saml_certificate_renewed" => ConnectionSAMLCertificateRenewed,
    "dsync.activated" => DsyncActivated,
    "dsync.deleted" => DsyncDeleted,
    "dsync.group.created" => DsyncGroupCreated,
    "dsync.group.deleted" => DsyncGroupDeleted,
    "dsync.group.updated" => DsyncGroupUpdated,
    "dsync.group.user_added" => DsyncGroupUserAdded,
    "dsync.group.user_removed" => DsyncGroupUserRemoved,
    "dsync.token.created" => DsyncTokenCreated,
    "dsync.token.revoked" => DsyncTokenRevoked,
    "dsync.user.created" => DsyncUserCreated,
    "dsync.user.deleted" => DsyncUserDeleted,
    "dsync.user.updated" => DsyncUserUpdated,
    "email_verification.created" => EmailVerificationCreated,
    "flag.created" => FlagCreated,
    "flag.deleted" => FlagDeleted,
    "flag.rule_updated" => FlagRuleUpdated,
    "flag.updated" => FlagUpdated,
    "group.created" => GroupCreated,
    "group.deleted" => GroupDeleted,
    "group.member_added" => GroupMemberAdded,
    "group.member_removed" => GroupMemberRemoved,
    "group.updated" => GroupUpdated,
    "invitation.accepted" => InvitationAccepted,
    "invitation.created" => InvitationCreated,
    "invitation.resent" => InvitationResent,
    "invitation.revoked" => InvitationRevoked,
    "magic_auth.created" => MagicAuthCreated,
    "organization.created" => OrganizationCreated,
    "organization.deleted" => OrganizationDeleted,
    "organization.updated" => OrganizationUpdated,
    "organization_domain.created" => OrganizationDomainCreated,
    "organization_domain.deleted" => OrganizationDomainDeleted,
    "organization_domain.updated" => OrganizationDomainUpdated,
    "organization_domain.verification_failed" => OrganizationDomainVerificationFailed,
    "organization_domain.verified" => OrganizationDomainVerified,
    "organization_membership.created" => OrganizationMembershipCreated,
    "organization_membership.deleted" => OrganizationMembershipDeleted,
    "organization_membership.updated" => OrganizationMembershipUpdated,
    "organization_role.created" => OrganizationRoleCreated,
    "organization_role.deleted" => OrganizationRoleDeleted,
    "organization_role.updated" => OrganizationRoleUpdated,
    "password_reset.created" => PasswordResetCreated,
    "password_reset.succeeded" => PasswordResetSucceeded,
    "permission.created" => PermissionCreated,
    "permission.deleted" => PermissionDeleted,
    "permission.updated" => PermissionUpdated,
    "pipes.account_connection.add_failed" => PipesAccountConnectionAddFailed,
    "pipes.account_connection.connected" => PipesAccountConnectionConnected,
    "pipes.account_connection.connection_failed" => PipesAccountConnectionConnectionFailed,
    "pipes.account_connection.disconnected" => PipesAccountConnectionDisconnected,
    "pipes.account_connection.reauthorization_needed" => PipesAccountConnectionReauthorizationNeeded,
    "pipes.connected_account.connected" => PipesConnectedAccountConnected,
    "pipes.connected_account.connection_failed" => PipesConnectedAccountConnectionFailed,
    "pipes.connected_account.disconnected" => PipesConnectedAccountDisconnected,
    "pipes.connected_account.reauthorization_needed" => PipesConnectedAccountReauthorizationNeeded,
    "radar.challenge_created" => RadarChallengeCreated,
    "role.created" => RoleCreated,
    "role.deleted" => RoleDeleted,
    "role.updated" => RoleUpdated,
    "session.created" => SessionCreated,
    "session.revoked" => SessionRevoked,
    "user.created" => UserCreated,
    "user.deleted" => UserDeleted,
    "user.updated" => UserUpdated,
    "vault.byok_key.deleted" => VaultByokKeyDeleted,
    "vault.byok_key.verification_completed" => VaultByokKeyVerificationCompleted,
    "vault.data.created" => VaultDataCreated,
    "vault.data.deleted" => VaultDataDeleted,
    "vault.data.read" => VaultDataRead,
    "vault.data.updated" => VaultDataUpdated,
    "vault.dek.decrypted" => VaultDekDecrypted,
    "vault.dek.read" => VaultDekRead,
    "vault.kek.created" => VaultKekCreated,
    "vault.kek.deleted" => VaultKekDeleted,
    "vault.metadata.read" => VaultMetadataRead,
    "vault.names.listed" => VaultNamesListed,
    "waitlist_user.approved" => WaitlistUserApproved,
    "waitlist_user.created" => WaitlistUserCreated,
    "waitlist_user.denied" => WaitlistUserDenied,
}

impl Webhook {
    /// The event as its type.
    ///
    /// # Errors
    /// [`WebhookError::UnexpectedShape`] when the name is known and the data does not fit the SDK's model.
    pub fn typed(&self) -> Result<Event, WebhookError> {
        Event::of(self)
    }

    /// The event as this type.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, WebhookError> {
        let mut envelope = json!({
            "object": "event", "id": self.id, "event": self.event, "created_at": self.created_at, "data": self.data,
        });
        // Where there is none, the models of some events miss it, and those of others do not want it to be null.
        if let (Some(context), Value::Object(members)) = (&self.context, &mut envelope) {
            members.insert("context".to_owned(), context.clone());
        }
        serde_json::from_value(envelope).map_err(|error| WebhookError::UnexpectedShape {
            id: self.id.clone(),
            event: self.event.clone(),
            reason: error.to_string(),
        })
    }
}

impl FromRequest for Event {
    type Error = WebhookError;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        extract(request, payload, |webhook| webhook.typed())
    }
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
