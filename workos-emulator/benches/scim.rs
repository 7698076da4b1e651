//! What an identity provider's requests cost in a directory of a thousand people and in one of many more.
//!
//! `cargo bench -p workos-emulator --bench scim`
//!
//! Whole requests over one connection to an emulator on loopback. `ROWS=1000,1000000` benches other numbers.

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

/// An emulator with a directory of so many people, and the way into it.
struct Site {
    base_path: String,
    token: String,
    group_id: String,
    next: usize,
    rows: usize,
    emulator: Emulator,
}

static SITES: Sites<Site> = Sites::new();

fn with_site<T>(rows: usize, run: impl FnOnce(&mut Client, &mut Site) -> T) -> T {
    SITES.with(rows, Site::start, |site| {
        run(&mut Client::connect(site.emulator.url()), site)
    })
}

fn person(number: usize) -> String {
    let email = email(number);
    format!(
        r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"externalId":"ext-{number}","userName":"{email}",
            "name":{{"givenName":"Ada","familyName":"Lovelace"}},"active":true,
            "emails":[{{"value":"{email}","type":"work","primary":true}}]}}"#
    )
}

impl Site {
    fn start(rows: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        let emulator = runtime.block_on(Emulator::start()).expect("a free port");
        let mut client = Client::connect(emulator.url());
        let acme = client.json(&request("POST", "/organizations", r#"{"name":"Acme"}"#), 201);
        let mut body = format!(
            r#"{{"organization_id":{},"name":"Acme","groups":["Everybody"],"users":["#,
            acme["id"]
        );
        for number in 0..rows {
            let (separator, email) = (if number == 0 { "" } else { "," }, email(number));
            write!(
                body,
                r#"{separator}{{"email":"{email}","username":"{email}","groups":["Everybody"]}}"#
            )
            .expect("memory");
        }
        body.push_str("]}");
        let made = client.json(&request("POST", "/_emulate/directories", &body), 201);
        let key = made["external_key"].as_str().expect("a key");
        let mut site = Self {
            base_path: format!("/scim/v2.0/{key}"),
            token: made["scim"]["bearer_token"].as_str().expect("a token").to_owned(),
            group_id: String::new(),
            next: rows,
            rows,
            emulator,
        };
        let groups = client.json(&site.request("GET", "/Groups?attributes=id", ""), 200);
        site.group_id = groups["Resources"][0]["id"].as_str().expect("a group").to_owned();
        site
    }

    fn request(&self, method: &str, path: &str, body: &str) -> String {
        let path = format!("{}{path}", self.base_path);
        request(method, &path, body).replace("sk_test_default", &self.token)
    }
}

fn bench_get(bencher: Bencher<'_, '_>, rows: usize, path: impl FnOnce(&Site) -> String) {
    with_site(rows, |client, site| {
        let request = site.request("GET", &path(site), "");
        bencher.bench_local(|| black_box(client.exchange(&request, 200).len()));
    });
}

#[divan::bench(args = rows(), sample_count = 1000)]
fn create_user(bencher: Bencher<'_, '_>, rows: usize) {
    with_site(rows, |client, site| {
        let mut next = site.next;
        bencher
            .with_inputs(|| {
                next += 1;
                site.request("POST", "/Users", &person(next))
            })
            .bench_local_values(|request| black_box(client.exchange(&request, 201).len()));
        site.next = next;
    });
}

#[divan::bench(args = rows(), sample_count = 200)]
fn find_by_user_name(bencher: Bencher<'_, '_>, rows: usize) {
    bench_get(bencher, rows, |site| {
        format!("/Users?filter=userName+eq+%22{}%22", email(site.rows / 2))
    });
}

#[divan::bench(args = rows(), sample_count = 200)]
fn first_page(bencher: Bencher<'_, '_>, rows: usize) {
    bench_get(bencher, rows, |_| "/Users?startIndex=1&count=100".to_owned());
}

#[divan::bench(args = rows(), sample_count = 200)]
fn last_page(bencher: Bencher<'_, '_>, rows: usize) {
    bench_get(bencher, rows, |site| {
        format!("/Users?startIndex={}&count=100", site.rows - 100)
    });
}

/// One more in a group of everybody, and out of it again.
#[divan::bench(args = rows(), sample_count = 200)]
fn patch_of_a_large_group(bencher: Bencher<'_, '_>, rows: usize) {
    with_site(rows, |client, site| {
        site.next += 1;
        let user = client.json(&site.request("POST", "/Users", &person(site.next)), 201);
        let body = format!(
            r#"{{"Operations":[{{"op":"add","path":"members","value":[{{"value":{0}}}]}},
                {{"op":"remove","path":"members","value":[{{"value":{0}}}]}}]}}"#,
            user["id"]
        );
        let request = site.request("PATCH", &format!("/Groups/{}", site.group_id), &body);
        bencher.bench_local(|| black_box(client.exchange(&request, 204).len()));
    });
}
