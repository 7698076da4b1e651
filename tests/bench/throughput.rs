//! Requests per second on loopback: the emulator, and a plain Actix handler.
//!
//! `cargo bench --bench throughput`; that of the middleware is `cargo bench -p workos-actix --bench http`.
//!
//! It needs [wrk](https://github.com/wg/wrk) (`apt-get install wrk`), and says so where it is not there.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::{error::Error, net::TcpListener, process::Command};

use actix_web::{App, HttpServer, web};
use workos_emulator::Emulator;

const EMAIL: &str = "ada@example.com";

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    if Command::new("wrk").arg("--version").output().is_err() {
        println!("throughput: wrk is not installed, nothing is measured");
        return Ok(());
    }
    let emulator = Emulator::start().await?;
    let user = emulator.user(EMAIL).create()?;
    let plain = start_plain()?;
    let user_url = format!("{}/user_management/users/{}", emulator.url(), user.id);
    let key = format!("Authorization: Bearer {}", emulator.api_key());

    // The plain handler first and last: between them lies what the machine did meanwhile.
    wrk("plain handler", &plain, None).await?;
    wrk("emulator, GET user", &user_url, Some(&key)).await?;
    wrk("plain handler", &plain, None).await
}

/// One worker, as the emulator has.
fn start_plain() -> Result<String, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/", listener.local_addr()?);
    let server = HttpServer::new(|| App::new().route("/", web::get().to(|| async { EMAIL })));
    let server = server.workers(1).disable_signals().listen(listener)?.run();
    actix_web::rt::spawn(server);
    Ok(url)
}

/// Five seconds of 32 connections.
async fn wrk(what: &str, url: &str, header: Option<&str>) -> Result<(), Box<dyn Error>> {
    let mut command = Command::new("wrk");
    command.args(["-t1", "-c32", "-d5s", "--latency", url]);
    if let Some(header) = header {
        command.args(["-H", header]);
    }
    let output = web::block(move || command.output()).await??;
    let output = String::from_utf8(output.stdout)?;
    if output.contains("Non-2xx") {
        return Err(format!("{what} was refused:\n{output}").into());
    }
    let figure = |name: &str| {
        let line = output.lines().find_map(|line| line.trim().strip_prefix(name));
        line.unwrap_or_default().trim().to_owned()
    };
    println!(
        "{what:<20} {:>10} req/s   median {:>8}   p99 {:>8}",
        figure("Requests/sec:"),
        figure("50%"),
        figure("99%")
    );
    Ok(())
}
