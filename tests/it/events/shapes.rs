//! What the official SDK takes the data of each event for, and the events that nothing emits yet.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use workos::models;
use workos_actix::{Event, Webhook};

#[path = "../../../workos-emulator/src/api/events/catalogue.rs"]
mod catalogue;

pub(crate) use catalogue::CATALOGUE;
pub(super) use catalogue::is_subscribable;

/// Reads an event as the SDK does, and finds nothing missing or added.
fn fits<T: DeserializeOwned + Serialize>(event: &Value) {
    let name = &event["event"];
    let read: T = T::deserialize(event).unwrap_or_else(|error| panic!("{name}: {error}: {event}"));
    let written = serde_json::to_value(read).unwrap();
    for (member, value) in event["data"].as_object().unwrap() {
        // The models leave out what is null.
        let kept = !written["data"][member].is_null() || value.is_null();
        assert!(kept, "{name}: the SDK's model has no {member}");
    }
}

/// An event's name, and the check of its shape.
type Shape = (&'static str, fn(&Value));

/// Every event that something emits, and the check of its shape. In order of name.
#[rustfmt::skip]
pub(super) const SHAPES: &[Shape] = &[
    ("api_key.created", fits::<models::ApiKeyCreated>),
    ("api_key.revoked", fits::<models::ApiKeyRevoked>),
    ("api_key.updated", fits::<models::ApiKeyUpdated>),
    ("authentication.email_verification_failed", fits::<models::AuthenticationEmailVerificationFailed>),
    ("authentication.email_verification_succeeded", fits::<models::AuthenticationEmailVerificationSucceeded>),
    ("authentication.magic_auth_failed", fits::<models::AuthenticationMagicAuthFailed>),
    ("authentication.magic_auth_succeeded", fits::<models::AuthenticationMagicAuthSucceeded>),
    ("authentication.mfa_failed", fits::<models::AuthenticationMfaFailed>),
    ("authentication.mfa_succeeded", fits::<models::AuthenticationMfaSucceeded>),
    ("authentication.oauth_failed", fits::<models::AuthenticationOAuthFailed>),
    ("authentication.oauth_succeeded", fits::<models::AuthenticationOAuthSucceeded>),
    ("authentication.passkey_failed", fits::<models::AuthenticationPasskeyFailed>),
    ("authentication.passkey_succeeded", fits::<models::AuthenticationPasskeySucceeded>),
    ("authentication.password_failed", fits::<models::AuthenticationPasswordFailed>),
    ("authentication.password_succeeded", fits::<models::AuthenticationPasswordSucceeded>),
    ("authentication.radar_risk_detected", fits::<models::AuthenticationRadarRiskDetected>),
    ("authentication.reauthentication_succeeded", fits::<models::AuthenticationReauthenticationSucceeded>),
    ("email_verification.created", fits::<models::EmailVerificationCreated>),
    ("flag.created", fits::<models::FlagCreated>),
    ("flag.deleted", fits::<models::FlagDeleted>),
    ("flag.rule_updated", fits::<models::FlagRuleUpdated>),
    ("flag.updated", fits::<models::FlagUpdated>),
    ("group.created", fits::<models::GroupCreated>),
    ("group.deleted", fits::<models::GroupDeleted>),
    ("group.member_added", fits::<models::GroupMemberAdded>),
    ("group.member_removed", fits::<models::GroupMemberRemoved>),
    ("group.updated", fits::<models::GroupUpdated>),
    ("invitation.accepted", fits::<models::InvitationAccepted>),
    ("invitation.created", fits::<models::InvitationCreated>),
    ("invitation.resent", fits::<models::InvitationResent>),
    ("invitation.revoked", fits::<models::InvitationRevoked>),
    ("magic_auth.created", fits::<models::MagicAuthCreated>),
    ("organization.created", fits::<models::OrganizationCreated>),
    ("organization.deleted", fits::<models::OrganizationDeleted>),
    ("organization.updated", fits::<models::OrganizationUpdated>),
    ("organization_domain.created", fits::<models::OrganizationDomainCreated>),
    ("organization_domain.deleted", fits::<models::OrganizationDomainDeleted>),
    ("organization_domain.updated", fits::<models::OrganizationDomainUpdated>),
    ("organization_domain.verified", fits::<models::OrganizationDomainVerified>),
    ("organization_membership.created", fits::<models::OrganizationMembershipCreated>),
    ("organization_membership.deleted", fits::<models::OrganizationMembershipDeleted>),
    ("organization_membership.updated", fits::<models::OrganizationMembershipUpdated>),
    ("organization_role.created", fits::<models::OrganizationRoleCreated>),
    ("organization_role.deleted", fits::<models::OrganizationRoleDeleted>),
    ("organization_role.updated", fits::<models::OrganizationRoleUpdated>),
    ("password_reset.created", fits::<models::PasswordResetCreated>),
    ("password_reset.succeeded", fits::<models::PasswordResetSucceeded>),
    ("permission.created", fits::<models::PermissionCreated>),
    ("permission.deleted", fits::<models::PermissionDeleted>),
    ("permission.updated", fits::<models::PermissionUpdated>),
    ("radar.challenge_created", fits::<models::RadarChallengeCreated>),
    ("role.created", fits::<models::RoleCreated>),
    ("role.updated", fits::<models::RoleUpdated>),
    ("session.created", fits::<models::SessionCreated>),
    ("session.revoked", fits::<models::SessionRevoked>),
    ("user.created", fits::<models::UserCreated>),
    ("user.deleted", fits::<models::UserDeleted>),
    ("user.updated", fits::<models::UserUpdated>),
    ("waitlist_user.approved", fits::<models::WaitlistUserApproved>),
    ("waitlist_user.created", fits::<models::WaitlistUserCreated>),
    ("waitlist_user.denied", fits::<models::WaitlistUserDenied>),
];

/// The events whose causes stand in files of their own: `directory_sync/`, `organization_domains.rs`, `sso/`, `sso_connections.rs`.
pub(super) const ELSEWHERE: &[&str] = &[
    "authentication.sso_failed",
    "authentication.sso_started",
    "authentication.sso_succeeded",
    "authentication.sso_timed_out",
    "connection.activated",
    "connection.deactivated",
    "connection.deleted",
    "connection.saml_certificate_renewal_required",
    "connection.saml_certificate_renewed",
    "dsync.activated",
    "dsync.deleted",
    "dsync.group.created",
    "dsync.group.deleted",
    "dsync.group.updated",
    "dsync.group.user_added",
    "dsync.group.user_removed",
    "dsync.token.created",
    "dsync.token.revoked",
    "dsync.user.created",
    "dsync.user.deleted",
    "dsync.user.updated",
    "organization_domain.verification_failed",
];

/// The events of products that are not built. Whoever builds one moves its events to [`SHAPES`], and their causes to the table.
pub(super) const NOT_BUILT: &[&str] = &[
    // WorkOS's dashboard alone deletes roles of the environment.
    "role.deleted",
    "action.authentication.denied",
    "action.user_registration.denied",
    "agent.blueprint.created",
    "agent.blueprint.deleted",
    "agent.blueprint.updated",
    "agent.instance.created",
    "agent.instance.deleted",
    "agent.instance.session.created",
    "agent.instance.session.revoked",
    "agent.registration.claim.attempt.created",
    "agent.registration.claim.completed",
    "agent.registration.created",
    "agent.registration.credential.issued",
    "agent.registration.deleted",
    "agent.registration.expired",
    "agent.registration.organization.switched",
    "agent.registration.refreshed",
    "agent.registration.revoked",
    "pipes.account_connection.add_failed",
    "pipes.account_connection.connected",
    "pipes.account_connection.connection_failed",
    "pipes.account_connection.disconnected",
    "pipes.account_connection.reauthorization_needed",
    "pipes.connected_account.connected",
    "pipes.connected_account.connection_failed",
    "pipes.connected_account.disconnected",
    "pipes.connected_account.reauthorization_needed",
    "vault.byok_key.deleted",
    "vault.byok_key.verification_completed",
    "vault.data.created",
    "vault.data.deleted",
    "vault.data.read",
    "vault.data.updated",
    "vault.dek.decrypted",
    "vault.dek.read",
    "vault.kek.created",
    "vault.kek.deleted",
    "vault.metadata.read",
    "vault.names.listed",
];

/// Checks the data of an event against the SDK's model, and that it is read typed.
pub(super) fn check(event: &Value) {
    typed(&Webhook::deserialize(event).unwrap());
    let name = event["event"].as_str().unwrap();
    let shape = SHAPES.iter().find(|(of, _)| *of == name);
    let (_, fits) = shape.unwrap_or_else(|| panic!("{name} is to be added to the shapes"));
    fits(event);
}

/// Whoever receives an event has it as its type.
pub(crate) fn typed(webhook: &Webhook) {
    let event = webhook
        .typed()
        .unwrap_or_else(|error| panic!("{error}: {webhook:?}"));
    assert!(!matches!(event, Event::Unknown(_)), "{webhook:?}");
}

#[test]
fn every_event_of_the_catalogue_is_emitted_or_listed_as_not_built() {
    let mut listed: Vec<_> = SHAPES
        .iter()
        .map(|(name, _)| *name)
        .chain(ELSEWHERE.iter().chain(NOT_BUILT).copied())
        .collect();
    listed.sort_unstable();
    let all: Vec<_> = CATALOGUE.iter().map(|event| event.name).collect();
    assert_eq!(listed, all);
}
