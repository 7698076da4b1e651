//! Authorized applications: what people let applications have, and how that ends.

use reqwest::Method;
use serde_json::{Value, json};
use workos::{
    organizations::ListAuthorizedApplicationsParams, user_management::ListUserAuthorizedApplicationsParams,
};

use super::{World, inactive, oauth_refusal, parameter, refused};
use crate::{
    browser::Browser,
    http,
    sdk::{self, refused as sdk_refused},
};

/// Tokens of the third party's application, which Ada allowed it.
async fn allowed(world: &World) -> Value {
    let browser = Browser::new();
    let url = world.authorize_url(&world.third, &[("scope", "openid offline_access reports:read")]);
    let page = world.consent_page(&browser, &url).await;
    let callback = browser
        .submit_and_stop(&page, &[("decision", "allow")])
        .await
        .location();
    let (status, tokens) = world
        .redeem(&world.third, &parameter(&callback, "code").unwrap())
        .await;
    assert_eq!(status, 200, "{tokens}");
    tokens
}

async fn assert_over(world: &World, tokens: &Value) {
    assert_eq!(world.userinfo(&tokens["access_token"]).await.0, 401);
    assert_eq!(
        world.introspect(&world.third, &tokens["access_token"]).await,
        inactive()
    );
    assert_eq!(
        world.introspect(&world.third, &tokens["refresh_token"]).await,
        inactive()
    );
    assert_eq!(
        oauth_refusal(world.refresh(&world.third, &tokens["refresh_token"]).await),
        refused(400, "invalid_grant")
    );
}

#[actix_web::test]
async fn they_are_listed_and_taken_back() {
    let world = World::start().await;
    let tokens = allowed(&world).await;
    let sdk = sdk::client(&world.emulator);
    let of_user = async || {
        let params = ListUserAuthorizedApplicationsParams::default();
        let list = sdk
            .user_management()
            .list_user_authorized_applications(&world.ada.id, params)
            .await;
        list.unwrap().data
    };
    let listed = of_user().await;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].application.id, world.third.id);
    assert_eq!(
        listed[0].granted_scopes,
        ["offline_access", "openid", "reports:read"]
    );
    assert_eq!(listed[0].oauth_resource, None);
    assert_eq!(
        json!(listed[0].id),
        world.verified(&tokens["access_token"]).await["sid"]
    );
    let params = ListAuthorizedApplicationsParams::default();
    let of_acme = sdk
        .organizations()
        .list_authorized_applications(&world.acme.id, params)
        .await
        .unwrap();
    assert_eq!((of_acme.data.len(), &of_acme.data[0].user_id), (1, &world.ada.id));

    let delete = async |user_id: &str, id: &str| {
        sdk.user_management()
            .delete_user_authorized_application(id, user_id)
            .await
    };
    for (user_id, id) in [
        ("user_1", world.third.id.as_str()),
        (&world.ada.id, "conn_app_1"),
        (&world.ada.id, &world.first.id),
    ] {
        assert_eq!(
            sdk_refused(delete(user_id, id).await).status,
            404,
            "{user_id} {id}"
        );
    }
    delete(&world.ada.id, &world.third.client_id).await.unwrap();
    assert!(of_user().await.is_empty());
    assert_over(&world, &tokens).await;
    // It has to ask again.
    allowed(&world).await;
}

#[actix_web::test]
async fn the_lists_of_strangers_are_not_there() {
    let world = World::start().await;
    for path in [
        "/user_management/users/user_1/authorized_applications",
        "/organizations/org_1/authorized_applications",
    ] {
        assert_eq!(
            http::call(&world.emulator, Method::GET, path, &Value::Null)
                .await
                .0,
            404
        );
    }
    let path = format!(
        "/user_management/users/{}/authorized_applications?limit=0",
        world.ada.id
    );
    assert_eq!(
        http::call(&world.emulator, Method::GET, &path, &Value::Null)
            .await
            .0,
        422
    );
}

#[actix_web::test]
async fn they_end_with_the_membership_the_user_and_the_organization() {
    let membership_of = async |world: &World| {
        let path = format!(
            "/user_management/organization_memberships?user_id={}",
            world.ada.id
        );
        let (_, list) = http::call(&world.emulator, Method::GET, &path, &Value::Null).await;
        list["data"][0]["id"].as_str().unwrap().to_owned()
    };
    for (method, what) in [
        (Method::PUT, "deactivate"),
        (Method::DELETE, "membership"),
        (Method::DELETE, "user"),
        (Method::DELETE, "organization"),
    ] {
        let world = World::start().await;
        let tokens = allowed(&world).await;
        let membership = membership_of(&world).await;
        let path = match what {
            "deactivate" => format!("/user_management/organization_memberships/{membership}/deactivate"),
            "membership" => format!("/user_management/organization_memberships/{membership}"),
            "user" => format!("/user_management/users/{}", world.ada.id),
            _ => format!("/organizations/{}", world.acme.id),
        };
        let (status, _) = http::call(&world.emulator, method, &path, &Value::Null).await;
        assert!(status < 300, "{what}: {status}");
        assert_over(&world, &tokens).await;
        if what == "deactivate" {
            let path = path.replace("deactivate", "reactivate");
            let (status, _) = http::call(&world.emulator, Method::PUT, &path, &Value::Null).await;
            assert_eq!(status, 200);
            assert_over(&world, &tokens).await;
        }
    }
}
