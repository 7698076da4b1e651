//! What an operation costs among a thousand users and among many more, next to a request that touches no rows.
//!
//! `cargo bench -p workos-emulator --bench rows`
//!
//! Whole requests over one connection to an emulator on loopback. What is above `health` is the operation's own; it
//! should grow with the logarithm of the number of rows.
//!
//! `ROWS=1000,1000000` benches other numbers: a million users take half a minute to make, and gigabytes.

#![expect(clippy::expect_used, reason = "a bench that cannot go on stops")]

#[expect(dead_code, reason = "this bench needs only a part of it")]
mod client;
mod sites;

use std::fmt::Write as _;

use divan::{Bencher, black_box};
use workos_emulator::Emulator;

use crate::{
    client::{Client, request},
    sites::{Sites, email, rows},
};

fn main() {
    divan::main();
}

/// An emulator with so many users, and a user in the middle of its list.
struct Site {
    user_id: String,
    next: usize,
    emulator: Emulator,
}

static SITES: Sites<Site> = Sites::new();

/// Uses the emulator with `rows` users, which is started when it is first asked for.
fn with_site<T>(rows: usize, run: impl FnOnce(&mut Client, &mut Site) -> T) -> T {
    SITES.with(rows, Site::start, |site| {
        run(&mut Client::connect(site.emulator.url()), site)
    })
}

/// A user as a seed and the API take it.
fn user(number: usize) -> String {
    let email = email(number);
    format!(r#"{{"email":"{email}","first_name":"Ada","external_id":"ext-{number}"}}"#)
}

impl Site {
    fn start(rows: usize) -> Self {
        let mut seed = r#"{"users":["#.to_owned();
        for number in 0..rows {
            let separator = if number == 0 { "" } else { "," };
            write!(seed, "{separator}{}", user(number)).expect("memory");
        }
        seed.push_str("]}");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        let started = runtime.block_on(Emulator::builder().seed(seed).start());
        let emulator = started.expect("a free port and a right seed");
        let path = format!("/user_management/users/external_id/ext-{}", rows / 2);
        let middle = Client::connect(emulator.url()).json(&request("GET", &path, ""), 200);
        Self {
            user_id: middle["id"].as_str().expect("an id").to_owned(),
            next: rows,
            emulator,
        }
    }
}

fn bench_get(bencher: Bencher<'_, '_>, rows: usize, path: impl FnOnce(&Site) -> String) {
    with_site(rows, |client, site| {
        let request = request("GET", &path(site), "");
        bencher.bench_local(|| black_box(client.exchange(&request, 200).len()));
    });
}

/// A request that touches no rows.
#[divan::bench(args = rows(), sample_count = 1000)]
fn health(bencher: Bencher<'_, '_>, rows: usize) {
    bench_get(bencher, rows, |_| "/health".to_owned());
}

#[divan::bench(args = rows(), sample_count = 1000)]
fn get_by_id(bencher: Bencher<'_, '_>, rows: usize) {
    bench_get(bencher, rows, |site| {
        format!("/user_management/users/{}", site.user_id)
    });
}

#[divan::bench(args = rows(), sample_count = 1000)]
fn first_page(bencher: Bencher<'_, '_>, rows: usize) {
    bench_get(bencher, rows, |_| "/user_management/users?limit=10".to_owned());
}

#[divan::bench(args = rows(), sample_count = 1000)]
fn page_from_the_middle(bencher: Bencher<'_, '_>, rows: usize) {
    bench_get(bencher, rows, |site| {
        format!("/user_management/users?limit=10&after={}", site.user_id)
    });
}

/// Put and commit of a user and of its event, without HTTP.
#[divan::bench(args = rows(), sample_count = 1000)]
fn commit(bencher: Bencher<'_, '_>, rows: usize) {
    with_site(rows, |_, site| {
        let (emulator, next) = (&site.emulator, &mut site.next);
        bencher
            .with_inputs(|| {
                *next += 1;
                let user = emulator.user(email(*next)).first_name("Ada");
                user.external_id(format!("ext-{next}"))
            })
            .bench_local_values(|user| user.create().expect("a new user"));
    });
}

/// The same as a request.
#[divan::bench(args = rows(), sample_count = 1000)]
fn create(bencher: Bencher<'_, '_>, rows: usize) {
    with_site(rows, |client, site| {
        let next = &mut site.next;
        bencher
            .with_inputs(|| {
                *next += 1;
                request("POST", "/user_management/users", &user(*next))
            })
            .bench_local_values(|request| black_box(client.exchange(&request, 201).len()));
    });
}
