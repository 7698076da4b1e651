//! What Okta sends, as documented: <https://developer.okta.com/docs/api/openapi/okta-scim/guides/scim-20/>.

use reqwest::Method;
use serde_json::{Value, json};
use workos_emulator::Emulator;

use crate::{
    http::call,
    scim::{Directory, GROUP, USER},
};

fn new_user() -> Value {
    json!({
        "schemas": [USER],
        "userName": "test.user@okta.local",
        "name": {"givenName": "Test", "familyName": "User"},
        "emails": [{"primary": true, "value": "test.user@okta.local", "type": "work"}],
        "displayName": "Test User",
        "locale": "en-US",
        "externalId": "00ujl29u0le5T6Aj10h7",
        "groups": [],
        "password": "1mz050nq",
        "active": true,
    })
}

#[actix_web::test]
async fn a_user_is_assigned_changed_and_deactivated() {
    let emulator = Emulator::start().await.unwrap();
    let directory = Directory::create(&emulator, "okta scim v2.0").await;

    let all = directory.get("/Users?startIndex=1&count=100").await;
    assert_eq!((all.status, &all.body["totalResults"]), (200, &json!(0)));
    let lookup = "/Users?filter=userName%20eq%20%22test.user%40okta.local%22&startIndex=1&count=100";
    assert_eq!(directory.get(lookup).await.body["totalResults"], 0);
    let made = directory.post("/Users", &new_user()).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.body.get("password"), None);
    assert_eq!(directory.post("/Users", &new_user()).await.error().0, 409);
    assert_eq!(directory.get(lookup).await.body["Resources"][0]["id"], made.id());
    let path = format!("/Users/{}", made.id());
    assert_eq!(directory.get(&path).await.body["name"]["givenName"], "Test");
    assert_eq!(directory.get("/Users/00000").await.error().0, 404);

    let mut changed = new_user();
    changed["id"] = made.id().into();
    changed["name"]["middleName"] = "Excited".into();
    changed["meta"] = json!({"resourceType": "User"});
    let replaced = directory.put(&path, &changed).await;
    assert_eq!(
        (replaced.status, &replaced.body["name"]["middleName"]),
        (200, &json!("Excited"))
    );
    // The same again changes nothing.
    assert_eq!(
        directory.put(&path, &changed).await.header("etag"),
        replaced.header("etag")
    );

    let deactivated = directory
        .patch(&path, &json!([{"op": "replace", "value": {"active": false}}]))
        .await;
    assert_eq!(
        (deactivated.status, &deactivated.body["active"]),
        (200, &json!(false))
    );
    // For the application the user is gone; for Okta it is not, and may come back.
    let api = format!("/directory_users/{}", made.id());
    assert_eq!(call(&emulator, Method::GET, &api, &Value::Null).await.0, 404);
    assert_eq!(directory.get(lookup).await.body["totalResults"], 1);
    let back = directory
        .patch(&path, &json!([{"op": "replace", "value": {"active": true}}]))
        .await;
    assert_eq!(back.status, 200);
    assert_eq!(
        call(&emulator, Method::GET, &api, &Value::Null).await.1["state"],
        "active"
    );
    assert_eq!(
        directory.event_names().await,
        ["dsync.user.created", "dsync.user.deleted", "dsync.user.created"]
    );
}

#[actix_web::test]
async fn a_group_is_pushed() {
    let emulator = Emulator::start().await.unwrap();
    let directory = Directory::create(&emulator, "okta scim v2.0").await;
    let (ada, bob) = (
        directory.user("ada@example.com").await,
        directory.user("bob@example.com").await,
    );

    let lookup = "/Groups?filter=displayName%20eq%20%22Test%20SCIMv2%22&startIndex=1&count=100";
    assert_eq!(directory.get(lookup).await.body["totalResults"], 0);
    let new = json!({"schemas": [GROUP], "displayName": "Test SCIMv2", "members": []});
    let made = directory.post("/Groups", &new).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(directory.get(lookup).await.body["Resources"][0]["id"], made.id());
    let path = format!("/Groups/{}", made.id());

    let add =
        json!([{"op": "add", "path": "members", "value": [{"value": ada, "display": "ada@example.com"}]}]);
    assert_eq!(directory.patch(&path, &add).await.status, 204);
    let group = directory.get(&path).await;
    assert_eq!(
        group.body["members"],
        json!([{
            "value": ada, "$ref": format!("{}/Users/{ada}", directory.base_url), "type": "User",
            "display": "ada@example.com",
        }])
    );
    let user = directory.get(&format!("/Users/{ada}")).await;
    assert_eq!(user.body["groups"][0]["display"], "Test SCIMv2");

    // A rename with the id, then one member for another in one request, then all members at once.
    let rename = json!([{"op": "replace", "value": {"id": made.id(), "displayName": "Test SCIMv3"}}]);
    assert_eq!(directory.patch(&path, &rename).await.status, 204);
    let swap = json!([
        {"op": "remove", "path": format!("members[value eq \"{ada}\"]")},
        {"op": "add", "path": "members", "value": [{"value": bob}]},
    ]);
    assert_eq!(directory.patch(&path, &swap).await.status, 204);
    assert_eq!(directory.members(&made.id()).await, [bob.as_str()]);
    let replaced = json!([{"op": "replace", "path": "members", "value": [{"value": ada}, {"value": bob}]}]);
    let shown = directory
        .patch(&format!("{path}?attributes=members.value"), &replaced)
        .await;
    assert_eq!(
        (shown.status, &shown.body["members"]),
        (200, &json!([{"value": ada}, {"value": bob}]))
    );
    let put = json!({"schemas": [GROUP], "id": made.id(), "displayName": "Test SCIMv3", "members": [{"value": ada}]});
    assert_eq!(
        directory.put(&path, &put).await.body["members"][0]["value"],
        ada.as_str()
    );

    assert_eq!(
        directory.event_names().await[2..],
        [
            "dsync.group.created",
            "dsync.group.user_added",
            "dsync.group.updated",
            "dsync.group.user_removed",
            "dsync.group.user_added",
            "dsync.group.user_added",
            "dsync.group.user_removed",
        ]
    );
    assert_eq!(directory.delete(&path).await.status, 204);
    assert_eq!(
        directory.event_names().await.last().unwrap(),
        "dsync.group.deleted"
    );
}
