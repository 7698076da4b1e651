//! An identity provider on the other side of SCIM: requests, and what applications hear of them.

use reqwest::{Method, RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};
use workos_emulator::{EmulatedEnvironment, Emulator};

use crate::http::{self, call};

pub(crate) const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
pub(crate) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// A directory, and the credentials to push into it.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    pub(crate) environment: EmulatedEnvironment,
    pub(crate) base_url: String,
    pub(crate) token: String,
}

/// An answer: status, headers and JSON; null where there is no body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn id(&self) -> String {
        self.body["id"]
            .as_str()
            .unwrap_or_else(|| panic!("{self:?}"))
            .to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Status, `scimType` and `detail` of an error.
    pub(crate) fn error(&self) -> (u16, &str, &str) {
        let text = |name: &str| self.body[name].as_str().unwrap_or_default();
        assert_eq!(
            self.body["schemas"],
            json!(["urn:ietf:params:scim:api:messages:2.0:Error"]),
            "{self:?}"
        );
        assert_eq!(text("status"), self.status.to_string());
        assert_eq!(
            self.header("content-type"),
            "application/scim+json; charset=utf-8"
        );
        (self.status, text("scimType"), text("detail"))
    }
}

impl Directory {
    /// A directory of an organization of its own.
    pub(crate) async fn create(environment: &EmulatedEnvironment, kind: &str) -> Self {
        let acme = environment.organization("Acme").create().unwrap();
        let body = json!({"organization_id": acme.id, "name": "Acme's people", "type": kind});
        let (status, body) = call(environment, Method::POST, "/_emulate/directories", &body).await;
        assert_eq!(status, 201, "{body}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            environment: environment.clone(),
            base_url: text(&body["scim"]["base_url"]),
            token: text(&body["scim"]["bearer_token"]),
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.base_url);
        http::client().request(method, url).bearer_auth(&self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        sent(self.request(Method::GET, path)).await
    }

    /// Sends a body as identity providers do.
    pub(crate) async fn send(&self, method: Method, path: &str, body: &Value) -> Answer {
        let request = self
            .request(method, path)
            .header("Content-Type", "application/scim+json; charset=utf-8")
            .body(body.to_string());
        sent(request).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, body).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, body).await
    }

    pub(crate) async fn patch(&self, path: &str, operations: &Value) -> Answer {
        let body = json!({"schemas": [PATCH_OP], "Operations": operations});
        self.send(Method::PATCH, path, &body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        sent(self.request(Method::DELETE, path)).await
    }

    /// A user who is there and active.
    pub(crate) async fn user(&self, name: &str) -> String {
        let body = json!({
            "schemas": [USER],
            "userName": name,
            "externalId": format!("ext-{name}"),
            "name": {"givenName": "Ada", "familyName": "Lovelace"},
            "emails": [{"value": name, "type": "work", "primary": true}],
            "active": true,
        });
        let made = self.post("/Users", &body).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.id()
    }

    pub(crate) async fn group(&self, name: &str, members: &[&str]) -> String {
        let members: Vec<_> = members.iter().map(|id| json!({"value": id})).collect();
        let body = json!({"schemas": [GROUP], "displayName": name, "members": members});
        let made = self.post("/Groups", &body).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.id()
    }

    /// The ids of a group's members.
    pub(crate) async fn members(&self, group: &str) -> Vec<String> {
        let group = self.get(&format!("/Groups/{group}")).await;
        let members = group.body["members"].as_array().cloned().unwrap_or_default();
        members
            .iter()
            .map(|member| member["value"].as_str().unwrap().to_owned())
            .collect()
    }

    /// What has been told of directories so far, in order: event and data. Tokens and activations are left out.
    pub(crate) async fn events(&self) -> Vec<(String, Value)> {
        let path = "/events?limit=100&events=dsync.user.created,dsync.user.updated,dsync.user.deleted,\
                    dsync.group.created,dsync.group.updated,dsync.group.deleted,dsync.group.user_added,\
                    dsync.group.user_removed,dsync.deleted";
        let (status, list) = call(&self.environment, Method::GET, path, &Value::Null).await;
        assert_eq!(status, 200, "{list}");
        let events = list["data"].as_array().unwrap().iter();
        events
            .map(|event| (event["event"].as_str().unwrap().to_owned(), event["data"].clone()))
            .collect()
    }

    pub(crate) async fn event_names(&self) -> Vec<String> {
        self.events().await.into_iter().map(|(name, _)| name).collect()
    }

    pub(crate) async fn set(&self, settings: Value) {
        let (status, body) = call(&self.environment, Method::PATCH, "/_emulate/settings", &settings).await;
        assert_eq!(status, 200, "{body}");
    }
}

pub(crate) async fn sent(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    let body = if text.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status}, not JSON: {text}"))
    };
    Answer {
        status,
        headers,
        body,
    }
}

fn user(name: &str, members: Value) -> Value {
    let mut user = json!({"schemas": [USER], "userName": name, "emails": [{"value": name, "type": "work"}]});
    user.as_object_mut()
        .unwrap()
        .extend(members.as_object().unwrap().clone());
    user
}

#[actix_web::test]
async fn a_user_has_a_place_a_version_and_its_schemas() {
    let emulator = Emulator::start().await.unwrap();
    let directory = Directory::create(&emulator, "generic scim v2.0").await;
    let body = user(
        "Ada@example.com",
        json!({ENTERPRISE: {"department": "Engines"}, "password": "secret"}),
    );
    let made = directory.post("/Users", &body).await;
    assert_eq!(made.status, 201);
    let (id, location) = (made.id(), format!("{}/Users/{}", directory.base_url, made.id()));
    assert_eq!(made.header("location"), location);
    assert_eq!(
        made.header("content-type"),
        "application/scim+json; charset=utf-8"
    );
    assert_eq!(made.body["meta"]["location"], location.as_str());
    assert_eq!(made.body["meta"]["resourceType"], "User");
    assert_eq!(made.body["schemas"], json!([USER, ENTERPRISE]));
    assert_eq!(made.body["userName"], "Ada@example.com");
    assert_eq!(made.body.get("password"), None);

    let path = format!("/Users/{id}");
    let got = directory.get(&path).await;
    assert_eq!((got.status, &got.body), (200, &made.body));
    let version = got.header("etag").to_owned();
    assert_eq!(version, got.body["meta"]["version"]);
    let conditional = |method, name, value: &str| directory.request(method, &path).header(name, value);
    assert_eq!(
        sent(conditional(Method::GET, "If-None-Match", &version))
            .await
            .status,
        304
    );
    let patched = directory
        .patch(&path, &json!([{"op": "add", "path": "title", "value": "T"}]))
        .await;
    assert_eq!((patched.status, &patched.body["title"]), (200, &json!("T")));
    assert_ne!(patched.header("etag"), version);
    assert_eq!(
        sent(conditional(Method::GET, "If-None-Match", &version))
            .await
            .status,
        200
    );
    let stale = sent(conditional(Method::DELETE, "If-Match", &version)).await;
    assert_eq!(stale.error().0, 412);
    let fresh = sent(conditional(Method::DELETE, "If-Match", patched.header("etag"))).await;
    assert_eq!((fresh.status, fresh.body), (204, Value::Null));
    assert_eq!(directory.get(&path).await.error().0, 404);

    let head = sent(directory.request(Method::HEAD, "/Users")).await;
    assert_eq!((head.status, head.body), (200, Value::Null));
    let options = sent(directory.request(Method::OPTIONS, "/Users")).await;
    assert_eq!(
        (options.status, options.header("allow")),
        (405, "GET, POST, HEAD")
    );
}

#[actix_web::test]
async fn lists_are_filtered_sorted_projected_and_paged() {
    let emulator = Emulator::start().await.unwrap();
    let directory = Directory::create(&emulator, "generic scim v2.0").await;
    let mut ids = Vec::new();
    for name in ["c@a.example", "a@a.example", "B@b.example"] {
        ids.push(directory.user(name).await);
    }
    directory.group("Engineers", &[&ids[0]]).await;
    let names = async |query: &str| -> Vec<String> {
        let list = directory.get(&format!("/Users?{query}")).await;
        assert_eq!(list.status, 200, "{list:?}");
        let found = list.body["Resources"].as_array().unwrap().iter();
        found
            .map(|user| user["userName"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names("").await, ["c@a.example", "a@a.example", "B@b.example"]);
    assert_eq!(
        names("sortBy=userName").await,
        ["a@a.example", "B@b.example", "c@a.example"]
    );
    assert_eq!(
        names("sortBy=userName&sortOrder=descending&count=1").await,
        ["c@a.example"]
    );
    assert_eq!(names("startIndex=2&count=1").await, ["a@a.example"]);
    assert_eq!(names("startIndex=9").await, [""; 0]);
    assert_eq!(
        names("filter=userName+eq+%22b%40B.example%22").await,
        ["B@b.example"]
    );
    assert_eq!(
        names("filter=externalId+eq+%22ext-a%40a.example%22").await,
        ["a@a.example"]
    );
    assert_eq!(
        names("filter=emails.value+eq+%22C%40a.example%22").await,
        ["c@a.example"]
    );
    assert_eq!(
        names("filter=emails%5Btype+eq+%22work%22%5D+and+userName+co+%22%40a%22")
            .await
            .len(),
        2
    );
    assert_eq!(
        names("filter=groups.display+eq+%22engineers%22").await,
        ["c@a.example"]
    );
    assert_eq!(
        names(&format!("filter=id+eq+%22{}%22", ids[1])).await,
        ["a@a.example"]
    );
    assert_eq!(names("filter=userName+eq+%22nobody%22").await, [""; 0]);

    let page = directory
        .get("/Users?startIndex=2&count=1&attributes=userName&aadOptscim062020")
        .await;
    assert_eq!(
        page.body,
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": 3, "startIndex": 2, "itemsPerPage": 1,
            "Resources": [{"schemas": [USER], "id": ids[1], "userName": "a@a.example"}],
        })
    );
    let counted = directory.get("/Users?count=0").await;
    assert_eq!(
        (&counted.body["totalResults"], &counted.body["Resources"]),
        (&json!(3), &json!([]))
    );
    let wrong = directory.get("/Users?filter=userName+is+%22x%22").await;
    assert_eq!((wrong.error().0, wrong.error().1), (400, "invalidFilter"));

    let search = json!({"filter": "userName sw \"a@\" or displayName pr", "attributes": ["displayName"]});
    let found = directory.post("/.search", &search).await;
    assert_eq!(found.body["totalResults"], 2);
    assert_eq!(found.body["Resources"][1]["displayName"], "Engineers");
    assert_eq!(
        directory.post("/Users/.search", &search).await.body["totalResults"],
        1
    );

    // A deleted user is counted no longer, and the others move up.
    directory.delete(&format!("/Users/{}", ids[0])).await;
    assert_eq!(names("startIndex=1&count=1").await, ["a@a.example"]);
    assert_eq!(directory.get("/Users").await.body["totalResults"], 2);
}

#[actix_web::test]
async fn workos_own_rules_count_by_default() {
    let emulator = Emulator::start().await.unwrap();
    let directory = Directory::create(&emulator, "generic scim v2.0").await;
    let ada = directory.user("ada@example.com").await;
    let bob = directory.user("bob@example.com").await;
    let post = async |body: Value| directory.post("/Users", &body).await;
    for (body, expected) in [
        (
            json!({"emails": [{"value": "x@y.example"}]}),
            (400, "invalidValue", "'userName' is required"),
        ),
        (
            json!({"userName": "x"}),
            (400, "invalidValue", "Required attributes missing: emails"),
        ),
        (
            json!({"userName": "y", "emails": [{"value": " "}]}),
            (400, "invalidValue", "Required attributes missing: emails"),
        ),
        (
            user("x@example.com", json!({"active": "true"})),
            (
                400,
                "invalidSyntax",
                "'active' is expected boolean, received string",
            ),
        ),
        (
            user("ADA@example.com", json!({})),
            (
                409,
                "",
                "Another user already exists with this username 'ADA@example.com'",
            ),
        ),
        (
            user(
                "x@example.com",
                json!({"emails": [{"value": "Ada@Example.com", "primary": true}]}),
            ),
            (
                409,
                "",
                "Another user already exists with this email 'ada@example.com'",
            ),
        ),
        (
            user("x@example.com", json!({"active": false})),
            (400, "", "Inactive users cannot be created"),
        ),
    ] {
        let refused = post(body).await;
        assert_eq!(refused.error(), expected);
    }
    // The held user comes to light when it is sent again, with an address.
    let healed = post(user(
        "X",
        json!({"emails": [{"value": "x@example.com", "type": "work"}]}),
    ))
    .await;
    assert_eq!(healed.status, 201, "{healed:?}");
    let filled = post(json!({"userName": "carol@example.com"})).await;
    assert_eq!(
        filled.body["emails"],
        json!([{"primary": true, "type": "work", "value": "carol@example.com"}])
    );

    let path = format!("/Users/{ada}");
    let replaced = directory.put(&path, &json!({"userName": "ada"})).await;
    assert_eq!(
        replaced.error(),
        (400, "invalidSyntax", "Required attributes missing: emails")
    );
    let unknown = "/Users/directory_user_x";
    assert_eq!(directory.put(unknown, &json!({})).await.error().0, 404);
    assert_eq!(directory.patch(unknown, &json!([])).await.error().0, 404);
    assert_eq!(directory.delete(unknown).await.error().0, 404);

    assert_eq!(
        directory
            .post("/Groups", &json!({"displayName": " "}))
            .await
            .error(),
        (400, "invalidValue", "'displayName' is required")
    );
    let members = [ada.as_str(), "directory_user_x", bob.as_str()];
    let group = directory.group("Engineers", &members).await;
    assert_eq!(directory.members(&group).await, [ada.as_str(), bob.as_str()]);
    let rename = json!([{"op": "replace", "value": {"displayName": "Builders"}}]);
    let renamed = directory.patch(&format!("/Groups/{group}"), &rename).await;
    assert_eq!(renamed.status, 204);
    let taken = directory
        .post("/Groups", &json!({"displayName": "Engineers"}))
        .await;
    assert_eq!(
        taken.error(),
        (409, "", "Another group already exists with this ID 'Engineers'")
    );

    directory.set(json!({"scim_profile": "rfc7644"})).await;
    let taken = post(user("ADA@example.com", json!({}))).await;
    assert_eq!((taken.error().0, taken.error().1), (409, "uniqueness"));
    assert_eq!(
        post(json!({"schemas": [USER], "userName": "dora", "active": false}))
            .await
            .status,
        201
    );
    let stranger = json!({"schemas": [GROUP], "displayName": "G", "members": [{"value": "x"}]});
    let refused = directory.post("/Groups", &stranger).await;
    assert_eq!(refused.error(), (400, "invalidValue", "There is no user 'x'."));
}

#[actix_web::test]
async fn says_what_it_can() {
    let emulator = Emulator::start().await.unwrap();
    let directory = Directory::create(&emulator, "generic scim v2.0").await;
    let config = directory.get("/ServiceProviderConfig").await;
    assert_eq!(config.status, 200);
    assert_eq!(config.body["patch"]["supported"], true);
    assert_eq!(config.body["bulk"]["supported"], false);
    let location = format!("{}/ServiceProviderConfig", directory.base_url);
    assert_eq!(config.body["meta"]["location"], location.as_str());
    let types = directory.get("/ResourceTypes").await;
    assert_eq!(types.body["totalResults"], 2);
    let group = directory.get("/ResourceTypes/Group").await;
    assert_eq!((group.status, &group.body["endpoint"]), (200, &json!("/Groups")));
    let schema = directory.get(&format!("/Schemas/{ENTERPRISE}")).await;
    assert_eq!(
        (schema.status, &schema.body["name"]),
        (200, &json!("EnterpriseUser"))
    );
    for (path, status) in [
        ("/Schemas/urn:x", 404),
        ("/ResourceTypes/Robot", 404),
        ("/Robots", 404),
        ("/Schemas?filter=name+eq+%22User%22", 403),
    ] {
        assert_eq!(directory.get(path).await.error().0, status, "{path}");
    }
    for path in ["/Schemas", "/ResourceTypes", "/ServiceProviderConfig"] {
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let refused = directory.send(method, path, &json!({})).await;
            assert_eq!(
                (refused.error().0, refused.header("allow")),
                (405, "GET, HEAD"),
                "{path}"
            );
        }
    }
    assert_eq!(
        directory
            .post("/Bulk", &json!({"Operations": []}))
            .await
            .error()
            .0,
        501
    );
}
