//! How soon an emulator answers: as a process, and inside a test.
//!
//! `cargo bench -p workos-emulator --bench start`

#![expect(clippy::expect_used, reason = "a bench that cannot go on stops")]

#[expect(dead_code, reason = "this bench needs only a part of it")]
mod client;

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Child, Command, Stdio},
    thread,
};

use actix_web::{App, HttpServer, rt::System, web};
use serde_json::Value;
use tokio::runtime::Runtime;
use workos_emulator::Emulator;

use crate::client::{Client, request};

fn main() {
    divan::main();
}

/// A process that ends with the bench.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_workos-emulator"));
    command
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

/// Starting the program and nothing else.
#[divan::bench]
fn process_that_prints_its_version() {
    let output = command(&["--version"]).output().expect("the program");
    assert!(output.status.success());
}

#[divan::bench]
fn process_to_first_answer() -> Running {
    let mut process = command(&["--port", "0", "--json"]).spawn().expect("the program");
    let stdout = process.stdout.take().expect("a pipe");
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).expect("a line");
    let said: Value = serde_json::from_str(&line).expect("JSON");
    let url = said["url"].as_str().expect("a url");
    let mut client = Client::connect(&url.replace("localhost", "127.0.0.1"));
    client.exchange(&request("GET", "/health", ""), 200);
    Running(process)
}

/// The least that an emulator inside a test can be: a thread with an Actix server that has one worker.
#[divan::bench]
fn bare_server_to_first_answer() -> thread::JoinHandle<()> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (send, receive) = std::sync::mpsc::channel();
    let thread = thread::spawn(move || {
        System::new().block_on(async move {
            let server = HttpServer::new(|| App::new().route("/health", web::get().to(|| async { "ok" })))
                .workers(1)
                .disable_signals()
                .listen(listener)
                .expect("a bound port")
                .run();
            send.send(server.handle()).expect("the bench waits");
            server.await.expect("a server");
        });
    });
    let handle = receive.recv().expect("a server");
    Client::connect(&url).exchange(&request("GET", "/health", ""), 200);
    drop(handle.stop(false));
    thread
}

#[divan::bench]
fn in_process_to_first_answer() -> Emulator {
    let runtime = Runtime::new().expect("a runtime");
    let emulator = runtime.block_on(Emulator::start()).expect("a free port");
    Client::connect(emulator.url()).exchange(&request("GET", "/health", ""), 200);
    emulator
}
