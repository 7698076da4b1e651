//! Feature flags, JWT templates and entitlements: what an application can ask for, and what its access tokens say.

use reqwest::Method;
use serde_json::{Value, json};
use workos::{
    FlagCreated, FlagDeleted, FlagRuleUpdated, FlagUpdated, GroupMemberAdded, UpdateJWTTemplate,
    feature_flags::{ListFeatureFlagsParams, ListOrganizationFeatureFlagsParams, ListUserFeatureFlagsParams},
    user_management::{
        AuthenticateWithPasswordParams, AuthenticateWithRefreshTokenParams, UpdateJWTTemplateParams,
    },
};
use workos_emulator::Emulator;

use crate::{
    http,
    sdk::{self, claims, refusal},
};

const PASSWORD: &str = "correct horse battery staple";
const FLAGS: &str = "/_emulate/feature_flags";

/// The events of this name, newest first, as `GET /events` shows them.
async fn events(emulator: &Emulator, name: &str) -> Vec<Value> {
    let path = format!("/events?events={name}&order=desc");
    let (_, list) = http::call(emulator, Method::GET, &path, &Value::Null).await;
    list["data"].as_array().unwrap().clone()
}

#[actix_web::test]
async fn flags_are_made_in_the_dashboard_and_targeted_by_the_application() {
    let emulator = Emulator::start().await.unwrap();
    let sdk = sdk::client(&emulator);
    let flags = sdk.feature_flags();
    let acme = emulator.organization("Acme").create().unwrap();
    let ada = emulator
        .user("ada@example.com")
        .member_of(&acme, "member")
        .create()
        .unwrap();

    let (status, made) = http::call(&emulator, Method::POST, FLAGS, &json!({"slug": "beta"})).await;
    assert_eq!(
        (status, &made["name"], &made["enabled"]),
        (201, &json!("beta"), &json!(true))
    );
    let (status, _) = http::call(&emulator, Method::POST, FLAGS, &json!({"slug": "beta"})).await;
    assert_eq!(status, 409);
    let path = format!("{FLAGS}/beta");
    let (status, named) = http::call(&emulator, Method::PATCH, &path, &json!({"name": "Beta"})).await;
    assert_eq!((status, &named["name"]), (200, &json!("Beta")));

    flags.add_flag_target(&acme.id, "beta").await.unwrap();
    let malformed = flags.add_flag_target("conn_1", "beta").await;
    assert_eq!(refusal(malformed), (400, "invalid_resource_id_format".to_owned()));
    assert_eq!(refusal(flags.add_flag_target("user_x", "beta").await).0, 404);
    let of_user = async || {
        let list = flags.list_user_feature_flags(&ada.id, ListUserFeatureFlagsParams::default());
        list.await.unwrap().data.len()
    };
    assert_eq!(of_user().await, 1, "by the organization");
    let of_acme =
        flags.list_organization_feature_flags(&acme.id, ListOrganizationFeatureFlagsParams::default());
    assert_eq!(of_acme.await.unwrap().data[0].slug, "beta");
    let polled = http::call(&emulator, Method::GET, "/sdk/feature-flags", &Value::Null).await;
    assert_eq!(
        polled.1["beta"]["targets"]["organizations"],
        json!([{"id": acme.id, "enabled": true}])
    );

    assert!(!flags.disable_feature_flag("beta").await.unwrap().enabled);
    assert_eq!(of_user().await, 0);
    assert!(flags.enable_feature_flag("beta").await.unwrap().enabled);
    flags.remove_flag_target(&acme.id, "beta").await.unwrap();
    assert_eq!(of_user().await, 0);
    assert!(flags.get_feature_flag("beta").await.unwrap().enabled);

    // The SDK reads every event of it.
    let (status, _) = http::call(&emulator, Method::DELETE, &path, &Value::Null).await;
    assert_eq!(status, 204);
    let all = flags.list_feature_flags(ListFeatureFlagsParams::default());
    assert!(all.await.unwrap().data.is_empty());
    let one = async |name: &str| events(&emulator, name).await.remove(0);
    let created: FlagCreated = serde_json::from_value(one("flag.created").await).unwrap();
    assert_eq!(created.context.client_id, emulator.client_id());
    let _: FlagDeleted = serde_json::from_value(one("flag.deleted").await).unwrap();
    let updated: FlagUpdated = serde_json::from_value(one("flag.updated").await).unwrap();
    assert_eq!(updated.data.name, "Beta");
    let rules = events(&emulator, "flag.rule_updated").await;
    assert_eq!(rules.len(), 4);
    for rule in rules {
        let rule: FlagRuleUpdated = serde_json::from_value(rule).unwrap();
        assert_eq!(rule.data.environment_id, rule.context.actor.id);
    }
}

#[actix_web::test]
async fn webhooks_have_the_context_too() {
    let emulator = Emulator::start().await.unwrap();
    let endpoint = json!({"endpoint_url": "http://127.0.0.1:1/", "events": ["flag.created"]});
    http::call(&emulator, Method::POST, "/webhook_endpoints", &endpoint).await;
    http::call(&emulator, Method::POST, FLAGS, &json!({"slug": "beta"})).await;
    let (_, deliveries) = http::call(
        &emulator,
        Method::GET,
        "/_emulate/webhooks/deliveries",
        &Value::Null,
    )
    .await;
    let sent = &deliveries["data"][0]["request_body"];
    assert_eq!(
        (&sent["event"], &sent["context"]["actor"]["source"]),
        (&json!("flag.created"), &json!("dashboard"))
    );
}

#[actix_web::test]
async fn access_tokens_carry_flags_entitlements_and_what_the_template_adds() {
    let emulator = Emulator::start().await.unwrap();
    let sdk = sdk::client(&emulator);
    let acme = emulator.organization("Acme").create().unwrap();
    emulator
        .user("ada@example.com")
        .password(PASSWORD)
        .member_of(&acme, "member")
        .create()
        .unwrap();
    let users = sdk.user_management();
    let update = async |content: &str| {
        let body = UpdateJWTTemplate {
            content: content.to_owned(),
        };
        users
            .update_jwt_template(UpdateJWTTemplateParams::new(body))
            .await
    };
    assert_eq!(refusal(users.list_jwt_template().await).0, 404);
    let sign_in = AuthenticateWithPasswordParams::new("ada@example.com", PASSWORD);
    let tokens = users.authenticate_with_password(sign_in).await.unwrap();
    let before = claims(&tokens.access_token);
    assert!(before.get("feature_flags").is_none() && before.get("entitlements").is_none());

    let flag = json!({"slug": "beta", "targets": [acme.id]});
    http::call(&emulator, Method::POST, FLAGS, &flag).await;
    let path = format!("/_emulate/organizations/{}", acme.id);
    let entitlements = json!({"entitlements": ["audit-logs"]});
    let (status, set) = http::call(&emulator, Method::PATCH, &path, &entitlements).await;
    assert_eq!((status, &set["entitlements"]), (200, &json!(["audit-logs"])));
    let content = r#"{"role": "authenticated", "user_role": {{ organization_membership.role }}, "who": "{{ user.email }} of {{ organization.name }}"}"#;
    assert_eq!(update(content).await.unwrap().content, content);
    assert_eq!(users.list_jwt_template().await.unwrap().content, content);
    assert_eq!(
        refusal(update(r#"{"exp": 1}"#).await),
        (422, "invalid_request_parameters".to_owned())
    );

    let refresh = AuthenticateWithRefreshTokenParams::new(tokens.refresh_token.expose());
    let tokens = users.authenticate_with_refresh_token(refresh).await.unwrap();
    let after = claims(&tokens.access_token);
    assert_eq!(after["feature_flags"], json!(["beta"]));
    assert_eq!(after["entitlements"], json!(["audit-logs"]));
    assert_eq!(
        (&after["role"], &after["user_role"]),
        (&json!("authenticated"), &json!("member"))
    );
    assert_eq!(after["who"], "ada@example.com of Acme");
    assert_eq!(after["roles"], json!(["member"]));
    assert_eq!(after["sid"], before["sid"]);

    // What is embedded in a Rust test signs in by the same rules.
    let ada = emulator
        .user("eve@example.com")
        .member_of(&acme, "member")
        .create()
        .unwrap();
    let signed_in = emulator.sign_in(&ada).await.unwrap();
    let embedded = claims(&signed_in.access_token.into());
    assert_eq!(embedded["who"], "eve@example.com of Acme");
}

#[actix_web::test]
async fn members_of_groups_are_told_to_their_organization() {
    let emulator = Emulator::start().await.unwrap();
    let acme = emulator.organization("Acme").create().unwrap();
    let user = emulator.user("ada@example.com").create().unwrap();
    let post = async |path: String, body: Value| http::call(&emulator, Method::POST, &path, &body).await.1;
    let membership = json!({"user_id": user.id, "organization_id": acme.id});
    let membership = post("/user_management/organization_memberships".to_owned(), membership).await;
    let groups = format!("/organizations/{}/groups", acme.id);
    let group = post(groups.clone(), json!({"name": "Engineering"})).await;
    let members = format!(
        "{groups}/{}/organization-memberships",
        group["id"].as_str().unwrap()
    );
    post(members, json!({"organization_membership_id": membership["id"]})).await;
    let path = format!("/events?events=group.member_added&organization_id={}", acme.id);
    let (_, list) = http::call(&emulator, Method::GET, &path, &Value::Null).await;
    let added: GroupMemberAdded = serde_json::from_value(list["data"][0].clone()).unwrap();
    assert_eq!(added.data.group_id, group["id"]);
}
