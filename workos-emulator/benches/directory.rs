//! What an operation costs in a directory of a thousand users and in one of many more, and what a user weighs.
//!
//! `cargo bench -p workos-emulator --bench directory`
//!
//! Half of the users are in one group. Whole requests over one connection to an emulator on loopback; none of them should
//! cost more in the larger directory. `ROWS=1000,1000000` benches other numbers.

#![expect(clippy::expect_used, reason = "a bench that cannot go on stops")]
#![expect(clippy::print_stdout, reason = "a bench tells what it found")]

#[expect(dead_code, reason = "this bench needs only a part of it")]
mod client;
mod sites;

use divan::{Bencher, black_box};
use workos_emulator::{DirectoryPerson, Emulator};

use crate::{
    client::{Client, request},
    sites::{Sites, email, rows},
};

fn main() {
    divan::main();
}

/// An emulator with a directory of so many users, and a user in the middle of it.
struct Site {
    directory_id: String,
    group_id: String,
    user_id: String,
    next: usize,
    emulator: Emulator,
}

static SITES: Sites<Site> = Sites::new();

/// Uses the emulator with `rows` users, which is started when it is first asked for.
fn with_site<T>(rows: usize, run: impl FnOnce(&mut Client, &mut Site) -> T) -> T {
    SITES.with(rows, Site::weighed, |site| {
        run(&mut Client::connect(site.emulator.url()), site)
    })
}

/// The memory that this process has in use, in kilobytes; nothing where the system does not tell.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

impl Site {
    /// Tells what its users weigh.
    fn weighed(rows: usize) -> Self {
        let before = resident();
        let site = Self::start(rows);
        if let (Some(before), Some(after)) = (before, resident()) {
            let bytes = after.saturating_sub(before) * 1024 / rows.max(1);
            println!(
                "{rows} directory users: {bytes} bytes for each, its events and its membership included"
            );
        }
        site
    }

    fn start(rows: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        let emulator = runtime.block_on(Emulator::start()).expect("a free port");
        let acme = emulator.organization("Acme").create().expect("a name");
        let mut builder = emulator.directory(&acme).group("Everybody");
        for number in 0..rows {
            let person = DirectoryPerson::new(email(number))
                .first_name("Ada")
                .last_name("Lovelace");
            builder = builder.user(if number % 2 == 0 {
                person.group("Everybody")
            } else {
                person
            });
        }
        let directory = builder.create().expect("addresses that differ");
        let client = &mut Client::connect(emulator.url());
        let mut first = |path: &str| {
            let list = client.json(&request("GET", path, ""), 200);
            list["data"][0]["id"].as_str().expect("an id").to_owned()
        };
        let by_email = format!(
            "/directory_users?directory={}&email={}",
            directory.id,
            email(rows / 2)
        );
        Self {
            group_id: first(&format!("/directory_groups?directory={}", directory.id)),
            user_id: first(&by_email),
            directory_id: directory.id,
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

#[divan::bench(args = rows(), sample_count = 500)]
fn first_page(bencher: Bencher<'_, '_>, rows: usize) {
    bench_get(bencher, rows, |site| {
        format!("/directory_users?directory={}", site.directory_id)
    });
}

#[divan::bench(args = rows(), sample_count = 500)]
fn page_from_the_middle(bencher: Bencher<'_, '_>, rows: usize) {
    bench_get(bencher, rows, |site| {
        format!(
            "/directory_users?directory={}&after={}",
            site.directory_id, site.user_id
        )
    });
}

#[divan::bench(args = rows(), sample_count = 500)]
fn page_of_a_group(bencher: Bencher<'_, '_>, rows: usize) {
    bench_get(bencher, rows, |site| {
        format!("/directory_users?group={}", site.group_id)
    });
}

#[divan::bench(args = rows(), sample_count = 500)]
fn find_by_email(bencher: Bencher<'_, '_>, rows: usize) {
    bench_get(bencher, rows, |site| {
        let (directory, email) = (&site.directory_id, email(rows / 3));
        format!("/directory_users?directory={directory}&email={email}")
    });
}

/// A user who comes into the group that half of the directory is in.
#[divan::bench(args = rows(), sample_count = 500)]
fn add_to_a_group(bencher: Bencher<'_, '_>, rows: usize) {
    with_site(rows, |client, site| {
        let (path, next) = (
            format!("/_emulate/directories/{}/users", site.directory_id),
            &mut site.next,
        );
        bencher
            .with_inputs(|| {
                *next += 1;
                let body = format!(r#"{{"email":"{}","groups":["Everybody"]}}"#, email(*next));
                request("POST", &path, &body)
            })
            .bench_local_values(|request| black_box(client.exchange(&request, 201).len()));
    });
}

/// A whole directory, with all that it holds.
#[divan::bench(args = rows(), sample_count = 3, sample_size = 1)]
fn delete(bencher: Bencher<'_, '_>, rows: usize) {
    bencher
        .with_inputs(|| {
            let site = Site::start(rows);
            let request = request("DELETE", &format!("/directories/{}", site.directory_id), "");
            (site, request)
        })
        .bench_local_values(|(site, request)| {
            Client::connect(site.emulator.url()).exchange(&request, 202);
            site
        });
}
