//! The table of everything that is served, and the way from a path to its operations.

use super::operation::{Operation, delete, get, not_built, patch, post, put, waiting};
use crate::{
    api::{
        admin_portal::links,
        api_keys,
        authorization::{environment_roles, organization_roles, permissions},
        client_api,
        connect::{
            applications, authorize as connect_authorize, authorized_applications, client_secrets,
            device_authorization as connect_device, discovery, introspection, registration, resources,
            standalone, token, userinfo,
        },
        directory_sync, events, feature_flags, groups,
        multi_factor_auth::{challenges, factors, user_factors},
        organization_domains,
        organizations::{self, it_contacts},
        sso::{self, certificates, connections},
        user_management::{
            authenticate, authorize, cors_origins, device_authorization, email_change, email_verification,
            identities, invitations, jwt_template, logout, magic_auth, memberships, password_reset,
            radar_challenges, redirect_uris, sessions, signing_keys, users, waitlists,
        },
        webhooks, widgets,
    },
    control, hosted, scim,
};

/// Every operation of the WorkOS API, in the order of its products. A new one is one line here.
#[rustfmt::skip]
const API: &[Operation] = &[
    // admin_portal
    post("/portal/generate_link", "generate_link", links::generate_link),
    post("/portal/revoke_link", "revoke_link", links::revoke_link),

    // agents
    not_built("GET", "/agents/blueprints", "list_blueprints"),
    not_built("POST", "/agents/blueprints", "create_blueprint"),
    not_built("GET", "/agents/blueprints/{agent_blueprint_id}", "get_blueprint"),
    not_built("PATCH", "/agents/blueprints/{agent_blueprint_id}", "update_blueprint"),
    not_built("DELETE", "/agents/blueprints/{agent_blueprint_id}", "delete_blueprint"),
    not_built("POST", "/agents/blueprints/{agent_blueprint_id}/tokens", "create_blueprint_token"),
    not_built("POST", "/agents/blueprints/{agent_blueprint_id}/tokens/validate", "validate_blueprint_token"),
    not_built("PATCH", "/agents/claims/attempts", "update_attempts"),
    not_built("POST", "/agents/credentials/validate", "create_validate"),
    not_built("GET", "/agents/instances", "list_instances"),
    not_built("GET", "/agents/instances/{agent_instance_id}", "get_instance"),
    not_built("DELETE", "/agents/instances/{agent_instance_id}", "delete_instance"),
    not_built("GET", "/agents/registrations/{id}", "get_registration"),
    not_built("POST", "/agents/registrations/{id}/revoke", "revoke_registration"),
    not_built("GET", "/agents/sessions", "list_sessions"),
    not_built("GET", "/agents/sessions/{agent_instance_session_id}", "get_session"),
    not_built("POST", "/agents/sessions/{agent_instance_session_id}/revoke", "revoke_session"),

    // api_keys
    post("/api_keys/validations", "create_validation", api_keys::create_validation),
    delete("/api_keys/{id}", "delete_api_key", api_keys::delete_api_key),
    post("/api_keys/{id}/expire", "create_api_key_expire", api_keys::create_api_key_expire),
    get("/organizations/{organizationId}/api_keys", "list_organization_api_keys", api_keys::list_organization_api_keys),
    post("/organizations/{organizationId}/api_keys", "create_organization_api_key", api_keys::create_organization_api_key),

    // audit_logs
    not_built("GET", "/audit_logs/actions", "list_actions"),
    not_built("GET", "/audit_logs/actions/{actionName}/schemas", "list_action_schemas"),
    not_built("POST", "/audit_logs/actions/{actionName}/schemas", "create_schema"),
    not_built("POST", "/audit_logs/events", "create_event"),
    not_built("POST", "/audit_logs/exports", "create_export"),
    not_built("GET", "/audit_logs/exports/{auditLogExportId}", "get_export"),
    not_built("GET", "/organizations/{id}/audit_logs_retention", "get_organization_audit_logs_retention"),
    not_built("PUT", "/organizations/{id}/audit_logs_retention", "update_organization_audit_logs_retention"),

    // authorization
    not_built("GET", "/authorization/groups/{group_id}/role_assignments", "list_group_role_assignments"),
    not_built("POST", "/authorization/groups/{group_id}/role_assignments", "create_group_role_assignment"),
    not_built("PUT", "/authorization/groups/{group_id}/role_assignments", "update_group_role_assignments"),
    not_built("DELETE", "/authorization/groups/{group_id}/role_assignments", "delete_group_role_assignments"),
    not_built("GET", "/authorization/groups/{group_id}/role_assignments/{role_assignment_id}", "get_group_role_assignment"),
    not_built("DELETE", "/authorization/groups/{group_id}/role_assignments/{role_assignment_id}", "delete_group_role_assignment"),
    not_built("POST", "/authorization/organization_memberships/{organization_membership_id}/check", "check"),
    not_built("GET", "/authorization/organization_memberships/{organization_membership_id}/resources", "list_resources_for_membership"),
    not_built("GET", "/authorization/organization_memberships/{organization_membership_id}/resources/{resource_id}/permissions", "list_effective_permissions"),
    not_built("GET", "/authorization/organization_memberships/{organization_membership_id}/resources/{resource_type_slug}/{external_id}/permissions", "list_effective_permissions_by_external_id"),
    not_built("GET", "/authorization/organization_memberships/{organization_membership_id}/role_assignments", "list_role_assignments"),
    not_built("POST", "/authorization/organization_memberships/{organization_membership_id}/role_assignments", "assign_role"),
    not_built("DELETE", "/authorization/organization_memberships/{organization_membership_id}/role_assignments", "remove_role"),
    not_built("DELETE", "/authorization/organization_memberships/{organization_membership_id}/role_assignments/{role_assignment_id}", "remove_role_assignment"),
    get("/authorization/organizations/{organizationId}/roles", "list_organization_roles", organization_roles::list_organization_roles),
    post("/authorization/organizations/{organizationId}/roles", "create_organization_role", organization_roles::create_organization_role),
    get("/authorization/organizations/{organizationId}/roles/{slug}", "get_organization_role", organization_roles::get_organization_role),
    patch("/authorization/organizations/{organizationId}/roles/{slug}", "update_organization_role", organization_roles::update_organization_role),
    delete("/authorization/organizations/{organizationId}/roles/{slug}", "delete_organization_role", organization_roles::delete_organization_role),
    post("/authorization/organizations/{organizationId}/roles/{slug}/permissions", "add_organization_role_permission", organization_roles::add_organization_role_permission),
    put("/authorization/organizations/{organizationId}/roles/{slug}/permissions", "set_organization_role_permissions", organization_roles::set_organization_role_permissions),
    delete("/authorization/organizations/{organizationId}/roles/{slug}/permissions/{permissionSlug}", "remove_organization_role_permission", organization_roles::remove_organization_role_permission),
    not_built("GET", "/authorization/organizations/{organization_id}/resources/{resource_type_slug}/{external_id}", "get_resource_by_external_id"),
    not_built("PATCH", "/authorization/organizations/{organization_id}/resources/{resource_type_slug}/{external_id}", "update_resource_by_external_id"),
    not_built("DELETE", "/authorization/organizations/{organization_id}/resources/{resource_type_slug}/{external_id}", "delete_resource_by_external_id"),
    not_built("GET", "/authorization/organizations/{organization_id}/resources/{resource_type_slug}/{external_id}/organization_memberships", "list_memberships_for_resource_by_external_id"),
    not_built("GET", "/authorization/organizations/{organization_id}/resources/{resource_type_slug}/{external_id}/role_assignments", "list_role_assignments_for_resource_by_external_id"),
    get("/authorization/permissions", "list_permissions", permissions::list_permissions),
    post("/authorization/permissions", "create_permission", permissions::create_permission),
    get("/authorization/permissions/{slug}", "get_permission", permissions::get_permission),
    patch("/authorization/permissions/{slug}", "update_permission", permissions::update_permission),
    delete("/authorization/permissions/{slug}", "delete_permission", permissions::delete_permission),
    not_built("GET", "/authorization/resources", "list_resources"),
    not_built("POST", "/authorization/resources", "create_resource"),
    not_built("GET", "/authorization/resources/{resource_id}", "get_resource"),
    not_built("PATCH", "/authorization/resources/{resource_id}", "update_resource"),
    not_built("DELETE", "/authorization/resources/{resource_id}", "delete_resource"),
    not_built("GET", "/authorization/resources/{resource_id}/organization_memberships", "list_memberships_for_resource"),
    not_built("GET", "/authorization/resources/{resource_id}/role_assignments", "list_role_assignments_for_resource"),
    get("/authorization/roles", "list_environment_roles", environment_roles::list_environment_roles),
    post("/authorization/roles", "create_environment_role", environment_roles::create_environment_role),
    get("/authorization/roles/{slug}", "get_environment_role", environment_roles::get_environment_role),
    patch("/authorization/roles/{slug}", "update_environment_role", environment_roles::update_environment_role),
    post("/authorization/roles/{slug}/permissions", "add_environment_role_permission", environment_roles::add_environment_role_permission),
    put("/authorization/roles/{slug}/permissions", "set_environment_role_permissions", environment_roles::set_environment_role_permissions),

    // client_api
    post("/client/token", "create_token", client_api::create_token),

    // connect
    post("/authkit/oauth2/complete", "complete_oauth_2", standalone::complete_oauth2),
    get("/connect/applications", "list_applications", applications::list_applications),
    post("/connect/applications", "create_oauth_application", applications::create_application),
    get("/connect/applications/{id}", "get_application", applications::get_application),
    put("/connect/applications/{id}", "update_application", applications::update_application),
    delete("/connect/applications/{id}", "delete_application", applications::delete_application),
    get("/connect/applications/{id}/client_secrets", "list_application_client_secrets", client_secrets::list_application_client_secrets),
    post("/connect/applications/{id}/client_secrets", "create_application_client_secret", client_secrets::create_application_client_secret),
    delete("/connect/client_secrets/{id}", "delete_client_secret", client_secrets::delete_client_secret),

    // directory_sync
    get("/directories", "list_directories", directory_sync::directories::list_directories),
    get("/directories/{id}", "get_directory", directory_sync::directories::get_directory),
    delete("/directories/{id}", "delete_directory", directory_sync::directories::delete_directory),
    post("/directories/{id}/sync", "create_directory_sync", directory_sync::directories::create_directory_sync),
    get("/directory_groups", "list_groups", directory_sync::groups::list_groups),
    get("/directory_groups/{id}", "get_group", directory_sync::groups::get_group),
    get("/directory_users", "list_users", directory_sync::users::list_users),
    get("/directory_users/{id}", "get_user", directory_sync::users::get_user),

    // events
    get("/events", "list_events", events::list_events),

    // feature_flags
    get("/feature-flags", "list_feature_flags", feature_flags::list_feature_flags),
    get("/feature-flags/{slug}", "get_feature_flag", feature_flags::get_feature_flag),
    put("/feature-flags/{slug}/disable", "disable_feature_flag", feature_flags::disable_feature_flag),
    put("/feature-flags/{slug}/enable", "enable_feature_flag", feature_flags::enable_feature_flag),
    post("/feature-flags/{slug}/targets/{resourceId}", "add_flag_target", feature_flags::add_flag_target),
    delete("/feature-flags/{slug}/targets/{resourceId}", "remove_flag_target", feature_flags::remove_flag_target),
    get("/organizations/{organizationId}/feature-flags", "list_organization_feature_flags", feature_flags::list_organization_feature_flags),
    get("/user_management/users/{userId}/feature-flags", "list_user_feature_flags", feature_flags::list_user_feature_flags),

    // groups
    get("/organizations/{organizationId}/groups", "list_organization_groups", groups::list_groups),
    post("/organizations/{organizationId}/groups", "create_organization_group", groups::create_group),
    get("/organizations/{organizationId}/groups/{groupId}", "get_organization_group", groups::get_group),
    patch("/organizations/{organizationId}/groups/{groupId}", "update_organization_group", groups::update_group),
    delete("/organizations/{organizationId}/groups/{groupId}", "delete_organization_group", groups::delete_group),
    get("/organizations/{organizationId}/groups/{groupId}/organization-memberships", "list_group_organization_memberships", groups::list_group_members),
    post("/organizations/{organizationId}/groups/{groupId}/organization-memberships", "create_group_organization_membership", groups::add_group_member),
    delete("/organizations/{organizationId}/groups/{groupId}/organization-memberships/{omId}", "delete_group_organization_membership", groups::remove_group_member),

    // multi_factor_auth
    post("/auth/challenges/{id}/verify", "verify_challenge", challenges::verify_challenge),
    post("/auth/factors/enroll", "enroll_factor", factors::enroll_factor).slow(),
    get("/auth/factors/{id}", "get_factor", factors::get_factor),
    delete("/auth/factors/{id}", "delete_factor", factors::delete_factor),
    post("/auth/factors/{id}/challenge", "challenge_factor", challenges::challenge_factor),
    get("/user_management/users/{userlandUserId}/auth_factors", "list_user_auth_factors", user_factors::list_user_auth_factors),
    post("/user_management/users/{userlandUserId}/auth_factors", "create_user_auth_factor", user_factors::create_user_auth_factor).slow(),

    // organization_domains
    post("/organization_domains", "create_organization_domain", organization_domains::create_organization_domain),
    get("/organization_domains/{id}", "get_organization_domain", organization_domains::get_organization_domain),
    delete("/organization_domains/{id}", "delete_organization_domain", organization_domains::delete_organization_domain),
    post("/organization_domains/{id}/verify", "verify_organization_domain", organization_domains::verify_organization_domain),

    // organization_membership
    get("/user_management/organization_memberships", "list_organization_memberships", memberships::list_organization_memberships),
    post("/user_management/organization_memberships", "create_organization_membership", memberships::create_organization_membership),
    get("/user_management/organization_memberships/{id}", "get_organization_membership", memberships::get_organization_membership),
    put("/user_management/organization_memberships/{id}", "update_organization_membership", memberships::update_organization_membership),
    delete("/user_management/organization_memberships/{id}", "delete_organization_membership", memberships::delete_organization_membership),
    put("/user_management/organization_memberships/{id}/deactivate", "deactivate_organization_membership", memberships::deactivate_organization_membership),
    put("/user_management/organization_memberships/{id}/reactivate", "reactivate_organization_membership", memberships::reactivate_organization_membership),
    get("/user_management/organization_memberships/{omId}/groups", "list_organization_membership_groups", groups::list_groups_of_membership),

    // organizations
    get("/organizations", "list_organizations", organizations::list_organizations),
    post("/organizations", "create_organization", organizations::create_organization),
    get("/organizations/external_id/{external_id}", "get_organization_by_external_id", organizations::get_organization_by_external_id),
    get("/organizations/{id}", "get_organization", organizations::get_organization),
    put("/organizations/{id}", "update_organization", organizations::update_organization),
    delete("/organizations/{id}", "delete_organization", organizations::delete_organization),
    not_built("GET", "/organizations/{id}/audit_log_configuration", "get_audit_log_configuration"),
    get("/organizations/{organization_id}/authorized_applications", "list_authorized_applications", authorized_applications::list_authorized_applications),
    get("/organizations/{organization_id}/it_contacts", "list_it_contacts", it_contacts::list_it_contacts),
    post("/organizations/{organization_id}/it_contacts", "create_it_contact", it_contacts::create_it_contact),
    delete("/organizations/{organization_id}/it_contacts/{contact_id}", "delete_it_contact", it_contacts::delete_it_contact),
    post("/organizations/{organization_id}/it_contacts/{contact_id}/invite", "invite_it_contact", it_contacts::invite_it_contact),
    post("/organizations/{organization_id}/it_contacts/{contact_id}/revoke", "revoke_it_contact", it_contacts::revoke_it_contact),

    // pipes
    not_built("GET", "/data-integrations", "list_data_integrations"),
    not_built("POST", "/data-integrations", "create_data_integration"),
    not_built("GET", "/data-integrations/{slug}", "get_data_integration"),
    not_built("PUT", "/data-integrations/{slug}", "update_data_integration"),
    not_built("DELETE", "/data-integrations/{slug}", "delete_data_integration"),
    not_built("POST", "/data-integrations/{slug}/api-key", "create_data_integration_api_key"),
    not_built("PUT", "/data-integrations/{slug}/api-key", "update_data_integration_api_key"),
    not_built("POST", "/data-integrations/{slug}/authorize", "authorize_data_integration"),
    not_built("POST", "/data-integrations/{slug}/client-credentials", "create_data_integration_client_credential"),
    not_built("PUT", "/data-integrations/{slug}/client-credentials", "update_data_integration_client_credentials"),
    not_built("POST", "/data-integrations/{slug}/credentials", "create_data_integration_credential"),
    not_built("GET", "/data-integrations/{slug}/organization", "list_data_integration_organization"),
    not_built("PUT", "/data-integrations/{slug}/organization", "update_data_integration_organization"),
    not_built("DELETE", "/data-integrations/{slug}/organization", "delete_data_integration_organization"),
    not_built("POST", "/data-integrations/{slug}/token", "get_access_token"),
    not_built("GET", "/organizations/{organization_id}/connected_accounts/{slug}", "get_organization_connected_account"),
    not_built("POST", "/organizations/{organization_id}/connected_accounts/{slug}", "create_organization_connected_account"),
    not_built("PUT", "/organizations/{organization_id}/connected_accounts/{slug}", "update_organization_connected_account"),
    not_built("DELETE", "/organizations/{organization_id}/connected_accounts/{slug}", "delete_organization_connected_account"),
    not_built("GET", "/organizations/{organization_id}/data_providers", "list_organization_data_providers"),
    not_built("GET", "/user_management/users/{user_id}/connected_accounts/{slug}", "get_user_connected_account"),
    not_built("POST", "/user_management/users/{user_id}/connected_accounts/{slug}", "create_user_connected_account"),
    not_built("PUT", "/user_management/users/{user_id}/connected_accounts/{slug}", "update_user_connected_account"),
    not_built("DELETE", "/user_management/users/{user_id}/connected_accounts/{slug}", "delete_user_connected_account"),
    not_built("GET", "/user_management/users/{user_id}/data_providers", "list_user_data_providers"),

    // pipes_provider
    not_built("GET", "/organizations/{organizationId}/data_integration_configurations", "list_organization_data_integration_configurations"),
    not_built("PUT", "/organizations/{organizationId}/data_integration_configurations/{slug}", "update_organization_data_integration_configuration"),

    // platform_teams
    not_built("POST", "/platform/teams", "create_team"),
    not_built("GET", "/platform/teams/{team_id}", "get_team"),

    // radar
    not_built("POST", "/radar/attempts", "create_attempt"),
    not_built("PUT", "/radar/attempts/{id}", "update_attempt"),
    not_built("POST", "/radar/lists/{type}/{action}", "add_list_entry"),
    not_built("DELETE", "/radar/lists/{type}/{action}", "remove_list_entry"),

    // sso
    get("/connections", "list_connections", connections::list_connections),
    post("/connections", "create_connection", connections::create_connection).slow(),
    get("/connections/{connectionId}/saml_idp_signing_certs", "list_connection_saml_idp_signing_certs", certificates::list_connection_saml_idp_signing_certs),
    post("/connections/{connectionId}/saml_idp_signing_certs", "create_connection_saml_idp_signing_cert", certificates::create_connection_saml_idp_signing_cert),
    delete("/connections/{connectionId}/saml_idp_signing_certs/{certificateId}", "delete_connection_saml_idp_signing_cert", certificates::delete_connection_saml_idp_signing_cert),
    get("/connections/{connectionId}/saml_sp_encryption_certs", "list_connection_saml_sp_encryption_certs", certificates::list_connection_saml_sp_encryption_certs),
    post("/connections/{connectionId}/saml_sp_encryption_certs", "create_connection_saml_sp_encryption_cert", certificates::create_connection_saml_sp_encryption_cert).slow(),
    delete("/connections/{connectionId}/saml_sp_encryption_certs/{certificateId}", "delete_connection_saml_sp_encryption_cert", certificates::delete_connection_saml_sp_encryption_cert),
    get("/connections/{connectionId}/saml_sp_signing_cert", "list_connection_saml_sp_signing_cert", certificates::list_connection_saml_sp_signing_cert),
    post("/connections/{connectionId}/saml_sp_signing_cert", "create_connection_saml_sp_signing_cert", certificates::create_connection_saml_sp_signing_cert).slow(),
    delete("/connections/{connectionId}/saml_sp_signing_cert/{certificateId}", "delete_connection_saml_sp_signing_cert", certificates::delete_connection_saml_sp_signing_cert),
    get("/connections/{id}", "get_connection", connections::get_connection),
    patch("/connections/{id}", "update_connection", connections::update_connection),
    delete("/connections/{id}", "delete_connection", connections::delete_connection),
    get("/sso/authorize", "get_authorization_url", sso::authorize::get_authorization_url).client(),
    waiting("/sso/logout", "get_logout_url", sso::logout::get_logout_url).client(),
    post("/sso/logout/authorize", "authorize_logout", sso::logout::authorize_logout),
    get("/sso/profile", "get_profile", sso::token::get_profile).client(),
    post("/sso/token", "get_profile_and_token", sso::token::get_profile_and_token).client(),

    // user_management
    get("/sso/jwks/{clientId}", "get_jwks", signing_keys::get_jwks).client().cross_origin(),
    post("/user_management/authenticate", "authenticate", authenticate::authenticate).client().cross_origin().slow(),
    get("/user_management/authkit_oauth_resources", "list_authkit_oauth_resources", resources::list_authkit_oauth_resources),
    post("/user_management/authkit_oauth_resources", "create_authkit_oauth_resource", resources::create_authkit_oauth_resource),
    delete("/user_management/authkit_oauth_resources/{id}", "delete_authkit_oauth_resource", resources::delete_authkit_oauth_resource),
    get("/user_management/authorize", "get_authorization_url", authorize::get_authorization_url).client(),
    post("/user_management/authorize/device", "create_device", device_authorization::create_device).client(),
    get("/user_management/cors_origins", "list_cors_origins", cors_origins::list_cors_origins),
    post("/user_management/cors_origins", "create_cors_origin", cors_origins::create_cors_origin),
    get("/user_management/email_verification/{id}", "get_email_verification", email_verification::get_email_verification),
    get("/user_management/invitations", "list_invitations", invitations::list_invitations),
    post("/user_management/invitations", "send_invitation", invitations::send_invitation),
    get("/user_management/invitations/by_token/{token}", "find_invitation_by_token", invitations::find_invitation_by_token),
    get("/user_management/invitations/{id}", "get_invitation", invitations::get_invitation),
    post("/user_management/invitations/{id}/accept", "accept_invitation", invitations::accept_invitation),
    post("/user_management/invitations/{id}/resend", "resend_invitation", invitations::resend_invitation),
    post("/user_management/invitations/{id}/revoke", "revoke_invitation", invitations::revoke_invitation),
    get("/user_management/jwt_template", "list_jwt_template", jwt_template::get_jwt_template),
    put("/user_management/jwt_template", "update_jwt_template", jwt_template::update_jwt_template),
    post("/user_management/magic_auth", "create_magic_auth", magic_auth::create_magic_auth),
    get("/user_management/magic_auth/{id}", "get_magic_auth", magic_auth::get_magic_auth),
    post("/user_management/password_reset", "reset_password", password_reset::reset_password),
    post("/user_management/password_reset/confirm", "confirm_password_reset", password_reset::confirm_password_reset).slow(),
    get("/user_management/password_reset/{id}", "get_password_reset", password_reset::get_password_reset),
    post("/user_management/radar_challenges", "create_radar_challenge", radar_challenges::create_radar_challenge),
    get("/user_management/radar_challenges/{id}", "get_radar_challenge", radar_challenges::get_radar_challenge),
    get("/user_management/redirect_uris", "list_redirect_uris", redirect_uris::list_redirect_uris),
    post("/user_management/redirect_uris", "create_redirect_uri", redirect_uris::create_redirect_uri),
    delete("/user_management/redirect_uris/{id}", "delete_redirect_uris", redirect_uris::delete_redirect_uris),
    get("/user_management/sessions/logout", "get_logout_url", logout::get_logout_url).client(),
    post("/user_management/sessions/revoke", "revoke_session", sessions::revoke_session),
    get("/user_management/users", "list_users", users::list_users),
    post("/user_management/users", "create_user", users::create_user).slow(),
    get("/user_management/users/external_id/{external_id}", "get_user_by_external_id", users::get_user_by_external_id),
    get("/user_management/users/{id}", "get_user", users::get_user),
    put("/user_management/users/{id}", "update_user", users::update_user).slow(),
    delete("/user_management/users/{id}", "delete_user", users::delete_user),
    post("/user_management/users/{id}/email_change/confirm", "confirm_email_change", email_change::confirm_email_change),
    post("/user_management/users/{id}/email_change/send", "send_email_change", email_change::send_email_change),
    post("/user_management/users/{id}/email_verification/confirm", "verify_email", email_verification::verify_email),
    post("/user_management/users/{id}/email_verification/send", "send_verification_email", email_verification::send_verification_email),
    get("/user_management/users/{id}/identities", "get_user_identities", identities::get_user_identities),
    get("/user_management/users/{id}/sessions", "list_sessions", sessions::list_sessions),
    get("/user_management/users/{userId}/api_keys", "list_user_api_keys", api_keys::list_user_api_keys),
    post("/user_management/users/{userId}/api_keys", "create_user_api_key", api_keys::create_user_api_key),
    get("/user_management/users/{user_id}/authorized_applications", "list_user_authorized_applications", authorized_applications::list_user_authorized_applications),
    delete("/user_management/users/{user_id}/authorized_applications/{application_id}", "delete_user_authorized_application", authorized_applications::delete_user_authorized_application),
    delete("/user_management/waitlist_entries/{id}", "delete_waitlist_entry", waitlists::delete_waitlist_entry),
    post("/user_management/waitlist_entries/{id}/approve", "create_waitlist_entry_approve", waitlists::create_waitlist_entry_approve),
    post("/user_management/waitlist_entries/{id}/deny", "create_waitlist_entry_deny", waitlists::create_waitlist_entry_deny),
    get("/user_management/waitlists", "list_waitlists", waitlists::list_waitlists),
    get("/user_management/waitlists/{id}", "get_waitlist", waitlists::get_waitlist),
    get("/user_management/waitlists/{id}/entries", "list_waitlist_entries", waitlists::list_waitlist_entries),
    post("/user_management/waitlists/{id}/entries", "create_waitlist_entry", waitlists::create_waitlist_entry),

    // vault
    not_built("POST", "/vault/v1/keys/data-key", "create_data_key"),
    not_built("POST", "/vault/v1/keys/decrypt", "create_decrypt"),
    not_built("POST", "/vault/v1/keys/rekey", "create_rekey"),
    not_built("GET", "/vault/v1/kv", "list_kv"),
    not_built("POST", "/vault/v1/kv", "create_kv"),
    not_built("GET", "/vault/v1/kv/name/{name}", "get_name"),
    not_built("GET", "/vault/v1/kv/{id}", "get_kv"),
    not_built("PUT", "/vault/v1/kv/{id}", "update_kv"),
    not_built("DELETE", "/vault/v1/kv/{id}", "delete_kv"),
    not_built("GET", "/vault/v1/kv/{id}/metadata", "list_kv_metadata"),
    not_built("GET", "/vault/v1/kv/{id}/versions", "list_kv_versions"),

    // webhooks
    get("/webhook_endpoints", "list_webhook_endpoints", webhooks::list_webhook_endpoints),
    post("/webhook_endpoints", "create_webhook_endpoint", webhooks::create_webhook_endpoint),
    patch("/webhook_endpoints/{id}", "update_webhook_endpoint", webhooks::update_webhook_endpoint),
    delete("/webhook_endpoints/{id}", "delete_webhook_endpoint", webhooks::delete_webhook_endpoint),

    // widgets
    post("/widgets/token", "create_token", widgets::create_token),
];

/// What WorkOS serves beyond its published description.
#[rustfmt::skip]
const UNPUBLISHED: &[Operation] = &[
    get("/user_management/{client_id}/.well-known/openid-configuration", "get_openid_configuration", signing_keys::get_openid_configuration).client().cross_origin(),
    get("/.well-known/oauth-authorization-server", "get_oauth_authorization_server", discovery::get_oauth_authorization_server).client().cross_origin(),
    get("/.well-known/openid-configuration", "get_connect_openid_configuration", discovery::get_openid_configuration).client().cross_origin(),
    get("/oauth2/authorize", "connect_authorize", connect_authorize::authorize).client(),
    post("/oauth2/device_authorization", "connect_device_authorization", connect_device::device_authorization).client().cross_origin(),
    post("/oauth2/introspection", "introspection", introspection::introspection).client(),
    get("/oauth2/jwks", "get_connect_jwks", discovery::get_jwks).client().cross_origin(),
    post("/oauth2/register", "register", registration::register).client().cross_origin(),
    post("/oauth2/token", "token", token::token).client().cross_origin().slow(),
    get("/oauth2/userinfo", "userinfo", userinfo::userinfo).client().cross_origin(),
    post("/oauth2/userinfo", "userinfo", userinfo::userinfo).client().cross_origin(),
    get("/sdk/feature-flags", "poll_feature_flags", feature_flags::poll_feature_flags),
];

/// The operations by path.
#[derive(Debug)]
pub(crate) struct Routes(matchit::Router<Vec<Operation>>);

impl Routes {
    /// All routes of the emulator.
    pub(crate) fn new() -> Self {
        let mut by_path = std::collections::BTreeMap::<String, Vec<Operation>>::new();
        for operation in Self::all() {
            by_path
                .entry(pattern(operation.path))
                .or_default()
                .push(*operation);
        }
        let mut router = matchit::Router::new();
        for (path, operations) in by_path {
            let inserted = router.insert(path, operations);
            debug_assert!(inserted.is_ok(), "{inserted:?}");
        }
        Self(router)
    }

    /// Every operation, in the order of the lists.
    pub(crate) fn all() -> impl Iterator<Item = &'static Operation> {
        [
            API,
            UNPUBLISHED,
            scim::OPERATIONS,
            hosted::OPERATIONS,
            control::OPERATIONS,
        ]
        .into_iter()
        .flatten()
    }

    /// The operations at a path, and the values of its parameters.
    pub(crate) fn operations(&self, path: &str) -> Option<(&[Operation], Vec<String>)> {
        let found = self.0.at(path).ok()?;
        let values = found.params.iter().map(|(_, value)| decoded(value)).collect();
        Some((found.value, values))
    }
}

/// The path with its parameters named by position: the same place has other names in other operations.
fn pattern(path: &str) -> String {
    let segments = path
        .split('/')
        .enumerate()
        .map(|(at, segment)| match segment.strip_prefix('{') {
            Some(_) => format!("{{p{at}}}"),
            None => segment.to_owned(),
        });
    segments.collect::<Vec<_>>().join("/")
}

fn decoded(value: &str) -> String {
    percent_encoding::percent_decode_str(value)
        .decode_utf8_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_operation_is_listed_once_and_found() {
        let routes = Routes::new();
        let mut seen = HashSet::new();
        for operation in API {
            assert!(seen.insert((operation.method, operation.path)), "{operation:?}");
            let path = operation.path.replace(['{', '}'], "");
            let (found, _) = routes.operations(&path).unwrap();
            assert!(
                found
                    .iter()
                    .any(|other| other.name == operation.name && other.method == operation.method),
                "{path}"
            );
        }
        assert_eq!(API.len(), 266);
    }

    #[test]
    fn parameters_are_decoded_and_stay_in_their_segment() {
        let routes = Routes::new();
        let (_, values) = routes.operations("/organizations/external_id/a%2Fb%20c").unwrap();
        assert_eq!(values, ["a/b c"]);
        assert!(routes.operations("/organizations/external_id/a/b").is_none());
    }
}
