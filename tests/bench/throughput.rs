//! Requests per second of one worker on loopback: a plain Actix handler, one that asks who is signed in, and the emulator.
//!
//! `cargo bench --bench throughput`
//!
//! It needs [wrk](https://github.com/wg/wrk) (`apt-get install wrk`), and says so where it is not there.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::{error::Error, net::TcpListener, process::Command};

use actix_web::{App, HttpServer, web};
use reqwest::{Client, Url, header, redirect::Policy};
use workos_actix::{AuthKit, AuthUser};
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
    let app = start_app(&emulator)?;
    let session = sign_in(&app).await?;
    let user_url = format!("{}/user_management/users/{}", emulator.url(), user.id);
    let key = format!("Authorization: Bearer {}", emulator.api_key());

    // The plain handler first and last: between them lies what the machine did meanwhile.
    wrk("plain handler", &format!("{app}/plain"), None).await?;
    wrk("no session", &format!("{app}/open"), None).await?;
    wrk("cached session", &format!("{app}/me"), Some(&session)).await?;
    wrk("emulator, GET user", &user_url, Some(&key)).await?;
    wrk("plain handler", &format!("{app}/plain"), None).await
}

/// An app on one worker: `/plain` outside of the middleware, the rest inside.
fn start_app(emulator: &Emulator) -> Result<String, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    let authkit = AuthKit::builder()
        .api_base_url(emulator.url())
        .api_key(emulator.api_key())
        .client_id(emulator.client_id())
        .cookie_password("only-for-this-bench-and-32-characters-long")
        .redirect_uri(format!("{url}/auth/callback"))
        .build()?;
    let server = HttpServer::new(move || {
        let signed_in = web::scope("")
            .wrap(authkit.middleware())
            .configure(authkit.routes())
            .route("/open", web::get().to(|| async { EMAIL }))
            .route(
                "/me",
                web::get().to(|user: AuthUser| async move { user.email().to_owned() }),
            );
        App::new()
            .route("/plain", web::get().to(|| async { EMAIL }))
            .service(signed_in)
    });
    let server = server.workers(1).disable_signals().listen(listener)?.run();
    actix_web::rt::spawn(server);
    Ok(url)
}

/// Signs in as a browser does, but for the page, and returns the header with the session's cookie.
async fn sign_in(app: &str) -> Result<String, Box<dyn Error>> {
    let browser = Client::builder()
        .cookie_store(true)
        .redirect(Policy::none())
        .build()?;
    let mut url = Url::parse(&format!("{app}/auth/sign-in?login_hint={EMAIL}"))?;
    for _ in 0..4 {
        let response = browser.get(url.clone()).send().await?;
        let cookies = response.cookies();
        if let Some(session) = cookies.into_iter().find(|cookie| cookie.name() == "wos-session") {
            return Ok(format!("Cookie: wos-session={}", session.value()));
        }
        let location = response.headers().get(header::LOCATION);
        url = url.join(location.ok_or("the sign-in ended without a session")?.to_str()?)?;
    }
    Err("the sign-in goes round and round".into())
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
