//! The catalogue: every event that WorkOS has, and whether webhook endpoints can subscribe to it.
//!
//! Source: the event schemas and the `events` of `CreateWebhookEndpoint` in WorkOS's OpenAPI document and official SDKs.

/// One kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EventType {
    pub(crate) name: &'static str,
    /// Webhook endpoints can have it; the others come through `GET /events` only.
    pub(crate) subscribable: bool,
}

const fn webhook(name: &'static str) -> EventType {
    EventType {
        name,
        subscribable: true,
    }
}

const fn api_only(name: &'static str) -> EventType {
    EventType {
        name,
        subscribable: false,
    }
}

/// In order of name.
#[rustfmt::skip]
pub(crate) const CATALOGUE: &[EventType] = &[
    api_only("action.authentication.denied"),
    api_only("action.user_registration.denied"),
    webhook("agent.blueprint.created"),
    webhook("agent.blueprint.deleted"),
    webhook("agent.blueprint.updated"),
    webhook("agent.instance.created"),
    webhook("agent.instance.deleted"),
    webhook("agent.instance.session.created"),
    webhook("agent.instance.session.revoked"),
    webhook("agent.registration.claim.attempt.created"),
    webhook("agent.registration.claim.completed"),
    webhook("agent.registration.created"),
    webhook("agent.registration.credential.issued"),
    webhook("agent.registration.deleted"),
    webhook("agent.registration.expired"),
    webhook("agent.registration.organization.switched"),
    webhook("agent.registration.refreshed"),
    webhook("agent.registration.revoked"),
    webhook("api_key.created"),
    webhook("api_key.revoked"),
    webhook("api_key.updated"),
    api_only("authentication.email_verification_failed"),
    webhook("authentication.email_verification_succeeded"),
    webhook("authentication.magic_auth_failed"),
    webhook("authentication.magic_auth_succeeded"),
    api_only("authentication.mfa_failed"),
    webhook("authentication.mfa_succeeded"),
    webhook("authentication.oauth_failed"),
    webhook("authentication.oauth_succeeded"),
    webhook("authentication.passkey_failed"),
    webhook("authentication.passkey_succeeded"),
    webhook("authentication.password_failed"),
    webhook("authentication.password_succeeded"),
    webhook("authentication.radar_risk_detected"),
    webhook("authentication.reauthentication_succeeded"),
    webhook("authentication.sso_failed"),
    webhook("authentication.sso_started"),
    webhook("authentication.sso_succeeded"),
    webhook("authentication.sso_timed_out"),
    webhook("connection.activated"),
    webhook("connection.deactivated"),
    webhook("connection.deleted"),
    webhook("connection.saml_certificate_renewal_required"),
    webhook("connection.saml_certificate_renewed"),
    webhook("dsync.activated"),
    webhook("dsync.deleted"),
    webhook("dsync.group.created"),
    webhook("dsync.group.deleted"),
    webhook("dsync.group.updated"),
    webhook("dsync.group.user_added"),
    webhook("dsync.group.user_removed"),
    api_only("dsync.token.created"),
    api_only("dsync.token.revoked"),
    webhook("dsync.user.created"),
    webhook("dsync.user.deleted"),
    webhook("dsync.user.updated"),
    webhook("email_verification.created"),
    webhook("flag.created"),
    webhook("flag.deleted"),
    webhook("flag.rule_updated"),
    webhook("flag.updated"),
    webhook("group.created"),
    webhook("group.deleted"),
    webhook("group.member_added"),
    webhook("group.member_removed"),
    webhook("group.updated"),
    webhook("invitation.accepted"),
    webhook("invitation.created"),
    webhook("invitation.resent"),
    webhook("invitation.revoked"),
    webhook("magic_auth.created"),
    webhook("organization.created"),
    webhook("organization.deleted"),
    webhook("organization.updated"),
    webhook("organization_domain.created"),
    webhook("organization_domain.deleted"),
    webhook("organization_domain.updated"),
    webhook("organization_domain.verification_failed"),
    webhook("organization_domain.verified"),
    webhook("organization_membership.created"),
    webhook("organization_membership.deleted"),
    webhook("organization_membership.updated"),
    webhook("organization_role.created"),
    webhook("organization_role.deleted"),
    webhook("organization_role.updated"),
    webhook("password_reset.created"),
    webhook("password_reset.succeeded"),
    webhook("permission.created"),
    webhook("permission.deleted"),
    webhook("permission.updated"),
    webhook("pipes.account_connection.add_failed"),
    webhook("pipes.account_connection.connected"),
    webhook("pipes.account_connection.connection_failed"),
    webhook("pipes.account_connection.disconnected"),
    webhook("pipes.account_connection.reauthorization_needed"),
    webhook("pipes.connected_account.connected"),
    webhook("pipes.connected_account.connection_failed"),
    webhook("pipes.connected_account.disconnected"),
    webhook("pipes.connected_account.reauthorization_needed"),
    webhook("radar.challenge_created"),
    webhook("role.created"),
    webhook("role.deleted"),
    webhook("role.updated"),
    webhook("session.created"),
    webhook("session.revoked"),
    webhook("user.created"),
    webhook("user.deleted"),
    webhook("user.updated"),
    api_only("vault.byok_key.deleted"),
    api_only("vault.byok_key.verification_completed"),
    api_only("vault.data.created"),
    api_only("vault.data.deleted"),
    api_only("vault.data.read"),
    api_only("vault.data.updated"),
    api_only("vault.dek.decrypted"),
    api_only("vault.dek.read"),
    api_only("vault.kek.created"),
    api_only("vault.kek.deleted"),
    api_only("vault.metadata.read"),
    api_only("vault.names.listed"),
    webhook("waitlist_user.approved"),
    webhook("waitlist_user.created"),
    webhook("waitlist_user.denied"),
];

/// The kind of event with this name.
pub(crate) fn find(name: &str) -> Option<EventType> {
    let at = CATALOGUE.binary_search_by(|event| event.name.cmp(name)).ok()?;
    CATALOGUE.get(at).copied()
}

/// Whether webhook endpoints can subscribe to events of this name.
pub(crate) fn is_subscribable(name: &str) -> bool {
    find(name).is_some_and(|event| event.subscribable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_in_order_and_found() {
        assert!(CATALOGUE.is_sorted_by(|a, b| a.name < b.name));
        for event in CATALOGUE {
            assert_eq!(find(event.name), Some(*event));
        }
    }

    #[test]
    fn tells_what_webhooks_carry() {
        assert!(is_subscribable("user.created"));
        assert!(is_subscribable("agent.blueprint.created"));
        assert!(
            !is_subscribable("vault.data.read"),
            "known, but only through GET /events"
        );
        assert!(find("vault.data.read").is_some());
        assert!(!is_subscribable("user.creatd"));
        assert_eq!(CATALOGUE.len(), 123);
        assert_eq!(CATALOGUE.iter().filter(|event| event.subscribable).count(), 105);
    }
}
