//! A small product with WorkOS sign-in, complete and offline: the app, and the emulator that it signs in with.
//!
//!     cargo run --example saas
//!
//! Against the real WorkOS, the emulator goes away and `AuthKit::from_env()` takes the place of the builder.
//! `--json` prints one line for programs, `SAAS_PORT` is the app's port (8080; 0 takes a free one), `SAAS_DB` a file for
//! the database, which is in memory otherwise.
//!
//! | file | shows |
//! |---|---|
//! | `dashboard.rs` | who is signed in, and what they may do |
//! | `organizations.rs` | making an organization, and moving the session into it |
//! | `account.rs`, `two_step.rs` | profile, password, sessions; a second factor |
//! | `members.rs` | permissions; members and invitations |
//! | `webhooks.rs`, `database/` | people whom a directory brings and takes away, in a database of the app's own |
//! | `people.rs`, `portal.rs` | what the database has; the way to the Admin Portal |
//! | `sign_in.rs` | what happens when a sign-in comes back: a row in the database, or a refusal |
//! | `shell.rs`, `page.rs`, `problem.rs` | what the pages have in common: organization switcher, impersonation banner, errors |
//! | `announce.rs` | what is printed at start |

mod account;
mod announce;
mod dashboard;
mod database;
mod documents;
mod members;
mod organizations;
mod page;
mod people;
mod portal;
mod problem;
mod shell;
mod sign_in;
mod two_step;
mod webhooks;

use std::{error::Error, net::TcpListener};

use actix_web::{App, HttpServer, middleware::DefaultHeaders, web};
use serde_json::json;
use workos_actix::{AuthKit, workos};
use workos_emulator::Emulator;

use crate::database::Database;

/// What every handler may need.
pub(crate) struct Paperboat {
    pub(crate) authkit: AuthKit,
    pub(crate) database: Database,
    /// The page with the e-mails that a person would get.
    pub(crate) mailbox: String,
}

impl Paperboat {
    /// The WorkOS API.
    pub(crate) fn workos(&self) -> &workos::Client {
        self.authkit.client()
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Bound before anything is set up: the redirect URI names the port.
    let listener = TcpListener::bind(("127.0.0.1", port()?))?;
    let app_url = format!("http://localhost:{}", listener.local_addr()?.port());
    let redirect_uri = format!("{app_url}/auth/callback");

    let emulator = Emulator::builder()
        .seed(include_str!("seed.yaml"))
        .start()
        .await?;
    let webhook_secret =
        variable("SAAS_WEBHOOK_SECRET").unwrap_or_else(|| "whsec_only_for_this_example".to_owned());
    let database = Database::open(variable("SAAS_DB").as_deref())?;
    let users = database.clone();
    let authkit = AuthKit::builder()
        .api_base_url(emulator.url())
        .api_key(emulator.api_key())
        .client_id(emulator.client_id())
        .cookie_password("only-for-this-example-and-32-characters-long")
        .redirect_uri(&redirect_uri)
        .after_sign_in("/dashboard")
        .after_sign_out(&app_url)
        .require_auth()
        .unauthenticated_paths(["/", "/webhooks/(.*)"])
        .on_success(move |signed_in| sign_in::remember(users.clone(), signed_in))
        .on_error(sign_in::explain)
        .build()?;
    let webhooks = webhooks::handlers(&webhook_secret, &authkit);
    // What the WorkOS dashboard is for: where sign-ins come back to, and where webhooks go.
    let endpoint_url = format!("{app_url}/webhooks/workos");
    let endpoint =
        json!({"endpoint_url": endpoint_url, "events": webhooks.events(), "secret": webhook_secret});
    emulator.seed(&json!({"redirectUris": [redirect_uri], "webhookEndpoints": [endpoint]}).to_string())?;

    let paperboat = web::Data::new(Paperboat {
        authkit: authkit.clone(),
        database,
        mailbox: announce::mailbox(&emulator),
    });

    let server = HttpServer::new(move || {
        App::new()
            .app_data(paperboat.clone())
            .wrap(authkit.middleware())
            .configure(authkit.routes())
            .configure(pages)
            .route("/webhooks/workos", webhooks.route())
            .wrap(DefaultHeaders::new().add(("X-Content-Type-Options", "nosniff")))
    })
    .workers(2)
    .listen(listener)?
    .run();
    announce::announce(&app_url, &emulator);
    Ok(server.await?)
}

fn pages(app: &mut web::ServiceConfig) {
    app.route("/", web::get().to(dashboard::home))
        .route("/dashboard", web::get().to(dashboard::dashboard))
        .route("/documents", web::post().to(documents::create))
        .route("/organizations", web::post().to(organizations::create))
        .route("/account", web::get().to(account::account))
        .route("/account/password", web::post().to(account::send_password_link))
        .route("/account/sessions", web::post().to(account::end_other_sessions))
        .route("/account/two-step", web::post().to(two_step::begin))
        .route("/account/two-step/confirm", web::post().to(two_step::confirm))
        .route("/account/two-step/remove", web::post().to(two_step::remove))
        .route("/members", web::get().to(members::members))
        .route("/members/invitations", web::post().to(members::invite))
        .route(
            "/members/invitations/{id}/resend",
            web::post().to(members::resend),
        )
        .route(
            "/members/invitations/{id}/revoke",
            web::post().to(members::revoke),
        )
        .route("/people", web::get().to(people::people))
        .route("/people/portal", web::post().to(portal::open));
}

fn port() -> Result<u16, String> {
    let port = variable("SAAS_PORT").unwrap_or_else(|| "8080".to_owned());
    port.parse()
        .map_err(|_| format!("SAAS_PORT is '{port}'; it must be a port number such as 8080"))
}

#[expect(clippy::disallowed_methods, reason = "the configuration of the example")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
