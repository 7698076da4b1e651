//! What an operation costs among a thousand, a hundred thousand and a million users, next to a request that does nothing.
//!
//! `cargo bench -p workos-emulator --bench rows`
//!
//! Whole requests over one connection to an emulator on loopback, whose state is made through its API. The time that is
//! above that of `health` is the operation's own; it should grow with the logarithm of the number of rows.
//!
//! `ROWS=1000,100000` benches other numbers: making a million users takes minutes and two gigabytes.

#![expect(clippy::expect_used, reason = "a bench that cannot go on stops")]

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    sync::{LazyLock, Mutex, PoisonError},
    thread,
};

use divan::{Bencher, black_box};
use workos_emulator::Emulator;

/// Requests that are sent before the first answer is read, when users are made.
const BATCH: usize = 64;
const CONNECTIONS: usize = 4;

fn main() {
    divan::main();
}

/// The numbers of users to bench with.
#[expect(clippy::disallowed_methods, reason = "a bench reads its own environment")]
fn rows() -> Vec<usize> {
    let given = std::env::var("ROWS").unwrap_or_else(|_| "1000,100000,1000000".to_owned());
    given
        .split(',')
        .filter_map(|number| number.trim().parse().ok())
        .collect()
}

/// One connection, and a fresh number for each address.
struct Client {
    stream: BufReader<TcpStream>,
    body: Vec<u8>,
}

impl Client {
    fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).expect("the emulator listens");
        stream.set_nodelay(true).expect("a connected socket");
        Self {
            stream: BufReader::with_capacity(1 << 16, stream),
            body: Vec::new(),
        }
    }

    fn send(&mut self, requests: &str) {
        self.stream
            .get_mut()
            .write_all(requests.as_bytes())
            .expect("the emulator reads");
    }

    /// Reads one answer, which has to have this status.
    fn receive(&mut self, status: &str) -> &[u8] {
        let (mut line, mut length, mut first) = (String::new(), 0, true);
        loop {
            line.clear();
            self.stream.read_line(&mut line).expect("the emulator answers");
            if first {
                assert!(line.contains(status), "{line}");
                first = false;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
            if line.trim_end().is_empty() {
                break;
            }
        }
        self.body.resize(length, 0);
        self.stream.read_exact(&mut self.body).expect("a whole body");
        &self.body
    }

    fn get(&mut self, path: &str) -> &[u8] {
        self.send(&request("GET", path, ""));
        self.receive(" 200 ")
    }
}

fn request(method: &str, path: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer sk_test_default\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn create_user(number: usize) -> String {
    let body =
        format!(r#"{{"email":"user{number}@example.com","first_name":"Ada","external_id":"ext-{number}"}}"#);
    request("POST", "/user_management/users", &body)
}

/// An emulator with so many users, and a user in the middle of its list.
struct Site {
    address: String,
    user_id: String,
    next: usize,
    _emulator: Emulator,
}

static SITES: LazyLock<Mutex<BTreeMap<usize, Site>>> = LazyLock::new(Mutex::default);

/// The client of an emulator with `rows` users, which is started when it is first asked for.
fn with_site<T>(rows: usize, run: impl FnOnce(&mut Client, &mut Site) -> T) -> T {
    let mut sites = SITES.lock().unwrap_or_else(PoisonError::into_inner);
    let site = sites.entry(rows).or_insert_with(|| Site::start(rows));
    run(&mut Client::connect(&site.address), site)
}

impl Site {
    fn start(rows: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        let emulator = runtime.block_on(Emulator::start()).expect("a free port");
        let address = emulator.url().trim_start_matches("http://").to_owned();
        thread::scope(|threads| {
            for connection in 0..CONNECTIONS {
                let address = &address;
                threads.spawn(move || {
                    fill(
                        &mut Client::connect(address),
                        (connection..rows).step_by(CONNECTIONS),
                    );
                });
            }
        });
        let path = format!("/user_management/users/external_id/ext-{}", rows / 2);
        let user: serde_json::Value =
            serde_json::from_slice(Client::connect(&address).get(&path)).expect("a user");
        let user_id = user["id"].as_str().expect("an id").to_owned();
        Self {
            address,
            user_id,
            next: rows,
            _emulator: emulator,
        }
    }
}

fn fill(client: &mut Client, numbers: impl Iterator<Item = usize>) {
    let requests: Vec<String> = numbers.map(create_user).collect();
    for batch in requests.chunks(BATCH) {
        client.send(&batch.concat());
        for _ in batch {
            client.receive(" 201 ");
        }
    }
}

fn bench_get(bencher: Bencher<'_, '_>, rows: usize, path: impl FnOnce(&Site) -> String) {
    with_site(rows, |client, site| {
        let request = request("GET", &path(site), "");
        bencher.bench_local(|| {
            client.send(&request);
            black_box(client.receive(" 200 ").len())
        });
    });
}

/// A request that touches no rows.
#[divan::bench(args = rows())]
fn health(bencher: Bencher<'_, '_>, rows: usize) {
    bench_get(bencher, rows, |_| "/health".to_owned());
}

#[divan::bench(args = rows())]
fn get_by_id(bencher: Bencher<'_, '_>, rows: usize) {
    bench_get(bencher, rows, |site| {
        format!("/user_management/users/{}", site.user_id)
    });
}

#[divan::bench(args = rows())]
fn first_page(bencher: Bencher<'_, '_>, rows: usize) {
    bench_get(bencher, rows, |_| "/user_management/users?limit=10".to_owned());
}

#[divan::bench(args = rows())]
fn page_from_the_middle(bencher: Bencher<'_, '_>, rows: usize) {
    bench_get(bencher, rows, |site| {
        format!("/user_management/users?limit=10&after={}", site.user_id)
    });
}

/// Put and commit of a user and of its event.
#[divan::bench(args = rows())]
fn create(bencher: Bencher<'_, '_>, rows: usize) {
    with_site(rows, |client, site| {
        let next = &mut site.next;
        bencher
            .with_inputs(|| {
                *next += 1;
                create_user(*next)
            })
            .bench_local_values(|request| {
                client.send(&request);
                black_box(client.receive(" 201 ").len())
            });
    });
}
