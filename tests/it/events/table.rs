//! Every change that the API and the control API make, and exactly what is told of it.

use std::collections::BTreeSet;

use workos_emulator::Emulator;

use super::{
    log::{Log, Row},
    pages,
    shapes::SHAPES,
};

const fn row(request: &'static str, body: &'static str, status: u16, events: &'static [&'static str]) -> Row {
    Row {
        request,
        body,
        status,
        events,
        kept: "",
    }
}

impl Row {
    /// The same, whose answer is kept by this name.
    const fn keep(self, kept: &'static str) -> Self {
        Self { kept, ..self }
    }
}

/// A sign-in by password.
const IN: &[&str] = &["authentication.password_succeeded", "session.created"];

#[rustfmt::skip]
const USERS: &[Row] = &[
    row("POST /user_management/users", r#"{"email": "ada@example.com", "password": "correct horse battery", "external_id": "1", "metadata": {"a": "b"}}"#, 201, &["user.created"]).keep("ada"),
    row("POST /user_management/users", r#"{"email": "ada@example.com"}"#, 400, &[]),
    row("PUT /user_management/users/{ada.id}", r#"{"first_name": "Ada"}"#, 200, &["user.updated"]),
    row("PUT /user_management/users/{ada.id}", r#"{"email": "not one"}"#, 400, &[]),
    row("PUT /user_management/users/{ada.id}", r#"{"email": "countess@example.com"}"#, 200, &["user.updated"]),
    row("DELETE /user_management/users/{ada.id}", "", 200, &["user.deleted"]),
    row("DELETE /user_management/users/{ada.id}", "", 404, &[]),
];

#[rustfmt::skip]
const ORGANIZATIONS: &[Row] = &[
    row("POST /organizations", r#"{"name": "Acme", "domain_data": [{"domain": "acme.com", "state": "pending"}]}"#, 201, &["organization.created", "organization_domain.created"]).keep("acme"),
    row("POST /organizations", r#"{"name": ""}"#, 422, &[]),
    row("PUT /organizations/{acme.id}", r#"{"name": "Acme Inc."}"#, 200, &["organization.updated"]),
    row("PUT /organizations/{acme.id}", r#"{"domain_data": [{"domain": "acme.com", "state": "verified"}]}"#, 200, &["organization.updated", "organization_domain.updated", "organization_domain.verified"]),
    row("PUT /organizations/{acme.id}", r#"{"domain_data": [{"domain": "acme.org", "state": "verified"}]}"#, 200, &["organization.updated", "organization_domain.created", "organization_domain.deleted"]),
    row("DELETE /organizations/{acme.id}", "", 202, &["organization_domain.deleted", "organization.deleted"]),
];

#[rustfmt::skip]
const MEMBERSHIPS_GROUPS_AND_FLAGS: &[Row] = &[
    row("POST /user_management/users", r#"{"email": "ada@example.com", "password": "correct horse battery", "email_verified": true}"#, 201, &["user.created"]).keep("ada"),
    row("POST /organizations", r#"{"name": "Acme"}"#, 201, &["organization.created"]).keep("acme"),
    row("POST /authorization/roles", r#"{"slug": "editor", "name": "Editor"}"#, 201, &["role.created"]),
    row("POST /user_management/organization_memberships", r#"{"user_id": "{ada.id}", "organization_id": "{acme.id}"}"#, 201, &["organization_membership.created"]).keep("member"),
    row("POST /user_management/organization_memberships", r#"{"user_id": "{ada.id}", "organization_id": "{acme.id}"}"#, 400, &[]),
    row("PUT /user_management/organization_memberships/{member.id}", r#"{"role_slug": "editor"}"#, 200, &["organization_membership.updated"]),
    row("PUT /user_management/organization_memberships/{member.id}", r#"{"role_slug": "editor"}"#, 200, &[]),
    row("PUT /user_management/organization_memberships/{member.id}", r#"{"role_slug": "nobody"}"#, 422, &[]),
    row("POST /user_management/authenticate", r#"{"grant_type": "password", "email": "ada@example.com", "password": "correct horse battery"}"#, 200, IN),
    row("PUT /user_management/organization_memberships/{member.id}/deactivate", "", 200, &["session.revoked", "organization_membership.updated"]),
    row("PUT /user_management/organization_memberships/{member.id}/deactivate", "", 200, &[]),
    row("PUT /user_management/organization_memberships/{member.id}/reactivate", "", 200, &["organization_membership.updated"]),
    row("POST /organizations/{acme.id}/groups", r#"{"name": "Sales"}"#, 201, &["group.created"]).keep("group"),
    row("PATCH /organizations/{acme.id}/groups/{group.id}", r#"{"name": "Selling"}"#, 200, &["group.updated"]),
    row("POST /organizations/{acme.id}/groups/{group.id}/organization-memberships", r#"{"organization_membership_id": "{member.id}"}"#, 200, &["group.member_added"]),
    row("DELETE /organizations/{acme.id}/groups/{group.id}/organization-memberships/{member.id}", "", 204, &["group.member_removed"]),
    row("POST /organizations/{acme.id}/groups/{group.id}/organization-memberships", r#"{"organization_membership_id": "{member.id}"}"#, 200, &["group.member_added"]),
    row("POST /organizations/{acme.id}/groups/{group.id}/organization-memberships", r#"{"organization_membership_id": "om_none"}"#, 404, &[]),
    row("POST /_emulate/feature_flags", r#"{"slug": "beta"}"#, 201, &["flag.created"]),
    row("POST /_emulate/feature_flags", r#"{"slug": "beta"}"#, 409, &[]),
    row("PATCH /_emulate/feature_flags/beta", r#"{"name": "Beta"}"#, 200, &["flag.updated"]),
    row("PUT /feature-flags/beta/disable", "", 200, &["flag.rule_updated"]),
    row("PUT /feature-flags/beta/disable", "", 200, &[]),
    row("POST /feature-flags/beta/targets/{ada.id}", "", 204, &["flag.rule_updated"]),
    row("DELETE /user_management/organization_memberships/{member.id}", "", 200, &["group.member_removed", "organization_membership.deleted"]),
    row("DELETE /organizations/{acme.id}/groups/{group.id}", "", 204, &["group.deleted"]),
    row("DELETE /_emulate/feature_flags/beta", "", 204, &["flag.deleted"]),
    row("POST /user_management/organization_memberships", r#"{"user_id": "{ada.id}", "organization_id": "{acme.id}"}"#, 201, &["organization_membership.created"]),
    row("POST /user_management/authenticate", r#"{"grant_type": "password", "email": "ada@example.com", "password": "correct horse battery"}"#, 200, IN),
    row("DELETE /organizations/{acme.id}", "", 202, &["session.revoked", "organization_membership.deleted", "organization.deleted"]),
    row("POST /user_management/authenticate", r#"{"grant_type": "password", "email": "ada@example.com", "password": "correct horse battery"}"#, 200, IN),
    row("DELETE /user_management/users/{ada.id}", "", 200, &["session.revoked", "user.deleted"]),
];

#[rustfmt::skip]
const ROLES_PERMISSIONS_AND_API_KEYS: &[Row] = &[
    row("POST /organizations", r#"{"name": "Acme"}"#, 201, &["organization.created"]).keep("acme"),
    row("POST /authorization/permissions", r#"{"slug": "posts:write", "name": "Write posts"}"#, 201, &["permission.created"]),
    row("POST /authorization/permissions", r#"{"slug": "posts:write", "name": "Write posts"}"#, 409, &[]),
    row("PATCH /authorization/permissions/posts:write", r#"{"name": "Write"}"#, 200, &["permission.updated"]),
    row("POST /authorization/roles", r#"{"slug": "editor", "name": "Editor"}"#, 201, &["role.created"]),
    row("PATCH /authorization/roles/editor", r#"{"name": "An editor"}"#, 200, &["role.updated"]),
    row("PUT /authorization/roles/editor/permissions", r#"{"permissions": ["posts:write"]}"#, 200, &["role.updated"]),
    row("PUT /authorization/roles/editor/permissions", r#"{"permissions": ["posts:write"]}"#, 200, &[]),
    row("PUT /authorization/roles/editor/permissions", r#"{"permissions": ["posts:read"]}"#, 404, &[]),
    row("POST /authorization/organizations/{acme.id}/roles", r#"{"slug": "org-billing", "name": "Billing"}"#, 201, &["organization_role.created"]),
    row("PUT /authorization/organizations/{acme.id}/roles/org-billing/permissions", r#"{"permissions": ["posts:write"]}"#, 200, &["organization_role.updated"]),
    row("POST /organizations/{acme.id}/api_keys", r#"{"name": "CI", "permissions": ["posts:write"]}"#, 201, &["api_key.created"]).keep("key"),
    row("POST /organizations/{acme.id}/api_keys", r#"{"name": "CI", "permissions": ["posts:none"]}"#, 422, &[]),
    row("POST /api_keys/validations", r#"{"value": "{key.value}"}"#, 200, &[]),
    row("POST /api_keys/{key.id}/expire", r#"{"expires_at": "2100-01-01T00:00:00.000Z"}"#, 200, &["api_key.updated"]),
    row("DELETE /api_keys/{key.id}", "", 204, &["api_key.revoked"]),
    row("DELETE /authorization/permissions/posts:write", "", 204, &["role.updated", "organization_role.updated", "permission.deleted"]),
    row("DELETE /authorization/organizations/{acme.id}/roles/org-billing", "", 204, &["organization_role.deleted"]),
];

#[rustfmt::skip]
const PASSWORDS_AND_SESSIONS: &[Row] = &[
    row("POST /user_management/users", r#"{"email": "ada@example.com", "password": "correct horse battery", "email_verified": true}"#, 201, &["user.created"]).keep("ada"),
    row("POST /user_management/authenticate", r#"{"grant_type": "password", "email": "ada@example.com", "password": "wrong"}"#, 400, &["authentication.password_failed"]),
    row("POST /user_management/authenticate", r#"{"grant_type": "password", "email": "ada@example.com", "password": "correct horse battery"}"#, 200, IN).keep("session"),
    row("POST /user_management/authenticate", r#"{"grant_type": "refresh_token", "refresh_token": "{session.refresh_token}"}"#, 200, &[]).keep("session"),
    row("GET /user_management/users/{ada.id}/sessions", "", 200, &[]).keep("sessions"),
    row("POST /user_management/sessions/revoke", r#"{"session_id": "{sessions.data.0.id}"}"#, 200, &["session.revoked"]),
    row("POST /user_management/sessions/revoke", r#"{"session_id": "{sessions.data.0.id}"}"#, 200, &[]),
    row("POST /user_management/authenticate", r#"{"grant_type": "password", "email": "ada@example.com", "password": "correct horse battery"}"#, 200, IN),
    row("POST /user_management/password_reset", r#"{"email": "ada@example.com"}"#, 201, &["password_reset.created"]).keep("reset"),
    row("POST /user_management/password_reset", r#"{"email": "nobody@example.com"}"#, 404, &[]),
    row("POST /user_management/password_reset/confirm", r#"{"token": "{reset.password_reset_token}", "new_password": "qwerty123"}"#, 400, &[]),
    row("POST /user_management/password_reset/confirm", r#"{"token": "{reset.password_reset_token}", "new_password": "quiet lighthouse keeper"}"#, 200, &["user.updated", "password_reset.succeeded", "session.revoked"]),
    row("POST /user_management/password_reset/confirm", r#"{"token": "{reset.password_reset_token}", "new_password": "quiet lighthouse keeper"}"#, 400, &[]),
    row("POST /user_management/authenticate", r#"{"grant_type": "password", "email": "ada@example.com", "password": "quiet lighthouse keeper"}"#, 200, IN),
];

#[rustfmt::skip]
const CODES_BY_EMAIL: &[Row] = &[
    row("POST /user_management/users", r#"{"email": "ada@example.com", "password": "correct horse battery"}"#, 201, &["user.created"]).keep("ada"),
    row("POST /user_management/authenticate", r#"{"grant_type": "password", "email": "ada@example.com", "password": "correct horse battery"}"#, 403, &["authentication.password_succeeded", "email_verification.created"]).keep("stopped"),
    row("POST /user_management/authenticate", r#"{"grant_type": "urn:workos:oauth:grant-type:email-verification:code", "code": "x", "pending_authentication_token": "{stopped.pending_authentication_token}"}"#, 400, &["authentication.email_verification_failed"]),
    row("POST /user_management/authenticate", r#"{"grant_type": "urn:workos:oauth:grant-type:email-verification:code", "code": "{code:ada@example.com}", "pending_authentication_token": "{stopped.pending_authentication_token}"}"#, 200, &["authentication.email_verification_succeeded", "user.updated", "session.created"]),
    row("POST /user_management/magic_auth", r#"{"email": "grace@example.com"}"#, 201, &["user.created", "magic_auth.created"]).keep("magic"),
    row("POST /user_management/authenticate", r#"{"grant_type": "urn:workos:oauth:grant-type:magic-auth:code", "email": "grace@example.com", "code": "x"}"#, 400, &["authentication.magic_auth_failed"]),
    row("POST /user_management/authenticate", r#"{"grant_type": "urn:workos:oauth:grant-type:magic-auth:code", "email": "grace@example.com", "code": "{magic.code}"}"#, 200, &["authentication.magic_auth_succeeded", "user.updated", "session.created"]),
    row("POST /user_management/authenticate", r#"{"grant_type": "urn:workos:oauth:grant-type:magic-auth:code", "email": "grace@example.com", "code": "{magic.code}"}"#, 400, &["authentication.magic_auth_failed"]),
    row("POST /user_management/users/{ada.id}/email_verification/send", "", 400, &[]),
    row("POST /user_management/users/{ada.id}/email_change/send", r#"{"new_email": "countess@example.com"}"#, 200, &[]),
    row("POST /user_management/users/{ada.id}/email_change/confirm", r#"{"code": "000"}"#, 400, &[]),
    row("POST /user_management/users/{ada.id}/email_change/confirm", r#"{"code": "{code:countess@example.com}"}"#, 200, &["user.updated"]),
];

#[rustfmt::skip]
const SECOND_FACTORS_AND_RADAR: &[Row] = &[
    row("POST /user_management/users", r#"{"email": "ada@example.com", "password": "correct horse battery", "email_verified": true}"#, 201, &["user.created"]).keep("ada"),
    row("POST /user_management/users/{ada.id}/auth_factors", r#"{"type": "totp"}"#, 201, &[]).keep("factor"),
    row("POST /auth/challenges/{factor.authentication_challenge.id}/verify", r#"{"code": "{totp:factor.authentication_factor.totp.uri}"}"#, 201, &[]),
    row("POST /_emulate/clock", r#"{"advance": "30s"}"#, 200, &[]),
    row("POST /user_management/authenticate", r#"{"grant_type": "password", "email": "ada@example.com", "password": "correct horse battery"}"#, 403, &["authentication.password_succeeded"]).keep("stopped"),
    row("POST /auth/factors/{factor.authentication_factor.id}/challenge", r#"{}"#, 201, &[]).keep("challenge"),
    row("POST /user_management/authenticate", r#"{"grant_type": "urn:workos:oauth:grant-type:mfa-totp", "code": "x", "authentication_challenge_id": "{challenge.id}", "pending_authentication_token": "{stopped.pending_authentication_token}"}"#, 400, &["authentication.mfa_failed"]),
    row("POST /user_management/authenticate", r#"{"grant_type": "urn:workos:oauth:grant-type:mfa-totp", "code": "{totp:factor.authentication_factor.totp.uri}", "authentication_challenge_id": "{challenge.id}", "pending_authentication_token": "{stopped.pending_authentication_token}"}"#, 200, &["authentication.mfa_succeeded", "session.created"]),
    row("DELETE /auth/factors/{factor.authentication_factor.id}", "", 204, &[]),
    row("PATCH /_emulate/settings", r#"{"radar_challenge": "email"}"#, 200, &[]),
    row("POST /user_management/authenticate", r#"{"grant_type": "password", "email": "ada@example.com", "password": "correct horse battery"}"#, 403, &["authentication.password_succeeded", "radar.challenge_created"]).keep("stopped"),
    row("POST /user_management/authenticate", r#"{"grant_type": "urn:workos:oauth:grant-type:radar-email-challenge:code", "code": "x", "radar_challenge_id": "{stopped.radar_challenge_id}", "pending_authentication_token": "{stopped.pending_authentication_token}"}"#, 400, &[]),
    row("POST /user_management/authenticate", r#"{"grant_type": "urn:workos:oauth:grant-type:radar-email-challenge:code", "code": "{code:ada@example.com}", "radar_challenge_id": "{stopped.radar_challenge_id}", "pending_authentication_token": "{stopped.pending_authentication_token}"}"#, 200, &["authentication.radar_risk_detected", "session.created"]),
    row("PATCH /_emulate/settings", r#"{"radar_challenge": "sms"}"#, 200, &[]),
    row("POST /user_management/authenticate", r#"{"grant_type": "password", "email": "ada@example.com", "password": "correct horse battery"}"#, 403, &["authentication.password_succeeded"]).keep("stopped"),
    row("POST /user_management/radar_challenges", r#"{"user_id": "{ada.id}", "pending_authentication_token": "{stopped.pending_authentication_token}", "phone_number": "+15555550123"}"#, 201, &[]).keep("sms"),
    row("POST /user_management/authenticate", r#"{"grant_type": "urn:workos:oauth:grant-type:radar-sms-challenge:code", "code": "{code:+15555550123}", "verification_id": "{sms.verification_id}", "phone_number": "+15555550123", "pending_authentication_token": "{stopped.pending_authentication_token}"}"#, 200, &["authentication.radar_risk_detected", "session.created"]),
];

#[rustfmt::skip]
const INVITATIONS_AND_THE_WAITLIST: &[Row] = &[
    row("POST /organizations", r#"{"name": "Acme"}"#, 201, &["organization.created"]).keep("acme"),
    row("POST /user_management/invitations", r#"{"email": "grace@example.com", "organization_id": "{acme.id}"}"#, 201, &["invitation.created"]).keep("invitation"),
    row("POST /user_management/invitations", r#"{"email": "grace@example.com", "organization_id": "{acme.id}"}"#, 400, &[]),
    row("POST /user_management/invitations/{invitation.id}/resend", "", 200, &["invitation.resent"]).keep("resent"),
    row("POST /user_management/invitations/{invitation.id}/accept", "", 400, &[]),
    row("POST /user_management/users", r#"{"email": "grace@example.com", "email_verified": true}"#, 201, &["user.created"]),
    row("POST /user_management/invitations/{invitation.id}/accept", "", 200, &["organization_membership.created", "invitation.accepted"]),
    row("POST /user_management/invitations/{invitation.id}/accept", "", 400, &[]),
    row("POST /user_management/invitations", r#"{"email": "eve@example.com"}"#, 201, &["invitation.created"]).keep("eve"),
    row("POST /user_management/invitations/{eve.id}/revoke", "", 200, &["invitation.revoked"]),
    row("POST /user_management/invitations/{eve.id}/revoke", "", 400, &[]),
    row("GET /user_management/waitlists", "", 200, &[]).keep("waitlists"),
    row("POST /user_management/waitlists/{waitlists.data.0.id}/entries", r#"{"email": "bob@example.com"}"#, 201, &["waitlist_user.created"]).keep("bob"),
    row("POST /user_management/waitlists/{waitlists.data.0.id}/entries", r#"{"email": "bob@example.com"}"#, 201, &[]),
    row("POST /user_management/waitlist_entries/{bob.id}/deny", "", 200, &["waitlist_user.denied"]),
    row("POST /user_management/waitlist_entries/{bob.id}/deny", "", 422, &[]),
    row("POST /user_management/waitlist_entries/{bob.id}/approve", "", 200, &["waitlist_user.approved", "invitation.created"]),
    row("DELETE /user_management/waitlist_entries/{bob.id}", "", 204, &[]),
];

async fn run(rows: &[Row]) {
    let emulator = Emulator::start().await.unwrap();
    let mut log = Log::start(&emulator).await;
    for row in rows {
        log.make(row).await;
    }
    log.finish().await;
}

#[actix_web::test]
async fn users_are_told_of() {
    run(USERS).await;
}

#[actix_web::test]
async fn organizations_are_told_of() {
    run(ORGANIZATIONS).await;
}

#[actix_web::test]
async fn memberships_groups_and_flags_are_told_of() {
    run(MEMBERSHIPS_GROUPS_AND_FLAGS).await;
}

#[actix_web::test]
async fn roles_permissions_and_api_keys_are_told_of() {
    run(ROLES_PERMISSIONS_AND_API_KEYS).await;
}

#[actix_web::test]
async fn passwords_and_sessions_are_told_of() {
    run(PASSWORDS_AND_SESSIONS).await;
}

#[actix_web::test]
async fn codes_by_email_are_told_of() {
    run(CODES_BY_EMAIL).await;
}

#[actix_web::test]
async fn second_factors_and_radar_are_told_of() {
    run(SECOND_FACTORS_AND_RADAR).await;
}

#[actix_web::test]
async fn invitations_and_the_waitlist_are_told_of() {
    run(INVITATIONS_AND_THE_WAITLIST).await;
}

/// Nothing that has a shape is without a cause here.
#[test]
fn every_event_is_caused() {
    let tables = [
        USERS,
        ORGANIZATIONS,
        MEMBERSHIPS_GROUPS_AND_FLAGS,
        ROLES_PERMISSIONS_AND_API_KEYS,
        PASSWORDS_AND_SESSIONS,
        CODES_BY_EMAIL,
        SECOND_FACTORS_AND_RADAR,
        INVITATIONS_AND_THE_WAITLIST,
    ];
    let mut caused: BTreeSet<&str> = tables
        .concat()
        .iter()
        .flat_map(|row| row.events)
        .copied()
        .collect();
    caused.extend(pages::events());
    let shapes: BTreeSet<&str> = SHAPES.iter().map(|(name, _)| *name).collect();
    assert_eq!(caused, shapes);
}
