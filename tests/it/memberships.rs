//! Organization memberships, roles and permissions through the SDK, and what tokens say of them.

use reqwest::Method;
use serde_json::json;
use workos::{
    AuthenticateResponse, Client, UserOrganizationMembership,
    authorization::{
        CreateEnvironmentRoleParams, CreatePermissionParams, SetEnvironmentRolePermissionsParams,
    },
    organization_membership::{
        CreateOrganizationMembershipParams, CreateOrganizationMembershipParamsBody,
        ListOrganizationMembershipsParams, Role, UpdateOrganizationMembershipParams,
        UpdateOrganizationMembershipParamsBody,
    },
    user_management::{AuthenticateWithPasswordParams, AuthenticateWithRefreshTokenParams},
};
use workos_emulator::{Emulator, Organization, User};

use crate::{
    http,
    sdk::{self, claims, refusal},
};

const PASSWORD: &str = "correct horse battery staple";

/// An emulator with Ada and Acme, which have nothing to do with each other yet.
async fn start() -> (Emulator, Client, User, Organization) {
    let emulator = Emulator::start().await.unwrap();
    let sdk = sdk::client(&emulator);
    let ada = emulator
        .user("ada@example.com")
        .password(PASSWORD)
        .create()
        .unwrap();
    let acme = emulator.organization("Acme").create().unwrap();
    (emulator, sdk, ada, acme)
}

fn role(slug: &str) -> Role {
    Role::Single {
        role_slug: slug.to_owned(),
    }
}

async fn join(
    sdk: &Client,
    user: &User,
    organization: &Organization,
    role: Option<Role>,
) -> Result<UserOrganizationMembership, workos::Error> {
    let mut new = CreateOrganizationMembershipParamsBody::new(&user.id, &organization.id);
    new.role = role;
    let membership = sdk
        .organization_membership()
        .create_organization_membership(CreateOrganizationMembershipParams::new(new))
        .await?;
    // The SDK has two types for the same thing.
    Ok(serde_json::from_value(serde_json::to_value(membership).unwrap()).unwrap())
}

async fn change_role(sdk: &Client, membership_id: &str, role: Role) -> Result<String, workos::Error> {
    let change = UpdateOrganizationMembershipParamsBody { role: Some(role) };
    let changed = sdk
        .organization_membership()
        .update_organization_membership(membership_id, UpdateOrganizationMembershipParams::new(change))
        .await?;
    Ok(changed.role.slug)
}

async fn sign_in(sdk: &Client) -> AuthenticateResponse {
    let params = AuthenticateWithPasswordParams::new("ada@example.com", PASSWORD);
    sdk.user_management()
        .authenticate_with_password(params)
        .await
        .unwrap()
}

async fn refresh(sdk: &Client, tokens: &AuthenticateResponse) -> Result<AuthenticateResponse, workos::Error> {
    let params = AuthenticateWithRefreshTokenParams::new(tokens.refresh_token.expose());
    sdk.user_management()
        .authenticate_with_refresh_token(params)
        .await
}

async fn create_role(sdk: &Client, slug: &str, permissions: &[&str]) {
    let authorization = sdk.authorization();
    for permission in permissions {
        let new = serde_json::from_value(json!({"slug": permission, "name": permission})).unwrap();
        authorization
            .create_permission(CreatePermissionParams::new(new))
            .await
            .unwrap();
    }
    let new = serde_json::from_value(json!({"slug": slug, "name": slug})).unwrap();
    let created = authorization
        .create_environment_role(CreateEnvironmentRoleParams::new(new))
        .await
        .unwrap();
    assert_eq!((created.slug.as_str(), created.permissions.len()), (slug, 0));
    let set = serde_json::from_value(json!({"permissions": permissions})).unwrap();
    let set = SetEnvironmentRolePermissionsParams::new(set);
    let role = authorization
        .set_environment_role_permissions(slug, set)
        .await
        .unwrap();
    assert_eq!(role.permissions, permissions);
}

async fn listed(sdk: &Client, organization: &Organization, statuses: Option<&[&str]>) -> Vec<String> {
    let params = ListOrganizationMembershipsParams {
        organization_id: Some(organization.id.clone()),
        statuses: statuses.map(|statuses| statuses.iter().map(|status| (*status).into()).collect()),
        ..Default::default()
    };
    let list = sdk
        .organization_membership()
        .list_organization_memberships(params)
        .await
        .unwrap();
    list.data
        .into_iter()
        .map(|membership| membership.status.to_string())
        .collect()
}

#[actix_web::test]
async fn begin_active_with_the_default_role_and_once_only() {
    let (_emulator, sdk, ada, acme) = start().await;
    let membership = join(&sdk, &ada, &acme, None).await.unwrap();
    assert!(membership.id.starts_with("om_"));
    assert_eq!(membership.status.to_string(), "active");
    assert_eq!(membership.role.slug, "member");
    assert_eq!(membership.organization_name.as_deref(), Some("Acme"));
    assert_eq!(membership.user.email, ada.email);
    let read = sdk
        .organization_membership()
        .get_organization_membership(&membership.id)
        .await
        .unwrap();
    assert_eq!(read.user_id, ada.id);
    let again = join(&sdk, &ada, &acme, None).await;
    assert_eq!(
        refusal(again),
        (400, "organization_membership_already_exists".to_owned())
    );
    let unknown = join(&sdk, &ada, &acme, Some(role("owner"))).await;
    assert_eq!(refusal(unknown), (422, "invalid_role".to_owned()));
    sdk.organization_membership()
        .delete_organization_membership(&membership.id)
        .await
        .unwrap();
    let gone = sdk
        .organization_membership()
        .get_organization_membership(&membership.id)
        .await;
    assert_eq!(refusal(gone), (404, "entity_not_found".to_owned()));
}

#[actix_web::test]
async fn a_deactivated_membership_ends_its_sessions_for_good() {
    let (_emulator, sdk, ada, acme) = start().await;
    let membership = join(&sdk, &ada, &acme, None).await.unwrap();
    let tokens = sign_in(&sdk).await;
    assert_eq!(tokens.organization_id.as_ref(), Some(&acme.id));
    let memberships = sdk.organization_membership();
    let inactive = memberships
        .deactivate_organization_membership(&membership.id)
        .await
        .unwrap();
    assert_eq!(inactive.status.to_string(), "inactive");
    assert_eq!(
        refusal(refresh(&sdk, &tokens).await),
        (400, "invalid_grant".to_owned())
    );
    assert_eq!(
        sign_in(&sdk).await.organization_id,
        None,
        "Ada can sign in, but not to Acme"
    );

    assert!(
        listed(&sdk, &acme, None).await.is_empty(),
        "active ones are the default"
    );
    assert_eq!(listed(&sdk, &acme, Some(&["inactive"])).await, ["inactive"]);
    assert_eq!(
        listed(&sdk, &acme, Some(&["active", "inactive", "pending"])).await,
        ["inactive"]
    );

    let active = memberships
        .reactivate_organization_membership(&membership.id)
        .await
        .unwrap();
    assert_eq!(active.status.to_string(), "active");
    assert_eq!(
        refusal(refresh(&sdk, &tokens).await),
        (400, "invalid_grant".to_owned())
    );
    assert_eq!(sign_in(&sdk).await.organization_id, Some(acme.id.clone()));
    assert_eq!(listed(&sdk, &acme, None).await, ["active"]);
    let neither = memberships
        .list_organization_memberships(Default::default())
        .await;
    assert_eq!(refusal(neither).0, 400);
}

#[actix_web::test]
async fn the_next_access_token_says_what_the_member_may_do() {
    let (_emulator, sdk, ada, acme) = start().await;
    let tokens = sign_in(&sdk).await;
    let outside = claims(&tokens.access_token);
    for claim in ["org_id", "role", "roles"] {
        assert_eq!(
            outside.get(claim),
            None,
            "no {claim} outside of organizations: {outside}"
        );
    }

    assert_eq!(
        outside["permissions"],
        json!([]),
        "always there, as in production"
    );

    create_role(&sdk, "editor", &["posts:read", "posts:write"]).await;
    let membership = join(&sdk, &ada, &acme, Some(role("editor"))).await.unwrap();
    let tokens = sign_in(&sdk).await;
    let says = |tokens: &AuthenticateResponse| {
        let claims = claims(&tokens.access_token);
        (
            claims["role"].clone(),
            claims["roles"].clone(),
            claims["permissions"].clone(),
        )
    };
    let editor = (
        json!("editor"),
        json!(["editor"]),
        json!(["posts:read", "posts:write"]),
    );
    assert_eq!(says(&tokens), editor);
    assert_eq!(claims(&tokens.access_token)["org_id"], json!(acme.id));

    // A changed role is in the next token of the same session.
    create_role(&sdk, "auditor", &["audit:read"]).await;
    assert_eq!(
        change_role(&sdk, &membership.id, role("auditor")).await.unwrap(),
        "auditor"
    );
    let tokens = refresh(&sdk, &tokens).await.unwrap();
    assert_eq!(
        says(&tokens),
        (json!("auditor"), json!(["auditor"]), json!(["audit:read"]))
    );
    let member = change_role(&sdk, &membership.id, role("member")).await.unwrap();
    let tokens = refresh(&sdk, &tokens).await.unwrap();
    assert_eq!(
        (member.as_str(), says(&tokens)),
        ("member", (json!("member"), json!(["member"]), json!([])))
    );
    let unknown = change_role(&sdk, &membership.id, role("owner")).await;
    assert_eq!(refusal(unknown), (422, "invalid_role".to_owned()));
}

#[actix_web::test]
async fn several_roles_are_a_setting_and_add_up() {
    let (emulator, sdk, ada, acme) = start().await;
    create_role(&sdk, "editor", &["posts:write"]).await;
    create_role(&sdk, "auditor", &["audit:read"]).await;
    let several = || Role::Multiple {
        role_slugs: vec!["auditor".to_owned(), "editor".to_owned()],
    };
    let refused = join(&sdk, &ada, &acme, Some(several())).await;
    assert_eq!(refusal(refused), (422, "multiple_roles_not_enabled".to_owned()));
    let settings = json!({"multiple_roles": true});
    http::call(&emulator, Method::PATCH, "/_emulate/settings", &settings).await;
    let membership = join(&sdk, &ada, &acme, Some(several())).await.unwrap();
    let roles: Vec<_> = membership.roles.iter().map(|role| role.slug.as_str()).collect();
    assert_eq!(
        (roles, membership.role.slug.as_str()),
        (vec!["editor", "auditor"], "editor")
    );
    let claims = claims(&sign_in(&sdk).await.access_token);
    assert_eq!(
        (&claims["role"], &claims["roles"], &claims["permissions"]),
        (
            &json!("editor"),
            &json!(["editor", "auditor"]),
            &json!(["posts:write", "audit:read"])
        )
    );
}
