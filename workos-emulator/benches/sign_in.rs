//! What a sign-in costs, next to the two things that it cannot do without: a password's hash and a token's signature.
//!
//! `cargo bench -p workos-emulator --bench sign_in`
//!
//! Whole requests over one connection to an emulator on loopback; `health` is one that does nothing.

#![expect(clippy::expect_used, reason = "a bench that cannot go on stops")]

mod client;

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::RSA_PKCS1_SHA256,
};
use divan::{Bencher, black_box};
use serde_json::{Value, json};
use workos_emulator::Emulator;

use crate::client::{Client, request};

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse battery staple";

fn main() {
    divan::main();
}

/// An emulator with one user who has a password.
fn emulator() -> (Emulator, Client) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let emulator = runtime.block_on(Emulator::start()).expect("a free port");
    let user = emulator.user(EMAIL).password(PASSWORD);
    user.create().expect("a new user");
    let client = Client::connect(emulator.url());
    (emulator, client)
}

/// A request for tokens; `grant` is what this kind of grant needs.
fn authenticate(kind: &str, grant: Value) -> String {
    let mut body = json!({
        "client_id": "client_emulate",
        "client_secret": "sk_test_default",
        "grant_type": kind,
    });
    if let (Value::Object(body), Value::Object(grant)) = (&mut body, grant) {
        body.extend(grant);
    }
    request("POST", "/user_management/authenticate", &body.to_string())
}

fn password_grant() -> String {
    authenticate("password", json!({"email": EMAIL, "password": PASSWORD}))
}

#[divan::bench]
fn health(bencher: Bencher<'_, '_>) {
    let (_emulator, mut client) = emulator();
    let request = request("GET", "/health", "");
    bencher.bench_local(|| black_box(client.exchange(&request, 200).len()));
}

/// The hash that the emulator gives to passwords: the least that WorkOS accepts, Argon2id over 4 MiB in one pass.
#[divan::bench]
fn bare_hash(bencher: Bencher<'_, '_>) {
    let params = argon2::Params::new(4096, 1, 1, Some(32)).expect("parameters");
    let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let mut derived = [0; 32];
    bencher.bench_local(|| {
        argon2
            .hash_password_into(black_box(PASSWORD.as_bytes()), b"0123456789abcdef", &mut derived)
            .expect("a hash");
        derived
    });
}

/// One signature by a key of 2048 bits, over as many bytes as a token has.
#[divan::bench]
fn bare_signature(bencher: Bencher<'_, '_>) {
    let key = KeyPair::generate(KeySize::Rsa2048).expect("a key");
    let mut signature = vec![0; key.public_modulus_len()];
    let claims = [b'x'; 512];
    bencher.bench_local(|| {
        key.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            black_box(&claims),
            &mut signature,
        )
    });
}

#[divan::bench]
fn password(bencher: Bencher<'_, '_>) {
    let (_emulator, mut client) = emulator();
    let request = password_grant();
    bencher.bench_local(|| black_box(client.exchange(&request, 200).len()));
}

#[divan::bench]
fn refresh(bencher: Bencher<'_, '_>) {
    let (_emulator, mut client) = emulator();
    let mut tokens = client.json(&password_grant(), 200);
    bencher.bench_local(|| {
        let request = authenticate("refresh_token", json!({"refresh_token": tokens["refresh_token"]}));
        tokens = client.json(&request, 200);
    });
}

/// The code of an authorization request that carries a `login_hint`, and what the exchange of the code costs.
#[divan::bench]
fn code(bencher: Bencher<'_, '_>) {
    let (emulator, mut client) = emulator();
    let query = format!(
        "provider=authkit&response_type=code&client_id=client_emulate&login_hint={EMAIL}\
         &redirect_uri=http://localhost:3000/callback"
    );
    let authorize = request("GET", &format!("/user_management/authorize?{query}"), "");
    let mut browser = Client::connect(emulator.url());
    bencher
        .with_inputs(|| {
            let location = browser.location(&authorize);
            let (_, code) = location.split_once("code=").expect("a code");
            let code = code.split('&').next().unwrap_or_default();
            authenticate("authorization_code", json!({"code": code}))
        })
        .bench_local_values(|request| black_box(client.exchange(&request, 200).len()));
}
