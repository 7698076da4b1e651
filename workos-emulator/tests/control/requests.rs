//! The log of requests, and a whole state as a file.

use super::*;

/// A request to the WorkOS API with the default key.
fn send(emulator: &Emulator, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let headers = [
        ("Content-Type", "application/json"),
        ("Authorization", "Bearer sk_test_default"),
    ];
    http::request(emulator.address(), method, path, &headers, &body.to_string())
}

#[tokio::test]
async fn requests_are_logged_newest_first_and_without_their_secrets() {
    let emulator = Emulator::start().await.unwrap();
    let requests = |query: &str| {
        let (status, answer) = call(
            &emulator,
            "GET",
            &format!("/_emulate/requests{query}"),
            &Value::Null,
        );
        assert_eq!(status, 200, "{answer}");
        answer["data"].as_array().unwrap().clone()
    };
    assert_eq!(requests(""), [Value::Null; 0]);
    let ada = json!({"email": "ada@example.com", "password": "seven quiet lighthouses"});
    assert_eq!(send(&emulator, "POST", "/user_management/users", &ada).0, 201);
    let wrong = json!({"client_id": "client_emulate", "client_secret": "sk_test_default", "grant_type": "password",
        "email": "ada@example.com", "password": "wrong"});
    let (status, refused) = send(&emulator, "POST", "/user_management/authenticate", &wrong);
    assert_eq!(api(&emulator, "sk_wrong", "/organizations?limit=1").0, 401);
    assert_eq!(
        api(&emulator, "sk_test_default", "/nowhere?token=topsecret").0,
        404
    );

    let all = requests("");
    let paths: Vec<_> = all
        .iter()
        .map(|request| {
            (
                request["path"].as_str().unwrap(),
                request["status"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        paths,
        [
            ("/nowhere", 404),
            ("/organizations", 401),
            ("/user_management/authenticate", status.into()),
            ("/user_management/users", 201),
        ]
    );
    assert_eq!(all[0]["query"], json!({"token": "***"}));
    assert_eq!(
        (&all[0]["operation"], &all[1]["operation"]),
        (&Value::Null, &json!("list_organizations"))
    );
    assert_eq!(
        all[2]["response_body"]["code"], refused["code"],
        "of a refusal it is told"
    );
    assert_eq!(
        all[3]["request_body"],
        json!({"email": "ada@example.com", "password": "***"})
    );
    assert_eq!(all[3]["response_body"]["email"], "ada@example.com");
    assert!(all[3]["duration_ms"].as_f64().unwrap() > 0.0);
    let text = json!(all).to_string();
    for secret in ["lighthouses", "wrong\"", "sk_test", "topsecret"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }

    let found = |query: &str| {
        let found = requests(query);
        let ids = found.iter().map(|request| {
            let at = all.iter().position(|one| one["id"] == request["id"]);
            at.unwrap()
        });
        ids.collect::<Vec<_>>()
    };
    assert_eq!(found("?path=/user_management/*"), [2, 3]);
    assert_eq!(found("?path=/user_management/users&method=post"), [3]);
    assert_eq!(found("?status=4xx"), [0, 1, 2]);
    assert_eq!(found("?status=401&path=/organizations"), [1]);
    let second = all[2]["id"].as_str().unwrap();
    assert_eq!(found(&format!("?after={second}")), [0, 1]);
    for (query, status) in [
        ("?after=request_99", 404),
        ("?after=x", 404),
        ("?status=4", 422),
        ("?status=9xx", 422),
    ] {
        let path = format!("/_emulate/requests{query}");
        assert_eq!(call(&emulator, "GET", &path, &Value::Null).0, status, "{query}");
    }

    assert_eq!(
        call(&emulator, "DELETE", "/_emulate/requests", &Value::Null).0,
        204
    );
    assert_eq!(requests(""), [Value::Null; 0]);
    assert_eq!(api(&emulator, "sk_test_default", "/organizations").0, 200);
    assert_eq!(requests("").len(), 1);
    assert_eq!(call(&emulator, "POST", "/_emulate/reset", &Value::Null).0, 204);
    assert_eq!(requests(""), [Value::Null; 0]);
}

#[tokio::test]
async fn requests_are_in_the_log_of_their_environment() {
    let emulator = Emulator::start().await.unwrap();
    let other = emulator.environment("other").unwrap();
    assert_eq!(api(&emulator, &other.api_key(), "/organizations").0, 200);
    let requests = |name: &str| {
        let headers = [("X-Emulate-Environment", name)];
        let answer = http::request(emulator.address(), "GET", "/_emulate/requests", &headers, "").1;
        answer["data"].as_array().unwrap().len()
    };
    assert_eq!((requests("other"), requests("default")), (1, 0));
}

#[tokio::test]
async fn a_state_is_carried_into_another_emulator() {
    let emulator = Emulator::start().await.unwrap();
    let ada =
        json!({"email": "ada@example.com", "password": "seven quiet lighthouses", "email_verified": true});
    let id = send(&emulator, "POST", "/user_management/users", &ada).1["id"].clone();
    let (status, document) = call(&emulator, "GET", "/_emulate/state", &Value::Null);
    assert_eq!((status, &document["format"]), (200, &json!(1)));

    let other = Emulator::start().await.unwrap();
    assert_eq!(call(&other, "PUT", "/_emulate/state", &document).0, 204);
    let sign_in = json!({"client_id": "client_emulate", "client_secret": "sk_test_default", "grant_type": "password",
        "email": "ada@example.com", "password": "seven quiet lighthouses"});
    let (status, session) = send(&other, "POST", "/user_management/authenticate", &sign_in);
    assert_eq!((status, &session["user"]["id"]), (200, &id));
    // All or nothing.
    let broken = json!({"format": 1, "tables": {"users": [[1, {"id": "user_1"}]]}});
    let (status, refused) = call(&other, "PUT", "/_emulate/state", &broken);
    assert_eq!(
        (status, &refused["errors"][0]["field"]),
        (422, &json!("tables.users"))
    );
    assert_eq!(emails(&other, "sk_test_default"), ["ada@example.com"]);
    // Nobody takes the API keys of another environment.
    let headers = [
        ("X-Emulate-Environment", "second"),
        ("Content-Type", "application/json"),
    ];
    other.environment("second").unwrap();
    let (status, refused) = http::request(
        other.address(),
        "PUT",
        "/_emulate/state",
        &headers,
        &document.to_string(),
    );
    assert_eq!((status, &refused["code"]), (409, &json!("api_key_taken")));
    // A reset goes back to where the emulator began.
    assert_eq!(call(&other, "POST", "/_emulate/reset", &Value::Null).0, 204);
    assert!(emails(&other, "sk_test_default").is_empty());
}
