//! `/_emulate`, over HTTP.
#![expect(clippy::unwrap_used, reason = "what a test needs panics like the test itself")]

#[path = "../http/mod.rs"]
mod http;
mod requests;

use serde_json::{Value, json};
use workos_emulator::Emulator;

/// One call of the control API; the environment is the default one, unless a header names another.
fn call(emulator: &Emulator, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let headers = [("Content-Type", "application/json")];
    http::request(emulator.address(), method, path, &headers, &body)
}

/// `GET` of the WorkOS API with this key.
fn api(emulator: &Emulator, api_key: &str, path: &str) -> (u16, Value) {
    let bearer = format!("Bearer {api_key}");
    let headers = [("Authorization", bearer.as_str())];
    http::request(emulator.address(), "GET", path, &headers, "")
}

fn emails(emulator: &Emulator, api_key: &str) -> Vec<String> {
    let (status, users) = api(emulator, api_key, "/user_management/users?order=asc");
    assert_eq!(status, 200, "{users}");
    let users = users["data"].as_array().unwrap();
    users
        .iter()
        .map(|user| user["email"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn hooks_have_the_shapes_of_the_peer() {
    let emulator = Emulator::start().await.unwrap();
    let wanted = json!({"method": "GET", "path": "/radar/*", "status": 503, "count": 1});
    let (status, hook) = call(&emulator, "POST", "/_emulate/hooks", &wanted);
    assert_eq!(status, 201);
    let id = hook["id"].as_str().unwrap();
    assert!(id.starts_with("hook_"), "{id}");
    let shown = json!([{"id": id, "method": "GET", "path": "/radar/*", "status": 503, "count": 1}]);
    assert_eq!(
        call(&emulator, "GET", "/_emulate/hooks", &Value::Null),
        (200, shown)
    );
    let path = format!("/_emulate/hooks/{id}");
    assert_eq!(call(&emulator, "DELETE", &path, &Value::Null), (204, Value::Null));
    assert_eq!(
        call(&emulator, "DELETE", &path, &Value::Null),
        (404, json!({"message": "Hook not found", "code": "not_found"}))
    );
    assert_eq!(
        call(&emulator, "POST", "/_emulate/hooks", &json!({"method": "GET"})),
        (
            400,
            json!({"message": "method, path, and status are required", "code": "bad_request"})
        )
    );
    for (member, value, status) in [
        ("status", json!(999), 422),
        ("status", json!("x"), 422),
        ("count", json!(-1), 422),
        ("delay_ms", json!(5), 501),
        ("rate_limit", json!({"max_requests": 1, "window_ms": 1}), 501),
    ] {
        let mut wrong = wanted.clone();
        wrong[member] = value;
        assert_eq!(
            call(&emulator, "POST", "/_emulate/hooks", &wrong).0,
            status,
            "{wrong}"
        );
    }
    assert_eq!(
        call(&emulator, "GET", "/_emulate/hooks", &Value::Null).1,
        json!([])
    );
}

#[tokio::test]
async fn a_hook_answers_in_the_place_of_the_api_but_not_of_the_control_api() {
    let emulator = Emulator::start().await.unwrap();
    let body = json!({"message": "Later.", "code": "slow_down"});
    let wanted = json!({"method": "*", "path": "*", "status": 429, "count": 2, "body": body});
    call(&emulator, "POST", "/_emulate/hooks", &wanted);
    assert_eq!(call(&emulator, "GET", "/health", &Value::Null).0, 200);
    // A request without a key is refused first, and counts for nothing.
    assert_eq!(api(&emulator, "sk_test_wrong", "/organizations").0, 401);
    assert_eq!(
        api(&emulator, "sk_test_default", "/organizations"),
        (429, body.clone())
    );
    assert_eq!(api(&emulator, "sk_test_default", "/organizations"), (429, body));
    assert_eq!(api(&emulator, "sk_test_default", "/organizations").0, 200);
}

#[tokio::test]
async fn environments_are_made_copied_and_removed() {
    let emulator = Emulator::start().await.unwrap();
    let seed = json!({"users": [{"email": "ann@acme.example"}]});
    let (status, made) = call(
        &emulator,
        "POST",
        "/_emulate/environments",
        &json!({"name": "one", "seed": seed, "settings": {"access_token_lifetime": 60}}),
    );
    assert_eq!(status, 201, "{made}");
    let key = made["api_key"].as_str().unwrap();
    assert_eq!(made["base_url"], json!(emulator.url()));
    assert_eq!(emails(&emulator, key), ["ann@acme.example"]);
    assert!(emails(&emulator, "sk_test_default").is_empty());

    let (status, fork) = call(
        &emulator,
        "POST",
        "/_emulate/environments",
        &json!({"fork_of": "one"}),
    );
    assert_eq!(status, 201, "{fork}");
    let fork_key = fork["api_key"].as_str().unwrap();
    assert_ne!(fork_key, key);
    assert_ne!(fork["client_id"], made["client_id"]);
    assert_eq!(fork["name"], fork["id"]);
    assert_eq!(emails(&emulator, fork_key), ["ann@acme.example"]);

    let (_, all) = call(&emulator, "GET", "/_emulate/environments", &Value::Null);
    assert_eq!(all["data"].as_array().unwrap().len(), 3);
    assert_eq!(
        call(&emulator, "GET", "/_emulate/environments/one", &Value::Null).1,
        made
    );
    for (body, status) in [
        (json!({"name": "one"}), 409),
        (json!({"fork_of": "nowhere"}), 404),
        (json!({"colour": "blue"}), 422),
        (json!({"settings": {"colour": "blue"}}), 422),
        (json!({"seed": {"apiKeys": {"sk_test_default": {}}}}), 409),
        (json!({"seed": "users: [{}]"}), 422),
    ] {
        let (refused, answer) = call(&emulator, "POST", "/_emulate/environments", &body);
        assert_eq!(refused, status, "{body}: {answer}");
    }
    assert_eq!(
        call(&emulator, "DELETE", "/_emulate/environments/one", &Value::Null).0,
        204
    );
    assert_eq!(api(&emulator, key, "/organizations").0, 401);
    assert_eq!(
        call(
            &emulator,
            "DELETE",
            "/_emulate/environments/default",
            &Value::Null
        )
        .0,
        409
    );
    assert_eq!(api(&emulator, "sk_test_default", "/organizations").0, 200);
}

#[tokio::test]
async fn a_seed_adds_all_or_nothing_as_yaml_or_json() {
    let emulator = Emulator::start().await.unwrap();
    let yaml = "users:\n  - {id: user_ann, email: Ann@acme.example}\norganizations:\n  - {name: Acme, memberships: [{email: ann@acme.example}]}\ntotp: 1\n";
    // As `curl --data-binary @seed.yaml` sends it.
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    let (status, seeded) = http::request(emulator.address(), "POST", "/_emulate/seed", &headers, yaml);
    assert_eq!(status, 200, "{seeded}");
    assert_eq!(
        seeded["created"],
        json!({"users": 1, "organizations": 1, "memberships": 1})
    );
    assert_eq!(seeded["ids"]["users"], json!({"ann@acme.example": "user_ann"}));
    assert_eq!(seeded["warnings"], json!(["totp: unknown key, passed over"]));
    let wrong = json!({
        "users": [{"email": "bob@acme.example"}, {"email": "ANN@acme.example"}, {"id": "user_ann", "email": "c@acme.example"}],
        "organizations": [
            {"name": "Bolt", "memberships": [{"email": "nobody@acme.example"}, {"email": "bob@acme.example", "role": "owner"}]},
            {"name": "Acme"},
        ],
        "settings": {"colour": "blue"},
        "roles": [{"slug": "x", "name": "X", "permissions": ["none"]}, {"slug": "y", "name": "Y", "organization_id": "org_x"}],
    });
    let (status, refused) = call(&emulator, "POST", "/_emulate/seed", &wrong);
    assert_eq!(status, 422);
    let fields: Vec<_> = refused["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| &error["field"])
        .collect();
    assert_eq!(
        fields,
        [
            "settings.colour",
            "roles[0]",
            "users[1]",
            "users[2].id",
            "organizations[1].name",
            "roles[1].organization_id",
            "organizations[0].memberships[0].email",
            "organizations[0].memberships[1].role",
        ]
    );
    assert_eq!(emails(&emulator, "sk_test_default"), ["ann@acme.example"]);
}

#[tokio::test]
async fn snapshots_bring_a_state_back() {
    let emulator = Emulator::start().await.unwrap();
    emulator.user("ann@acme.example").create().unwrap();
    let (status, kept) = call(
        &emulator,
        "POST",
        "/_emulate/snapshots",
        &json!({"name": "with Ann"}),
    );
    assert_eq!((status, &kept["name"]), (201, &json!("with Ann")));
    emulator.user("bob@acme.example").create().unwrap();
    call(
        &emulator,
        "POST",
        "/_emulate/clock",
        &json!({"advance": "1h30m", "freeze": true}),
    );
    let path = format!("/_emulate/snapshots/{}", kept["id"].as_str().unwrap());
    assert_eq!(
        call(&emulator, "POST", &format!("{path}/restore"), &Value::Null).0,
        204
    );
    assert_eq!(emails(&emulator, "sk_test_default"), ["ann@acme.example"]);
    assert_eq!(
        call(&emulator, "GET", "/_emulate/clock", &Value::Null).1["offset_ms"],
        0
    );
    assert_eq!(call(&emulator, "POST", "/_emulate/reset", &Value::Null).0, 204);
    assert!(emails(&emulator, "sk_test_default").is_empty());
    assert_eq!(
        call(&emulator, "GET", "/_emulate/snapshots", &Value::Null).1,
        json!({"data": [kept]})
    );
    assert_eq!(call(&emulator, "DELETE", &path, &Value::Null).0, 204);
    assert_eq!(call(&emulator, "DELETE", &path, &Value::Null).0, 404);
}

#[tokio::test]
async fn the_clock_is_moved_set_and_frozen() {
    let emulator = Emulator::start().await.unwrap();
    let moved = |body: Value| call(&emulator, "POST", "/_emulate/clock", &body);
    let (_, at) = moved(json!({"freeze": true, "set": "2030-01-01T00:00:00Z"}));
    assert_eq!(
        (&at["now"], &at["frozen"]),
        (&json!("2030-01-01T00:00:00.000Z"), &json!(true))
    );
    let (_, at) = moved(json!({"advance": "10m"}));
    assert_eq!(at["now"], "2030-01-01T00:10:00.000Z");
    for wrong in [
        json!({}),
        json!({"advance": "soon"}),
        json!({"set": "tomorrow"}),
        json!({"forward": "1h"}),
        json!({"reset": true, "advance": 5}),
    ] {
        assert_eq!(moved(wrong.clone()).0, 422, "{wrong}");
    }
    assert_eq!(
        call(&emulator, "GET", "/_emulate/clock", &Value::Null).1["now"],
        at["now"]
    );
    let (_, at) = moved(json!({"reset": true}));
    assert_eq!((&at["offset_ms"], &at["frozen"]), (&json!(0), &json!(false)));
}

#[tokio::test]
async fn keys_rotate_and_old_tokens_stay_valid() {
    let emulator = Emulator::start().await.unwrap();
    let kids = || {
        let (_, jwks) = api(&emulator, "", "/sso/jwks/client_emulate");
        let keys = jwks["keys"].as_array().unwrap();
        keys.iter().map(|key| key["kid"].clone()).collect::<Vec<_>>()
    };
    let before = kids();
    let (status, rotated) = call(
        &emulator,
        "POST",
        "/_emulate/keys/rotate",
        &json!({"kid": "next"}),
    );
    assert_eq!((status, &rotated["kid"]), (200, &json!("next")));
    assert_eq!(kids(), [vec![json!("next")], before].concat());
    assert_eq!(
        call(
            &emulator,
            "POST",
            "/_emulate/keys/rotate",
            &json!({"signing_key": "x"})
        )
        .0,
        422
    );
}

#[tokio::test]
async fn the_control_key_is_asked_for() {
    let emulator = Emulator::builder()
        .control_key("open sesame")
        .start()
        .await
        .unwrap();
    let with = |key| {
        http::request(
            emulator.address(),
            "GET",
            "/_emulate/settings",
            &[("X-Emulate-Key", key)],
            "",
        )
        .0
    };
    assert_eq!((with("open sesame"), with("open"), with("")), (200, 401, 401));
    assert_eq!(call(&emulator, "POST", "/_emulate/reset", &Value::Null).0, 401);
    assert_eq!(api(&emulator, "sk_test_default", "/organizations").0, 200);
}

#[tokio::test]
async fn what_is_not_built_says_so_by_name() {
    let emulator = Emulator::start().await.unwrap();
    let (status, answer) = call(&emulator, "POST", "/_emulate/resource_types", &json!({}));
    assert_eq!(
        (status, &answer["operation"]),
        (501, &json!("create_resource_type"))
    );
    assert!(
        answer["message"].as_str().unwrap().contains("control API"),
        "{answer}"
    );
    let (status, described) = call(&emulator, "GET", "/_emulate", &Value::Null);
    assert_eq!(status, 200);
    assert_eq!(described["environments"][0]["client_id"], "client_emulate");
    assert_eq!(
        described["links"]["reset"],
        json!(format!("POST {}/_emulate/reset", emulator.url()))
    );
}

/// A page of any site can make the browser of a developer send this: a form, or `fetch` with `no-cors`.
#[tokio::test]
async fn a_page_of_another_site_changes_nothing() {
    let emulator = Emulator::start().await.unwrap();
    let headers = [
        ("Content-Type", "text/plain"),
        ("Origin", "https://evil.example"),
        ("Sec-Fetch-Site", "cross-site"),
    ];
    let seed = "webhookEndpoints: [{endpoint_url: 'https://evil.example/listen'}]";
    let (status, refused) = http::request(emulator.address(), "POST", "/_emulate/seed", &headers, seed);
    assert_eq!((status, &refused["code"]), (403, &json!("cross_site_request")));
    let (_, endpoints) = api(&emulator, emulator.api_key().as_str(), "/webhook_endpoints");
    assert_eq!(endpoints["data"], json!([]));
}
