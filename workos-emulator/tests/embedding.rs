//! The emulator inside a test.

mod http;

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::{Duration, SystemTime},
};

use serde_json::{Value, json};
use workos_emulator::{Emulator, EmulatorError};

fn get(emulator: &Emulator, api_key: &str, path: &str) -> (u16, Value) {
    let bearer = format!("Bearer {api_key}");
    http::request(emulator.address(), "GET", path, &[("Authorization", &bearer)], "")
}

fn post(emulator: &Emulator, path: &str, body: &Value) -> (u16, Value) {
    let bearer = format!("Bearer {}", emulator.api_key());
    let headers = [
        ("Authorization", bearer.as_str()),
        ("Content-Type", "application/json"),
    ];
    http::request(emulator.address(), "POST", path, &headers, &body.to_string())
}

#[tokio::test]
async fn sets_up_what_the_api_then_shows() -> Result<(), EmulatorError> {
    let emulator = Emulator::start().await?;
    let acme = emulator.organization("Acme").domain("acme.example").create()?;
    emulator
        .role("admin")
        .name("Admin")
        .permissions(["posts:write"])
        .create()?;
    let alice = emulator
        .user("alice@acme.example")
        .first_name("Alice")
        .password("secret")
        .member_of(&acme, "admin")
        .create()?;
    let path = format!("/user_management/organization_memberships?user_id={}", alice.id);
    let (status, list) = get(&emulator, &emulator.api_key(), &path);
    assert_eq!(status, 200);
    assert_eq!(list["data"][0]["organization_id"], json!(acme.id));
    assert_eq!(list["data"][0]["role"]["slug"], "admin");
    let tokens = emulator.sign_in(&alice).await?;
    assert_eq!(tokens.organization_id, Some(acme.id));
    assert_eq!(tokens.access_token.split('.').count(), 3);
    assert!(!format!("{tokens:?}").contains(&tokens.refresh_token));
    let created = emulator.events().expect("user.created").await?;
    assert_eq!(created.data["email"], "alice@acme.example");
    Ok(())
}

#[tokio::test]
async fn teaches_what_was_wrong() -> Result<(), EmulatorError> {
    let emulator = Emulator::start().await?;
    let acme = emulator.organization("Acme").create()?;
    let ann = || emulator.user("ann@acme.example");
    let refused = ann().member_of(&acme, "owner").create().unwrap_err().to_string();
    assert!(
        refused.starts_with("creating the user ann@acme.example was refused: "),
        "{refused}"
    );
    assert!(refused.contains("owner"), "{refused}");
    // Nothing of it is left.
    ann().create()?;
    let refused = ann().create().unwrap_err();
    assert!(
        refused.to_string().contains("This email is not available."),
        "{refused}"
    );
    let refused = emulator.environment("default").unwrap_err();
    assert!(refused.to_string().contains("'default'"), "{refused}");
    Ok(())
}

#[tokio::test]
async fn environments_know_nothing_of_each_other() -> Result<(), EmulatorError> {
    let emulator = Emulator::start().await?;
    emulator.user("ann@acme.example").create()?;
    let other = emulator.environment("other")?;
    let fork = emulator.fork("fork")?;
    fork.user("bob@acme.example").create()?;
    fork.clock().advance(Duration::from_secs(3600));
    let count = |api_key: &str| {
        let (status, list) = get(&emulator, api_key, "/user_management/users");
        assert_eq!(status, 200);
        list["data"].as_array().unwrap().len()
    };
    assert_eq!(count(&emulator.api_key()), 1);
    assert_eq!(count(&other.api_key()), 0);
    assert_eq!(count(&fork.api_key()), 2);
    assert_ne!(other.client_id(), emulator.client_id());
    let ahead = |now: SystemTime| now.duration_since(emulator.clock().now()).unwrap_or_default();
    assert!(ahead(fork.clock().now()) > Duration::from_secs(3500));
    assert!(ahead(other.clock().now()) < Duration::from_secs(60));
    Ok(())
}

#[tokio::test]
async fn a_reset_comes_back_to_the_seed() -> Result<(), EmulatorError> {
    let emulator = Emulator::builder()
        .seed("users: [{id: user_ann, email: ann@acme.example}]\nerrorHooks: [{method: GET, path: /organizations, status: 503, count: 1}]")
        .start()
        .await?;
    assert_eq!(emulator.seeded()["users"], 1);
    let organizations = || get(&emulator, &emulator.api_key(), "/organizations").0;
    assert_eq!((organizations(), organizations()), (503, 200));
    emulator.user("bob@acme.example").create()?;
    emulator.clock().freeze();
    emulator.clock().advance(Duration::from_secs(3600));
    emulator.reset();
    let (_, users) = get(&emulator, &emulator.api_key(), "/user_management/users");
    assert_eq!(users["data"][0]["id"], "user_ann");
    assert_eq!(users["data"].as_array().unwrap().len(), 1);
    assert_eq!((organizations(), organizations()), (503, 200));
    let offset = get(&emulator, &emulator.api_key(), "/_emulate/clock").1;
    assert_eq!(
        (&offset["offset_ms"], &offset["frozen"]),
        (&json!(0), &json!(false))
    );
    Ok(())
}

#[tokio::test]
async fn a_wrong_seed_starts_nothing() {
    let wrong = Emulator::builder().seed("users: [{}]").start().await.unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "Invalid seed configuration:\n  - users[0].email: is required"
    );
}

#[tokio::test]
async fn waits_for_webhooks_that_are_accepted() -> Result<(), EmulatorError> {
    let emulator = Emulator::start().await?;
    let receiver = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", receiver.local_addr().unwrap());
    let received = thread::spawn(move || {
        let (mut stream, _) = receiver.accept().unwrap();
        let mut head = [0; 65536];
        let read = stream.read(&mut head).unwrap();
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .unwrap();
        String::from_utf8_lossy(&head[..read]).into_owned()
    });
    let (status, _) = post(
        &emulator,
        "/webhook_endpoints",
        &json!({"endpoint_url": url, "events": ["user.created"]}),
    );
    assert_eq!(status, 201);
    let ann = emulator.user("ann@acme.example").create()?;
    let webhook = emulator.webhooks().expect("user.created").await?;
    assert_eq!(webhook.data["id"], json!(ann.id));
    assert!(
        received
            .join()
            .unwrap()
            .to_lowercase()
            .contains("workos-signature: t=")
    );
    Ok(())
}

/// Dropping it waits for its thread. That must not need the runtime that is being held up: here there is one thread only,
/// a request is under way, and the receiver of a webhook does not answer.
#[tokio::test]
async fn dropping_it_inside_a_runtime_does_not_hang() -> Result<(), EmulatorError> {
    let receiver = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", receiver.local_addr().unwrap());
    let emulator = Emulator::start().await?;
    let address = emulator.address();
    let half_a_request = TcpStream::connect(address).unwrap();
    (&half_a_request)
        .write_all(b"GET /health HTTP/1.1\r\nHost: a")
        .unwrap();
    post(
        &emulator,
        "/webhook_endpoints",
        &json!({"endpoint_url": url, "events": ["user.created"]}),
    );
    emulator.user("ann@acme.example").create()?;
    // The request to the receiver is under way.
    let under_way = receiver.accept().await.unwrap();
    drop(emulator);
    drop(under_way);
    // The port is free again.
    TcpListener::bind(address).unwrap();
    Ok(())
}

#[test]
fn many_run_in_one_process_under_any_runtime() {
    let threads: Vec<_> = (0..8)
        .map(|_| {
            thread::spawn(|| {
                // No tokio here: whatever polls it will do.
                let emulator = block_on(Emulator::start()).unwrap();
                emulator.user("ann@acme.example").create().unwrap();
                let event = block_on(emulator.events().expect("user.created")).unwrap();
                assert_eq!(event.data["email"], "ann@acme.example");
                emulator.address()
            })
        })
        .collect();
    let mut addresses: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    addresses.sort_unstable();
    assert_eq!(addresses.len(), 8);
}

/// The smallest runtime there is.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = std::sync::Arc::new(Unpark(thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(value) => return value,
            std::task::Poll::Pending => thread::park(),
        }
    }
}
