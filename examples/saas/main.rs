//! A small product with WorkOS sign-in, complete and offline: the app, and the emulator that it signs in with.
//!
//!     cargo run --example saas
//!
//! Against the real WorkOS, the emulator goes away and `AuthKit::from_env()` takes the place of the builder.
//! `--json` prints one line for programs, `SAAS_PORT` is the app's port (8080; 0 takes a free one).

mod pages;

use std::{error::Error, net::TcpListener};

use actix_web::{App, HttpResponse, HttpServer, Responder, http::header::ContentType, web};
use serde_json::json;
use workos_actix::{AuthKit, AuthUser};
use workos_emulator::Emulator;

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let emulator = Emulator::builder()
        .seed(include_str!("seed.yaml"))
        .start()
        .await?;

    // Bound before AuthKit is set up: the redirect URI names the port.
    let listener = TcpListener::bind(("127.0.0.1", port()?))?;
    let app_url = format!("http://localhost:{}", listener.local_addr()?.port());
    let authkit = AuthKit::builder()
        .api_base_url(emulator.url())
        .api_key(emulator.api_key())
        .client_id(emulator.client_id())
        .cookie_password("only-for-this-example-and-32-characters-long")
        .redirect_uri(format!("{app_url}/auth/callback"))
        .after_sign_out(&app_url)
        .build()?;

    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(authkit.clone()))
            .wrap(authkit.middleware())
            .configure(authkit.routes())
            .route("/", web::get().to(home))
            .route("/dashboard", web::get().to(dashboard))
    })
    .workers(2)
    .listen(listener)?
    .run();
    announce(&app_url, &emulator);
    Ok(server.await?)
}

/// Anybody may see it; whoever is signed in is greeted.
async fn home(user: Option<AuthUser>) -> impl Responder {
    html(pages::home(user.as_ref()))
}

/// Asking for an `AuthUser` is what protects it: anybody else is sent to sign in, and comes back here.
async fn dashboard(user: AuthUser, authkit: web::Data<AuthKit>) -> impl Responder {
    let organization = match user.organization_id() {
        Some(id) => authkit.client().organizations().get_organization(id).await.ok(),
        None => None,
    };
    html(pages::dashboard(
        &user,
        organization
            .as_ref()
            .map(|organization| organization.name.as_str()),
    ))
}

fn html(page: String) -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::html()).body(page)
}

fn port() -> Result<u16, String> {
    #[expect(clippy::disallowed_methods, reason = "an example's configuration")]
    let port = std::env::var("SAAS_PORT").unwrap_or_else(|_| "8080".to_owned());
    port.parse()
        .map_err(|_| format!("SAAS_PORT is '{port}'; it must be a port number such as 8080"))
}

/// Says where the app is and who can sign in.
fn announce(app_url: &str, emulator: &Emulator) {
    let member = json!({"name": "Acme", "role": "member", "permissions": ["documents:read"]});
    let every = ["documents:read", "documents:write", "members:manage"];
    let admin_of = |name| json!({"name": name, "role": "admin", "permissions": every});
    let users = [
        json!({"name": "Alice Archer", "email": "alice@acme.example", "password": "seven quiet lighthouses",
            "organizations": [admin_of("Acme")]}),
        json!({"name": "Bob Baker", "email": "bob@acme.example", "password": "nine patient windmills",
            "organizations": [member, admin_of("Globex")]}),
    ];
    if std::env::args().any(|argument| argument == "--json") {
        println!(
            "{}",
            json!({"app": app_url, "emulator": emulator.url(), "users": users})
        );
        return;
    }
    println!(
        "\n  Paperboat, a small product with WorkOS sign-in, runs at\n\n      {app_url}\n\n  Sign in as\n"
    );
    for user in &users {
        let organizations = user["organizations"].as_array().map_or(0, Vec::len);
        let text = |name: &str| user[name].as_str().unwrap_or_default().to_owned();
        println!(
            "      {:<20} password: {:<25} {organizations} organization(s)",
            text("email"),
            text("password")
        );
    }
    println!(
        "\n  The WorkOS emulator inside: {} (API key {})\n",
        emulator.url(),
        emulator.api_key()
    );
}
