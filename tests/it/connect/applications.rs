//! The Applications API.

use reqwest::Method;
use serde_json::{Value, json};
use workos::{
    CreateApplicationSecret,
    connect::{
        CreateApplicationClientSecretParams, CreateM2MApplicationParams, CreateOAuthApplicationParams,
        ListApplicationsParams, UpdateApplicationParams,
    },
    enums::ApplicationsRegistrationTypes,
    models::{RedirectUriInput, UpdateOAuthApplication},
};

use super::{CALLBACK, World, inactive};
use crate::{
    http,
    sdk::{self, refusal, refused},
};

fn redirect(uri: &str) -> RedirectUriInput {
    RedirectUriInput {
        uri: uri.to_owned(),
        default: None,
    }
}

#[actix_web::test]
async fn an_application_is_made_found_changed_and_deleted() {
    let world = World::start().await;
    let sdk = sdk::client(&world.emulator);
    let connect = sdk.connect();
    let mut params = CreateOAuthApplicationParams::new("Forum 2", true);
    params.description = Some("Where people talk".to_owned());
    params.scopes = Some(vec!["openid".to_owned(), "reports:read".to_owned()]);
    params.redirect_uris = Some(vec![
        redirect(CALLBACK),
        redirect("http://localhost:3000/callback"),
    ]);
    params.uses_pkce = Some(true);
    let made = connect.create_oauth_application(params).await.unwrap();
    assert!(made.id.starts_with("conn_app_") && made.client_id.starts_with("client_"));
    assert_eq!(made.application_type.as_deref(), Some("oauth"));
    assert_eq!((made.is_first_party, made.uses_pkce), (Some(true), Some(true)));
    assert_eq!(
        (&made.organization_id, made.was_dynamically_registered),
        (&None, None)
    );
    let uris = made.redirect_uris.as_ref().unwrap();
    assert_eq!(
        (uris[0].uri.as_str(), uris[0].default, uris[1].default),
        (CALLBACK, true, false)
    );

    for id in [&made.id, &made.client_id] {
        assert_eq!(connect.get_application(id).await.unwrap().id, made.id);
    }
    world.advance(1);
    let changes = UpdateOAuthApplication {
        name: Some("Forum 3".to_owned()),
        description: None,
        scopes: Some(vec!["reports:write".to_owned()]),
        redirect_uris: Some(vec![redirect("https://forum.example/callback")]),
    };
    let changed = connect
        .update_application(&made.client_id, UpdateApplicationParams::new(changes))
        .await
        .unwrap();
    assert_eq!(changed.name, "Forum 3");
    assert_eq!(changed.description.as_deref(), Some("Where people talk"));
    assert_eq!(changed.scopes, ["reports:write"]);
    assert_eq!(changed.redirect_uris.as_ref().unwrap().len(), 1);
    assert!(changed.updated_at > made.updated_at);
    let path = format!("/connect/applications/{}", made.id);
    let (status, cleared) =
        http::call(&world.emulator, Method::PUT, &path, &json!({"description": null})).await;
    assert_eq!((status, &cleared["description"]), (200, &Value::Null));

    connect.delete_application(&made.client_id).await.unwrap();
    assert_eq!(
        refusal(connect.get_application(&made.id).await),
        (404, "entity_not_found".to_owned())
    );
    assert_eq!(refused(connect.delete_application(&made.id).await).status, 404);
}

#[actix_web::test]
async fn a_third_partys_and_a_machines_application_belong_to_an_organization() {
    let world = World::start().await;
    let sdk = sdk::client(&world.emulator);
    let connect = sdk.connect();
    let mut params = CreateOAuthApplicationParams::new("Partner", false);
    params.organization_id = Some(world.acme.id.clone());
    let partner = connect.create_oauth_application(params).await.unwrap();
    assert_eq!(partner.organization_id.as_ref(), Some(&world.acme.id));
    assert_eq!(
        (partner.is_first_party, partner.was_dynamically_registered),
        (Some(false), Some(false))
    );
    let machine = CreateM2MApplicationParams::new("Robot", &world.acme.id);
    let machine = connect.create_m2m_application(machine).await.unwrap();
    assert_eq!(machine.application_type.as_deref(), Some("m2m"));
    assert_eq!((machine.redirect_uris.is_none(), machine.uses_pkce), (true, None));

    let list = async |organization_id: Option<&str>, types: Option<Vec<ApplicationsRegistrationTypes>>| {
        let params = ListApplicationsParams {
            organization_id: organization_id.map(str::to_owned),
            registration_types: types,
            ..ListApplicationsParams::default()
        };
        let list = connect.list_applications(params).await.unwrap();
        list.data.into_iter().map(|one| one.name).collect::<Vec<_>>()
    };
    assert_eq!(list(None, None).await, ["Robot", "Partner", "Reports", "Forum"]);
    assert_eq!(list(Some(&world.acme.id), None).await, ["Robot", "Partner"]);
    assert!(list(Some("org_unknown"), None).await.is_empty());
    let dynamic = Some(vec![ApplicationsRegistrationTypes::Dynamic]);
    assert!(list(None, dynamic).await.is_empty());

    let path = format!("/organizations/{}", world.acme.id);
    let (status, _) = http::call(&world.emulator, Method::DELETE, &path, &Value::Null).await;
    assert_eq!(status, 202);
    assert_eq!(list(None, None).await, ["Reports", "Forum"], "they went with it");
}

#[actix_web::test]
async fn what_is_wrong_is_named() {
    let world = World::start().await;
    let acme = &world.acme.id;
    let oauth = |with: Value| {
        let mut body = json!({"application_type": "oauth", "name": "A", "is_first_party": true});
        body.as_object_mut()
            .unwrap()
            .extend(with.as_object().unwrap().clone());
        body
    };
    let post =
        async |body: &Value| http::call(&world.emulator, Method::POST, "/connect/applications", body).await;
    for (body, field) in [
        (json!({"name": "A"}), "application_type"),
        (
            json!({"name": "A", "application_type": "saml"}),
            "application_type",
        ),
        (
            json!({"name": "A", "application_type": "oauth"}),
            "is_first_party",
        ),
        (json!({"name": "A", "application_type": "m2m"}), "organization_id"),
        (oauth(json!({"name": " "})), "name"),
        (oauth(json!({"name": "x".repeat(256)})), "name"),
        (oauth(json!({"is_first_party": false})), "organization_id"),
        (oauth(json!({"scopes": ["reports:delete"]})), "scopes"),
        (
            oauth(json!({"redirect_uris": [{"uri": "callback"}]})),
            "redirect_uris[0].uri",
        ),
        (
            json!({"name": "A", "application_type": "m2m", "organization_id": acme, "redirect_uris": [{"uri": CALLBACK}]}),
            "redirect_uris",
        ),
    ] {
        let (status, answer) = post(&body).await;
        assert_eq!(
            (status, &answer["errors"][0]["field"]),
            (422, &json!(field)),
            "{body} {answer}"
        );
    }
    for body in [
        json!({"name": "A", "application_type": "m2m", "organization_id": "org_1"}),
        oauth(json!({"is_first_party": false, "organization_id": "org_1"})),
    ] {
        let (status, answer) = post(&body).await;
        assert_eq!((status, &answer["entity_id"]), (404, &json!("org_1")), "{body}");
    }
    let (status, own) = post(&oauth(json!({"organization_id": acme}))).await;
    assert_eq!(
        (status, own.get("organization_id")),
        (201, None),
        "one's own belongs to nobody else"
    );
    let path = "/connect/applications?registration_types=other";
    let (status, answer) = http::call(&world.emulator, Method::GET, path, &Value::Null).await;
    assert_eq!(
        (status, &answer["errors"][0]["field"]),
        (422, &json!("registration_types"))
    );
    let path = format!("/connect/applications/{}", world.first.id);
    let (status, _) = http::call(&world.emulator, Method::PUT, &path, &json!({"scopes": ["x:y"]})).await;
    assert_eq!(status, 422);
    let (status, _) = http::call(
        &world.emulator,
        Method::PUT,
        "/connect/applications/conn_app_1",
        &json!({}),
    )
    .await;
    assert_eq!(status, 404);
}

#[actix_web::test]
async fn a_secret_is_shown_once_and_an_application_has_at_most_five() {
    let world = World::start().await;
    let sdk = sdk::client(&world.emulator);
    let connect = sdk.connect();
    let id = &world.first.client_id;
    let create = async || {
        let params = CreateApplicationClientSecretParams::new(CreateApplicationSecret {});
        connect.create_application_client_secret(id, params).await
    };
    let made = create().await.unwrap();
    let value = made.secret.expose();
    assert!(made.id.starts_with("secret_") && value.ends_with(&made.secret_hint) && value.len() >= 32);
    for _ in 0..3 {
        create().await.unwrap();
    }
    let full = refused(create().await);
    assert_eq!((full.status, full.message.contains('5')), (422, true));
    let path = format!("/connect/applications/{id}/client_secrets");
    let (_, list) = http::call(&world.emulator, Method::GET, &path, &Value::Null).await;
    assert_eq!(list.as_array().unwrap().len(), 5, "a bare array");
    assert!(
        list[0].get("secret").is_none() && list[0].get("digest").is_none(),
        "{list}"
    );
    let listed = connect.list_application_client_secrets(id).await.unwrap();
    let own = listed.iter().find(|secret| secret.id == made.id).unwrap();
    assert_eq!(own.last_used_at, None);

    // It works, beside the others, until it is deleted.
    let with_secret = workos_application(&world, value);
    let tokens = world.tokens(&with_secret, "openid").await;
    let listed = connect.list_application_client_secrets(id).await.unwrap();
    let used = listed.iter().find(|secret| secret.id == made.id).unwrap();
    assert!(used.last_used_at.is_some() && used.updated_at == own.updated_at);
    connect.delete_client_secret(&made.id).await.unwrap();
    let code = world.code(&world.first, &[]).await;
    assert_eq!(world.redeem(&with_secret, &code).await.0, 401);
    assert_eq!(world.redeem(&world.first, &code).await.0, 200);
    assert_ne!(
        world.introspect(&world.first, &tokens["access_token"]).await,
        inactive()
    );
    assert_eq!(refused(connect.delete_client_secret(&made.id).await).status, 404);
    assert_eq!(
        refused(connect.list_application_client_secrets("conn_app_1").await).status,
        404
    );
}

/// The first application, with another secret.
fn workos_application(world: &World, secret: &str) -> workos_emulator::ConnectApplication {
    let mut application = world.first.clone();
    application.client_secret = Some(secret.to_owned());
    application
}

#[actix_web::test]
async fn deleting_an_application_ends_its_tokens() {
    let world = World::start().await;
    let tokens = world.tokens(&world.first, "openid offline_access").await;
    let code = world.code(&world.first, &[]).await;
    assert_eq!(world.userinfo(&tokens["access_token"]).await.0, 200);
    let sdk = sdk::client(&world.emulator);
    sdk.connect().delete_application(&world.first.id).await.unwrap();
    assert_eq!(world.userinfo(&tokens["access_token"]).await.0, 401);
    assert_eq!(world.refresh(&world.first, &tokens["refresh_token"]).await.0, 401);
    assert_eq!(world.redeem(&world.first, &code).await.0, 401);
    let url = world.authorize_url(&world.first, &[]);
    assert_eq!(http::client().get(url).send().await.unwrap().status(), 400);
}

#[actix_web::test]
async fn a_permission_that_is_deleted_is_no_scope_any_more() {
    let world = World::start().await;
    let tokens = world
        .tokens(&world.first, "openid offline_access reports:read reports:write")
        .await;
    assert_eq!(
        tokens["scope"],
        "offline_access openid reports:read reports:write"
    );
    let path = "/authorization/permissions/reports:write";
    let (status, _) = http::call(&world.emulator, Method::DELETE, path, &Value::Null).await;
    assert_eq!(status, 204);
    let sdk = sdk::client(&world.emulator);
    let application = sdk.connect().get_application(&world.first.id).await.unwrap();
    assert_eq!(application.scopes, ["reports:read"]);
    let (_, refreshed) = world.refresh(&world.first, &tokens["refresh_token"]).await;
    assert_eq!(refreshed["scope"], "offline_access openid reports:read");
}
