//! Requests per second over HTTP: a handler that asks who is signed in, and a plain one that asks nothing.
//!
//! `cargo bench -p workos-actix --bench http`
//!
//! One worker, 32 connections on loopback, from a thread of its own. Every path is measured in each of several rounds, so
//! that what the machine does meanwhile falls upon all of them.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark that fails should stop, takes the time, and prints its figures"
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
    net::{SocketAddr, TcpListener},
    thread,
    time::{Duration, Instant},
};

use actix_web::{
    App, HttpServer,
    rt::System,
    web::{self, ServiceConfig},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    task::LocalSet,
};
use workos_actix::{AuthKitBuilder, AuthUser};

use crate::app::TestApp;

const CONNECTIONS: usize = 32;
const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_secs(1);

fn main() {
    System::new().block_on(async {
        for (name, settings) in [
            ("sealed cookie", AuthKitBuilder::sealed_cookie as fn(_) -> _),
            ("encrypted cookie", |builder| builder),
        ] {
            let app = TestApp::start_with(settings).await;
            let browser = app.signed_in().await;
            measure(name, &app, browser.session().unwrap()).await;
        }
    });
}

async fn measure(name: &str, app: &TestApp, session: &str) {
    let authkit = app.authkit.clone();
    let plain = serve(|app| {
        app.route("/me", web::get().to(|| async { "alice@acme.example".to_owned() }));
    });
    let signed_in = serve(move |app| {
        let me = web::get().to(|user: AuthUser| async move { user.email().to_owned() });
        app.service(web::resource("/me").wrap(authkit.middleware()).route(me));
    });
    let request = |headers: &str| format!("GET /me HTTP/1.1\r\nHost: a\r\n{headers}\r\n");
    let cookie = format!("Cookie: wos-session={session}\r\n");
    let cases = [
        (plain, request("")),
        (plain, request(&cookie)),
        (signed_in, request(&cookie)),
    ];
    let mut rates: [Vec<f64>; 3] = Default::default();
    for _ in 0..ROUNDS {
        for (rates, (address, request)) in rates.iter_mut().zip(&cases) {
            rates.push(rate(*address, request.clone()).await);
        }
    }
    let ratio =
        |of: usize, to: usize| median(rates[of].iter().zip(&rates[to]).map(|(of, to)| of / to).collect());
    let bytes = session.len();
    println!("{name}, {bytes} bytes, medians of {ROUNDS} rounds");
    println!(
        "  plain handler                       {:>9.0} req/s",
        median(rates[0].clone())
    );
    println!(
        "  plain handler that is sent a cookie {:>9.0} req/s  {:.2} of the plain handler",
        median(rates[1].clone()),
        ratio(1, 0)
    );
    println!(
        "  session seen before                 {:>9.0} req/s  {:.2} of the plain handler, {:.2} of the one with a cookie",
        median(rates[2].clone()),
        ratio(2, 0),
        ratio(2, 1)
    );
}

/// A server with one worker.
fn serve(routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = HttpServer::new(move || App::new().configure(routes.clone()))
        .workers(1)
        .disable_signals()
        .listen(listener)
        .unwrap()
        .run();
    actix_web::rt::spawn(server);
    address
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Requests per second, from another thread.
async fn rate(address: SocketAddr, request: String) -> f64 {
    let (sender, receiver) = oneshot::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let load = LocalSet::new();
        let rate = load.block_on(&runtime, async {
            // The load never sleeps: waking it would be the server's work, and more of it the slower the server is.
            let awake = tokio::task::spawn_local(async {
                loop {
                    tokio::task::yield_now().await;
                }
            });
            let begun = Instant::now();
            let connections: Vec<_> = (0..CONNECTIONS)
                .map(|_| tokio::task::spawn_local(ask(address, request.clone(), begun + ROUND)))
                .collect();
            let mut answers = 0;
            for connection in connections {
                answers += connection.await.unwrap();
            }
            awake.abort();
            f64::from(answers) / begun.elapsed().as_secs_f64()
        });
        sender.send(rate).unwrap();
    });
    receiver.await.unwrap()
}

/// One connection: asks, waits for the answer, and asks again. The number of answers.
async fn ask(address: SocketAddr, request: String, until: Instant) -> u32 {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut buffer = [0; 4096];
    let mut answers = 0;
    // All answers to one request are of one length.
    let mut length = None;
    while Instant::now() < until {
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut filled = 0;
        while length.is_none_or(|length| filled < length) {
            let read = stream.read(&mut buffer[filled..]).await.unwrap();
            assert_ne!(read, 0, "the server has hung up");
            filled += read;
            length = length.or_else(|| length_of(&buffer[..filled]));
        }
        assert!(
            buffer.starts_with(b"HTTP/1.1 200"),
            "{}",
            String::from_utf8_lossy(&buffer[..filled])
        );
        answers += 1;
    }
    answers
}

/// How long an answer is whose head is here.
fn length_of(answer: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(answer).unwrap();
    let head = text.find("\r\n\r\n")? + 4;
    let lower = text.to_ascii_lowercase();
    let after = lower.split("content-length:").nth(1).unwrap();
    let body: usize = after.split("\r\n").next().unwrap().trim().parse().unwrap();
    Some(head + body)
}
