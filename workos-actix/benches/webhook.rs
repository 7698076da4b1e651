//! How fast webhooks of 1 KiB are verified.
//!
//! `cargo bench -p workos-actix --bench webhook`. `hmac` is the bare signature, which no verification can be faster than.
#![expect(clippy::unwrap_used, reason = "a benchmark that fails should stop")]

use std::{
    cell::RefCell,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use actix_web::{
    App,
    dev::Service,
    rt::System,
    test::{TestRequest, init_service},
    web,
};
use divan::{Bencher, black_box, counter::ItemsCount};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use workos_actix::{Clock, Event, Webhook, WebhookConfig, WebhookHandlers};

fn main() {
    divan::main();
}

const SECRET: &str = "whsec_benchmark";
const MILLIS: u64 = 1_800_000_000_000;
const BYTES: usize = 1024;

#[derive(Debug)]
struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(MILLIS)
    }
}

fn config() -> WebhookConfig {
    WebhookConfig::new(SECRET).clock(Fixed)
}

/// The nth delivery: its signature and its body, which is that of a user with as much metadata as fits.
fn delivery(number: u64) -> (String, String) {
    let head = format!(
        r#"{{"object":"event","id":"event_{number:020}","event":"user.created","created_at":"2026-01-01T00:00:00.000Z","data":{{"object":"user","id":"user_01JB0000000000000000000000","email":"ada@example.com","email_verified":true,"first_name":"Ada","last_name":"Lovelace","name":null,"profile_picture_url":null,"last_sign_in_at":null,"locale":"en-GB","external_id":null,"created_at":"2026-01-01T00:00:00.000Z","updated_at":"2026-01-01T00:00:00.000Z","metadata":{{"note":""#
    );
    let tail = r#""}}}"#;
    let body = format!("{head}{}{tail}", "x".repeat(BYTES - head.len() - tail.len()));
    let signature = hex(hmac_of(body.as_bytes()));
    (format!("t={MILLIS}, v1={signature}"), body)
}

fn hmac_of(body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("{MILLIS}.").as_bytes());
    mac.update(body);
    mac
}

fn hex(mac: Hmac<Sha256>) -> String {
    let bytes = mac.finalize().into_bytes();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Deliveries that were not seen before.
fn deliveries() -> impl Fn() -> (String, String) {
    let number = RefCell::new(0);
    move || {
        *number.borrow_mut() += 1;
        delivery(*number.borrow())
    }
}

#[divan::bench]
fn hmac(bencher: Bencher<'_, '_>) {
    let body = [b'x'; BYTES];
    bencher
        .counter(ItemsCount::new(1_u8))
        .bench_local(|| hmac_of(black_box(&body)).finalize().into_bytes());
}

/// Signature, age, replay memory, and the JSON around the data.
#[divan::bench]
fn verify(bencher: Bencher<'_, '_>) {
    let config = config();
    bencher
        .counter(ItemsCount::new(1_u8))
        .with_inputs(deliveries())
        .bench_local_refs(|(signature, body)| {
            config
                .verify(black_box(signature), black_box(body.as_bytes()))
                .unwrap()
        });
}

/// A verified delivery with its data as a type.
#[divan::bench]
fn read_as_a_type(bencher: Bencher<'_, '_>) {
    let config = config();
    let deliveries = deliveries();
    bencher
        .counter(ItemsCount::new(1_u8))
        .with_inputs(|| {
            let (signature, body) = deliveries();
            config.verify(&signature, body.as_bytes()).unwrap()
        })
        .bench_local_values(|webhook: Webhook| {
            let event = webhook.typed().unwrap();
            assert!(matches!(event, Event::UserCreated(_)));
            event
        });
}

/// A forged one is refused after the signature.
#[divan::bench]
fn refuse(bencher: Bencher<'_, '_>) {
    let config = config();
    let (_, body) = delivery(0);
    let forged = format!("t={MILLIS}, v1={}", "0".repeat(64));
    bencher.counter(ItemsCount::new(1_u8)).bench_local(|| {
        config
            .verify(black_box(&forged), black_box(body.as_bytes()))
            .unwrap_err()
    });
}

/// A whole request through a handler with a type, claimed and completed, but without a socket.
#[divan::bench]
fn handled_request(bencher: Bencher<'_, '_>) {
    let system = System::new();
    let handlers = WebhookHandlers::new(config()).on(|event: workos_actix::workos::UserCreated| async move {
        black_box(event);
        Ok::<(), std::io::Error>(())
    });
    let service = system.block_on(init_service(App::new().route("/", handlers.route())));
    let deliveries = deliveries();
    bencher
        .counter(ItemsCount::new(1_u8))
        .with_inputs(|| {
            let (signature, body) = deliveries();
            TestRequest::post()
                .uri("/")
                .insert_header(("workos-signature", signature))
                .set_payload(body)
                .to_request()
        })
        .bench_local_values(|request| {
            let response = system.block_on(async { service.call(request).await.unwrap() });
            assert_eq!(response.status(), 200);
            response
        });
}

/// The same without anything of ours: the body is read, the answer is made.
#[divan::bench]
fn plain_request(bencher: Bencher<'_, '_>) {
    let system = System::new();
    let app = App::new().route(
        "/",
        web::post().to(|body: web::Bytes| async move { body.len().to_string() }),
    );
    let service = system.block_on(init_service(app));
    let deliveries = deliveries();
    bencher
        .counter(ItemsCount::new(1_u8))
        .with_inputs(|| {
            TestRequest::post()
                .uri("/")
                .set_payload(deliveries().1)
                .to_request()
        })
        .bench_local_values(|request| system.block_on(async { service.call(request).await.unwrap() }));
}
