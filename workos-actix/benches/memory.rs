//! Memory does not grow with traffic: what is remembered of sessions, tokens, sign-outs, deliveries and API keys is bounded.
//!
//! `cargo bench -p workos-actix --bench memory` sees a million of each, in five minutes; `SEEN=10000` is fewer. It prints the
//! resident memory of the process after a tenth of them, when everything that is bounded is full, and after all.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark that fails should stop, and prints its figures"
)]

#[path = "../tests/flow/app.rs"]
#[expect(dead_code, reason = "the benchmark needs only a part of the flow tests")]
mod app;
#[path = "../tests/flow/browser.rs"]
#[expect(dead_code, reason = "the benchmark needs only a part of the flow tests")]
mod browser;
#[path = "../tests/flow/credential_pages.rs"]
mod credential_pages;
#[path = "../tests/flow/fake_api.rs"]
#[expect(dead_code, reason = "the benchmark needs only a part of the flow tests")]
mod fake_api;
#[path = "../tests/flow/fake_workos.rs"]
#[expect(dead_code, reason = "the benchmark needs only a part of the flow tests")]
mod fake_workos;
#[path = "../tests/flow/handlers.rs"]
mod handlers;

use std::{
    env, fs,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use actix_web::{
    App,
    cookie::{Cookie, CookieJar, Key},
    dev::Service,
    rt::{System, SystemRunner},
    test::{TestRequest, init_service},
    web,
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use workos_actix::{AuthContext, AuthUser, Clock, WebhookConfig};

use crate::app::TestApp;

/// The caches hold up to 100,000 entries: a tenth of the default fills them.
const SEEN: u64 = 1_000_000;
/// Each of these is a question to WorkOS over HTTP.
const KEYS_PER_SEEN: u64 = 20;

fn main() {
    #[expect(clippy::disallowed_methods, reason = "a setting of the benchmark")]
    let seen = env::var("SEEN").map_or(SEEN, |text| text.parse().unwrap());
    let system = System::new();
    sessions(&system, seen);
    ended(&system, seen);
    webhooks(seen);
    bearer(&system, "random bearer tokens", seen, |number| {
        format!("e30.e30.{number:0342}")
    });
    bearer(&system, "random API keys", seen / KEYS_PER_SEEN, |number| {
        format!("sk_{number:030}")
    });
}

/// Calls it so many times; memory after a tenth, and after all.
fn watch(what: &str, count: u64, mut see: impl FnMut(u64)) {
    let before = resident();
    for number in 0..count / 10 {
        see(number);
    }
    let early = resident();
    for number in count / 10..count {
        see(number);
    }
    let (tenth, late) = (count / 10, resident());
    println!(
        "{what:<24} before {before:>5} MB   after {tenth:>7} {early:>5} MB   after {count:>8} {late:>5} MB"
    );
}

/// In megabytes.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() / 1024
}

/// Every seal of a session is another cookie, and so another entry.
fn sessions(system: &SystemRunner, count: u64) {
    let app = system.block_on(TestApp::start());
    let browser = system.block_on(app.signed_in());
    let key = Key::derive_from(b"0123456789abcdef0123456789abcdef");
    let sealed = Cookie::new("wos-session", browser.session().unwrap().clone());
    let session = CookieJar::new().private(&key).decrypt(sealed).unwrap();
    let routes = App::new().wrap(app.authkit.middleware()).route(
        "/",
        web::get().to(|user: AuthUser| async move { user.email().to_owned() }),
    );
    let service = system.block_on(init_service(routes));
    watch("sessions", count, |_| {
        let mut jar = CookieJar::new();
        jar.private_mut(&key).add(session.clone());
        let cookie = jar.get("wos-session").unwrap().stripped().to_string();
        let request = TestRequest::get()
            .uri("/")
            .insert_header(("cookie", cookie))
            .to_request();
        let response = system.block_on(async { service.call(request).await.unwrap() });
        assert_eq!(response.status(), 200);
    });
}

fn ended(system: &SystemRunner, count: u64) {
    let app = system.block_on(TestApp::start());
    watch("sessions that ended", count, |number| {
        let id = format!("session_{number:026}");
        system.block_on(app.authkit.end_session(&id)).unwrap();
    });
}

/// A clock at which no signature gets too old.
#[derive(Debug)]
struct Fixed;

const MILLIS: u64 = 1_800_000_000_000;

impl Clock for Fixed {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(MILLIS)
    }
}

fn webhooks(count: u64) {
    let config = WebhookConfig::new("whsec_benchmark").clock(Fixed);
    watch("webhooks", count, |number| {
        let body = format!(r#"{{"id":"event_{number:026}","event":"user.created","data":{{}}}}"#);
        let mut mac = Hmac::<Sha256>::new_from_slice(b"whsec_benchmark").unwrap();
        mac.update(format!("{MILLIS}.{body}").as_bytes());
        let bytes = mac.finalize().into_bytes();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        config
            .verify(&format!("t={MILLIS}, v1={hex}"), body.as_bytes())
            .unwrap();
    });
}

/// What strangers send, which is refused.
fn bearer(system: &SystemRunner, what: &str, count: u64, credential: impl Fn(u64) -> String) {
    let app = system.block_on(TestApp::start_with(|builder| builder.bearer_tokens().api_keys()));
    let routes = App::new().wrap(app.authkit.middleware()).route(
        "/",
        web::get().to(|auth: AuthContext| async move { auth.subject().to_owned() }),
    );
    let service = system.block_on(init_service(routes));
    watch(what, count, |number| {
        let authorization = format!("Bearer {}", credential(number));
        let request = TestRequest::get()
            .uri("/")
            .insert_header(("authorization", authorization))
            .to_request();
        let response = system.block_on(async { service.call(request).await.unwrap() });
        assert_eq!(response.status(), 401);
    });
}
