//! An API beside a Next.js front end, or beside any app with one of WorkOS's JavaScript kits: both read and write the sealed
//! session cookie, so that a sign-in at either is one at both.
//!
//! They need the same `WORKOS_CLIENT_ID` and `WORKOS_COOKIE_PASSWORD`. On one machine both are at `localhost`, where cookies
//! are shared by all ports; elsewhere, on subdomains, both also need the same `WORKOS_COOKIE_DOMAIN`. Requests of the front
//! end's pages to another origin want CORS (`actix-cors` around the middleware) and `fetch(…, { credentials: "include" })`.
//!
//! Against the emulator: `workos-emulator --port 4100` and `WORKOS_API_HOSTNAME=localhost`, `WORKOS_API_PORT=4100`,
//! `WORKOS_API_HTTPS=false`, for both. What is missing in the environment is said at start. The port, 3001 if none is given, is
//! the argument: `cargo run --example beside_nextjs -- 3001`.

use std::error::Error;

use actix_web::{App, HttpResponse, HttpServer, web};
use serde_json::json;
use workos_actix::{AuthKit, AuthUser};

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let authkit = AuthKit::builder().env().sealed_cookie().build()?;
    let port = std::env::args().nth(1).map_or(Ok(3001), |port| port.parse())?;
    HttpServer::new(move || {
        App::new()
            .wrap(authkit.middleware())
            .configure(authkit.routes())
            .route("/me", web::get().to(me))
    })
    .bind(("127.0.0.1", port))?
    .run()
    .await?;
    Ok(())
}

async fn me(user: AuthUser) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "user": user.user(),
        "session_id": user.session_id(),
        "organization_id": user.organization_id(),
        "role": user.role(),
        "permissions": user.permissions(),
        "impersonator": user.impersonator(),
    }))
}
