//! A request for every operation that takes a body.

use reqwest::Method;
use serde_json::{Value, json};
use workos_emulator::Emulator;

use crate::http;

/// An emulator, and a request that it would take for every served operation with a body.
pub(super) async fn good_requests() -> (Emulator, Vec<(&'static str, String, Value)>) {
    let emulator = Emulator::start().await.unwrap();
    let acme = emulator.organization("Acme").create().unwrap().id;
    let user = emulator.user("ada@example.com").password("correct horse battery");
    let user = user.create().unwrap().id;
    let other = emulator.user("bob@example.com").create().unwrap().id;
    emulator
        .role("editor")
        .permissions(["posts:write"])
        .create()
        .unwrap();
    let created = async |path: &str, body: Value| {
        let (status, created) = http::call(&emulator, Method::POST, path, &body).await;
        assert_eq!(status, 201, "{path}: {created}");
        created["id"].as_str().unwrap().to_owned()
    };
    let memberships = "/user_management/organization_memberships";
    let member = created(memberships, json!({"user_id": user, "organization_id": acme})).await;
    let endpoint = json!({"endpoint_url": "http://127.0.0.1:1/", "events": ["user.created"]});
    let endpoint_id = created("/webhook_endpoints", endpoint).await;
    created("/_emulate/feature_flags", json!({"slug": "beta"})).await;
    let connection = json!({"organization_id": acme, "connection_type": "OktaSAML"});
    let connection = created("/_emulate/connections", connection).await;
    let groups = format!("/organizations/{acme}/groups");
    let group = created(&groups, json!({"name": "Engineering"})).await;
    let own_role = json!({"slug": "org-billing", "name": "Billing"});
    let own_roles = format!("/authorization/organizations/{acme}/roles");
    created(&own_roles, own_role).await;

    let invitation = json!({
        "email": "new@example.com", "organization_id": acme, "role_slug": "editor", "expires_in_days": 7,
        "inviter_user_id": user, "locale": "en",
    });
    let invitations = "/user_management/invitations";
    let invitation_id = created(invitations, json!({"email": "new@example.com"})).await;
    let (_, waitlists) = http::call(&emulator, Method::GET, "/user_management/waitlists", &Value::Null).await;
    let waitlist_id = waitlists["data"][0]["id"].as_str().unwrap();
    let entries = format!("/user_management/waitlists/{waitlist_id}/entries");
    let entry = json!({
        "email": "new@example.com", "additional_fields": {"company": "Acme"}, "send_confirmation_email": true,
    });
    let entry_id = created(&entries, entry.clone()).await;

    let organization = json!({
        "name": "Globex", "external_id": "1", "metadata": {"a": "b"}, "domains": ["globex.com"],
        "domain_data": [{"domain": "globex.com", "state": "verified"}],
        "allow_profiles_outside_organization": true, "stripe_customer_id": "cus_1",
    });
    let new_user = json!({
        "email": "eve@example.com", "email_verified": true, "first_name": "E", "last_name": "E", "name": "E",
        "external_id": "2", "metadata": {"a": "b"}, "password": "correct horse battery",
        "password_hash": "$2b$04$N9qo8uLOickgx2ZMRZoMyeNK8zsWBMaMSVoubqovVQN3ypdVzHwOW",
        "password_hash_type": "bcrypt", "password_salt_position": "prefix", "locale": "en",
        "ip_address": "192.0.2.1", "user_agent": "test", "signals_id": "x",
    });
    let authenticate = json!({
        "grant_type": "password", "client_id": "client_emulate", "client_secret": "sk_test_default",
        "email": "ada@example.com", "password": "correct horse battery", "ip_address": "192.0.2.1", "user_agent": "x",
        "invitation_token": "x",
    });
    let grant = |grant_type: &str, members: Value| {
        let mut body = json!({
            "grant_type": grant_type, "client_id": "client_emulate", "client_secret": "sk_test_default",
        });
        for (name, value) in members.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    let code = grant(
        "authorization_code",
        json!({"code": "x", "code_verifier": "x", "invitation_token": "x"}),
    );
    let refresh = grant(
        "refresh_token",
        json!({"refresh_token": "x", "organization_id": "x"}),
    );
    let selection = json!({"pending_authentication_token": "x", "organization_id": acme});
    let selection = grant("urn:workos:oauth:grant-type:organization-selection", selection);
    let magic_auth = grant(
        "urn:workos:oauth:grant-type:magic-auth:code",
        json!({"email": "ada@example.com", "code": "123456"}),
    );
    let verification = grant(
        "urn:workos:oauth:grant-type:email-verification:code",
        json!({"pending_authentication_token": "x", "code": "123456"}),
    );
    let answer = |id: &str| json!({"code": "123456", id: "x", "pending_authentication_token": "x", "phone_number": "x"});
    let by_email = grant(
        "urn:workos:oauth:grant-type:radar-email-challenge:code",
        answer("radar_challenge_id"),
    );
    let by_sms = grant(
        "urn:workos:oauth:grant-type:radar-sms-challenge:code",
        answer("verification_id"),
    );
    let membership =
        json!({"user_id": other, "organization_id": acme, "role_slug": "editor", "role_slugs": ["editor"]});
    let role = json!({"slug": "auditor", "name": "Auditor", "description": "x", "resource_type_slug": "organization"});
    let endpoint =
        json!({"endpoint_url": "http://127.0.0.1:2/", "events": ["user.created"], "status": "enabled"});
    let of_role = json!({"permissions": ["posts:write"], "slug": "posts:write"});
    let api_key = json!({
        "name": "CI", "permissions": ["posts:write"], "expires_at": "2030-01-01T00:00:00Z", "organization_id": acme,
    });
    let api_keys = format!("/organizations/{acme}/api_keys");
    let api_key_id = created(&api_keys, api_key.clone()).await;
    let application = json!({
        "application_type": "oauth", "name": "Reports", "description": "x", "scopes": ["openid", "posts:write"],
        "redirect_uris": [{"uri": "https://reports.example/callback", "default": true}], "uses_pkce": true,
        "is_first_party": false, "organization_id": acme,
    });
    let application_id = created("/connect/applications", application.clone()).await;
    let oauth = json!({
        "grant_type": "authorization_code", "client_id": "client_x", "client_secret": "x", "code": "x",
        "redirect_uri": "https://reports.example/callback", "code_verifier": "x", "refresh_token": "x",
        "scope": "openid", "resource": "x", "device_code": "x", "token": "x", "token_type_hint": "access_token",
    });
    let metadata = json!({
        "client_name": "x", "redirect_uris": ["https://reports.example/callback"], "scope": "openid",
        "token_endpoint_auth_method": "none", "grant_types": ["authorization_code"], "response_types": ["code"],
    });
    let registration = json!({"connect": {"dynamic_client_registration": true}});
    let (status, _) = http::call(&emulator, Method::PATCH, "/_emulate/settings", &registration).await;
    assert_eq!(status, 200);
    let external = json!({
        "external_auth_id": "ext_auth_x",
        "user": {"id": "1", "email": "eve@example.com", "first_name": "E", "last_name": "E", "name": "E",
            "metadata": {"a": "b"}},
        "user_consent_options": [
            {"claim": "a", "type": "enum", "label": "A", "choices": [{"value": "a", "label": "A"}]},
        ],
    });
    let factor = json!({
        "type": "totp", "phone_number": "+15555550123", "totp_issuer": "x", "totp_user": "x", "user_id": user,
    });
    let user_factor =
        json!({"type": "totp", "totp_issuer": "x", "totp_user": "x", "totp_secret": "JBSWY3DPEHPK3PXP"});
    let factor_id = created(
        "/auth/factors/enroll",
        json!({"type": "sms", "phone_number": "+15555550123"}),
    )
    .await;
    let challenge = format!("/auth/factors/{factor_id}/challenge");
    let challenge_id = created(&challenge, json!({})).await;
    let totp = grant(
        "urn:workos:oauth:grant-type:mfa-totp",
        json!({"pending_authentication_token": "x", "authentication_challenge_id": challenge_id, "code": "123456"}),
    );
    let device_code = grant(
        "urn:ietf:params:oauth:grant-type:device_code",
        json!({"device_code": "x"}),
    );
    let widget = json!({"organization_id": acme, "user_id": user, "scopes": ["widgets:sso:manage"]});
    let token = "/user_management/authenticate".to_owned();
    let requests = vec![
        ("POST", "/organizations".to_owned(), organization.clone()),
        ("PUT", format!("/organizations/{acme}"), organization),
        ("POST", "/user_management/users".to_owned(), new_user.clone()),
        ("PUT", format!("/user_management/users/{user}"), new_user),
        ("POST", memberships.to_owned(), membership.clone()),
        ("PUT", format!("{memberships}/{member}"), membership),
        (
            "PUT",
            format!("{memberships}/{member}/deactivate"),
            json!({"x": 1}),
        ),
        (
            "PUT",
            format!("{memberships}/{member}/reactivate"),
            json!({"x": 1}),
        ),
        ("POST", "/authorization/permissions".to_owned(), role.clone()),
        (
            "PATCH",
            "/authorization/permissions/posts:write".to_owned(),
            role.clone(),
        ),
        ("POST", "/authorization/roles".to_owned(), role.clone()),
        ("PATCH", "/authorization/roles/editor".to_owned(), role.clone()),
        (
            "PUT",
            "/authorization/roles/editor/permissions".to_owned(),
            of_role.clone(),
        ),
        (
            "POST",
            "/authorization/roles/editor/permissions".to_owned(),
            of_role.clone(),
        ),
        ("POST", own_roles.clone(), role.clone()),
        ("PATCH", format!("{own_roles}/org-billing"), role),
        (
            "PUT",
            format!("{own_roles}/org-billing/permissions"),
            of_role.clone(),
        ),
        ("POST", format!("{own_roles}/org-billing/permissions"), of_role),
        ("POST", "/webhook_endpoints".to_owned(), endpoint.clone()),
        ("PATCH", format!("/webhook_endpoints/{endpoint_id}"), endpoint),
        (
            "POST",
            "/user_management/redirect_uris".to_owned(),
            json!({"uri": "http://localhost/callback"}),
        ),
        (
            "POST",
            "/user_management/authorize/device".to_owned(),
            json!({"client_id": "client_emulate"}),
        ),
        (
            "POST",
            "/user_management/cors_origins".to_owned(),
            json!({"origin": "https://example.com"}),
        ),
        (
            "POST",
            "/user_management/magic_auth".to_owned(),
            json!({"email": "ada@example.com", "ip_address": "192.0.2.1", "user_agent": "x"}),
        ),
        (
            "POST",
            "/user_management/password_reset".to_owned(),
            json!({"email": "ada@example.com"}),
        ),
        (
            "POST",
            "/user_management/password_reset/confirm".to_owned(),
            json!({"token": "x", "new_password": "correct horse battery"}),
        ),
        (
            "POST",
            format!("/user_management/users/{user}/email_change/send"),
            json!({"new_email": "countess@example.com"}),
        ),
        (
            "POST",
            format!("/user_management/users/{user}/email_change/confirm"),
            json!({"code": "123456"}),
        ),
        (
            "POST",
            format!("/user_management/users/{user}/email_verification/send"),
            json!({"x": 1}),
        ),
        (
            "POST",
            format!("/user_management/users/{user}/email_verification/confirm"),
            json!({"code": "123456"}),
        ),
        ("POST", api_keys, api_key.clone()),
        ("POST", format!("/user_management/users/{user}/api_keys"), api_key),
        (
            "POST",
            "/api_keys/validations".to_owned(),
            json!({"value": "sk_x"}),
        ),
        (
            "POST",
            format!("/api_keys/{api_key_id}/expire"),
            json!({"expires_at": "2030-01-01T00:00:00Z"}),
        ),
        (
            "POST",
            "/user_management/radar_challenges".to_owned(),
            json!({"user_id": user, "pending_authentication_token": "x", "phone_number": "+15555550123"}),
        ),
        ("POST", invitations.to_owned(), invitation),
        (
            "POST",
            format!("{invitations}/{invitation_id}/accept"),
            json!({"x": 1}),
        ),
        ("POST", "/auth/factors/enroll".to_owned(), factor),
        (
            "POST",
            challenge,
            json!({"sms_template": "Your code is {{code}}."}),
        ),
        (
            "POST",
            format!("/auth/challenges/{challenge_id}/verify"),
            json!({"code": "123456"}),
        ),
        (
            "POST",
            format!("/user_management/users/{user}/auth_factors"),
            user_factor,
        ),
        ("POST", "/connect/applications".to_owned(), application.clone()),
        (
            "PUT",
            format!("/connect/applications/{application_id}"),
            application,
        ),
        (
            "POST",
            format!("/connect/applications/{application_id}/client_secrets"),
            json!({"x": 1}),
        ),
        (
            "POST",
            "/user_management/authkit_oauth_resources".to_owned(),
            json!({"uri": "https://mcp.example.com", "default": true}),
        ),
        ("POST", "/authkit/oauth2/complete".to_owned(), external),
        ("POST", "/oauth2/token".to_owned(), oauth.clone()),
        ("POST", "/oauth2/introspection".to_owned(), oauth.clone()),
        ("POST", "/oauth2/device_authorization".to_owned(), oauth.clone()),
        ("POST", "/oauth2/userinfo".to_owned(), oauth),
        ("POST", "/oauth2/register".to_owned(), metadata),
        (
            "POST",
            format!("{invitations}/{invitation_id}/resend"),
            json!({"locale": "en"}),
        ),
        (
            "POST",
            format!("{invitations}/{invitation_id}/revoke"),
            json!({"x": 1}),
        ),
        ("POST", entries, entry),
        (
            "POST",
            format!("/user_management/waitlist_entries/{entry_id}/approve"),
            json!({"x": 1}),
        ),
        (
            "POST",
            format!("/user_management/waitlist_entries/{entry_id}/deny"),
            json!({"x": 1}),
        ),
        ("POST", "/widgets/token".to_owned(), widget.clone()),
        ("POST", "/client/token".to_owned(), widget),
        (
            "POST",
            "/user_management/sessions/revoke".to_owned(),
            json!({"session_id": "x", "return_to": "x"}),
        ),
        (
            "POST",
            groups.clone(),
            json!({"name": "Sales", "description": "x"}),
        ),
        (
            "PATCH",
            format!("{groups}/{group}"),
            json!({"name": "Sales", "description": "x"}),
        ),
        (
            "POST",
            format!("{groups}/{group}/organization-memberships"),
            json!({"organization_membership_id": member}),
        ),
        ("PUT", "/feature-flags/beta/enable".to_owned(), json!({"x": 1})),
        ("PUT", "/feature-flags/beta/disable".to_owned(), json!({"x": 1})),
        (
            "POST",
            format!("/feature-flags/beta/targets/{user}"),
            json!({"x": 1}),
        ),
        (
            "PUT",
            "/user_management/jwt_template".to_owned(),
            json!({"content": "{\"a\": {{ user.email }}}"}),
        ),
        ("POST", token.clone(), authenticate),
        ("POST", token.clone(), code),
        ("POST", token.clone(), refresh),
        ("POST", token.clone(), selection),
        ("POST", token.clone(), magic_auth),
        ("POST", token.clone(), verification),
        ("POST", token.clone(), totp),
        ("POST", token.clone(), device_code),
        ("POST", token.clone(), by_email),
        ("POST", token, by_sms),
        (
            "POST",
            "/organization_domains".to_owned(),
            json!({"organization_id": acme, "domain": "acme.example"}),
        ),
        (
            "POST",
            "/connections".to_owned(),
            json!({
                "organization_id": acme, "name": "Acme", "external_id": "1", "connection_type": "GenericOIDC",
                "attribute_maps": {"standard_attributes": {"email": "mail"}, "custom_attributes": {"team": "dept"}},
                "oidc_options": {
                    "discovery_endpoint": "https://idp.acme.example/.well-known/openid-configuration",
                    "client_id": "1", "client_secret": "s",
                },
            }),
        ),
        (
            "PATCH",
            format!("/connections/{connection}"),
            json!({
                "name": "Acme", "external_id": "2", "connection_type": "GenericSAML",
                "attribute_maps": {"standard_attributes": {"email": null}, "custom_attributes": {"team": null}},
                "saml_options": {"idp_metadata_url": "https://idp.acme.example/metadata"},
            }),
        ),
        (
            "POST",
            format!("/connections/{connection}/saml_idp_signing_certs"),
            json!({"value": "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----"}),
        ),
        (
            "POST",
            format!("/connections/{connection}/saml_sp_encryption_certs"),
            json!({}),
        ),
        (
            "POST",
            format!("/connections/{connection}/saml_sp_signing_cert"),
            json!({}),
        ),
        (
            "POST",
            "/sso/logout/authorize".to_owned(),
            json!({"profile_id": "prof_x"}),
        ),
        (
            "POST",
            "/sso/token".to_owned(),
            json!({
                "client_id": "client_emulate", "client_secret": "sk_test_default", "grant_type": "authorization_code",
                "code": "x", "code_verifier": "x",
            }),
        ),
        ("POST", "/directories/x/sync".to_owned(), json!({})),
        ("POST", "/organization_domains/x/verify".to_owned(), json!({})),
        (
            "POST",
            "/portal/generate_link".to_owned(),
            json!({
                "organization": acme, "intent": "sso", "return_url": "https://a.example", "success_url": "https://a.example",
                "external_user_id": "1", "it_contact_emails": ["it@acme.example"],
            }),
        ),
        (
            "POST",
            "/portal/revoke_link".to_owned(),
            json!({"organization": acme, "external_user_id": "1"}),
        ),
        (
            "POST",
            format!("/organizations/{acme}/it_contacts"),
            json!({"email": "it2@acme.example"}),
        ),
        (
            "POST",
            format!("/organizations/{acme}/it_contacts/x/invite"),
            json!({"intents": ["sso"]}),
        ),
        (
            "POST",
            format!("/organizations/{acme}/it_contacts/x/revoke"),
            json!({}),
        ),
    ];
    (emulator, requests)
}
