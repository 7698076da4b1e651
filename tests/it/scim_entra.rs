//! What Entra ID sends, as documented: <https://learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups>.

use serde_json::json;
use workos_emulator::Emulator;

use crate::{
    receiver::Receiver,
    scim::{Directory, ENTERPRISE, GROUP, USER},
};

/// Entra's flag for its newer behaviour stands at the end of the tenant URL.
fn with_flag(path: &str) -> String {
    let separator = if path.contains('?') { '&' } else { '?' };
    format!("{path}{separator}aadOptscim062020")
}

#[actix_web::test]
async fn a_user_is_provisioned_changed_and_deprovisioned() {
    let emulator = Emulator::start().await.unwrap();
    let directory = Directory::create(&emulator, "azure scim v2.0").await;
    let told = ["dsync.user.created", "dsync.user.updated", "dsync.user.deleted"];
    let receiver = Receiver::start(&emulator, &told).await;
    directory
        .set(json!({"directory_sync": {"inactive_users": "keep"}}))
        .await;

    // The test of the connection: a user that is not there is an empty list, not a 404.
    let lookup = "/Users?filter=userName+eq+%22Test_User_dfeef4c5-5681-4387-b016-bdf221e82081%22";
    let nobody = directory.get(&with_flag(lookup)).await;
    assert_eq!(nobody.status, 200);
    assert_eq!(nobody.body["totalResults"], 0);
    assert_eq!(nobody.body["Resources"], json!([]));

    let new = json!({
        "schemas": [USER, ENTERPRISE],
        "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
        "userName": "Test_User_ab6490ee-1e48-479e-a20b-2d77186b5dd1@testuser.com",
        "active": true,
        "emails": [{"primary": true, "type": "work", "value": "Test_User_fd0ea19b@testuser.com"}],
        "meta": {"resourceType": "User"},
        "name": {"formatted": "givenName familyName", "familyName": "familyName", "givenName": "givenName"},
        "roles": [],
    });
    let made = directory.post(&with_flag("/Users"), &new).await;
    assert_eq!(made.status, 201, "{made:?}");
    let path = format!("/Users/{}", made.id());
    let found = directory
        .get("/Users?filter=externalId+eq+%220a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef%22")
        .await;
    assert_eq!(found.body["Resources"][0]["id"], made.id());

    // Without the flag: capitalised operations, paths with filters for values that are not there yet, dotted names.
    let changed = directory
        .patch(
            &path,
            &json!([
                {"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "updated@testuser.com"},
                {"op": "Add", "path": "phoneNumbers[type eq \"work\"].value", "value": "+1"},
                {"op": "Replace", "path": "name.familyName", "value": "updatedFamilyName"},
                {"op": "Add", "path": format!("{ENTERPRISE}:department"), "value": "Engines"},
                {"op": "Add", "path": format!("{ENTERPRISE}:manager"), "value": "directory_user_boss"},
                {"op": "Replace", "value": {"name.givenName": "Ada", "displayName": "Ada L"}},
            ]),
        )
        .await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(changed.body["emails"][0]["value"], "updated@testuser.com");
    assert_eq!(
        changed.body["phoneNumbers"],
        json!([{"type": "work", "value": "+1"}])
    );
    assert_eq!(changed.body["name"]["givenName"], "Ada");
    assert_eq!(changed.body["name"]["familyName"], "updatedFamilyName");
    assert_eq!(
        changed.body[ENTERPRISE],
        json!({"department": "Engines", "manager": {"value": "directory_user_boss"}})
    );

    // Disabled, enabled, and disabled again before it is deleted.
    for (op, active) in [
        ("Replace", json!("False")),
        ("Replace", json!("True")),
        ("replace", json!(false)),
    ] {
        let operation = json!([{"op": op, "path": "active", "value": active}]);
        assert_eq!(directory.patch(&path, &operation).await.status, 200);
    }
    assert_eq!(directory.get(&path).await.body["active"], false);
    let removed = directory.delete(&path).await;
    assert_eq!((removed.status, removed.body), (204, json!(null)));
    assert_eq!(directory.get(&path).await.error().0, 404);

    let events = directory.events().await;
    let names: Vec<_> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "dsync.user.created",
            "dsync.user.updated",
            "dsync.user.updated",
            "dsync.user.updated",
            "dsync.user.updated",
            "dsync.user.deleted",
        ]
    );
    let (created, changed, disabled) = (&events[0].1, &events[1].1, &events[2].1);
    assert_eq!(created["idp_id"], "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef");
    assert_eq!(created["email"], "test_user_fd0ea19b@testuser.com");
    assert_eq!(changed["first_name"], "Ada");
    assert_eq!(changed["previous_attributes"]["first_name"], "givenName");
    assert_eq!(
        changed["previous_attributes"]["email"],
        "test_user_fd0ea19b@testuser.com"
    );
    assert_eq!(disabled["state"], "inactive");
    assert_eq!(disabled["previous_attributes"], json!({"state": "active"}));
    let arrived = receiver.arrived(6).await;
    let arrived: Vec<_> = arrived
        .iter()
        .map(|arrival| arrival.event()["event"].clone())
        .collect();
    assert_eq!(arrived, names);
}

#[actix_web::test]
async fn a_group_is_provisioned_and_its_members_change() {
    let emulator = Emulator::start().await.unwrap();
    let directory = Directory::create(&emulator, "azure scim v2.0").await;
    let (ada, bob) = (
        directory.user("ada@example.com").await,
        directory.user("bob@example.com").await,
    );

    let new = json!({
        "schemas": [GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
        "externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159",
        "displayName": "displayName",
        "meta": {"resourceType": "Group"},
    });
    let made = directory.post("/Groups", &new).await;
    assert_eq!(made.status, 201, "{made:?}");
    let path = format!("/Groups/{}", made.id());
    let lean = directory.get(&format!("{path}?excludedAttributes=members")).await;
    assert_eq!(
        (&lean.body["displayName"], lean.body.get("members")),
        (&json!("displayName"), None)
    );
    let by_name = directory
        .get("/Groups?excludedAttributes=members&filter=displayName+eq+%22DISPLAYNAME%22")
        .await;
    assert_eq!(by_name.body["Resources"][0]["id"], made.id());

    let renamed = json!([{"op": "Replace", "path": "displayName", "value": "Engineers"}]);
    assert_eq!(directory.patch(&path, &renamed).await.status, 204);
    for id in [&ada, &bob] {
        let add = json!([{"op": "Add", "path": "members", "value": [{"$ref": null, "value": id}]}]);
        let added = directory.patch(&path, &add).await;
        assert_eq!((added.status, added.body), (204, json!(null)));
    }
    assert_eq!(directory.members(&made.id()).await, [ada.clone(), bob.clone()]);
    // Is she a member? Asked with both ids.
    let asked = format!(
        "/Groups?filter=id+eq+%22{}%22+and+members+eq+%22{ada}%22&attributes=id",
        made.id()
    );
    assert_eq!(directory.get(&asked).await.body["totalResults"], 1);
    let asked = format!("/Groups?filter=members%5Bvalue+eq+%22{bob}%22%5D&attributes=id");
    assert_eq!(directory.get(&asked).await.body["totalResults"], 1);

    // Removing a list of values removes these, not all.
    let remove = json!([{"op": "Remove", "path": "members", "value": [{"$ref": null, "value": ada}]}]);
    assert_eq!(directory.patch(&path, &remove).await.status, 204);
    assert_eq!(directory.members(&made.id()).await, [bob.as_str()]);
    let remove = json!([{"op": "remove", "path": format!("members[value eq \"{bob}\"]")}]);
    assert_eq!(directory.patch(&path, &remove).await.status, 204);
    assert_eq!(directory.members(&made.id()).await, [""; 0]);
    assert_eq!(directory.delete(&path).await.status, 204);

    let events = directory.events().await;
    let told: Vec<_> = events[2..]
        .iter()
        .map(|(name, data)| (name.as_str(), data["user"]["id"].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(
        told,
        [
            ("dsync.group.created", ""),
            ("dsync.group.updated", ""),
            ("dsync.group.user_added", ada.as_str()),
            ("dsync.group.user_added", bob.as_str()),
            ("dsync.group.user_removed", ada.as_str()),
            ("dsync.group.user_removed", bob.as_str()),
            ("dsync.group.deleted", ""),
        ]
    );
    assert_eq!(events[3].1["previous_attributes"], json!({"name": "displayName"}));

    // By the RFC, `remove` has no value: it takes away all.
    let group = directory.group("RFC", &[&ada, &bob]).await;
    directory.set(json!({"scim_profile": "rfc7644"})).await;
    let remove = json!([{"op": "remove", "path": "members", "value": [{"value": ada}]}]);
    assert_eq!(
        directory.patch(&format!("/Groups/{group}"), &remove).await.status,
        204
    );
    assert_eq!(directory.members(&group).await, [""; 0]);
}
