//! How the body of a webhook arrives: in chunks, cut off, too long, too slowly.

use std::{
    net::{SocketAddr, TcpListener},
    time::{Duration, UNIX_EPOCH},
};

use actix_web::{App, HttpServer, web};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use workos_actix::{Clock, Webhook, WebhookConfig, WebhookHandlers};

const SECRET: &str = "whsec_1";
const MILLIS: u64 = 1_700_000_000_000;
const BODY: &str = r#"{"id":"event_1","event":"user.created","data":{"id":"user_1"}}"#;

#[derive(Debug)]
struct Then;

impl Clock for Then {
    fn now(&self) -> std::time::SystemTime {
        UNIX_EPOCH + Duration::from_millis(MILLIS)
    }
}

/// An app that takes webhooks by the extractor and by handlers.
fn start(body_timeout: Duration) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let config = WebhookConfig::new(SECRET)
        .clock(Then)
        .max_bytes(1000)
        .body_timeout(body_timeout);
    let handlers = WebhookHandlers::new(config.clone())
        .otherwise(|webhook: Webhook| async move { assert_eq!(webhook.data["id"], "user_1") });
    let server = HttpServer::new(move || {
        App::new()
            .app_data(config.clone())
            .route(
                "/extractor",
                web::post().to(|webhook: Webhook| async move { webhook.id }),
            )
            .route("/handlers", handlers.route())
    })
    .workers(1)
    .disable_signals()
    .listen(listener)
    .unwrap()
    .run();
    actix_web::rt::spawn(server);
    address
}

fn head(path: &str, framing: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("{MILLIS}.{BODY}").as_bytes());
    let hex: String = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nWorkOS-Signature: t={MILLIS}, v1={hex}\r\n{framing}\r\n\r\n"
    )
}

fn whole_body() -> String {
    format!("Content-Length: {}", BODY.len())
}

/// Sends these pieces, each in a packet of its own, hangs up if told so, and gives the answer.
async fn send(address: SocketAddr, pieces: &[String], hang_up: bool) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for piece in pieces {
        // The server may have answered and closed before it has heard everything.
        if stream.write_all(piece.as_bytes()).await.is_err() {
            break;
        }
        tokio::task::yield_now().await;
    }
    if hang_up {
        stream.shutdown().await.unwrap();
    }
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while !is_whole(&answer)
        && let Ok(read @ 1..) = stream.read(&mut buffer).await
    {
        answer.extend_from_slice(&buffer[..read]);
    }
    String::from_utf8(answer).unwrap()
}

/// Whether the body that the head announces is there.
fn is_whole(answer: &[u8]) -> bool {
    let answer = String::from_utf8_lossy(answer);
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    length.is_some_and(|length| length.parse() == Ok(body.len()))
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

const PATHS: [&str; 2] = ["/extractor", "/handlers"];
const LONG: Duration = Duration::from_secs(60);

#[actix_web::test]
async fn a_body_may_come_in_any_pieces() {
    for path in PATHS {
        let mut pieces = vec![head(path, "Transfer-Encoding: chunked")];
        pieces.extend(BODY.chars().map(|byte| format!("1\r\n{byte}\r\n")));
        pieces.push("0\r\n\r\n".to_owned());
        let answer = send(start(LONG), &pieces, false).await;
        assert_eq!(status(&answer), "200", "{path}: {answer}");

        let mut pieces = vec![head(path, &whole_body())];
        pieces.extend(BODY.chars().map(String::from));
        let answer = send(start(LONG), &pieces, false).await;
        assert_eq!(status(&answer), "200", "{path}: {answer}");
    }
}

#[actix_web::test]
async fn a_body_that_is_cut_off_is_refused() {
    for path in PATHS {
        let half = BODY[..30].to_owned();
        // The sender says that this is all.
        let pieces = [head(path, "Content-Length: 30"), half.clone()];
        let answer = send(start(LONG), &pieces, false).await;
        assert_eq!(status(&answer), "401", "{path}: {answer}");
        assert!(answer.contains("webhook_signature_mismatch"), "{answer}");
        // There was to be more, or nobody knows.
        for framing in ["Content-Length: 61", "Transfer-Encoding: chunked"] {
            let half = if framing.starts_with('C') {
                half.clone()
            } else {
                format!("1e\r\n{half}\r\n")
            };
            let answer = send(start(LONG), &[head(path, framing), half], true).await;
            assert!(
                ["", "400"].contains(&status(&answer)),
                "{path}, {framing}: {answer}"
            );
        }
    }
}

#[actix_web::test]
async fn a_body_that_is_too_long_is_not_read_to_its_end() {
    for path in PATHS {
        let mut pieces = vec![head(path, "Transfer-Encoding: chunked")];
        pieces.resize(100, format!("64\r\n{}\r\n", " ".repeat(100)));
        let answer = send(start(LONG), &pieces, false).await;
        assert_eq!(status(&answer), "413", "{path}: {answer}");
        assert!(answer.contains("webhook_too_large"), "{answer}");
    }
}

#[actix_web::test]
async fn a_body_that_comes_too_slowly_is_not_waited_for() {
    for path in PATHS {
        let pieces = [head(path, &whole_body()), BODY[..BODY.len() - 1].to_owned()];
        let answer = send(start(Duration::from_millis(20)), &pieces, false).await;
        assert_eq!(status(&answer), "408", "{path}: {answer}");
        assert!(answer.contains("webhook_timed_out"), "{answer}");
    }
}

#[actix_web::test]
async fn headers_that_are_no_signature_are_refused() {
    let whole = head("/handlers", &whole_body());
    let signature = whole
        .lines()
        .find(|line| line.starts_with("WorkOS-Signature"))
        .unwrap()
        .to_owned();
    let value = signature.strip_prefix("WorkOS-Signature: ").unwrap();
    for (hostile, expected) in [
        (String::new(), "400"),
        ("t=1".repeat(10_000), "400"),
        (format!("{value},{}", "v1=0,".repeat(100)), "400"),
        ("é=ü, v1=\u{202e}".to_owned(), "400"),
        (format!("t=1, {value}"), "400"),
        (value.replace("v1=", "v0="), "400"),
        (value.replace("t=1", "t=9"), "401"),
        (value.to_uppercase(), "400"),
        (format!("  {value}  "), "200"),
    ] {
        let head = whole.replace(value, &hostile);
        let answer = send(start(LONG), &[head, BODY.to_owned()], false).await;
        assert_eq!(status(&answer), expected, "{hostile:.80}: {answer}");
    }
    // Two headers: the first one counts, as for whatever stands before the app.
    let forged = format!("WorkOS-Signature: t={MILLIS}, v1={}", "0".repeat(64));
    let two = whole.replace(&signature, &format!("{forged}\r\n{signature}"));
    let answer = send(start(LONG), &[two, BODY.to_owned()], false).await;
    assert_eq!(status(&answer), "401", "{answer}");
}
