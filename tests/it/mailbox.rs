//! The mailbox: over the control API, as pages, and from a test.

use std::time::Duration;

use actix_web::rt::{spawn, time::timeout};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use workos_emulator::{EmulatedEnvironment, Emulator};

use crate::http;

const EMAIL: &str = "ada@example.com";

/// Lets the environment send a mail to this address, which has to be a user's.
async fn send(environment: &EmulatedEnvironment, email: &str) {
    let wanted = json!({ "email": email });
    let (status, answer) = http::call(
        environment,
        Method::POST,
        "/user_management/password_reset",
        &wanted,
    )
    .await;
    assert_eq!(status, 201, "{answer}");
}

/// An emulator with two users, and one mail to Ada.
async fn with_mail() -> (Emulator, Value) {
    let emulator = Emulator::start().await.unwrap();
    for email in [EMAIL, "bob@example.com"] {
        emulator.user(email).create().unwrap();
    }
    send(&emulator, EMAIL).await;
    let (_, list) = http::call(&emulator, Method::GET, "/_emulate/mailbox", &Value::Null).await;
    let messages = list["data"].as_array().unwrap();
    assert_eq!(messages.len(), 1);
    let message = messages[0].clone();
    (emulator, message)
}

async fn wait(emulator: &EmulatedEnvironment, query: &str) -> (u16, Value) {
    let path = format!("/_emulate/mailbox/wait?{query}");
    http::call(emulator, Method::GET, &path, &Value::Null).await
}

#[actix_web::test]
async fn a_message_that_is_there_is_answered_at_once() {
    let (emulator, message) = with_mail().await;
    for query in [
        "",
        "to=Ada%40example.com",
        "to=ada%40example.com&kind=password_reset&timeout=0s",
    ] {
        assert_eq!(wait(&emulator, query).await, (200, message.clone()), "{query}");
    }
    let id = message["id"].as_str().unwrap();
    let (status, read) = http::call(
        &emulator,
        Method::GET,
        &format!("/_emulate/mailbox/{id}"),
        &Value::Null,
    )
    .await;
    assert_eq!((status, read), (200, message.clone()));
    send(&emulator, EMAIL).await;
    send(&emulator, "bob@example.com").await;
    let (_, next) = wait(&emulator, &format!("after={id}")).await;
    assert_eq!(next["to"], EMAIL);
    let (_, newest) = wait(&emulator, "").await;
    assert_eq!(newest["to"], "bob@example.com");
    let (status, missing) = http::call(
        &emulator,
        Method::GET,
        "/_emulate/mailbox/message_x",
        &Value::Null,
    )
    .await;
    assert_eq!((status, &missing["code"]), (404, &json!("entity_not_found")));
}

#[actix_web::test]
async fn who_waits_in_vain_is_told_what_there_is() {
    let (emulator, message) = with_mail().await;
    let (status, refused) = wait(&emulator, "to=eve%40example.com&kind=invitation&timeout=1ms").await;
    assert_eq!((status, &refused["code"]), (408, &json!("timeout")));
    assert_eq!(
        refused["message"],
        "No message to eve@example.com of kind invitation came within 1ms; the newest of the mailbox's 1 is “Reset your \
         password” (password_reset) to ada@example.com."
    );
    let behind = format!("after={}&timeout=1ms", message["id"].as_str().unwrap());
    assert_eq!(wait(&emulator, &behind).await.0, 408);
    assert_eq!(wait(&emulator, "after=message_x").await.0, 404);
    for timeout in ["soon", "-1s", "6m"] {
        let (status, refused) = wait(&emulator, &format!("timeout={timeout}")).await;
        assert_eq!(
            (status, &refused["errors"][0]["field"]),
            (422, &json!("timeout")),
            "{timeout}"
        );
    }
}

#[actix_web::test]
async fn hundreds_wait_and_hold_nobody_up() {
    let (emulator, message) = with_mail().await;
    let after = message["id"].as_str().unwrap();
    let request = || {
        let url = format!(
            "{}/_emulate/mailbox/wait?timeout=2m&after={after}",
            emulator.url()
        );
        http::client().get(url)
    };
    let waiting: Vec<_> = (0..300).map(|_| spawn(http::answer(request()))).collect();
    let other = timeout(Duration::from_secs(60), async {
        // A hashed password needs one of the threads that waiting must not take.
        let body = json!({"email": "eve@example.com", "password": "quiet lighthouse keeper"});
        http::call(&emulator, Method::POST, "/user_management/users", &body).await
    });
    assert_eq!(other.await.unwrap().0, 201);
    assert!(waiting.iter().all(|waiting| !waiting.is_finished()));
    send(&emulator, "bob@example.com").await;
    for waiting in waiting {
        let (status, message) = timeout(Duration::from_secs(60), waiting).await.unwrap().unwrap();
        assert_eq!((status, &message["to"]), (200, &json!("bob@example.com")));
    }
}

#[actix_web::test]
async fn a_test_waits_for_mail() {
    let (emulator, _) = with_mail().await;
    let mailbox = emulator.mailbox();
    let first = mailbox.wait_for(EMAIL).await.unwrap();
    let next = mailbox
        .wait_for("ADA@example.com")
        .kind("password_reset")
        .after(&first);
    let (next, ()) = tokio::join!(next.into_future(), send(&emulator, EMAIL));
    let next = next.unwrap();
    assert_ne!(next.id(), first.id());
    let missing = mailbox.wait_for("eve@example.com").kind("invitation");
    let missing = missing.timeout(Duration::from_millis(1)).await.unwrap_err();
    assert_eq!(
        missing.to_string(),
        "no message to eve@example.com of kind invitation within 1ms; the newest of the mailbox's 2 is “Reset your \
         password” (password_reset) to ada@example.com"
    );
    // A reset empties the mailbox; who waits for what comes after an old mail gets the first one again.
    emulator.reset();
    emulator.user(EMAIL).create().unwrap();
    let again = mailbox.wait_for(EMAIL).after(&next);
    let (again, ()) = tokio::join!(again.into_future(), send(&emulator, EMAIL));
    assert_eq!(again.unwrap().to(), EMAIL);
}

struct Page {
    status: u16,
    text: String,
    headers: reqwest::header::HeaderMap,
}

async fn load(request: RequestBuilder) -> Page {
    let response = request.send().await.unwrap();
    Page {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}

async fn page(emulator: &Emulator, path: &str) -> Page {
    load(http::client().get(format!("{}{path}", emulator.url()))).await
}

#[actix_web::test]
async fn the_page_shows_what_was_sent() {
    let (emulator, message) = with_mail().await;
    let list = page(&emulator, "/mailbox").await;
    assert_eq!(list.status, 200);
    let link = message["url"].as_str().unwrap().replace('&', "&#38;");
    let id = message["id"].as_str().unwrap();
    for part in [
        EMAIL,
        "Reset your password",
        "password_reset",
        &link,
        &format!("/mailbox/{id}"),
    ] {
        assert!(list.text.contains(part), "{part} in {}", list.text);
    }
    for (to, found) in [
        (EMAIL, true),
        ("ADA@example.com", true),
        ("bob@example.com", false),
    ] {
        let filtered = page(&emulator, &format!("/mailbox?to={to}")).await;
        assert_eq!(filtered.text.contains(&link), found, "{to}");
    }
    let one = page(&emulator, &format!("/mailbox/{id}")).await;
    assert!(one.status == 200 && one.text.contains(&link));
    assert!(
        one.text.contains(&format!(r#"src="/mailbox/{id}/html""#)) && !one.text.contains("allow-scripts")
    );
    let html = page(&emulator, &format!("/mailbox/{id}/html")).await;
    assert_eq!(html.text, message["html"].as_str().unwrap());
    let policy = html.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.contains("default-src 'none'") && policy.contains("sandbox allow-popups"),
        "{policy}"
    );
    assert!(
        !policy.contains("allow-scripts") && !policy.contains("allow-same-origin"),
        "{policy}"
    );
    assert_eq!(page(&emulator, "/mailbox/message_x").await.status, 404);
    let empty = Emulator::start().await.unwrap();
    assert!(page(&empty, "/mailbox").await.text.contains("No mail yet"));
    let described: Value = serde_json::from_str(&page(&empty, "/_emulate").await.text).unwrap();
    assert_eq!(described["mailbox"], format!("{}/mailbox", empty.url()));
}

#[actix_web::test]
async fn a_long_mailbox_is_shown_in_pages() {
    let emulator = Emulator::start().await.unwrap();
    for number in 0..30 {
        let email = format!("user{number}@example.com");
        emulator.user(&email).create().unwrap();
        send(&emulator, &email).await;
    }
    let first = page(&emulator, "/mailbox").await.text;
    let addresses = |text: &str| -> Vec<usize> {
        (0..30)
            .filter(|number| text.contains(&format!("To user{number}@")))
            .collect()
    };
    assert_eq!(addresses(&first), (5..30).collect::<Vec<_>>());
    let (_, older) = first.split_once(r#"href="/mailbox?older_than="#).unwrap();
    let cursor = older.split_once('"').unwrap().0;
    let second = page(&emulator, &format!("/mailbox?older_than={cursor}"))
        .await
        .text;
    assert_eq!(addresses(&second), (0..5).collect::<Vec<_>>());
    assert!(second.contains("Newest messages") && !second.contains("Older messages"));
}

#[actix_web::test]
async fn each_environment_has_a_mailbox_of_its_own() {
    let (emulator, message) = with_mail().await;
    let staging = emulator.environment("staging").unwrap();
    staging.user("eve@example.com").create().unwrap();
    send(&staging, "eve@example.com").await;
    let list = page(&emulator, "/mailbox?environment=staging").await.text;
    assert!(
        list.contains("To eve@example.com") && !list.contains("To ada@example.com"),
        "{list}"
    );
    assert!(list.contains("?environment=staging"), "links stay there: {list}");
    assert!(!page(&emulator, "/mailbox").await.text.contains("eve@example.com"));
    let id = message["id"].as_str().unwrap();
    for path in [format!("/mailbox/{id}"), format!("/mailbox/{id}/html")] {
        assert_eq!(
            page(&emulator, &format!("{path}?environment=staging"))
                .await
                .status,
            404
        );
    }
    let missing = page(&emulator, &format!("/mailbox/{id}?environment=staging")).await;
    assert!(
        missing.text.contains("There is no such message")
            && missing.text.contains("/mailbox?environment=staging"),
        "{}",
        missing.text
    );
    for path in ["/mailbox", "/mailbox/email_1", "/sso/traces"] {
        let unknown = page(&emulator, &format!("{path}?environment=no<b>where")).await;
        assert_eq!(unknown.status, 404, "{path}");
        let told =
            unknown.text.contains("Unknown environment") && unknown.text.contains("no&#60;b&#62;where");
        assert!(told, "{}", unknown.text);
    }
}

#[actix_web::test]
async fn only_who_may_call_the_control_api_reads_mail() {
    let (emulator, message) = with_mail().await;
    let url = format!("{}/mailbox", emulator.url());
    // A site whose name was made to point here (DNS rebinding).
    let rebound = load(http::client().get(&url).header("host", "evil.example")).await;
    assert_eq!(rebound.status, 403);
    let framed = load(http::client().get(&url)).await;
    assert_eq!(framed.headers["x-frame-options"], "DENY");

    let guarded = Emulator::builder()
        .control_key("letter box")
        .start()
        .await
        .unwrap();
    let id = message["id"].as_str().unwrap();
    for path in [
        "/mailbox".to_owned(),
        format!("/mailbox/{id}"),
        format!("/mailbox/{id}/html"),
    ] {
        let url = format!("{}{path}", guarded.url());
        let get = || http::client().get(&url);
        let api_key = guarded.api_key();
        for stranger in [
            get(),
            get().basic_auth("anybody", Some("wrong")),
            get().bearer_auth(&api_key),
            get().header("authorization", "Basic x"),
            get().header("x-emulate-key", "wrong"),
        ] {
            let refused = load(stranger).await;
            assert_eq!(refused.status, 401, "{path}");
            let asks = refused.headers["www-authenticate"].to_str().unwrap();
            assert!(asks.starts_with("Basic realm="), "{asks}");
        }
        let expected = if path == "/mailbox" { 200 } else { 404 };
        for known in [
            get().basic_auth("anybody", Some("letter box")),
            get().header("x-emulate-key", "letter box"),
        ] {
            assert_eq!(load(known).await.status, expected, "{path}");
        }
    }
    // The control API itself takes the key in its header only: browsers send the other one by themselves.
    let control = http::client()
        .get(format!("{}/_emulate/mailbox", guarded.url()))
        .basic_auth("anybody", Some("letter box"));
    assert_eq!(load(control).await.status, 401);
}
