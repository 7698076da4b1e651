//! How many webhooks are delivered in a second, next to bare requests one after the other to the same receiver.
//!
//! `cargo bench -p workos-emulator --bench webhooks`

#![expect(clippy::expect_used, reason = "a bench that cannot go on stops")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    thread,
};

use divan::{Bencher, counter::ItemsCount};
use serde_json::json;
use tokio::runtime::{Builder, Runtime};
use workos_emulator::Emulator;

/// Webhooks of one sample.
const WEBHOOKS: usize = 500;

fn main() {
    divan::main();
}

/// Answers every request with 200, and counts it.
struct Receiver {
    url: String,
    received: mpsc::Receiver<()>,
}

impl Receiver {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let (send, received) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let send = send.clone();
                thread::spawn(move || answer(&stream, &send));
            }
        });
        Self { url, received }
    }

    fn wait(&self, webhooks: usize) {
        for _ in 0..webhooks {
            self.received.recv().expect("a webhook");
        }
    }
}

fn answer(stream: &TcpStream, send: &mpsc::Sender<()>) {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    loop {
        let (mut line, mut length) = (String::new(), 0);
        while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
                length = value.trim().parse().expect("a length");
            }
            line.clear();
        }
        let mut body = vec![0; length];
        let read = length > 0 && reader.read_exact(&mut body).is_ok();
        let answered = read
            && writer
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                .is_ok();
        if !answered || send.send(()).is_err() {
            return;
        }
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

/// The same client and as large a body, without signing, without records.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn bare_requests(bencher: Bencher<'_, '_>) {
    let receiver = Receiver::start();
    let runtime = runtime();
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    bencher.counter(ItemsCount::new(WEBHOOKS)).bench_local(|| {
        for _ in 0..WEBHOOKS {
            let request = client.post(&receiver.url).body("x".repeat(500));
            let answer = runtime.block_on(request.send()).expect("an answer");
            assert_eq!(answer.status(), 200);
        }
        receiver.wait(WEBHOOKS);
    });
}

/// Users are created, and each endpoint is told of each.
#[divan::bench(args = [1, 10], sample_count = 10, sample_size = 1)]
fn deliveries(bencher: Bencher<'_, '_>, endpoints: usize) {
    let receiver = Receiver::start();
    let endpoint = |number| {
        let url = format!("{}{number}", receiver.url);
        json!({"endpoint_url": url, "events": ["user.created"]})
    };
    let seed = json!({"webhookEndpoints": (0..endpoints).map(endpoint).collect::<Vec<_>>()});
    let started = runtime().block_on(Emulator::builder().seed(seed.to_string()).start());
    let emulator = started.expect("a free port");
    let mut users = 0;
    bencher.counter(ItemsCount::new(WEBHOOKS)).bench_local(|| {
        for _ in 0..WEBHOOKS / endpoints {
            users += 1;
            let user = emulator.user(format!("user{users}@example.com"));
            user.create().expect("a new user");
        }
        receiver.wait(WEBHOOKS);
    });
}
