//! Who may push, and how much: other directories' tokens and ids, bombs, and many at once.

use std::collections::HashSet;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use workos_emulator::Emulator;

use crate::{
    http,
    scim::{Directory, GROUP, USER, sent},
};

#[actix_web::test]
async fn only_the_directorys_own_token_opens_it() {
    let emulator = Emulator::start().await.unwrap();
    let acme = Directory::create(&emulator, "okta scim v2.0").await;
    let globex = Directory::create(&emulator, "okta scim v2.0").await;
    let unknown = format!("{}/scim/v2.0/unknownkey/Users", emulator.url());
    let api_key = emulator.api_key();
    for (url, token) in [
        (format!("{}/Users", acme.base_url), globex.token.as_str()),
        (format!("{}/Users", acme.base_url), api_key.as_str()),
        (format!("{}/Users", acme.base_url), ""),
        (
            format!("{}/Users", acme.base_url),
            &acme.token[..acme.token.len() - 1],
        ),
        (unknown, acme.token.as_str()),
    ] {
        let refused = sent(http::client().get(&url).bearer_auth(token)).await;
        assert_eq!(refused.error().0, 401, "{url}");
        assert_eq!(refused.header("www-authenticate"), r#"Bearer realm="SCIM""#);
    }
    let refused = sent(http::client().get(format!("{}/Users", acme.base_url))).await;
    assert_eq!(refused.error().0, 401);
    // Nor does the token open the API.
    let api = http::client()
        .get(format!("{}/directories", emulator.url()))
        .bearer_auth(&acme.token);
    assert_eq!(sent(api).await.status, 401);
}

#[actix_web::test]
async fn the_ids_of_other_directories_are_unknown() {
    let emulator = Emulator::start().await.unwrap();
    let acme = Directory::create(&emulator, "okta scim v2.0").await;
    let globex = Directory::create(&emulator, "okta scim v2.0").await;
    let ada = acme.user("ada@example.com").await;
    let group = acme.group("Engineers", &[&ada]).await;
    let own = globex.group("Engineers", &[]).await;
    for path in [format!("/Users/{ada}"), format!("/Groups/{group}")] {
        let title = json!([{"op": "add", "path": "displayName", "value": "Mine"}]);
        assert_eq!(globex.get(&path).await.error().0, 404);
        assert_eq!(globex.patch(&path, &title).await.error().0, 404);
        assert_eq!(
            globex
                .put(&path, &json!({"userName": "x", "displayName": "x"}))
                .await
                .error()
                .0,
            404
        );
        assert_eq!(globex.delete(&path).await.error().0, 404);
    }
    let add = json!([{"op": "add", "path": "members", "value": [{"value": ada}]}]);
    assert_eq!(globex.patch(&format!("/Groups/{own}"), &add).await.status, 204);
    assert_eq!(globex.members(&own).await, [""; 0]);
    for query in [
        format!("/Users?filter=id+eq+%22{ada}%22"),
        "/Users?filter=userName+eq+%22ada@example.com%22".to_owned(),
        "/Users?filter=emails.value+eq+%22ada@example.com%22".to_owned(),
        "/Users?filter=userName+pr".to_owned(),
        format!("/Groups?filter=id+eq+%22{group}%22"),
        format!("/Groups?filter=members+eq+%22{ada}%22"),
    ] {
        assert_eq!(globex.get(&query).await.body["totalResults"], 0, "{query}");
    }
    assert_eq!(acme.members(&group).await, [ada]);
}

#[actix_web::test]
async fn what_is_too_large_or_malformed_is_refused_and_changes_nothing() {
    let emulator = Emulator::start().await.unwrap();
    let directory = Directory::create(&emulator, "okta scim v2.0").await;
    let ada = directory.user("ada@example.com").await;
    let before = directory.get(&format!("/Users/{ada}")).await.body;
    let nested = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let users = |body: String, content_type: &'static str| {
        let request = directory
            .request(Method::POST, "/Users")
            .header("Content-Type", content_type);
        sent(request.body(body))
    };
    let scim = "application/scim+json";
    for (body, content_type, expected) in [
        ("{".to_owned(), scim, (400, "invalidSyntax")),
        ("[]".to_owned(), "application/json", (400, "invalidSyntax")),
        (nested.clone(), scim, (400, "invalidSyntax")),
        ("\u{0}".to_owned(), scim, (400, "invalidSyntax")),
        (
            "userName=ada".to_owned(),
            "application/x-www-form-urlencoded",
            (415, ""),
        ),
        ("userName: ada".to_owned(), "text/yaml", (415, "")),
        (
            format!("{{\"userName\": \"{}\"}}", "a".repeat(2_100_000)),
            scim,
            (413, ""),
        ),
    ] {
        let refused = users(body, content_type).await;
        assert_eq!((refused.error().0, refused.error().1), expected);
    }
    for filter in [
        "(".repeat(3_000),
        format!("userName eq \"{}\"", "a".repeat(20_000)),
        vec!["title pr"; 1_000].join(" or "),
        format!("{}title pr{}", "not (".repeat(100), ")".repeat(100)),
    ] {
        let refused = directory.post("/Users/.search", &json!({"filter": filter})).await;
        assert_eq!((refused.error().0, refused.error().1), (400, "invalidFilter"));
    }
    let path = format!("/Users/{ada}");
    // The first operation is fine, the second is not: neither counts.
    let half =
        json!([{"op": "replace", "path": "title", "value": "T"}, {"op": "remove", "path": "userName"}]);
    assert_eq!(directory.patch(&path, &half).await.error().1, "mutability");
    let many = vec![json!({"op": "add", "path": "title", "value": "x"}); 6_000];
    assert_eq!(directory.patch(&path, &json!(many)).await.error().0, 413);
    let deep = format!("emails[{}type pr{}].value", "(".repeat(2_000), ")".repeat(2_000));
    let deep = json!([{"op": "add", "path": deep, "value": "x"}]);
    assert_eq!(directory.patch(&path, &deep).await.error().1, "invalidFilter");
    assert_eq!(directory.get(&path).await.body, before);
    assert_eq!(directory.event_names().await, ["dsync.user.created"]);
}

#[actix_web::test]
async fn a_huge_list_of_members_is_taken_or_refused_as_a_whole() {
    let emulator = Emulator::start().await.unwrap();
    let directory = Directory::create(&emulator, "okta scim v2.0").await;
    let ada = directory.user("ada@example.com").await;
    let group = directory.group("Everybody", &[]).await;
    let mut members: Vec<_> = (0..20_000)
        .map(|number| json!({"value": format!("directory_user_{number}")}))
        .collect();
    members.push(json!({"value": ada}));
    members.push(json!({"value": ada}));
    let path = format!("/Groups/{group}");
    let add = json!([{"op": "add", "path": "members", "value": members}]);
    assert_eq!(directory.patch(&path, &add).await.status, 204);
    assert_eq!(directory.members(&group).await, [ada.as_str()]);
    let empty = json!([{"op": "add", "path": "members", "value": [{"value": ""}]}]);
    assert_eq!(directory.patch(&path, &empty).await.error().1, "invalidSyntax");
    let body = json!({"displayName": "x".repeat(2_100_000), "schemas": [GROUP]});
    assert_eq!(directory.put(&path, &body).await.error().0, 413);
    assert_eq!(directory.members(&group).await, [ada]);
}

#[actix_web::test]
async fn user_names_that_look_the_same_are_the_same_user() {
    let emulator = Emulator::start().await.unwrap();
    let directory = Directory::create(&emulator, "okta scim v2.0").await;
    let user = |name: &str, email: &str| json!({"schemas": [USER], "userName": name, "emails": [{"value": email, "type": "work"}]});
    assert_eq!(
        directory
            .post("/Users", &user("STRASSE@Ä.example", "a@example.com"))
            .await
            .status,
        201
    );
    for name in ["strasse@ä.example", "Strasse@Ä.EXAMPLE"] {
        let taken = directory.post("/Users", &user(name, "b@example.com")).await;
        assert_eq!(taken.error().0, 409, "{name}");
    }
    let filter = json!({"filter": "userName eq \"strassE@ä.example\""});
    assert_eq!(
        directory.post("/Users/.search", &filter).await.body["totalResults"],
        1
    );
    // The Kelvin sign is a K in lower case; a name in two spellings in one body is refused.
    assert_eq!(
        directory
            .post("/Users", &user("\u{212a}ate", "k@example.com"))
            .await
            .status,
        201
    );
    assert_eq!(
        directory
            .post("/Users", &user("kate", "k2@example.com"))
            .await
            .error()
            .0,
        409
    );
    let twice = r#"{"userName": "mallory", "USERNAME": "ada", "emails": [{"value": "m@example.com"}]}"#;
    let request = directory
        .request(Method::POST, "/Users")
        .header("Content-Type", "application/scim+json");
    assert_eq!(sent(request.body(twice)).await.error().1, "invalidSyntax");
}

#[actix_web::test]
async fn patches_of_one_group_at_the_same_time_lose_nothing() {
    const MANY: usize = 40;
    let emulator = Emulator::start().await.unwrap();
    let directory = Directory::create(&emulator, "azure scim v2.0").await;
    let leaver = directory.user("leaver@example.com").await;
    let group = directory.group("Everybody", &[&leaver]).await;
    let mut users = Vec::new();
    for number in 0..MANY {
        users.push(directory.user(&format!("user-{number}@example.com")).await);
    }
    let mut patches = JoinSet::new();
    for (number, user) in users.iter().cloned().enumerate() {
        let (directory, group, leaver) = (directory.clone(), group.clone(), leaver.clone());
        patches.spawn_local(async move {
            let mut operations = vec![json!({"op": "Add", "path": "members", "value": [{"value": user}]})];
            if number == MANY / 2 {
                operations.push(json!({"op": "Remove", "path": "members", "value": [{"value": leaver}]}));
            }
            directory
                .patch(&format!("/Groups/{group}"), &Value::from(operations))
                .await
                .status
        });
    }
    let statuses: HashSet<_> = patches.join_all().await.into_iter().collect();
    assert_eq!(statuses, HashSet::from([204]));
    let members: HashSet<_> = directory.members(&group).await.into_iter().collect();
    assert_eq!(members, users.into_iter().collect());
    let version = directory.get(&format!("/Groups/{group}")).await;
    let added = directory.event_names().await;
    assert_eq!(
        added
            .iter()
            .filter(|name| *name == "dsync.group.user_added")
            .count(),
        MANY + 1,
        "{version:?}"
    );
}
